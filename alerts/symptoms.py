"""What the readings around an alert amount to, in numbers for `alerts/verdict.py`. Pure.

*Usual* is the median of the same time of the day in the days before, or of some hours before the
alert where there are none; *noise* is how far readings lie from it then. How far something is away
is said in noise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from core.catalogue import CATALOGUE
from core.quality import Limits
from core.readings import FloatColumn
from core.surroundings import Names
from core.times import DAY, HOUR, MINUTE
from core.verdicts import Material, Question, Track

NOW = 30 * MINUTE  # the present is no longer
FEW = 3
SPAN_PART = 0.01  # of a parameter's usual span: no noise is taken for less
_LAST = 12  # readings that tests of quality are asked about

Objections = Callable[[int], Mapping[str, str]]


class Move(NamedTuple):
    """How far a series is from its usual: `far` in noise, with sign; the rest in its unit."""

    far: float
    now: float
    usual: float
    noise: float


class Near(NamedTuple):
    """How a neighbour moves: how far, and how far as a part of the series' own way."""

    site: Names
    km: float
    far: float
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """What is to be seen of an alert.

    `move` is None where nothing is known of its series. `still` is how long it has not moved at all
    (µs), while `stirs` says that it usually does. `spikes` are single readings far out and back in
    the last hours; `step` is the greatest step as a part of the whole way, `climb` for how long it
    has been on that way (µs). `creeps` says on how many of the last days it was farther than on the
    day before, less on how many it was not. `rough` is how much rougher readings are than usual,
    NaN where nobody knows, `gaps` the part of them that is missing of late. `objections` are the
    tests of quality and the part of the last readings to which each objects.

    `neighbours` and `channels` (of the same device, by parameter) say how others move; `flagged` is
    the part of the device's channels whose readings are bad. `ahead` is by how much the device's
    clock is ahead (µs), `rain` the most that fell nearby in an hour, `work` what the service log
    says of the last day.
    """

    kind: str
    parameter: str
    move: Move | None = None
    still: int = 0
    stirs: bool = False
    spikes: int = 0
    step: float = 0.0
    climb: int = 0
    creeps: int = 0
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
    return replace(_with_own(around, own, move, objections), neighbours=seen)


def _with_own(around: Symptoms, own: Track, move: Move | None, objections: Objections) -> Symptoms:
    """The same with what its own series shows."""
    limits = CATALOGUE[own.parameter].limits
    return replace(
        around,
        parameter=own.parameter,
        move=move,
        still=_still(own, limits),
        stirs=_stirs(own, limits),
        spikes=_spikes(own, move),
        step=_step(own, move),
        climb=_climb(own, move),
        creeps=_creeps(own, move),
        rough=_rough(own),
        objections=_objections(own, objections),
        gaps=_gaps(own),
    )


def moved(track: Track, since: int, at: int) -> Move | None:
    """How far a series is from its usual at `at`, of an alert that began at `since`; None where too
    little is known.
    """
    now = track.values[track.times >= max(since, at - NOW)]
    if not len(now):
        now = track.values[track.times > at - 4 * NOW][-1:]
    usual = _usual(track, since, at)
    if not len(now) or len(usual) < FEW:
        return None
    middle, present = float(np.median(usual)), float(np.median(now))
    noise = max(_spread(usual), _least(track.parameter))
    return Move((present - middle) / noise, present, middle, noise)


def _near(track: Track, move: Move, own: Move) -> Near:
    way = own.now - own.usual
    return Near(track.site, track.km, move.far, (move.now - move.usual) / way if way else 0.0)


