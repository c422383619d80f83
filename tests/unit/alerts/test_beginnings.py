"""How rules and alerts begin and end beside their values: edits, restarts, schedules, officers."""

from dataclasses import replace
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from alerts.engine import Engine
from alerts.kinds.composite import Composite
from alerts.kinds.missing import Missing
from alerts.levels import above
from alerts.rules import Rule
from alerts.schedules import Schedule
from core.alerts import Action, ActionKind, Mark, Outcome
from core.registry import Former
from core.times import HOUR, MINUTE
from tests.unit.alerts.test_engine import LATENESS, SERIES, T0, columns, rule, settle
from tests.unit.alerts.test_kinds import UNITS, WARNING, asked, engine, story, tick

MORNING = Schedule(zone=ZoneInfo("UTC"), hours=((time(0), time(1)), (time(2), time(3))))
MISSING: dict[str, Any] = {"kind": Missing(every=10 * MINUTE), "parameter": ""}


def silent(name: str = "silent", version: str = "v1") -> Rule:
    return rule(name, version=version, terms=asked({WARNING: above(3)}), **MISSING)


def both(version: str = "v1", **more: Any) -> Rule:
    kind = Composite(of=("full", "silent"), **more)
    return rule("both", version=version, kind=kind, terms=asked({WARNING: above(0)}), parameter="")


def in_the_morning() -> Rule:
    return rule("full", terms=asked({WARNING: above(80)}, schedule=MORNING), stale_after=5 * MINUTE)


def change(made: Engine, minute: float, **what: Any) -> Outcome:
    outcome = made.on_change(T0 + round(minute * MINUTE), **what)
    made.accept(outcome)
    return outcome


def act(made: Engine, alert: str, kind: ActionKind, minute: float, **more: Any) -> Outcome:
    action = Action(kind=kind, alert=alert, by="nok", **more)
    outcome = made.on_action(action, T0 + round(minute * MINUTE))
    made.accept(outcome)
    return outcome


def test_a_composite_that_is_edited_sees_what_holds_already() -> None:
    made = engine(rule("full"), both())
    settle(made, columns((0, 0, 85.0)))
    told = [change(made, 5, rules=[rule("full"), both("v2")]), tick(made, 6)]
    assert story(told) == [
        ("site/lane", "resolved", "rule-changed", 5),
        ("site/lane", "firing", "first-breach", 5),
    ]


def test_silence_from_before_a_rule_was_edited_breaches_when_it_begins() -> None:
    made = engine(silent())
    (before, _) = tick(made, 60).transitions
    told = [change(made, 90, rules=[silent(version="v2")]), tick(made, 91)]
    assert story(told)[-2:] == [
        ("a", "firing", "first-breach", 90),
        ("b", "firing", "first-breach", 90),
    ]
    after = told[1].transitions[0]
    assert (round(after.value, 3), after.alert != before.alert) == (9.1, True)


def test_a_rule_about_silence_that_comes_later_knows_who_was_heard() -> None:
    made = engine(rule("full"))
    settle(made, columns((0, 60, 50.0), (1, 60, 50.0)))
    assert story([change(made, 70, rules=[silent()]), tick(made, 80)]) == []


def test_what_changes_in_one_tick_with_the_end_of_a_rule_is_remembered() -> None:
    made = engine(silent(), rule("hidden", shadow=True))
    states = dict(tick(made, 60).states) | dict(settle(made, columns((0, 60, 85.0))).states)
    again = Engine([silent(version="v2")], LATENESS)
    again.add_series(SERIES)
    again.attend(UNITS)
    kept = {key: state for key, state in states.items() if state is not None}
    again.restore(kept, [], [(T0 - MINUTE, T0 - MINUTE)])
    ended = again.on_resume(T0 + HOUR, T0 + 2 * HOUR)
    again.accept(ended)
    assert [(t.subject, t.reason.value, t.marks) for t in ended.transitions] == [
        ("a/fill_level", "rule-removed", (Mark.SHADOW,)),
        ("b", "rule-changed", ()),
    ]
    assert [key for key, state in tick(again, 121).states.items() if state] == [
        ("silent", "a"),
        ("silent", "b"),
    ]


