"""What happens to a place, or slowly to a probe, put into real series where a seed says.

Sizes are in parts of the series' `scale`, as those of `benchmarks/faults.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from benchmarks.faults import Chance, Fault, Track
from core.catalogue import CATALOGUE
from core.readings import FloatColumn


def inside(values: FloatColumn, track: Track) -> FloatColumn:
    """What a sensor of this parameter can read of it."""
    low, high = CATALOGUE[track.parameter].physical
    return np.clip(values, low, high)


def plume(count: int) -> FloatColumn:
    """What comes within an hour or two and goes slowly, in so many hourly readings; 1 at most."""
    hours = np.arange(count, dtype=np.float64)
    shape: FloatColumn = np.minimum((hours + 1) / 2, 1.0) * np.exp(-hours / (count / 2))
    return shape


def hump(count: int) -> FloatColumn:
    """What rises for a third of the time, stays, and falls."""
    place = np.linspace(0, 1, count)
    shape: FloatColumn = np.clip(np.minimum(place, 1 - place) * 3, 0.0, 1.0)
    return shape


def _spill(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    by = chance.uniform(0.75, 2.0) * track.scale
    return inside(values + by * plume(len(values)), track)


def _haze(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    by = chance.uniform(0.75, 1.5) * track.scale
    return inside(values + by * hump(len(values)), track)


def _drift(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """Fouling: more from day to day."""
    rise = np.linspace(0, 1, len(values)) * chance.choice((-1.0, 1.0))
    return inside(values + chance.uniform(0.75, 1.5) * track.scale * rise, track)


def _bias(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """A bad calibration."""
    by = chance.uniform(0.5, 1.0) * track.scale * chance.choice((-1.0, 1.0))
    return inside(values + by, track)


def _unrest(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    noise = chance.normal(0.0, chance.uniform(0.25, 0.5) * track.scale, len(values))
    return inside(values + noise, track)


def _stillness(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """A blocked inlet: it follows, but hardly."""
    still: FloatColumn = values.mean() + 0.05 * (values - values.mean())
    return still


EPISODES: Mapping[str, Fault] = MappingProxyType(
    {
        "spill": Fault((6, 18), _spill),
        "haze": Fault((72, 120), _haze),
        "bias": Fault((72, 168), _bias),
        "drift": Fault((240, 480), _drift),
        "unrest": Fault((24, 72), _unrest),
        "stillness": Fault((72, 120), _stillness),
    }
)
