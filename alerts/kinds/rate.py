"""`rate`: how fast a value changes, per minute or hour, over a window of event time.

The change is that from a *reference* to the reading: the oldest kept point not older than the
window. Kept is the first reading of each sixth of a window, so that a series needs eight points
at most, whatever it sends, and how readings are cut into batches changes nothing.
"""

from dataclasses import dataclass

import numpy as np

from core.readings import BoolColumn, FloatColumn, IntColumn

BUCKETS = 6
POINTS = BUCKETS + 2
AT_ONCE = 32  # readings of one series that are taken one after the other
NEVER = np.iinfo(np.int64).min // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Change per `per` (µs) over `window` (µs)."""

    per: int
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The kept points of each series, a row of `POINTS`, the newest last; NEVER where there are
    fewer.
    """

    at: IntColumn
    value: FloatColumn

    @staticmethod
    def none(count: int) -> "Kept":
        """Of `count` series without a reading."""
        return Kept(
            at=np.full((count, POINTS), NEVER, np.int64),
            value=np.zeros((count, POINTS), np.float64),
        )

    def joined(self, more: "Kept") -> "Kept":
        """These, and behind them more series."""
        return Kept(
            at=np.concatenate([self.at, more.at]), value=np.concatenate([self.value, more.value])
        )

    def put(self, series: IntColumn, points: "Kept") -> None:
        """These series have these points now."""
        self.at[series], self.value[series] = points.at, points.value

    def next(
        self, kind: Rate, series: IntColumn, at: IntColumn, value: FloatColumn, grown: BoolColumn
    ) -> FloatColumn:
        """The rates of the next reading of each of these series; `grown` are those with a new point
        then.
        """
        step = kind.window // BUCKETS
        fresh = at // step != self.at[series, -1] // step
        more = series[fresh]
        self.at[more, :-1], self.value[more, :-1] = self.at[more, 1:], self.value[more, 1:]
        self.at[more, -1], self.value[more, -1] = at[fresh], value[fresh]
        grown[more] = True
        times = self.at[series]
        oldest = (times < (at - kind.window)[:, np.newaxis]).sum(axis=1)
        rows = np.arange(len(series))
        change = value - self.value[series, oldest]
        return _rate(kind, change, at - times[rows, oldest])

    def points(self, series: int) -> list[tuple[int, float]]:
        """Of one series, as plain numbers."""
        known = self.at[series] > NEVER
        at, value = self.at[series][known].tolist(), self.value[series][known].tolist()
        return list(zip(at, value, strict=True))

    def keep(self, series: int, points: list[tuple[int, float]]) -> None:
        """The opposite."""
        self.at[series], self.value[series] = NEVER, 0
        for place, (at, value) in enumerate(reversed(points), 1):
            self.at[series, -place], self.value[series, -place] = at, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of each row its rate, NaN where there is none; and of the series with new points (indices)
    all points.
    """

    rate: FloatColumn
    series: IntColumn
    kept: Kept


def rates(kind: Rate, kept: Kept, series: IntColumn, at: IntColumn, value: FloatColumn) -> Rates:
    """The rate at each row. Rows are sorted by series and, within one, by time (µs).

    >>> minute = 60_000_000
    >>> hour = Rate(per=60 * minute, window=60 * minute)
    >>> at = np.array([0, 20, 40], np.int64) * minute
    >>> found = rates(hour, Kept.none(1), np.zeros(3, np.int64), at, np.array([1.0, 2.0, 3.0]))
    >>> found.rate.tolist()
    [nan, nan, 3.0]
    """
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1])) if len(series) else series
    counts = np.diff(np.append(starts, len(series)))
    which = series[starts]
    if counts.max(initial=0) > AT_ONCE:
        return _at_length(kind, kept, which, np.repeat(np.arange(len(which)), counts), at, value)
    points = Kept(at=kept.at[which], value=kept.value[which])
    rate, grown = np.empty(len(series)), np.zeros(len(which), np.bool_)
    for turn in range(counts.max(initial=0)):  # the first reading of each series, the second, …
        here = np.flatnonzero(counts > turn)
        rows = starts[here] + turn
        rate[rows] = points.next(kind, here, at[rows], value[rows], grown)
    return Rates(
        rate=rate,
        series=which[grown],
        kept=Kept(at=points.at[grown], value=points.value[grown]),
    )


def _at_length(
    kind: Rate, kept: Kept, which: IntColumn, rank: IntColumn, at: IntColumn, value: FloatColumn
) -> Rates:
    """The same for series with many rows each, all at once; `rank` is the place of a row's series
    in `which`.
    """
    # Each series' kept points, then its rows.
    own = np.arange(len(at)) + POINTS * (rank + 1)
    times = np.empty(len(at) + POINTS * len(which), np.int64)
    values, ranks = np.empty(len(times)), np.empty(len(times), np.int64)
    fresh = np.zeros(len(times), np.bool_)
    fresh[own] = True
    times[fresh], values[fresh], ranks[fresh] = at, value, rank
    times[~fresh], values[~fresh] = kept.at[which].ravel(), kept.value[which].ravel()
    ranks[~fresh] = np.repeat(np.arange(len(which)), POINTS)
    bucket = times // (kind.window // BUCKETS)
    point = ~fresh & (times > NEVER)
    point[1:] |= fresh[1:] & (bucket[1:] != bucket[:-1])
    points = np.flatnonzero(point)
    # A key that grows with time and from series to series finds the reference of each row.
    first = times[points].min()
    span = times[points].max() - first + 1
    key = ranks[points] * span + times[points] - first
    oldest = np.maximum(at - kind.window - first, 0)
    reference = points[np.searchsorted(key, rank * span + oldest)]
    lasted = at - times[reference]
    rate = _rate(kind, value - values[reference], lasted)
    grown = np.unique(ranks[points[fresh[points]]])
    return Rates(rate=rate, series=which[grown], kept=_last(points, ranks, times, values, grown))


def _rate(kind: Rate, change: FloatColumn, lasted: IntColumn) -> FloatColumn:
    enough = lasted * 2 >= kind.window
    return np.where(enough, change * kind.per / np.where(enough, lasted, 1), np.nan)


def _last(
    points: IntColumn, ranks: IntColumn, times: IntColumn, values: FloatColumn, which: IntColumn
) -> Kept:
    """The newest points of the series of these ranks."""
    ends = np.searchsorted(ranks[points], which, "right")
    starts = np.searchsorted(ranks[points], which)
    places = ends[:, np.newaxis] + np.arange(-POINTS, 0)
    known = places >= starts[:, np.newaxis]
    chosen = points[np.maximum(places, 0)]
    return Kept(
        at=np.where(known, times[chosen], NEVER), value=np.where(known, values[chosen], 0.0)
    )
