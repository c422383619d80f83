"""The past of a series: ranges, flags, pages, windows."""

from typing import Any

import pytest

from core.times import DAY, HOUR, MINUTE, iso
from tests.service import NOW, Service, ago

PATH = "/v1/series/buoy/turbidity"


def values(answer: Any) -> list[float]:
    return [item["value"] for item in answer["items"]]


def test_it_gives_the_last_day_by_default(served: Service) -> None:
    rows = [(0, at, float(n), 1) for n, at in enumerate([NOW - DAY - 1, NOW - DAY, NOW - 1, NOW])]
    served.store(*rows)
    answer = served.get(PATH)
    assert values(answer) == [1.0, 2.0]  # with start, without end
    assert answer["items"][0] == {"measured_at": iso(NOW - DAY), "value": 1.0, "flag": 1}
    assert (answer["start"], answer["end"]) == (iso(NOW - DAY), iso(NOW))
    assert (answer["site"], answer["unit"], answer["next"]) == ("bay", "[NTU]", None)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2026-11-22T00:40:00Z", "2026-11-22T00:50:00Z", id="UTC"),
        pytest.param("2026-11-22T07:40:00+07:00", "2026-11-22T07:50:00+07:00", id="local"),
        pytest.param("2026-11-22T07:40:00 07:00", "2026-11-22T07:50:00 0700", id="bare plus"),
        pytest.param("20261122T004000Z", "2026-11-22 00:50Z", id="other forms of ISO 8601"),
    ],
)
def test_it_takes_times_with_any_zone(served: Service, start: str, end: str) -> None:
    served.store(*[(0, ago(m), float(m), 1) for m in (30, 20, 15, 10)])
    assert values(served.get(PATH, start=start, end=end)) == [20.0, 15.0]


def test_it_gives_a_day_before_an_end_that_is_past(served: Service) -> None:
    served.store((0, NOW - 2 * DAY, 1.0, 1), (0, NOW - DAY, 2.0, 1))
    assert values(served.get(PATH, end=iso(NOW - DAY))) == [1.0]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, [1.0, 2.0, 3.0, 4.0], id="any"),
        pytest.param({"flags": "1"}, [1.0], id="one"),
        pytest.param({"flags": "1,2"}, [1.0, 2.0], id="two"),
        pytest.param({"flags": "9"}, [], id="none of them"),
    ],
)
def test_it_gives_only_readings_with_the_flags(
    served: Service, asked: dict[str, Any], expected: list[float]
) -> None:
    served.store(*[(0, ago(10 - flag), float(flag), flag) for flag in (1, 2, 3, 4)])
    assert values(served.get(PATH, **asked)) == expected


def test_pages_of_readings_make_up_the_whole(served: Service) -> None:
    served.store(*[(0, ago(n), float(n), 1) for n in range(1, 8)])
    pages = served.pages(PATH, limit=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [item for page in pages for item in page] == served.get(PATH)["items"]


def test_windows_are_counted_from_1970(served: Service) -> None:
    served.store((0, ago(61), 1.0, 1), (0, ago(60), 2.0, 1), (0, ago(50), 6.0, 1))
    answer = served.get(PATH, every="1h")
    assert answer["every"] == "1h"
    assert answer["items"] == [
        {"start": iso(NOW - 2 * HOUR), "count": 1, "mean": 1.0, "minimum": 1.0, "maximum": 1.0},
        {"start": iso(NOW - HOUR), "count": 2, "mean": 4.0, "minimum": 2.0, "maximum": 6.0},
    ]


def test_pages_of_windows_make_up_the_whole(served: Service) -> None:
    served.store(*[(0, ago(n), float(n), 1) for n in (3, 17, 18, 44, 59)])
    asked: dict[str, Any] = {"start": iso(NOW - HOUR), "every": "5m"}
    pages = served.pages(PATH, **asked, limit=5)
    assert len(pages) == 3  # twelve windows of time, whether or not there is something in them
    assert [item for page in pages for item in page] == served.get(PATH, **asked)["items"]


def test_windows_take_flags_too(served: Service) -> None:
    served.store((0, ago(3), 1.0, 1), (0, ago(2), 99.0, 4))
    (window,) = served.get(PATH, every="1d", flags="1,2")["items"]
    assert (window["count"], window["maximum"]) == (1, 1.0)


def test_a_window_that_never_ends_is_one_window(served: Service) -> None:
    served.store((0, ago(3), 1.0, 1), (0, ago(2), 3.0, 1))
    (window,) = served.get(PATH, every="999999d")["items"]
    assert (window["start"], window["mean"]) == ("1970-01-01T00:00:00Z", 2.0)


def test_paging_through_the_last_day_goes_on_while_time_does(served: Service) -> None:
    served.store((0, NOW - DAY, 1.0, 1), (0, ago(9), 2.0, 1), (0, ago(8), 3.0, 1))
    cursor = served.get(PATH, limit=1)["next"]
    later = served.with_context(clock=lambda: NOW + MINUTE)
    page = later.get(PATH, params={"limit": 1, "cursor": cursor}, headers=served.headers())
    assert values(page.json()) == [2.0]


def test_a_cursor_does_not_leave_its_range(served: Service) -> None:
    served.store(*[(0, ago(n), float(n), 1) for n in range(1, 8)])
    cursor = served.get(PATH, limit=3)["next"]  # after the reading of five minutes ago
    assert values(served.get(PATH, cursor=cursor, start=iso(ago(2)))) == [2.0, 1.0]
    assert values(served.get(PATH, cursor=cursor, end=iso(ago(6)))) == []
