"""How a series lies to its usual, and what shape its last hours and days have. Pure.

*Usual* is the median of the same time of the day in the days before, or of some hours before the
alert where there are none; *noise* is how far readings lie from it then.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from alerts.anomaly.parameters import BY_FACTOR
from alerts.company import LARGE, steps_nearby
from alerts.kinship import least
from core.quality import Limits
from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE
from core.verdicts import Track

NOW = 30 * MINUTE  # the present is no longer
FEW = 3


class Move(NamedTuple):
    """How far a series is from its usual: `far` in noise, with sign; the rest in its unit."""

    far: float
    now: float
    usual: float
    noise: float


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
    noise = max(_spread(usual), least(track.parameter))
    return Move((present - middle) / noise, present, middle, noise)


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


# --- the shape of the series itself ---


def known(track: Track) -> bool:
    """Whether enough of the days before is known."""
    return len(np.unique(track.before.measured_at // DAY)) >= FEW


def still(track: Track, limits: Limits) -> int:
    """How long the last readings have been the same, but for values at which they may rest."""
    values, times = track.values, track.times
    if len(values) < FEW or limits.flat_tolerance is None:
        return 0
    if limits.rests is not None and limits.rests[0] <= values[-1] <= limits.rests[1]:
        return 0
    apart = np.flatnonzero(np.abs(values - values[-1]) > limits.flat_tolerance)
    first = int(apart[-1]) + 1 if len(apart) else 0
    return int(times[-1] - times[first]) if len(values) - first >= FEW else 0


def stirs(track: Track, limits: Limits) -> bool:
    """Whether two readings of the days before were mostly not the same."""
    values = track.before.value
    if len(values) < 4 * FEW:
        return False
    same = np.abs(np.diff(values)) <= (limits.flat_tolerance or 0.0)
    return float(same.mean()) < 0.5


def spikes(track: Track, move: Move | None) -> IntColumn:
    """Single readings that lie far outside of both the one before and the one after."""
    v = track.values
    if move is None or len(v) < FEW:
        return np.empty(0, np.int64)
    low, high = np.minimum(v[:-2], v[2:]), np.maximum(v[:-2], v[2:])
    out = np.maximum(low - v[1:-1], v[1:-1] - high)
    large = np.maximum(_scatter(track, low), np.maximum(6 * move.noise, 3 * (high - low)))
    return np.flatnonzero(out > large) + 1


def _scatter(track: Track, level: FloatColumn) -> FloatColumn:
    """How far readings scatter about a level where it is the factor that counts: what is much is
    patchy.
    """
    factor = 0.5 if track.parameter in BY_FACTOR else 0.0
    scatter: FloatColumn = factor * np.abs(level)
    return scatter


def turns(track: Track, move: Move | None, neighbours: Sequence[Track]) -> IntColumn:
    """Readings to which it goes far, and from which it goes as far back; far is what is far for its
    neighbours, or else for itself.
    """
    steps = np.diff(track.values)
    if move is None or len(steps) < FEW:
        return np.empty(0, np.int64)
    ordinary = steps_nearby(neighbours) or move.noise
    low = np.minimum(track.values[:-1], track.values[1:])
    large = np.maximum(_scatter(track, low), LARGE * max(ordinary, least(track.parameter)))
    far = np.abs(steps) > large
    return np.flatnonzero(far[:-1] & far[1:] & (steps[:-1] * steps[1:] < 0)) + 1


def step(track: Track, move: Move | None) -> float:
    """The greatest step as a part of the way from the usual to now."""
    if move is None or len(track.values) < 2 or move.now == move.usual:
        return 0.0
    return float(np.abs(np.diff(track.values)).max() / abs(move.now - move.usual))


def climb(track: Track, move: Move | None) -> int:
    """Since when a tenth of the way has been left behind for good."""
    if move is None or len(track.values) < 2 or move.now == move.usual:
        return 0
    part = (track.values - move.usual) / (move.now - move.usual)
    near = np.flatnonzero(part < 0.1)
    first = int(near[-1]) if len(near) else 0
    return int(track.times[-1] - track.times[first])


def creeps(track: Track, move: Move | None) -> int:
    """On how many days it went on in the direction in which it is now, less those on which not."""
    days = track.before.measured_at // DAY
    if move is None or len(np.unique(days)) < FEW + 1:
        return 0
    middle = [float(np.median(track.before.value[days == day])) for day in np.unique(days)]
    steps = np.diff([*middle, move.now]) * np.sign(move.now - middle[0])
    small = least(track.parameter) / 4
    return int((steps > small).sum() - (steps < -small).sum())


def creeping(channels: Iterable[Track], moves: Mapping[str, Move]) -> dict[str, int]:
    """Those that went on for days as well, beyond their noise: 1 upward, -1 downward."""
    known = [(one, moves[one.parameter]) for one in channels if one.parameter in moves]
    return {
        one.parameter: int(np.sign(_gone(one, move)))
        for one, move in known
        if creeps(one, move) >= 2 and abs(_gone(one, move)) > FEW * least(one.parameter)
    }


def crowd(own: Track, move: Move | None, near: Sequence[tuple[Track, Move | None]]) -> float:
    """The part of the neighbours that went on for days in the same direction."""
    known = [(track, one) for track, one in near if one is not None]
    if move is None or not known:
        return 0.0
    way = _gone(own, move)
    along = [creeps(track, one) >= FEW and _gone(track, one) * way > 0 for track, one in known]
    return sum(along) / len(along)


def _gone(track: Track, move: Move) -> float:
    """How far it has gone since the first of the days before, with sign."""
    return float(move.now - track.before.value[:1].sum())


def rough(track: Track) -> float:
    """How large steps are now, beside those of the days before; no number where too little is known
    of one of them.
    """
    lately = track.values[track.times > track.times[-1:].sum() - 2 * HOUR]
    if len(lately) < 2 * FEW or len(track.before) < 4 * FEW:
        return math.nan
    near = np.diff(track.before.measured_at) < HOUR
    before = np.abs(np.diff(track.before.value))[near]
    small = least(track.parameter) / 4
    now = float(np.median(np.abs(np.diff(lately))))
    return max(now, small) / max(float(np.median(before)) if len(before) else small, small)


def gaps(track: Track) -> float:
    """The part of the last two hours' readings that did not come, by the pace of before."""
    begins = track.times[-1:].sum() - 2 * HOUR
    before, steps = (
        np.diff(track.times[part]) for part in (track.times <= begins, track.times >= begins)
    )
    if len(before) < FEW or len(steps) < FEW:
        return 0.0
    lost = float(np.maximum(np.round(steps / max(float(np.median(before)), 1.0)) - 1, 0).sum())
    return lost / (lost + len(steps))
