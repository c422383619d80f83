"""What all stations under one sky share: the sun, showers, the air's heat and the tide.

Everything is a pure function of place, times and chance. The numbers are ours, chosen so that a
year looks like Phuket's (about 2,450 mm of rain on 190 days; tides of 3 m at springs and under
0.5 m at neaps); none is a measurement.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.chance import Chance
from simulators.events import FELT, EventKind, Happenings, km, part_within

UTC_OFFSET = 7 * HOUR  # Phuket has no summer time

# Showers that begin on one day anywhere over the island, January to December: the south-west
# monsoon rains from May to October, November is the change.
SHOWERS = (0.4, 0.3, 0.6, 1.5, 2.7, 2.4, 2.5, 2.7, 3.3, 3.1, 2.0, 0.8)
STORM_PEAK = 70.0  # mm/h of a storm that is an event

# Amplitude in m, speed in degrees an hour. The amplitudes are ours: S2 is larger than the real one,
# so that it nearly cancels M2 at neaps. All four are highest at HIGH_WATER, soon after a new moon.
TIDE = ((0.80, 28.9841042), (0.64, 30.0), (0.07, 15.0410686), (0.03, 13.9430356))  # M2 S2 K1 O1
HIGH_WATER = 947_302_200 * SECOND  # 2000-01-08 10:30 in Phuket
MEAN_LEVEL = 2.0  # m above the lowest water

# How long rain is felt: on the ground, in the air, in the sea. What is older than ten times as long
# is forgotten.
WET, WASHED, RUNOFF = 90 * MINUTE, 5 * HOUR, 9 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Shower:
    """A cell of rain: where, when, how wide (km) and how hard (mm/h at its middle)."""

    start: int
    duration: int
    latitude: float
    longitude: float
    radius: float
    peak: float

    def share(self, site: Site) -> float:
        """How much of the peak falls at `site`, 0 to 1."""
        distance = km(site.latitude - self.latitude, site.longitude - self.longitude)
        return part_within(distance, self.radius)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The weather at one place at many times, a column for each quantity.

    `hour` and `weekday` (Monday 0) are local · `season` 0 to 1 is the part of the year · `sunlight`
    W/m² · `daylight` 0 to 1, the sun's height without clouds · `cloud` 0 to 1 · `rain` mm/h ·
    `runoff` 0 to 1, rain that reaches the sea, for hours · `flood` what of it comes in torrents, 0
    to 1 · `washed` 0 to 1, how clean rain left the air · `temperature` and `dew_point` °C.
    """

    hour: FloatColumn
    weekday: IntColumn
    season: FloatColumn
    sunlight: FloatColumn
    daylight: FloatColumn
    cloud: FloatColumn
    rain: FloatColumn
    runoff: FloatColumn
    flood: FloatColumn
    washed: FloatColumn
    temperature: FloatColumn
    dew_point: FloatColumn


def sky_at(site: Site, times: IntColumn, chance: Chance, happenings: Happenings) -> Sky:
    """The weather at `site` and `times` (µs, in order)."""
    hour, season = local_hour(times), season_of(times)
    rain, (wet, washed, runoff) = _rain(site, times, chance, happenings)
    soaked = _saturating(wet, 4)
    cloud = np.minimum(1.0, 0.35 + 0.3 * chance.drift(times, 3 * HOUR, "cloud") + 0.65 * soaked)
    daylight = np.maximum(0.0, _sun_height(site, times, season))
    afternoon = np.cos(2 * np.pi * (hour - 14) / 24)
    warmth = 27.7 + 0.8 * np.cos(2 * np.pi * (season - 0.29)) + 0.5 * _weather(site, times, chance)
    temperature = warmth + (3.6 - 1.6 * cloud) * afternoon - 2.6 * soaked
    dew_point = 24.2 + 0.7 * chance.drift(times, 9 * HOUR, "dew") + 0.5 * soaked
    mist = 0.7 + 0.4 * chance.drift(times, 2 * HOUR, "mist", site.id)
    passing = 1 - 0.3 * cloud * (1 + chance.drift(times, 12 * MINUTE, "passing", site.id))
    return Sky(
        hour=hour,
        weekday=local_day(times) % 7,
        season=season,
        sunlight=1040 * daylight**1.15 * (1 - 0.7 * cloud**1.5) * passing,
        daylight=daylight,
        cloud=cloud,
        rain=rain,
        runoff=_saturating(runoff, 14),
        flood=_saturating(np.maximum(0.0, runoff - 90), 40),
        washed=_saturating(washed, 5),
        temperature=temperature,
        dew_point=np.minimum(dew_point, temperature - mist),
    )


def local_hour(times: IntColumn) -> FloatColumn:
    """Hour of the day on Phuket's clocks, 0 to 24."""
    return (times + UTC_OFFSET) % DAY / HOUR


def local_day(times: IntColumn) -> IntColumn:
    """Days on Phuket's calendar since a Monday."""
    return (times + UTC_OFFSET) // DAY + 3  # 1970 began on a Thursday


