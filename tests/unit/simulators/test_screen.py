"""What the demo shows, from answers of the API."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console
from rich.text import Text

from core.times import SECOND
from simulators.screen import View, alert_words, items, look, picture, spark, summary, with_lines

NOW = 1_795_323_600_000_000  # 2026-11-22T05:00:00Z
SITES = [
    {
        "id": "patong-beach",
        "kind": "beach",
        "name": {"en": "Patong Beach", "th": "หาดป่าตอง"},
        "state": "warning",
    },
    {"id": "bin-1", "kind": "bin", "name": {"en": "Old Town", "th": "เมืองเก่า"}, "state": "unknown"},
]
ALERT = {
    "id": "a1",
    "rule": "beach-turbid",
    "name": {"en": "Turbid water", "th": "น้ำทะเลขุ่นผิดปกติ"},
    "subject": "patong-probe-1/turbidity",
    "site": "patong-beach",
    "state": "firing",
    "severity": "warning",
    "started_at": "2026-11-22T04:53:00Z",
    "fired_at": "2026-11-22T04:58:00Z",
    "value": 61.24,
}
LATEST = [
    {"device": "patong-probe-1", "parameter": "water_temperature", "value": 29.44},
    {"device": "patong-probe-1", "parameter": "turbidity", "value": 61.24},
]
STATS = {
    "received": 1500,
    "stored": 1480,
    "duplicate": 15,
    "quarantined": 5,
    "messages_per_second": 9.2,
}


def answer(request: httpx.Request) -> httpx.Response:
    """The API, with two pages of latest readings."""
    path, query = request.url.path, request.url.params
    if path == "/v1/stats":
        return httpx.Response(200, json=STATS)
    if path == "/v1/latest":
        number = int(query.get("cursor", "0"))
        found = [LATEST[number] | {"site": "patong-beach"}]
        return httpx.Response(200, json={"items": found, "next": "1" if number == 0 else None})
    pages: dict[str, list[dict[str, Any]]] = {
        "/v1/sites": SITES,
        "/v1/alerts": [ALERT],
        "/v1/series/patong-probe-1/turbidity": [{"mean": 2.0}, {"mean": 3.0}],
    }
    return httpx.Response(200, json={"items": pages[path], "next": None})


def seen(before: View, handler: Callable[[httpx.Request], httpx.Response] = answer) -> View:
    async def ask() -> View:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(transport=transport, base_url="http://andaman") as api:
            return await with_lines(api, await look(api, before, NOW))

    return asyncio.run(ask())


def drawn(view: View, width: int = 120) -> str:
    console = Console(width=width, record=True, file=None, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        console.print(picture(view, Text("API http://andaman")))
    return capture.get()


def test_it_reads_every_page_of_a_list() -> None:
    async def ask() -> int:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://andaman") as api:
            return len(await items(api, "/v1/latest", kind="beach"))

    assert asyncio.run(ask()) == 2


def test_it_shows_sites_values_alerts_and_counters() -> None:
    text = drawn(seen(View(at=NOW - SECOND)))
    for expected in (
        "Patong Beach",
        "หาดป่าตอง",
        "29.4",
        "61.2 NTU",
        "▁▁█",
        "2 min 00 s",
        "1,500",
        "9 messages/s",
    ):
        assert expected in text, text


def test_a_site_without_readings_has_no_value() -> None:
    assert "–" in next(row for row in drawn(seen(View(at=0))).splitlines() if "Old Town" in row)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_the_width(width: int) -> None:
    lines = drawn(seen(View(at=0)), width).splitlines()
    assert max(Text(line).cell_len for line in lines) <= width


def test_it_counts_readings_per_second_between_two_looks() -> None:
    before = View(at=NOW - 10 * SECOND, stats={"received": 1000})
    assert seen(before).readings_per_second == 50


def test_it_keeps_what_it_saw_when_the_api_fails() -> None:
    good = seen(View(at=NOW - SECOND))
    bad = seen(good, lambda _: httpx.Response(503))
    assert bad.sites == good.sites
    assert "does not answer" in bad.problem
    assert "does not answer" in drawn(bad)


def test_it_says_in_one_line_what_came_in_and_what_fires() -> None:
    view = seen(View(at=NOW - SECOND))
    assert summary(view) == "received 1,500 = stored 1,480 + duplicate 15 + quarantined 5"
    assert alert_words(view) == "1 firing: warning beach-turbid at patong-beach"
    assert alert_words(View(at=NOW)) == "no alert is firing"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        pytest.param([], "", id="nothing yet"),
        pytest.param([5.0, 5.0], "▁▁", id="constant"),
        pytest.param([0, 50, 100], "▁▅█", id="rising"),
        pytest.param([5.0, 5.1], "▁▁", id="less than worth showing"),
    ],
)
def test_it_draws_a_line_of_bars(values: list[float], line: str) -> None:
    assert spark(values, least_span=2) == line
