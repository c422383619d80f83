"""Which sites are beside each other."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from core.quality import Limits
from core.readings import IntColumn
from core.registry import Series, Site

MOST = 5  # neighbours that are asked
_EARTH_KM = 6371.0


class Places:
    """The sites of a city."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites
        self._near = cache(self._within)

    def beside(self, series: Sequence[Series], limits: Sequence[Limits]) -> IntColumn:
        """By series its neighbours, the nearest first, padded with -1: the same parameter at the
        same kind of site within the series' `neighbour_km`, but no other series of its device.
        """
        found = np.full((len(series), MOST), -1, np.int64)
        if all(each.neighbour_km is None for each in limits):
            return found
        at: dict[tuple[str, str], list[Series]] = {}
        for s in series:
            at.setdefault((s.site, s.parameter), []).append(s)
        for s, each in zip(series, limits, strict=True):
            if each.neighbour_km is not None and s.site in self._sites:
                near = self._near(s.site, each.neighbour_km)
                others = [o for site in near for o in at.get((site, s.parameter), ())]
                chosen = [o.index for o in others if o.device != s.device][:MOST]
                found[s.index, : len(chosen)] = chosen
        return found

    def _within(self, site: str, km: float) -> tuple[str, ...]:
        here = self._sites[site]
        others = (s for s in self._sites.values() if s.kind == here.kind)
        near = sorted((distance, s.id) for s in others if (distance := _km(here, s)) <= km)
        return tuple(name for _, name in near)


def _km(a: Site, b: Site) -> float:
    """Along the surface, good for neighbours."""
    middle = math.radians((a.latitude + b.latitude) / 2)
    north = math.radians(b.latitude - a.latitude)
    east = math.radians((b.longitude - a.longitude + 180) % 360 - 180) * math.cos(middle)
    return _EARTH_KM * math.hypot(north, east)
