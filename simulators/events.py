"""What happens to the city on top of its ordinary days: where, when, how strongly, and to what.

An event is felt most at the sites that it names and less around them: `EVENTS` says how far it
reaches, how it comes and goes, and what it changes. The amounts stand with the stations.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import smooth
from simulators.places import apart, part_within

EVERYWHERE = math.inf
FELT = 0.01  # less of an event than this is nothing


class EventKind(StrEnum):
    """What can happen."""

    BIN_FIRE = "bin-fire"
    BLOOM = "bloom"
    CONSTRUCTION_DUST = "construction-dust"
    FIREWORKS = "fireworks"
    HAZE = "haze"
    MISSED_COLLECTION = "missed-collection"
    OVERFLOW = "overflow"
    RUN_OFF = "run-off"
    SPILL = "spill"
    TIPPED_BIN = "tipped-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something at `sites` from `start` to `end` (µs). A `strength` of 1 is what people would talk
    about; the effect grows with it.
    """

    kind: EventKind
    sites: tuple[str, ...]
    start: int
    end: int
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How events of one kind are felt.

    `touches`: kind of site that an event may name → parameters that it changes there · `reach`: at
    so many km from the sites named it is 0.61 as strong, and nearly nothing at three times that ·
    `rise`, `fall`: µs from its start to its full strength, and from its end to nothing.
    """

    touches: Mapping[str, tuple[str, ...]]
    rise: int
    fall: int
    reach: float = 0.0


_SEA = ("turbidity", "salinity", "dissolved_oxygen", "oxygen_saturation", "ph")
_DUST = ("pm1", "pm25", "pm10")
_LOAD = ("fill_level", "distance")

EVENTS: Mapping[EventKind, Effect] = MappingProxyType(
    {
        EventKind.BIN_FIRE: Effect(
            touches={"bin": ("bin_temperature", *_LOAD)}, rise=12 * MINUTE, fall=90 * MINUTE
        ),
        EventKind.BLOOM: Effect(
            touches={"beach": ("chlorophyll", *_SEA)}, rise=18 * HOUR, fall=30 * HOUR, reach=2.5
        ),
        EventKind.CONSTRUCTION_DUST: Effect(
            touches={"air": _DUST}, rise=MINUTE // 2, fall=30 * MINUTE, reach=0.4
        ),
        EventKind.FIREWORKS: Effect(
            touches={"air": (*_DUST, "so2", "co")}, rise=15 * MINUTE, fall=4 * HOUR, reach=3
        ),
        EventKind.HAZE: Effect(
            touches={"air": (*_DUST, "co")}, rise=6 * HOUR, fall=10 * HOUR, reach=EVERYWHERE
        ),
        EventKind.MISSED_COLLECTION: Effect(touches={"bin": _LOAD}, rise=0, fall=0),
        EventKind.OVERFLOW: Effect(touches={"bin": _LOAD}, rise=0, fall=0),
        EventKind.RUN_OFF: Effect(
            touches={"beach": ("water_temperature", *_SEA)}, rise=HOUR, fall=3 * DAY, reach=6
        ),
        EventKind.SPILL: Effect(
            touches={"beach": _SEA}, rise=MINUTE // 2, fall=20 * MINUTE, reach=2
        ),
        EventKind.TIPPED_BIN: Effect(touches={"bin": ("tilt", *_LOAD)}, rise=0, fall=0),
    }
)


@dataclass(frozen=True, slots=True)
class Happenings:
    """Events among the sites of a city."""

    events: Sequence[Event]
    sites: Mapping[str, Site]

    def at(self, site: Site, *kinds: EventKind) -> list[Event]:
        """Events of these kinds that name the site, in order of time."""
        found = (e for e in self.events if e.kind in kinds and site.id in e.sites)
        return sorted(found, key=lambda event: event.start)

    def near(self, site: Site, kind: EventKind) -> Iterator[tuple[Event, float]]:
        """Events of a kind that are felt at the site, and how much of each, 0 to 1."""
        for event in self.events:
            if event.kind is kind:
                share = max(self._share(name, site, EVENTS[kind].reach) for name in event.sites)
                if share > FELT:
                    yield event, share

    def felt(self, kind: EventKind, site: Site, times: IntColumn, *, rise: int = 0) -> FloatColumn:
        """How strongly events of a kind are felt at the site, coming up within `rise` (µs) where
        that is given; where several are, the strongest.
        """
        effect = EVENTS[kind]
        strongest = np.zeros(len(times))
        for event, share in self.near(site, kind):
            come = smooth((times - event.start) / (rise or effect.rise))
            gone = smooth((times - event.end) / effect.fall)
            strongest = np.maximum(strongest, event.strength * share * come * (1 - gone))
        return strongest

    def _share(self, name: str, site: Site, reach: float) -> float:
        if name == site.id or reach == EVERYWHERE:
            return 1.0
        return part_within(apart(self.sites[name], site), reach)
