"""What can be wrong with what measures: pure functions on the readings of one series.

`FAULTS` says of each kind what it falsifies, and what its `size` means. Faults of the way of a
message are in `simulators/sendings.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from core.alerts import Severity
from core.catalogue import CATALOGUE
from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import DAY, HOUR
from simulators.chance import Chance
from simulators.stations import SENSOR

SPIKES = 2.0  # normal deviations beyond which a reading is a spike: one in 44
RESIDUE = 0.05  # of its swings that a dry sensor still shows
HOTTEST = 7 * HOUR  # UTC, two in the afternoon in Phuket


class FaultKind(StrEnum):
    """What can be wrong."""

    ATTENUATION = "attenuation"
    BATTERY = "battery"
    BIAS = "bias"
    CLOCK_SKEW = "clock-skew"
    DRIFT = "drift"
    DROP = "drop"
    DUPLICATE = "duplicate"
    FOULING = "fouling"
    NOISE = "noise"
    OUTAGE = "outage"
    OUT_OF_WATER = "out-of-water"
    REORDER = "reorder"
    SPIKE = "spike"
    STUCK = "stuck"
    SWAP = "swap"
    UNIT_CHANGE = "unit-change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`devices` are at fault from `start` to `end` (µs), in `parameters`; `FAULTS` says what `size`
    is. An outage is that of `gateway`.
    """

    id: str
    kind: FaultKind
    devices: tuple[str, ...]
    parameters: tuple[str, ...]
    start: int
    end: int
    size: float = 0.0
    gateway: str = ""

    def during(self, times: IntColumn) -> BoolColumn:
        """Which of the times lie in it."""
        found: BoolColumn = (times >= self.start) & (times < self.end)
        return found


class Stretch(NamedTuple):
    """The readings of one series while a fault lasts: what would have been measured, the `part` of
    the fault that is over (0 to 1), what was measured as it began, and for each reading a number of
    mean 0 and standard deviation 1.
    """

    parameter: str
    times: IntColumn
    values: FloatColumn
    part: FloatColumn
    first: float
    size: float
    luck: FloatColumn


# parameter → what it is multiplied by in the end, and what is added in the end
FOULED = {
    "chlorophyll": (1.0, 15.0),
    "dissolved_oxygen": (0.5, 0.0),
    "oxygen_saturation": (0.5, 0.0),
    "salinity": (0.85, 0.0),
    "turbidity": (1.0, 45.0),
}
DYING = {"battery_level": (0.02, 0.0), "battery_voltage": (0.82, 0.0), "rssi": (1.0, -12.0)}
# what a probe reads in the air; its temperature follows the sun
DRY = {
    "chlorophyll": 0.0,
    "dissolved_oxygen": 8.0,
    "oxygen_saturation": 101.0,
    "ph": 6.6,
    "salinity": 0.1,
    "turbidity": 0.3,
    "water_level": 0.0,
    "water_temperature": 30.0,
}
# parameter → factor and offset into the unit that a new firmware sends: °F, mL/L, ft, km/h, mg/m³ …
UNITS = {
    "air_pressure": (0.1, 0.0),
    "air_temperature": (1.8, 32.0),
    "bin_temperature": (1.8, 32.0),
    "dissolved_oxygen": (0.7, 0.0),
    "distance": (0.1, 0.0),
    "pm10": (0.001, 0.0),
    "pm25": (0.001, 0.0),
    "salinity": (0.1, 0.0),
    "water_level": (3.2808, 0.0),
    "water_temperature": (1.8, 32.0),
    "wind_speed": (3.6, 0.0),
}

UNIT_DECIMALS = 3


def attenuated(seen: Stretch) -> FloatColumn:
    """A part (`size`) of its swings is lost."""
    return seen.first + (1 - seen.size) * (seen.values - seen.first)


def biased(seen: Stretch) -> FloatColumn:
    """Off by `size` at once."""
    return seen.values + seen.size


def drifted(seen: Stretch) -> FloatColumn:
    """Ever farther off, by `size` in the end."""
    return seen.values + seen.size * seen.part


def dried(seen: Stretch) -> FloatColumn:
    """A probe in the air reads the air, and hardly anything of the sea."""
    level = DRY[seen.parameter] + RESIDUE * (seen.values - seen.first)
    if seen.parameter == "water_temperature":
        level += 6 * np.cos(2 * np.pi * ((seen.times - HOTTEST) % DAY) / DAY)
    return level


def dying(seen: Stretch) -> FloatColumn:
    """A battery runs empty."""
    return _towards(DYING[seen.parameter], seen.values, seen.part)


