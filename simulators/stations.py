"""What the devices of the coast read: `values` for any device at any time, in any order.

Levels and swings are ours, set against what Phuket's sea and air have been reported to read (water
28–32 °C, salinity 25–33, pH 8.0–8.3, oxygen 5–8 mg/L; PM2.5 10–23 µg/m³). Ordinary days stay
below what an alert would call wrong: that is for events.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from core.catalogue import CATALOGUE
from core.registry import Device, Site
from core.times import DAY, HOUR, MINUTE
from simulators.bins import waste_bin
from simulators.chance import Chance, bell
from simulators.events import Event, haze, plume
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
    "turbidity": (0.05, 0.04, 1),
    "water_level": (0.01, 0, 2),
    "water_temperature": (0.02, 0, 2),
    "wind_direction": (3, 0, 0),
    "wind_speed": (0.2, 0.05, 1),
}


def values(
    device: Device, site: Site, time: int, chance: Chance, events: Sequence[Event] = ()
) -> dict[str, float]:
    """Parameter → value that `device` at `site` sends at `time` (µs), with its sensors' noise.

    Raises:
        KeyError: no device of that kind of site is simulated.
    """
    sky = sky_at(site, time, chance)
    truth = STATIONS[site.kind](site, time, sky, chance, events)
    truth |= health(device, site, time, sky, chance)
    return {name: _sensed(device, name, value, time, chance) for name, value in truth.items()}


def beach(
    site: Site, time: int, sky: Sky, chance: Chance, events: Sequence[Event]
) -> dict[str, float]:
    """A probe in the shallows: the sun feeds the algae, rain and waves stir the water."""
    turbid = plume(events, site.id, time)
    fed = _life(sky) * (1 - 0.6 * sky.runoff) * (1 - 0.8 * turbid)
    temperature = (
        29.4
        + 0.7 * math.cos(2 * math.pi * (sky.season - 0.33))
        + 0.3 * math.cos(2 * math.pi * (sky.hour - 15.5) / 24)
        + 0.25 * chance.drift(time, 50 * HOUR, "sea")
        + 0.1 * chance.drift(time, 9 * HOUR, "sea", site.id)
        + chance.between(-0.4, 0.4, "bay", site.id)
        - 0.6 * sky.runoff
    )
    salinity = 32.4 + 0.4 * chance.drift(time, 60 * HOUR, "salt") - 4.5 * sky.runoff - 2.0 * turbid
    saturation = (
        97 + 11 * fed - 5 * sky.runoff - 12 * turbid + chance.drift(time, 8 * HOUR, "o2", site.id)
    )
    return {
        "water_temperature": temperature,
        "salinity": salinity,
        "ph": 8.07 + 0.05 * fed - 0.1 * sky.runoff - 0.08 * turbid,
        "dissolved_oxygen": saturation / 100 * oxygen_capacity(temperature, salinity),
        "oxygen_saturation": saturation,
        "turbidity": _clear_turbidity(site, time, sky, chance) + 58 * turbid,
        "chlorophyll": 1.1 + 0.5 * chance.drift(time, 70 * HOUR, "algae", site.id) + 0.2 * fed,
        "water_level": tide(time) + 0.03 * chance.drift(time, 20 * MINUTE, "swell", site.id),
    }


def air(
    site: Site, time: int, sky: Sky, chance: Chance, events: Sequence[Event]
) -> dict[str, float]:
    """A station at the roadside: traffic, a mixing layer that the sun lifts, rain that cleans."""
    smoke = haze(events, site.id, time)
    busy = traffic(sky) * chance.between(0.6, 1.1, "busy", site.id)
    street = 1 + 0.25 * chance.drift(time, 20 * MINUTE, "street", site.id)
    shallow = 1.15 - 0.35 * sky.daylight  # how little air the emissions mix into
    dry_season = 4 * math.cos(2 * math.pi * (sky.season - 0.13))
    far = (
        10.8
        + dry_season
        + 2.5 * chance.drift(time, 40 * HOUR, "far")
        + 0.8 * chance.drift(time, 3 * HOUR, "patch", site.id)
    )
    fine = (far + 9.0 * busy * shallow * street) * shallow * (1 - 0.5 * sky.washed) + 80 * smoke
    no2 = 2.5 + 15 * busy * shallow * street + 6 * smoke
    return {
        "pm1": 0.64 * fine,
        "pm25": fine,
        "pm10": 1.5 * fine + 7 * busy * (1 - 0.7 * sky.washed),
        "no2": no2,
        "o3": max(
            2.0, 17 + 24 * sky.sunlight / 1000 + 4 * chance.drift(time, 20 * HOUR, "o3") - 0.5 * no2
        ),
        "co": 0.18 + 0.45 * busy * shallow * street + 1.2 * smoke,
        "so2": 1.0 + 0.8 * busy + 2 * smoke,
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
    }


def weather(
    _site: Site, time: int, sky: Sky, chance: Chance, _events: Sequence[Event]
) -> dict[str, float]:
    """A mast: sea breeze by day, pressure with the tropics' two waves a day."""
    summer_monsoon = math.cos(2 * math.pi * (sky.season - 0.58))
    breeze = 2.2 + 2.4 * max(0.0, math.cos(2 * math.pi * (sky.hour - 15) / 24))
    gusts = 1 + 0.3 * chance.drift(time, 10 * MINUTE, "gust")
    onshore = 250 if summer_monsoon > 0 else 80
    return {
        "air_temperature": sky.temperature,
        "humidity": humidity(sky.temperature, sky.dew_point),
        "air_pressure": 1009.5
        + 1.4 * math.cos(2 * math.pi * (sky.hour - 10) / 12)
        + 1.5 * chance.drift(time, 3 * DAY, "pressure"),
        "rain": sky.rain,
        "solar_radiation": sky.sunlight,
        "wind_speed": (breeze + abs(summer_monsoon) + 0.1 * sky.rain) * gusts,
        "wind_direction": (onshore + 40 * chance.drift(time, 2 * HOUR, "wind")) % 360,
    }


