"""`neighbours`: how far a series has left its neighbours, in spreads of its own.

Weather, tides and seasons move neighbours alike; a sensor that drifts leaves them. Once in 55
minutes a reading is held against what they read: how far it is outside of their range. The mean of
that over a day is compared with what it usually is, which is learned in weeks, and hardly at all
from what is far out; so a drift of weeks does not teach itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from alerts.anomaly import parameters
from alerts.anomaly.calendar import SLOT_LENGTH
from core.catalogue import CATALOGUE
from core.readings import FloatColumn, IntColumn
from core.times import DAY

KM = 20.0  # so far away stands a neighbour at most
LEAST = 2  # neighbours; one alone cannot say which of both is wrong
MANY = 4  # neighbours of whom the highest and the lowest are left out
# Parameters of which neighbours tell nothing: what belongs to one device, and directions.
ALONE = frozenset(key for key, known in CATALOGUE.items() if known.group in {"bin", "health"}) | {
    "generic",
    "rain",
    "wind_direction",
}

# What is known of a series, a row of numbers:
SLOT, SEEN = 0, 1  # the last slot in which it was compared, and in how many
TODAY = 2  # the mean of the last day
USUAL = 3  # of the last weeks
SPREAD = 4  # how far the one usually is from the other
WIDTH = 5

LEAST_SEEN = 2 * DAY // SLOT_LENGTH  # before, nothing is said
OVER_DAY = SLOT_LENGTH / DAY
FORGET = 1 / 600  # of a slot: what is usual is forgotten in 23 days
MOST_A_SLOT = 16.0  # spreads: so hours of an event are no drift of a day
MOST = 2.0  # spreads by which a slot may move what is usual
FAR = 4.0  # spreads; beyond them little is learned of the spread,
TIMID = 0.1  # so much
FAR_OFF = 3.0  # spreads; nothing counts as further off when a spread is learned
DEVIATION = 1.25  # mean deviations are a standard one
TRUST = 100.0  # slots after which half of what is said counts
CLOSE = 0.5  # of the mildest level: there an alert may end
FRESH = 3  # slots without a comparison, and nothing is said any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What its rules ask for stands in their levels."""


def outside(value: FloatColumn, others: FloatColumn) -> FloatColumn:
    """How far each value is above (or, negative, below) all that its row of `others` (NaN: nobody)
    reads; of four and more the highest and the lowest do not count. NaN where there are too few.

    >>> others = np.array([[1.0, 2.0, np.nan], [1.0, 2.0, np.nan], [1.0, np.nan, np.nan]])
    >>> outside(np.array([2.5, 1.5, 9.0]), others).tolist()
    [0.5, 0.0, nan]
    """
    ordered, count = np.sort(others, axis=1), np.isfinite(others).sum(axis=1)
    rows, spared = np.arange(len(value)), (count >= MANY).astype(np.int64)
    low = ordered[rows, spared]
    high = ordered[rows, np.maximum(count - 1 - spared, 0)]
    found: FloatColumn = np.where(count >= LEAST, value - np.clip(value, low, high), np.nan)
    return found


def learn(
    known: FloatColumn, slot: IntColumn, value: FloatColumn, floor: FloatColumn
) -> FloatColumn:
    """Rows of what is known of series, with how far each is outside in a slot; `floor` is the least
    spread that means anything.
    """
    seen, gap = known[:, SEEN], slot - known[:, SLOT]
    young = 1 / (seen + 1)
    share = np.maximum(np.minimum(gap * OVER_DAY, 1), young)
    width = np.maximum(DEVIATION * known[:, SPREAD], floor)
    settled, pace = seen >= LEAST_SEEN, np.maximum(FORGET, young)
    far = MOST_A_SLOT * width
    near = known[:, USUAL] + np.clip(value - known[:, USUAL], -far, far)
    today = known[:, TODAY] + share * (np.where(settled, near, value) - known[:, TODAY])
    off = today - known[:, USUAL]
    moved = np.where(settled, np.clip(off, -MOST * width, MOST * width), off)
    usual = known[:, USUAL] + pace * moved
    left = np.abs(today - usual)
    left = np.where(settled, np.minimum(left, FAR_OFF * width), left)
    timid = np.where(settled & (np.abs(off) > FAR * width), TIMID, 1.0)
    spread = known[:, SPREAD] + pace * timid * (left - known[:, SPREAD])
    return np.stack([slot, seen + 1, today, usual, spread], axis=1)


def apart(known: FloatColumn, slot: IntColumn, floor: FloatColumn) -> FloatColumn:
    """In a slot, how many spreads each series has left its neighbours, less while little is known
    of it; negative where it reads less. NaN while nothing can be said.
    """
    seen = known[:, SEEN]
    width = np.maximum(DEVIATION * known[:, SPREAD], floor)
    found = (known[:, TODAY] - known[:, USUAL]) / width * seen / (seen + TRUST)
    silent = (seen < LEAST_SEEN) | (slot - known[:, SLOT] > FRESH)
    return np.where(silent, np.nan, found)


class Parting(NamedTuple):
    """How much more (or, negative, less) a series reads beside its neighbours than usual, by the
    mean of a day; a factor where that is how its parameter is compared.
    """

    change: float
    is_factor: bool


def parting(parameter: str, known: Sequence[float]) -> Parting:
    """Of a series of which so much is known."""
    change, is_factor = known[TODAY] - known[USUAL], parameter in parameters.BY_FACTOR
    return Parting(math.exp(change) if is_factor else change, is_factor)
