"""What the devices of the coast read: `values` for any device at any times, in columns.

Levels and swings are ours, set against what Phuket's sea and air have been reported to read (water
28–32 °C, salinity 25–33, pH 8.0–8.3, oxygen 5–8 mg/L; PM2.5 10–23 µg/m³). Ordinary days stay
below what an alert would call wrong: that is for events.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from core.catalogue import CATALOGUE
from core.readings import FloatColumn, IntColumn
from core.registry import Device, Site
from core.times import DAY, HOUR, MINUTE
from simulators.bins import waste_bin
from simulators.chance import Chance, bell
from simulators.events import EventKind, Happenings
from simulators.sky import Sky, sky_at, tide

# (absolute noise, noise as a part of the value, decimals that the device sends)
SENSOR = {
    "air_pressure": (0.05, 0, 1),
    "air_temperature": (0.05, 0, 1),
    "battery_level": (0, 0, 0),
    "battery_voltage": (0.005, 0, 2),
    "bin_temperature": (0.15, 0, 1),
    "chlorophyll": (0.01, 0.03, 2),
    "co": (0.01, 0.02, 2),
    "dissolved_oxygen": (0.02, 0, 2),
    "distance": (0, 0, 0),
    "fill_level": (0, 0, 0),
    "humidity": (0.4, 0, 1),
    "no2": (0.3, 0.02, 1),
    "o3": (0.4, 0.02, 1),
    "oxygen_saturation": (0.3, 0, 1),
    "ph": (0.005, 0, 2),
    "pm1": (0.05, 0.02, 1),
    "pm10": (0.1, 0.03, 1),
    "pm25": (0.05, 0.02, 1),
    "rain": (0, 0.02, 1),
    "rssi": (2, 0, 0),
    "salinity": (0.02, 0, 2),
    "so2": (0.1, 0.02, 1),
    "solar_radiation": (1, 0.01, 0),
    "tilt": (0.4, 0, 0),
    "turbidity": (0.05, 0.04, 1),
    "water_level": (0.01, 0, 2),
    "water_temperature": (0.02, 0, 2),
    "wind_direction": (3, 0, 0),
    "wind_speed": (0.2, 0.05, 1),
}


def values(
    device: Device, site: Site, times: IntColumn, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """Parameter → what `device` at `site` sends at `times` (µs, in order), with its sensors' noise.

    Raises:
        KeyError: no device of that kind of site is simulated.
    """
    sky = sky_at(site, times, chance, happenings)
    truth = STATIONS[site.kind](site, times, sky, chance, happenings)
    truth |= health(device, site, times, sky, chance)
    return {name: _sensed(device, name, value, times, chance) for name, value in truth.items()}


def beach(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """A probe in the shallows: the sun feeds the algae, rain and waves stir the water."""
    spill = happenings.felt(EventKind.SPILL, site, times)
    rot = happenings.felt(EventKind.SPILL, site, times, rise=5 * HOUR)  # takes oxygen for hours
    bloom = happenings.felt(EventKind.BLOOM, site, times)
    light = np.cos(2 * np.pi * (sky.hour - 15.5) / 24)  # 1: algae add oxygen, −1: they breathe it
    life = light * (1 - 0.6 * sky.runoff) * (1 - 0.8 * np.minimum(1.0, spill))
    temperature = (
        29.4
        + 0.7 * np.cos(2 * np.pi * (sky.season - 0.33))
        + 0.3 * np.cos(2 * np.pi * (sky.hour - 15.5) / 24)
        + 0.25 * chance.drift(times, 50 * HOUR, "sea")
        + 0.1 * chance.drift(times, 9 * HOUR, "sea", site.id)
        + chance.between(-0.4, 0.4, "bay", site.id)
        - 0.6 * sky.runoff
    )
    fresh = 4.5 * sky.runoff + 14 * sky.flood + 2 * spill
    salinity = 32.4 + 0.4 * chance.drift(times, 60 * HOUR, "salt") - fresh
    saturation = (
        97
        + 11 * life
        + (4 + 46 * light) * bloom
        - 5 * sky.runoff
        - 8 * sky.flood
        - 12 * spill
        - 26 * rot
        + chance.drift(times, 8 * HOUR, "o2", site.id)
    )
    algae = 1.1 + 0.5 * chance.drift(times, 70 * HOUR, "algae", site.id) + 0.2 * life
    return {
        "water_temperature": temperature,
        "salinity": salinity,
        "ph": 8.07
        + 0.05 * life
        + (0.28 + 0.2 * light) * bloom
        - 0.1 * sky.runoff
        - 0.15 * sky.flood
        - 0.08 * spill,
        "dissolved_oxygen": saturation / 100 * oxygen_capacity(temperature, salinity),
        "oxygen_saturation": saturation,
        "turbidity": _clear_turbidity(site, times, sky, chance)
        + 58 * spill
        + 60 * sky.flood
        + 6 * bloom,
        "chlorophyll": algae + 24 * bloom,
        "water_level": tide(times) + 0.03 * chance.drift(times, 20 * MINUTE, "swell", site.id),
    }


def air(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """A station at the roadside: traffic, a mixing layer that the sun lifts, rain that cleans."""
    haze, works, sparks = (
        happenings.felt(kind, site, times)
        for kind in (EventKind.HAZE, EventKind.CONSTRUCTION_DUST, EventKind.FIREWORKS)
    )
    dust = (works + happenings.felt(EventKind.CONSTRUCTION_DUST, site, times, rise=24 * MINUTE)) / 2
    busy = traffic(sky) * chance.between(0.6, 1.1, "busy", site.id)
    street = 1 + 0.25 * chance.drift(times, 20 * MINUTE, "street", site.id)
    shallow = 1.15 - 0.35 * sky.daylight  # how little air the emissions mix into
    dry_season = 4 * np.cos(2 * np.pi * (sky.season - 0.13))
    far = (
        10.8
        + dry_season
        + 2.5 * chance.drift(times, 40 * HOUR, "far")
        + 0.8 * chance.drift(times, 3 * HOUR, "patch", site.id)
    )
    clean = 1 - 0.5 * sky.washed
    fine = (far + 70 * haze + 9.0 * busy * shallow * street) * shallow * clean
    fine = fine + 80 * dust + 140 * sparks
    no2 = 2.5 + 15 * busy * shallow * street
    o3 = 17 + 24 * sky.sunlight / 1000 + 4 * chance.drift(times, 20 * HOUR, "o3") - 0.5 * no2
    return {
        "pm1": 0.64 * fine - 0.3 * 80 * dust,
        "pm25": fine,
        "pm10": 1.5 * fine + 7 * busy * (1 - 0.7 * sky.washed) + 120 * dust,
        "no2": no2,
        "o3": np.maximum(2.0, o3),
        "co": 0.18 + 0.45 * busy * shallow * street + 0.9 * haze + 0.8 * sparks,
        "so2": 1.0 + 0.8 * busy + 14 * sparks,
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
    }


def weather(
    _site: Site, times: IntColumn, sky: Sky, chance: Chance, _happenings: Happenings
) -> dict[str, FloatColumn]:
    """A mast: sea breeze by day, pressure with the tropics' two waves a day."""
    summer_monsoon = np.cos(2 * np.pi * (sky.season - 0.58))
    breeze = 2.2 + 2.4 * np.maximum(0.0, np.cos(2 * np.pi * (sky.hour - 15) / 24))
    gusts = 1 + 0.3 * chance.drift(times, 10 * MINUTE, "gust")
    onshore = np.where(summer_monsoon > 0, 250, 80)
    return {
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
        "air_pressure": 1009.5
        + 1.4 * np.cos(2 * np.pi * (sky.hour - 10) / 12)
        + 1.5 * chance.drift(times, 3 * DAY, "pressure"),
        "rain": sky.rain,
        "solar_radiation": sky.sunlight,
        "wind_speed": (breeze + np.abs(summer_monsoon) + 0.1 * sky.rain) * gusts,
        "wind_direction": (onshore + 40 * chance.drift(times, 2 * HOUR, "wind")) % 360,
    }


