"""What officers do to an alert, as pure functions; each brings a change of its own."""

from collections.abc import Mapping

from alerts.lifecycle import Change, Step, Watch
from alerts.rules import Terms
from core.alerts import Action, ActionKind, Reason, State
from core.times import iso

REASONS: Mapping[ActionKind, Reason] = {
    ActionKind.ACKNOWLEDGE: Reason.ACKNOWLEDGED,
    ActionKind.ASSIGN: Reason.ASSIGNED,
    ActionKind.COMMENT: Reason.COMMENTED,
    ActionKind.REOPEN: Reason.REOPENED,
    ActionKind.RESOLVE: Reason.BY_HAND,
    ActionKind.SHELVE: Reason.SHELVED,
    ActionKind.UNSHELVE: Reason.UNSHELVED,
}


def act(watch: Watch, terms: Terms, action: Action, at: int, moment: int) -> Step | None:
    """The alert after an action at `at` (µs of the clock), `moment` in listening time; None when it
    does not apply to the alert as it is.
    """
    after = _after(watch, terms, action, at, moment)
    if after is None:
        return None
    told = _change(watch, after, action, at, moment)
    return after, [told]


def said(action: Action) -> dict[str, str]:
    """What its transition tells of an action: who, why, until when, to whom."""
    until = "" if action.until is None else iso(action.until)
    words = {"by": action.by, "note": action.note, "to": action.to, "until": until}
    return {name: text for name, text in words.items() if text}


def _after(watch: Watch, terms: Terms, action: Action, at: int, moment: int) -> Watch | None:
    if action.kind is ActionKind.REOPEN or not watch.open:
        return _reopened(watch, terms, moment) if action.kind is ActionKind.REOPEN else None
    if action.kind is ActionKind.RESOLVE:
        return _resolved(watch)
    if action.kind is ActionKind.SHELVE and action.until is not None:
        lasts = max(0, action.until - at)
        return watch._replace(shelved_until=moment + lasts, shelf_ends=at + lasts)
    if action.kind is ActionKind.UNSHELVE and watch.shelved_until is not None:
        return watch._replace(shelved_until=None, shelf_ends=0)
    if action.kind is ActionKind.ACKNOWLEDGE:
        return watch._replace(acknowledged=True)
    return watch if action.kind in {ActionKind.ASSIGN, ActionKind.COMMENT} else None


def _resolved(watch: Watch) -> Watch:
    """Quiet until a value is clear, or gets worse than the alert was."""
    return watch._replace(
        state=State.RESOLVED,
        clear_since=None,
        closes=None,
        stale=False,
        flapping=False,
        quiet=True,
        acknowledged=False,
        shelved_until=None,
        shelf_ends=0,
    )


def _reopened(watch: Watch, terms: Terms, moment: int) -> Watch | None:
    """Silence counts anew from here. The schedule ends it with the stretch that is open now, if one
    is.
    """
    ended_here = bool(watch.ends) and watch.ends[-1] >= watch.since
    if watch.open or watch.opens is not None or not (watch.quiet or ended_here):
        return None
    measured_at = watch.measured_at + (moment - watch.heard_at)
    return watch._replace(
        state=State.FIRING,
        quiet=False,
        closes=terms.schedule.closes(measured_at) if terms.schedule else None,
        measured_at=measured_at,
        heard_at=moment,
        ends=watch.ends[:-1] if ended_here else watch.ends,
    )


def _change(before: Watch, after: Watch, action: Action, at: int, moment: int) -> Change:
    return Change(
        before=before.state,
        after=after.state,
        severity=before.severity,
        reason=REASONS[action.kind],
        at=at,
        moment=moment,
        since=before.since,
        opened=before.opened,
        value=before.value,
        marks=after.marks,
        evidence=said(action),
    )
