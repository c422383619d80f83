"""What all stations under one sky share: the sun, showers, the air's heat and the tide.

Everything is a pure function of place, time and chance. The numbers are ours, chosen so that a year
looks like Phuket's (about 2,450 mm of rain on 190 days; tides of 3 m at springs and under 0.5 m at
neaps); none is a measurement.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.registry import Site
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.chance import Chance, bell

UTC_OFFSET = 7 * HOUR  # Phuket has no summer time

# Showers that begin on one day anywhere over the island, January to December: the south-west
# monsoon rains from May to October, November is the change.
SHOWERS = (0.4, 0.3, 0.6, 1.5, 2.7, 2.4, 2.5, 2.7, 3.3, 3.1, 2.0, 0.8)

# Amplitude in m, speed in degrees an hour. The amplitudes are ours: S2 is larger than the real one,
# so that it nearly cancels M2 at neaps. All four are highest at HIGH_WATER, soon after a new moon.
TIDE = ((0.80, 28.9841042), (0.64, 30.0), (0.07, 15.0410686), (0.03, 13.9430356))  # M2 S2 K1 O1
HIGH_WATER = 947_302_200 * SECOND  # 2000-01-08 10:30 in Phuket
MEAN_LEVEL = 2.0  # m above the lowest water


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
        north = (site.latitude - self.latitude) * 110.6
        east = (site.longitude - self.longitude) * 110.2
        return bell(math.hypot(north, east), self.radius)

    def rate(self, time: int) -> float:
        """mm/h in the middle of the cell."""
        part = (time - self.start) / self.duration
        return self.peak * math.sin(math.pi * part) ** 2 if 0 < part < 1 else 0.0

    def fallen(self, time: int) -> float:
        """What fell since it began, mm in the middle of the cell."""
        part = min(1.0, max(0.0, (time - self.start) / self.duration))
        hours = self.duration / HOUR
        return self.peak * hours * (part / 2 - math.sin(2 * math.pi * part) / (4 * math.pi))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The weather at one place and time.

    `hour` and `weekday` (Monday 0) are local · `season` 0 to 1 is the part of the year · `sunlight`
    W/m² · `daylight` 0 to 1, the sun's height without clouds · `cloud` 0 to 1 · `rain` mm/h ·
    `runoff` 0 to 1, rain that reaches the sea, for hours · `washed` 0 to 1, how clean rain left the
    air · `temperature` and `dew_point` °C.
    """

    hour: float
    weekday: int
    season: float
    sunlight: float
    daylight: float
    cloud: float
    rain: float
    runoff: float
    washed: float
    temperature: float
    dew_point: float


def sky_at(site: Site, time: int, chance: Chance) -> Sky:
    """The weather at `site` and `time` (µs)."""
    hour, season = local_hour(time), season_of(time)
    rain = _rain(site, time, chance)
    wet = _saturating(_recent_rain(site, time, chance, memory=90 * MINUTE), 4)
    cloud = min(1.0, 0.35 + 0.3 * chance.drift(time, 3 * HOUR, "cloud") + 0.65 * wet)
    daylight = max(0.0, _sun_height(site, time, season))
    afternoon = math.cos(2 * math.pi * (hour - 14) / 24)
    warmth = (
        27.7 + 0.8 * math.cos(2 * math.pi * (season - 0.29)) + 0.5 * _weather(site, time, chance)
    )
    temperature = warmth + (3.6 - 1.6 * cloud) * afternoon - 2.6 * wet
    dew_point = 24.2 + 0.7 * chance.drift(time, 9 * HOUR, "dew") + 0.5 * wet
    mist = 0.7 + 0.4 * chance.drift(time, 2 * HOUR, "mist", site.id)
    passing = 1 - 0.3 * cloud * (1 + chance.drift(time, 12 * MINUTE, "passing", site.id))
    return Sky(
        hour=hour,
        weekday=local_weekday(time),
        season=season,
        sunlight=1040 * daylight**1.15 * (1 - 0.7 * cloud**1.5) * passing,
        daylight=daylight,
        cloud=cloud,
        rain=rain,
        runoff=_saturating(_recent_rain(site, time, chance, memory=9 * HOUR), 14),
        washed=_saturating(_recent_rain(site, time, chance, memory=5 * HOUR), 5),
        temperature=temperature,
        dew_point=min(dew_point, temperature - mist),
    )


def local_hour(time: int) -> float:
    """Hour of the day on Phuket's clocks, 0 to 24."""
    return (time + UTC_OFFSET) % DAY / HOUR


def local_weekday(time: int) -> int:
    """Monday 0 to Sunday 6, on Phuket's calendar; 1970 began on a Thursday."""
    return ((time + UTC_OFFSET) // DAY + 3) % 7


def season_of(time: int) -> float:
    """The part of the year that is over, 0 to 1."""
    return time / (365.2425 * DAY) % 1


def tide(time: int) -> float:
    """Water level in m above the lowest water."""
    hours = (time - HIGH_WATER) / HOUR
    return MEAN_LEVEL + sum(a * math.cos(math.radians(speed * hours)) for a, speed in TIDE)


def _sun_height(site: Site, time: int, season: float) -> float:
    """Sine of the sun's elevation (declination only: minutes do not matter here)."""
    declination = math.radians(-23.44) * math.cos(2 * math.pi * (season + 10 / 365))
    solar_hour = time % DAY / HOUR + site.longitude / 15
    turn = math.radians(15 * (solar_hour - 12))
    latitude = math.radians(site.latitude)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(turn)


def _weather(site: Site, time: int, chance: Chance) -> float:
    """Warm and cool days, common to the coast with a little of the place's own."""
    shared = chance.drift(time, 30 * HOUR, "warmth")
    gentle = chance.drift(time, 7 * HOUR, "warmth", site.id)
    return 0.7 * shared + 0.2 * gentle + 0.3 * chance.drift(time, 25 * MINUTE, "puff", site.id)


def _rain(site: Site, time: int, chance: Chance) -> float:
    rate = sum(s.share(site) * s.rate(time) for s in _showers_before(time, chance))
    return rate if rate > 0.05 else 0.0


def _recent_rain(site: Site, time: int, chance: Chance, *, memory: int) -> float:
    """Rain in mm that `site` still feels, fading with `memory` (µs)."""
    return sum(
        s.share(site) * s.fallen(time) * math.exp(-max(0, time - s.start - s.duration) / memory)
        for s in _showers_before(time, chance)
    )


def _showers_before(time: int, chance: Chance) -> Iterator[Shower]:
    today = (time + UTC_OFFSET) // DAY
    for day in (today - 2, today - 1, today):
        yield from (s for s in _showers(day, chance) if s.start < time)


@lru_cache(maxsize=64)
def _showers(day: int, chance: Chance) -> tuple[Shower, ...]:
    """The showers that begin on local `day`, counted from 1970."""
    midnight = day * DAY - UTC_OFFSET
    month = int(season_of(midnight) * 12)
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


def _saturating(amount: float, scale: float) -> float:
    return 1 - math.exp(-amount / scale)
