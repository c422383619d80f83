"""The life of an alert, as tables: readings in, changes out. Times are minutes of event time."""

from typing import Any

import pytest

from alerts.levels import Levels, above, below
from alerts.lifecycle import GRACE, Change, Sample, Watch, elapse, step
from alerts.rules import Terms
from core.model import MINUTE, SECOND, Reason, Severity, State


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


@pytest.mark.parametrize(
    ("value", "severity"),
    [(80.0, None), (80.1, Severity.WARNING), (95.0, Severity.WARNING), (95.1, Severity.CRITICAL)],
)
def test_it_takes_the_worst_level_that_is_breached(value: float, severity: Severity | None) -> None:
    assert terms().levels.breached(value) is severity


def test_a_level_is_left_with_the_margin_of_the_clear_level() -> None:
    given = terms(clear=75)
    assert given.levels.eased(90.1, Severity.CRITICAL) is Severity.CRITICAL
    assert given.levels.eased(90.0, Severity.CRITICAL) is Severity.WARNING
    assert given.levels.is_clear(75.0)
    assert not given.levels.is_clear(75.1)
