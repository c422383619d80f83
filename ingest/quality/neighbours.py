"""The hour that a series has closed, against the same hour of its neighbours, as of arrival.

Neighbours are series of the same parameter at the same kind of site within `neighbour_km`. What is
said of an hour holds for the readings of the next one.
"""

from dataclasses import dataclass

import numpy as np

from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import HOUR
from ingest.quality.sequence import Sequence, distinct, ends_of, lengths, parted
from ingest.quality.state import NO_HOUR, Records, State
from ingest.quality.view import SUSPECT, Verdicts
from ingest.quality.windows import MILLION, medians, millionths

LEAST_NEIGHBOURS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Of each row: what the neighbours say of the last closed hour. Of each start: readings and sum
    of the open hour. `moved` are the places of the starts that closed one, with its number, its
    mean, and what the neighbours say of it.
    """

    verdicts: Verdicts
    count: IntColumn
    total: IntColumn
    moved: IntColumn
    hour: IntColumn
    mean: FloatColumn
    said: Verdicts

    @staticmethod
    def of(sequence: Sequence, state: State) -> "Hours":
        """The hours of these rows."""
        hour, open_hour = sequence.view.columns.measured_at // HOUR, sequence.tails["at"] // HOUR
        if (hour == sequence.before(hour, open_hour)).all() and sequence.tails["hour_count"].all():
            return Hours._in_open_hours(sequence, state)
        rows = _Rows.of(sequence, state)
        fresh = (~rows.goes_on).nonzero()[0]
        said = state.windows["beside"][sequence.series[rows.place]]
        if len(fresh):
            said[fresh] = rows.judge(fresh, state)
        last = ends_of(rows.place)
        moved = distinct(rows.place[fresh])
        ends = last[moved]
        return Hours(
            verdicts=said[rows.part],
            count=rows.count[sequence.ends],
            total=rows.total[sequence.ends],
            moved=moved,
            hour=rows.closed[ends],
            mean=rows.closed_mean[ends],
            said=said[ends],
        )

    @staticmethod
    def _in_open_hours(sequence: Sequence, state: State) -> "Hours":
        """The same when no hour ends, which is so for most small batches."""
        count = lengths(sequence.starts, len(sequence))
        total = np.add.reduceat(millionths(sequence.view.columns.value), sequence.starts)
        none = np.empty(0, np.int64)
        return Hours(
            verdicts=state.windows["beside"][sequence.series].repeat(count),
            count=sequence.tails["hour_count"] + count,
            total=sequence.tails["hour_sum"] + total,
            moved=none,
            hour=none,
            mean=none.astype(np.float64),
            said=none.astype(np.uint8),
        )

    def write(self, records: Records, rows: IntColumn) -> None:
        """Into these rows of what is to be remembered, one for each that `moved`."""
        records["hour"][rows] = self.hour
        records["hour_mean"][rows] = self.mean
        records["beside"][rows] = self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Of each row: its hour, readings and sum of it so far, and its part, the rows of one series
    and hour. Of each part: place of its series, first row, whether the hour was open before the
    batch, and the hour that was closed last, with its mean.
    """

    sequence: Sequence
    hour: IntColumn
    count: IntColumn
    total: IntColumn
    part: IntColumn
    place: IntColumn
    first: IntColumn
    goes_on: BoolColumn
    closed: IntColumn
    closed_mean: FloatColumn

    @staticmethod
    def of(sequence: Sequence, state: State) -> "_Rows":
        """The rows with their hours."""
        columns, tails, starts = sequence.view.columns, sequence.tails, sequence.starts
        hour, open_hour = columns.measured_at // HOUR, tails["at"] // HOUR
        begins = hour != sequence.before(hour, open_hour)
        begins[starts] = True
        first = begins.nonzero()[0]
        part = begins.cumsum() - 1
        opening, place = parted(first, starts)
        was_open = tails["hour_count"] > 0
        goes_on = np.zeros(len(first), np.bool_)
        goes_on[opening] = was_open & (hour[starts] == open_hour)
        carried = goes_on[opening]
        values = millionths(columns.value)
        sums = np.cumsum(values)
        count_before, sum_before = -first, values[first] - sums[first]
        count_before[opening] += np.where(carried, tails["hour_count"], 0)
        sum_before[opening] += np.where(carried, tails["hour_sum"], 0)
        count = np.arange(1, len(columns) + 1) + count_before[part]
        total = sums + sum_before[part]
        closed, closed_mean = np.full(len(first), NO_HOUR, np.int64), np.zeros(len(first))
        ended = first[1:] - 1
        closed[1:], closed_mean[1:] = hour[ended], _mean(total[ended], count[ended])
        windows = state.windows
        before = np.where(was_open, open_hour, NO_HOUR)
        mean_before = _mean(tails["hour_sum"], tails["hour_count"])
        closed[opening] = np.where(carried, windows["hour"][sequence.series], before)
        remembered = windows["hour_mean"][sequence.series]
        closed_mean[opening] = np.where(carried, remembered, mean_before)
        return _Rows(
            sequence=sequence,
            hour=hour,
            count=count,
            total=total,
            part=part,
            place=place,
            first=first,
            goes_on=goes_on,
            closed=closed,
            closed_mean=closed_mean,
        )

    def judge(self, parts: IntColumn, state: State) -> Verdicts:
        """What the neighbours say of the hours that were closed when these parts began."""
        view, first = self.sequence.view, self.first[parts]
        closed = self.closed[parts]
        beside = view.settings.beside[view.columns.series[first]]
        theirs = medians(self._means(beside, closed, first, state), LEAST_NEIGHBOURS)
        most = view["neighbour_difference"][first]
        off = np.abs(self.closed_mean[parts] - theirs)
        judged = (closed == self.hour[first] - 1) & ~(np.isnan(off) | np.isnan(most))
        verdicts: Verdicts = judged.astype(np.uint8)
        verdicts[judged & (off > most)] = SUSPECT
        return verdicts

    def _means(
        self, series: IntColumn, hour: IntColumn, first: IntColumn, state: State
    ) -> FloatColumn:
        """The mean of each `series` (-1: none) in `hour`, as it was known when the row `first`
        came; NaN where it was not.
        """
        columns, hour = self.sequence.view.columns, hour[:, np.newaxis]
        since = columns.received_at - columns.received_at.min()
        span = since.max() + 1
        here = columns.series * span + since
        wanted = series * span + since[first][:, np.newaxis]
        row = np.searchsorted(here, wanted) - 1
        known = (row >= 0) & (columns.series[row] == series)
        tails, windows, part = state.tails, state.windows, self.part[row]
        open_hour = np.where(known, self.hour[row], tails["at"][series] // HOUR)
        count = np.where(known, self.count[row], tails["hour_count"][series])
        total = np.where(known, self.total[row], tails["hour_sum"][series])
        closed = np.where(known, self.closed[part], windows["hour"][series])
        mean = np.where(known, self.closed_mean[part], windows["hour_mean"][series])
        mean = np.where((open_hour == hour) & (count > 0), _mean(total, count), mean)
        found = ((open_hour == hour) & (count > 0)) | (closed == hour)
        return np.where(found & (series >= 0), mean, np.nan)


def _mean(total: IntColumn, count: IntColumn) -> FloatColumn:
    found: FloatColumn = total / (MILLION * np.maximum(count, 1))
    return found
