"""What quantities have to do with each other, as far as verdicts go by it."""

from collections.abc import Mapping
from types import MappingProxyType

from core.catalogue import CATALOGUE

SPAN_PART = 0.01  # of a parameter's usual span: what is less is noise

# What the same law of nature, or the same sensor, ties together: 1 when they rise together.
TOGETHER: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "air_temperature": {"humidity": -1},
        "conductivity": {"salinity": 1},
        "dissolved_oxygen": {"oxygen_saturation": 1},
        "distance": {"fill_level": -1},
        "fill_level": {"distance": -1},
        "humidity": {"air_temperature": -1},
        "oxygen_saturation": {"dissolved_oxygen": 1},
        "pm1": {"pm25": 1, "pm10": 1},
        "pm10": {"pm25": 1},
        "pm25": {"pm1": 1, "pm10": 1},
        "salinity": {"conductivity": 1},
        "suspended_solids": {"turbidity": 1},
        "turbidity": {"suspended_solids": 1},
    }
)
# What events usually move besides, by other sensors: run-off, sewage, algae, smoke, traffic.
ALONGSIDE: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "chlorophyll": {"ph": 1, "oxygen_saturation": 1, "turbidity": 1},
        "co": {"pm25": 1, "no2": 1},
        "dissolved_oxygen": {"turbidity": -1, "ph": 1, "chlorophyll": 1},
        "no2": {"co": 1, "pm25": 1},
        "oxygen_saturation": {"turbidity": -1, "ph": 1, "chlorophyll": 1},
        "ph": {
            "chlorophyll": 1,
            "dissolved_oxygen": 1,
            "oxygen_saturation": 1,
            "salinity": 1,
            "turbidity": -1,
        },
        "pm1": {"co": 1, "no2": 1, "so2": 1},
        "pm10": {"co": 1, "no2": 1, "so2": 1},
        "pm25": {"co": 1, "no2": 1, "so2": 1},
        "salinity": {"turbidity": -1, "ph": 1},
        "so2": {"pm25": 1, "co": 1},
        "turbidity": {"salinity": -1, "oxygen_saturation": -1, "ph": -1},
    }
)
# What rain does to the sea and the air.
RAINY: Mapping[str, int] = MappingProxyType(
    {"dissolved_oxygen": -1, "humidity": 1, "ph": -1, "salinity": -1, "turbidity": 1}
)
# Optics and membranes on which things grow, and where that takes the reading.
FOULS: Mapping[str, int] = MappingProxyType(
    {
        "chlorophyll": 1,
        "dissolved_oxygen": -1,
        "oxygen_saturation": -1,
        "suspended_solids": 1,
        "turbidity": 1,
    }
)
# Other units of what is measured in each: kPa, mmHg; feet; km/h, knots, mph; S/m, µS/cm; mg/m³ …
FACTORS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "[NTU]": (1000.0,),
        "[psu]": (10.0, 1000.0),
        "hPa": (10.0, 0.75, 100.0),
        "kPa": (10.0, 1000.0),
        "m": (3.281, 100.0, 1000.0),
        "m/s": (3.6, 1.944, 2.237),
        "mg/L": (0.7, 1000.0),
        "mm": (10.0, 25.4, 1000.0),
        "mm/h": (25.4,),
        "mS/cm": (10.0, 1000.0),
        "ug/m3": (1000.0,),
        "V": (1000.0,),
        "[ppb]": (1000.0,),
        "[ppm]": (1000.0,),
        "ug/L": (1000.0,),
    }
)
# What a front of other water or air changes within the hour, each by a sensor of its own.
_FRONTS = (
    frozenset(
        ("chlorophyll", "dissolved_oxygen", "ph", "salinity", "turbidity", "water_temperature")
    ),
    frozenset(("co", "no2", "pm1", "pm10", "pm25", "so2")),
)
# What one place cannot have for itself: weather, waves, tides.
REGIONAL = frozenset(
    (
        "air_pressure",
        "air_temperature",
        "dew_point",
        "humidity",
        "water_level",
        "wave_height",
        "wave_period",
        "wind_speed",
    )
)
# Where events take what they bring or spoil; the other way it gets better.
WORSE: Mapping[str, int] = MappingProxyType(
    {
        "co": 1,
        "dissolved_oxygen": -1,
        "no2": 1,
        "oxygen_saturation": -1,
        "pm1": 1,
        "pm10": 1,
        "pm25": 1,
        "salinity": -1,
        "so2": 1,
        "turbidity": 1,
    }
)


def kin(parameter: str) -> frozenset[str]:
    """What leaps with it when other water or air comes; not what the same sensor tells."""
    found = frozenset[str]().union(*(front for front in _FRONTS if parameter in front))
    same = {name for name in found if parameter in TOGETHER.get(name, {})}
    return found - same - {parameter, *TOGETHER.get(parameter, {})}


def least(parameter: str) -> float:
    """What is taken for noise of it at least, in its unit."""
    known = CATALOGUE.get(parameter)
    return SPAN_PART * (known.usual[1] - known.usual[0]) if known else 1e-9
