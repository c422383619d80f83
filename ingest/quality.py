"""Hop 3: every reading gets a QARTOD flag. Pure functions over columns; values are never altered.

A test takes the columns and the settings of their series and says for each reading which flag it
gives. `check` runs them all, keeps the worst by QARTOD's precedence and, in `tests`, one bit for
each test that objected.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.catalogue import CATALOGUE
from core.model import Columns, Flag, FloatColumn, IntColumn, Series

Flags = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySettings:
    """Columns of settings, indexed by series: the physical span in the catalogue's unit."""

    low: FloatColumn
    high: FloatColumn

    @staticmethod
    def of(series: Sequence[Series]) -> "QualitySettings":
        """The catalogue's settings for these series."""
        spans = [_span(s.parameter) for s in series]
        pairs = np.array(spans, np.float64).reshape(len(series), 2)
        return QualitySettings(low=pairs[:, 0].copy(), high=pairs[:, 1].copy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tails:
    """What is carried from batch to batch, indexed by series: the newest reading's time (µs)."""

    measured_at: IntColumn

    @staticmethod
    def of(count: int, newest: Mapping[int, int]) -> "Tails":
        """The tails of `count` series of which some have a newest reading."""
        times = np.full(count, NEVER, np.int64)
        for index, at in newest.items():
            times[index] = at
        return Tails(measured_at=times)

    def grown(self, count: int) -> "Tails":
        """The same tails with room for `count` series."""
        more = np.full(count - len(self.measured_at), NEVER, np.int64)
        return Tails(measured_at=np.concatenate([self.measured_at, more]))

    def moved(self, columns: Columns, newest: IntColumn) -> "Tails":
        """The tails after a batch whose rows `newest` are their series' newest."""
        times = self.measured_at.copy()
        times[columns.series[newest]] = columns.measured_at[newest]
        return Tails(measured_at=times)


def _span(parameter: str) -> tuple[float, float]:
    known = CATALOGUE.get(parameter)  # a parameter may have left the catalogue since
    return known.physical if known else (-np.inf, np.inf)


NEVER = np.iinfo(np.int64).min // 2  # earlier than any reading; half, so that differences fit

QualityTest = Callable[[Columns, QualitySettings], Flags]


def gross_range(columns: Columns, settings: QualitySettings) -> Flags:
    """FAIL outside the sensor's physical span (QARTOD test 4, sensor span only)."""
    low = settings.low[columns.series]
    high = settings.high[columns.series]
    beyond = (columns.value < low) | (columns.value > high)
    return np.where(beyond, np.uint8(Flag.FAIL), np.uint8(Flag.GOOD))


QUALITY_TESTS: Mapping[str, QualityTest] = {
    "gross_range": gross_range,
}

# QARTOD's precedence as a rank: a flag gives way to those of a higher rank.
_RANK = np.zeros(10, np.uint8)
for _rank, _flag in enumerate(
    (Flag.MISSING, Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL)
):
    _RANK[_flag] = _rank


def check(columns: Columns, settings: QualitySettings) -> Columns:
    """The same columns with `flag` and `tests` filled in."""
    flag = np.full(len(columns), Flag.NOT_EVALUATED, np.uint8)
    tests = np.zeros(len(columns), np.uint32)
    for bit, test in enumerate(QUALITY_TESTS.values()):
        given = test(columns, settings)
        flag = np.where(_RANK[given] > _RANK[flag], given, flag)
        tests |= (given >= Flag.SUSPECT).astype(np.uint32) << np.uint32(bit)
    return replace(columns, flag=flag, tests=tests)


def tests_named(code: int) -> list[str]:
    """The tests that objected, by the bits of `tests`.

    >>> tests_named(1)
    ['gross_range']
    """
    return [name for bit, name in enumerate(QUALITY_TESTS) if code >> bit & 1]
