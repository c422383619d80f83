"""How rare a reading is beside what was learned of its series."""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from alerts.anomaly.arithmetic import COLUMNS
from alerts.anomaly.calendar import SLOTS_A_MONTH, Times
from alerts.anomaly.lately import Lately
from alerts.anomaly.layout import (
    BOUND,
    EXCESS,
    FALLING,
    FAST,
    RISING,
    SEEN,
    SLOT,
    SLOW,
    SYMPTOMS,
    WHOLE,
    Learned,
)
from alerts.anomaly.learning import LEAST_SEEN, ONE_IN, excess, symptoms, view
from core.readings import FloatColumn, IntColumn

CHANCES = SLOTS_A_MONTH / ONE_IN * SYMPTOMS  # how often bounds are exceeded in a month
RAREST = 120.0  # months; nobody knows more
RECORD = 0.2  # months; how rare it is at least that a reading lies beyond all before it
MARGIN = 20.0  # and by so much rarer for each range that it lies beyond, as a logarithm
MOST_OF_A_RECORD = 1.0  # months: alone it is for the most sensitive rules
NEAR = 3.0  # spreads off what is usual at this time
TRUST = 168.0  # slots after which half of what is said counts


class Symptom(IntEnum):
    """What is unusual."""

    LEAP = 0  # far off the forecast
    PLACE = 1  # far off what is usual at this time
    SHIFT = 2  # the last hours off the last week
    DRIFT = 3  # the last week off what is usual
    SUM = 4  # more above the forecast than below, or the other way round
    BURST = 5  # restless
    COLLAPSE = 6  # hardly moving
    RECORD = 7  # beyond all that was read before


class Rarity(NamedTuple):
    """Of each reading, once in how many months one is as unusual: negative where it is too low, NaN
    while nothing is known; and by which symptom.
    """

    months: FloatColumn
    symptom: IntColumn


def confidence(seen: Any) -> FloatColumn:
    """How far what is said of a series can be relied on, 0 to 1, after so many slots."""
    return np.where(seen < LEAST_SEEN, 0.0, seen / (seen + TRUST))


def rarity(
    learned: Learned, which: IntColumn, told: Lately, times: Times, floor: FloatColumn
) -> Rarity:
    """How rare each reading is; `which` is its row of `learned`."""
    flat, first = learned.reshape(-1), which * learned.shape[1]
    cells = flat[times.cells() + first].astype(np.float64)
    whole = learned[which, :WHOLE].T.astype(np.float64)
    gap = np.maximum(times.slot - whole[SLOT], 0.0)
    now = view(COLUMNS, cells, whole, gap, floor)
    off, error = told.mean - now.usual, told.mean - now.forecast
    here = [np.abs(error) / now.error, np.abs(off) / now.spread]
    sizes = np.stack([*here, *symptoms(COLUMNS, whole, floor)])
    beyond = excess(COLUMNS, sizes, whole[BOUND:EXCESS]) / whole[EXCESS:WHOLE]
    symptom = beyond.argmax(axis=0)
    furthest = np.minimum(beyond.max(axis=0), 30.0)  # far more than the rarest
    sides = [error, off, whole[FAST] - whole[SLOW], whole[SLOW], whole[RISING] - whole[FALLING]]
    up = np.ones(len(which))
    side = np.choose(symptom, [*sides, up, -up])
    sure = confidence(whole[SEEN])
    months = np.minimum(np.exp(furthest) / CHANCES * sure, RAREST)
    months = np.where(side < 0, -months, months)
    record = _record(told, (told.value - now.usual) / now.spread) * sure
    stands_out = np.abs(record) > np.abs(months)
    months, symptom = (
        np.where(stands_out, *both) for both in ((record, months), (Symptom.RECORD, symptom))
    )
    return Rarity(np.where(whole[SEEN] < LEAST_SEEN, np.nan, months), symptom)


def _record(told: Lately, off: FloatColumn) -> FloatColumn:
    """The months of a reading beyond all before it, which alone are not many; 0 for the others and
    those near what is usual then.
    """
    side, margin = np.sign(told.beyond), np.abs(told.beyond)
    months = np.minimum(RECORD * np.exp(np.minimum(MARGIN * margin, 30.0)), MOST_OF_A_RECORD)
    return side * np.where(off * side > NEAR, months, 0.0)
