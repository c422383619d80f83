"""Our own clock is set: what comes then is stored in order, judged, and judged so by a replay."""

from pathlib import Path

import pytest

from core.times import DAY, HOUR, MINUTE
from tests.world import World, small_world
from verifying import verify

LATENESS = 15 * MINUTE


def ahead(world: World, by: int) -> World:
    """The clock was right until one o'clock, ahead for a message, and is right again."""
    world.at("01:00").publish("bin-1", fill_level=10)
    world.now += by
    world.publish("bin-2", gateway="other", fill_level=10, measured=world.now - by)
    world.now -= by - MINUTE
    return world


@pytest.mark.parametrize(
    "by", [pytest.param(12 * HOUR, id="12 h"), pytest.param(40 * DAY, id="40 d")]
)
def test_what_comes_after_it_was_set_back_alerts(tmp_path: Path, by: int) -> None:
    with small_world(tmp_path) as world:
        ahead(world, by).publish("bin-1", fill_level=85)
        for minute in range(7):
            world.now += MINUTE
            world.publish("air-1", pm25=50.0 + minute)
        assert world.transitions() == [
            ("bin-full", "firing", "first-breach"),
            ("haze", "pending", "first-breach"),
            ("haze", "firing", "held"),
        ]
    assert verify(tmp_path / "data", LATENESS) == []


def test_what_was_late_before_it_was_set_back_alerts_nobody(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        ahead(world, 12 * HOUR).publish("bin-1", fill_level=85, measured=world.now - HOUR)
        assert world.transitions() == []
    assert verify(tmp_path / "data", LATENESS) == []


def test_once_it_has_caught_up_what_is_late_alerts_nobody(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        ahead(world, 2 * HOUR)
        world.at("03:30").publish("bin-1", fill_level=85, measured=world.now - HOUR)
        assert world.transitions() == []
        world.publish("bin-1", fill_level=85)
        assert world.transitions() == [("bin-full", "firing", "first-breach")]
    assert verify(tmp_path / "data", LATENESS) == []


def test_a_restart_knows_that_it_was_set_back(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        ahead(world, 4 * MINUTE + HOUR).publish("bin-1", fill_level=10)
        world.now += HOUR - MINUTE
        world.restart().publish("bin-1", fill_level=85, measured=world.now - 20 * MINUTE)
        assert world.transitions() == [("bin-full", "firing", "first-breach")]
    assert verify(tmp_path / "data", LATENESS) == []


@pytest.mark.parametrize(
    "behind", [pytest.param(3 * MINUTE, id="3 min"), pytest.param(5 * MINUTE, id="5 min")]
)
def test_a_start_with_a_clock_that_is_a_little_behind_mixes_no_order(
    tmp_path: Path, behind: int
) -> None:
    with small_world(tmp_path) as world:
        world.at("01:00").publish("air-1", pm25=20.0)
        world.now -= behind
        world.restart().publish("air-1", pm25=50.0)  # late: what is newer was judged already
        world.now += behind + MINUTE
        world.publish("air-1", pm25=21.0)
        assert world.transitions() == []
    assert verify(tmp_path / "data", LATENESS) == []
