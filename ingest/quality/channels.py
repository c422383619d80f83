"""Quantities of one device that physics ties together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.quality import Limits
from core.readings import IntColumn
from core.registry import Series

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
WATERY = frozenset({"conductivity", "salinity"})  # these tell whether it is

# By relation the channels that it compares, in the order in which its formula takes them.
RELATIONS: Mapping[str, Sequence[str]] = {
    "dew": ("dew_point", "air_temperature"),
    "fine_in_coarse": ("pm25", "pm10"),
    "finest_in_coarse": ("pm1", "pm10"),
    "finest_in_fine": ("pm1", "pm25"),
    "oxygen": ("dissolved_oxygen", "oxygen_saturation", "water_temperature"),
    "salt": ("salinity", "conductivity", "water_temperature"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """What physics has to look at: the parameters that some relation compares (`names`), the
    relations that any device has, each with the places of its channels among the names; of each
    series the number of its device, and its place among the names or -1.
    """

    names: Sequence[str]
    relations: Mapping[str, Sequence[int]]
    wet: Sequence[int]
    device: IntColumn
    place: IntColumn

    @staticmethod
    def of(series: Sequence[Series], limits: Sequence[Limits]) -> "Channels":
        """Those of the devices of these series."""
        numbers: dict[str, int] = {}
        have: dict[str, set[str]] = {}
        tells: set[str] = set()  # devices that know whether they are wet
        for s, each in zip(series, limits, strict=True):
            numbers.setdefault(s.device, len(numbers))
            have.setdefault(s.device, set()).add(s.parameter)
            if each.dry is not None and s.parameter in WATERY:
                tells.add(s.device)
        found = {
            name for name, needs in RELATIONS.items() for h in have.values() if set(needs) <= h
        }
        compared = {
            device: frozenset().union(
                WET & h if device in tells else (),
                *(needs for needs in RELATIONS.values() if set(needs) <= h),
            )
            for device, h in have.items()
        }
        names = sorted(frozenset().union(*compared.values()))
        places = {name: place for place, name in enumerate(names)}
        return Channels(
            names=names,
            relations={name: [places[key] for key in RELATIONS[name]] for name in sorted(found)},
            wet=[places[name] for name in names if name in WET] if tells else [],
            device=np.array([numbers[s.device] for s in series], np.int64),
            place=np.array(
                [places[s.parameter] if s.parameter in compared[s.device] else -1 for s in series],
                np.int64,
            ),
        )
