"""Rules of kind `anomaly` in a whole system: what was learned outlives restarts, edits and cuts."""

import json
import math
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.anomaly import layout
from alerts.baselines import BASELINE, LATELY
from core.messages import Message
from core.times import HOUR, MINUTE, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

EVERY = 15 * MINUTE
A_DAY = 96
RULES = """
rules:
  - {id: unlike, kind: anomaly, name: {en: Unlike itself, th: ผิดปกติ}, parameter: pm25,
     sensitivity: {info: %s, warning: low}, for: 20m}
"""


def pm25(number: int) -> float:
    """A quiet place; the same each time that it is asked for."""
    noise = random.Random(number).uniform(-1, 1)
    return 12 + 3 * math.sin(number / A_DAY * 2 * math.pi) + noise


def message(number: int, value: float) -> Message:
    at = MIDNIGHT + number * EVERY
    body = {"device": "air-1", "time": iso(at), "values": {"pm25": round(value, 2)}}
    return Message(b"andaman/v1/gw/up/readings", json.dumps(body).encode(), at + 1_000_000)


DAYS = 4
QUIET = [message(number, pm25(number)) for number in range(DAYS * A_DAY)]
SMOKE = [message(DAYS * A_DAY + number, 34.0) for number in range(5)]


def feed(world: World, messages: Sequence[Message], cut: int = 60) -> World:
    """Settle them in batches of so many."""
    for start in range(0, len(messages), cut):
        batch = messages[start : start + cut]
        world.now = batch[-1].received_at
        world.system.pipeline.settle(batch)
    return world


def told(world: World) -> list[Any]:
    return world.rows(
        "SELECT before, after, reason, severity, at, value FROM transitions "
        "WHERE rule = 'unlike' ORDER BY id"
    )


def learned(world: World) -> list[Any]:
    query = "SELECT rule, subject, body FROM engine_state WHERE rule IN (?) ORDER BY rule"
    return world.rows(query.replace("?", f"'{BASELINE.id}', '{LATELY.id}'"))


def test_it_learns_a_place_and_tells_what_is_unlike_it(tmp_path: Path) -> None:
    with small_world(tmp_path, {"rules": RULES % "normal"}) as world:
        feed(world, QUIET)
        assert told(world) == []
        feed(world, SMOKE)
        assert [(row[1], row[2]) for row in told(world)] == [
            ("pending", "first-breach"),
            ("firing", "held"),
        ]


@pytest.mark.parametrize(
    ("cut", "restarts"),
    [
        pytest.param(1, (), id="one by one"),
        pytest.param(7, (100, 200, 289), id="with restarts"),
        pytest.param(600, (), id="all at once"),
    ],
)
def test_how_it_comes_changes_nothing(cut: int, restarts: tuple[int, ...], tmp_path: Path) -> None:
    messages = [*QUIET, *SMOKE]
    with small_world(tmp_path / "one", {"rules": RULES % "normal"}) as world:
        feed(world, messages)
        expected = told(world), learned(world)
    with small_world(tmp_path / "other", {"rules": RULES % "normal"}) as world:
        edges = [0, *restarts, len(messages)]
        for start, end in pairwise(edges):
            feed(world, messages[start:end], cut)
            if end < len(messages):
                world.reopen()
                world.system.pipeline.connected(world.now + 1)
        assert (told(world), learned(world)) == expected


def test_another_sensitivity_need_not_wait(tmp_path: Path) -> None:
    with small_world(tmp_path, {"rules": RULES % "normal"}) as world:
        feed(world, QUIET)
        known = learned(world)
        path = world.system.settings.config_dir / "rules" / "rules.yaml"
        path.write_text(RULES % "high", encoding="utf-8")
        world.reopen()
        world.system.pipeline.connected(world.now + 1)
        assert learned(world) == known
        feed(world, SMOKE)
        assert told(world)[-1][1] == "firing"


def test_what_is_flagged_teaches_nothing(tmp_path: Path) -> None:
    with small_world(tmp_path, {"rules": RULES % "normal"}) as world:
        feed(world, QUIET[:100])
        before = learned(world)
        feed(world, [message(100 + number, -5.0) for number in range(12)])
        assert learned(world) == before


def test_its_memory_moves_about_once_an_hour(tmp_path: Path) -> None:
    with small_world(tmp_path, {"rules": RULES % "normal"}) as world:
        bodies = set()
        for one in QUIET[:60]:
            feed(world, [one])
            bodies |= {body for rule, _, body in learned(world) if rule == BASELINE.id}
        assert len(bodies) == pytest.approx(60 * EVERY / HOUR, abs=2)
        (_, _, body) = learned(world)[0]
        assert len(body) <= 4_096
        assert layout.read(json.loads(body)["note"]).nbytes <= 4_096


def test_it_tells_what_was_expected_and_what_the_same_hour_read_before(tmp_path: Path) -> None:
    with small_world(tmp_path, {"rules": RULES % "normal"}) as world:
        feed(world, [*QUIET, *SMOKE])
        desk = DeskOf(world)
        story = desk.get("/v1/alerts?rule=unlike")["items"][0]["id"]
        explained = desk.get(f"/v1/alerts/{story}")["explanation"]
    expected = explained["expected"]
    assert 5 < expected["low"] < pm25(DAYS * A_DAY) < expected["high"] < 34
    assert expected["symptom"] in {"leap", "place"}
    assert 0.3 < expected["confidence"] < 0.5
    assert [reading["value"] for reading in expected["before"]] == pytest.approx([12] * 4, abs=5)
    assert "expected now." in explained["text"]["en"]
    assert "At this hour of the 4 days before it read" in explained["text"]["en"]
