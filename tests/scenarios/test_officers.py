"""What is expected of readings at a place, and what officers say of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import CONFIGURATION, World, small_world

PROFILES = """
profiles:
  - id: probe
    quality: {ph: {user_span: [6, 9]}, salinity: {user_span: [20, 36]}}
"""
SITES = CONFIGURATION["sites.yaml"].replace(
    "longitude: 98.2955, district: kathu}",
    "longitude: 98.2955, district: kathu, quality: {ph: {user_span: [7.5, 8.5]}}}",
)
DEVICES = CONFIGURATION["devices.yaml"].replace(
    "site: patong, since: 2026-01-01", "site: patong, since: 2026-01-01, model: probe"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made.at("00:05")


def configure(world: World, **files: str) -> None:
    """Other files take effect with the next start."""
    for name, text in files.items():
        path = world.system.settings.config_dir / f"{name.replace('_', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    world.restart()


def flags(world: World) -> list[int]:
    """Of every reading, in order of time."""
    query = "SELECT flag FROM readings ORDER BY measured_at, series"
    return [flag for (flag,) in world.rows(query)]


def test_a_site_goes_before_a_profile_and_a_profile_before_the_catalogue(world: World) -> None:
    world.publish("patong-1", ph=8.8, salinity=18.0)
    configure(world, profiles_probe=PROFILES, sites=SITES, devices=DEVICES)
    world.at("00:10").publish("patong-1", ph=8.8, salinity=18.0)
    world.at("00:15").publish("patong-1", ph=8.4, salinity=25.0)
    assert flags(world) == [1, 1, 3, 3, 1, 1]
