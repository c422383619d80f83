"""What the devices of the coast read: `values` for any device at any times, in columns.

Ordinary days stay below what an alert would call wrong: that is for events.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from core.catalogue import CATALOGUE
from core.readings import FloatColumn, IntColumn
from core.registry import Device, Site
from core.times import DAY, HOUR
from simulators.air import air, weather
from simulators.bins import waste_bin
from simulators.chance import Chance
from simulators.events import Happenings
from simulators.sea import beach
from simulators.sky import Sky, sky_at

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
