"""Completeness, uptime and flags by device and day."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.access import Role
from core.times import DAY, HOUR, MINUTE
from tests.service import NOW, Service

PATH = "/v1/quality/daily"
MIDNIGHT = NOW - HOUR  # 2026-11-22T00:00:00Z


def days(served: Service, **asked: Any) -> list[Any]:
    """The items for Bangkok, where it is 8 in the morning of 22 November."""
    http = served.with_context(
        zone=ZoneInfo("Asia/Bangkok"), intervals={"probe": 10 * MINUTE, "other": HOUR}
    )
    response = http.get(PATH, params=asked, headers=served.headers())
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()["items"]
    return found


def test_a_day_begins_at_midnight_of_the_city(served: Service) -> None:
    begin = MIDNIGHT - 7 * HOUR
    served.store((0, begin - 1, 1.0, 1), (0, begin, 2.0, 1), (1, begin, 2.0, 4), (0, NOW - 1, 3, 3))
    yesterday, today = days(served, device="buoy", **{"from": "2026-11-21"})
    assert (yesterday["day"], yesterday["received"], yesterday["expected"]) == (
        "2026-11-21",
        1,
        144,
    )
    assert today == {
        "device": "buoy",
        "site": "bay",
        "day": "2026-11-22",
        "interval": 600.0,
        "expected": 48,
        "received": 2,
        "completeness": 0.0417,
        "uptime": 0.0625,
        "longest_gap": 28799.999999,
        "readings": 3,
        "flags": {"good": 0.3333, "not_evaluated": 0.0, "suspect": 0.3333, "fail": 0.3333},
    }


def test_it_gives_the_last_seven_days_of_all_devices(served: Service) -> None:
    served.store((2, NOW - DAY, 1.0, 1))
    found = days(served)
    assert [(f["device"], f["day"][-2:]) for f in found] == [
        (device, str(day)) for device in ("buoy", "mast") for day in range(16, 23)
    ]
    assert [f["received"] for f in found if f["device"] == "mast"] == [0, 0, 0, 0, 0, 1, 0]
    assert found[0]["flags"] is None


def test_what_nobody_said_is_null(served: Service) -> None:
    served.store((0, NOW - MINUTE, 1.0, 1))
    (today,) = served.get(PATH, Role.VIEWER, device="buoy", **{"from": "2026-11-22"})["items"]
    assert (today["expected"], today["completeness"], today["uptime"]) == (None, None, None)
    assert (today["interval"], today["received"], today["longest_gap"]) == (None, 1, 3540.0)


def test_it_is_never_more_than_complete(served: Service) -> None:
    served.store(*[(0, MIDNIGHT + n * MINUTE, 1.0, 1) for n in range(60)])
    (today,) = days(served, device="buoy", **{"from": "2026-11-22"})
    assert (today["received"], today["completeness"]) == (60, 1.0)


def test_days_after_today_are_left_out(served: Service) -> None:
    found = days(served, device="buoy", **{"from": "2026-11-21", "to": "2027-01-01"})
    assert [f["day"] for f in found] == ["2026-11-21", "2026-11-22"]


def test_the_present_may_be_midnight(served: Service) -> None:
    http = served.with_context(clock=lambda: MIDNIGHT)
    (found,) = http.get(
        PATH, params={"device": "buoy", "from": "2026-11-21"}, headers=served.headers()
    ).json()["items"]
    assert (found["day"], found["longest_gap"]) == ("2026-11-21", 86400.0)


def test_a_page_holds_whole_devices(served: Service) -> None:
    assert [[i["device"] for i in page] for page in served.pages(PATH, limit=10)] == [
        ["buoy"] * 7,
        ["mast"] * 7,
    ]


def test_a_device_that_left_the_configuration_takes_nothing_from_another(served: Service) -> None:
    served.store((0, NOW - MINUTE, 1.0, 1), (2, NOW - MINUTE, 1.0, 1))
    with served.ledger.transaction() as connection:
        connection.exec_driver_sql("UPDATE series SET device = 'candle' WHERE id = 2")
    found = served.get(PATH, Role.OFFICER, **{"from": "2026-11-22"})["items"]
    assert [(f["device"], f["received"]) for f in found] == [("buoy", 1), ("mast", 0)]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        pytest.param(
            {"from": "2026-11-20", "to": "2026-11-19"}, "from", "not be after", id="order"
        ),
        pytest.param({"from": "2026-11-23"}, "from", "in the future", id="future"),
        pytest.param({"from": "2026-10-22"}, "from", "more than 31 days", id="too long"),
        pytest.param({"from": "yesterday"}, "from", "date", id="no date"),
        pytest.param({"to": "0001-01-01"}, "to", "1970", id="before our time"),
        pytest.param({"device": "boy"}, "device", "not known", id="an unknown device"),
        pytest.param({"device": "a b"}, "device", "should match", id="no id"),
    ],
)
def test_it_says_what_is_wrong_with_a_question(
    served: Service, asked: Any, field: str, words: str
) -> None:
    problem = served.refused(PATH, **asked)
    assert (problem["status"], problem["field"]) == (400, field)
    assert words in problem["detail"]
