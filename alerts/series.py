"""Rules about readings: thresholds, rates and counts, each series on its own.

One vector comparison finds the readings that are beyond a level or whose case has something going
on; only for those the life cycle runs, in plain Python (`alerts/running.py`). A reading that came
later than the lateness bound drives nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from alerts.baselines import Baselines, Recent
from alerts.cases import Case, Draft, Memory
from alerts.kinds.anomaly import Anomaly
from alerts.kinds.count import Count
from alerts.kinds.fault import Fault, flagged
from alerts.kinds.neighbours import Neighbours
from alerts.kinds.rate import Kept, Rate, rates
from alerts.kinds.threshold import Threshold
from alerts.lateness import Lateness
from alerts.levels import Span
from alerts.neighbourhood import Neighbourhood
from alerts.rules import Rule
from alerts.running import Newest, Run
from core.readings import BoolColumn, Columns, FloatColumn, IntColumn
from core.registry import Series

SeriesKind = Anomaly | Count | Neighbours | Rate | Threshold
Place = tuple[int, int]  # series, slot: the slot-th of the cases of this series
VALUE, FLAG, RARITY, DISTANCE = range(
    4
)  # what of a reading is compared; distance is from neighbours
LOOKS_AT = {Fault: FLAG, Anomaly: RARITY, Neighbours: DISTANCE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is compared with what, indexed by series and slot: `looks_at` says what of a reading,
    with the span of the mildest level, or the one out of which readings are counted; a bit for each
    flag that counts.
    """

    low: FloatColumn
    high: FloatColumn
    flags: IntColumn
    looks_at: IntColumn

    @staticmethod
    def of(cases: Sequence[Sequence[Case]], width: int) -> "Bounds":
        """For these series, with room for `width` cases each."""
        shape = (len(cases), width)
        bounds = Bounds(
            low=np.full(shape, -np.inf),
            high=np.full(shape, np.inf),
            flags=np.zeros(shape, np.int64),
            looks_at=np.full(shape, VALUE),
        )
        for index, slots in enumerate(cases):
            for slot, case in enumerate(slots):
                bounds.low[index, slot], bounds.high[index, slot] = _bounds(case)
                bounds.flags[index, slot] = sum(1 << flag for flag in case.rule.flags)
                bounds.looks_at[index, slot] = LOOKS_AT.get(type(case.rule.kind), VALUE)
        return bounds

    def joined(self, more: "Bounds") -> "Bounds":
        """These, and behind them more series."""
        return Bounds(
            low=np.concatenate([self.low, more.low]),
            high=np.concatenate([self.high, more.high]),
            flags=np.concatenate([self.flags, more.flags]),
            looks_at=np.concatenate([self.looks_at, more.looks_at]),
        )


def _bounds(case: Case) -> Span:
    kind, levels = case.rule.kind, case.terms.levels
    return kind.span if isinstance(kind, Count) else levels.spans[levels.mildest]


