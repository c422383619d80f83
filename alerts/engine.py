"""Hop 4: checked columns and what the rules remember → transitions and what they remember next.

One vector comparison finds the readings that are beyond a level or whose subject has something
going on; only for those the life cycle runs, in plain Python. How the stream is cut into batches,
and when ticks come between them, changes nothing. Nothing is official before `accept`, which the
pipeline calls when the batch has been committed.

A reading that came later than the lateness bound drives nothing. One that came out of order (older
than what its series already had) but within the bound does so in one case only: where the rule asks
for no duration and has nothing going on, it opens an alert, and the series' newest reading is then
judged again.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from alerts.lifecycle import Change, Sample, Step, Watch, elapse, step, waited
from alerts.operations import DEVICE_CLOCK, GATEWAY_GAP, Operations
from alerts.rules import Threshold, watches
from core.model import (
    Columns,
    Flag,
    FloatColumn,
    IntColumn,
    Outcome,
    Reason,
    Series,
    Severity,
    State,
    Transition,
)

log = logging.getLogger(__name__)

Place = tuple[int, int]  # series, slot: the slot-th of the rules that watch this series


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """Columns indexed by series: the newest reading, whatever its flag; a late one is weighed
    against it.
    """

    measured_at: IntColumn
    received_at: IntColumn
    value: FloatColumn
    flag: IntColumn

    @staticmethod
    def none(count: int) -> "Newest":
        """Room for `count` series that have no reading."""
        zeros = np.zeros(count, np.int64)
        return Newest(
            measured_at=zeros,
            received_at=zeros.copy(),
            value=np.zeros(count),
            flag=np.full(count, Flag.MISSING, np.int64),
        )


@dataclass(frozen=True, slots=True)
class _Memory:
    """What `accept` takes back."""

    watches: Mapping[Place, Watch | None]
    columns: Columns | None = None
    moved: Sequence[Series] = ()


class Engine:
    """Runs every rule over every batch, and holds what they remember."""

    def __init__(self, rules: Sequence[Threshold], lateness: int) -> None:
        """`lateness` in µs: a reading older than that when it came drives nothing."""
        self.rules = tuple(rules)
        self.lateness = lateness
        self.disabled: dict[str, str] = {}
        self.watches: dict[Place, Watch] = {}
        self._series: list[Series] = []
        self._slots: list[tuple[Threshold, ...]] = []
        self._orphans: dict[tuple[str, str], tuple[str, Reason]] = {}
        self._operations = Operations()
        self._low = self._high = np.empty((0, 1))
        self._live = np.empty((0, 1), np.bool_)
        self._placed = np.empty(0, np.int64)
        self._newest = Newest.none(0)

    def add_series(self, series: Sequence[Series]) -> None:
        """Take notice of more series; their indices go on from the last."""
        self._series += series
        self._slots += [self._watching(s) for s in series]
        self._arrange()
        old, more = self._newest, Newest.none(len(series))
        self._newest = Newest(
            measured_at=np.concatenate([old.measured_at, more.measured_at]),
            received_at=np.concatenate([old.received_at, more.received_at]),
            value=np.concatenate([old.value, more.value]),
            flag=np.concatenate([old.flag, more.flag]),
        )

    def _watching(self, series: Series) -> tuple[Threshold, ...]:
        return tuple(rule for rule in self.rules if watches(rule, series))

    def _arrange(self) -> None:
        """What the columns are compared with."""
        self._placed = np.array([s.since for s in self._series], np.int64)
        shape = (len(self._series), max([1, *map(len, self._slots)]))
        self._low, self._high = np.full(shape, -np.inf), np.full(shape, np.inf)
        self._live = np.zeros(shape, np.bool_)
        for index, rules in enumerate(self._slots):
            for slot, rule in enumerate(rules):
                side = self._high if rule.sign > 0 else self._low
                side[index, slot] = rule.lowest
        for place in self.watches:
            self._live[place] = True

    def restore(
        self,
        states: Mapping[tuple[str, str], str],
        latest: Sequence[tuple[int, int, int, float, int]],
    ) -> None:
        """Take up what the ledger kept: states by (rule, subject), and of each series the newest
        (series, measured_at, received_at, value, flag). A state whose rule has changed or gone, or
        whose device has moved, ends at the next tick.
        """
        places = {
            (rule.id, _subject(self._series[index])): (index, slot)
            for index, rules in enumerate(self._slots)
            for slot, rule in enumerate(rules)
        }
        for key, body in self._operations.restore(states).items():
            place, kept = places.get(key), json.loads(body)
            if place is None or kept["version"] != self._rule(place).version:
                self._orphans[key] = (body, Reason.RULE_REMOVED)
            elif kept["site"] != self._series[place[0]].site:
                self._orphans[key] = (body, Reason.DEVICE_MOVED)
            else:
                self.watches[place] = _watch(body)
                self._live[place] = True
        for series, measured_at, received_at, value, flag in latest:
            self._newest.measured_at[series] = measured_at
            self._newest.received_at[series] = received_at
            self._newest.value[series] = value
            self._newest.flag[series] = flag

    def on_resume(self, at: int) -> Outcome:
        """Hearing resumed at `at`: the silence before was ours, so no timer counts it."""
        changed: dict[Place, Watch | None] = {
            place: replace(watch, received_at=max(watch.received_at, at))
            for place, watch in self.watches.items()
        }
        return self._outcome([], changed, None)

    def on_move(self, moved: Sequence[Series], at: int) -> Outcome:
        """The devices of these series stand elsewhere since a moment before `at`: what went on at
        the former site ends. What a change of anything else leaves in place goes on.
        """
        changed: dict[Place, Watch | None] = {}
        transitions: list[Transition] = []
        for series in moved:
            old, watching = self._series[series.index], self._watching(series)
            for slot, rule in enumerate(self._slots[series.index]):
                watch = self.watches.get((series.index, slot))
                if watch is not None and (old.site != series.site or rule not in watching):
                    changed[series.index, slot] = None
                    key, body = (rule.id, _subject(old)), _body(watch, rule, old)
                    transitions.append(_ended(key, body, at, Reason.DEVICE_MOVED))
        outcome = self._outcome(transitions, changed, None)
        return replace(outcome, memory=_Memory(changed, None, tuple(moved)))

    def on_batch(self, columns: Columns) -> Outcome:
        """Judge a batch, sorted by series and, within a series, in order of arrival. What was
        measured at a site where the device no longer stands drives nothing.
        """
        soon = columns.received_at - columns.measured_at <= self.lateness
        here = columns.measured_at >= self._placed[columns.series]
        rows = np.flatnonzero((columns.flag <= Flag.NOT_EVALUATED) & soon & here)
        series, value = columns.series[rows], columns.value[rows, np.newaxis]
        beyond = (value > self._high[series]) | (value < self._low[series])
        candidates = beyond | self._live[series]
        changed: dict[Place, Watch | None] = {}
        transitions: list[Transition] = []
        if candidates.any():
            where, slots = np.nonzero(candidates)
            for place in dict.fromkeys(zip(series[where].tolist(), slots.tolist(), strict=True)):
                start, end = np.searchsorted(series, [place[0], place[0] + 1])
                breaches = rows[start:end][beyond[start:end, place[1]]]
                transitions += self._judge(place, columns, rows[start:end], breaches, changed)
        return self._outcome(transitions, changed, columns)

    def on_tick(self, now: int) -> Outcome:
        """What the clock alone brings about: durations that end in silence, rules that are gone."""
        changed: dict[Place, Watch | None] = {}
        transitions: list[Transition] = []
        for place, watch in self.watches.items():
            rule = self._rule(place)
            if rule.id in self.disabled:
                continue
            try:
                after, changes = elapse(watch, rule, waited(watch, now))
            except Exception as error:  # noqa: BLE001 - logged there
                self._disable(rule, error)
                continue
            if changes:
                changed[place] = after
                transitions += [self._transition(place, c) for c in changes]
        outcome = self._outcome(transitions, changed, None)
        ended = {key: _ended(key, body, now, why) for key, (body, why) in self._orphans.items()}
        return replace(
            outcome,
            transitions=(*outcome.transitions, *ended.values()),
            states={**outcome.states, **dict.fromkeys(ended)},
        )

    def on_gaps(self, missing: Mapping[str, int], now: int) -> Outcome:
        """Of these gateways so many messages have been missing for too long at `now`."""
        found = {f"gateway/{name}": float(n) for name, n in missing.items()}
        return self._operations.judge(GATEWAY_GAP, found, now)

    def on_clocks(self, wrong: Mapping[str, float], undecided: Iterable[str], now: int) -> Outcome:
        """The clocks of these devices are off by so many seconds at `now`; of those in `undecided`
        it is not known.
        """
        found = {f"device/{name}": offset for name, offset in wrong.items()}
        unknown = {f"device/{name}" for name in undecided}
        return self._operations.judge(DEVICE_CLOCK, found, now, unknown)

    def accept(self, outcome: Outcome) -> None:
        """The outcome has been committed: it is what we remember now."""
        memory = outcome.memory
        if not isinstance(memory, _Memory):
            self._operations.accept(outcome)
            return
        for place, watch in memory.watches.items():
            self._live[place] = watch is not None
            if watch is None:
                self.watches.pop(place, None)
            else:
                self.watches[place] = watch
        if memory.moved:
            self._relocate(memory.moved)
        for key in outcome.states:
            self._orphans.pop(key, None)
        if memory.columns is not None:
            columns, rows = memory.columns, memory.columns.newest()
            series = columns.series[rows]
            self._newest.measured_at[series] = columns.measured_at[rows]
            self._newest.received_at[series] = columns.received_at[rows]
            self._newest.value[series] = columns.value[rows]
            self._newest.flag[series] = columns.flag[rows]

    def _relocate(self, moved: Sequence[Series]) -> None:
        """Watch these series by the rules of where they stand now."""
        for series in moved:
            index = series.index
            kept = {
                rule.id: self.watches.pop((index, slot))
                for slot, rule in enumerate(self._slots[index])
                if (index, slot) in self.watches
            }
            self._series[index] = series
            self._slots[index] = self._watching(series)
            for slot, rule in enumerate(self._slots[index]):
                if rule.id in kept:
                    self.watches[index, slot] = kept[rule.id]
        self._arrange()

    def _judge(
        self,
        place: Place,
        columns: Columns,
        rows: IntColumn,
        breaches: IntColumn,
        changed: dict[Place, Watch | None],
    ) -> list[Transition]:
        """Run one rule over the rows of one series, passing over those that cannot matter."""
        rule = self._rule(place)
        if rule.id in self.disabled:
            return []
        watch, transitions = self.watches.get(place), list[Transition]()
        try:
            position = 0
            while position < len(rows):
                if watch is None:  # nothing goes on: only a breach can begin something
                    following = np.searchsorted(breaches, rows[position])
                    if following == len(breaches):
                        break
                    position = int(np.searchsorted(rows, breaches[following]))
                watch, changes = self._weigh(watch, rule, columns, int(rows[position]))
                transitions += [self._transition(place, c) for c in changes]
                position += 1
        except Exception as error:  # noqa: BLE001 - logged there
            self._disable(rule, error)
            return []
        changed[place] = watch
        return transitions

    def _disable(self, rule: Threshold, error: Exception) -> None:
        """The other rules go on."""
        log.error("rule %s is disabled", rule.id, exc_info=error)
        self.disabled[rule.id] = repr(error)

    def _weigh(self, watch: Watch | None, rule: Threshold, columns: Columns, row: int) -> Step:
        sample = _sample(columns, row)
        if not columns.late[row]:
            return step(watch, rule, sample)
        if watch is not None or rule.hold:
            return watch, []
        watch, changes = step(None, rule, sample)
        newest = self._newest_before(columns, row)
        if watch is None or newest is None:
            return watch, changes
        watch, more = step(watch, rule, newest)
        return watch, changes + more

    def _newest_before(self, columns: Columns, row: int) -> Sample | None:
        """The newest reading of the row's series before it came; None when its flag is bad."""
        series = columns.series[row]
        earlier = row - 1
        while earlier >= 0 and columns.series[earlier] == series and columns.late[earlier]:
            earlier -= 1
        if earlier >= 0 and columns.series[earlier] == series:
            good = columns.flag[earlier] <= Flag.NOT_EVALUATED
            return _sample(columns, earlier) if good else None
        newest = self._newest
        if newest.flag[series] > Flag.NOT_EVALUATED:
            return None
        return Sample(
            int(newest.measured_at[series]),
            int(newest.received_at[series]),
            float(newest.value[series]),
        )

    def _rule(self, place: Place) -> Threshold:
        return self._slots[place[0]][place[1]]

    def _outcome(
        self,
        transitions: list[Transition],
        changed: dict[Place, Watch | None],
        columns: Columns | None,
    ) -> Outcome:
        states: dict[tuple[str, str], str | None] = {}
        for place, watch in changed.items():
            rule, series = self._rule(place), self._series[place[0]]
            key = (rule.id, _subject(series))
            if watch is not None:
                states[key] = _body(watch, rule, series)
            elif place in self.watches:
                states[key] = None
        return Outcome(
            transitions=tuple(transitions), states=states, memory=_Memory(changed, columns)
        )

    def _transition(self, place: Place, change: Change) -> Transition:
        rule, series = self._rule(place), self._series[place[0]]
        return Transition(
            alert=_alert_id(rule.id, _subject(series), change.since),
            rule=rule.id,
            version=rule.version,
            subject=_subject(series),
            site=series.site,
            before=change.before,
            after=change.after,
            severity=change.severity,
            reason=change.reason,
            at=change.at,
            value=change.value,
            evidence=change.evidence,
        )