def health(
    device: Device, site: Site, times: IntColumn, sky: Sky, chance: Chance
) -> dict[str, FloatColumn]:
    """Radio and power: a lithium cell in a bin's lid, a solar panel everywhere else."""
    radio = chance.between(-95, -62, "radio", device.id)
    rssi = radio + 2 * chance.drift(times, 4 * HOUR, "radio", device.id) - 0.2 * sky.rain
    rssi = np.maximum(-120.0, rssi)
    if site.kind != "bin":
        charged = 12.7 + 0.3 * np.cos(2 * np.pi * (sky.hour - 17) / 24)
        return {"battery_voltage": charged + 0.6 * sky.sunlight / 1000, "rssi": rssi}
    installed = device.placements[0].since
    months = (times - installed) % (24 * 30 * DAY) / (30 * DAY)  # a new cell every two years
    used = chance.between(1, 3, "cell", device.id) * months
    return {"battery_level": 100 - used, "rssi": rssi}


Station: TypeAlias = Callable[[Site, IntColumn, Sky, Chance, Happenings], dict[str, FloatColumn]]
STATIONS: Mapping[str, Station] = {
    "air": air,
    "beach": beach,
    "bin": waste_bin,
    "weather": weather,
}


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


def humidity(temperature: FloatColumn, dew_point: FloatColumn) -> FloatColumn:
    """Relative humidity in % from two temperatures in °C (Magnus).

    >>> humidity(np.array([30.0]), np.array([24.0])).round().tolist()
    [70.0]
    """

    def pressure(celsius: FloatColumn) -> FloatColumn:
        return np.exp(17.62 * celsius / (243.12 + celsius))

    return 100 * pressure(dew_point) / pressure(temperature)


