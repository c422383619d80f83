"""The life of an alert, as tables: readings in, changes out. Times are minutes of event time."""

import math
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.levels import Levels, above, below
from alerts.lifecycle import GRACE, Change, Sample, Watch, elapse, step
from alerts.rules import Terms
from alerts.schedules import Schedule
from core.alerts import Mark, Reason, Severity, State
from core.times import MINUTE, SECOND


def terms(
    *, hold: int = 0, clear_hold: int = 0, sign: int = 1, clear: float | None = None, **more: Any
) -> Terms:
    """Above 80 and 95, or below 4 and 2."""
    spans = {Severity.WARNING: above(80.0), Severity.CRITICAL: above(95.0)}
    if sign < 0:
        spans = {Severity.WARNING: below(4.0), Severity.CRITICAL: below(2.0)}
    ends = spans[Severity.WARNING] if clear is None else (above if sign > 0 else below)(clear)
    return Terms(
        levels=Levels(spans=spans, clear=ends),
        hold=hold * MINUTE,
        clear_hold=clear_hold * MINUTE,
        **more,
    )


def live(given: Terms, *readings: tuple[float, float]) -> tuple[Watch | None, list[Change]]:
    """Judge (minute, value) readings that each arrive a second after they were measured."""
    watch: Watch | None = None
    changes: list[Change] = []
    for minute, value in readings:
        at = round(minute * MINUTE)
        watch, more = step(watch, given, Sample(at, at + SECOND, value))
        changes += more
    return watch, changes


def told(changes: list[Change]) -> list[tuple[str, str, str, float]]:
    return [(c.after.value, c.severity.label, c.reason.value, c.at / MINUTE) for c in changes]


FIRED = ("firing", "warning", "first-breach", 0)


@pytest.mark.parametrize(
    ("given", "readings", "expected"),
    [
        pytest.param(terms(), [(0, 80)], [], id="at the level is not beyond it"),
        pytest.param(terms(), [(0, 81)], [FIRED], id="no duration: fires at once"),
        pytest.param(
            terms(),
            [(0, 81), (1, 80)],
            [FIRED, ("resolved", "warning", "back-in-range", 1)],
            id="without a clear level the level itself is clear",
        ),
        pytest.param(
            terms(clear=60),
            [(0, 81), (1, 70), (2, 81), (3, 60)],
            [FIRED, ("resolved", "warning", "back-in-range", 3)],
            id="between level and clear level it stays",
        ),
        pytest.param(
            terms(clear=75),
            [(0, 81), (1, 96), (2, 91), (3, 90)],
            [FIRED, ("firing", "critical", "worsened", 1), ("firing", "warning", "eased", 3)],
            id="severity goes up at once and comes down with the clear level's margin",
        ),
        pytest.param(
            terms(hold=5),
            [(0, 81), (4, 81)],
            [("pending", "warning", "first-breach", 0)],
            id="pending until the duration is over",
        ),
        pytest.param(
            terms(hold=5),
            [(0, 81), (5, 81)],
            [("pending", "warning", "first-breach", 0), ("firing", "warning", "held", 5)],
            id="fires when a reading at the end of the duration still breaches",
        ),
        pytest.param(
            terms(hold=5),
            [(0, 81), (5, 79)],
            [("pending", "warning", "first-breach", 0), ("resolved", "warning", "not-held", 5)],
            id="a good reading at the very end of the duration ends it",
        ),
        pytest.param(
            terms(hold=5),
            [(0, 81), (9, 79)],
            [
                ("pending", "warning", "first-breach", 0),
                ("firing", "warning", "held", 5),
                ("resolved", "warning", "back-in-range", 9),
            ],
            id="a value holds until the next reading says otherwise",
        ),
        pytest.param(
            terms(hold=5),
            [(0, 81), (2, 70), (3, 81), (7, 81)],
            [
                ("pending", "warning", "first-breach", 0),
                ("resolved", "warning", "not-held", 2),
                ("pending", "warning", "first-breach", 3),
            ],
            id="the duration begins again after a break",
        ),
        pytest.param(
            terms(clear_hold=5),
            [(0, 81), (1, 70), (4, 79), (6, 70)],
            [FIRED, ("resolved", "warning", "back-in-range", 6)],
            id="clear for long enough",
        ),
        pytest.param(
            terms(clear_hold=5, clear=75),
            [(0, 81), (1, 70), (4, 79), (6, 70)],
            [FIRED],
            id="a reading above the clear level begins the clear duration again",
        ),
        pytest.param(
            terms(sign=-1),
            [(0, 4.0), (1, 3.9), (2, 1.5), (3, 4.0)],
            [
                ("firing", "warning", "first-breach", 1),
                ("firing", "critical", "worsened", 2),
                ("resolved", "critical", "back-in-range", 3),
            ],
            id="below",
        ),
    ],
)
def test_it_lives_by_the_readings(
    given: Terms, readings: list[tuple[float, float]], expected: list[tuple[object, ...]]
) -> None:
    _, changes = live(given, *readings)
    assert told(changes) == expected


