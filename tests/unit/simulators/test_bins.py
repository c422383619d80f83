"""Bins fill as people come, and are emptied in time."""

import numpy as np
import pytest

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators import bins
from simulators.bins import EMPTY_MM, FULL_MM, PLACES
from simulators.chance import Chance
from simulators.coast import Coast
from simulators.events import Event, EventKind, Happenings

MONDAY = 1_795_366_800_000_000  # 2026-11-23 00:00 in Phuket
CHANCE = Chance(83)


def bins_of(coast: Coast) -> list[Site]:
    return [site for site in coast.sites.values() if site.kind == "bin"]


def fill_level(coast: Coast, site: Site, times: IntColumn, *events: Event) -> FloatColumn:
    return bins.fill_level(site, times, CHANCE, Happenings(events, coast.sites))


def collections(coast: Coast, site: Site) -> tuple[FloatColumn, FloatColumn]:
    """Hours between those of a year, and the level before each."""
    collected = bins.collections_between(MONDAY, MONDAY + 365 * DAY, site, CHANCE)
    return np.diff(collected) / HOUR, fill_level(coast, site, collected - SECOND)


def test_it_rises_and_settles_a_little_until_it_is_emptied(coast: Coast) -> None:
    times = np.arange(MONDAY, MONDAY + 14 * DAY, 15 * MINUTE)
    for site in bins_of(coast):
        changes = np.diff(fill_level(coast, site, times))
        emptied = bins.collections_between(MONDAY, MONDAY + 14 * DAY - 15 * MINUTE, site, CHANCE)
        assert (changes < -0.4).sum() == len(emptied)


def test_bins_are_emptied_about_as_often_as_in_a_real_city(coast: Coast) -> None:
    """Edinburgh: a median of 40.8 h, half between 24 and 60 h, nine in ten between 13 and 122 h."""
    hours = np.concatenate([collections(coast, site)[0] for site in bins_of(coast)])
    least, quarter, middle, three, most = np.percentile(hours, [5, 25, 50, 75, 95])
    assert 11 < least < 15
    assert 20 < quarter < 30
    assert 34 < middle < 50
    assert 54 < three < 66
    assert 90 < most < 140


def test_bins_are_not_nearly_full_on_ordinary_days(coast: Coast) -> None:
    levels = np.concatenate([collections(coast, site)[1] for site in bins_of(coast)])
    assert 35 < np.median(levels) < 50
    assert levels.max() < 80


def test_markets_are_busy_at_other_hours_than_beaches(coast: Coast) -> None:
    """How much comes between six and nine in the morning, as a part of what comes by day."""

    def morning(word: str) -> float:
        site = next(site for site in bins_of(coast) if word in site.id)
        days = MONDAY + np.arange(0, 28 * DAY, DAY)
        early, late = (
            np.diff(fill_level(coast, site, np.sort(np.concatenate([days + a, days + b]))))[::2]
            for a, b in ((6 * HOUR, 9 * HOUR), (13 * HOUR, 16 * HOUR))
        )
        return float(np.median(early) / np.median(late))

    assert morning("market") > 1.5
    assert morning("karon-beach") < 0.5


def test_distance_and_fill_level_say_the_same(coast: Coast) -> None:
    device = next(d for d in coast.devices if coast.sites[d.site].kind == "bin")
    found = coast.columns(device, np.arange(MONDAY, MONDAY + 3 * DAY, HOUR))
    expected = 100 * (EMPTY_MM - found["distance"]) / (EMPTY_MM - FULL_MM)
    assert found["fill_level"] == pytest.approx(expected, abs=0.51)


def test_every_kind_of_place_is_among_the_shipped_bins(coast: Coast) -> None:
    for word in PLACES:
        assert any(word in site.id for site in bins_of(coast)), word


def event(kind: EventKind, site: Site, hours: float, strength: float = 1.0) -> Event:
    """One that begins on Monday at 08:00."""
    start = MONDAY + 8 * HOUR
    end = start + round(hours * HOUR)
    return Event(kind=kind, sites=(site.id,), start=start, end=end, strength=strength)


def around(event: Event) -> IntColumn:
    """A minute before its start and its end, and after."""
    moments = (event.start - MINUTE, event.end - MINUTE, event.end + MINUTE)
    return np.array(moments, np.int64)


def test_an_overflow_fills_the_bin_and_the_crew_empties_it_in_the_end(coast: Coast) -> None:
    for site in bins_of(coast):
        rush = event(EventKind.OVERFLOW, site, hours=3)
        before, full, after = fill_level(coast, site, around(rush), rush)
        assert before < 70
        assert full > before + 2.9 * bins.RUSH
        assert after < 4


def test_a_missed_collection_lets_the_bin_fill_on(coast: Coast) -> None:
    for site in bins_of(coast):
        missed = event(EventKind.MISSED_COLLECTION, site, hours=20 * 24)
        times = np.arange(missed.start, missed.end, HOUR)
        levels = fill_level(coast, site, times, missed)
        assert (np.diff(levels) > -0.4).all()
        assert levels[-1] > 95
        assert fill_level(coast, site, around(missed), missed)[-1] < 4


def test_events_at_one_bin_follow_each_other(coast: Coast) -> None:
    site = bins_of(coast)[0]
    missed = event(EventKind.MISSED_COLLECTION, site, hours=200)
    later = Event(
        kind=EventKind.MISSED_COLLECTION, sites=(site.id,), start=missed.end, end=missed.end + DAY
    )
    first, second = (fill_level(coast, site, around(e), missed, later) for e in (missed, later))
    assert first[1] > 95
    assert first[2] < 4
    assert second[1] > second[0] - first[1]
    assert second[2] < 4


def test_a_fire_heats_the_bin_and_burns_what_is_in_it(coast: Coast) -> None:
    device = next(d for d in coast.devices if coast.sites[d.site].kind == "bin")
    site = coast.sites[device.site]
    fire = event(EventKind.BIN_FIRE, site, hours=1)
    burning = Coast(sites=coast.sites, devices=[device], chance=CHANCE, events=[fire])
    times = np.array([fire.start, fire.start + 10 * MINUTE, fire.end - MINUTE, fire.end + 3 * HOUR])
    assert burning.columns(device, times)["bin_temperature"] == pytest.approx(
        coast.columns(device, times)["bin_temperature"] + np.array([0, 157, 170, 0]), abs=8
    )
    assert fill_level(coast, site, times, fire)[2] < 0.25 * fill_level(coast, site, times)[2]


def test_a_tipped_bin_lies_until_it_is_set_up_again(coast: Coast) -> None:
    device = next(d for d in coast.devices if coast.sites[d.site].kind == "bin")
    tipped = event(EventKind.TIPPED_BIN, coast.sites[device.site], hours=5)
    lying = Coast(sites=coast.sites, devices=[device], chance=CHANCE, events=[tipped])
    before, during, after = lying.columns(device, around(tipped))["tilt"]
    assert max(before, after) < 6
    assert during > 80


@pytest.mark.parametrize("kind", bins.CREW_COMES_LATER)
def test_after_an_event_the_ordinary_rounds_return(coast: Coast, kind: EventKind) -> None:
    site = bins_of(coast)[0]
    happened = event(kind, site, hours=30)
    later = np.array([happened.end + 6 * DAY])
    assert fill_level(coast, site, later, happened) == fill_level(coast, site, later)
