"""What simulated devices read: always possible, on ordinary days never alarming, never random."""

from dataclasses import replace

import numpy as np
import pytest

from core.catalogue import CATALOGUE
from core.readings import FloatColumn, IntColumn
from core.registry import Device
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.coast import Coast
from simulators.events import EVENTS, Event, EventKind, Happenings
from simulators.sea import oxygen_capacity, tide
from simulators.sky import Sky, sky_at
from simulators.stations import STATIONS

NOON = 1_795_323_600_000_000  # 2026-11-22 12:00 in Phuket
YEAR = np.arange(NOON, NOON + 365 * DAY, 17 * MINUTE)
# What shipped rules and standards call wrong begins beyond these.
ORDINARY = {
    "turbidity": (0, 15),
    "pm25": (0, 30),
    "ph": (7.5, 8.4),
    "dissolved_oxygen": (4.6, 9),
    "fill_level": (0, 95),
    "rain": (0, 90),
    "bin_temperature": (20, 50),
    "battery_level": (30, 100),
    "water_level": (0.3, 3.8),
    "water_temperature": (27, 32),
    "salinity": (25, 34),
}


def one_of(coast: Coast, kind: str) -> Device:
    return next(d for d in coast.devices if coast.sites[d.site].kind == kind)


every_kind = pytest.mark.parametrize("kind", STATIONS)


def sky_over(coast: Coast, site: str, times: IntColumn) -> Sky:
    return sky_at(coast.sites[site], times, coast.chance, Happenings((), coast.sites))


@every_kind
def test_it_reads_the_same_whenever_and_with_whatever_it_is_asked(coast: Coast, kind: str) -> None:
    device = one_of(coast, kind)
    times = NOON + np.arange(60) * 37 * MINUTE
    whole = coast.columns(device, times)
    for some in (slice(0, 1), slice(7, 31), slice(5, None, 11)):
        for parameter, column in coast.columns(device, times[some]).items():
            assert column.tolist() == whole[parameter][some].tolist(), parameter


@every_kind
def test_it_reads_otherwise_under_another_seed(coast: Coast, kind: str) -> None:
    device = one_of(coast, kind)
    other = replace(coast, chance=Chance(84))
    assert coast.sample(NOON, device) != other.sample(NOON, device)


@every_kind
def test_it_sends_only_what_the_catalogue_knows_within_its_span_all_year(
    coast: Coast, kind: str
) -> None:
    for parameter, column in coast.columns(one_of(coast, kind), YEAR).items():
        low, high = CATALOGUE[parameter].physical
        assert low <= column.min() <= column.max() <= high, parameter
        low, high = ORDINARY.get(parameter, CATALOGUE[parameter].usual)
        assert low <= column.min() <= column.max() <= high, parameter


def test_the_tide_has_three_metres_at_springs_and_less_than_half_a_metre_at_neaps() -> None:
    ranges = []
    for day in range(NOON, NOON + 60 * DAY, DAY):
        levels = tide(np.arange(day, day + 25 * HOUR, 10 * MINUTE))
        ranges.append(max(levels) - min(levels))
    assert 2.7 < max(ranges) < 3.1
    assert min(ranges) < 0.5


def test_the_sun_shines_by_day_and_not_by_night(coast: Coast) -> None:
    sky = sky_over(coast, "patong-weather", NOON + np.arange(40) * 12 * HOUR)
    assert sky.sunlight[::2].max() > 500
    assert sky.sunlight[1::2].max() < 10


def test_neighbours_share_their_rain(coast: Coast) -> None:
    """Kata lies 3 km from Karon, Mai Khao 32 km."""
    times = np.arange(NOON, NOON + 120 * DAY, 30 * MINUTE)
    karon, kata, mai_khao = (
        sky_over(coast, f"{name}-beach", times).rain > 0.5 for name in ("karon", "kata", "mai-khao")
    )
    assert (karon & kata).sum() > 0.7 * (karon | kata).sum()
    assert (karon & mai_khao).sum() < 0.3 * (karon | mai_khao).sum()


def test_rain_freshens_and_stirs_the_sea_and_cleans_the_air(coast: Coast) -> None:
    probe, street = one_of(coast, "beach"), one_of(coast, "air")
    times = NOON + np.arange(300) * DAY  # the same hour of each day

    def change(device: Device, parameter: str) -> float:
        """From days without rain to those after it."""
        wet = sky_over(coast, device.site, times).runoff > 0.3
        column = coast.columns(device, times)[parameter]
        return float(column[wet].mean() - column[~wet].mean())

    assert change(probe, "salinity") < -0.8
    assert change(probe, "turbidity") > 1
    assert change(street, "pm25") < -2


def test_fine_dust_is_part_of_coarse_dust(coast: Coast) -> None:
    found = coast.columns(one_of(coast, "air"), YEAR)
    assert (found["pm1"] <= found["pm25"]).all()
    assert (found["pm25"] <= found["pm10"]).all()


def test_oxygen_and_its_saturation_agree(coast: Coast) -> None:
    found = coast.columns(one_of(coast, "beach"), YEAR)
    capacity = oxygen_capacity(found["water_temperature"], found["salinity"])
    expected = found["oxygen_saturation"] / 100 * capacity
    assert found["dissolved_oxygen"] == pytest.approx(expected, abs=0.15)


