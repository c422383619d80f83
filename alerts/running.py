"""One case over the readings of its series, in plain Python, passing over what cannot matter.

A reading out of order (older than what its series already had) changes nothing but in one case:
where a threshold asks for no duration, has nothing going on and was in force since, it opens an
alert, and the series' newest reading is then judged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.cases import Case, Draft
from alerts.kinds.count import Breaches, Count, observe
from alerts.kinds.threshold import Threshold
from alerts.lifecycle import Change, Sample, Step, Watch, elapse, step
from alerts.rules import Terms
from core.alerts import State
from core.readings import BoolColumn, Columns, Flag, FloatColumn, IntColumn

Flags = NDArray[np.uint8] | IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """Columns indexed by series: the newest reading, whatever its flag; a late one is weighed
    against it.
    """

    measured_at: IntColumn
    value: FloatColumn
    flag: IntColumn

    @staticmethod
    def none(count: int) -> "Newest":
        """Room for `count` series that have no reading."""
        return Newest(
            measured_at=np.zeros(count, np.int64),
            value=np.zeros(count),
            flag=np.full(count, Flag.MISSING, np.int64),
        )

    def joined(self, more: "Newest") -> "Newest":
        """These, and behind them more series."""
        return Newest(
            measured_at=np.concatenate([self.measured_at, more.measured_at]),
            value=np.concatenate([self.value, more.value]),
            flag=np.concatenate([self.flag, more.flag]),
        )

    def take(self, latest: Sequence[tuple[int, int, int, float, int]]) -> None:
        """The ledger's newest readings: (series, measured_at, received_at, value, flag)."""
        for series, measured_at, _, value, flag in latest:
            self.measured_at[series] = measured_at
            self.value[series] = value
            self.flag[series] = flag

    def put(
        self, series: IntColumn, measured_at: IntColumn, value: FloatColumn, flag: Flags
    ) -> None:
        """These series' newest readings."""
        self.measured_at[series] = measured_at
        self.value[series] = value
        self.flag[series] = flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The rows of one series that count for a case, in order of arrival: when each was `heard`, in
    listening time, the value that the kind makes of it, and whether that is beyond a level.
    """

    case: Case
    columns: Columns
    rows: IntColumn
    heard: IntColumn
    values: FloatColumn
    beyond: BoolColumn
    newest: Newest

    def through(self, draft: Draft) -> None:
        """Judge them all."""
        if isinstance(self.case.rule.kind, Count):
            self._count(self.case.rule.kind, draft)
        else:
            self._follow(draft)

    def _follow(self, draft: Draft) -> None:
        watch, changes = draft.watch(self.case), list[Change]()
        late, breaches = self.columns.late[self.rows], np.flatnonzero(self.beyond)
        in_order, position, count = not late.any(), 0, len(self.rows)
        while position < count:
            if watch is None or watch.idle:  # only a breach can begin something
                following = np.searchsorted(breaches, position)
                if following == len(breaches):
                    break
                position = int(breaches[following])
            elif in_order and count - position >= WORTHWHILE:
                skipped = self._skip(watch, position)
                if skipped:
                    position += skipped
                    watch = _seen(watch, self._sample(position - 1))
                    continue
            if late[position]:
                watch, more = self._late(watch, position)
            else:
                watch, more = step(watch, self.case.terms, self._sample(position))
            changes += more
            position += 1
        draft.keep(self.case, watch, changes)

    def _sample(self, position: int) -> Sample:
        measured_at = self.columns.measured_at[self.rows[position]]
        return Sample(int(measured_at), int(self.heard[position]), float(self.values[position]))

    def _skip(self, watch: Watch, position: int) -> int:
        return dull_stretch(watch, self.case.terms, self.heard[position:], self.values[position:])

    def _late(self, watch: Watch | None, position: int) -> Step:
        sample = self._sample(position)
        terms, changes = self.case.terms, list[Change]()
        if watch is not None:
            watch, changes = elapse(watch, terms, sample.heard_at)
        at_once = isinstance(self.case.rule.kind, Threshold) and not terms.hold
        if not at_once or not (watch is None or watch.idle):
            return watch, changes
        newest = self._newest_before(int(self.rows[position]), sample.heard_at)
        if terms.schedule is not None:
            closes = terms.schedule.closes(sample.measured_at)
            if closes is None or (newest is not None and newest.measured_at >= closes):
                return watch, changes
        watch, opened = step(watch, terms, sample)
        changes += opened
        if watch is None or newest is None:
            return watch, changes
        watch, more = step(watch, terms, newest)
        return watch, changes + more

    def _newest_before(self, row: int, heard: int) -> Sample | None:
        """The newest reading of the row's series before it came; None when its flag does not
        count.
        """
        columns, flags = self.columns, self.case.rule.flags
        series = columns.series[row]
        earlier = row - 1
        while earlier >= 0 and columns.series[earlier] == series and columns.late[earlier]:
            earlier -= 1
        if earlier >= 0 and columns.series[earlier] == series:
            if columns.flag[earlier] not in flags:
                return None
            at, value = columns.measured_at[earlier], columns.value[earlier]
        elif self.newest.flag[series] not in flags:
            return None
        else:
            at, value = self.newest.measured_at[series], self.newest.value[series]
        return Sample(int(at), heard, float(value))

    def _count(self, kind: Count, draft: Draft) -> None:
        """Each reading in order is counted, once one was out of the span."""
        watch, changes = draft.watch(self.case), list[Change]()
        note = draft.note(self.case)
        before = Breaches(note[0], tuple(note[1])) if note else None
        memory, late = before, self.columns.late[self.rows].tolist()
        breaches, position = np.flatnonzero(self.beyond), 0
        while position < len(self.rows):
            if memory is None and (watch is None or watch.idle):
                following = np.searchsorted(breaches, position)
                if following == len(breaches):
                    break
                position = int(breaches[following])
            if not late[position]:
                sample = self._sample(position)
                memory, counted = observe(kind, memory, sample.measured_at, sample.value)
                watch, more = step(watch, self.case.terms, sample._replace(value=float(counted)))
                changes += more
            position += 1
        draft.keep(self.case, watch, changes)
        if memory != before:
            draft.notes[self.case] = memory


def _seen(watch: Watch, sample: Sample) -> Watch:
    return watch._replace(
        measured_at=sample.measured_at, heard_at=sample.heard_at, value=sample.value
    )


AT_ONCE = 1024  # rows that are looked at; what lies behind is often another stretch
WORTHWHILE = 16


def dull_stretch(watch: Watch, terms: Terms, heard: IntColumn, value: FloatColumn) -> int:
    """How many of the coming samples, by the moment when each was heard and by value, would change
    nothing of the watch but its newest sample.
    """
    steady = watch.state is State.FIRING and watch.clear_since is None
    if not steady or watch.stale or watch.closes is not None or watch.shelved_until is not None:
        return 0
    heard, value = heard[:AT_ONCE], value[:AT_ONCE]
    levels = terms.levels
    dull = (value < levels.clear.low) | (value > levels.clear.high)
    for severity, (low, high) in levels.spans.items():
        if severity > watch.severity:
            dull &= (value >= low) & (value <= high)
    if watch.severity > levels.mildest:
        low, high = levels.left(watch.severity)
        dull &= (value > high) | (value < low)
    if terms.stale_after is not None:
        dull &= np.diff(heard, prepend=watch.heard_at) < terms.stale_after
    return len(dull) if dull.all() else int(np.argmin(dull))
