"""What series read beside their neighbours, for rules of kind `neighbours`: learned once for all.

As what is usual of a series (`alerts/baselines.py`) it belongs to the series and not to a rule. A
reading is held against the newest that each neighbour had told when it came, so how the stream is
cut changes nothing.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from alerts.anomaly import parameters
from alerts.anomaly.calendar import SLOT_LENGTH
from alerts.baselines import EVERYTHING, services
from alerts.cases import Case, Draft
from alerts.kinds.neighbours import KM, SLOT, WIDTH, Neighbours, apart, learn, outside
from alerts.kinds.threshold import Threshold
from alerts.rules import Rule, Terms
from alerts.running import Newest
from core.places import beside
from core.readings import BoolColumn, Columns, Flag, FloatColumn, IntColumn
from core.registry import Series
from core.times import HOUR

APART = Rule(
    id="(neighbours)",  # no rule of a city can be called so
    version="1",  # of what is learned: another one begins anew
    name={"en": "What is usual beside neighbours", "th": "ค่าปกติเมื่อเทียบกับจุดใกล้เคียง"},
    kind=Threshold(),
    terms=Terms(levels=EVERYTHING),
    flags=frozenset(),
)
AT_ONE_TIME = HOUR  # readings that are farther apart are not compared


class Neighbourhood:
    """Arrays by series; `cases` are those of `APART`, by series."""

    rule = APART

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are all rules there are."""
        self._rules = [rule for rule in rules if isinstance(rule.kind, Neighbours)]
        self._series: list[Series] = []
        self._known = np.zeros((0, WIDTH))
        self._floor = np.empty(0)
        self._beside = np.empty((0, 1), np.int64)
        self._watched = np.empty(0, np.bool_)
        self._cases: dict[int, Case] = {}

    @property
    def needed(self) -> bool:
        """Whether any rule asks for it."""
        return bool(self._rules)

    def cases(self, series: Series) -> list[Case]:
        """The case of this series, if rules need it."""
        if not any(rule.watches(series) for rule in self._rules):
            return []
        subject = f"{series.device}/{series.parameter}"
        return [Case(rule=APART, subject=subject, site=series.site, terms=APART.terms)]

    def add(self, series: Sequence[Series], cases: Mapping[int, Case]) -> None:
        """Take notice of more series, and of the cases of some, by index."""
        self._series += series
        self._cases |= cases
        self._known = np.concatenate([self._known, np.zeros((len(series), WIDTH))])
        floors = [parameters.floor(one.parameter) for one in series]
        self._floor = np.append(self._floor, floors)
        self._watched = np.isin(np.arange(len(self._series)), list(self._cases))
        if self.needed:
            self._beside = beside(self._series, [KM] * len(self._series))

    def restore(self, series: int, note: Sequence[float]) -> None:
        """Take up what is known of a series."""
        self._known[series] = note

    def judge(self, columns: Columns, rows: IntColumn, newest: Newest, draft: Draft) -> FloatColumn:
        """Of each of these rows of a batch how many spreads its series is apart, NaN where that is
        not known; what is learned goes into the draft.
        """
        found = np.full(len(rows), np.nan)
        if not self.needed:
            return found
        mine = np.flatnonzero(self._watched[columns.series[rows]] & ~columns.late[rows])
        if len(mine):
            case = self._cases[int(columns.series[rows[mine[0]]])]
            judged = found[mine]
            draft.try_out(case, partial(self._judge, columns, rows[mine], newest, judged, draft))
            found[mine] = judged
        return found

    def _judge(
        self,
        columns: Columns,
        rows: IntColumn,
        newest: Newest,
        found: FloatColumn,
        draft: Draft,
    ) -> None:
        mine = columns.take(rows)
        which, rank = np.unique(mine.series, return_inverse=True)
        known, floor = self._known[which], self._floor[which]
        before, slot = known[:, SLOT].copy(), mine.measured_at // SLOT_LENGTH
        good = (mine.flag == Flag.GOOD) | (mine.flag == Flag.NOT_EVALUATED)
        serviced, part = services(mine)
        asked = np.flatnonzero(good & ~serviced & (slot > before[rank]))
        value = np.full(len(rows), np.nan)
        value[asked] = self._outside(columns, rows[asked], newest)
        for number in range(int(part.max()) + 1):
            begins = np.unique(rank[serviced & (part == number)])
            known[begins], before[begins] = 0, -1
            here = np.flatnonzero((part == number) & ~serviced)
            follow = _follow(known, floor, rank[here], slot[here], value[here])
            found[here] = follow
        changed = known[:, SLOT] != before
        for place in np.flatnonzero(changed).tolist():
            draft.notes[self._cases[int(which[place])]] = known[place].tolist()
        draft.then.append(partial(self._put, which[changed], known[changed]))

    def _put(self, series: IntColumn, known: FloatColumn) -> None:
        self._known[series] = known

    def _outside(self, columns: Columns, rows: IntColumn, newest: Newest) -> FloatColumn:
        """How far each of these rows is outside of what its neighbours had told when it came."""
        series, at = columns.series[rows], columns.measured_at[rows]
        others = self._beside[series]
        theirs = _told(columns, rows, others, newest)
        usable = (others >= 0) & _is_good(theirs.flag)
        usable &= np.abs(theirs.measured_at - at[:, np.newaxis]) <= AT_ONE_TIME
        own, value = self._scaled(series, columns.value[rows]), np.full(others.shape, np.nan)
        value[usable] = self._scaled(others[usable], theirs.value[usable])
        return outside(own, value)

    def _scaled(self, series: IntColumn, value: FloatColumn) -> FloatColumn:
        scale = value.copy()
        names = np.array([self._series[one].parameter for one in series.tolist()])
        for parameter in np.unique(names).tolist():
            here = names == parameter
            scale[here] = parameters.scaled(parameter, value[here])
        return scale