def traffic(sky: Sky) -> FloatColumn:
    """How busy the roads are, about 0.1 at night to 1 in the evening rush of a working day."""
    working = np.where(sky.weekday >= 5, 0.65, 1.0)
    rush = 0.8 * bell(sky.hour - 7.8, 1.0) + 0.7 * bell(sky.hour - 17.6, 1.4)
    return 0.1 + working * rush + 0.35 * bell(sky.hour - 12.8, 2.6) + 0.2 * bell(sky.hour - 21, 1.6)


def _clear_turbidity(site: Site, times: IntColumn, sky: Sky, chance: Chance) -> FloatColumn:
    """NTU on ordinary days: waves of the season, the tide's current, run-off. Stays below 15."""
    surf = 0.5 + 0.5 * np.cos(2 * np.pi * (sky.season - 0.58))  # 1 in the south-west monsoon
    current = np.abs(tide(times + 10 * MINUTE) - tide(times - 10 * MINUTE)) * 6  # 0 to 1.5
    waves = chance.between(1.2, 2.2, "waves", site.id) + 1.5 * surf
    unrest = 1 + 0.3 * chance.drift(times, 5 * HOUR, "stir", site.id)
    return (waves + 0.8 * current) * unrest + 5.5 * sky.runoff


def _sensed(
    device: Device, parameter: str, truth: FloatColumn, times: IntColumn, chance: Chance
) -> FloatColumn:
    """`truth` through a sensor: noise, the sensor's span, its resolution."""
    absolute, relative, decimals = SENSOR[parameter]
    if absolute or relative:
        noise = absolute + relative * np.abs(truth)
        truth = truth + noise * chance.normals(times, "noise", device.id, parameter)
    low, high = CATALOGUE[parameter].physical
    return np.clip(truth, low, high).round(decimals)
