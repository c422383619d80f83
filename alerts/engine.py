"""Hop 4: checked columns and what the rules remember → transitions and what they remember next.

`Engine` takes each input (readings and statuses, a tick, a resumption, an action, a change of
rules or registry) to the judges: of readings (`alerts/series.py`), of silence
(`alerts/absence.py`), of other rules (`alerts/composites.py`), of the system itself
(`alerts/operations.py`), and last of storms. All of them
write into a draft; nothing is official before `accept`, which the pipeline calls when the draft
has been committed. How the stream is cut into batches, and when ticks come between them, changes
nothing (decision record 017).
"""

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from alerts.by_hand import act
from alerts.cases import (
    Case,
    Draft,
    Key,
    Memory,
    alert_id,
    ended,
    ending,
    transition,
    try_out,
    watch_of,
)
from alerts.hearing import Hearing
from alerts.judges import Judges
from alerts.lateness import Lateness
from alerts.lifecycle import Watch, next_due
from alerts.operations import DEVICE_CLOCK, GATEWAY_GAP
from alerts.rules import Rule
from alerts.timers import Timers
from core.alerts import STORM, Action, Outcome, Reason, Transition
from core.readings import Columns, no_columns
from core.registry import Series, Status, Unit

Latest: TypeAlias = Sequence[tuple[int, int, int, float, int]]
Finally: TypeAlias = Callable[[Draft, int], None]


AFTER_STORMS = -1  # as a depth


def _nothing(draft: Draft, depth: int) -> None:
    """Nothing comes last."""


