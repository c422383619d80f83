"""A probe in the shallows: tide and sun, surf and rain, algae, and what people spill.

Levels are set against what Phuket's sea has been reported to read (28–33 °C, salinity 25–33, pH 8.0
to 8.3, oxygen 5–8 mg/L), the day of the water's temperature and its noise against real beaches
(docs/reference/simulated-coast.md).
"""

import math

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import HOUR, MINUTE, SECOND
from simulators.chance import Chance
from simulators.events import EventKind, Happenings
from simulators.places import faces_west, nearby
from simulators.sky import Sky

# Amplitude in m, speed in degrees an hour. The amplitudes are ours: S2 is larger than the real one,
# so that it nearly cancels M2 at neaps. All four are highest at HIGH_WATER, soon after a new moon.
TIDE = ((0.80, 28.9841042), (0.64, 30.0), (0.07, 15.0410686), (0.03, 13.9430356))  # M2 S2 K1 O1
HIGH_WATER = 947_302_200 * SECOND  # 2000-01-08 10:30 in Phuket
MEAN_LEVEL = 2.0  # m above the lowest water


def tide(times: IntColumn) -> FloatColumn:
    """Water level in m above the lowest water."""
    hours = (times - HIGH_WATER) / HOUR
    waves = (a * np.cos(math.radians(speed) * hours) for a, speed in TIDE)
    return sum(waves, start=np.full(len(times), MEAN_LEVEL))


def beach(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """What a probe in the water reads."""
    spill = happenings.felt(EventKind.SPILL, site, times)
    rot = happenings.felt(EventKind.SPILL, site, times, rise=5 * HOUR)  # takes oxygen for hours
    bloom = happenings.felt(EventKind.BLOOM, site, times)
    algae = 1.1 * np.exp(0.5 * nearby(site, times, 70 * HOUR, chance, "algae"))
    bright = _bright(times, sky, chance)
    light = np.cos(2 * np.pi * (sky.hour - 15.5) / 24)  # 1: algae add oxygen, −1: they breathe it
    life = light * bright * np.sqrt(algae / 1.1) * (1 - 0.8 * np.minimum(1.0, spill))
    temperature = _temperature(site, times, sky, bright, chance)
    salinity = _salinity(site, times, sky, chance) - 2 * spill
    saturation = 97 + 10 * life + (4 + 46 * light) * bloom
    saturation += nearby(site, times, 8 * HOUR, chance, "oxygen")
    saturation -= 5 * sky.runoff + 8 * sky.flood + 12 * spill + 26 * rot
    acid = 0.1 * sky.runoff + 0.15 * sky.flood + 0.08 * spill
    return {
        "water_temperature": temperature,
        "salinity": salinity,
        "ph": 8.07 + 0.05 * life + (0.28 + 0.2 * light) * bloom - acid,
        "dissolved_oxygen": saturation / 100 * oxygen_capacity(temperature, salinity),
        "oxygen_saturation": saturation,
        "turbidity": _turbidity(site, times, sky, chance) + 58 * spill + 60 * sky.flood + 6 * bloom,
        "chlorophyll": algae + 0.15 * life + 24 * bloom,
        "water_level": tide(times) + 0.03 * chance.drift(times, 20 * MINUTE, "swell", site.id),
    }


def _bright(times: IntColumn, sky: Sky, chance: Chance) -> FloatColumn:
    """How much of a bright day's light the water gets: the same for hours, less after rain."""
    return (1 + 0.25 * chance.drift(times, 22 * HOUR, "bright")) * (1 - 0.6 * sky.runoff)


def _temperature(
    site: Site, times: IntColumn, sky: Sky, bright: FloatColumn, chance: Chance
) -> FloatColumn:
    """Shallow water is coldest at seven in the morning and warmest at five."""
    day = 0.5 * np.cos(2 * np.pi * (sky.hour - 18) / 24)
    day += 0.085 * np.cos(4 * np.pi * (sky.hour - 3.9) / 24)
    sea = 29.4 + 0.7 * np.cos(2 * np.pi * (sky.season - 0.33))
    sea += 0.25 * chance.drift(times, 50 * HOUR, "sea")
    sea += 0.15 * nearby(site, times, 9 * HOUR, chance, "sea")
    swirls = 0.17 * chance.drift(times, 80 * MINUTE, "swirl", site.id)
    bay = chance.between(-0.4, 0.4, "bay", site.id)
    return sea + bay + day * bright + swirls - 0.6 * sky.runoff


def _salinity(site: Site, times: IntColumn, sky: Sky, chance: Chance) -> FloatColumn:
    """What rain brings, more of it when the tide is out."""
    ebb = 1 - 0.2 * (tide(times) - MEAN_LEVEL) / 1.5
    fresh = (4.2 * sky.runoff + 13 * sky.flood) * ebb
    return 32.4 + 0.4 * nearby(site, times, 60 * HOUR, chance, "salt") - fresh


def _turbidity(site: Site, times: IntColumn, sky: Sky, chance: Chance) -> FloatColumn:
    """NTU on ordinary days: the monsoon's surf, the tide's current, run-off. Stays below 15."""
    open_sea = 1.0 if faces_west(site) else 0.35
    surf = open_sea * (0.5 + 0.5 * sky.monsoon)
    surf *= 1 + 0.3 * chance.drift(times, 36 * HOUR, "surf")
    current = np.abs(tide(times + 10 * MINUTE) - tide(times - 10 * MINUTE)) * 6  # 0 to 1.5
    still = chance.between(1.0, 2.0, "still", site.id)
    unrest = 0.3 * chance.drift(times, 5 * HOUR, "stir", site.id)
    unrest += 0.18 * chance.drift(times, 50 * MINUTE, "wave", site.id)
    return (still + 1.6 * surf + 0.7 * current) * np.exp(unrest) + 5 * sky.runoff


def oxygen_capacity(temperature: FloatColumn, salinity: FloatColumn) -> FloatColumn:
    """mg/L of oxygen that sea water (°C, PSU) holds at 100 % (Benson and Krause 1984).

    >>> oxygen_capacity(np.array([30.0]), np.array([32.0])).round(1).tolist()
    [6.3]
    """
    kelvin = temperature + 273.15
    fresh = (
        -139.34411
        + 1.575701e5 / kelvin
        - 6.642308e7 / kelvin**2
        + 1.2438e10 / kelvin**3
        - 8.621949e11 / kelvin**4
    )
    return np.exp(fresh - salinity * (0.017674 - 10.754 / kelvin + 2140.7 / kelvin**2))