def health(device: Device, site: Site, time: int, sky: Sky, chance: Chance) -> dict[str, float]:
    """Radio and power: a lithium cell in a bin's lid, a solar panel everywhere else."""
    radio = chance.between(-95, -62, "radio", device.id)
    rssi = radio + 2 * chance.drift(time, 4 * HOUR, "radio", device.id) - 0.2 * sky.rain
    if site.kind != "bin":
        charged = 12.7 + 0.3 * math.cos(2 * math.pi * (sky.hour - 17) / 24)
        voltage = charged + 0.6 * sky.sunlight / 1000
        return {"battery_voltage": voltage, "rssi": max(-120.0, rssi)}
    installed = device.placements[0].since
    months = (time - installed) % (24 * 30 * DAY) / (30 * DAY)  # a new cell every two years
    used = chance.between(1, 3, "cell", device.id) * months
    return {"battery_level": 100 - used, "rssi": max(-120.0, rssi)}


Station: TypeAlias = Callable[[Site, int, Sky, Chance, Sequence[Event]], dict[str, float]]
STATIONS: Mapping[str, Station] = {
    "air": air,
    "beach": beach,
    "bin": waste_bin,
    "weather": weather,
}


def oxygen_capacity(temperature: float, salinity: float) -> float:
    """mg/L of oxygen that sea water (°C, PSU) holds at 100 % (Benson and Krause 1984).

    >>> round(oxygen_capacity(30, 32), 1)
    6.3
    """
    kelvin = temperature + 273.15
    fresh = (
        -139.34411
        + 1.575701e5 / kelvin
        - 6.642308e7 / kelvin**2
        + 1.2438e10 / kelvin**3
        - 8.621949e11 / kelvin**4
    )
    return math.exp(fresh - salinity * (0.017674 - 10.754 / kelvin + 2140.7 / kelvin**2))


def humidity(temperature: float, dew_point: float) -> float:
    """Relative humidity in % from two temperatures in °C (Magnus).

    >>> round(humidity(30, 24))
    70
    """

    def pressure(celsius: float) -> float:
        return math.exp(17.62 * celsius / (243.12 + celsius))

    return 100 * pressure(dew_point) / pressure(temperature)


def traffic(sky: Sky) -> float:
    """How busy the roads are, about 0.1 at night to 1 in the evening rush of a working day."""
    working = 0.65 if sky.weekday >= 5 else 1.0
    rush = 0.8 * bell(sky.hour - 7.8, 1.0) + 0.7 * bell(sky.hour - 17.6, 1.4)
    return 0.1 + working * rush + 0.35 * bell(sky.hour - 12.8, 2.6) + 0.2 * bell(sky.hour - 21, 1.6)


def _clear_turbidity(site: Site, time: int, sky: Sky, chance: Chance) -> float:
    """NTU without a plume: waves of the season, the tide's current, run-off. Stays below 15."""
    surf = 0.5 + 0.5 * math.cos(2 * math.pi * (sky.season - 0.58))  # 1 in the south-west monsoon
    current = abs(tide(time + 10 * MINUTE) - tide(time - 10 * MINUTE)) * 6  # 0 to 1.5
    waves = chance.between(1.2, 2.2, "waves", site.id) + 1.5 * surf
    unrest = 1 + 0.3 * chance.drift(time, 5 * HOUR, "stir", site.id)
    return (waves + 0.8 * current) * unrest + 5.5 * sky.runoff


def _life(sky: Sky) -> float:
    """What algae add (1, mid-afternoon) and breathe away (−1, before dawn)."""
    return math.cos(2 * math.pi * (sky.hour - 15.5) / 24)


def _sensed(device: Device, parameter: str, truth: float, time: int, chance: Chance) -> float:
    """`truth` through a sensor: noise, the sensor's span, its resolution."""
    absolute, relative, decimals = SENSOR[parameter]
    noise = absolute + relative * abs(truth)
    if noise:
        truth += noise * chance.normal("noise", device.id, parameter, time)
    low, high = CATALOGUE[parameter].physical
    return round(min(high, max(low, truth)), decimals)
