"""Where things are on one island: distances in km, and what neighbours have in common."""

import math

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from simulators.chance import Chance

WEST_COAST = 98.33  # degrees of longitude: beaches west of it face the monsoon of the summer
MESH = 0.08  # degrees: places farther apart than twice this have no weather in common


def km(north: float, east: float) -> float:
    """Degrees near Phuket as km."""
    return math.hypot(north * 110.6, east * 109.3)


def apart(one: Site, other: Site) -> float:
    """How many km lie between two places."""
    return km(one.latitude - other.latitude, one.longitude - other.longitude)


def part_within(distance: float, reach: float) -> float:
    """1 in the middle, 0.61 at `reach`, nearly 0 beyond three times that."""
    return math.exp(-0.5 * (distance / reach) ** 2) if reach else 0.0


def faces_west(site: Site) -> bool:
    """Whether its sea is the Andaman Sea, not the bay behind the island."""
    return site.longitude < WEST_COAST


def nearby(site: Site, times: IntColumn, period: int, chance: Chance, *key: object) -> FloatColumn:
    """As `Chance.drift`, but places have the more of it in common the closer they are: each mixes
    the drifts of the four corners of its mesh.
    """
    north, up = math.modf(site.latitude / MESH)
    east, right = math.modf(site.longitude / MESH)
    shares = {
        (int(up) + i, int(right) + j): abs(1 - i - north) * abs(1 - j - east)
        for i in (0, 1)
        for j in (0, 1)
    }
    drifts = chance.drifts(times, period, [(*key, corner) for corner in shares])
    weights = np.array(list(shares.values())) / math.hypot(*shares.values())
    mixed: FloatColumn = (weights[:, None] * drifts).sum(axis=0)
    return mixed
