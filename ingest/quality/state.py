"""What is remembered of each series from batch to batch: a fixed number of bytes, whatever comes.

`TAIL` moves with each reading; the ledger keeps those of `BLOCK` series together, which fill a
page of it: so a batch of many series writes few rows. `WINDOW` moves when an hour or three hours
end, and is kept by series. A state becomes official when its batch has been committed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.readings import IntColumn
from core.times import HOUR

VERSION = "2"  # of the two layouts below: another one starts empty
WINDOW_LENGTH = 3 * HOUR
WINDOWS = 8
BLOCK = 30  # tails that fit a page of 4,096 bytes
NO_HOUR = np.iinfo(np.int32).min
NEVER = np.iinfo(np.int64).min // 2  # earlier than any reading; half, so that differences fit

# A sound reading is one that came in order and that no test fails by itself. Of those:
TAIL = np.dtype(
    [
        ("at", "<i8"),  # the newest
        ("value", "<f8"),
        ("tests", "<u4"),
        ("previous_at", "<i8"),  # the one before it
        ("previous", "<f8"),
        ("base_at", "<i8"),  # the last one before it that was no spike
        ("base", "<f8"),
        ("run", "<i8", 2),  # where the present flat run began, see `runs`
        ("count", "<i4"),  # the open window: readings, least, most,
        ("low", "<f8"),
        ("high", "<f8"),
        ("steps", "<i4"),  # and its steps: how many, how far in all (millionths)
        ("moved", "<i8"),
        ("hour_count", "<i4"),  # the present hour: readings, and their sum (millionths)
        ("hour_sum", "<i8"),
    ],
    align=True,
)
WINDOW = np.dtype(
    [
        ("window", "<i4", WINDOWS),  # the last closed ones, the newest first: number, readings,
        ("count", "<i4", WINDOWS),
        ("low", "<f8", WINDOWS),  # least, most, mean step
        ("high", "<f8", WINDOWS),
        ("step", "<f8", WINDOWS),
        ("noise", "<f8"),  # what follows from them: the median of the mean steps,
        ("spread", "<f8"),  # and the range of all readings
        ("hour", "<i4"),  # the last closed hour and its mean
        ("hour_mean", "<f8"),
        ("beside", "u1"),  # and what the neighbours say of it
    ],
    align=True,
)
Records: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How a batch moves the state: the series that it touches and their tails, the newest time of
    each, and the windows of some of them.
    """

    series: IntColumn
    measured_at: IntColumn
    tails: Records
    windowed: IntColumn
    windows: Records


_NONE = np.empty(0, np.int64)
NOTHING_MOVED = Moved(
    series=_NONE,
    measured_at=_NONE,
    tails=np.empty(0, TAIL),
    windowed=_NONE,
    windows=np.empty(0, WINDOW),
)


class State:
    """Arrays indexed by series. `measured_at` is the newest reading's, whatever its quality."""

    def __init__(self, count: int = 0) -> None:
        self.measured_at = np.full(count, NEVER, np.int64)
        self.tails = _empty(TAIL, count)
        self.windows = _empty(WINDOW, count)

    def __len__(self) -> int:
        return len(self.measured_at)

    def grow(self, count: int) -> None:
        """Make room for `count` series."""
        more = State(count - len(self))
        self.measured_at = np.concatenate([self.measured_at, more.measured_at])
        self.tails = np.concatenate([self.tails, more.tails])
        self.windows = np.concatenate([self.windows, more.windows])

    def restore(
        self,
        newest: Iterable[tuple[int, int]],
        tails: Iterable[tuple[int, bytes]],
        windows: Iterable[tuple[int, bytes]],
    ) -> None:
        """Take up what the ledger kept: times and windows by series, tails by block."""
        for series, at in newest:
            self.measured_at[series] = at
        for block, kept in tails:
            found = np.frombuffer(kept, TAIL)
            self.tails[block * BLOCK :][: len(found)] = found
        for series, kept in windows:
            self.windows[series] = np.frombuffer(kept, WINDOW)[0]

    def blocks(self, moved: Moved) -> dict[int, bytes]:
        """The blocks of tails as they will be, by number, that a batch moves."""
        numbers = np.unique(moved.series // BLOCK)
        rows = (numbers[:, np.newaxis] * BLOCK + np.arange(BLOCK)).ravel()
        rows = rows[rows < len(self)]
        tails = taken(self.tails, rows)
        _words(tails)[np.searchsorted(rows, moved.series)] = _words(moved.tails)
        whole, size = tails.tobytes(), BLOCK * TAIL.itemsize
        return {
            number: whole[place * size : (place + 1) * size]
            for place, number in enumerate(numbers.tolist())
        }

    def accept(self, moved: Moved) -> None:
        """The batch has been committed."""
        self.measured_at[moved.series] = moved.measured_at
        _words(self.tails)[moved.series] = _words(moved.tails)
        if len(moved.windowed):
            _words(self.windows)[moved.windowed] = _words(moved.windows)


def taken(records: Records, rows: IntColumn) -> Records:
    """These records: as rows of numbers, since numpy copies those much faster."""
    found: Records = _words(records).take(rows, axis=0).view(records.dtype)
    return found[:, 0]


def _words(records: Records) -> IntColumn:
    return records.view(np.int64).reshape(len(records), records.dtype.itemsize // 8)


def kept(moved: Moved) -> dict[int, bytes]:
    """The windows that a batch moves, as the ledger keeps them, by series."""
    return {
        series: record.tobytes()
        for series, record in zip(moved.windowed.tolist(), moved.windows, strict=True)
    }


def _empty(dtype: np.dtype[Any], count: int) -> Records:
    records = np.zeros(count, dtype)
    for name in ("at", "previous_at", "base_at"):
        if name in (dtype.names or ()):
            records[name] = NEVER
    for name in ("noise", "spread"):
        if name in (dtype.names or ()):
            records[name] = np.nan
    if "hour" in (dtype.names or ()):
        records["hour"] = NO_HOUR
    return records
