"""What officers do to an alert, as tables. Times are minutes."""

from typing import Any

import pytest

from alerts.by_hand import act
from alerts.lifecycle import Sample, Watch, elapse, step
from core.alerts import Action, ActionKind, Mark, Reason, Severity, State
from core.times import MINUTE
from tests.unit.alerts.test_lifecycle import terms, told

FIRING = Watch(
    state=State.FIRING,
    severity=Severity.WARNING,
    since=0,
    measured_at=10 * MINUTE,
    heard_at=10 * MINUTE,
    value=85.0,
)


def do(kind: ActionKind, watch: Watch = FIRING, minute: int = 11, **more: Any) -> Any:
    action = Action(kind=kind, alert="a", by="nok", note="why", **more)
    return act(watch, terms(), action, minute * MINUTE, minute * MINUTE)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ActionKind.ACKNOWLEDGE, Reason.ACKNOWLEDGED),
        (ActionKind.ASSIGN, Reason.ASSIGNED),
        (ActionKind.COMMENT, Reason.COMMENTED),
    ],
)
@pytest.mark.parametrize("state", [State.PENDING, State.FIRING])
def test_an_open_alert_stays_as_it_is(kind: ActionKind, reason: Reason, state: State) -> None:
    after, (change,) = do(kind, FIRING._replace(state=state), to="noi")
    assert (change.before, change.after, change.reason) == (state, state, reason)
    assert (change.at, change.severity, change.value) == (11 * MINUTE, Severity.WARNING, 85.0)
    assert change.evidence == {"by": "nok", "note": "why", "to": "noi"}
    assert after.acknowledged is (kind is ActionKind.ACKNOWLEDGE)


@pytest.mark.parametrize("kind", [k for k in ActionKind if k is not ActionKind.REOPEN])
def test_an_alert_that_is_over_takes_nothing(kind: ActionKind) -> None:
    over = FIRING._replace(state=State.RESOLVED, ends=(5 * MINUTE,))
    assert do(kind, over, until=20 * MINUTE) is None


@pytest.mark.parametrize(
    ("kind", "watch"),
    [
        pytest.param(ActionKind.REOPEN, FIRING, id="what is open cannot be opened"),
        pytest.param(ActionKind.SHELVE, FIRING, id="shelved until when?"),
        pytest.param(ActionKind.UNSHELVE, FIRING, id="not shelved"),
        pytest.param(
            ActionKind.REOPEN,
            FIRING._replace(state=State.RESOLVED, since=9 * MINUTE, ends=(5 * MINUTE,)),
            id="the end that is remembered is another alert's",
        ),
    ],
)
def test_what_does_not_apply_has_no_effect(kind: ActionKind, watch: Watch) -> None:
    assert do(kind, watch) is None


def test_a_shelved_alert_comes_back_by_timer() -> None:
    shelved, (change,) = do(ActionKind.SHELVE, until=20 * MINUTE)
    assert change.marks == (Mark.SHELVED,)
    early, nothing = elapse(shelved, terms(), 20 * MINUTE - 1)
    assert (early, nothing) == (shelved, [])
    back, (change,) = elapse(shelved, terms(), 20 * MINUTE)
    assert (change.reason, change.marks, change.at) == (Reason.UNSHELVED, (), 20 * MINUTE)
    assert back == FIRING


def test_a_shelf_ends_with_the_alert() -> None:
    shelved, _ = do(ActionKind.SHELVE, until=20 * MINUTE)
    over, changes = step(shelved, terms(), Sample(12 * MINUTE, 12 * MINUTE, 10.0))
    assert [c.reason for c in changes] == [Reason.BACK_IN_RANGE]
    assert over is not None
    assert over.shelved_until is None


def resolved() -> Watch:
    watch, (change,) = do(ActionKind.RESOLVE)
    assert (change.after, change.reason) == (State.RESOLVED, Reason.BY_HAND)
    assert isinstance(watch, Watch)
    return watch


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([(12, 85), (13, 75), (14, 90)], [], id="quiet while it goes on"),
        pytest.param(
            [(12, 96)], [("firing", "critical", "first-breach", 12)], id="worse than it was"
        ),
        pytest.param(
            [(12, 60), (13, 85)],
            [("firing", "warning", "first-breach", 13)],
            id="clear once, then wrong again",
        ),
    ],
)
def test_what_was_resolved_by_hand_stays_quiet(
    readings: list[tuple[int, float]], expected: list[object]
) -> None:
    watch: Watch | None = resolved()
    changes = []
    for minute, value in readings:
        sample = Sample(minute * MINUTE, minute * MINUTE, value)
        watch, more = step(watch, terms(clear=60), sample)
        changes += more
    assert told(changes) == expected


def test_what_was_resolved_by_hand_is_not_forgotten_by_time() -> None:
    watch = resolved()
    assert elapse(watch, terms(), 10_000 * MINUTE) == (watch, [])


def test_it_is_reopened_as_it_was() -> None:
    back, (change,) = do(ActionKind.REOPEN, resolved(), minute=15)
    assert (change.before, change.after) == (State.RESOLVED, State.FIRING)
    assert back == FIRING._replace(measured_at=15 * MINUTE, heard_at=15 * MINUTE)


def test_one_that_ended_in_range_can_be_reopened_while_that_is_remembered() -> None:
    ended, _ = step(FIRING, terms(), Sample(11 * MINUTE, 11 * MINUTE, 50.0))
    assert ended is not None
    back, _ = do(ActionKind.REOPEN, ended, minute=15)
    assert (back.state, back.ends) == (State.FIRING, ())
    assert elapse(ended, terms(), 11 * MINUTE + terms().flap_within) == (None, [])
