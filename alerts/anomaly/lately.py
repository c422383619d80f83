"""The last readings of a series in short: their mean, which is what detectors judge and learn from,
and whether one lies beyond all that was read before.

The mean is over `SPAN`, so that the noise of single readings counts less the closer they follow
each other; a reading that is alone in so long a time is its own mean. It moves with each reading,
and is kept apart from what is learned once an hour: a row of four numbers for each series.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from alerts.anomaly.arithmetic import COLUMNS, FEW, NUMBERS, Arithmetic, N
from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE

# Where things stand in a row:
AT = 0  # when the newest reading was measured, µs; 0 before the first
MEAN = 1
HIGHEST = 2
LOWEST = 3
WIDTH = 4

SPAN = 20 * MINUTE
FORGET = 300 * DAY  # extremes are forgotten
LONGEST = HOUR  # a longer time without a reading makes nothing forgotten


class Lately(NamedTuple):
    """Of each reading its value, the mean by then, and how far it lies beyond all before in parts
    of their range, negative below.
    """

    value: FloatColumn
    mean: FloatColumn
    beyond: FloatColumn

    def take(self, rows: IntColumn) -> "Lately":
        """Of these readings alone."""
        return Lately(*(column[rows] for column in self))


def nothing(count: int) -> FloatColumn:
    """Of `count` series, before the first reading."""
    return np.zeros((count, WIDTH))


def lately(
    known: FloatColumn, floor: FloatColumn, series: IntColumn, value: FloatColumn, at: IntColumn
) -> Lately:
    """What each reading adds to `known`, by series, as is `floor`, the least range that means
    anything. Rows are sorted by series and, within one, by time (µs).
    """
    starts = np.flatnonzero(np.append(True, series[1:] != series[:-1])[: len(series)])
    read = _together if len(starts) > FEW else _one_by_one
    return Lately(value, *read(known, floor[series], series, value, at.astype(np.float64), starts))


def _together(
    known: FloatColumn,
    floor: FloatColumn,
    series: IntColumn,
    value: FloatColumn,
    at: FloatColumn,
    starts: IntColumn,
) -> FloatColumn:
    found, counts = np.empty((2, len(value))), np.diff(np.append(starts, len(series)))
    for turn in range(counts.max()):  # the first reading of each series, the second, …
        rows = starts[counts > turn] + turn
        memory = list(known[series[rows]].T)
        found[:, rows] = _read(COLUMNS, memory, value[rows], at[rows], floor[rows])
        known[series[rows]] = np.stack(memory, axis=1)
    return found


def _one_by_one(
    known: FloatColumn,
    floor: FloatColumn,
    series: IntColumn,
    value: FloatColumn,
    at: FloatColumn,
    starts: IntColumn,
) -> FloatColumn:
    found = np.empty((2, len(value)))
    for start, end in pairwise([*starts.tolist(), len(series)]):
        memory, least = known[series[start]].tolist(), float(floor[start])
        readings = zip(value[start:end].tolist(), at[start:end].tolist(), strict=True)
        told = [_read(NUMBERS, memory, *reading, least) for reading in readings]
        found[:, start:end] = np.array(told).T
        known[series[start]] = memory
    return found


def _read(of: Arithmetic[N], known: list[N], value: N, at: N, floor: N) -> tuple[N, N]:
    """The mean by this reading, and how far beyond all it lies."""
    new, passed = known[AT] == 0, at - known[AT]
    weight = of.least(passed / SPAN, 1.0)
    mean: N = of.either(weight < 1, known[MEAN] + weight * (value - known[MEAN]), value)
    fades = of.least(passed, LONGEST) / FORGET
    high: N = of.either(new, value, known[HIGHEST] - fades * (known[HIGHEST] - known[MEAN]))
    low: N = of.either(new, value, known[LOWEST] - fades * (known[LOWEST] - known[MEAN]))
    outside = of.most(value - high, 0.0) - of.most(low - value, 0.0)
    known[:] = [at, mean, of.most(high, value), of.least(low, value)]
    return mean, outside / of.most(high - low, floor)
