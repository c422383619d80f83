"""Flat lines: how long a series has stayed where it is.

Two readings are in one run while they lie in one cell of a grid whose cells are two and a half
tolerances wide, or in one of the same grid moved by half a cell: whatever lies within the tolerance
shares a cell in one of the two, and what shares one is never farther apart than that.
"""

from dataclasses import dataclass

import numpy as np

from core.readings import BoolColumn, IntColumn
from ingest.quality.sequence import Sequence, last_marked

_CELL = 2.5
_SHIFTS = np.array([[0.0], [0.5]])
_GRIDS = np.array([[0], [1]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Of each row: since when its run has lasted (`length`, µs) and whether that began with a
    change that was seen; a run that began after a gap may be longer. `opened` is by grid where the
    run began: its time doubled, plus one where the change was seen.
    """

    length: IntColumn
    seen: BoolColumn
    opened: IntColumn

    @staticmethod
    def of(sequence: Sequence) -> "Runs":
        """The runs of these rows."""
        view, at = sequence.view, sequence.view.columns.measured_at
        width = _CELL * view["flat_tolerance"]
        cells = np.floor(view.columns.value / width + _SHIFTS)
        before = np.floor(sequence.previous / width + _SHIFTS)
        left = (cells != before) | ~sequence.near
        opened = np.where(left, at * 2 + sequence.near, 0)
        opening = ~left[:, sequence.starts]
        opened[:, sequence.starts] += np.where(opening, sequence.tails["run"].T, 0)
        left[:, sequence.starts] = True
        opened = opened[_GRIDS, last_marked(left)]
        earliest = opened.min(axis=0)
        return Runs(
            length=at - (earliest >> 1), seen=(earliest & 1).astype(np.bool_), opened=opened
        )
