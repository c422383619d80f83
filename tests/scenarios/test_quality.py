"""Flags as the whole system gives them: revised, restarted, looked up, forwarded and replayed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.times import MINUTE
from ingest.quality.table import objections
from tests.world import MIDNIGHT, World, small_world
from verifying import Past


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    nobody = "http://127.0.0.1:9"  # listens there
    with small_world(tmp_path, influx_url=nobody, influx_token="x") as made:
        yield made


def flags(world: World) -> list[int]:
    return [flag for (flag,) in world.rows("SELECT flag FROM readings ORDER BY measured_at")]


def revisions(world: World) -> list[Any]:
    return world.rows("SELECT flag_before, flag, cause FROM revisions ORDER BY id")


def lines(world: World) -> list[str]:
    rows = world.rows("SELECT lines FROM outflow ORDER BY id")
    return [line for (text,) in rows for line in bytes(text).decode().split("\n")]


@pytest.mark.parametrize("restarts", [False, True], ids=["in one run", "with restarts"])
def test_a_spike_is_suspect_and_fails_when_the_next_reading_comes(
    world: World, *, restarts: bool
) -> None:
    for minute, value in enumerate([10.0, 10.5, 500.0, 10.2, 10.4]):
        world.at(f"00:{5 * minute:02}").publish("air-1", pm25=value)
        if restarts:
            world.restart()
    assert flags(world) == [1, 1, 4, 1, 1]
    assert revisions(world) == [(3, 4, "next-reading")]
    ((code,),) = world.rows("SELECT tests FROM readings WHERE value = 500.0")
    assert objections(code) == {"spike": "fail"}
    at = MIDNIGHT + 10 * MINUTE
    told = [line for line in lines(world) if line.endswith(f"{at * 1000}")]
    assert [("pm25=" in line, line.split("pm25_flag=")[1][0]) for line in told] == [
        (True, "3"),
        (False, "4"),
    ]


def test_a_step_that_stays_is_good_again_in_influx_as_well(world: World) -> None:
    for minute, value in enumerate([10.0, 10.5, 200.0, 200.5]):
        world.at(f"00:{5 * minute:02}").publish("air-1", pm25=value)
    assert revisions(world) == [(3, 1, "next-reading")]
    assert any(" pm25_flag=1i " in line for line in lines(world))


def test_a_late_reading_is_judged_among_those_that_are_stored(world: World) -> None:
    for minute in range(0, 60, 5):
        world.at(f"00:{minute:02}").publish("air-1", pm25=10.0)
    world.restart().at("01:00")
    world.publish("air-1", measured=MIDNIGHT + 12 * MINUTE, pm25=300.0)
    assert dict(world.rows("SELECT value, flag FROM readings")) == {10.0: 1, 300.0: 4}
    assert revisions(world) == []


def test_a_late_reading_may_change_what_was_said_of_its_follower(world: World) -> None:
    world.at("00:00").publish("air-1", pm25=10.0)
    world.at("00:20").publish("air-1", pm25=200.0)
    world.publish("air-1", measured=MIDNIGHT + 15 * MINUTE, pm25=199.0)
    assert revisions(world) == [(3, 1, "late-reading")]
    assert world.rows("SELECT flag FROM latest") == [(1,)]


def test_rules_saw_the_flag_on_arrival_and_so_does_a_replay(world: World) -> None:
    rules = ("first-breach", "held")
    world.at("00:00").publish("air-1", pm25=10.0)
    world.at("00:05").publish("air-1", pm25=90.0)  # suspect: drives nothing
    world.at("00:10").publish("air-1", pm25=91.0)
    world.restart().at("00:15").publish("air-1", pm25=92.0)
    world.publish("air-1", measured=world.now - 2 * MINUTE, pm25=92.0)
    world.at("00:20").publish("air-1", pm25=92.5)
    folders = world.system.settings
    past = Past(folders.data_dir, folders.lateness_minutes * MINUTE)
    recorded = past.recorded()
    assert tuple(t.reason for told in recorded.values() for t in told) == rules
    assert next(iter(recorded.values()))[0].at == MIDNIGHT + 10 * MINUTE
    assert past.replayed(chunk=1)[0] == recorded
    past.close()
