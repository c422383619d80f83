"""A case is one rule at one subject; a draft is what became of cases until it is committed."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from alerts.lifecycle import Change, Watch, elapse
from alerts.rules import Rule, Terms
from core.alerts import Mark, Reason, Severity, State, Transition

log = logging.getLogger(__name__)

Key = tuple[str, str]  # rule and subject, as in the ledger


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One rule at one subject; `site` and `device` are empty where it is about many. `depth` is 0,
    or for a composite one more than its operands'.
    """

    rule: Rule
    subject: str
    site: str
    terms: Terms
    device: str = ""
    depth: int = 0

    @property
    def key(self) -> Key:
        """What the ledger calls it."""
        return self.rule.id, self.subject


class Told(NamedTuple):
    """A change, and whose."""

    case: Case
    change: Change

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Changes happen by moment; at one moment composites come after their operands."""
        return self.change.moment, self.case.depth, self.case.rule.id, self.case.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of each case: its watch, and what its kind or its storm needs."""

    watches: dict[Case, Watch] = field(default_factory=dict)
    notes: dict[Case, Any] = field(default_factory=dict)


class Draft:
    """What an input changes; `then` are steps to take once it is committed."""

    def __init__(self, memory: Memory, disabled: dict[str, str]) -> None:
        self.watches: dict[Case, Watch | None] = {}
        self.notes: dict[Case, Any] = {}
        self.told: list[Told] = []
        self.then: list[Callable[[], None]] = []
        self._memory = memory
        self._disabled = disabled

    def watch(self, case: Case) -> Watch | None:
        """What is remembered of the case by now."""
        return self.watches[case] if case in self.watches else self._memory.watches.get(case)

    def note(self, case: Case) -> Any:
        """The same of what its kind needs."""
        return self.notes[case] if case in self.notes else self._memory.notes.get(case)

    def keep(self, case: Case, watch: Watch | None, changes: Sequence[Change] = ()) -> None:
        """The case after these changes."""
        if changes or watch is not self.watch(case):
            self.watches[case] = watch
        self.told += [Told(case, change) for change in changes]

    def try_out(self, case: Case, judge: Callable[[], None]) -> None:
        """Let one case be judged, unless its rule is disabled."""
        try_out(case, judge, self._disabled)

    def elapse(self, case: Case, until: int) -> None:
        """Let time pass for a case."""

        def judge() -> None:
            watch = self.watch(case)
            if watch is not None:
                self.keep(case, *elapse(watch, case.terms, until))

        self.try_out(case, judge)

    def states(self) -> dict[Key, str | None]:
        """What changed, as the ledger keeps it."""
        known = self._memory
        found: dict[Key, str | None] = {}
        for case in dict.fromkeys([*self.watches, *self.notes]):
            watch, note = self.watch(case), self.note(case)
            if watch is not None or note is not None:
                found[case.key] = body(case, watch, note)
            elif case in known.watches or case in known.notes:
                found[case.key] = None
        return found


def try_out(case: Case, judge: Callable[[], None], disabled: dict[str, str]) -> None:
    """Do something for a case. A rule that raises is disabled; the others go on."""
    if case.rule.id in disabled:
        return
    try:
        judge()
    except Exception as error:
        log.exception("rule %s is disabled", case.rule.id)
        disabled[case.rule.id] = repr(error)


def body(case: Case, watch: Watch | None, note: Any) -> str:
    """A case's memory as JSON."""
    kept: dict[str, Any] = {"version": case.rule.version, "site": case.site}
    if watch is not None:
        usual = Watch._field_defaults
        fields = watch._asdict().items()
        kept["watch"] = {k: v for k, v in fields if k not in usual or v != usual[k]}
    if note is not None:
        kept["note"] = note
    if case.rule.shadow:
        kept["shadow"] = True  # so that its end is as quiet when the rule is no more
    return json.dumps(kept)


def watch_of(kept: Mapping[str, Any]) -> Watch | None:
    """The watch in a decoded body."""
    fields = kept.get("watch")
    if fields is None:
        return None
    return Watch(**fields)._replace(
        state=State(fields["state"]),
        severity=Severity(fields["severity"]),
        ends=tuple(fields.get("ends", ())),
    )


def alert_id(rule: str, subject: str, since: int, opened: int = 0) -> str:
    """The same episode has the same id wherever it is computed: by event time, and by the moment at
    which it opened, where that is known, since two may begin at one event time.
    """
    moment = f"|{opened}" if opened else ""
    return str(uuid5(NAMESPACE_URL, f"andaman:alert:{rule}|{subject}|{since}{moment}"))


def transition(told: Told) -> Transition:
    """A change as the world hears of it."""
    case, change = told
    return Transition(
        alert=alert_id(case.rule.id, case.subject, change.since, change.opened),
        rule=case.rule.id,
        version=case.rule.version,
        subject=case.subject,
        site=case.site,
        before=change.before,
        after=change.after,
        severity=change.severity,
        reason=change.reason,
        at=change.at,
        value=change.value,
        marks=tuple(sorted({*change.marks, *([Mark.SHADOW] if case.rule.shadow else [])})),
        evidence=change.evidence,
    )


def ending(case: Case, draft: Draft, reason: Reason, now: int, moment: int) -> None:
    """Forget a case; an alert of it ends at `now`."""
    watch = draft.watch(case)
    changes = []
    if watch is not None and watch.open:
        change = Change(
            before=watch.state,
            after=State.RESOLVED,
            severity=watch.severity,
            reason=reason,
            at=now,
            moment=moment,
            since=watch.since,
            opened=watch.opened,
            value=watch.value,
            marks=(),
            evidence={},
        )
        changes.append(change)
    draft.keep(case, None, changes)
    if draft.note(case) is not None:
        draft.notes[case] = None


def ended(key: Key, kept: Mapping[str, Any], reason: Reason, now: int) -> Transition | None:
    """The end of an alert whose rule, or whose place, is no longer what it was; None when there is
    none.
    """
    watch = watch_of(kept)
    if watch is None or not watch.open:
        return None
    rule, subject = key
    return Transition(
        alert=alert_id(rule, subject, watch.since, watch.opened),
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
        marks=(Mark.SHADOW,) if kept.get("shadow") else (),
    )