class Engine:
    """Runs every rule over every input, and holds what they remember."""

    def __init__(self, rules: Sequence[Rule], lateness: int) -> None:
        """`lateness` in µs: a reading older than that when it came drives nothing."""
        self.rules = tuple(rules)
        self.disabled: dict[str, str] = {}
        self.memory = Memory()
        self._lateness = Lateness(lateness)
        self._judges = Judges(rules, self._lateness)
        self._series: list[Series] = []
        self._units: Sequence[Unit] = ()
        self._hearing = Hearing()
        self._timers: Timers[Case] = Timers()
        self._orphans: dict[Key, tuple[Mapping[str, Any], Reason]] = {}

    # --- what there is ---

    def add_series(self, series: Sequence[Series]) -> None:
        """Take notice of more series; their indices go on from the last."""
        self._series += series
        self._judges.add(series)

    def attend(self, units: Sequence[Unit]) -> None:
        """Listen to these devices and their gateways, from the start."""
        self._units = units
        self._judges.attend(units, self._beginnings(units))

    def clock_set_back(self, heard: int, clock: int) -> None:
        """When everything was heard up to a moment, our clock was set back (µs)."""
        self._lateness.set_back.append((heard, clock))

    def restore(
        self,
        states: Mapping[Key, str],
        latest: Latest,
        resumptions: Sequence[tuple[int, int]] = (),
        statuses: Mapping[str, Status] | None = None,
    ) -> None:
        """Take up what the ledger kept: states by (rule, subject); of each series the newest
        (series, measured_at, received_at, value, flag); when nothing was heard; and what was said
        of gateways. An alert whose rule or place is no more ends when hearing resumes.
        """
        self._hearing = Hearing(resumptions)
        self._judges.series.newest.take(latest)
        self._judges.attend(self._units, self._last_heard(latest, statuses or {}))
        for key, text in states.items():
            kept = json.loads(text)
            reason = self._judges.misfit(key, kept["version"], kept["site"])
            if reason is None:
                self._remember(key, kept)
            else:
                self._orphans[key] = kept, reason
        self._judges.restore(self.memory)
        for case in self.memory.watches:
            self._set_timer(case)

    # --- inputs, each at a moment of its own ---

    def on_batch(self, columns: Columns, statuses: Sequence[Status] = ()) -> Outcome:
        """Judge a batch, sorted by series and, within a series, in order of arrival, and what was
        said of gateways in the same time. What was measured at a site where the device no longer
        stands drives nothing.
        """
        draft = Draft(self.memory, self.disabled)
        if not len(columns) and not statuses:
            return self._outcome(draft, [])
        deaf = self._hearing.deaf
        heard = columns.received_at - deaf
        told = [(status.at - deaf, status) for status in statuses]
        until = max([int(heard.max(initial=0)), *(moment for moment, _ in told)])
        self._judges.series.judge(columns, heard, draft)
        self._judges.absence.judge(columns, heard, told, deaf, draft, until)
        return self._close(draft, until)

    def on_tick(self, now: int) -> Outcome:
        """What the clock alone brings about: timers, and silence."""
        return self._let_pass(Draft(self.memory, self.disabled), now)

    def on_resume(self, since: int, at: int) -> Outcome:
        """Hearing resumed at `at`; nothing could be heard since `since`, so no timer counts it.
        Alerts that were restored end when their rule or place is no more.
        """
        draft, deafness = Draft(self.memory, self.disabled), at - since
        for case, watch in self.memory.watches.items():
            if watch.shelved_until is not None:
                draft.keep(case, watch._replace(shelved_until=watch.shelved_until - deafness))
        moment, first = self._hearing.moment(since), self._hearing.first is None

        def listen() -> None:
            self._hearing = self._hearing.resumed(since, at)
            self._judges.absence.resume(moment, deafness, first=first)
            if self._orphans:
                self._judges.composites.renew(at, moment, lost=True)

        draft.then.append(listen)
        gone = sorted(self._orphans.items())
        ends = [ended(key, kept, why, at) for key, (kept, why) in gone]
        outcome = self._outcome(draft, [end for end in ends if end is not None])
        return replace(outcome, states={**outcome.states, **dict.fromkeys(self._orphans)})

    def on_action(self, action: Action, now: int) -> Outcome:
        """What an officer does to an alert; no transition of it when that does not apply."""
        case = self._case_of(action.alert)

        def do(draft: Draft, depth: int) -> None:
            mine = case is not None and depth == _depth(case)
            watch = draft.watch(case) if case is not None and mine else None
            if case is not None and watch is not None and _alert(case, watch) == action.alert:
                done = act(watch, case.terms, action, now, self._hearing.moment(now))
                if done is not None:
                    draft.keep(case, *done)

        return self._let_pass(Draft(self.memory, self.disabled), now, do)

    def on_change(
        self,
        now: int,
        *,
        rules: Sequence[Rule] | None = None,
        moved: Sequence[Series] = (),
        units: Sequence[Unit] | None = None,
    ) -> Outcome:
        """Rules, places of series, or devices are others now; what is not given stays. Alerts whose
        rule or place is no more end; the others go on.
        """
        rules = self.rules if rules is None else tuple(rules)
        series = list(self._series)
        for one in moved:
            series[one.index] = one
        units = self._units if units is None else units
        judges = Judges(rules, self._lateness)
        judges.add(series)
        judges.attend(units, {})

        def end(draft: Draft, depth: int) -> None:
            for case in self._remembered(draft):
                reason = judges.misfit(case.key, case.rule.version, case.site)
                if reason is not None and case.depth == depth and case.subject != STORM:
                    ending(case, draft, reason, now, self._hearing.moment(now))

        draft = Draft(self.memory, self.disabled)
        outcome = self._let_pass(draft, now, end)

        def fit() -> None:
            known = self._judges.absence.last_heard()
            judges.series.newest = self._judges.series.newest
            begins = self._hearing.moment(now) + 1  # after what ended
            judges.attend(units, self._beginnings(units, now) | known, begins)
            judges.composites.renew(now + 1, begins)
            self.rules, self._series, self._units = rules, series, units
            self._judges, self._timers = judges, Timers()
            self._find_again()

        draft.then.append(fit)
        return outcome

    def on_gaps(self, missing: Mapping[str, int], now: int) -> Outcome:
        """Of these gateways so many messages have been missing for too long at `now`."""
        found = {f"gateway/{name}": float(n) for name, n in missing.items()}
        return self._find(GATEWAY_GAP, found, now)

    def on_clocks(self, wrong: Mapping[str, float], undecided: Iterable[str], now: int) -> Outcome:
        """The clocks of these devices are off by so many seconds at `now`; of those in `undecided`
        it is not known.
        """
        found = {f"device/{name}": offset for name, offset in wrong.items()}
        return self._find(DEVICE_CLOCK, found, now, {f"device/{name}" for name in undecided})

    def on_found(self, rule: str, found: Mapping[str, float], now: int) -> Outcome:
        """Of a rule about the system exactly these subjects are wrong at `now`, by so much."""
        return self._find(rule, found, now)

    def accept(self, outcome: Outcome) -> None:
        """The outcome has been committed: it is what we remember now."""
        draft = outcome.memory
        _merge(self.memory.watches, draft.watches)
        _merge(self.memory.notes, draft.notes)
        for case in draft.watches:
            self._set_timer(case)
        for key in outcome.states:
            self._orphans.pop(key, None)
        self._judges.accept(draft, self.memory)

    # --- from draft to outcome ---

    def _find(
        self, rule: str, found: Mapping[str, float], now: int, undecided: Container[str] = ()
    ) -> Outcome:
        """What is found wrong with the system, after the tick of the same time."""
        draft, moment = Draft(self.memory, self.disabled), self._hearing.moment(now)
        self._judges.operations.judge(rule, found, undecided, (now, moment), draft)
        return self._close(draft, moment)

    def _let_pass(self, draft: Draft, now: int, last: Finally = _nothing) -> Outcome:
        """Time goes on until `now`, when something may come last."""
        deaf, nobody = self._hearing.deaf, no_columns()
        until = now - deaf
        self._judges.absence.judge(nobody, nobody.received_at, [], deaf, draft, until)
        return self._close(draft, until, last)

    def _close(self, draft: Draft, until: int, last: Finally = _nothing) -> Outcome:
        """Let every timer speak that runs out by then, composites after their operands."""
        due = self._timers.due(until)
        for depth in range(self._judges.composites.deepest + 1):
            if depth:
                self._judges.composites.judge(depth, draft)
            for case in dict.fromkeys([*due, *draft.watches]):
                if case.depth == depth and case.subject != STORM:
                    draft.elapse(case, until)
            last(draft, depth)
        storms = sorted((c for c in due if c.subject == STORM), key=lambda case: case.key)
        told, so_far = self._judges.storms.judge(draft, storms, until), len(draft.told)
        last(draft, AFTER_STORMS)
        return self._outcome(draft, [transition(one) for one in [*told, *draft.told[so_far:]]])

    def _outcome(self, draft: Draft, transitions: Sequence[Transition]) -> Outcome:
        return Outcome(transitions=tuple(transitions), states=draft.states(), memory=draft)

    # --- memory ---

    def _remember(self, key: Key, kept: Mapping[str, Any]) -> None:
        case = self._judges.find(key, kept["site"])
        watch, note = watch_of(kept), kept.get("note")
        if case is not None and watch is not None:
            self.memory.watches[case] = watch
        if case is not None and note is not None:
            self.memory.notes[case] = note

    def _find_again(self) -> None:
        """The same memory, of the cases as they are called by new judges."""
        before, self.memory = self.memory, Memory()
        for case in dict.fromkeys([*before.watches, *before.notes]):
            now = self._judges.find(case.key, case.site)
            if now is None:
                continue
            if case in before.watches:
                self.memory.watches[now] = before.watches[case]
            if case in before.notes:
                self.memory.notes[now] = before.notes[case]
        self._judges.restore(self.memory)
        for case in self.memory.watches:
            self._set_timer(case)

    def _remembered(self, draft: Draft) -> list[Case]:
        return list(dict.fromkeys([*self.memory.watches, *self.memory.notes, *draft.watches]))

    def _set_timer(self, case: Case) -> None:
        def put() -> None:
            watch = self.memory.watches.get(case)
            due = next_due(watch, case.terms) if watch is not None else None
            self._timers.put(case, due.moment if due is not None else None)

        try_out(case, put, self.disabled)

    def _case_of(self, alert: str) -> Case | None:
        found = self.memory.watches.items()
        return next((case for case, watch in found if _alert(case, watch) == alert), None)

    def _beginnings(self, units: Sequence[Unit], now: int = 0) -> dict[str, int]:
        """Since when those are listened to who were never heard; from `now` on at the earliest."""
        found: dict[str, int] = {}
        for unit in units:
            begins = self._hearing.attending(max(unit.since, now))
            gateway = f"gateway/{unit.gateway}"
            found[unit.device] = begins
            found[gateway] = min(begins, found.get(gateway, begins))
        return found

    def _last_heard(self, latest: Latest, statuses: Mapping[str, Status]) -> dict[str, int]:
        found = self._beginnings(self._units)
        gateways = {unit.device: f"gateway/{unit.gateway}" for unit in self._units}
        signs = [(self._series[series].device, at) for series, _, at, _, _ in latest]
        signs += [(gateways[device], at) for device, at in signs if device in gateways]
        signs += [(f"gateway/{status.gateway}", status.at) for status in statuses.values()]
        for name, at in signs:
            found[name] = max(found.get(name, 0), self._hearing.moment_then(at))
        return found


def _depth(case: Case) -> int:
    return AFTER_STORMS if case.subject == STORM else case.depth


def _alert(case: Case, watch: Watch) -> str:
    return alert_id(case.rule.id, case.subject, watch.since, watch.opened)


def _merge(known: dict[Case, Any], changed: Mapping[Case, Any]) -> None:
    for case, now in changed.items():
        if now is None:
            known.pop(case, None)
        else:
            known[case] = now
