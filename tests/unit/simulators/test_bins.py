"""Bins fill as people come, and are emptied in time."""

from itertools import pairwise
from statistics import median

import pytest

from core.registry import Site
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.bins import EMPTY_MM, FULL_MM, PLACES, fill_level
from simulators.chance import Chance
from simulators.coast import Coast
from simulators.events import Event, EventKind

MONDAY = 1_795_366_800_000_000  # 2026-11-23 00:00 in Phuket
CHANCE = Chance(83)


def bins_of(coast: Coast) -> list[Site]:
    return [site for site in coast.sites.values() if site.kind == "bin"]


def collections(site: Site, days: int) -> list[tuple[int, float]]:
    """(time, level before) of each time the bin was emptied, to a quarter of an hour."""
    times = range(MONDAY, MONDAY + days * DAY, 15 * MINUTE)
    levels = [(time, fill_level(site, time, CHANCE)) for time in times]
    return [(t, before) for (_, before), (t, after) in pairwise(levels) if after < before]


def test_it_only_rises_until_it_is_emptied(coast: Coast) -> None:
    for site in bins_of(coast):
        assert all(before > 20 for _, before in collections(site, days=14))


def test_bins_are_emptied_about_as_often_as_in_a_real_city(coast: Coast) -> None:
    """Published: a median of 40.8 h, nine in ten between 12.7 and 121.7 h."""
    hours = [
        (after - before) / HOUR
        for site in bins_of(coast)
        for (before, _), (after, _) in pairwise(collections(site, days=28))
    ]
    assert 34 < median(hours) < 48
    assert min(hours) > 12
    assert max(hours) < 125


def test_bins_are_rarely_nearly_full_when_they_are_emptied(coast: Coast) -> None:
    before = [level for site in bins_of(coast) for _, level in collections(site, days=28)]
    assert median(before) > 50
    assert sum(level > 80 for level in before) < 0.02 * len(before)
    assert max(before) < 95


def test_distance_and_fill_level_say_the_same(coast: Coast) -> None:
    device = next(d for d in coast.devices if coast.sites[d.site].kind == "bin")
    for time in range(MONDAY, MONDAY + 3 * DAY, HOUR):
        found = coast.sample(time, device).values
        expected = 100 * (EMPTY_MM - found["distance"]) / (EMPTY_MM - FULL_MM)
        assert found["fill_level"] == pytest.approx(expected, abs=0.51)


def test_every_kind_of_place_is_among_the_shipped_bins(coast: Coast) -> None:
    for word in PLACES:
        assert any(word in site.id for site in bins_of(coast)), word


@pytest.mark.parametrize(
    ("before_end", "low", "high"),
    [
        pytest.param(81 * SECOND, 79, 80, id="just below the warning level"),
        pytest.param(79 * SECOND, 80, 81, id="just above it"),
        pytest.param(1 * SECOND, 96, 97, id="critical in the end"),
        pytest.param(0, 0, 5, id="emptied"),
        pytest.param(-30 * MINUTE, 0, 8, id="nearly empty afterwards"),
    ],
)
def test_a_full_bin_event_fills_the_bin_and_empties_it(
    coast: Coast, before_end: int, low: float, high: float
) -> None:
    end = MONDAY + 20 * HOUR
    for site in bins_of(coast):
        if fill_level(site, end, CHANCE) > 55:
            continue
        event = Event(kind=EventKind.FULL_BIN, site=site.id, start=end - HOUR, end=end)
        assert low <= fill_level(site, end - before_end, CHANCE, [event]) <= high


def test_after_a_full_bin_event_the_ordinary_rounds_return(coast: Coast) -> None:
    site = bins_of(coast)[0]
    event = Event(kind=EventKind.FULL_BIN, site=site.id, start=MONDAY, end=MONDAY + HOUR)
    later = MONDAY + 6 * DAY
    assert fill_level(site, later, CHANCE, [event]) == fill_level(site, later, CHANCE)
