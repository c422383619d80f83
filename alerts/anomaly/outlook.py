"""What is expected of a series at a time, and how its newest reading is unusual: for people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alerts.anomaly import parameters
from alerts.anomaly.arithmetic import NUMBERS
from alerts.anomaly.calendar import Clock
from alerts.anomaly.lately import AT, HIGHEST, MEAN, Lately
from alerts.anomaly.layout import BOUND, EXCESS, SEEN, SLOT, WHOLE, Learned
from alerts.anomaly.learning import LEAST_SEEN, view
from alerts.anomaly.rarity import CHANCES, Symptom, confidence, rarity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Between `low` and `high` a reading is expected; `months` is how rare the newest is, negative
    where too low, by its `symptom`; `confidence`, 0 to 1, is how well the series is known.
    """

    low: float
    high: float
    months: float
    symptom: Symptom
    confidence: float


def outlook(
    learned: Learned,
    recent: Sequence[float],
    parameter: str,
    clock: Clock,
    newest: tuple[int, float],
    months: float,
) -> Outlook | None:
    """Of a series of which so much was learned, at its newest reading (time in µs, value), for a
    rule that tells what is rarer than once in `months`; None while nothing can be said. `recent` is
    what is known of the last readings, if anything is.
    """
    if learned[SEEN] < LEAST_SEEN:
        return None
    at, value = newest
    times, scale = clock.times(np.array([at])), parameters.scaled(parameter, np.array([value]))
    floor, known = parameters.floor(parameter), bool(recent) and recent[AT] == at
    told = Lately(scale, np.array([recent[MEAN]]) if known else scale, np.zeros(1))
    found = rarity(learned[np.newaxis], np.zeros(1, np.int64), told, times, np.array([floor]))
    symptom = Symptom(int(found.symptom[0]))
    if known and float(scale[0]) in recent[HIGHEST:] and abs(found.months[0]) < months:
        symptom = Symptom.RECORD
    cells, whole = learned[times.cells()[:, 0]].tolist(), learned[:WHOLE].tolist()
    now = view(NUMBERS, cells, whole, max(float(times.slot[0]) - whole[SLOT], 0.0), floor)
    sure = float(confidence(learned[SEEN]))
    beyond = math.log(months * CHANCES / sure)
    leap, place = (
        whole[BOUND + one] * (1 + beyond * whole[EXCESS + one] / 2) ** 2
        for one in (Symptom.LEAP, Symptom.PLACE)
    )
    low = max(now.forecast - leap * now.error, now.usual - place * now.spread)
    high = min(now.forecast + leap * now.error, now.usual + place * now.spread)
    return Outlook(
        low=parameters.unscaled(parameter, min(low, high)),
        high=parameters.unscaled(parameter, max(low, high)),
        months=float(found.months[0]),
        symptom=symptom,
        confidence=sure,
    )
