"""What is usual of the series that rules of kind `anomaly` watch: learned once, for all such rules.

It belongs to the series and not to a rule: a rule that changes need not wait for it. The ledger
keeps it as the state of a rule of its own, `BASELINE`, which judges nothing; a device that moves
begins anew. The last readings in short move with each reading, what is usual once an hour: they are
kept apart, as the state of `LATELY`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from alerts.anomaly import lately, layout, parameters
from alerts.anomaly.calendar import Clock
from alerts.anomaly.layout import SLOT, Learned
from alerts.anomaly.learning import relearn
from alerts.anomaly.stream import Kinds, follow
from alerts.cases import Case, Draft
from alerts.kinds.anomaly import Anomaly
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels, Span
from alerts.rules import Rule, Terms
from core.alerts import Severity
from core.quality import in_service
from core.readings import BoolColumn, Columns, Flag, FloatColumn, IntColumn
from core.registry import Series

TIDAL = "beach"  # the kind of site that has a tide
_ANYTHING = Span(-np.inf, np.inf)
EVERYTHING = Levels(spans={Severity.INFO: _ANYTHING}, clear=_ANYTHING)  # nothing is beyond it
BASELINE = Rule(
    id="(baseline)",  # no rule of a city can be called so
    version="2",  # of what is learned: another one begins anew
    name={"en": "What is usual", "th": "ค่าปกติ"},
    kind=Threshold(),
    terms=Terms(levels=EVERYTHING),
    flags=frozenset(),
)
LATELY = replace(
    BASELINE, id="(lately)", version="1", name={"en": "The last readings", "th": "ค่าล่าสุด"}
)


class Baselines:
    """Arrays by series; `cases` are those of `BASELINE`, by series."""

    rule = BASELINE

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are all rules there are."""
        self._rules = [rule for rule in rules if isinstance(rule.kind, Anomaly)]
        self._clock = next((_clock(rule) for rule in self._rules), None)
        self.recent = Recent(self._rules)
        self._learned = layout.nothing(0)
        self._kinds = Kinds(np.empty(0), np.empty(0))
        self._parameters: list[str] = []
        self._watched = np.empty(0, np.bool_)
        self._cases: dict[int, Case] = {}

    @property
    def needed(self) -> bool:
        """Whether any rule asks for them."""
        return self._clock is not None

    def cases(self, series: Series) -> list[Case]:
        """The case of this series, if rules need it."""
        return _cases(BASELINE, self._rules, series)

    def add(self, series: Sequence[Series], cases: Mapping[int, Case]) -> None:
        """Take notice of more series, and of the cases of some, by index."""
        more = [_kind(one) for one in series]
        self._cases |= cases
        self._learned = np.concatenate([self._learned, layout.nothing(len(series))])
        floor, tidal = np.array(more).reshape(-1, 2).T
        old = self._kinds
        self._kinds = Kinds(np.concatenate([old.floor, floor]), np.concatenate([old.tidal, tidal]))
        self._parameters += [one.parameter for one in series]
        self._watched = np.isin(np.arange(len(self._parameters)), list(self._cases))

    def restore(self, series: int, text: str) -> None:
        """Take up what is known of a series."""
        self._learned[series] = layout.read(text)

    def judge(self, columns: Columns, rows: IntColumn, draft: Draft) -> FloatColumn:
        """Of each of these rows of a batch its months, NaN where they are not known; what is
        learned goes into the draft.
        """
        months = np.full(len(rows), np.nan)
        if self._clock is None:
            return months
        mine = np.flatnonzero(self._watched[columns.series[rows]] & ~columns.late[rows])
        if len(mine):
            of, judged = columns.take(rows[mine]), months[mine]
            case = self._cases[int(of.series[0])]
            draft.try_out(case, partial(self._judge, self._clock, of, judged, draft))
            months[mine] = judged
        return months

    def _judge(self, clock: Clock, columns: Columns, months: FloatColumn, draft: Draft) -> None:
        which, rank = np.unique(columns.series, return_inverse=True)
        learned, kinds = self._learned[which], Kinds(*(of[which] for of in self._kinds))
        before, known = learned[:, SLOT].copy(), self.recent.known[which]
        good = (columns.flag == Flag.GOOD) | (columns.flag == Flag.NOT_EVALUATED)
        serviced, part = services(columns)
        for number in range(int(part.max()) + 1):
            begins = np.unique(rank[serviced & (part == number)])
            relearn(learned, begins)
            before[begins] = -1
            rows = np.flatnonzero(good & (part == number) & ~serviced)
            of = columns.take(rows)
            told = lately.lately(known, kinds.floor, rank[rows], self._scaled(of), of.measured_at)
            times = clock.times(of.measured_at)
            months[rows] = follow(learned, kinds, rank[rows], told, times).months
        self.recent.draft(which, known, draft)
        changed = learned[:, SLOT] != before
        for place in np.flatnonzero(changed).tolist():
            draft.notes[self._cases[int(which[place])]] = layout.written(learned[place])
        draft.then.append(partial(self._put, which[changed], learned[changed]))

    def _put(self, series: IntColumn, learned: Learned) -> None:
        self._learned[series] = learned

    def _scaled(self, columns: Columns) -> FloatColumn:
        value = columns.value.copy()
        here = np.unique(columns.series).tolist()
        for parameter in {self._parameters[one] for one in here}:
            named = [one for one in here if self._parameters[one] == parameter]
            rows = np.isin(columns.series, named)
            value[rows] = parameters.scaled(parameter, value[rows])
        return value


