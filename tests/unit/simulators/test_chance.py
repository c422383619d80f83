"""Chance that can be asked again, and what neighbours have in common."""

from dataclasses import replace

import numpy as np
import pytest

from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.clock import about
from simulators.coast import Coast
from simulators.places import apart, nearby

CHANCE = Chance(83)
MANY = np.arange(50_000)
TIMES = 1_795_323_600_000_000 + np.arange(0, 300 * DAY, 37 * MINUTE)


def test_its_numbers_are_evenly_spread_and_its_normals_normal() -> None:
    even, normal = CHANCE.uniforms(MANY, "even"), CHANCE.normals(MANY, "normal")
    assert np.percentile(even, [0, 25, 50, 75, 100]) == pytest.approx(
        [0, 0.25, 0.5, 0.75, 1], abs=0.01
    )
    assert [normal.mean(), normal.std()] == pytest.approx([0, 1], abs=0.02)
    assert (np.abs(normal) < 1.96).mean() == pytest.approx(0.95, abs=0.005)


def test_numbers_that_follow_each_other_have_nothing_in_common() -> None:
    for found in (CHANCE.uniforms(MANY, "a"), CHANCE.normals(MANY * DAY, "b")):
        assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    other = Chance(84).uniforms(MANY, "a")
    assert abs(np.corrcoef(CHANCE.uniforms(MANY, "a"), other)[0, 1]) < 0.02


def test_one_number_is_the_same_in_any_column() -> None:
    assert CHANCE.uniforms(MANY, "x")[17] == CHANCE.uniforms(MANY[17:18], "x")[0]


def test_a_drift_wanders_without_leaps_between_its_bounds() -> None:
    curve = CHANCE.drift(np.arange(0, 1000 * HOUR, MINUTE), 5 * HOUR, "curve")
    assert -1 <= curve.min() < -0.9
    assert 0.9 < curve.max() <= 1
    assert np.abs(np.diff(curve)).max() < 0.011  # 1.5 times 2 in five hours


def test_neighbours_have_the_more_in_common_the_closer_they_are(coast: Coast) -> None:
    def likeness(one: str, other: str) -> float:
        here, there = (nearby(coast.sites[s], TIMES, 2 * HOUR, CHANCE, "x") for s in (one, other))
        return float(np.corrcoef(here, there)[0, 1])

    assert apart(coast.sites["karon-beach"], coast.sites["kata-beach"]) < 3
    assert likeness("karon-beach", "kata-beach") > 0.85
    assert 0.2 < likeness("karon-beach", "patong-beach") < 0.85
    assert abs(likeness("karon-beach", "mai-khao-beach")) < 0.1


def test_what_neighbours_share_swings_as_much_everywhere(coast: Coast) -> None:
    site = coast.sites["karon-beach"]
    for latitude in np.arange(7.80, 7.88, 0.01):
        moved = nearby(replace(site, latitude=latitude), TIMES, 2 * HOUR, CHANCE, "x")
        assert moved.std() == pytest.approx(0.5, abs=0.06)


def test_an_hour_is_near_another_also_over_midnight() -> None:
    hours = np.array([22.0, 23.5, 1.0, 11.5])
    assert about(hours, 23.5, 1.5) == pytest.approx([0.607, 1, 0.607, 0], abs=0.001)
