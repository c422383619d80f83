"""The limits of quality by parameter: one line for each, the same for every series of it.

Tuned on hourly series of a beach of Chicago and an air station of Beijing, so that faults show and
little else does (docs/reference/quality-on-real-data.md); where there was no such series they are
proposals. Spans are those of sea, air and bins anywhere, so wide that an event passes; profiles and
sites narrow them. The sensor's span is the parameter's `physical` one (`core.catalogue`).

What may leap for good reason has neither `spike` nor `rate`, since the first reading of a leap
would be suspect and drive no rule: fire and tilt, rain, a bin that is emptied. What may stay has no
`flat_…`, or the values at which it `rests`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from core.quality import Limits, Span
from core.times import HOUR, SECOND

# What loggers write in place of a reading. The first is a float32 of -99999.992.
SENTINELS = (-99999.992, -100000.0, -99999.0, -9999.0, -999.0, -9999.9, -999.9)
AHEAD = 120.0

_HOURS = float(HOUR // SECOND)


def _limits(**given: Any) -> Limits:
    common: dict[str, Any] = {"sentinels": SENTINELS, "ahead": AHEAD}
    return Limits(**common | given)


def _stuck(tolerance: float, suspect: float = 5, fail: float = 12, **given: Any) -> dict[str, Any]:
    """Flat within `tolerance`, some third of what sensors resolve, for so many hours."""
    return {
        "flat_tolerance": tolerance,
        "flat_suspect": suspect * _HOURS,
        "flat_fail": fail * _HOURS,
    } | given


def _leaps(spike: float, rate: float, noise: float = 4.0) -> dict[str, float]:
    """Farther than `spike` there and back, or farther than `rate` a minute beside so many times its
    own noise.
    """
    return {"spike": spike, "spike_fail": 4 * spike, "rate": rate, "noise_factor": noise}


_l = _limits
LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        # water
        "chlorophyll": _l(**_leaps(10, 0.2), **_stuck(0.003)),
        "conductivity": _l(**_leaps(4, 0.15), **_stuck(0.003)),
        "dissolved_oxygen": _l(**_leaps(2, 0.05), **_stuck(0.003)),
        "oxygen_saturation": _l(**_leaps(25, 0.6), **_stuck(0.03)),
        "ph": _l(user_span=(2, 12), **_leaps(0.4, 0.015), **_stuck(0.003, 12, 24)),
        "redox": _l(**_leaps(80, 3), **_stuck(0.03, 12, 24)),
        "salinity": _l(**_leaps(4, 0.15), **_stuck(0.003)),
        "suspended_solids": _l(**_leaps(20, 0.2, 8), **_stuck(0.03)),
        "turbidity": _l(**_leaps(8, 0.1, 8), **_stuck(0.003)),
        "water_level": _l(**_leaps(0.5, 0.015), **_stuck(0.0003), attenuated=0.03),
        "water_pressure": _l(**_leaps(5, 0.2), **_stuck(0.003)),
        "water_temperature": _l(user_span=(0, 40), **_leaps(2, 0.035), **_stuck(0.03)),
        "wave_height": _l(**_leaps(0.5, 0.01), **_stuck(0.0003)),
        "wave_period": _l(user_span=(0.5, 30), **_stuck(0.03, 24, 48)),
        # air
        "co": _l(**_leaps(1.2, 0.02), **_stuck(0.003, rests=(0.05, 0.4))),
        "co2": _l(**_leaps(300, 5), **_stuck(0.3)),
        "no2": _l(**_leaps(20, 0.3), **_stuck(0.03)),
        "noise": _l(**_stuck(0.03)),
        "o3": _l(**_leaps(30, 0.5), **_stuck(0.03, rests=(0.05, 3))),
        "pm1": _l(**_leaps(60, 1, 6), **_stuck(0.03)),
        "pm10": _l(**_leaps(80, 1.2, 6), **_stuck(0.03)),
        "pm25": _l(**_leaps(60, 1, 6), **_stuck(0.03)),
        "so2": _l(**_leaps(20, 0.2, 6), **_stuck(0.03, rests=(0.05, 3))),
        # weather
        "air_pressure": _l(**_leaps(4, 0.1), **_stuck(0.03), attenuated=0.5),
        "air_temperature": _l(
            user_span=(-20, 50), **_leaps(3, 0.05, 3), **_stuck(0.03), attenuated=0.3
        ),
        "dew_point": _l(**_leaps(5, 0.12), **_stuck(0.03)),
        "humidity": _l(**_leaps(25, 0.6), **_stuck(0.03, rests=(98, 100))),
        "rain": _l(**_stuck(0.003, rests=(0, 0))),
        "solar_radiation": _l(**_stuck(0.03, rests=(0, 10))),
        "uv_index": _l(**_stuck(0.003, rests=(0, 0.5))),
        "wind_direction": _l(**_stuck(0.03, 12, 24)),
        "wind_speed": _l(**_leaps(4, 0.06, 2), **_stuck(0.003, 5, 24)),
        # device health
        "battery_voltage": _l(user_span=(1, 15), **_leaps(1.5, 0.03)),
    }
)


def limits_of(parameter: str, sensor_span: Span) -> Limits:
    """The limits of a parameter whose sensors can read that span; of `generic` none."""
    if parameter == "generic":
        return Limits()
    return replace(LIMITS.get(parameter, _limits()), sensor_span=sensor_span)
