"""Storms: when very many alerts of one rule fire, those beyond its cap are folded into one.

Folded alerts live on like all others; they are marked, and one alert with the subject `storm`
stands for them. Its value is how many were folded since it began.
"""

from collections.abc import Collection, Sequence
from itertools import groupby

from alerts.cases import Case, Draft, Memory, Told
from alerts.levels import Levels, Span
from alerts.lifecycle import Change, Watch, elapse
from alerts.rules import Rule, Terms
from core.alerts import STORM, Mark, Reason, Severity, State

_NONE = Span(0.0, 0.0)  # nothing but the last folded alert ends a storm; silence says nothing
_TERMS = Terms(levels=Levels(spans=dict.fromkeys(Severity, _NONE), clear=_NONE))


class Storms:
    """Which alerts fire, and which of them are folded, by rule."""

    def __init__(self, rules: Collection[Rule]) -> None:
        self.cases = {
            rule.id: Case(rule=rule, subject=STORM, site="", terms=_TERMS) for rule in rules
        }
        self._firing: dict[str, set[str]] = {rule.id: set() for rule in rules}

    def restore(self, memory: Memory) -> None:
        """Take up what fires; the note of a storm's case is who is folded."""
        for case, watch in memory.watches.items():
            if watch.state is State.FIRING and case.subject != STORM:
                self._firing[case.rule.id].add(case.subject)

    def judge(self, draft: Draft, due: Sequence[Case], until: int) -> list[Told]:
        """All that was told, in order, with the marks of the folded and the alerts of storms; the
        shelves of those that are `due` may end until a moment. Storms come last of their moment.
        """
        told: list[Told] = []
        firing: dict[str, set[str]] = {}
        changes = sorted(draft.told, key=lambda told: told.order)
        for moment, together in groupby(changes, key=lambda told: told.change.moment):
            told += _elapsed(due, draft, moment - 1)
            for change in together:
                rule = change.case.rule.id
                among = firing.setdefault(rule, set(self._firing[rule]))
                told += self._fold(change, among, draft)
        if firing:
            draft.then.append(lambda: self._firing.update(firing))
        return told + _elapsed(due, draft, until)

    def _fold(self, told: Told, firing: set[str], draft: Draft) -> list[Told]:
        case, change = told
        storm = self.cases[case.rule.id]
        folded: list[str] = list(draft.note(storm) or ())
        if change.after is State.FIRING and case.subject not in firing:
            full = len(firing) - len(folded) >= case.rule.storm
            firing.add(case.subject)
            if full:
                return [_marked(told), *self._began(storm, folded, told, draft)]
        elif case.subject in folded:
            if change.after is State.RESOLVED:
                firing.discard(case.subject)
                return [_marked(told), *self._left(storm, folded, told, draft)]
            return [_marked(told), *self._worsened(storm, told, draft)]
        elif change.after is State.RESOLVED:
            firing.discard(case.subject)
        return [told]

    def _began(self, storm: Case, folded: list[str], told: Told, draft: Draft) -> list[Told]:
        """One more is folded."""
        change, watch = told.change, draft.watch(storm)
        draft.notes[storm] = [*folded, told.case.subject]
        if watch is not None and not watch.open:  # resolved by hand: quiet until it is over
            return []
        if watch is None:
            begun = Watch(
                state=State.FIRING,
                severity=change.severity,
                since=change.at,
                opened=change.moment,
                measured_at=change.at,
                heard_at=change.moment,
                value=1.0,
            )
            draft.keep(storm, begun)
            return [_told(storm, None, begun, Reason.STORM_BEGAN, change)]
        grown = watch._replace(value=watch.value + 1, measured_at=change.at, heard_at=change.moment)
        draft.keep(storm, grown)
        return self._worsened(storm, told, draft)

    def _worsened(self, storm: Case, told: Told, draft: Draft) -> list[Told]:
        """The storm is as bad as the worst of the folded was."""
        watch, change = draft.watch(storm), told.change
        if watch is None or not watch.open or change.severity <= watch.severity:
            return []
        worse = watch._replace(severity=change.severity)
        draft.keep(storm, worse)
        return [_told(storm, watch, worse, Reason.WORSENED, change)]

    def _left(self, storm: Case, folded: list[str], told: Told, draft: Draft) -> list[Told]:
        """One of the folded has ended."""
        left = [subject for subject in folded if subject != told.case.subject]
        draft.notes[storm] = left or None
        watch = draft.watch(storm)
        if left or watch is None:
            return []
        draft.keep(storm, None)
        if not watch.open:
            return []
        over = watch._replace(state=State.RESOLVED, shelved_until=None, shelf_ends=0)
        return [_told(storm, watch, over, Reason.STORM_OVER, told.change)]


def _elapsed(storms: Sequence[Case], draft: Draft, until: int) -> list[Told]:
    """What time brings to storms until a moment: the ends of their shelves."""
    told: list[Told] = []
    for storm in storms:
        watch = draft.watch(storm)
        if watch is not None:
            after, changes = elapse(watch, storm.terms, until)
            told += [Told(storm, change) for change in changes]
            draft.keep(storm, after)
    return told


def _marked(told: Told) -> Told:
    change = told.change
    return Told(told.case, change._replace(marks=(*change.marks, Mark.FOLDED)))


def _told(storm: Case, before: Watch | None, after: Watch, reason: Reason, cause: Change) -> Told:
    change = Change(
        before=before.state if before else None,
        after=after.state,
        severity=after.severity,
        reason=reason,
        at=cause.at,
        moment=cause.moment,
        since=after.since,
        opened=after.opened,
        value=after.value,
        marks=after.marks,
        evidence={"folded": int(after.value), "cap": storm.rule.storm},
    )
    return Told(storm, change)