def fouled(seen: Stretch) -> FloatColumn:
    """Growth on lens and membranes, ever faster until somebody cleans them."""
    return _towards(FOULED[seen.parameter], seen.values, seen.part**2)


def in_another_unit(seen: Stretch) -> FloatColumn:
    """The number of another unit, as after an update of the firmware."""
    factor, offset = UNITS[seen.parameter]
    return seen.values * factor + offset


def noisy(seen: Stretch) -> FloatColumn:
    """Noise of the standard deviation `size` on top."""
    return seen.values + seen.size * seen.luck


def spiky(seen: Stretch) -> FloatColumn:
    """Now and then one reading is off by `size`."""
    return seen.values + np.where(seen.luck > SPIKES, seen.size, 0.0)


def stuck(seen: Stretch) -> FloatColumn:
    """It goes on reading what it read as it began."""
    return np.full(len(seen.values), seen.first)


ValueFault: TypeAlias = Callable[[Stretch], FloatColumn]
AMOUNT = (-1000.0, 1000.0)
SHARE = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Of one kind of fault: how bad, between which two numbers its `size` lies where it has one, in
    which parameters it shows (all, where that is None), and how it spoils their values.
    """

    severity: Severity = Severity.WARNING
    size: tuple[float, float] | None = None
    shows_in: frozenset[str] | None = frozenset()
    named: bool = False  # whether a scenario says in which parameters
    spoils: ValueFault | None = None


FAULTS: Mapping[FaultKind, Traits] = MappingProxyType(
    {
        FaultKind.ATTENUATION: Traits(size=SHARE, shows_in=None, named=True, spoils=attenuated),
        FaultKind.BATTERY: Traits(shows_in=frozenset(DYING), spoils=dying),
        FaultKind.BIAS: Traits(size=AMOUNT, shows_in=None, named=True, spoils=biased),
        FaultKind.CLOCK_SKEW: Traits(size=(-24 * 366.0, 24 * 366.0), shows_in=None),
        FaultKind.DRIFT: Traits(size=AMOUNT, shows_in=None, named=True, spoils=drifted),
        FaultKind.DROP: Traits(severity=Severity.INFO, size=SHARE),
        FaultKind.DUPLICATE: Traits(severity=Severity.INFO, size=SHARE),
        FaultKind.FOULING: Traits(shows_in=frozenset(FOULED), spoils=fouled),
        FaultKind.NOISE: Traits(size=(0.0, 1000.0), shows_in=None, named=True, spoils=noisy),
        FaultKind.OUTAGE: Traits(severity=Severity.CRITICAL),
        FaultKind.OUT_OF_WATER: Traits(shows_in=frozenset(DRY), spoils=dried),
        FaultKind.REORDER: Traits(severity=Severity.INFO, size=SHARE),
        FaultKind.SPIKE: Traits(size=AMOUNT, shows_in=None, named=True, spoils=spiky),
        FaultKind.STUCK: Traits(shows_in=None, named=True, spoils=stuck),
        FaultKind.SWAP: Traits(shows_in=None),
        FaultKind.UNIT_CHANGE: Traits(
            shows_in=frozenset(UNITS), named=True, spoils=in_another_unit
        ),
    }
)


def spoiled(
    fault: Fault,
    parameter: str,
    times: IntColumn,
    values: FloatColumn,
    first: float,
    chance: Chance,
) -> FloatColumn:
    """What a series reads under a fault of its values, `first` being what it read as that began.

    As the device sends it: with its decimals, and never below 0 where nothing can be.
    """
    during, spoils = fault.during(times), FAULTS[fault.kind].spoils
    if spoils is None or not during.any():
        return values
    inside = times[during]
    stretch = Stretch(
        parameter=parameter,
        times=inside,
        values=values[during],
        part=(inside - fault.start) / (fault.end - fault.start),
        first=first,
        size=fault.size,
        luck=chance.normals(inside, "fault", fault.id, parameter),
    )
    lowest = 0.0 if CATALOGUE[parameter].physical[0] == 0 else -np.inf
    decimals = UNIT_DECIMALS if fault.kind is FaultKind.UNIT_CHANGE else SENSOR[parameter][2]
    found = values.copy()
    found[during] = np.round(np.maximum(spoils(stretch), lowest), decimals)
    return found


def _towards(end: tuple[float, float], values: FloatColumn, part: FloatColumn) -> FloatColumn:
    factor, offset = end
    return values * (1 + (factor - 1) * part) + offset * part
