"""Faults put into real series at places that a seed decides, so that what is to be found is known.

A place has readings around it, at most `LONGEST_GAP` apart, and lies apart from other faults; where
the series itself is stuck there is none. Sizes are in parts of the series' `scale`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

import numpy as np

from core.catalogue import CATALOGUE
from core.readings import FloatColumn, IntColumn
from core.times import HOUR

EPISODES = 40  # of one kind in one series, if there is room
APART = 48 * HOUR  # between the end of one and the start of the next
BEFORE = 24 * HOUR  # of ordinary readings before each
LONGEST_GAP = 3 * HOUR
STUCK = 7  # so many equal values in a row: the series is stuck by itself
SENTINELS = (-99999.992, -100000.0, -999.0)
DUE = 6 * HOUR  # a run must be seen when it is that long

Chance = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series: its readings in order of time, no two at one time."""

    device: str
    parameter: str
    measured_at: IntColumn
    value: FloatColumn

    @property
    def scale(self) -> float:
        """The range of the middle nine tenths of the values, or two fifths of what is usual for the
        parameter, if that is more: what is less is no fault but weather.
        """
        low, high = np.quantile(self.value, [0.05, 0.95])
        least, most = CATALOGUE[self.parameter].usual
        return max(float(high - low), 0.4 * (most - least))


@dataclass(frozen=True, slots=True)
class Episode:
    """A fault in the rows `start` to before `end`; from row `due` on it must be seen."""

    start: int
    due: int
    end: int


@dataclass(frozen=True, slots=True)
class Fault:
    """`make` gives the values of one episode of `hours` (least, most) in place of the true ones."""

    hours: tuple[float, float]
    make: Callable[[FloatColumn, Track, Chance], FloatColumn]
    due: int = 0  # µs after its start


def _sentinels(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    return np.full_like(values, chance.choice(SENTINELS))


def _zeros(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    return np.zeros_like(values)


def _stuck(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    return np.full_like(values, values[0])


def _shifted(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """Up or down, as long as a sensor can read it, since the range would find it otherwise."""
    low, high = CATALOGUE[track.parameter].physical
    by = chance.uniform(0.5, 2.0) * track.scale * chance.choice((-1.0, 1.0))
    outside = (values + by).min() < low or (values + by).max() > high
    shifted: FloatColumn = values - by if outside else values + by
    return shifted


def _noise(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """Within the sensor's span."""
    low, high = CATALOGUE[track.parameter].physical
    size = chance.uniform(0.5, 1.0) * track.scale
    return np.clip(values + chance.normal(0.0, size, len(values)), low, high)


def _other_unit(values: FloatColumn, track: Track, chance: Chance) -> FloatColumn:
    """Fahrenheit for Celsius, else a thousandth or a thousandfold."""
    if CATALOGUE[track.parameter].unit == "Cel":
        return values * 1.8 + 32
    changed: FloatColumn = values * chance.choice((0.001, 1000.0))
    return changed


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "sentinels": Fault((0, 5), _sentinels),
        "zeros": Fault((7, 24), _zeros, due=DUE),
        "stuck": Fault((7, 24), _stuck, due=DUE),
        "spike": Fault((0, 0), _shifted),
        "step": Fault((6, 24), _shifted),
        "noise": Fault((6, 24), _noise),
        "unit": Fault((12, 48), _other_unit),
    }
)


def with_faults(
    track: Track, fault: Fault, seed: int, most: int = EPISODES
) -> tuple[FloatColumn, Sequence[Episode]]:
    """The values of a series with up to so many episodes of one kind, and where they are."""
    chance = np.random.default_rng(seed)
    values, episodes = track.value.copy(), []
    for start, end in islice(_places(track, fault, chance), most):
        rows = slice(start, end)
        values[rows] = fault.make(track.value[rows], track, chance)
        due = int(np.searchsorted(track.measured_at, track.measured_at[start] + fault.due))
        episodes.append(Episode(start, due, end))
    return values, sorted(episodes, key=lambda episode: episode.start)


def stuck_runs(track: Track) -> Sequence[Episode]:
    """Where the series itself stays at one value for as long as a fault is due, without a gap."""
    at = track.measured_at
    begins = (np.diff(track.value) != 0) | (np.diff(at) > LONGEST_GAP)
    starts = np.concatenate([[0], np.flatnonzero(begins) + 1])
    ends = np.append(starts[1:], len(at))
    due = np.searchsorted(at, at[starts] + DUE)
    return [
        Episode(*rows)
        for rows in zip(starts.tolist(), due.tolist(), ends.tolist(), strict=True)
        if rows[1] < rows[2]
    ]


def _places(track: Track, fault: Fault, chance: Chance) -> Iterator[tuple[int, int]]:
    """Rows from and to of episodes that have room, at random."""
    at, taken = track.measured_at, list[tuple[int, int]]()
    for start in chance.permutation(len(at)).tolist():
        length = int(chance.uniform(*fault.hours) * HOUR)
        end = int(np.searchsorted(at, at[start] + length, "right"))
        if any(at[start] - APART < last and first < at[end - 1] + APART for first, last in taken):
            continue
        if is_ordinary(track, start, end):
            taken.append((int(at[start]), int(at[end - 1])))
            yield start, end


def is_ordinary(track: Track, start: int, end: int) -> bool:
    """Whether the true series has readings from a day before to one after, none of them stuck."""
    at = track.measured_at
    first = int(np.searchsorted(at, at[start] - BEFORE))
    rows = slice(first, end + 1)
    whole = first > 0 and end < len(at)
    if not whole or np.diff(at[first - 1 : end + 1]).max() > LONGEST_GAP:
        return False
    same = np.diff(track.value[rows]) == 0
    return not (np.convolve(same, np.ones(STUCK - 1)) >= STUCK - 1).any()
