"""Which places are beside each other."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Series

MOST = 5  # neighbours that are asked
_EARTH_KM = 6371.0
_Group: TypeAlias = list[tuple[Series, float]]


def beside(series: Sequence[Series], within: Sequence[float | None]) -> IntColumn:
    """By series its neighbours, the nearest first, padded with -1: the same parameter at the same
    kind of site within so many km, but no other series of its device; none where that is None.
    """
    found = np.full((len(series), MOST), -1, np.int64)
    groups: dict[tuple[str, str], _Group] = defaultdict(list)
    for one, km in zip(series, within, strict=True):
        if one.position is not None:
            groups[one.kind, one.parameter].append((one, math.nan if km is None else km))
    for group in groups.values():
        if len(group) > 1:
            _fill(found, group)
    return found


def _fill(found: IntColumn, group: _Group) -> None:
    """The neighbours among series of one kind."""
    order = sorted(group, key=lambda one: (one[0].site, one[0].index))
    index = np.array([one.index for one, _ in order])
    device = np.array([one.device for one, _ in order])
    near = _km(np.array([one.position for one, _ in order]))
    out = ~(near <= np.array([km for _, km in order])[:, np.newaxis])
    near[out | (device[:, np.newaxis] == device)] = np.inf
    places = np.argsort(near, axis=1, kind="stable")[:, :MOST]
    taken = np.where(np.isfinite(np.take_along_axis(near, places, 1)), index[places], -1)
    found[index, : taken.shape[1]] = taken


def _km(position: FloatColumn) -> FloatColumn:
    """Between each two of these latitudes and longitudes; good for neighbours."""
    latitude, longitude = np.radians(position).T
    middle = (latitude[:, np.newaxis] + latitude) / 2
    north = latitude[:, np.newaxis] - latitude
    east = (longitude[:, np.newaxis] - longitude + math.pi) % (2 * math.pi) - math.pi
    distance: FloatColumn = _EARTH_KM * np.hypot(north, east * np.cos(middle))
    return distance
