"""The same arithmetic for numbers and for columns of them, equal to the bit.

Many series at once are columns; a long stretch of a few is much quicker in plain numbers.
"""

import math
from typing import Any, Protocol, TypeVar

import numpy as np

from core.readings import FloatColumn

FEW = 12  # series that are quicker one by one
N = TypeVar("N", float, FloatColumn)


class Arithmetic(Protocol[N]):
    """What a formula needs beside the operators."""

    def least(self, one: N, other: N | float) -> N:
        """The smaller of both."""

    def most(self, one: N, other: N | float) -> N:
        """The larger of both."""

    def root(self, number: N) -> N:
        """The square root."""

    def either(self, condition: Any, yes: N | float, no: N | float) -> N:
        """`yes` where the condition holds."""


class Numbers:
    """Of plain numbers."""

    def least(self, one: float, other: float) -> float:
        return one if one < other else other

    def most(self, one: float, other: float) -> float:
        return one if one > other else other

    def root(self, number: float) -> float:
        return math.sqrt(number)

    def either(self, condition: Any, yes: float, no: float) -> float:
        return yes if condition else no


class Columnwise:
    """Of columns."""

    def least(self, one: FloatColumn, other: FloatColumn | float) -> FloatColumn:
        return np.minimum(one, other)

    def most(self, one: FloatColumn, other: FloatColumn | float) -> FloatColumn:
        return np.maximum(one, other)

    def root(self, number: FloatColumn) -> FloatColumn:
        return np.sqrt(number)

    def either(
        self, condition: Any, yes: FloatColumn | float, no: FloatColumn | float
    ) -> FloatColumn:
        return np.where(condition, yes, no)


NUMBERS, COLUMNS = Numbers(), Columnwise()