def test_a_timer_speaks_when_the_duration_ends_in_silence() -> None:
    given = terms(hold=5)
    watch, _ = live(given, (0, 81))
    assert watch is not None
    received = watch.heard_at
    early, nothing = elapse(watch, given, received + 5 * MINUTE)
    assert (early, nothing) == (watch, [])
    fired, changes = elapse(watch, given, received + 5 * MINUTE + GRACE)
    assert fired is not None
    assert fired.state is State.FIRING
    assert changes[0].at == 5 * MINUTE
    assert changes[0].reason is Reason.HELD


def test_old_readings_that_come_in_a_burst_start_no_timer_early() -> None:
    given = terms(hold=5)
    now = 10_000 * MINUTE
    watch, _ = step(None, given, Sample(0, now, 81.0))
    assert watch is not None
    assert elapse(watch, given, now + MINUTE)[1] == []


def test_before_is_none_only_for_the_first_change() -> None:
    _, changes = live(terms(hold=5), (0, 81), (6, 81), (7, 70))
    assert [c.before for c in changes] == [None, State.PENDING, State.FIRING]


# --- silence ---

STALE = 20 * MINUTE
SOME_HOUR = 60


def test_an_alert_whose_data_stop_goes_stale_and_never_ends_by_silence() -> None:
    given = terms(clear_hold=60, stale_after=STALE)
    watch, _ = live(given, (0, 81), (5, 70))
    assert watch is not None
    stale, (change,) = elapse(watch, given, watch.heard_at + 100 * SOME_HOUR * MINUTE)
    assert (change.reason, change.at / MINUTE) == (Reason.DATA_STOPPED, 25)
    assert change.marks == (Mark.STALE,)
    assert stale is not None
    assert elapse(stale, given, watch.heard_at + 1000 * SOME_HOUR * MINUTE) == (stale, [])


@pytest.mark.parametrize(
    ("given", "readings", "expected"),
    [
        pytest.param(
            terms(hold=30, stale_after=STALE),
            [(0, 81), (60, 82), (69, 82), (71, 82)],
            [
                ("pending", "warning", "first-breach", 0),
                ("pending", "warning", "data-stopped", 20),
                ("pending", "warning", "data-back", 60),
                ("firing", "warning", "held", 70),
            ],
            id="a pending alert goes on from where its timer stood still",
        ),
        pytest.param(
            terms(hold=10, stale_after=STALE),
            [(0, 81), (60, 82)],
            [
                ("pending", "warning", "first-breach", 0),
                ("firing", "warning", "held", 10),
                ("firing", "warning", "data-stopped", 20),
                ("firing", "warning", "data-back", 60),
            ],
            id="a timer that runs out before is not stopped",
        ),
        pytest.param(
            terms(clear_hold=30, stale_after=STALE),
            [(0, 81), (5, 70), (65, 70), (74, 70), (76, 70)],
            [
                FIRED,
                ("firing", "warning", "data-stopped", 25),
                ("firing", "warning", "data-back", 65),
                ("resolved", "warning", "back-in-range", 75),
            ],
            id="so does a run of clear values",
        ),
        pytest.param(
            terms(stale_after=STALE),
            [(0, 81), (60, 60)],
            [
                FIRED,
                ("firing", "warning", "data-stopped", 20),
                ("firing", "warning", "data-back", 60),
                ("resolved", "warning", "back-in-range", 60),
            ],
            id="the reading that comes back may end it",
        ),
        pytest.param(
            terms(hold=30, stale_after=STALE),
            [(0, 81), (60, 70)],
            [
                ("pending", "warning", "first-breach", 0),
                ("pending", "warning", "data-stopped", 20),
                ("pending", "warning", "data-back", 60),
                ("resolved", "warning", "not-held", 60),
            ],
            id="also one that is pending",
        ),
        pytest.param(
            terms(), [(0, 81), (600, 81)], [FIRED], id="without stale_after nothing goes stale"
        ),
    ],
)
def test_timers_stand_still_while_data_are_missing(
    given: Terms, readings: list[tuple[float, float]], expected: list[tuple[object, ...]]
) -> None:
    _, changes = live(given, *readings)
    assert told(changes) == expected


def test_something_of_which_there_is_no_value_ends_silence_and_judges_nothing() -> None:
    given = terms(stale_after=STALE)
    _, changes = live(given, (0, 81), (15, math.nan), (30, math.nan), (60, math.nan))
    assert [c.reason.value for c in changes] == ["first-breach", "data-stopped", "data-back"]