def _subject(series: Series) -> str:
    return f"{series.device}/{series.parameter}"


def _alert_id(rule: str, subject: str, since: int) -> str:
    """The same episode has the same id wherever it is computed."""
    return str(uuid5(NAMESPACE_URL, f"andaman:alert:{rule}|{subject}|{since}"))


def _sample(columns: Columns, row: int) -> Sample:
    return Sample(
        int(columns.measured_at[row]), int(columns.received_at[row]), float(columns.value[row])
    )


def _body(watch: Watch, rule: Threshold, series: Series) -> str:
    return json.dumps(asdict(watch) | {"version": rule.version, "site": series.site})


def _watch(body: str) -> Watch:
    kept: dict[str, Any] = json.loads(body)
    del kept["version"], kept["site"]
    severity, state = Severity(kept.pop("severity")), State(kept.pop("state"))
    return Watch(severity=severity, state=state, **kept)


def _ended(key: tuple[str, str], body: str, now: int, reason: Reason) -> Transition:
    """The end of an alert whose rule, or whose device, is no longer what it was."""
    rule, subject = key
    watch, kept = _watch(body), json.loads(body)
    return Transition(
        alert=_alert_id(rule, subject, watch.since),
        rule=rule,
        version=kept["version"],
        subject=subject,
        site=kept["site"],
        before=watch.state,
        after=State.RESOLVED,
        severity=watch.severity,
        reason=reason,
        at=now,
        value=watch.value,
    )
