"""The life of an alert, as tables: readings in, changes out. Times are minutes of event time."""

import pytest

from alerts.lifecycle import GRACE, Change, Sample, Watch, elapse, step, waited
from alerts.rules import Selection, Threshold, breached, eased, is_clear
from core.model import MINUTE, SECOND, Reason, Severity, State

EVERYTHING = Selection(kinds=frozenset(), sites=frozenset(), devices=frozenset())


def rule(
    *, hold: int = 0, clear_hold: int = 0, sign: int = 1, clear: float | None = None
) -> Threshold:
    levels = {Severity.WARNING: 80.0, Severity.CRITICAL: 95.0}
    if sign < 0:
        levels = {Severity.WARNING: 4.0, Severity.CRITICAL: 2.0}
    return Threshold(
        id="r",
        version="v",
        name={"en": "r", "th": "r"},
        parameter="fill_level",
        selection=EVERYTHING,
        sign=sign,
        levels=levels,
        clear=levels[Severity.WARNING] if clear is None else clear,
        hold=hold * MINUTE,
        clear_hold=clear_hold * MINUTE,
        source="",
    )


def live(rule: Threshold, *readings: tuple[float, float]) -> tuple[Watch | None, list[Change]]:
    """Judge (minute, value) readings that each arrive a second after they were measured."""
    watch: Watch | None = None
    changes: list[Change] = []
    for minute, value in readings:
        at = round(minute * MINUTE)
        watch, more = step(watch, rule, Sample(at, at + SECOND, value))
        changes += more
    return watch, changes


def told(changes: list[Change]) -> list[tuple[str, str, str, float]]:
    return [(c.after.value, c.severity.label, c.reason.value, c.at / MINUTE) for c in changes]


FIRED = ("firing", "warning", "first-breach", 0)


@pytest.mark.parametrize(
    ("given", "readings", "expected"),
    [
        pytest.param(rule(), [(0, 80)], [], id="at the level is not beyond it"),
        pytest.param(rule(), [(0, 81)], [FIRED], id="no duration: fires at once"),
        pytest.param(
            rule(),
            [(0, 81), (1, 80)],
            [FIRED, ("resolved", "warning", "back-in-range", 1)],
            id="without a clear level the level itself is clear",
        ),
        pytest.param(
            rule(clear=60),
            [(0, 81), (1, 70), (2, 81), (3, 60)],
            [FIRED, ("resolved", "warning", "back-in-range", 3)],
            id="between level and clear level it stays",
        ),
        pytest.param(
            rule(clear=75),
            [(0, 81), (1, 96), (2, 91), (3, 90)],
            [FIRED, ("firing", "critical", "worsened", 1), ("firing", "warning", "eased", 3)],
            id="severity goes up at once and comes down with the clear level's margin",
        ),
        pytest.param(
            rule(hold=5),
            [(0, 81), (4, 81)],
            [("pending", "warning", "first-breach", 0)],
            id="pending until the duration is over",
        ),
        pytest.param(
            rule(hold=5),
            [(0, 81), (5, 81)],
            [("pending", "warning", "first-breach", 0), ("firing", "warning", "held", 5)],
            id="fires when a reading at the end of the duration still breaches",
        ),
        pytest.param(
            rule(hold=5),
            [(0, 81), (5, 79)],
            [("pending", "warning", "first-breach", 0), ("resolved", "warning", "not-held", 5)],
            id="a good reading at the very end of the duration ends it",
        ),
        pytest.param(
            rule(hold=5),
            [(0, 81), (9, 79)],
            [
                ("pending", "warning", "first-breach", 0),
                ("firing", "warning", "held", 5),
                ("resolved", "warning", "back-in-range", 9),
            ],
            id="a value holds until the next reading says otherwise",
        ),
        pytest.param(
            rule(hold=5),
            [(0, 81), (2, 70), (3, 81), (7, 81)],
            [
                ("pending", "warning", "first-breach", 0),
                ("resolved", "warning", "not-held", 2),
                ("pending", "warning", "first-breach", 3),
            ],
            id="the duration begins again after a break",
        ),
        pytest.param(
            rule(clear_hold=5),
            [(0, 81), (1, 70), (4, 79), (6, 70)],
            [FIRED, ("resolved", "warning", "back-in-range", 6)],
            id="clear for long enough",
        ),
        pytest.param(
            rule(clear_hold=5, clear=75),
            [(0, 81), (1, 70), (4, 79), (6, 70)],
            [FIRED],
            id="a reading above the clear level begins the clear duration again",
        ),
        pytest.param(
            rule(sign=-1),
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
    given: Threshold, readings: list[tuple[float, float]], expected: list[tuple[object, ...]]
) -> None:
    _, changes = live(given, *readings)
    assert told(changes) == expected


def test_a_timer_speaks_when_the_duration_ends_in_silence() -> None:
    given = rule(hold=5)
    watch, _ = live(given, (0, 81))
    assert watch is not None
    received = watch.received_at
    early, nothing = elapse(watch, given, waited(watch, received + 5 * MINUTE))
    assert (early, nothing) == (watch, [])
    fired, changes = elapse(watch, given, waited(watch, received + 5 * MINUTE + GRACE))
    assert fired is not None
    assert fired.state is State.FIRING
    assert changes[0].at == 5 * MINUTE
    assert changes[0].reason is Reason.HELD


def test_old_readings_that_come_in_a_burst_start_no_timer_early() -> None:
    given = rule(hold=5)
    now = 10_000 * MINUTE
    watch, _ = step(None, given, Sample(0, now, 81.0))
    assert watch is not None
    assert elapse(watch, given, waited(watch, now + MINUTE))[1] == []


def test_before_is_none_only_for_the_first_change() -> None:
    _, changes = live(rule(hold=5), (0, 81), (6, 81), (7, 70))
    assert [c.before for c in changes] == [None, State.PENDING, State.FIRING]


@pytest.mark.parametrize(
    ("value", "severity"),
    [(80.0, None), (80.1, Severity.WARNING), (95.0, Severity.WARNING), (95.1, Severity.CRITICAL)],
)
def test_it_takes_the_worst_level_that_is_breached(value: float, severity: Severity | None) -> None:
    assert breached(rule(), value) is severity


def test_a_level_is_left_with_the_margin_of_the_clear_level() -> None:
    given = rule(clear=75)
    assert eased(given, 90.1, Severity.CRITICAL) is Severity.CRITICAL
    assert eased(given, 90.0, Severity.CRITICAL) is Severity.WARNING
    assert is_clear(given, 75.0)
    assert not is_clear(given, 75.1)
