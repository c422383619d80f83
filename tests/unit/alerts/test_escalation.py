"""Escalation: which ladder is meant, and how far an alert has come on it."""

from pathlib import Path

import pytest

from alerts.escalation import LadderEntry, escalate, ladder_of, load
from core.alerts import Mark, Reason, Severity, State, Transition
from core.errors import ConfigError
from core.muting import Escalation
from core.times import MINUTE

NOW = 1_795_309_200_000_000
FIRING, PENDING, RESOLVED = State.FIRING, State.PENDING, State.RESOLVED


def ladder(*waits: str, severity: str = "critical", kinds: tuple[str, ...] = ()) -> LadderEntry:
    levels = [{"name": f"level-{n}", "after": wait} for n, wait in enumerate(waits, 1)]
    return LadderEntry.model_validate(
        {"severity": severity, "kinds": list(kinds), "levels": levels}
    )


LADDER = ladder("15m", "1h")


def change(
    reason: Reason,
    *,
    before: State | None = FIRING,
    after: State = FIRING,
    marks: tuple[Mark, ...] = (),
) -> Transition:
    return Transition(
        alert="a",
        rule="r",
        version="1",
        subject="s",
        site="patong",
        before=before,
        after=after,
        severity=Severity.CRITICAL,
        reason=reason,
        at=NOW,
        value=1.0,
        marks=marks,
    )


def minutes(count: int) -> int:
    return NOW + count * MINUTE


BEGUN = Escalation(0, minutes(15))
ONE = Escalation(1, minutes(60))


@pytest.mark.parametrize(
    ("before", "transition", "after"),
    [
        pytest.param(
            Escalation(), change(Reason.FIRST_BREACH, before=None), BEGUN, id="it fires at once"
        ),
        pytest.param(Escalation(), change(Reason.HELD, before=PENDING), BEGUN, id="it fires"),
        pytest.param(
            Escalation(),
            change(Reason.FIRST_BREACH, before=None, after=PENDING),
            Escalation(),
            id="it only pends",
        ),
        pytest.param(
            Escalation(seen=True),
            change(Reason.HELD, before=PENDING),
            Escalation(seen=True),
            id="it was acknowledged while it pended",
        ),
        pytest.param(BEGUN, change(Reason.COMMENTED), BEGUN, id="a comment changes nothing"),
        pytest.param(BEGUN, change(Reason.ESCALATED), ONE, id="first level"),
        pytest.param(ONE, change(Reason.ESCALATED), Escalation(2, None), id="last level"),
        pytest.param(
            ONE, change(Reason.ACKNOWLEDGED), Escalation(1, None, True), id="acknowledged"
        ),
        pytest.param(
            Escalation(1, None, True),
            change(Reason.WORSENED),
            Escalation(0, minutes(15), True),
            id="worse than what was acknowledged",
        ),
        pytest.param(
            Escalation(1, None, True),
            change(Reason.REOPENED, before=RESOLVED),
            Escalation(0, minutes(15), True),
            id="reopened",
        ),
        pytest.param(
            Escalation(1, None, True),
            change(Reason.EASED),
            Escalation(1, None, True),
            id="eased stays acknowledged",
        ),
        pytest.param(
            ONE,
            change(Reason.BACK_IN_RANGE, after=RESOLVED),
            Escalation(1, None),
            id="over",
        ),
        pytest.param(
            Escalation(),
            change(Reason.HELD, before=PENDING, marks=(Mark.FOLDED,)),
            Escalation(),
            id="folded into a storm",
        ),
        pytest.param(
            Escalation(),
            change(Reason.HELD, before=PENDING, marks=(Mark.SHADOW,)),
            Escalation(),
            id="on trial",
        ),
        pytest.param(BEGUN, change(Reason.SHELVED, marks=(Mark.SHELVED,)), BEGUN, id="shelved"),
    ],
)
def test_it_goes_on(before: Escalation, transition: Transition, after: Escalation) -> None:
    assert escalate(before, transition, LADDER, NOW) == after


def test_levels_come_when_they_are_due_however_late_each_is_told() -> None:
    told_late = escalate(BEGUN, change(Reason.ESCALATED), LADDER, minutes(50))
    assert told_late.due_at == minutes(60)


def test_no_ladder_is_no_escalation() -> None:
    assert escalate(ONE, change(Reason.EASED), None, NOW) == Escalation(1, None)


def test_a_shorter_ladder_is_at_its_end() -> None:
    assert escalate(ONE, change(Reason.EASED), ladder("5m"), NOW) == Escalation(1, None)


@pytest.mark.parametrize(
    ("severity", "kind", "number"),
    [
        pytest.param(Severity.CRITICAL, "beach", 0, id="its kind"),
        pytest.param(Severity.CRITICAL, "bin", 1, id="any kind"),
        pytest.param(Severity.CRITICAL, "", 1, id="no site"),
        pytest.param(Severity.WARNING, "beach", None, id="none for it"),
    ],
)
def test_the_first_that_is_meant_is_taken(
    severity: Severity, kind: str, number: int | None
) -> None:
    ladders = [ladder("5m", kinds=("beach", "air")), LADDER]
    expected = None if number is None else ladders[number]
    assert ladder_of(ladders, severity, kind) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{severity: bad, levels: [{name: a, after: 5m}]}", "severity", id="severity"),
        pytest.param("{severity: info, levels: []}", "levels", id="no level"),
        pytest.param("{severity: info, levels: [{name: a, after: 0}]}", "after", id="no time"),
        pytest.param("{severity: info, levels: [{name: a, after: soon}]}", "5m", id="no duration"),
        pytest.param(
            "{severity: info, levels: [{name: a, after: 1h}, {name: b, after: 5m}]}",
            "later",
            id="disorder",
        ),
        pytest.param(
            "{severity: info, kinds: [beech], levels: [{name: a, after: 1h}]}", "beech", id="kind"
        ),
        pytest.param("{severity: info, levels: [{name: a b, after: 1h}]}", "name", id="name"),
    ],
)
def test_it_names_file_and_line_of_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "escalation.yaml").write_text(f"ladders:\n  - {text}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, ["beach"])
    assert any("escalation.yaml:2: " in p and words in p for p in refused.value.problems)


def test_there_need_be_no_file(tmp_path: Path) -> None:
    assert load(tmp_path, []) == ()
