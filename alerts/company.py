"""What others do while a series leaves its usual: channels of its device, and neighbours. Pure.

A place that changes is seen by several sensors in the same hour; a sensor that errs errs alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from alerts.kinship import kin, least
from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import HOUR, MINUTE
from core.verdicts import Track

PIECE = 30 * MINUTE  # readings of so long are one: what a series does within is its noise
FEW = 3
LARGE = 4.0  # times an ordinary step
SOME = 0.3  # of a leap that a neighbour makes as well


class Leap(NamedTuple):
    """The greatest step of the last hours, if it is far greater than the others: from which level
    to which. Of those that leap with it where other water or air comes, how many there are, and
    which did; of the neighbours how many there are, and how many went the same way by then.
    """

    before: float
    after: float
    kin: int = 0
    joined: Sequence[str] = ()
    near: int = 0
    along: int = 0


class _Course(NamedTuple):
    """A series in pieces of half an hour: their numbers, and the median of each."""

    piece: IntColumn
    level: FloatColumn


def leap(own: Track, channels: Mapping[str, Track], neighbours: Iterable[Track]) -> Leap | None:
    """How the series leapt, and who with it; None where it did not."""
    course = _course(own)
    step = _greatest(course, own.parameter)
    if step is None:
        return None
    others = {name: _course(channels[name]) for name in kin(own.parameter) if name in channels}
    known = {name: one for name, one in others.items() if len(one.piece) > FEW}
    near = [one for track in neighbours if len((one := _course(track)).piece) > FEW]
    size = float(course.level[step + 1] - course.level[step])
    return Leap(
        before=float(course.level[step]),
        after=float(course.level[step + 1]),
        kin=len(known),
        joined=[name for name, one in known.items() if _leaps(one, name, course, step)],
        near=len(near),
        along=sum(_goes(one, course.piece[step], size) for one in near),
    )


def shared(own: Track, channels: Mapping[str, Track], rows: IntColumn) -> float:
    """The part of these single readings at which a channel of other kin leaps out and back too."""
    if not len(rows):
        return 0.0
    at = own.times[rows]
    hit = np.zeros(len(rows), np.bool_)
    for name in kin(own.parameter):
        if name in channels:
            hit |= np.isin(at, channels[name].times[1:-1][_out_and_back(channels[name])])
    return float(hit.mean())


def steps_nearby(neighbours: Iterable[Track]) -> float:
    """An ordinary step of the neighbours of late; 0 where there are none."""
    found = [
        float(np.median(_steps(track.values))) for track in neighbours if len(track.values) > FEW
    ]
    return float(np.median(found)) if found else 0.0


def _course(track: Track) -> _Course:
    numbers, begins = np.unique(track.times // PIECE, return_index=True)
    ends, values = [*begins.tolist()[1:], len(track.values)], track.values.tolist()
    pieces = zip(begins.tolist(), ends, strict=True) if values else ()
    return _Course(numbers, np.array([median(values[begin:end]) for begin, end in pieces]))


def _steps(values: FloatColumn) -> FloatColumn:
    steps: FloatColumn = np.abs(np.diff(values))
    return steps


def _greatest(course: _Course, parameter: str) -> int | None:
    """The piece after which it leapt."""
    steps = _steps(course.level)
    if len(steps) < FEW:
        return None
    most = int(np.argmax(steps))
    ordinary = max(float(np.median(np.delete(steps, most))), least(parameter) / 2)
    return most if steps[most] >= LARGE * ordinary else None


def _leaps(other: _Course, parameter: str, own: _Course, step: int) -> bool:
    """Whether it leapt when the series did, or a piece before or after."""
    steps = _steps(other.level)
    width = int(own.piece[step + 1] - own.piece[step])
    then = np.abs(other.piece[1:] - own.piece[step + 1]) <= width
    if not then.any() or then.all():
        return False
    ordinary = max(float(np.median(steps[~then])), least(parameter) / 2)
    return bool(steps[then].max() >= LARGE * ordinary)


def _goes(other: _Course, since: int, size: float) -> bool:
    """Whether a neighbour went a good part of that way, from two hours before on."""
    level = np.sign(size) * other.level[other.piece >= since - 2 * HOUR // PIECE]
    if len(level) < 2:
        return False
    return bool((level - np.minimum.accumulate(level)).max() >= SOME * abs(size))


def _out_and_back(track: Track) -> BoolColumn:
    """Of each reading but the first and the last, whether it lies far out of both beside it."""
    v = track.values
    if len(v) < FEW:
        return np.zeros(max(len(v) - 2, 0), np.bool_)
    out = np.maximum(np.minimum(v[:-2], v[2:]) - v[1:-1], v[1:-1] - np.maximum(v[:-2], v[2:]))
    ordinary = max(float(np.median(_steps(v))), least(track.parameter) / 2)
    found: BoolColumn = out >= LARGE / 2 * ordinary
    return found
