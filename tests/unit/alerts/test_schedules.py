"""When a rule is in force, in the city's time: hours, days, season, holidays."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from alerts.schedules import Day, Schedule
from core.times import to_micros

BANGKOK = ZoneInfo("Asia/Bangkok")
NIGHT = ((time(18), time(6)),)
WORK = frozenset(range(5))


def at(text: str) -> int:
    """A local time of Bangkok as µs."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=BANGKOK))


@pytest.mark.parametrize(
    ("schedule", "moment", "closes"),
    [
        pytest.param(
            Schedule(zone=BANGKOK, hours=((time(8), time(17)),)),
            "2026-11-23T08:00",
            "2026-11-23T17:00",
            id="the first moment belongs to it",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, hours=((time(8), time(17)),)),
            "2026-11-23T17:00",
            None,
            id="the last does not",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, hours=NIGHT),
            "2026-11-24T05:59",
            "2026-11-24T06:00",
            id="over midnight",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, hours=NIGHT, days=frozenset({4})),
            "2026-11-28T05:00",
            "2026-11-28T06:00",
            id="the night of Friday lasts into Saturday",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, hours=NIGHT, days=frozenset({4})),
            "2026-11-27T05:00",
            None,
            id="and does not begin on Thursday",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, days=WORK),
            "2026-11-24T12:00",
            "2026-11-28T00:00",
            id="whole days that touch are one stretch",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, season=(Day(11, 1), Day(4, 30))),
            "2026-12-31T12:00",
            "2027-05-01T00:00",
            id="a season over New Year",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, season=(Day(11, 1), Day(4, 30))),
            "2026-10-31T12:00",
            None,
            id="out of season",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, holidays="only", country="TH"),
            "2026-04-13T12:00",
            "2026-04-16T00:00",
            id="Songkran",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, days=WORK, holidays="except", country="TH"),
            "2026-04-13T12:00",
            None,
            id="no working day",
        ),
        pytest.param(
            Schedule(zone=BANGKOK, hours=((time(6), time(9)), (time(9), time(10)))),
            "2026-11-23T07:00",
            "2026-11-23T10:00",
            id="stretches that touch",
        ),
    ],
)
def test_it_tells_when_the_stretch_ends(
    schedule: Schedule, moment: str, closes: str | None
) -> None:
    assert schedule.closes(at(moment)) == (None if closes is None else at(closes))


@pytest.mark.parametrize(
    ("schedule", "moment", "opens"),
    [
        (Schedule(zone=BANGKOK, hours=NIGHT), "2026-11-24T07:00", "2026-11-24T18:00"),
        (Schedule(zone=BANGKOK, hours=NIGHT), "2026-11-24T19:00", "2026-11-24T19:00"),
        (Schedule(zone=BANGKOK, days=WORK), "2026-11-28T12:00", "2026-11-30T00:00"),
        (
            Schedule(zone=BANGKOK, holidays="only", country="TH"),
            "2026-11-22T12:00",
            "2026-12-05T00:00",
        ),
    ],
)
def test_it_tells_when_it_opens_next(schedule: Schedule, moment: str, opens: str) -> None:
    assert schedule.opens(at(moment)) == at(opens)


def test_one_that_is_always_open_closes_in_a_far_future() -> None:
    closes = Schedule(zone=BANGKOK).closes(at("2026-11-22T12:00"))
    assert closes is not None
    assert closes > at("2028-11-22T12:00")


def test_one_that_is_never_open_opens_in_a_far_future() -> None:
    never = Schedule(zone=BANGKOK, season=(Day(2, 30), Day(2, 30)))
    assert never.opens(at("2026-11-22T12:00")) > at("2028-11-22T12:00")


def test_a_clock_that_is_changed_loses_no_hour() -> None:
    berlin = Schedule(zone=ZoneInfo("Europe/Berlin"), hours=((time(1), time(4)),))
    before = to_micros(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert berlin.closes(before) == to_micros(datetime(2026, 3, 29, 2, tzinfo=UTC))
