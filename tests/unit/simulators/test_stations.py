"""What simulated devices read: always possible, on ordinary days never alarming, never random."""

import random
from dataclasses import replace

import pytest

from core.catalogue import CATALOGUE
from core.registry import Device
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.coast import Coast
from simulators.events import Event, EventKind
from simulators.sky import sky_at, tide
from simulators.stations import STATIONS, oxygen_capacity

NOON = 1_795_323_600_000_000  # 2026-11-22 12:00 in Phuket
YEAR = range(NOON, NOON + 365 * DAY, 11 * HOUR + 7 * MINUTE)
# What shipped rules and standards call wrong begins beyond these.
ORDINARY = {
    "turbidity": (0, 15),
    "pm25": (0, 30),
    "ph": (7.5, 8.4),
    "dissolved_oxygen": (4.6, 9),
    "fill_level": (0, 95),
    "bin_temperature": (20, 50),
    "battery_level": (30, 100),
    "water_level": (0.3, 3.8),
    "water_temperature": (27, 32),
    "salinity": (25, 34),
}


def one_of(coast: Coast, kind: str) -> Device:
    return next(d for d in coast.devices if coast.sites[d.site].kind == kind)


every_kind = pytest.mark.parametrize("kind", STATIONS)


@every_kind
def test_it_reads_the_same_whenever_and_in_whatever_order_it_is_asked(
    coast: Coast, kind: str
) -> None:
    device = one_of(coast, kind)
    times = [NOON + n * 37 * MINUTE for n in range(60)]
    shuffled = random.Random(1).sample(times, len(times))
    backwards = {time: coast.sample(time, device) for time in shuffled}
    assert [coast.sample(time, device) for time in times] == [backwards[time] for time in times]


@every_kind
def test_it_reads_otherwise_under_another_seed(coast: Coast, kind: str) -> None:
    device = one_of(coast, kind)
    other = replace(coast, chance=Chance(84))
    assert coast.sample(NOON, device) != other.sample(NOON, device)


@every_kind
def test_it_sends_only_what_the_catalogue_knows_within_its_span_all_year(
    coast: Coast, kind: str
) -> None:
    device = one_of(coast, kind)
    for time in YEAR:
        for parameter, value in coast.sample(time, device).values.items():
            low, high = CATALOGUE[parameter].physical
            assert low <= value <= high, (parameter, value)
            low, high = ORDINARY.get(parameter, CATALOGUE[parameter].usual)
            assert low <= value <= high, (parameter, value)


def test_the_tide_has_three_metres_at_springs_and_less_than_half_a_metre_at_neaps() -> None:
    ranges = []
    for day in range(NOON, NOON + 60 * DAY, DAY):
        levels = [tide(time) for time in range(day, day + 25 * HOUR, 10 * MINUTE)]
        ranges.append(max(levels) - min(levels))
    assert 2.7 < max(ranges) < 3.1
    assert min(ranges) < 0.5


def test_the_sun_shines_by_day_and_not_by_night(coast: Coast) -> None:
    device = one_of(coast, "weather")
    noons = [coast.sample(NOON + n * DAY, device).values["solar_radiation"] for n in range(20)]
    nights = [
        coast.sample(NOON + n * DAY + 12 * HOUR, device).values["solar_radiation"]
        for n in range(20)
    ]
    assert max(noons) > 500
    assert max(nights) < 10


def test_neighbours_share_their_rain(coast: Coast) -> None:
    """Kata lies 3 km from Karon, Mai Khao 32 km."""

    def wet(site: str) -> set[int]:
        times = range(NOON, NOON + 120 * DAY, 30 * MINUTE)
        return {t for t in times if sky_at(coast.sites[site], t, coast.chance).rain > 0.5}

    karon, kata, mai_khao = wet("karon-beach"), wet("kata-beach"), wet("mai-khao-beach")
    assert len(karon & kata) > 0.7 * len(karon | kata)
    assert len(karon & mai_khao) < 0.3 * len(karon | mai_khao)


def test_rain_freshens_and_stirs_the_sea_and_cleans_the_air(coast: Coast) -> None:
    probe, street = one_of(coast, "beach"), one_of(coast, "air")
    times = range(NOON, NOON + 300 * DAY, DAY)  # the same hour of each day

    def means(device: Device, parameter: str) -> tuple[float, float]:
        """After rain, and without any."""
        site = coast.sites[device.site]
        wet: list[float] = []
        dry: list[float] = []
        for time in times:
            runoff = sky_at(site, time, coast.chance).runoff
            (wet if runoff > 0.3 else dry).append(coast.sample(time, device).values[parameter])
        return sum(wet) / len(wet), sum(dry) / len(dry)

    def change(device: Device, parameter: str) -> float:
        after_rain, without = means(device, parameter)
        return after_rain - without

    assert change(probe, "salinity") < -0.8
    assert change(probe, "turbidity") > 1
    assert change(street, "pm25") < -2


def test_fine_dust_is_part_of_coarse_dust(coast: Coast) -> None:
    device = one_of(coast, "air")
    for time in YEAR:
        found = coast.sample(time, device).values
        assert found["pm1"] <= found["pm25"] <= found["pm10"]


def test_oxygen_and_its_saturation_agree(coast: Coast) -> None:
    device = one_of(coast, "beach")
    for time in YEAR:
        found = coast.sample(time, device).values
        capacity = oxygen_capacity(found["water_temperature"], found["salinity"])
        expected = found["oxygen_saturation"] / 100 * capacity
        assert found["dissolved_oxygen"] == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(
    ("kind", "event", "parameter", "above"),
    [
        pytest.param("beach", EventKind.PLUME, "turbidity", 40, id="plume"),
        pytest.param("air", EventKind.HAZE, "pm25", 42, id="haze"),
    ],
)
def test_an_event_begins_within_a_minute_stays_at_its_place_and_ends(
    coast: Coast, kind: str, event: EventKind, parameter: str, above: float
) -> None:
    here, there = [d for d in coast.devices if coast.sites[d.site].kind == kind][:2]
    happening = Event(kind=event, site=here.site, start=NOON, end=NOON + HOUR)
    troubled = replace(coast, events=[happening])

    def read(time: int, device: Device) -> float:
        return troubled.sample(time, device).values[parameter]

    assert troubled.sample(NOON, here) == coast.sample(NOON, here)
    assert all(read(NOON + n * MINUTE, here) > above for n in range(1, 61))
    assert troubled.sample(NOON + 2 * HOUR, here) == coast.sample(NOON + 2 * HOUR, here)
    assert troubled.sample(NOON + HOUR // 2, there) == coast.sample(NOON + HOUR // 2, there)
