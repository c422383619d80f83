"""The engine over columns: which rules run, what is remembered, what is restored."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alerts.engine import Engine
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels, Span, above
from alerts.lifecycle import GRACE, Watch
from alerts.rules import Rule, Selection, Terms
from core.alerts import Outcome, Reason, Severity, State, Transition
from core.readings import Columns, Flag
from core.registry import Series
from core.times import HOUR, MINUTE, SECOND

T0 = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z
LATENESS = 15 * MINUTE
SERIES = [
    Series(index=n, device=device, parameter=parameter, site=site, kind="bin", district="d")
    for n, (device, parameter, site) in enumerate(
        [("a", "fill_level", "lane"), ("b", "fill_level", "pier"), ("a", "tilt", "lane")]
    )
]

Row = tuple[int, float, float]  # series, minute, value


def rule(identifier: str, *, parameter: str = "fill_level", hold: int = 0, **more: Any) -> Rule:
    """Above 80 and 95, clear at 60."""
    spans = {Severity.WARNING: above(80.0), Severity.CRITICAL: above(95.0)}
    terms = Terms(levels=Levels(spans=spans, clear=above(60.0)), hold=hold * MINUTE)
    given: dict[str, Any] = {
        "version": "v1",
        "name": {"en": "r", "th": "r"},
        "kind": Threshold(),
        "terms": terms,
    }
    return Rule(id=identifier, parameter=parameter, **(given | more))


def engine(*rules: Rule) -> Engine:
    made = Engine(rules, LATENESS)
    made.add_series(SERIES)
    return made


def columns(*rows: Row, late: set[int] | None = None, delay: float = 0, flag: int = 1) -> Columns:
    """A batch as the pipeline hands it over: by series, then as the rows came; `late` says which
    are older than what came before, `delay` how many minutes after its time each came.
    """
    order = sorted(range(len(rows)), key=lambda n: rows[n][0])
    at = np.array([T0 + round(rows[n][1] * MINUTE) for n in order], np.int64)
    return Columns(
        series=np.array([rows[n][0] for n in order], np.int64),
        measured_at=at,
        received_at=at + SECOND + round(delay * MINUTE),
        value=np.array([rows[n][2] for n in order], np.float64),
        flag=np.full(len(rows), flag, np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.array([n in (late or set()) for n in order], np.bool_),
    )


def settle(made: Engine, batch: Columns) -> Outcome:
    """Judge and commit."""
    outcome = made.on_batch(batch)
    made.accept(outcome)
    return outcome


def told(transitions: tuple[Transition, ...]) -> list[tuple[str, str, str, str]]:
    return [(t.rule, t.subject, t.after.value, t.reason.value) for t in transitions]


def test_it_judges_each_series_by_the_rules_that_watch_it() -> None:
    pier = Selection(sites=frozenset({"pier"}))
    made = engine(rule("full"), rule("pier-full", selection=pier), rule("tipped", parameter="tilt"))
    outcome = settle(made, columns((0, 0, 85.0), (1, 0, 85.0), (2, 0, 85.0)))
    assert told(outcome.transitions) == [
        ("full", "a/fill_level", "firing", "first-breach"),
        ("full", "b/fill_level", "firing", "first-breach"),
        ("pier-full", "b/fill_level", "firing", "first-breach"),
        ("tipped", "a/tilt", "firing", "first-breach"),
    ]


def test_a_transition_says_all_that_a_reader_needs() -> None:
    (fired,) = settle(engine(rule("full")), columns((1, 0, 85.0))).transitions
    assert (fired.site, fired.version, fired.severity) == ("pier", "v1", Severity.WARNING)
    assert (fired.at, fired.value, fired.before) == (T0, 85.0, None)
    assert fired.evidence["level"] == 80.0
    assert fired.evidence["since"] == "2026-11-22T00:00:00Z"


def test_an_episode_keeps_its_id_and_the_next_has_another() -> None:
    made = engine(rule("full"))
    first = settle(made, columns((0, 0, 85.0), (0, 1, 50.0)))
    second = settle(made, columns((0, 2, 85.0)))
    assert [t.after for t in first.transitions] == [State.FIRING, State.RESOLVED]
    assert len({t.alert for t in first.transitions}) == 1
    assert first.transitions[0].alert != second.transitions[0].alert
    again = settle(engine(rule("full")), columns((0, 0, 85.0)))
    assert again.transitions[0].alert == first.transitions[0].alert


@pytest.mark.parametrize(
    ("flag", "drives"),
    [
        pytest.param(Flag.GOOD, True, id="good"),
        pytest.param(Flag.NOT_EVALUATED, True, id="not evaluated"),
        pytest.param(Flag.SUSPECT, False, id="suspect"),
        pytest.param(Flag.FAIL, False, id="fail"),
    ],
)
def test_a_reading_that_is_in_doubt_drives_no_rule(flag: Flag, drives: bool) -> None:
    outcome = settle(engine(rule("full")), columns((0, 0, 85.0), flag=flag))
    assert bool(outcome.transitions) is drives


def test_nothing_is_remembered_before_it_is_committed() -> None:
    made = engine(rule("full"))
    batch = columns((0, 0, 85.0))
    assert made.on_batch(batch).transitions == made.on_batch(batch).transitions != ()
    assert made.memory.watches == {}


def test_it_tells_what_it_remembers_and_what_it_forgot() -> None:
    made = engine(rule("full"))
    key = ("full", "a/fill_level")
    began = settle(made, columns((0, 0, 85.0)))
    assert json.loads(began.states[key] or "")["watch"]["state"] == "firing"
    ended = settle(made, columns((0, 1, 10.0)))
    assert json.loads(ended.states[key] or "")["watch"]["state"] == "resolved"
    assert settle(made, columns((0, 2, 10.0))).states == {}
    later = made.on_tick(T0 + MINUTE + SECOND + HOUR)
    assert (later.transitions, later.states) == ((), {key: None})


def test_it_tells_nothing_of_what_came_and_went_in_one_batch() -> None:
    made = engine(rule("full", hold=5))
    both = settle(made, columns((0, 3, 85.0), (0, 4, 10.0)))
    assert (len(both.transitions), both.states) == (2, {})


# A rule that raises once it has something to compare with its clear level, or to wait for.
SOUND = rule("broken", hold=5).terms
NO_SPAN: Any = Span("?", "?")  # type: ignore[arg-type]
BROKEN = rule(
    "broken",
    terms=replace(SOUND, hold=0, levels=Levels(spans=SOUND.levels.spans, clear=NO_SPAN)),
)
BROKEN_TIMER = rule("broken", terms=replace(SOUND, hold="?"))  # type: ignore[arg-type]


def test_a_rule_that_raises_is_disabled_and_the_others_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = engine(BROKEN, rule("full"))
    first = settle(made, columns((0, 0, 85.0), (0, 1, 86.0), (1, 0, 85.0)))
    second = settle(made, columns((0, 2, 50.0), (1, 2, 86.0)))
    assert [(t.rule, t.after) for t in (*first.transitions, *second.transitions)] == [
        ("full", "firing"),
        ("full", "firing"),
        ("full", "resolved"),
    ]
    assert list(made.disabled) == ["broken"]
    assert [record.message for record in caplog.records] == ["rule broken is disabled"]


def test_a_rule_that_raises_at_a_tick_is_disabled_and_the_others_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = engine(BROKEN_TIMER, rule("full", hold=5))
    settle(made, columns((0, 0, 85.0)))
    late = T0 + SECOND + 5 * MINUTE + GRACE
    assert told(made.on_tick(late).transitions) == [("full", "a/fill_level", "firing", "held")]
    assert told(made.on_tick(late).transitions) == [("full", "a/fill_level", "firing", "held")]
    assert [record.message for record in caplog.records] == ["rule broken is disabled"]


def test_a_timer_waits_for_what_may_be_on_its_way() -> None:
    made = engine(rule("full", hold=5))
    settle(made, columns((0, 0, 85.0)))
    received = T0 + SECOND
    assert made.on_tick(received + 5 * MINUTE + GRACE - 1).transitions == ()
    (held,) = made.on_tick(received + 5 * MINUTE + GRACE).transitions
    assert (held.at, held.reason, held.before) == (T0 + 5 * MINUTE, Reason.HELD, State.PENDING)


def test_silence_counts_from_when_hearing_resumed() -> None:
    made = engine(rule("full", hold=5))
    settle(made, columns((0, 0, 85.0)))
    back = T0 + 60 * MINUTE
    made.accept(made.on_resume(T0 + SECOND, back))
    assert made.on_tick(back + 5 * MINUTE + GRACE - 1).transitions == ()
    assert len(made.on_tick(back + 5 * MINUTE + GRACE).transitions) == 1


# --- readings that come late ---


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        pytest.param(
            columns((0, 10, 50.0), (0, 5, 85.0), late={1}),
            ["firing", "resolved"],
            id="an old breach is told, and ended by the newest reading",
        ),
        pytest.param(
            columns((0, 10, 85.0), (0, 5, 50.0), late={1}),
            ["firing"],
            id="an old good reading ends nothing",
        ),
        pytest.param(
            columns((0, 10, 85.0), (0, 5, 99.0), late={1}),
            ["firing"],
            id="an old reading makes nothing worse",
        ),
        pytest.param(
            columns((0, 10, 50.0), (0, 5, 85.0), (0, 6, 86.0), late={1, 2}),
            ["firing", "resolved", "firing", "resolved"],
            id="each old breach is an episode of its own",
        ),
    ],
)
def test_a_reading_out_of_order(batch: Columns, expected: list[str]) -> None:
    whole = settle(engine(rule("full")), batch)
    assert [t.after for t in whole.transitions] == expected
    made = engine(rule("full"))
    pieces = [settle(made, batch.take(slice(n, n + 1))) for n in range(len(batch))]
    assert tuple(t for piece in pieces for t in piece.transitions) == whole.transitions


def test_a_reading_out_of_order_does_not_begin_a_duration() -> None:
    made = engine(rule("full", hold=5))
    assert settle(made, columns((0, 10, 50.0), (0, 5, 85.0), late={1})).transitions == ()


def test_an_old_breach_stays_open_where_the_newest_reading_is_in_doubt() -> None:
    made = engine(rule("full"))
    settle(made, columns((0, 10, 50.0), flag=Flag.FAIL))
    outcome = settle(made, columns((0, 5, 85.0), late={0}))
    assert [t.after for t in outcome.transitions] == [State.FIRING]


@pytest.mark.parametrize(
    ("delay", "drives"), [pytest.param(14, True, id="in time"), pytest.param(15, False, id="late")]
)
def test_a_reading_that_comes_later_than_the_bound_drives_no_rule(
    delay: float, drives: bool
) -> None:
    outcome = settle(engine(rule("full")), columns((0, 0, 85.0), delay=delay))
    assert bool(outcome.transitions) is drives


# --- taking up where another engine stopped ---


def remembered(made: Engine) -> dict[tuple[str, str], Watch]:
    return {case.key: watch for case, watch in made.memory.watches.items()}


def restored(rules: list[Rule], began: Outcome) -> Engine:
    """A new engine that gets what the ledger kept of the outcome."""
    made = engine(*rules)
    states = {key: body for key, body in began.states.items() if body is not None}
    made.restore(states, [(0, T0, T0 + SECOND, 85.0, Flag.GOOD)])
    return made


def test_a_restored_engine_goes_on_as_the_first_would() -> None:
    given = rule("full", hold=5)
    first = engine(given)
    began = settle(first, columns((0, 0, 85.0)))
    second = restored([given], began)
    assert remembered(second) == remembered(first)
    later = columns((0, 3, 86.0), (0, 6, 87.0), (0, 9, 50.0))
    assert settle(second, later).transitions == settle(first, later).transitions


def test_a_restored_engine_knows_the_newest_reading() -> None:
    made = restored([rule("full")], Outcome())
    outcome = settle(made, columns((0, -1, 85.0), late={0}))
    assert [(t.after, t.at) for t in outcome.transitions] == [(State.FIRING, T0 - MINUTE)]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        pytest.param([], Reason.RULE_REMOVED, id="the rule is gone"),
        pytest.param([rule("full", version="v2")], Reason.RULE_CHANGED, id="the rule is another"),
        pytest.param(
            [rule("full", parameter="tilt")], Reason.RULE_REMOVED, id="it watches something else"
        ),
    ],
)
def test_an_alert_of_a_rule_that_is_no_more_ends_once(rules: list[Rule], reason: Reason) -> None:
    began = settle(engine(rule("full")), columns((0, 0, 85.0)))
    made = restored(rules, began)
    outcome = made.on_resume(T0, T0 + MINUTE)
    made.accept(outcome)
    (ended,) = outcome.transitions
    assert (ended.after, ended.reason, ended.at) == (State.RESOLVED, reason, T0 + MINUTE)
    assert (ended.alert, ended.site, ended.value) == (began.transitions[0].alert, "lane", 85.0)
    assert outcome.states == {("full", "a/fill_level"): None}
    assert made.on_tick(T0 + 2 * MINUTE).transitions == ()


def test_series_may_be_added_while_an_alert_is_open() -> None:
    made = Engine([rule("full")], LATENESS)
    made.add_series(SERIES[:1])
    settle(made, columns((0, 0, 85.0)))
    made.add_series(SERIES[1:])
    outcome = settle(made, columns((0, 1, 50.0), (1, 1, 85.0)))
    assert told(outcome.transitions) == [
        ("full", "a/fill_level", "resolved", "back-in-range"),
        ("full", "b/fill_level", "firing", "first-breach"),
    ]
