"""Rules of kind `neighbours` in a whole system: who is compared, and that cuts and restarts change
nothing.
"""

import json
import math
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.neighbourhood import APART
from core.messages import Message
from core.times import HOUR, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

BEACHES = ("north", "middle", "south", "bay")
SITES = "sites:\n" + "".join(
    f"  - {{id: {name}, kind: beach, name: {{en: {name}, th: หาด}}, latitude: {7.8 + n / 50},"
    f" longitude: 98.3, district: kathu}}\n"
    for n, name in enumerate(BEACHES)
)
DEVICES = "gateways:\n  - {id: gw, name: {en: Gateway, th: เกตเวย์}}\ndevices:\n" + "".join(
    f"  - {{id: {name}-1, gateway: gw, site: {name}, since: 2026-01-01}}\n" for name in BEACHES
)
RULES = """
rules:
  - {id: apart, kind: neighbours, name: {en: Apart, th: ต่าง}, select: {kinds: [beach]},
     apart: {info: 4, warning: 8}, for: 2h}
  - {id: warm, kind: threshold, name: {en: Warm, th: อุ่น}, parameter: water_temperature,
     select: {kinds: [beach]}, above: {warning: 31.4}}
"""
CITY = {"sites": SITES, "devices": DEVICES, "rules": RULES}
DAYS, ILL = 5, 34  # quiet days, and hours in which the probe in the middle is wrong


def temperature(beach: int, hour: int, *, wrong: bool) -> float:
    """Water that all beaches share, a little of their own, and what a sensor adds to it."""
    shared = 29 + math.sin(hour / 24 * 2 * math.pi)
    own = random.Random(beach * 10_000 + hour).uniform(-0.1, 0.1)
    return round(shared + 0.2 * beach + own + (2.0 if wrong else 0.0), 2)


def message(beach: int, hour: int) -> Message:
    at = MIDNIGHT + hour * HOUR + beach * 60_000_000
    value = temperature(beach, hour, wrong=beach == 1 and hour >= DAYS * 24)
    body = {
        "device": f"{BEACHES[beach]}-1",
        "time": iso(at),
        "values": {"water_temperature": value},
    }
    return Message(b"andaman/v1/gw/up/readings", json.dumps(body).encode(), at + 1_000_000)


MESSAGES = [message(beach, hour) for hour in range(DAYS * 24 + ILL) for beach in range(4)]


def feed(world: World, messages: Sequence[Message], cut: int = 50) -> World:
    """Settle them in batches of so many."""
    for start in range(0, len(messages), cut):
        batch = messages[start : start + cut]
        world.now = batch[-1].received_at
        world.system.pipeline.settle(batch)
    return world


def told(world: World) -> list[Any]:
    return world.rows(
        "SELECT subject, after, reason, severity, at, value FROM transitions "
        "WHERE rule = 'apart' AND reason NOT IN ('judged', 'confirmed') ORDER BY id"
    )


def learned(world: World) -> list[Any]:
    query = "SELECT subject, body FROM engine_state WHERE rule = ?"
    return world.rows(query.replace("?", f"'{APART.id}'"))


def test_a_probe_that_leaves_the_others_is_told_and_they_are_not(tmp_path: Path) -> None:
    with small_world(tmp_path, CITY) as world:
        feed(world, MESSAGES[: 4 * 24 * DAYS])
        assert told(world) == []
        feed(world, MESSAGES[4 * 24 * DAYS :])
        assert {row[0] for row in told(world)} == {"middle-1/water_temperature"}
        assert [row[1:4] for row in told(world)[:2]] == [
            ("pending", "first-breach", 1),
            ("firing", "held", 1),
        ]
        desk = DeskOf(world)
        (alert,) = desk.get("/v1/alerts?rule=apart")["items"]
        text = desk.get(f"/v1/alerts/{alert['id']}")["explanation"]["text"]
    assert "has left its neighbours, by" in text["en"]
    assert "Beside its neighbours it read" in text["en"]
    assert alert["verdict"]["kind"] == "sensor-fault"


def test_once_it_is_judged_a_fault_what_limits_say_of_its_series_is_muted(tmp_path: Path) -> None:
    with small_world(tmp_path, CITY) as world:
        feed(world, MESSAGES[: 4 * (24 * DAYS + 30)])  # the second noon
        firing = DeskOf(world).get("/v1/alerts?state=firing")["items"]
    by_rule = {alert["rule"]: alert for alert in firing}
    assert by_rule["warm"]["muted_by"] == [{"kind": "inhibition", "id": by_rule["apart"]["id"]}]


@pytest.mark.parametrize(
    ("cut", "restarts"),
    [
        pytest.param(1, (), id="one by one"),
        pytest.param(7, (100, 301, 490), id="with restarts"),
        pytest.param(600, (), id="all at once"),
    ],
)
def test_how_it_comes_changes_nothing(cut: int, restarts: tuple[int, ...], tmp_path: Path) -> None:
    with small_world(tmp_path / "one", CITY) as world:
        feed(world, MESSAGES)
        expected = told(world), learned(world)
    with small_world(tmp_path / "other", CITY) as world:
        for start, end in pairwise([0, *restarts, len(MESSAGES)]):
            feed(world, MESSAGES[start:end], cut)
            if end < len(MESSAGES):
                world.reopen()
                world.system.pipeline.connected(world.now + 1)
        assert (told(world), learned(world)) == expected


def test_weather_that_comes_over_all_of_them_is_no_matter(tmp_path: Path) -> None:
    with small_world(tmp_path, CITY) as world:
        feed(world, MESSAGES[: 4 * 24 * DAYS])
        for hour in range(DAYS * 24, DAYS * 24 + ILL):
            for beach in range(4):
                at = MIDNIGHT + hour * HOUR + beach * 60_000_000
                value = temperature(beach, hour, wrong=True)
                values = {"water_temperature": value}
                body = {"device": f"{BEACHES[beach]}-1", "time": iso(at), "values": values}
                topic = b"andaman/v1/gw/up/readings"
                feed(world, [Message(topic, json.dumps(body).encode(), at + 1_000_000)])
        assert told(world) == []


def test_a_site_that_is_put_elsewhere_on_the_map_has_other_neighbours(tmp_path: Path) -> None:
    with small_world(tmp_path, CITY) as world:
        feed(world, MESSAGES[: 4 * 24 * 3])
        before = learned(world)
        path = world.system.settings.config_dir / "sites.yaml"
        path.write_text(SITES.replace("longitude: 98.3", "longitude: 99.9", 1), encoding="utf-8")
        world.reopen()
        world.system.pipeline.connected(world.now + 1)
        feed(world, MESSAGES[4 * 24 * 3 : 4 * 24 * 4])
        moved = {row[0] for row in before if row in learned(world)}
    assert moved == {"north-1/water_temperature"}
