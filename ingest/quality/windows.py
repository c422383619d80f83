"""What eight windows of three hours tell: how noisy a series is, and how far it moved in a day.

A window counts once it is closed, by the first reading after it, and for as long as it is among the
eight before the present one. So what it says holds for all readings of the present one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.readings import BoolColumn, FloatColumn, IntColumn
from ingest.quality.sequence import Sequence, distinct, ends_of, lengths, parted
from ingest.quality.state import WINDOW_LENGTH, WINDOWS, Records, taken

LEAST_NOISES = 2  # windows that say how noisy it is
LEAST_WINDOWS, LEAST_READINGS = 7, 16  # for the range of a day
_MOST = 2.0**30
MILLION = 1e6
_AGES = np.arange(1, WINDOWS + 1)

# Readings of one window: of which of the `starts` the series is, the window's number, the figures.
_PART = np.dtype(
    [
        ("place", "<i8"),
        ("window", "<i8"),
        ("count", "<i4"),
        ("low", "<f8"),
        ("high", "<f8"),
        ("steps", "<i4"),
        ("moved", "<i8"),
    ]
)


def millionths(values: FloatColumn) -> IntColumn:
    """Integers, whose sum does not depend on how they are added up."""
    within = np.maximum(np.minimum(values, _MOST), -_MOST)
    found: IntColumn = np.rint(within * MILLION).astype(np.int64)
    return found


def medians(values: FloatColumn, least: int) -> FloatColumn:
    """The median of each row without its NaN; NaN where it has fewer than `least` others."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = (~np.isnan(ordered)).sum(axis=1)
    rows = np.arange(len(ordered))
    low = ordered[rows, np.maximum(known - 1, 0) // 2]
    high = ordered[rows, np.minimum(known // 2, ordered.shape[1] - 1)]
    return np.where(known >= least, (low + high) / 2, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Of each row: the noise of its series (the median of the windows' mean steps) and the range
    of its readings; NaN while too little is known. Of each start: the open window. `moved` are the
    places of the starts that closed one, and `closed` what they know now.
    """

    noise: FloatColumn
    spread: FloatColumn
    present: Records
    moved: IntColumn
    closed: "_Day | None"

    @staticmethod
    def of(sequence: Sequence, remembered: Records) -> "Windows":
        """The windows of these rows, after what is `remembered` of all series."""
        parts, rows, goes_on = _parts(sequence)
        series = sequence.series[parts["place"]]
        noise, spread = remembered["noise"][series], remembered["spread"][series]
        fresh = (~goes_on).nonzero()[0]
        last, moved, closed = ends_of(parts["place"]), distinct(parts["place"][fresh]), None
        if len(fresh):
            old = taken(remembered, sequence.series[moved])
            history = _History.of(parts, goes_on, sequence.tails, old, moved)
            found, closed = history.before(fresh), history.before(last[moved])
            noise[fresh], spread[fresh] = found.noise(), found.spread()
        return Windows(
            noise=np.repeat(noise, rows),
            spread=np.repeat(spread, rows),
            present=parts[last],
            moved=moved,
            closed=closed,
        )

    def write(self, records: Records, rows: IntColumn) -> None:
        """Into these rows of what is to be remembered, one for each that `moved`."""
        day = self.closed
        if day is not None:
            for name in ("window", "count", "low", "high", "step"):
                records[name][rows] = np.where(day.valid, getattr(day, name), 0)
            records["noise"][rows], records["spread"][rows] = day.noise(), day.spread()


def _parts(sequence: Sequence) -> tuple[Records, IntColumn, BoolColumn]:
    """The rows by series and window, how many rows each part has, and which parts go on with the
    window that was open before the batch; those have its readings too.
    """
    columns, tails, starts = sequence.view.columns, sequence.tails, sequence.starts
    window, open_window = columns.measured_at // WINDOW_LENGTH, tails["at"] // WINDOW_LENGTH
    begins = window != sequence.before(window, open_window)
    begins[starts] = True
    first = begins.nonzero()[0]
    opening, place = parted(first, starts)
    step = np.where(sequence.near, np.abs(columns.value - sequence.previous), 0.0)
    rows = lengths(first, len(columns))
    goes_on = np.zeros(len(first), np.bool_)
    goes_on[opening] = (tails["count"] > 0) & (window[starts] == open_window)
    parts = np.empty(len(first), _PART)
    parts["place"] = place
    parts["window"] = window[first]
    parts["count"] = rows
    parts["low"] = np.minimum.reduceat(columns.value, first)
    parts["high"] = np.maximum.reduceat(columns.value, first)
    parts["steps"] = np.add.reduceat(sequence.near, first, dtype=np.int64)
    parts["moved"] = np.add.reduceat(millionths(step), first)
    onward = goes_on[opening]
    where, tails = opening[onward], taken(tails, onward.nonzero()[0])
    parts["low"][where] = np.minimum(parts["low"][where], tails["low"])
    parts["high"][where] = np.maximum(parts["high"][where], tails["high"])
    for name in ("count", "steps", "moved"):
        parts[name][where] += tails[name]
    return parts, rows, goes_on


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """Closed windows of the series that close one, by series and time; `at` is where each part
    stands among them.
    """

    place: IntColumn
    window: IntColumn
    count: IntColumn
    low: FloatColumn
    high: FloatColumn
    step: FloatColumn
    at: IntColumn

    @staticmethod
    def of(
        parts: Records, goes_on: BoolColumn, tails: Records, old: Records, moved: IntColumn
    ) -> "_History":
        """Of the series `moved`: `old` windows, those that were open, the parts of the batch."""
        opening = np.searchsorted(parts["place"], moved)
        was_open = (tails["count"][moved] > 0) & ~goes_on[opening]
        opened = tails[moved[was_open]]
        chosen = np.flatnonzero(np.isin(parts["place"], moved))
        fresh, kept = parts[chosen], old["count"] > 0

        def joined(name: str, of_opened: NDArray[Any], of_fresh: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([old[name][kept], of_opened, of_fresh])

        places = np.repeat(moved, WINDOWS)[kept.ravel()], moved[was_open], fresh["place"]
        place = np.concatenate(places)
        window = joined("window", opened["at"] // WINDOW_LENGTH, fresh["window"])
        order = np.lexsort((window, place))
        at = np.full(len(parts), -1)
        at[chosen] = np.argsort(order)[len(order) - len(fresh) :]
        return _History(
            place=place[order],
            window=window[order],
            count=joined("count", opened["count"], fresh["count"])[order],
            low=joined("low", opened["low"], fresh["low"])[order],
            high=joined("high", opened["high"], fresh["high"])[order],
            step=joined("step", _mean_step(opened), _mean_step(fresh))[order],
            at=at,
        )

    def before(self, parts: IntColumn) -> "_Day":
        """The windows of the day before each of these parts."""
        here = self.at[parts][:, np.newaxis]
        there = np.maximum(here - _AGES, 0)
        valid = (
            (here >= _AGES)
            & (self.place[there] == self.place[here])
            & (self.window[there] >= self.window[here] - WINDOWS)
        )
        return _Day(
            valid=valid,
            window=self.window[there],
            count=np.where(valid, self.count[there], 0),
            low=self.low[there],
            high=self.high[there],
            step=np.where(valid, self.step[there], np.nan),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """Closed windows, eight for each of some parts, the newest first; some are not `valid`."""

    valid: BoolColumn
    window: IntColumn
    count: IntColumn
    low: FloatColumn
    high: FloatColumn
    step: FloatColumn

    def noise(self) -> FloatColumn:
        """The median of the mean steps."""
        return medians(self.step, LEAST_NOISES)

    def spread(self) -> FloatColumn:
        """The range of the readings."""
        low = np.where(self.valid, self.low, np.inf).min(axis=1)
        high = np.where(self.valid, self.high, -np.inf).max(axis=1)
        enough = self.valid.sum(axis=1) >= LEAST_WINDOWS
        enough &= self.count.sum(axis=1) >= LEAST_READINGS
        return np.where(enough, high - low, np.nan)


def _mean_step(records: Records) -> FloatColumn:
    steps = records["steps"]
    mean = records["moved"] / (MILLION * np.maximum(steps, 1))
    found: FloatColumn = np.where(steps > 0, mean, np.nan)
    return found
