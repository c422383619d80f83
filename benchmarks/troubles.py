"""Events and faults put into the series of a place together, where a seed says: a fault into one
channel of one station, an event into all channels that it moves, at one station or at all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from benchmarks.episodes import EPISODES, hump, inside, plume
from benchmarks.faults import FAULTS, Chance, Fault, Track, is_ordinary
from core.readings import FloatColumn
from core.times import DAY, HOUR
from core.verdicts import VerdictKind

APART = 8 * DAY  # verdicts look back for a week
TRIES = 200  # places drawn for one before there is no room
SINGLES = 12  # one reading in so many is a spike

Name: TypeAlias = tuple[str, str]  # device, parameter


class Put(NamedTuple):
    """What was put into some series from `start` to `end` (µs)."""

    kind: str
    truth: VerdictKind
    series: frozenset[Name]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`by` says how far each parameter goes, as a part of its scale; it is felt at all stations, if
    it is `everywhere`.
    """

    hours: tuple[float, float]
    shape: Callable[[int], FloatColumn]
    by: Mapping[str, float]
    everywhere: bool = False


def _spikes(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """Now and then one reading is off."""
    size = chance.uniform(0.75, 2.0) * track.scale * chance.choice((-1.0, 1.0))
    hit = chance.random(len(values)) < 1 / SINGLES
    hit[chance.integers(len(values))] = True
    return inside(np.where(hit, values + size, values), track)


SENSORS: Mapping[str, Fault] = MappingProxyType(
    {
        "stuck": FAULTS["stuck"],
        "spikes": Fault((48, 72), _spikes),
        "drift": EPISODES["drift"],
        "bias": EPISODES["bias"],
        "noise": EPISODES["unrest"],
        "unit": FAULTS["unit"],
        "attenuation": EPISODES["stillness"],
    }
)
AIR: Mapping[str, Event] = MappingProxyType(
    {
        "smoke at one station": Event(
            hours=(6, 24), shape=plume, by={"pm25": 1.0, "pm10": 1.0, "co": 1.0}
        ),
        "haze at all stations": Event(
            hours=(48, 96),
            shape=hump,
            by={"pm25": 1.0, "pm10": 1.0, "co": 0.5},
            everywhere=True,
        ),
    }
)
SEA: Mapping[str, Event] = MappingProxyType(
    {
        "run-off at one beach": Event(
            hours=(12, 36), shape=plume, by={"turbidity": 1.0, "water_temperature": -0.3}
        ),
        "storm at all beaches": Event(
            hours=(24, 48), shape=hump, by={"turbidity": 1.0, "wave_height": 1.0}, everywhere=True
        ),
    }
)


def with_fault(
    tracks: Mapping[Name, Track], kind: str, seed: int
) -> tuple[dict[Name, FloatColumn], list[Put]]:
    """The series' values with episodes of this fault, in each channel of each station in turn."""
    fault = SENSORS[kind]

    def change(track: Track, values: FloatColumn, chance: Chance) -> FloatColumn:
        return fault.make(values, track, chance)

    places = _Places(tracks, kind, VerdictKind.SENSOR_FAULT, seed)
    return places.fill([[name] for name in tracks], fault.hours, lambda _: change)


def with_event(
    tracks: Mapping[Name, Track], kind: str, event: Event, seed: int
) -> tuple[dict[Name, FloatColumn], list[Put]]:
    """The same of an event."""

    def changes(chance: Chance) -> Change:
        strength = chance.uniform(0.75, 2.0)

        def change(track: Track, values: FloatColumn, _: Chance) -> FloatColumn:
            by = strength * event.by[track.parameter] * track.scale
            return inside(values + by * event.shape(len(values)), track)

        return change

    moved = [name for name in tracks if name[1] in event.by]
    stations = dict.fromkeys(device for device, _ in moved)
    each = [[name for name in moved if name[0] == device] for device in stations]
    places = _Places(tracks, kind, VerdictKind.EVENT, seed)
    return places.fill([moved] if event.everywhere else each, event.hours, changes)


Change: TypeAlias = Callable[[Track, FloatColumn, Chance], FloatColumn]


class _Places:
    """Where there is room for more of one kind."""

    def __init__(
        self, tracks: Mapping[Name, Track], kind: str, truth: VerdictKind, seed: int
    ) -> None:
        self._tracks = tracks
        self._kind, self._truth = kind, truth
        self._chance = np.random.default_rng(seed)
        self._values = {name: track.value.copy() for name, track in tracks.items()}
        self._put: list[Put] = []

    def fill(
        self,
        groups: Sequence[Sequence[Name]],
        hours: tuple[float, float],
        changes: Callable[[Chance], Change],
    ) -> tuple[dict[Name, FloatColumn], list[Put]]:
        """Change the series of each group together, in turn, until there is no room."""
        open_groups = list(groups)
        while open_groups:
            for group in list(open_groups):
                found = self._room(group, hours)
                if found is None:
                    open_groups.remove(group)
                else:
                    self._change(group, *found, changes(self._chance))
        return self._values, self._put

    def _room(self, group: Sequence[Name], hours: tuple[float, float]) -> tuple[int, int] | None:
        at = self._tracks[group[0]].measured_at
        for _ in range(TRIES):
            start = int(self._chance.choice(at))
            end = start + int(self._chance.uniform(*hours) * HOUR)
            if self._is_free(start, end) and all(self._is_ordinary(n, start, end) for n in group):
                return start, end
        return None

    def _is_free(self, start: int, end: int) -> bool:
        return all(end + APART < put.start or put.end + APART < start for put in self._put)

    def _is_ordinary(self, name: Name, start: int, end: int) -> bool:
        track = self._tracks[name]
        first, last = _rows(track, start, end)
        return first < last and is_ordinary(track, first, last)

    def _change(self, group: Iterable[Name], start: int, end: int, change: Change) -> None:
        for name in group:
            track = self._tracks[name]
            rows = slice(*_rows(track, start, end))
            self._values[name][rows] = change(track, track.value[rows], self._chance)
        self._put.append(Put(self._kind, self._truth, frozenset(group), start, end))


def _rows(track: Track, start: int, end: int) -> tuple[int, int]:
    first, last = np.searchsorted(track.measured_at, [start, end + 1])
    return int(first), int(last)
