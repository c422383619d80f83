"""`anomaly`: once in how many months a series is as unusual; negative where it is too low."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from alerts.anomaly.calendar import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """`clock` is the city's: hours and kinds of days are those of its people."""

    clock: Clock


class Sensitivity(NamedTuple):
    """What is rarer than once in `months` is told; of a quiet series about `alarms` a month are to
    be expected then, by `docs/reference/detection.md`.
    """

    months: float
    alarms: float


SENSITIVITIES: Mapping[str, Sensitivity] = MappingProxyType(
    {
        "low": Sensitivity(months=3.0, alarms=0.25),
        "normal": Sensitivity(months=1.0, alarms=0.5),
        "high": Sensitivity(months=0.3, alarms=1.0),
    }
)
CLEARS = 1 / 3  # of the months: so rare is ordinary again
