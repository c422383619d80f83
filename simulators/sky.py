"""What stations under one sky share: sun, clouds, rain, wind and the layer of air above the ground.

Everything is a pure function of place, times and chance. The numbers are ours, chosen so that a
year looks like Phuket's; none is a measurement.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.clock import about, local_day, local_hour, season_of
from simulators.events import Happenings
from simulators.places import faces_west, nearby
from simulators.rain import rain_at

FLOOD = 90.0  # mm of recent rain beyond which canals and hillsides run


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """The weather at one place at many times, a column for each quantity.

    `hour` and `weekday` (Monday 0) are local · `season` 0 to 1 is the part of the year · `monsoon`
    1 at the height of the south-west one, −1 of the north-east one · `sunlight` W/m² · `cloud` 0 to
    1 · `rain` mm/h · `runoff` 0 to 1, rain that reaches the sea, for hours · `flood` 0 to 1, what
    of it comes in torrents · `washed` 0 to 1, how clean rain left the air · `temperature` and
    `dew_point` °C · `east` and `north` m/s, where the wind blows to · `mixing` m, how high the air
    near the ground rises.
    """

    hour: FloatColumn
    weekday: IntColumn
    season: FloatColumn
    monsoon: FloatColumn
    sunlight: FloatColumn
    cloud: FloatColumn
    rain: FloatColumn
    runoff: FloatColumn
    flood: FloatColumn
    washed: FloatColumn
    temperature: FloatColumn
    dew_point: FloatColumn
    east: FloatColumn
    north: FloatColumn
    mixing: FloatColumn


def sky_at(site: Site, times: IntColumn, chance: Chance, happenings: Happenings) -> Sky:
    """The weather at `site` and `times` (µs, in order)."""
    hour, season = local_hour(times), season_of(times)
    monsoon = np.cos(2 * np.pi * (season - 0.58))
    rain, (wet, washed, runoff) = rain_at(site, times, chance, happenings)
    soaked = _saturating(wet, 4)
    cloud = 0.35 + 0.1 * monsoon + 0.25 * nearby(site, times, 3 * HOUR, chance, "cloud")
    cloud = np.clip(cloud + 0.65 * soaked, 0, 1)
    temperature = _warmth(site, times, season, chance) - 2.6 * soaked
    temperature += (3.6 - 1.6 * cloud) * np.cos(2 * np.pi * (hour - 14) / 24)
    dew_point = 24.0 + 0.5 * monsoon + 0.7 * nearby(site, times, 9 * HOUR, chance, "dew")
    mist = 0.7 + 0.4 * chance.drift(times, 2 * HOUR, "mist", site.id)
    passing = 1 - 0.3 * cloud * (1 + chance.drift(times, 12 * MINUTE, "passing", site.id))
    east, north = _wind(site, times, hour, monsoon, chance)
    squall = 1 + 0.02 * np.minimum(rain, 40.0)
    return Sky(
        hour=hour,
        weekday=local_day(times) % 7,
        season=season,
        monsoon=monsoon,
        sunlight=1040 * _sun(site, times) ** 1.15 * (1 - 0.7 * cloud**1.5) * passing,
        cloud=cloud,
        rain=rain,
        runoff=_saturating(runoff, 14),
        flood=_saturating(np.maximum(0.0, runoff - FLOOD), 40),
        washed=_saturating(washed, 5),
        temperature=temperature,
        dew_point=np.minimum(dew_point + 0.5 * soaked, temperature - mist),
        east=east * squall,
        north=north * squall,
        # The ground goes on heating the air for hours; a still evening lays a lid on it.
        mixing=330
        - 110 * about(hour, 23.5, 3.5)
        + (450 * _sun(site, times - HOUR) + 450 * _sun(site, times - 3 * HOUR)) * (1 - 0.4 * cloud),
    )


def _sun(site: Site, times: IntColumn) -> FloatColumn:
    """Sine of the sun's height, 0 at night (declination only: minutes do not matter here)."""
    declination = math.radians(-23.44) * np.cos(2 * np.pi * (season_of(times) + 10 / 365))
    turn = 2 * np.pi * ((times % DAY / HOUR + site.longitude / 15) / 24 - 0.5)
    latitude = math.radians(site.latitude)
    level = math.sin(latitude) * np.sin(declination)
    return np.maximum(0.0, level + math.cos(latitude) * np.cos(declination) * np.cos(turn))


def _warmth(site: Site, times: IntColumn, season: FloatColumn, chance: Chance) -> FloatColumn:
    """The mean of a day: April is hot, and warm and cool days are common to the coast."""
    days = 0.35 * chance.drift(times, 30 * HOUR, "warmth")
    hours = 0.15 * nearby(site, times, 7 * HOUR, chance, "warmth")
    puffs = 0.15 * chance.drift(times, 25 * MINUTE, "puff", site.id)
    return 27.7 + 0.8 * np.cos(2 * np.pi * (season - 0.29)) + days + hours + puffs


def _wind(
    site: Site, times: IntColumn, hour: FloatColumn, monsoon: FloatColumn, chance: Chance
) -> tuple[FloatColumn, FloatColumn]:
    """The monsoon in surges, and the breeze: from the sea by day, from the land at night."""
    surge = 3.0 * monsoon * (1 + 0.45 * chance.drift(times, 50 * HOUR, "surge"))
    breeze = 2.6 * about(hour, 14.5, 2.8) - 0.8 * about(hour, 3, 4)
    shore = breeze * (1 if faces_west(site) else -1)
    gusts = [0.7 * nearby(site, times, 25 * MINUTE, chance, "gust", way) for way in "en"]
    return 0.87 * surge + shore + gusts[0], 0.5 * surge + gusts[1]


def _saturating(amount: FloatColumn, scale: float) -> FloatColumn:
    return 1 - np.exp(-amount / scale)
