"""Rules of each kind in the engine: what it looks at, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from alerts.engine import Engine
from alerts.kinds.composite import Composite
from alerts.kinds.count import Count
from alerts.kinds.missing import Missing
from alerts.kinds.rate import Rate
from alerts.levels import Levels, Span, above
from alerts.lifecycle import GRACE
from alerts.rules import Rule, Selection, Terms
from core.alerts import Action, ActionKind, Mark, Outcome, Severity
from core.registry import Status, Unit
from core.times import HOUR, MINUTE, SECOND
from tests.unit.alerts.test_engine import LATENESS, SERIES, T0, columns, rule, settle

UNITS = [
    Unit(device="a", gateway="g", site="lane", kind="bin", district="d", interval=0, since=0),
    Unit(
        device="b",
        gateway="g",
        site="pier",
        kind="bin",
        district="d",
        interval=10 * MINUTE,
        since=0,
    ),
]
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
Story = list[tuple[str, str, str, float]]  # subject, state, reason, minute


def asked(spans: dict[Severity, Span], *, hold: int = 0, **more: Any) -> Terms:
    return Terms(levels=Levels(spans=spans, clear=spans[min(spans)]), hold=hold * MINUTE, **more)


def engine(*rules: Rule, since: int = T0 - MINUTE) -> Engine:
    """An engine that has listened since then."""
    made = Engine(rules, LATENESS)
    made.add_series(SERIES)
    made.attend(UNITS)
    made.accept(made.on_resume(since, since))
    return made


def tick(made: Engine, minute: float) -> Outcome:
    outcome = made.on_tick(T0 + round(minute * MINUTE))
    made.accept(outcome)
    return outcome


def story(outcomes: Sequence[Outcome], rule: str = "") -> Story:
    return [
        (t.subject, t.after.value, t.reason.value, round((t.at - T0) / MINUTE, 1))
        for outcome in outcomes
        for t in outcome.transitions
        if not rule or t.rule == rule
    ]


def test_a_rate_is_judged_by_its_levels_and_survives_a_restart() -> None:
    given = rule(
        "grows",
        kind=Rate(per=HOUR, window=HOUR),
        terms=asked({WARNING: above(20), CRITICAL: above(50)}),
    )
    made, states = engine(given), dict[tuple[str, str], str]()
    told = []
    for minute, value in [(0, 0), (30, 5), (60, 30), (90, 60), (120, 61)]:
        outcome = settle(made, columns((0, minute, value)))
        states |= {key: body for key, body in outcome.states.items() if body}
        told.append(outcome)
        made = engine(given)
        made.restore(states, [], [(T0 - HOUR, T0 - HOUR)])
    assert story(told) == [
        ("a/fill_level", "firing", "first-breach", 60),
        ("a/fill_level", "firing", "worsened", 90),
        ("a/fill_level", "firing", "eased", 120),
    ]


def test_a_count_is_judged_by_its_levels_and_survives_a_restart() -> None:
    terms = Terms(levels=Levels(spans={WARNING: above(1), CRITICAL: above(2)}, clear=above(0)))
    given = rule("often", kind=Count(span=above(80), most=3, of=4), terms=terms)
    made, states = engine(given), dict[tuple[str, str], str | None]()
    told = []
    for minute, value in enumerate([81, 10, 82, 83, 10, 10, 10, 10]):
        told.append(settle(made, columns((0, minute, value))))
        states |= told[-1].states
        made = engine(given)
        kept = {key: body for key, body in states.items() if body}
        made.restore(kept, [], [(T0 - HOUR, T0 - HOUR)])
    assert story(told) == [
        ("a/fill_level", "firing", "first-breach", 2),
        ("a/fill_level", "firing", "worsened", 3),
        ("a/fill_level", "firing", "eased", 6),
        ("a/fill_level", "resolved", "back-in-range", 7),
    ]


# --- silence ---


def silent(**more: Any) -> Rule:
    spans = {WARNING: above(3.0), CRITICAL: above(6.0)}
    usual: dict[str, Any] = {"kind": Missing(every=5 * MINUTE), "terms": asked(spans)}
    given = usual | more
    return rule("silent", parameter="", **given)


def test_a_device_that_was_heard_is_missed_after_its_expected_intervals() -> None:
    made = engine(silent(selection=Selection(devices=frozenset({"b"}))))
    told = [settle(made, columns((1, 0, 50.0))), tick(made, 30), tick(made, 30.1 + 10 / 60)]
    told += [tick(made, 200), settle(made, columns((1, 201, 50.0)))]
    grace = (GRACE + SECOND) / MINUTE
    assert story(told) == [
        ("b", "firing", "first-breach", round(30 + grace, 1)),
        ("b", "firing", "worsened", round(60 + grace, 1)),
        ("b", "resolved", "back-in-range", 201),
    ]
    assert told[2].transitions[0].site == "pier"
    assert told[2].transitions[0].value == pytest.approx(3.0, abs=0.05)


def test_a_device_that_was_never_heard_is_missed_from_when_we_began_to_listen() -> None:
    made = engine(silent(), since=T0)
    assert story([tick(made, minute) for minute in (15, 16, 30, 31)]) == [
        ("a", "firing", "first-breach", 15.2),
        ("a", "firing", "worsened", 30.2),
        ("b", "firing", "first-breach", 30.2),
    ]


def test_one_that_was_registered_later_is_missed_from_then() -> None:
    made = engine(silent())
    young = replace(UNITS[0], device="c", since=T0)
    change = made.on_change(T0, units=[young])
    made.accept(change)
    assert story([tick(made, 14), tick(made, 16)], "silent") == [
        ("c", "firing", "first-breach", 15.2)
    ]


def test_nobody_is_missed_of_whom_nothing_is_expected() -> None:
    made = engine(silent(kind=Missing()))
    assert {subject for subject, *_ in story([tick(made, 10_000)])} == {"b"}


def test_what_could_not_be_heard_counts_for_nobodys_silence() -> None:
    made = engine(silent(selection=Selection(devices=frozenset({"b"}))))
    settle(made, columns((1, 0, 50.0)))
    made.accept(made.on_resume(T0 + 20 * MINUTE, T0 + 600 * MINUTE))
    assert story([tick(made, 610), tick(made, 611)]) == [("b", "firing", "first-breach", 610.2)]


def test_a_gap_within_one_batch_is_found() -> None:
    made = engine(silent(selection=Selection(devices=frozenset({"b"}))))
    told = settle(made, columns((1, 0, 50.0), (1, 40, 50.0), (1, 41, 50.0)))
    assert story([told]) == [
        ("b", "firing", "first-breach", 30.2),
        ("b", "resolved", "back-in-range", 40),
    ]


def test_a_restarted_engine_knows_who_was_heard_when() -> None:
    given = silent(selection=Selection(devices=frozenset({"b"})))
    made = engine(given)
    made.restore({}, [(1, T0, T0, 50.0, 1)], [(T0 - HOUR, T0 - HOUR), (T0, T0 + HOUR)])
    assert story([tick(made, 60 + 30), tick(made, 60 + 31)]) == [
        ("b", "firing", "first-breach", 90.2)
    ]


def said(minute: float, online: bool) -> Status:
    at = T0 + round(minute * MINUTE)
    return Status(gateway="g", online=online, firmware=None, at=at, since=at)


def test_a_gateway_is_gone_with_its_last_will_and_back_with_its_devices() -> None:
    kind = Missing(of="gateway", every=5 * MINUTE)
    made = engine(silent(kind=kind, terms=asked({WARNING: above(3)}, hold=2)))
    told = [made.on_batch(columns(), [said(0, online=False)])]
    made.accept(told[0])
    told += [tick(made, 3), settle(made, columns((1, 4, 50.0)))]
    assert story(told) == [
        ("gateway/g", "pending", "first-breach", 0),
        ("gateway/g", "firing", "held", 2),
        ("gateway/g", "resolved", "back-in-range", 4),
    ]


def test_a_gateway_that_says_that_it_is_there_is_there() -> None:
    made = engine(silent(kind=Missing(of="gateway", every=5 * MINUTE)))
    made.accept(made.on_batch(columns(), [said(0, online=True)]))
    assert story([tick(made, 30)]) == []  # the shortest interval of its devices is ten minutes
    assert story([tick(made, 31)]) == [("gateway/g", "firing", "first-breach", 30.2)]


# --- composites ---


def composite(identifier: str, *of: str, need: int = 1, **more: Any) -> Rule:
    kind = Composite(of=of, over=more.pop("over", "site"), sites=more.pop("sites", False))
    terms = asked({WARNING: above(need - 1)}, **more)
    return rule(identifier, parameter="", kind=kind, terms=terms)


TIPPED = rule("tipped", parameter="tilt")


@pytest.mark.parametrize(
    ("given", "subjects"),
    [
        pytest.param(composite("c", "full", "tipped", need=2), ["site/lane"], id="all at a site"),
        pytest.param(
            composite("c", "full", "tipped"), ["site/lane", "site/pier"], id="any at a site"
        ),
        pytest.param(
            composite("c", "full", "tipped", need=2, over="device"), ["a"], id="all at a device"
        ),
        pytest.param(
            composite("c", "full", "tipped", need=2, over="district"),
            ["district/d"],
            id="all in a district",
        ),
        pytest.param(
            composite("c", "full", "tipped", need=2, over="city", sites=True),
            ["city"],
            id="at two sites of the city",
        ),
        pytest.param(
            composite("c", "full", "tipped", need=3, over="city", sites=True),
            [],
            id="there are no three",
        ),
    ],
)
def test_a_composite_holds_where_enough_of_its_operands_do(
    given: Rule, subjects: list[str]
) -> None:
    made = engine(given, rule("full"), TIPPED)
    told = settle(made, columns((0, 0, 85.0), (1, 0, 85.0), (2, 0, 85.0)))
    assert [t.subject for t in told.transitions if t.rule == "c"] == subjects
    over = settle(made, columns((0, 1, 5.0), (1, 1, 5.0), (2, 1, 5.0)))
    assert [(t.subject, t.after) for t in over.transitions if t.rule == "c"] == [
        (subject, "resolved") for subject in subjects
    ]


def test_a_composite_of_composites_is_judged_after_them() -> None:
    made = engine(
        composite("top", "both", over="city"),
        composite("both", "full", "tipped", need=2),
        rule("full"),
        TIPPED,
    )
    told = settle(made, columns((0, 0, 85.0), (2, 0, 85.0)))
    assert [t.rule for t in told.transitions] == ["full", "tipped", "both", "top"]


def test_a_composite_has_durations_of_its_own() -> None:
    made = engine(composite("c", "full", "tipped", need=2, hold=5), rule("full"), TIPPED)
    settle(made, columns((0, 0, 85.0), (2, 3, 85.0)))
    assert story([tick(made, 9)], "c") == [("site/lane", "firing", "held", 8)]


def test_what_an_operand_does_by_timer_is_seen() -> None:
    made = engine(composite("c", "full"), rule("full", hold=5))
    settle(made, columns((0, 0, 85.0)))
    assert story([tick(made, 6)]) == [
        ("a/fill_level", "firing", "held", 5),
        ("site/lane", "firing", "first-breach", 5),
    ]


def test_a_composite_ends_when_an_operand_is_taken_out() -> None:
    made = engine(composite("c", "full"), rule("full"))
    settle(made, columns((0, 0, 85.0)))
    change = made.on_change(T0 + MINUTE, rules=[composite("c", "full"), rule("full", version="v2")])
    made.accept(change)
    assert story([change]) == [
        ("a/fill_level", "resolved", "rule-changed", 1),
        ("site/lane", "resolved", "back-in-range", 1),
    ]


# --- storms ---


def test_a_storm_folds_what_is_beyond_the_cap_and_counts_it() -> None:
    made = engine(rule("full", storm=1))
    told = settle(made, columns((0, 0, 85.0), (1, 1, 96.0)))
    assert story([told]) == [
        ("a/fill_level", "firing", "first-breach", 0),
        ("b/fill_level", "firing", "first-breach", 1),
        ("storm", "firing", "storm-began", 1),
    ]
    assert [t.marks for t in told.transitions] == [(), (Mark.FOLDED,), ()]
    assert (told.transitions[2].severity, told.transitions[2].value) == (CRITICAL, 1.0)
    over = settle(made, columns((0, 2, 5.0), (1, 3, 5.0)))
    assert story([over]) == [
        ("a/fill_level", "resolved", "back-in-range", 2),
        ("b/fill_level", "resolved", "back-in-range", 3),
        ("storm", "resolved", "storm-over", 3),
    ]
    assert over.states["full", "storm"] is None


def test_a_storm_is_as_bad_as_the_worst_that_it_folded() -> None:
    made = engine(rule("full", storm=1))
    settle(made, columns((0, 0, 85.0), (1, 1, 85.0)))
    told = settle(made, columns((0, 2, 96.0), (1, 3, 96.0)))
    assert story([told]) == [
        ("a/fill_level", "firing", "worsened", 2),
        ("b/fill_level", "firing", "worsened", 3),
        ("storm", "firing", "worsened", 3),
    ]


# --- changes and actions ---


def test_a_moved_device_ends_its_alerts_and_the_others_go_on() -> None:
    made = engine(rule("full"), composite("c", "full"))
    settle(made, columns((0, 0, 85.0), (1, 0, 85.0)))
    moved = [replace(SERIES[n], site="pier") for n in (0, 2)]
    units = [replace(UNITS[0], site="pier"), UNITS[1]]
    change = made.on_change(T0 + MINUTE, moved=moved, units=units)
    made.accept(change)
    assert story([change]) == [
        ("a/fill_level", "resolved", "device-moved", 1),
        ("site/lane", "resolved", "back-in-range", 1),
    ]
    later = settle(made, columns((0, 2, 85.0), (1, 2, 10.0)))
    assert [(t.subject, t.site, t.after.value) for t in later.transitions if t.rule == "full"] == [
        ("a/fill_level", "pier", "firing"),
        ("b/fill_level", "pier", "resolved"),
    ]


def test_new_rules_take_effect_and_what_did_not_change_goes_on() -> None:
    made = engine(rule("full", hold=5), TIPPED)
    settle(made, columns((0, 0, 85.0), (2, 0, 85.0)))
    change = made.on_change(T0 + MINUTE, rules=[rule("full", hold=5), rule("other", hold=5)])
    assert story([change]) == [("a/tilt", "resolved", "rule-removed", 1)]
    assert change.states["tipped", "a/tilt"] is None
    made.accept(change)
    assert story([tick(made, 6)]) == [("a/fill_level", "firing", "held", 5)]


def test_nothing_changes_before_it_is_committed() -> None:
    made = engine(rule("full"))
    settle(made, columns((0, 0, 85.0)))
    made.on_change(T0 + MINUTE, rules=[])
    assert story([settle(made, columns((0, 2, 5.0)))]) == [
        ("a/fill_level", "resolved", "back-in-range", 2)
    ]


def test_an_action_comes_after_the_timers_that_ran_out_before() -> None:
    made = engine(rule("full", hold=5))
    began = settle(made, columns((0, 0, 85.0)))
    (alert,) = {t.alert for t in began.transitions}
    action = Action(kind=ActionKind.ACKNOWLEDGE, alert=alert, by="nok")
    outcome = made.on_action(action, T0 + 20 * MINUTE)
    assert story([outcome]) == [
        ("a/fill_level", "firing", "held", 5),
        ("a/fill_level", "firing", "acknowledged", 20),
    ]


def test_an_action_about_an_alert_that_nobody_knows_does_nothing() -> None:
    made = engine(rule("full"))
    action = Action(kind=ActionKind.RESOLVE, alert="nothing", by="nok")
    assert made.on_action(action, T0).transitions == ()


def test_alerts_of_a_shadow_are_marked() -> None:
    made = engine(rule("full", shadow=True))
    assert [t.marks for t in settle(made, columns((0, 0, 85.0))).transitions] == [(Mark.SHADOW,)]
