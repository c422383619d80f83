"""Spikes and rates of change: what one reading is against its neighbours in time.

A spike shows when the next reading comes back. So each reading is judged twice: at once by its step
from the last reading that was no spike, and again with the next one, by its distance from the
median of the three. What the second look changes is a revision.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import MINUTE
from ingest.quality.sequence import Sequence, last_marked
from ingest.quality.view import FAIL, SUSPECT, Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Of each row: the last reading before it that was no spike (`base`), the step from there and
    its minutes, NaN when it is out of reach; and what is now said of the reading just before it,
    NOT_EVALUATED where nothing new is.
    """

    base_at: IntColumn
    base: FloatColumn
    step: FloatColumn
    minutes: FloatColumn
    confirmed: Verdicts

    @staticmethod
    def of(sequence: Sequence) -> "Steps":
        """The steps of these rows."""
        view, tails = sequence.view, sequence.tails
        at, value, reach = view.columns.measured_at, view.columns.value, view["reach"]
        off = _distance(sequence, value)
        confirmed = spike_verdicts(off, view["spike"], view["spike_fail"])
        base_at, base = sequence.previous_at, sequence.previous
        spiked = confirmed >= SUSPECT
        if spiked.any():
            base_at, base = base_at.copy(), base.copy()
            opening = spiked[sequence.starts]
            base_at[sequence.starts[opening]] = tails["base_at"][opening]
            base[sequence.starts[opening]] = tails["base"][opening]
            spiked[sequence.starts] = False
            last = last_marked(~spiked)
            base_at, base = base_at[last], base[last]
        since = at - base_at
        within = since <= reach
        return Steps(
            base_at=base_at,
            base=base,
            step=np.where(within, np.abs(value - base), np.nan),
            minutes=np.where(within, since / MINUTE, np.nan),
            confirmed=confirmed,
        )


def _distance(sequence: Sequence, value: FloatColumn) -> FloatColumn:
    """How far the reading before each row is outside of those at its sides; NaN if one is out of
    reach.
    """
    tails, reach = sequence.tails, sequence.view["reach"]
    middle = sequence.previous
    left = sequence.before(middle, tails["previous"])
    was_near = tails["at"] - tails["previous_at"] <= reach[sequence.starts]
    both: BoolColumn = sequence.near & sequence.before(sequence.near, was_near)
    off = np.maximum(np.minimum(left, value) - middle, middle - np.maximum(left, value))
    return np.where(both, off, np.nan)


def spike_verdicts(off: FloatColumn, suspect: FloatColumn, fail: FloatColumn) -> Verdicts:
    """What a distance from the neighbours amounts to; nothing where it is NaN."""
    least = np.fmin(suspect, fail)
    verdicts = (~(np.isnan(off) | np.isnan(least))).astype(np.uint8)
    verdicts[off > least] = SUSPECT
    verdicts[off > fail] = FAIL
    return verdicts


def replaced(codes: NDArray[np.uint32], place: int, verdicts: Verdicts) -> NDArray[np.uint32]:
    """The codes with one test's verdicts put in; NOT_EVALUATED leaves what was there."""
    cleared = codes & ~np.uint32(3 << 2 * place)
    return np.where(verdicts != 0, cleared | (verdicts * np.uint32(1 << 2 * place)), codes)