def _usual(track: Track, since: int, at: int) -> FloatColumn:
    """Readings of the days before the alert at this time of the day; else of the hours before."""
    ordinary = track.before.measured_at < since
    before = track.before.value[ordinary]
    if len(np.unique(track.before.measured_at[ordinary] // DAY)) >= FEW:
        return before
    earlier = track.times < min(since, at - NOW)
    return np.concatenate([before, track.values[earlier]])


def _spread(values: FloatColumn) -> float:
    """The standard deviation, as the median tells it."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _least(parameter: str) -> float:
    known = CATALOGUE.get(parameter)
    return SPAN_PART * (known.usual[1] - known.usual[0]) if known else 1e-9


# --- the shape of the series itself ---


def _still(track: Track, limits: Limits) -> int:
    """How long the last readings have been the same, but for values at which they may rest."""
    values, times = track.values, track.times
    if len(values) < FEW or limits.flat_tolerance is None:
        return 0
    if limits.rests is not None and limits.rests[0] <= values[-1] <= limits.rests[1]:
        return 0
    apart = np.flatnonzero(np.abs(values - values[-1]) > limits.flat_tolerance)
    first = int(apart[-1]) + 1 if len(apart) else 0
    return int(times[-1] - times[first]) if len(values) - first >= FEW else 0


def _stirs(track: Track, limits: Limits) -> bool:
    """Whether two readings of the days before were mostly not the same."""
    values = track.before.value
    if len(values) < 4 * FEW:
        return False
    same = np.abs(np.diff(values)) <= (limits.flat_tolerance or 0.0)
    return float(same.mean()) < 0.5


def _spikes(track: Track, move: Move | None) -> int:
    """Single readings that lie far outside of both the one before and the one after."""
    v = track.values
    if move is None or len(v) < FEW:
        return 0
    low, high = np.minimum(v[:-2], v[2:]), np.maximum(v[:-2], v[2:])
    out = np.maximum(low - v[1:-1], v[1:-1] - high)
    return int((out > np.maximum(6 * move.noise, 3 * (high - low))).sum())


def _step(track: Track, move: Move | None) -> float:
    """The greatest step as a part of the way from the usual to now."""
    if move is None or len(track.values) < 2 or move.now == move.usual:
        return 0.0
    return float(np.abs(np.diff(track.values)).max() / abs(move.now - move.usual))


def _climb(track: Track, move: Move | None) -> int:
    """Since when a tenth of the way has been left behind for good."""
    if move is None or len(track.values) < 2 or move.now == move.usual:
        return 0
    part = (track.values - move.usual) / (move.now - move.usual)
    near = np.flatnonzero(part < 0.1)
    first = int(near[-1]) if len(near) else 0
    return int(track.times[-1] - track.times[first])


def _creeps(track: Track, move: Move | None) -> int:
    """On how many days it went on in the direction in which it is now, less those on which not."""
    days = track.before.measured_at // DAY
    if move is None or len(np.unique(days)) < FEW + 1:
        return 0
    middle = [float(np.median(track.before.value[days == day])) for day in np.unique(days)]
    steps = np.diff([*middle, move.now]) * np.sign(move.now - middle[0])
    least = _least(track.parameter) / 4
    return int((steps > least).sum() - (steps < -least).sum())


def _rough(track: Track) -> float:
    """How large steps are now, beside those of the days before; no number where too little is known
    of one of them.
    """
    lately = track.values[track.times > track.times[-1:].sum() - 2 * HOUR]
    if len(lately) < 2 * FEW or len(track.before) < 4 * FEW:
        return math.nan
    near = np.diff(track.before.measured_at) < HOUR
    before = np.abs(np.diff(track.before.value))[near]
    least = _least(track.parameter) / 4
    now = float(np.median(np.abs(np.diff(lately))))
    return max(now, least) / max(float(np.median(before)) if len(before) else least, least)


def _gaps(track: Track) -> float:
    """The part of the last two hours' readings that did not come, by the pace of before."""
    begins = track.times[-1:].sum() - 2 * HOUR
    before, steps = (
        np.diff(track.times[part]) for part in (track.times <= begins, track.times >= begins)
    )
    if len(before) < FEW or len(steps) < FEW:
        return 0.0
    lost = float(np.maximum(np.round(steps / max(float(np.median(before)), 1.0)) - 1, 0).sum())
    return lost / (lost + len(steps))


def _objections(track: Track, objections: Objections) -> dict[str, float]:
    """The part of the last readings to which each test objects."""
    codes = track.lately.tests[-_LAST:].tolist()
    found: dict[str, float] = {}
    for code in codes:
        for name in objections(code):
            found[name] = found.get(name, 0.0) + 1 / len(codes)
    return found


# --- the device around it ---


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