class Recent:
    """The last readings of the same series in short: rows of `anomaly/lately.py`, by series."""

    rule = LATELY

    def __init__(self, rules: Sequence[Rule]) -> None:
        """`rules` are those that need them."""
        self._rules = rules
        self._cases: dict[int, Case] = {}
        self.known = lately.nothing(0)

    def cases(self, series: Series) -> list[Case]:
        """The case of this series, if rules need it."""
        return _cases(LATELY, self._rules, series)

    def add(self, series: Sequence[Series], cases: Mapping[int, Case]) -> None:
        """Take notice of more series, and of the cases of some, by index."""
        self._cases |= cases
        self.known = np.concatenate([self.known, lately.nothing(len(series))])

    def restore(self, series: int, note: Sequence[float]) -> None:
        """Take up what is known of a series."""
        self.known[series] = note

    def draft(self, series: IntColumn, known: FloatColumn, draft: Draft) -> None:
        """This is known of these series once the draft is committed."""
        moved = known[:, lately.AT] != self.known[series, lately.AT]
        for one, row in zip(series[moved].tolist(), known[moved].tolist(), strict=True):
            draft.notes[self._cases[one]] = row
        draft.then.append(partial(self._put, series, known))

    def _put(self, series: IntColumn, known: FloatColumn) -> None:
        self.known[series] = known


def services(columns: Columns) -> tuple[BoolColumn, IntColumn]:
    """Of each row whether it was measured in service, and how many services its series had by then
    in this batch.
    """
    serviced = in_service(columns.tests)
    new = np.append(True, columns.series[1:] != columns.series[:-1])
    begins = serviced & (new | np.append(True, ~serviced[:-1]))
    count = np.cumsum(begins)
    first = np.flatnonzero(new)
    before = np.repeat((count - begins)[first], np.diff(np.append(first, len(columns))))
    return serviced, count - before


def _cases(own: Rule, rules: Sequence[Rule], series: Series) -> list[Case]:
    if not any(rule.watches(series) for rule in rules):
        return []
    subject = f"{series.device}/{series.parameter}"
    return [Case(rule=own, subject=subject, site=series.site, terms=own.terms)]


def _clock(rule: Rule) -> Clock | None:
    return rule.kind.clock if isinstance(rule.kind, Anomaly) else None


def _kind(series: Series) -> tuple[float, float]:
    return parameters.floor(series.parameter), float(series.kind == TIDAL)
