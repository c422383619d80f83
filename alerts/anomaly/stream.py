"""Readings of many series as they come: how rare each is, and what is learned from them.

The first reading of a slot is judged by what was known before it, and learned; the others by what
is known since. Learning goes on slot by slot, all series at once; judging needs no order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from alerts.anomaly.arithmetic import COLUMNS, FEW, NUMBERS
from alerts.anomaly.calendar import Times
from alerts.anomaly.lately import Lately
from alerts.anomaly.layout import SEEN, SLOT, WHOLE, WIDTH, Learned
from alerts.anomaly.learning import Lesson, learn
from alerts.anomaly.rarity import Rarity, rarity
from core.readings import BoolColumn, FloatColumn, IntColumn

AT_ONCE = 16_384  # slots of all series together, so that memory is bounded


class Kinds(NamedTuple):
    """Of each series, by index: the least spread that means anything, and 1 where there is a tide,
    else 0.
    """

    floor: FloatColumn
    tidal: FloatColumn


def follow(learned: Learned, kinds: Kinds, series: IntColumn, told: Lately, times: Times) -> Rarity:
    """How rare each reading is; `learned`, by series, learns them. Rows are sorted by series and,
    within one, by time.
    """
    found = Rarity(np.empty(len(series)), np.empty(len(series), np.int64))
    for rows in _parts(series, times.slot):
        part = _Visits.of(learned, series[rows], times.slot[rows])
        now = part.follow(learned, kinds, told.take(rows), times.take(rows))
        found.months[rows], found.symptom[rows] = now
    return found


def _parts(series: IntColumn, slot: IntColumn) -> Iterator[IntColumn]:
    """The rows, in parts of so many slots."""
    opens = _opens(series, slot)
    turn = _turns(series, opens)
    part = np.cumsum(np.bincount(turn[opens]))[turn] // AT_ONCE if len(turn) else turn
    for number in np.unique(part).tolist():
        yield np.flatnonzero(part == number)


def _opens(series: IntColumn, slot: IntColumn) -> BoolColumn:
    """Whether a row is the first of its series and slot."""
    opens = np.ones(len(series), np.bool_)
    opens[1:] = (series[1:] != series[:-1]) | (slot[1:] != slot[:-1])
    return opens


def _turns(series: IntColumn, opens: BoolColumn) -> IntColumn:
    """Of each row, the how many-th slot of its series it is in."""
    visit = np.cumsum(opens) - 1
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1]))[: len(series)]
    lengths = np.diff(np.append(begins, len(series)))
    return visit - np.repeat(visit[begins], lengths)


class _Visits(NamedTuple):
    """Slots of one series each. Of each row its visit; of each visit its first row, its series, its
    turn among those of the series, and whether it is learned from.
    """

    visit: IntColumn
    row: IntColumn
    series: IntColumn
    turn: IntColumn
    fresh: BoolColumn

    @staticmethod
    def of(learned: Learned, series: IntColumn, slot: IntColumn) -> "_Visits":
        opens = _opens(series, slot)
        row = np.flatnonzero(opens)
        whose = series[row]
        fresh = (slot[row] > learned[whose, SLOT]) | (learned[whose, SEEN] == 0)
        return _Visits(np.cumsum(opens) - 1, row, whose, _turns(series, opens)[row], fresh)

    def follow(self, learned: Learned, kinds: Kinds, told: Lately, times: Times) -> Rarity:
        """Judge all rows and learn what is to be learned."""
        before = self._learn(learned, kinds, told.mean, times)
        count = len(before)
        last = np.append(self.series[1:] != self.series[:-1], True)
        known = np.concatenate([before, learned[self.series[last]]])
        after = np.arange(1, count + 1)
        after[last] = np.arange(count, len(known))
        which = after[self.visit]
        which[self.row] = np.where(self.fresh, np.arange(count), which[self.row])
        return rarity(known, which, told, times, kinds.floor[self.series][self.visit])

    def _learn(self, learned: Learned, kinds: Kinds, value: FloatColumn, times: Times) -> Learned:
        """What was known of the series before each visit."""
        before = np.empty((len(self.row), WIDTH), np.float32)
        cells = times.cells()[:, self.row]
        slot, whose = times.slot[self.row].astype(np.float64), self.series
        lessons = Lesson(value[self.row], slot, kinds.floor[whose], kinds.tidal[whose])
        order, start = np.argsort(self.turn, kind="stable"), 0
        for end in np.cumsum(np.bincount(self.turn)).tolist():
            visits = order[start:end]
            before[visits] = learned[whose[visits]]
            visits, start = visits[self.fresh[visits]], end
            if len(visits) > FEW:
                some = Lesson(*(column[visits] for column in lessons))
                _learn_together(learned, whose[visits], cells[:, visits], some)
                continue
            for one in visits.tolist():
                only = Lesson(*(float(column[one]) for column in lessons))
                _learn_alone(learned[whose[one]], cells[:, one], only)
        return before


def _learn_together(
    learned: Learned, series: IntColumn, cells: IntColumn, lesson: Lesson[FloatColumn]
) -> None:
    rows, index = learned.reshape(-1), cells + series * WIDTH
    some = list(rows[index].astype(np.float64))
    whole = list(learned[series, :WHOLE].T.astype(np.float64))
    learn(COLUMNS, some, whole, lesson)
    rows[index] = np.stack(some) + 0.0  # no -0
    learned[series, :WHOLE] = np.stack(whole, axis=1) + 0.0


def _learn_alone(row: Learned, cells: IntColumn, lesson: Lesson[float]) -> None:
    some, whole = row[cells].tolist(), row[:WHOLE].tolist()
    learn(NUMBERS, some, whole, lesson)
    row[cells], row[:WHOLE] = [one + 0.0 for one in some], [one + 0.0 for one in whole]