# --- flapping ---


def flapping(minutes: list[int]) -> list[tuple[float, float]]:
    """A breach at each of these minutes, clear a minute later."""
    return [reading for minute in minutes for reading in ((minute, 81.0), (minute + 1, 50.0))]


def test_an_alert_that_ends_too_often_is_held_open_and_says_so() -> None:
    _, changes = live(terms(), *flapping([0, 5, 10, 15, 20, 25]), (54.5, 50.0), (57, 50.0))
    reasons = [c.reason.value for c in changes]
    assert reasons.count("first-breach") == 4
    assert reasons[6:] == ["first-breach", "flapping", "back-in-range"]
    assert [c.marks for c in changes[7:]] == [(Mark.FLAPPING,), ()]
    assert changes[-1].at == 56 * MINUTE  # clear since 26, for half an hour


def test_ends_that_are_an_hour_old_count_no_more() -> None:
    _, changes = live(terms(), *flapping([0, 20, 40, 60, 80]))
    assert {c.reason.value for c in changes} == {"first-breach", "back-in-range"}


def test_how_often_is_too_often_is_the_rules_choice() -> None:
    given = terms(flap_times=2, flap_within=10 * MINUTE)
    _, changes = live(given, *flapping([0, 5]), (11.5, 50.0))
    assert [c.reason.value for c in changes][3:] == ["flapping", "back-in-range"]
    assert changes[-1].at == 11 * MINUTE


def test_ends_are_forgotten_after_an_hour() -> None:
    watch, _ = live(terms(), *flapping([0]))
    assert watch is not None
    assert not watch.open
    assert elapse(watch, terms(), watch.ended_at + 60 * MINUTE - 1) == (watch, [])
    assert elapse(watch, terms(), watch.ended_at + 60 * MINUTE) == (None, [])


# --- schedules ---

NIGHT = Schedule(zone=ZoneInfo("UTC"), hours=((time(1), time(2)),))  # 60 to 120 minutes


@pytest.mark.parametrize(
    ("given", "readings", "expected"),
    [
        pytest.param(
            terms(schedule=NIGHT),
            [(70, 81), (119, 81), (120, 81)],
            [
                ("firing", "warning", "first-breach", 70),
                ("resolved", "warning", "out-of-schedule", 120),
            ],
            id="it ends with the schedule",
        ),
        pytest.param(terms(schedule=NIGHT), [(30, 81), (40, 70)], [], id="nothing opens outside"),
        pytest.param(
            terms(schedule=NIGHT),
            [(50, 81), (65, 82)],
            [("firing", "warning", "first-breach", 60)],
            id="a value that holds opens an alert when the schedule opens",
        ),
        pytest.param(
            terms(schedule=NIGHT, hold=10),
            [(50, 81), (75, 82)],
            [
                ("pending", "warning", "first-breach", 60),
                ("firing", "warning", "held", 70),
            ],
            id="and begins its duration then",
        ),
        pytest.param(
            terms(schedule=NIGHT, stale_after=5 * MINUTE),
            [(50, 81), (65, 70)],
            [],
            id="unless it is too old",
        ),
        pytest.param(
            terms(schedule=NIGHT),
            [(110, 81), (1499, 81), (1501, 82)],
            [
                ("firing", "warning", "first-breach", 110),
                ("resolved", "warning", "out-of-schedule", 120),
                ("firing", "warning", "first-breach", 1500),
            ],
            id="what goes on opens another the next night",
        ),
        pytest.param(
            terms(schedule=NIGHT, clear_hold=20),
            [(90, 81), (110, 50), (125, 50)],
            [
                ("firing", "warning", "first-breach", 90),
                ("resolved", "warning", "out-of-schedule", 120),
            ],
            id="a run of clear values does not outlast it",
        ),
        pytest.param(
            terms(schedule=NIGHT, hold=60),
            [(110, 81), (125, 81)],
            [
                ("pending", "warning", "first-breach", 110),
                ("resolved", "warning", "out-of-schedule", 120),
            ],
            id="nor does a pending alert",
        ),
    ],
)
def test_it_lives_in_its_schedule(
    given: Terms, readings: list[tuple[float, float]], expected: list[tuple[object, ...]]
) -> None:
    _, changes = live(given, *readings)
    assert told(changes) == expected


def test_a_schedule_ends_an_alert_by_timer() -> None:
    given = terms(schedule=NIGHT)
    watch, _ = live(given, (70, 81))
    assert watch is not None
    (over, changes) = elapse(watch, given, watch.heard_at + 50 * MINUTE + GRACE)
    assert [c.reason for c in changes] == [Reason.OUT_OF_SCHEDULE]
    assert over is not None
    assert over.opens == 1500 * MINUTE