def season_of(times: IntColumn) -> FloatColumn:
    """The part of the year that is over, 0 to 1."""
    return times / (365.2425 * DAY) % 1


def tide(times: IntColumn) -> FloatColumn:
    """Water level in m above the lowest water."""
    hours = (times - HIGH_WATER) / HOUR
    waves = (a * np.cos(math.radians(speed) * hours) for a, speed in TIDE)
    return sum(waves, start=np.full(len(times), MEAN_LEVEL))


def _sun_height(site: Site, times: IntColumn, season: FloatColumn) -> FloatColumn:
    """Sine of the sun's elevation (declination only: minutes do not matter here)."""
    declination = math.radians(-23.44) * np.cos(2 * np.pi * (season + 10 / 365))
    turn = 2 * np.pi * ((times % DAY / HOUR + site.longitude / 15) / 24 - 0.5)
    latitude = math.radians(site.latitude)
    level = math.sin(latitude) * np.sin(declination)
    return level + math.cos(latitude) * np.cos(declination) * np.cos(turn)


def _weather(site: Site, times: IntColumn, chance: Chance) -> FloatColumn:
    """Warm and cool days, common to the coast with a little of the place's own."""
    shared = chance.drift(times, 30 * HOUR, "warmth")
    gentle = chance.drift(times, 7 * HOUR, "warmth", site.id)
    return 0.7 * shared + 0.2 * gentle + 0.3 * chance.drift(times, 25 * MINUTE, "puff", site.id)


def _rain(
    site: Site, times: IntColumn, chance: Chance, happenings: Happenings
) -> tuple[FloatColumn, list[FloatColumn]]:
    """mm/h, and the mm that still count after `WET`, `WASHED` and `RUNOFF`."""
    memories = (WET, WASHED, RUNOFF)
    rain, recent = np.zeros(len(times)), [np.zeros(len(times)) for _ in memories]
    for start, duration, peak in _falls(site, times, chance, happenings):
        end = start + duration
        first, last = np.searchsorted(times, [start, end + 10 * max(memories)]).tolist()
        if first == last:
            continue
        felt = slice(first, last)
        part = np.minimum(1.0, (times[felt] - start) / duration)
        rain[felt] += peak * np.sin(np.pi * part) ** 2
        fallen = part / 2 - np.sin(2 * np.pi * part) / (4 * np.pi)
        fallen *= peak * duration / HOUR
        dry = np.maximum(0, times[felt] - end)
        for amount, memory in zip(recent, memories, strict=True):
            amount[felt] += fallen * np.exp(-dry / memory)
    return np.where(rain > 0.05, rain, 0.0), recent


def _falls(
    site: Site, times: IntColumn, chance: Chance, happenings: Happenings
) -> Iterator[tuple[int, int, float]]:
    """Start, duration and mm/h at its height of each rain that may be felt at `site` then."""
    first, last = local_day(times[[0, -1]]).tolist()
    for day in range(first - 5, last + 1):
        for shower in _showers(day, chance):
            if (share := shower.share(site)) > FELT:
                yield shower.start, shower.duration, share * shower.peak
    for event, share in happenings.near(site, EventKind.RUN_OFF):
        yield event.start, event.end - event.start, share * event.strength * STORM_PEAK


@lru_cache(maxsize=2048)
def _showers(day: int, chance: Chance) -> tuple[Shower, ...]:
    """The showers that begin on a `local_day`."""
    midnight = (day - 3) * DAY - UTC_OFFSET
    month = int(season_of(np.array([midnight]))[0] * 12)
    count = _poisson(SHOWERS[month], chance.uniform("showers", day))
    return tuple(_shower(midnight, chance, (day, number)) for number in range(count))


def _shower(midnight: int, chance: Chance, key: tuple[int, int]) -> Shower:
    """Most showers come in the afternoon, when the island is hot."""
    if chance.uniform("afternoon", *key) < 0.6:
        hour = (15.5 + 2.2 * chance.normal("hour", *key)) % 24
    else:
        hour = chance.between(0, 24, "hour", *key)
    return Shower(
        start=midnight + round(hour * HOUR),
        duration=round(chance.between(20, 110, "duration", *key) * MINUTE),
        latitude=chance.between(7.74, 8.21, "latitude", *key),
        longitude=chance.between(98.25, 98.45, "longitude", *key),
        radius=chance.between(4, 11, "radius", *key),
        peak=6 + 74 * chance.uniform("peak", *key) ** 2,
    )


def _poisson(expected: float, part: float) -> int:
    """The count at `part` (0 to 1) of a Poisson distribution."""
    count, probability = 0, math.exp(-expected)
    reached = probability
    while part > reached and count < 40:
        count += 1
        probability *= expected / count
        reached += probability
    return count


def _saturating(amount: FloatColumn, scale: float) -> FloatColumn:
    return 1 - np.exp(-amount / scale)