class SeriesJudge:
    """Runs the rules about readings over columns."""

    def __init__(self, rules: Sequence[Rule], lateness: Lateness) -> None:
        """By `lateness` readings come too late to drive anything."""
        self._rules = [rule for rule in rules if isinstance(rule.kind, SeriesKind)]
        self._lateness = lateness
        self._series: list[Series] = []
        self._cases: list[list[Case]] = []
        self._places: dict[Case, Place] = {}
        self._bounds = Bounds.of([], 1)
        self._live = np.zeros((0, 1), np.bool_)
        self._since = np.empty(0, np.int64)
        self._flags_judged = any(isinstance(rule.kind, Fault) for rule in self._rules)
        self._rates = {r.id: r.kind for r in self._rules if isinstance(r.kind, Rate)}
        self._slots = {rule: np.empty(0, np.int64) for rule in self._rates}  # by series; or -1
        self._kept = {rule: Kept.none(0) for rule in self._rates}
        self._baselines, self._neighbourhood = Baselines(rules), Neighbourhood(rules)
        self.newest = Newest.none(0)

    def add(self, series: Sequence[Series]) -> list[Case]:
        """Take notice of more series, whose indices go on from the last; their cases."""
        first = len(self._series)
        self._series += series
        added = [self._watching(s) for s in series]
        self._cases += added
        for index, cases in enumerate(added, first):
            self._places |= {case: (index, slot) for slot, case in enumerate(cases)}
        width = self._bounds.low.shape[1]
        if max(map(len, added), default=0) <= width:
            self._bounds = self._bounds.joined(Bounds.of(added, width))
        else:
            width = max(map(len, added))
            self._bounds = Bounds.of(self._cases, width)
        live = np.zeros((len(self._series), width), np.bool_)
        live[: len(self._live), : self._live.shape[1]] = self._live
        self._live = live
        self._since = np.append(self._since, [s.since for s in series]).astype(np.int64)
        self._fit_rates(first)
        for learner in self._learners:
            own = {
                i: c
                for i, cases in enumerate(added, first)
                for c in cases
                if c.rule is learner.rule
            }
            learner.add(series, own)
        self.newest = self.newest.joined(Newest.none(len(series)))
        return [case for cases in added for case in cases]

    def restore(self, case: Case, memory: Memory) -> None:
        """Take up what is remembered of a case, if it is one of ours."""
        place = self._places.get(case)
        note = memory.notes.get(case)
        if place is not None and isinstance(case.rule.kind, Rate):
            self._kept[case.rule.id].keep(place[0], note or [])
        for learner in self._learners:
            if place is not None and case.rule is learner.rule and note:
                learner.restore(place[0], note)
        self.accept([case], memory)

    def accept(self, cases: Iterable[Case], memory: Memory) -> None:
        """So these cases are remembered now."""
        for case in cases:
            place = self._places.get(case)
            if place is not None:
                self._live[place] = _is_live(case, memory)

    def judge(self, columns: Columns, heard: IntColumn, draft: Draft) -> None:
        """Judge a batch, sorted by series and, within a series, in order of arrival; `heard` is
        when each row came, in listening time.
        """
        rows = self._counting(columns)
        if len(rows):
            self._judge(columns, heard, rows, draft)
        newest = columns.newest()
        if len(newest):
            c = columns.take(newest)
            draft.then.append(lambda: self.newest.put(c.series, c.measured_at, c.value, c.flag))

    def _counting(self, columns: Columns) -> IntColumn:
        """The rows that may drive a rule: soon enough, and measured where the device stands."""
        soon = self._lateness.soon(columns)
        here = columns.measured_at >= self._since[columns.series]
        return np.flatnonzero(soon & here)

    def _judge(self, columns: Columns, heard: IntColumn, rows: IntColumn, draft: Draft) -> None:
        series = columns.series[rows]
        flag = columns.flag[rows, np.newaxis].astype(np.int64)
        counts = (self._bounds.flags[series] >> flag) & 1 > 0
        values: FloatColumn = columns.value[rows, np.newaxis]
        if self._flags_judged:
            bad = flagged(columns.flag[rows])[:, np.newaxis]
            values = np.where(self._bounds.looks_at[series] == FLAG, bad, values)
        if self._baselines.needed:
            months = self._baselines.judge(columns, rows, draft)[:, np.newaxis]
            values = np.where(self._bounds.looks_at[series] == RARITY, months, values)
        if self._neighbourhood.needed:
            apart = self._neighbourhood.judge(columns, rows, self.newest, draft)[:, np.newaxis]
            values = np.where(self._bounds.looks_at[series] == DISTANCE, apart, values)
        if self._slots:
            values = np.broadcast_to(values, counts.shape).copy()
            for rule in self._rates:
                self._put_rates(rule, columns, rows, counts, values, draft)
        beyond = (values > self._bounds.high[series]) | (values < self._bounds.low[series])
        candidates = (beyond | self._live[series]) & counts
        if not candidates.any():
            return
        where, slots = np.nonzero(candidates)
        width = candidates.shape[1]
        for number in np.unique(series[where] * width + slots).tolist():
            index, slot = divmod(number, width)
            start, end = np.searchsorted(series, [index, index + 1])
            here = start + np.flatnonzero(counts[start:end, slot])
            run = Run(
                case=self._cases[index][slot],
                columns=columns,
                rows=rows[here],
                heard=heard[rows[here]],
                values=values[here, slot if values.shape[1] > 1 else 0],
                beyond=beyond[here, slot],
                newest=self.newest,
            )
            draft.try_out(run.case, partial(run.through, draft))

    def _put_rates(
        self,
        rule: str,
        columns: Columns,
        rows: IntColumn,
        counts: BoolColumn,
        values: FloatColumn,
        draft: Draft,
    ) -> None:
        """Into `values`, at the rule's slot of each row, the rate; NaN where there is none."""
        slots, kept = self._slots[rule], self._kept[rule]
        slot = slots[columns.series[rows]]
        watched = np.flatnonzero(slot >= 0)
        values[watched, slot[watched]] = np.nan
        mine = watched[counts[watched, slot[watched]] & ~columns.late[rows[watched]]]
        if not len(mine):
            return
        c = columns.take(rows[mine])
        found = rates(self._rates[rule], kept, c.series, c.measured_at, c.value)
        values[mine, slot[mine]] = found.rate
        for place, index in enumerate(found.series.tolist()):
            case = self._cases[index][slots[index]]
            draft.notes[case] = found.kept.points(place)
        draft.then.append(partial(kept.put, found.series, found.kept))

    def _fit_rates(self, first: int) -> None:
        """Room for the series from `first` on."""
        more = len(self._series) - first
        for rule in self._rates:
            self._slots[rule] = np.append(self._slots[rule], np.full(more, -1, np.int64))
            self._kept[rule] = self._kept[rule].joined(Kept.none(more))
        for index, cases in enumerate(self._cases[first:], first):
            for slot, case in enumerate(cases):
                if case.rule.id in self._rates:
                    self._slots[case.rule.id][index] = slot

    def _watching(self, series: Series) -> list[Case]:
        return [
            Case(
                rule=rule,
                subject=f"{series.device}/{series.parameter}",
                site=series.site,
                device=series.device,
                terms=replace(rule.at(series.site), stale_after=rule.stale(series.interval)),
            )
            for rule in self._rules
            if rule.watches(series)
        ] + [case for learner in self._learners for case in learner.cases(series)]

    @property
    def _learners(self) -> tuple[Baselines, Recent, Neighbourhood]:
        return self._baselines, self._baselines.recent, self._neighbourhood


def _is_live(case: Case, memory: Memory) -> bool:
    """Whether each reading has to be looked at."""
    counting = isinstance(case.rule.kind, Count) and case in memory.notes
    watch = memory.watches.get(case)
    return counting or (watch is not None and not watch.idle)
