"""LINE's messages of the month: critical finds some left, the others wait or go by mail."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from alerts.notify.line_budget import Course, courses, forecast
from core.notices import LineMonth
from core.times import to_micros

ZONE = ZoneInfo("UTC")
MIDDLE = to_micros(datetime(2026, 11, 16, tzinfo=UTC))
SEND, DIGEST, EMAIL = Course.SEND, Course.DIGEST, Course.EMAIL


def month(limit: int | None, used: int, at: int = MIDDLE) -> LineMonth:
    return LineMonth(limit=limit, used=used, at=at)


@pytest.mark.parametrize(
    ("stands", "expected"),
    [
        pytest.param(None, [SEND, SEND, SEND], id="nothing known"),
        pytest.param(month(None, 9999), [SEND, SEND, SEND], id="no limit"),
        pytest.param(month(300, 0), [SEND, SEND, SEND], id="nothing used"),
        pytest.param(month(300, 90), [SEND, SEND, SEND], id="at a pace for 180, info's share"),
        pytest.param(month(300, 91), [DIGEST, SEND, SEND], id="more than info's share"),
        pytest.param(month(300, 121), [DIGEST, DIGEST, SEND], id="more than warning's share"),
        pytest.param(month(300, 180), [EMAIL, DIGEST, SEND], id="info's share is spent"),
        pytest.param(month(300, 240), [EMAIL, EMAIL, SEND], id="warning's share is spent"),
        pytest.param(month(300, 299), [EMAIL, EMAIL, SEND], id="one left for what is critical"),
        pytest.param(month(300, 300), [EMAIL, EMAIL, EMAIL], id="nothing left"),
        pytest.param(month(0, 0), [EMAIL, EMAIL, EMAIL], id="a plan without messages"),
    ],
)
def test_each_severity_has_its_share(stands: LineMonth | None, expected: Sequence[Course]) -> None:
    assert list(courses(stands, MIDDLE, ZONE).values()) == expected


def test_what_was_said_of_last_month_counts_no_more() -> None:
    december = to_micros(datetime(2026, 12, 1, tzinfo=UTC))
    assert set(courses(month(300, 300), december, ZONE).values()) == {SEND}
    assert set(courses(month(300, 300), december, ZoneInfo("America/Lima")).values()) == {EMAIL}


@pytest.mark.parametrize(
    ("at", "used", "expected"),
    [
        pytest.param(datetime(2026, 11, 1, 0, 1, tzinfo=UTC), 3, 90, id="first minute"),
        pytest.param(datetime(2026, 11, 2, tzinfo=UTC), 3, 90, id="after a day"),
        pytest.param(datetime(2026, 11, 16, tzinfo=UTC), 100, 200, id="half of it"),
        pytest.param(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), 100, 100, id="last second"),
        pytest.param(datetime(2028, 2, 15, 12, tzinfo=UTC), 50, 100, id="leap year"),
    ],
)
def test_the_month_is_forecast_by_its_pace(at: datetime, used: int, expected: int) -> None:
    assert forecast(month(300, used, to_micros(at)), ZONE) == expected
