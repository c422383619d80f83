"""Quantities of one device that physics ties together."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

# What a probe measures under water: none of it is true when the probe is in the air.
WET = frozenset(
    {
        "chlorophyll",
        "conductivity",
        "dissolved_oxygen",
        "oxygen_saturation",
        "ph",
        "redox",
        "salinity",
        "suspended_solids",
        "turbidity",
        "water_temperature",
    }
)
CHANNELS = tuple(sorted(WET | {"air_temperature", "dew_point", "pm1", "pm10", "pm25"}))
NUMBER: Mapping[str, int] = {name: number for number, name in enumerate(CHANNELS)}

# By relation the channels that it compares; one of those in WATERY tells whether the probe is wet.
RELATIONS: Mapping[str, AbstractSet[str]] = {
    "dew": frozenset({"air_temperature", "dew_point"}),
    "fine_in_coarse": frozenset({"pm10", "pm25"}),
    "finest_in_coarse": frozenset({"pm1", "pm10"}),
    "finest_in_fine": frozenset({"pm1", "pm25"}),
    "oxygen": frozenset({"dissolved_oxygen", "oxygen_saturation", "water_temperature"}),
    "salt": frozenset({"conductivity", "salinity", "water_temperature"}),
}
WATERY = ("conductivity", "salinity")


def relations_of(parameters: AbstractSet[str], dries: AbstractSet[str]) -> set[str]:
    """The relations of a device that has these parameters; `dries` tell whether it is wet."""
    found = {name for name, needs in RELATIONS.items() if needs <= parameters}
    return found | {"wet"} if dries else found


def judged_by(relations: Iterable[str]) -> AbstractSet[str]:
    """The parameters that some of the relations may object to."""
    return frozenset().union(*(WET if name == "wet" else RELATIONS[name] for name in relations))
