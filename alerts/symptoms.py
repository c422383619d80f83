"""What the readings around an alert amount to, in numbers for `alerts/verdict.py`. Pure.

The series itself (`alerts/shapes.py`), who goes with it (`alerts/company.py`), and the device. How
far something is away is said in noise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from alerts import shapes
from alerts.company import Leap, leap, shared
from alerts.kinship import kin
from alerts.shapes import FEW, Move, moved
from core.catalogue import CATALOGUE
from core.surroundings import Names
from core.verdicts import Material, Question, Track

_LAST = 12  # readings that tests of quality are asked about

Objections = Callable[[int], Mapping[str, str]]


class Near(NamedTuple):
    """How a neighbour moves: how far, and how far as a part of the series' own way."""

    site: Names
    km: float
    far: float
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """What is to be seen of an alert.

    `move` is None where nothing is known of its series, `known` says that the days before are.
    `still` is how long it has not moved at all (µs), while `stirs` says that it usually does.
    `spikes` are single readings far out and back in the last hours, `turns` steps far out and at
    once as far back; `shared` is the part of both at which other channels leap too. `leap` is the
    greatest step of the last hours. `step` is the greatest one as a part of the whole way, `climb`
    for how long it has been on that way (µs). `creeps` says on how many of the last days it was
    farther than on the day before, less on how many it was not; `creeping` are the channels of
    other kin that do so as well, with their direction, `crowd` is the part of the neighbours.
    `rough` is how much rougher readings are than usual, NaN where nobody knows, `gaps` the part of
    them that is missing of late. `objections` are the tests of quality and the part of the last
    readings to which each objects.

    `neighbours` and `channels` (of the same device, by parameter) say how others move; `flagged` is
    the part of the device's channels whose readings are bad. `ahead` is by how much the device's
    clock is ahead (µs), `rain` the most that fell nearby in an hour, `work` what the service log
    says of the last day.
    """

    kind: str
    parameter: str
    move: Move | None = None
    known: bool = False
    still: int = 0
    stirs: bool = False
    spikes: int = 0
    turns: int = 0
    shared: float = 0.0
    leap: Leap | None = None
    step: float = 0.0
    climb: int = 0
    creeps: int = 0
    creeping: Mapping[str, int] = field(default_factory=dict)
    crowd: float = 0.0
    rough: float = math.nan
    objections: Mapping[str, float] = field(default_factory=dict)
    neighbours: Sequence[Near] = ()
    channels: Mapping[str, Move] = field(default_factory=dict)
    flagged: float = 0.0
    gaps: float = 0.0
    battery: Move | None = None
    voltage: Move | None = None
    ahead: int = 0
    rain: float = 0.0
    work: str = ""


def symptoms(question: Question, material: Material, kind: str, objections: Objections) -> Symptoms:
    """What the material says; `kind` is that of the rule, `objections` reads a code of tests."""
    at = question.at
    moves = {
        name: move
        for name, track in material.channels.items()
        if (move := moved(track, question.since, at)) is not None
    }
    around = Symptoms(
        kind=kind,
        parameter="",
        channels={n: move for n, move in moves.items() if CATALOGUE[n].group != "health"},
        flagged=_flagged(material),
        battery=moves.get("battery_level"),
        voltage=moves.get("battery_voltage"),
        ahead=_ahead(material),
        rain=max((_most(track) for track in material.rain), default=0.0),
        work=material.works[0].work.value if material.works else "",
    )
    own = material.own
    if own is None or own.parameter not in CATALOGUE:
        return around
    move = moved(own, question.since, at)
    near = [(track, moved(track, question.since, at)) for track in material.neighbours]
    seen = [_near(track, one, move) for track, one in near if one is not None and move is not None]
    around = replace(around, neighbours=seen, crowd=shapes.crowd(own, move, near))
    return _with_own(around, material, own, move, moves, objections)


def _with_own(
    around: Symptoms,
    material: Material,
    own: Track,
    move: Move | None,
    moves: Mapping[str, Move],
    objections: Objections,
) -> Symptoms:
    """The same with what its own series shows, and who shows it too."""
    limits = CATALOGUE[own.parameter].limits
    spikes, turns = shapes.spikes(own, move), shapes.turns(own, move, material.neighbours)
    return replace(
        around,
        parameter=own.parameter,
        move=move,
        known=shapes.known(own),
        still=shapes.still(own, limits),
        stirs=shapes.stirs(own, limits),
        spikes=len(spikes),
        turns=len(turns),
        shared=shared(own, material.channels, np.union1d(spikes, turns)),
        leap=leap(own, material.channels, material.neighbours),
        step=shapes.step(own, move),
        climb=shapes.climb(own, move),
        creeps=shapes.creeps(own, move),
        creeping=shapes.creeping(
            [t for name, t in material.channels.items() if name in kin(own.parameter)], moves
        ),
        rough=shapes.rough(own),
        objections=_objections(own, objections),
        gaps=shapes.gaps(own),
    )


def _near(track: Track, move: Move, own: Move) -> Near:
    way = own.now - own.usual
    return Near(track.site, track.km, move.far, (move.now - move.usual) / way if way else 0.0)


def _objections(track: Track, objections: Objections) -> dict[str, float]:
    """The part of the last readings to which each test objects."""
    codes = track.lately.tests[-_LAST:].tolist()
    found: dict[str, float] = {}
    for code in codes:
        for name in objections(code):
            found[name] = found.get(name, 0.0) + 1 / len(codes)
    return found


def _flagged(material: Material) -> float:
    """The part of the device's other channels whose newest readings are mostly bad."""
    bad = [
        float((track.lately.flag[-FEW:] > 2).mean()) > 0.5
        for track in material.channels.values()
        if len(track.lately) and CATALOGUE[track.parameter].group != "health"
    ]
    return sum(bad) / len(bad) if bad else 0.0


def _ahead(material: Material) -> int:
    """By how much the newest readings were measured later than they were received, µs."""
    tracks = [*material.channels.values(), *([material.own] if material.own else [])]
    late = [t.lately for t in tracks if len(t.lately)]
    ahead = [(one.measured_at - one.received_at)[-FEW:] for one in late]
    return int(np.median(np.concatenate(ahead))) if ahead else 0


def _most(track: Track) -> float:
    return float(track.values.max(initial=0.0))
