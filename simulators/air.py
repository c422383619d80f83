"""A station at the roadside and a weather mast.

Dust comes from afar in slow waves and from the streets with the traffic; how much of it stays near
the ground is for the wind, the height to which the sun lifts the air, and the rain. Its level is
that of Phuket (10–23 µg/m³ in the dry season); how it swings over the day, from hour to hour and
from station to station was set against a real city (docs/reference/simulated-coast.md).
"""

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.clock import about
from simulators.events import EventKind, Happenings
from simulators.places import nearby
from simulators.sky import Sky


def air(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """What a station reads: dust in µg/m³, gases in ppb, carbon monoxide in ppm."""
    haze, works, sparks = (
        happenings.felt(kind, site, times)
        for kind in (EventKind.HAZE, EventKind.CONSTRUCTION_DUST, EventKind.FIREWORKS)
    )
    heap = happenings.felt(EventKind.CONSTRUCTION_DUST, site, times, rise=24 * MINUTE)
    dust = (works + heap) / 2  # the first lorry raises half of it
    crowded = crowding(sky)
    street = chance.between(0.6, 1.1, "busy", site.id) * np.exp(
        0.3 * chance.drift(times, 20 * MINUTE, "street", site.id)
    )
    exhaust = traffic(sky) * street * crowded
    fumes = exhaust + about(sky.hour, 22.5, 3) * 0.6 * street * crowded  # kitchens, too
    clean = 1 - 0.5 * sky.washed
    smoke = 70 * haze * np.exp(0.12 * nearby(site, times, 3 * HOUR, chance, "smoke"))
    fine = (_far(site, times, sky, chance) * crowded**0.1 + 2.4 * fumes + smoke) * clean
    fine += 80 * dust + 140 * sparks
    no2 = 2.5 + 10 * exhaust
    o3 = 17 + 24 * sky.sunlight / 1000 + 4 * nearby(site, times, 20 * HOUR, chance, "o3")
    return {
        "pm1": 0.64 * fine - 24 * dust,
        "pm25": fine,
        "pm10": 1.5 * fine + 7 * traffic(sky) * (1 - 0.7 * sky.washed) + 120 * dust,
        "no2": no2,
        "o3": np.maximum(2.0, o3 - 0.5 * no2),
        "co": 0.18 + 0.3 * exhaust + 0.9 * haze + 0.8 * sparks,
        "so2": 1.0 + 0.6 * exhaust + 14 * sparks,
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
    }


def weather(
    _site: Site, times: IntColumn, sky: Sky, chance: Chance, _happenings: Happenings
) -> dict[str, FloatColumn]:
    """What a mast reads; the pressure has the tropics' two waves a day."""
    pressure = 1009.5 - 0.8 * sky.monsoon + 1.4 * np.cos(2 * np.pi * (sky.hour - 10) / 12)
    return {
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
        "air_pressure": pressure + 1.5 * chance.drift(times, 3 * DAY, "pressure"),
        "rain": sky.rain,
        "solar_radiation": sky.sunlight,
        "wind_speed": np.hypot(sky.east, sky.north),
        "wind_direction": np.degrees(np.arctan2(-sky.east, -sky.north)) % 360,
    }


def traffic(sky: Sky) -> FloatColumn:
    """How busy the roads are, about 0.1 at night to 1 in the evening rush of a working day."""
    working = np.where(sky.weekday >= 5, 0.65, 1.0)
    rush = 0.8 * about(sky.hour, 7.8, 1.0) + 0.7 * about(sky.hour, 17.6, 1.4)
    return 0.1 + working * rush + 0.35 * about(sky.hour, 12.8, 2.6) + 0.2 * about(sky.hour, 21, 1.6)


def crowding(sky: Sky) -> FloatColumn:
    """How close to the ground what is let out stays: 1 under a low layer in little wind."""
    close: FloatColumn = 300 / sky.mixing * 3.5 / (2 + np.hypot(sky.east, sky.north))
    return close


def humidity(temperature: FloatColumn, dew_point: FloatColumn) -> FloatColumn:
    """Relative humidity in % from two temperatures in °C (Magnus).

    >>> humidity(np.array([30.0]), np.array([24.0])).round().tolist()
    [70.0]
    """

    def pressure(celsius: FloatColumn) -> FloatColumn:
        return np.exp(17.62 * celsius / (243.12 + celsius))

    return 100 * pressure(dew_point) / pressure(temperature)


def _far(site: Site, times: IntColumn, sky: Sky, chance: Chance) -> FloatColumn:
    """µg/m³ that come from elsewhere: most in February, when the mainland burns."""
    waves = 0.55 * chance.drift(times, 30 * HOUR, "far")
    waves += 0.24 * nearby(site, times, 8 * HOUR, chance, "far")
    waves += 0.36 * nearby(site, times, 80 * MINUTE, chance, "patch")
    waves = 0.8 * np.tanh(waves / 0.8)  # ordinary days do not reach what haze does
    return (11.5 + 2 * np.cos(2 * np.pi * (sky.season - 0.13))) * np.exp(waves)
