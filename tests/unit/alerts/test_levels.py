"""Levels as spans: what breaches, what is clear, when a severity is left."""

import pytest

from alerts.levels import Levels, Span, above, below
from core.alerts import Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
ABOVE = Levels(spans={WARNING: above(80), CRITICAL: above(95)}, clear=above(60))
BELOW = Levels(spans={WARNING: below(4), CRITICAL: below(2)}, clear=below(5))
OUTSIDE = Levels(
    spans={INFO: Span(7.2, 8.3), WARNING: Span(7, 8.5), CRITICAL: Span(6, 9)}, clear=Span(7.3, 8.2)
)


@pytest.mark.parametrize(
    ("levels", "value", "severity"),
    [
        (ABOVE, 80, None),
        (ABOVE, 80.1, WARNING),
        (ABOVE, 95, WARNING),
        (ABOVE, 95.1, CRITICAL),
        (BELOW, 4, None),
        (BELOW, 3.9, WARNING),
        (BELOW, 1.9, CRITICAL),
        (OUTSIDE, 7.2, None),
        (OUTSIDE, 7.19, INFO),
        (OUTSIDE, 8.6, WARNING),
        (OUTSIDE, 5.9, CRITICAL),
        (OUTSIDE, 9.1, CRITICAL),
    ],
)
def test_the_worst_span_that_a_value_is_out_of_decides(
    levels: Levels, value: float, severity: Severity | None
) -> None:
    assert levels.breached(value) is severity


@pytest.mark.parametrize(
    ("levels", "value", "clear"),
    [
        (ABOVE, 60, True),
        (ABOVE, 60.1, False),
        (BELOW, 5, True),
        (BELOW, 4.9, False),
        (OUTSIDE, 7.3, True),
        (OUTSIDE, 7.25, False),
        (OUTSIDE, 8.25, False),
    ],
)
def test_it_is_clear_inside_the_clear_span_with_its_ends(
    levels: Levels, value: float, clear: bool
) -> None:
    assert levels.is_clear(value) is clear


@pytest.mark.parametrize(
    ("levels", "value", "severity", "left"),
    [
        pytest.param(ABOVE, 75.1, CRITICAL, CRITICAL, id="within the margin of 20"),
        pytest.param(ABOVE, 75.0, CRITICAL, WARNING, id="out of it"),
        pytest.param(ABOVE, 61.0, WARNING, WARNING, id="the mildest stays until it is clear"),
        pytest.param(BELOW, 2.9, CRITICAL, CRITICAL, id="below, within the margin of 1"),
        pytest.param(BELOW, 3.0, CRITICAL, WARNING, id="below, out of it"),
        pytest.param(OUTSIDE, 6.05, CRITICAL, CRITICAL, id="each side has its own margin"),
        pytest.param(OUTSIDE, 6.2, CRITICAL, WARNING, id="one step milder"),
        pytest.param(OUTSIDE, 7.15, CRITICAL, INFO, id="two steps milder"),
    ],
)
def test_a_severity_is_left_with_the_margin_of_the_clear_span(
    levels: Levels, value: float, severity: Severity, left: Severity
) -> None:
    assert levels.eased(value, severity) is left


def test_it_tells_the_side_and_the_level_there() -> None:
    assert OUTSIDE.beyond(6.5, WARNING) == ("below", 7)
    assert OUTSIDE.beyond(8.6, WARNING) == ("above", 8.5)
    assert ABOVE.beyond(10, WARNING) == ("above", 80)
    assert BELOW.beyond(10, CRITICAL) == ("below", 2)
