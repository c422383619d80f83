"""Series as they ought not to be, through a whole system with the rules that ship: no storm of
alerts, no mistake of ours, and no verdict without anything to go by.
"""

import json
import math
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.messages import Message
from core.times import DAY, MINUTE, from_micros, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

ROOT = Path(__file__).resolve().parents[2]
STEP = 30 * MINUTE
SITES = """
sites:
  - {id: patong, kind: air, name: {en: Patong, th: ป่าตอง}, latitude: 7.90, longitude: 98.30,
     district: kathu}
  - {id: kathu, kind: air, name: {en: Kathu, th: กะทู้}, latitude: 7.91, longitude: 98.35,
     district: kathu}
  - {id: town, kind: air, name: {en: Town, th: เมือง}, latitude: 7.88, longitude: 98.39,
     district: mueang}
"""
DEVICES = """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
devices:
  - {id: patong-1, gateway: gw, site: patong, since: 2026-01-01}
  - {id: kathu-1, gateway: gw, site: kathu, since: 2026-01-01}
  - {id: town-1, gateway: gw, site: town, since: 2026-01-01}
"""
STATIONS = ("patong-1", "kathu-1", "town-1")
Reads = Callable[[str, float], float | None]  # a station, on a day: None is nothing


def ordinary(station: str, day: float) -> float:
    """The day's course, what the city has in common, and noise; the same each time."""
    together = random.Random(int(day * 4)).gauss(0, 1)
    noise = random.Random(f"{station} {day:.4f}").gauss(0, 0.7)
    return 14 + 3 * math.sin(day * math.tau) + together + noise


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with whole(tmp_path) as made:
        yield made


@contextmanager
def whole(tmp_path: Path, zone: str = "Asia/Bangkok") -> Iterator[World]:
    rules = (ROOT / "config" / "rules" / "air.yaml").read_text(encoding="utf-8")
    shipped = (ROOT / "config" / "rules" / "devices.yaml").read_text(encoding="utf-8")
    rules += (
        shipped.partition("rules:\n")[2]
        .replace("[air, beach, bin, weather]", "[air]")
        .replace("[air, beach]", "[air]")
    )
    shutil.copytree(ROOT / "config" / "standards", tmp_path / "config" / "standards")
    files = {"sites": f"timezone: {zone}\n{SITES}", "devices": DEVICES, "rules": rules}
    with small_world(tmp_path, files) as made:
        yield made
        assert made.system.engine.disabled == {}
        counters = made.counters()
        assert counters["stored"] == counters["received"] > 0


def live(world: World, days: range, reads: Reads) -> World:
    """So many days as they come, each in a batch of its own."""
    for day in days:
        world.now = MIDNIGHT + (day + 1) * DAY
        world.system.pipeline.settle(list(_messages(day * DAY, reads)))
        world.system.pipeline.tick(world.now)
    return world


def _messages(begin: int, reads: Reads) -> Iterator[Message]:
    for at in range(begin, begin + DAY, STEP):
        for number, station in enumerate(STATIONS):
            value = reads(station, at / DAY)
            if value is not None:
                body = {
                    "device": station,
                    "time": iso(MIDNIGHT + at),
                    "values": {"pm25": round(value, 1)},
                }
                came = MIDNIGHT + at + 1_000_000 + number
                yield Message(b"andaman/v1/gw/up/readings", json.dumps(body).encode(), came)


def fired(world: World) -> dict[tuple[str, str], tuple[int, str]]:
    """(rule, subject) → how many alerts fired, and what the last was judged to be; without rules
    on trial.
    """
    rows = world.rows(
        "SELECT rule, subject, COUNT(*) AS times, verdict FROM alerts WHERE fired_at IS NOT NULL "
        "AND marks NOT LIKE '%shadow%' GROUP BY rule, subject"
    )
    return {(row.rule, row.subject): (row.times, row.verdict) for row in rows}


def a_month_of_haze(station: str, day: float) -> float:
    return ordinary(station, day) * (4 if 5 < day < 35 else 1)


def gone_for_two_weeks(station: str, day: float) -> float | None:
    return None if 10 < day < 25 else ordinary(station, day) + (1 if day > 25 else 0)


def one_is_new_and_another_level(station: str, day: float) -> float | None:
    if station == "town-1":
        return None if day < 15 else 1.5 * ordinary(station, day)
    return ordinary(station, day)


def one_never_moves(station: str, day: float) -> float:
    return 12.0 if station == "patong-1" else ordinary(station, day)


def one_begins_with_haze(station: str, day: float) -> float | None:
    if station == "patong-1":
        return None if day < 2 else 46 + ordinary(station, day)
    return ordinary(station, day)


def by_clocks_of_berlin(station: str, day: float) -> float:
    """Traffic at eight and at six."""
    local = from_micros(MIDNIGHT + round(day * DAY)).astimezone(ZoneInfo("Europe/Berlin"))
    hour = local.hour + local.minute / 60
    traffic = 10 * math.exp(-(((hour - 8) / 1.2) ** 2)) + 8 * math.exp(-(((hour - 18) / 1.5) ** 2))
    return 12 + traffic + random.Random(f"{station} {day:.4f}").gauss(0, 0.7)


def the_first_day_leaps(station: str, day: float) -> float:
    return ordinary(station, day) + (15 if station == "patong-1" and day > 1.2 else 0)


@pytest.mark.parametrize(
    ("days", "reads"),
    [
        pytest.param(
            range(2), the_first_day_leaps, id="a leap after a day, when nothing is usual yet"
        ),
        pytest.param(range(30), gone_for_two_weeks, id="all are gone for two weeks"),
        pytest.param(
            range(25), one_is_new_and_another_level, id="a new one where others have long been"
        ),
    ],
)
def test_no_alert_comes_of_what_is_not_known(days: range, reads: Reads, world: World) -> None:
    assert fired(live(world, days, reads)) == {}


def test_no_alert_comes_of_clocks_that_are_put_forward(tmp_path: Path) -> None:
    march = range(105, 135)  # from the 7th; they change on the 28th
    with whole(tmp_path, "Europe/Berlin") as world:
        assert fired(live(world, march, by_clocks_of_berlin)) == {}


def test_one_that_never_moves_is_called_a_stuck_sensor_and_once(world: World) -> None:
    found = fired(live(world, range(10), one_never_moves))
    assert set(found.values()) == {(1, "sensor-fault")}
    assert {subject for _, subject in found} == {"patong-1/pm25"}


def test_a_month_of_haze_is_an_event_that_does_not_begin_again_and_again(world: World) -> None:
    found = fired(live(world, range(37), a_month_of_haze))
    subjects = {subject for _, subject in found}
    assert subjects == {*(f"{station}/pm25" for station in STATIONS), "city"}
    assert {rule for rule, _ in found} == {"air-haze", "air-haze-everywhere", "air-haze-unusual"}
    assert sum(times for times, _ in found.values()) <= 12
    assert {verdict for _, verdict in found.values()} == {"event"}
    assert world.rows("SELECT 1 FROM alerts WHERE state = 'firing'") == []


def test_of_a_device_that_nobody_knows_yet_it_says_that_it_does_not_know(world: World) -> None:
    """One that begins with haze, beside stations that read nothing special."""
    assert fired(live(world, range(3), one_begins_with_haze)) == {
        ("air-haze", "patong-1/pm25"): (1, "unclear")
    }
    (alert,) = DeskOf(world).get("/v1/alerts")["items"]
    explained: dict[str, Any] = DeskOf(world).get(f"/v1/alerts/{alert['id']}")["explanation"]
    assert explained["expected"] is None