def _is_good(flag: IntColumn) -> BoolColumn:
    found: BoolColumn = (flag == Flag.GOOD) | (flag == Flag.NOT_EVALUATED)
    return found


def _told(columns: Columns, rows: IntColumn, series: IntColumn, newest: Newest) -> Newest:
    """Of each of these series (a row of them for each row of the batch, -1: none) what it had told
    in order by the time when that row came.
    """
    told = columns.take(np.flatnonzero(~columns.late))
    since = columns.received_at.min()
    span = columns.received_at.max() - since + 1
    came = told.series * span + told.received_at - since
    wanted = series * span + (columns.received_at[rows] - since)[:, np.newaxis]
    place = np.searchsorted(came, wanted) - 1
    here = (place >= 0) & (told.series[place] == series)
    return Newest(
        measured_at=np.where(here, told.measured_at[place], newest.measured_at[series]),
        value=np.where(here, told.value[place], newest.value[series]),
        flag=np.where(here, told.flag[place], newest.flag[series]),
    )


def _follow(
    known: FloatColumn, floor: FloatColumn, series: IntColumn, slot: IntColumn, value: FloatColumn
) -> FloatColumn:
    """How far each row's series is apart by then; `known`, by series, learns the first value of
    each slot. Rows are sorted by series and, within one, by time.
    """
    before, telling = known[series], np.flatnonzero(np.isfinite(value))
    place = series[telling], slot[telling]
    again = (place[0][1:] == place[0][:-1]) & (place[1][1:] == place[1][:-1])
    opens = telling[np.append(True, ~again)[: len(telling)]]
    if not len(opens):
        return apart(before, slot, floor[series])
    after, whose = np.empty((len(opens), WIDTH)), series[opens]
    turn = np.arange(len(opens)) - np.searchsorted(whose, whose)
    for number in range(int(turn.max()) + 1):  # the first slot of each series, the second, …
        at = np.flatnonzero(turn == number)
        after[at] = learn(known[whose[at]], slot[opens[at]], value[opens[at]], floor[whose[at]])
        known[whose[at]] = after[at]
    last = np.searchsorted(opens, np.arange(len(series)), "right") - 1
    mine = (last >= 0) & (whose[last] == series)
    return apart(np.where(mine[:, np.newaxis], after[last], before), slot, floor[series])