def test_two_alerts_that_begin_at_one_event_time_have_names_of_their_own() -> None:
    made = engine(rule("full"), both(over="city"))
    first = settle(made, columns((0, 0, 85.0)))
    settle(made, columns((0, 1, 50.0)))
    second = settle(made, columns((1, 0, 85.0), delay=2))
    told = [t for outcome in (first, second) for t in outcome.transitions if t.rule == "both"]
    assert [(t.subject, t.reason.value, t.at) for t in told] == [("city", "first-breach", T0)] * 2
    assert told[0].alert != told[1].alert


def test_a_number_of_sites_counts_nothing_that_is_at_no_site() -> None:
    gone = rule(
        "silent",
        kind=Missing(of="gateway", every=10 * MINUTE),
        terms=asked({WARNING: above(3)}),
        parameter="",
    )
    made = engine(gone, both(over="city", sites=True))
    assert story([tick(made, 60)]) == [("gateway/g", "firing", "first-breach", 29.2)]


def test_what_the_schedule_ended_while_data_were_gone_does_not_wait() -> None:
    made = engine(in_the_morning())
    told = [settle(made, columns((0, 50, 85.0))), tick(made, 58)]
    told.append(settle(made, columns((0, 125, 90.0))))
    assert story(told) == [
        ("a/fill_level", "firing", "first-breach", 50),
        ("a/fill_level", "firing", "data-stopped", 55),
        ("a/fill_level", "resolved", "out-of-schedule", 60),
        ("a/fill_level", "firing", "first-breach", 125),
    ]


def test_a_reading_out_of_order_opens_nothing_where_the_rule_was_not_in_force() -> None:
    made = engine(in_the_morning())
    settle(made, columns((0, 125, 50.0)))
    assert story([settle(made, columns((0, 115, 90.0), late={0}, delay=11))]) == []


def test_the_schedule_ends_what_was_reopened_within_it() -> None:
    made = engine(in_the_morning())
    (fired,) = settle(made, columns((0, 50, 85.0))).transitions
    act(made, fired.alert, ActionKind.RESOLVE, 51)
    act(made, fired.alert, ActionKind.REOPEN, 52)
    assert story([tick(made, 70)])[-1] == ("a/fill_level", "resolved", "out-of-schedule", 60)


def test_a_shelf_ends_at_its_time_whatever_was_measured_when() -> None:
    made = engine(rule("full"))
    (fired,) = settle(made, columns((0, 0, 85.0), delay=10)).transitions
    act(made, fired.alert, ActionKind.SHELVE, 12, until=T0 + 20 * MINUTE)
    assert story([tick(made, 21)]) == [("a/fill_level", "firing", "unshelved", 20)]


def test_a_composite_of_a_device_moves_with_it() -> None:
    made = engine(rule("full"), both(over="device"))
    settle(made, columns((0, 0, 85.0)))
    former = (Former(T0 + 5 * MINUTE, "lane", "bin"),)
    moved = [replace(one, site="pier", former=former) for one in SERIES if one.device == "a"]
    units = [replace(UNITS[0], site="pier"), UNITS[1]]
    change(made, 5, moved=moved, units=units)
    (_, fired) = settle(made, columns((0, 6, 85.0))).transitions
    assert (fired.rule, fired.site) == ("both", "pier")


def test_a_composite_that_is_kept_quiet_speaks_again_once_nothing_held() -> None:
    flaps = asked({WARNING: above(0)}, flap_times=2)
    made = engine(rule("full"), replace(both(), terms=flaps))
    for minute in range(3):  # the second end is held back
        told = settle(made, columns((0, minute, 85.0 if minute % 2 == 0 else 50.0)))
    settle(made, columns((0, 3, 50.0)))
    act(made, told.transitions[-1].alert, ActionKind.RESOLVE, 4)
    last = [settle(made, columns((0, minute, 85.0 - 35 * (minute % 2)))) for minute in (6, 7, 8)]
    assert [(r, at) for s, _, r, at in story(last) if s == "site/lane"] == [("first-breach", 8)]
