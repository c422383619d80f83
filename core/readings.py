"""Readings, one by one and as columns, their flags and what is said of them later."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray


class Flag(IntEnum):
    """QARTOD's flags (IOOS QARTOD, manual for real-time data quality control)."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Reading(NamedTuple):
    """(device, parameter, measured_at) is the identity; `unit` only where it was sent."""

    device: str
    parameter: str
    measured_at: int
    value: float
    unit: str | None = None


IntColumn: TypeAlias = NDArray[np.int64]
FloatColumn: TypeAlias = NDArray[np.float64]
BoolColumn: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Readings of one batch as columns of equal length, sorted by series and, within one series,
    in order of arrival. `late` marks those not newer than what their series already had.

    `series` int64 · `measured_at`, `received_at` int64 µs · `value` float64 in the catalogue's
    unit · `flag` uint8 (`Flag`) · `tests` uint32, what each test of quality said (`core.quality`).
    """

    series: IntColumn
    measured_at: IntColumn
    received_at: IntColumn
    value: FloatColumn
    flag: NDArray[np.uint8]
    tests: NDArray[np.uint32]
    late: BoolColumn

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: IntColumn | slice) -> "Columns":
        """These rows, in that order."""
        return Columns(
            series=self.series[rows],
            measured_at=self.measured_at[rows],
            received_at=self.received_at[rows],
            value=self.value[rows],
            flag=self.flag[rows],
            tests=self.tests[rows],
            late=self.late[rows],
        )

    def newest(self) -> IntColumn:
        """The rows that are now their series' newest: of each series the last that is not late."""
        rows = np.flatnonzero(~self.late)
        series = self.series[rows]
        return rows[np.append(series[1:] != series[:-1], True)] if len(rows) else rows


class Cause(StrEnum):
    """Why a flag was revised."""

    LATE_READING = "late-reading"
    NEXT_READING = "next-reading"
    OFFICER = "officer"
    REPROCESS = "reprocess"
    SERVICE = "service"


class Revision(NamedTuple):
    """A change of a stored reading's flag, or of what its tests said; `revised_at` is when what
    caused it was received, µs.
    """

    series: int
    measured_at: int
    revised_at: int
    flag_before: int
    flag: int
    tests_before: int
    tests: int
    cause: Cause
    reference: int | None = None


def no_columns() -> Columns:
    """Columns without a row."""
    none = np.empty(0, np.int64)
    return Columns(
        series=none,
        measured_at=none,
        received_at=none,
        value=np.empty(0),
        flag=np.empty(0, np.uint8),
        tests=np.empty(0, np.uint32),
        late=np.empty(0, np.bool_),
    )
