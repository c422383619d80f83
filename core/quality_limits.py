"""The limits of quality by parameter: one line for each, the same for every series of it.

Spans are those of sea, air and bins anywhere, so wide that an event passes; profiles and sites
narrow them. The sensor's span is the parameter's `physical` one (`core.catalogue`).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from core.model import HOUR, SECOND
from core.quality import Limits, Span

# What loggers write in place of a reading. The first is a float32 of -99999.992.
SENTINELS = (-99999.992, -100000.0, -99999.0, -9999.0, -999.0, -9999.9, -999.9)
AHEAD = 120.0

_HOURS = float(HOUR // SECOND)


def _limits(**given: Any) -> Limits:
    common: dict[str, Any] = {"sentinels": SENTINELS, "ahead": AHEAD}
    return Limits(**common | given)


def _stuck(tolerance: float, suspect: float = 3, fail: float = 6, **given: Any) -> dict[str, Any]:
    """Flat within `tolerance` for so many hours."""
    return {
        "flat_tolerance": tolerance,
        "flat_suspect": suspect * _HOURS,
        "flat_fail": fail * _HOURS,
    } | given


_l = _limits
LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        # water
        "chlorophyll": _l(),
        "conductivity": _l(),
        "dissolved_oxygen": _l(),
        "ph": _l(user_span=(2, 12)),
        "water_temperature": _l(user_span=(0, 40)),
        # weather
        "air_pressure": _l(),
        "air_temperature": _l(user_span=(-20, 50)),
    }
)


def limits_of(parameter: str, sensor_span: Span) -> Limits:
    """The limits of a parameter whose sensors can read that span; of `generic` none."""
    if parameter == "generic":
        return Limits()
    return replace(LIMITS.get(parameter, _limits()), sensor_span=sensor_span)
