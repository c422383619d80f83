"""A device with a wrong clock: its times stay what they are, and somebody is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.times import HOUR, MINUTE, SECOND
from tests.desk import DeskOf
from tests.world import World, small_world

FIRING = ("device-clock", "firing", "first-breach")
RESOLVED = ("device-clock", "resolved", "back-in-range")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


def report(world: World, first: int, last: int, *, behind: int, device: str = "bin-1") -> None:
    """One message a minute, from minute to minute of the day."""
    for minute in range(first, last):
        world.at(f"{minute // 60:02}:{minute % 60:02}:30")
        world.publish(device, measured=world.now - behind, tilt=float(minute))


def test_it_is_told_shown_and_ends_when_the_clock_is_set_right(world: World) -> None:
    report(world, 0, 10, behind=HOUR)
    assert world.transitions() == [FIRING]
    ((subject, value),) = world.rows("SELECT subject, value FROM transitions")
    assert (subject, round(value)) == ("device/bin-1", 3600)
    desk = DeskOf(world)
    clock = desk.get("/v1/devices/bin-1")["clock"]
    assert clock["offset_seconds"] == pytest.approx(3600, abs=0.1)
    assert (clock["samples"], clock["steady"]) == (10, True)
    assert clock["since"] == "2026-11-22T00:00:00Z"
    metrics = desk.http.get("/metrics", headers={"Authorization": f"Bearer {desk.admin}"}).text
    assert 'andaman_device_clock_offset_seconds{device="bin-1"} 3600.0' in metrics
    assert world.rows("SELECT DISTINCT received_at - measured_at > 3599000000 FROM readings") == [
        (1,)
    ]
    report(world, 10, 30, behind=SECOND)
    world.at("00:31")
    assert world.transitions() == [FIRING, RESOLVED]


def test_a_clock_that_is_ahead_is_told_although_its_readings_are_refused(world: World) -> None:
    report(world, 0, 10, behind=-7 * HOUR)
    assert world.counters()["stored"] == 0
    assert world.transitions() == [FIRING]


def test_a_clock_that_is_off_a_little_is_shown_and_not_told(world: World) -> None:
    report(world, 0, 20, behind=MINUTE)
    assert world.transitions() == []
    clock = DeskOf(world).get("/v1/devices/bin-1")["clock"]
    assert clock["offset_seconds"] == pytest.approx(60, abs=0.1)


def test_a_restart_neither_ends_the_alert_nor_begins_another(world: World) -> None:
    report(world, 0, 10, behind=HOUR)
    world.restart()
    report(world, 10, 30, behind=HOUR)
    assert world.transitions() == [FIRING]
    world.restart()
    report(world, 30, 34, behind=SECOND)
    assert world.transitions() == [FIRING]  # too little was heard since
    report(world, 34, 40, behind=SECOND)
    assert world.transitions() == [FIRING, RESOLVED]


def test_the_alert_of_a_device_that_is_gone_ends(world: World) -> None:
    report(world, 0, 10, behind=HOUR)
    path = world.system.settings.config_dir / "devices.yaml"
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in text if "bin-1" not in line), encoding="utf-8")
    world.restart().at("00:12")
    assert world.transitions() == [FIRING, RESOLVED]


def test_nothing_is_known_of_a_clock_at_first(world: World) -> None:
    report(world, 0, 3, behind=HOUR)
    desk = DeskOf(world)
    assert desk.get("/v1/devices/bin-1")["clock"] is None
    assert desk.get("/v1/devices/odd")["status"] == 404
