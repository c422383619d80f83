"""`fault`: how many of a series' readings its tests of quality object to.

It counts as `count` does, but flags instead of values: the episode is that of the sensor.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.kinds.count import Count
from alerts.levels import above
from core.readings import Flag, FloatColumn

BAD = (Flag.SUSPECT, Flag.FAIL)
EVERY_FLAG = frozenset({Flag.GOOD, Flag.NOT_EVALUATED, *BAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Count):
    """Flagged readings among the last `of`, or less than `within` (µs of event time) old."""


FLAGGED = above(0.5)


def flagged(flags: NDArray[Any]) -> FloatColumn:
    """1 for each reading with a bad flag, 0 for the others.

    >>> flagged(np.array([1, 2, 3, 4, 9])).tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0]
    """
    return np.isin(flags, BAD).astype(np.float64)
