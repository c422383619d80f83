"""Showers that move over the island: what falls where, and how long it is felt.

The numbers are ours, chosen so that a year looks like Phuket's (about 2,450 mm on 190 days).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.clock import UTC_OFFSET, local_day, season_of
from simulators.events import FELT, EventKind, Happenings
from simulators.places import km, part_within

# Showers that begin on one day anywhere over the island, January to December: the south-west
# monsoon rains from May to October, November is the change.
SHOWERS = (0.4, 0.3, 0.6, 1.5, 2.7, 2.4, 2.5, 2.7, 3.3, 3.1, 2.0, 0.8)
STORM_PEAK = 70.0  # mm/h of a storm that is an event

# How long rain is felt, and how much longer than it falls it takes to come: on the ground, in the
# air, and in the sea, where hills and canals bring it. In ten times as long it is forgotten.
MEMORIES = ((90 * MINUTE, 0), (5 * HOUR, 0), (9 * HOUR, 150 * MINUTE))
FORGOTTEN = 10 * max(memory for memory, _ in MEMORIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shower:
    """A cell of rain: where, when, how wide (km) and how hard (mm/h at its middle)."""

    start: int
    duration: int
    latitude: float
    longitude: float
    radius: float
    peak: float

    def share(self, site: Site) -> float:
        """How much of the peak falls at `site`, 0 to 1."""
        distance = km(site.latitude - self.latitude, site.longitude - self.longitude)
        return part_within(distance, self.radius)


def rain_at(
    site: Site, times: IntColumn, chance: Chance, happenings: Happenings
) -> tuple[FloatColumn, list[FloatColumn]]:
    """The rain in mm/h, and the mm that are still felt on the ground, in the air and in the sea."""
    rain, recent = np.zeros(len(times)), [np.zeros(len(times)) for _ in MEMORIES]
    for start, duration, peak in _falls(site, times, chance, happenings):
        first, last = np.searchsorted(times, [start, start + duration + FORGOTTEN]).tolist()
        if first == last:
            continue
        felt, passed = slice(first, last), times[first:last] - start
        rain[felt] += peak * np.sin(np.pi * np.minimum(1.0, passed / duration)) ** 2
        for amount, (memory, late) in zip(recent, MEMORIES, strict=True):
            part = np.minimum(1.0, passed / (duration + late))
            come = part - np.sin(2 * np.pi * part) / (2 * np.pi)
            dry = np.maximum(0, passed - duration - late)
            amount[felt] += peak * duration / (2 * HOUR) * come * np.exp(-dry / memory)
    return np.where(rain > 0.05, rain, 0.0), recent


def _falls(
    site: Site, times: IntColumn, chance: Chance, happenings: Happenings
) -> Iterator[tuple[int, int, float]]:
    """Start, duration and mm/h at its height of each rain that may be felt at `site` then."""
    first, last = local_day(times[[0, -1]]).tolist()
    for day in range(first - 5, last + 1):
        for shower in _showers(day, chance):
            if (share := shower.share(site)) > FELT:
                yield shower.start, shower.duration, share * shower.peak
    for event, share in happenings.near(site, EventKind.RUN_OFF):
        yield event.start, event.end - event.start, share * event.strength * STORM_PEAK


@lru_cache(maxsize=2048)
def _showers(day: int, chance: Chance) -> tuple[Shower, ...]:
    """The showers that begin on a `local_day`."""
    midnight = (day - 3) * DAY - UTC_OFFSET
    month = int(season_of(np.array([midnight]))[0] * 12)
    count = _poisson(SHOWERS[month], chance.uniform("showers", day))
    return tuple(_shower(midnight, chance, (day, number)) for number in range(count))


def _shower(midnight: int, chance: Chance, key: tuple[int, int]) -> Shower:
    """Most showers come in the afternoon, when the island is hot."""
    if chance.uniform("afternoon", *key) < 0.6:
        hour = (15.5 + 2.2 * chance.normal("hour", *key)) % 24
    else:
        hour = chance.between(0, 24, "hour", *key)
    return Shower(
        start=midnight + round(hour * HOUR),
        duration=round(chance.between(20, 110, "duration", *key) * MINUTE),
        latitude=chance.between(7.74, 8.21, "latitude", *key),
        longitude=chance.between(98.25, 98.45, "longitude", *key),
        radius=chance.between(4, 11, "radius", *key),
        peak=6 + 74 * chance.uniform("peak", *key) ** 2,
    )


def _poisson(expected: float, part: float) -> int:
    """The count at `part` (0 to 1) of a Poisson distribution."""
    count, probability = 0, math.exp(-expected)
    reached = probability
    while part > reached and count < 40:
        count += 1
        probability *= expected / count
        reached += probability
    return count
