"""How the values of a parameter are compared, for all of its series alike."""

import numpy as np

from core.catalogue import CATALOGUE
from core.readings import FloatColumn

# Of these a factor counts, not a difference: their events are many times what is usual.
BY_FACTOR = frozenset(
    ("chlorophyll", "co", "h2s", "nh3", "no2", "o3", "pm1", "pm10", "pm25", "rain", "so2")
) | {"suspended_solids", "turbidity", "wave_height", "wind_speed"}
LEAST_FACTOR = 0.03  # the spread below which a factor means nothing
LEAST_PART = 0.005  # of the usual span, the same of a difference
NEAR_ZERO = 0.02  # of what is usual: below, differences count again


def scaled(parameter: str, value: FloatColumn) -> FloatColumn:
    """The values on the scale on which they are compared."""
    if parameter not in BY_FACTOR:
        return value
    scale: FloatColumn = np.log(np.maximum(value, 0.0) + _offset(parameter))
    return scale


def unscaled(parameter: str, scale: float) -> float:
    """The value at a place on that scale."""
    if parameter not in BY_FACTOR:
        return scale
    return max(float(np.exp(min(scale, 700.0))) - _offset(parameter), 0.0)


def floor(parameter: str) -> float:
    """The least spread that means anything on that scale."""
    if parameter in BY_FACTOR:
        return LEAST_FACTOR
    known = CATALOGUE.get(parameter)
    low, high = known.usual if known else (0.0, 1.0)
    return LEAST_PART * (high - low)


def _offset(parameter: str) -> float:
    return NEAR_ZERO * CATALOGUE[parameter].usual[1]