LASTING = {EventKind.BLOOM: 2 * DAY, EventKind.RUN_OFF: 6 * HOUR}
AT_STATIONS = [kind for kind, effect in EVENTS.items() if "bin" not in effect.touches]


def happening(coast: Coast, kind: EventKind) -> tuple[Event, Device, Coast]:
    """Some of it at the first site that it may name, a device there, the coast with it."""
    device = one_of(coast, next(iter(EVENTS[kind].touches)))
    event = Event(
        kind=kind, sites=(device.site,), start=NOON, end=NOON + LASTING.get(kind, 2 * DAY)
    )
    return event, device, replace(coast, events=[event])


def differences(
    coast: Coast, troubled: Coast, device: Device, times: IntColumn
) -> dict[str, FloatColumn]:
    calm = coast.columns(device, times)
    return {p: column - calm[p] for p, column in troubled.columns(device, times).items()}


@pytest.mark.parametrize("kind", AT_STATIONS)
def test_an_event_changes_what_it_says_it_touches_from_its_start_until_it_has_gone(
    coast: Coast, kind: EventKind
) -> None:
    event, device, troubled = happening(coast, kind)
    during = np.arange(NOON, event.end, 10 * MINUTE)
    changed = differences(coast, troubled, device, during)
    most = {parameter: np.abs(column).max() for parameter, column in changed.items()}
    most.pop("rssi")  # radio minds the rain, which is no reading of it
    touched = set(EVENTS[kind].touches[coast.sites[device.site].kind])
    assert {parameter for parameter in most if most[parameter] > 0.5} <= touched
    gone = event.end + EVENTS[kind].fall
    for outside in (np.arange(NOON - DAY, NOON, HOUR), np.arange(gone, gone + DAY, HOUR)):
        left = differences(coast, troubled, device, outside)
        for parameter in touched:
            assert np.abs(left[parameter]).max() <= 0.05 * most[parameter], parameter


@pytest.mark.parametrize(
    ("kind", "parameter", "least"),
    [
        pytest.param(EventKind.BLOOM, "chlorophyll", 20, id="bloom"),
        pytest.param(EventKind.BLOOM, "ph", 0.4, id="bloom makes alkaline"),
        pytest.param(EventKind.CONSTRUCTION_DUST, "pm10", 150, id="construction dust"),
        pytest.param(EventKind.FIREWORKS, "pm25", 100, id="fireworks"),
        pytest.param(EventKind.HAZE, "pm25", 50, id="haze"),
        pytest.param(EventKind.RUN_OFF, "turbidity", 30, id="run-off"),
        pytest.param(EventKind.RUN_OFF, "salinity", -8, id="run-off freshens"),
        pytest.param(EventKind.SPILL, "turbidity", 50, id="spill"),
        pytest.param(EventKind.SPILL, "dissolved_oxygen", -2, id="spill takes oxygen"),
    ],
)
def test_an_event_of_strength_one_is_seen(
    coast: Coast, kind: EventKind, parameter: str, least: float
) -> None:
    event, device, troubled = happening(coast, kind)
    times = np.arange(NOON, event.end, 10 * MINUTE)
    change = differences(coast, troubled, device, times)[parameter]
    assert change.max() > least if least > 0 else change.min() < least


def test_a_bloom_gives_oxygen_by_day_and_takes_it_at_night(coast: Coast) -> None:
    _, device, troubled = happening(coast, EventKind.BLOOM)
    oxygen = troubled.columns(device, NOON + DAY + np.arange(24) * HOUR)["dissolved_oxygen"]
    assert oxygen.max() > 8.5
    assert oxygen.min() < 4


def test_haze_lies_over_every_station_and_dust_over_one(coast: Coast) -> None:
    here, *others = [d for d in coast.devices if coast.sites[d.site].kind == "air"]
    times = np.arange(NOON + 8 * HOUR, NOON + DAY, HOUR)
    for kind, everywhere in ((EventKind.HAZE, True), (EventKind.CONSTRUCTION_DUST, False)):
        _, _, troubled = happening(coast, kind)
        for other in others:
            change = differences(coast, troubled, other, times)["pm25"]
            assert (change.min() > 20) if everywhere else (change.max() < 1), (kind, other.id)
    assert here.site == happening(coast, EventKind.HAZE)[0].sites[0]


def test_a_spill_is_felt_a_little_down_the_coast_and_not_far_away(coast: Coast) -> None:
    """Karon and Kata lie 3 km apart, Mai Khao 32 km."""
    probe = {d.site: d for d in coast.devices}
    spill = Event(kind=EventKind.SPILL, sites=("karon-beach",), start=NOON, end=NOON + DAY)
    troubled = replace(coast, events=[spill])
    times = np.arange(NOON + HOUR, NOON + DAY, HOUR)
    karon, kata, mai_khao = (
        differences(coast, troubled, probe[f"{name}-beach"], times)["turbidity"].mean()
        for name in ("karon", "kata", "mai-khao")
    )
    assert karon > 50
    assert 3 < kata < 25
    assert mai_khao == 0
