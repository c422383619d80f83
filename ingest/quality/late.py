"""Series whose readings did not come in order: spike and rate one by one, in plain Python.

A late reading is judged at its place in time, between the reading before and the one after it; and
the one after it is judged again. What came before the batch and is not in the tail is looked up.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from core.quality import Codes, Verdict, failed, rollup
from core.readings import BoolColumn, Cause, Columns, FloatColumn, IntColumn, Revision
from core.times import MINUTE
from ingest.quality.state import NEVER, State
from ingest.quality.table import ALONE, RATE, SPIKE
from ingest.quality.view import View

Span: TypeAlias = tuple[int, int, int]  # series, from, to (µs, both included)
Stored: TypeAlias = Callable[[Sequence[Span]], Columns]

_time = attrgetter("at")
_SPIKE = Verdict.SUSPECT << 2 * SPIKE


@dataclass(slots=True)
class Point:
    """A sound reading."""

    at: int
    value: float
    tests: int

    @property
    def spiked(self) -> bool:
        """Whether it is taken for a spike."""
        return self.tests >> 2 * SPIKE & 3 >= Verdict.SUSPECT

    def say(self, place: int, verdict: int) -> None:
        """Put a test's verdict into the code."""
        self.tests = self.tests & ~(3 << 2 * place) | verdict << 2 * place


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What spike and rate go by: limits, reach in µs and the noise of the series as it is known."""

    spike: float
    spike_fail: float
    rate: float
    noise_factor: float
    reach: float
    noise: float

    def spike_of(self, off: float) -> Verdict:
        """What a distance from the neighbours amounts to."""
        return Verdict.FAIL if off > self.spike_fail else self.spike_at_once(off)

    def spike_at_once(self, step: float) -> Verdict:
        """What a step amounts to."""
        return _beyond(step, float(np.fmin(self.spike, self.spike_fail)))

    def rate_of(self, step: float, minutes: float) -> Verdict:
        """What a step within so many minutes amounts to."""
        noisy = 0.0 if isnan(self.noise_factor) else self.noise_factor * self.noise
        most = self.rate * minutes + noisy
        return _beyond(step, self.spike if most < self.spike else most)


class Line:
    """The sound readings of one series in order of time, as far as they are known here."""

    def __init__(self, series: int, points: Iterable[Point]) -> None:
        self.series = series
        self.points = sorted(points, key=_time)
        self.revisions: list[Revision] = []

    def add(self, point: Point, received_at: int, expected: Expected) -> None:
        """Judge `point` by its neighbours, put it in its place, and judge again whom it touches."""
        place = bisect_left(self.points, point.at, key=_time)
        self.points.insert(place, point)
        newest = place == len(self.points) - 1
        if newest and self._near(place - 2, place - 1, expected):
            self._again(place - 1, received_at, expected, Cause.NEXT_READING)
        self._judge(place, expected)
        if not newest:
            self._again(place + 1, received_at, expected, Cause.LATE_READING)

    def remember(self, tail: Any) -> None:
        """Put into a tail what spike and rate go by."""
        *before, newest = self.points
        tail["at"], tail["value"], tail["tests"] = newest.at, newest.value, newest.tests
        if before:
            tail["previous_at"], tail["previous"] = before[-1].at, before[-1].value
        base = next((point for point in reversed(before) if not point.spiked), None)
        tail["base_at"], tail["base"] = (base.at, base.value) if base else (NEVER, 0.0)

    def _again(self, place: int, received_at: int, expected: Expected, cause: Cause) -> None:
        """Judge a point that has a new neighbour; the next reading tells only of spikes."""
        late = cause is Cause.LATE_READING
        if not self._near(place - 1 if late else place, place if late else place + 1, expected):
            return
        point = self.points[place]
        tests = point.tests
        self._judge(place, expected, rate=late)
        if point.tests != tests:
            self.revisions.append(
                Revision(
                    series=self.series,
                    measured_at=point.at,
                    revised_at=received_at,
                    flag_before=int(rollup(tests)),
                    flag=int(rollup(point.tests)),
                    tests_before=tests,
                    tests=point.tests,
                    cause=cause,
                )
            )

    def _judge(self, place: int, expected: Expected, *, rate: bool = True) -> None:
        """Spike and rate of a point among its neighbours."""
        point, base = self.points[place], self._base(place, expected)
        step = abs(point.value - base.value) if base else nan
        if rate:
            minutes = (point.at - base.at) / MINUTE if base else nan
            point.say(RATE, expected.rate_of(step, minutes))
        if self._near(place - 1, place, expected) and self._near(place, place + 1, expected):
            sides = self.points[place - 1].value, self.points[place + 1].value
            off = max(min(sides) - point.value, point.value - max(sides))
            point.say(SPIKE, expected.spike_of(off))
        else:
            point.say(SPIKE, expected.spike_at_once(step))

    def _base(self, place: int, expected: Expected) -> Point | None:
        """The last reading before it that was no spike; None when it is out of reach."""
        at = self.points[place].at
        for earlier in range(place - 1, -1, -1):
            point = self.points[earlier]
            if at - point.at > expected.reach:
                return None
            if not point.spiked:
                return point
        return None

    def _near(self, first: int, second: int, expected: Expected) -> bool:
        if first < 0 or second >= len(self.points):
            return False
        return self.points[second].at - self.points[first].at <= expected.reach


def _beyond(found: float, most: float) -> Verdict:
    if isnan(found) or isnan(most):
        return Verdict.NOT_EVALUATED
    return Verdict.SUSPECT if found > most else Verdict.GOOD


def nothing_stored(_spans: Sequence[Span]) -> Columns:
    """For whoever has no past but the state."""
    none = np.empty(0, np.int64)
    return Columns(
        series=none,
        measured_at=none,
        received_at=none,
        value=np.empty(0),
        flag=none.astype(np.uint8),
        tests=none.astype(np.uint32),
        late=none.astype(np.bool_),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """Series with readings that are `behind`: older than what their series already had. `rows` are
    all their sound readings in order of arrival, `noise` is by row of the view.
    """

    view: View
    rows: IntColumn
    behind: BoolColumn
    noise: FloatColumn
    state: State

    @staticmethod
    def of(
        view: View, sane: BoolColumn, behind: BoolColumn, noise: FloatColumn, state: State
    ) -> "Disorder":
        """Those among the `sane` rows."""
        series = view.columns.series
        rows = np.flatnonzero(sane & np.isin(series, series[behind]))
        return Disorder(view=view, rows=rows, behind=behind, noise=noise, state=state)

    def judge(self, tests: Codes, stored: Stored) -> list[Line]:
        """Put the verdicts of spike and rate into `tests`; the lines tell of revisions, and of what
        is to be remembered.
        """
        columns, lines = self.view.columns, self._lines(stored)
        line, noise = Line(-1, ()), nan
        for row in self.rows.tolist():
            if line.series != columns.series[row]:
                line = lines[int(columns.series[row])]
                noise = float(self.state.windows["noise"][line.series])
            if not self.behind[row]:
                noise = float(self.noise[row])
            at, value = int(columns.measured_at[row]), float(columns.value[row])
            point = Point(at, value, int(tests[row]))
            line.add(point, int(columns.received_at[row]), self._expected(row, noise))
            tests[row] = point.tests
        return list(lines.values())

    def _expected(self, row: int, noise: float) -> Expected:
        names = ("spike", "spike_fail", "rate", "noise_factor", "reach")
        found = {name: float(self.view[name][row]) for name in names}
        return Expected(noise=noise, **found)

    def _lines(self, stored: Stored) -> dict[int, Line]:
        """Each series as the state remembers it, and as it is stored around late readings that the
        state does not reach back to.
        """
        points: dict[int, dict[int, Point]] = {}
        spans = []
        for series in np.unique(self.view.columns.series[self.rows]).tolist():
            points[series] = _remembered(self.state.tails[series])
            spans += self._span(series)
        if spans:
            found = stored(spans)
            sound = np.isfinite(found.value) & ~failed(found.tests & np.uint32(ALONE))
            for row in np.flatnonzero(sound).tolist():
                at = int(found.measured_at[row])
                point = Point(at, float(found.value[row]), int(found.tests[row]))
                points[int(found.series[row])][at] = point
        return {series: Line(series, held.values()) for series, held in points.items()}

    def _span(self, series: int) -> list[Span]:
        """What has to be looked up of a series, if anything."""
        rows, columns, tail = self.rows, self.view.columns, self.state.tails[series]
        rows = rows[(columns.series[rows] == series) & self.behind[rows]]
        at, reach = columns.measured_at[rows], int(self.view["reach"][rows[0]])
        if at.min() > tail["previous_at"] and tail["at"] - tail["previous_at"] <= reach:
            return []
        return [(series, int(at.min()) - reach, int(at.max()) + 2 * reach)]


def _remembered(tail: Any) -> dict[int, Point]:
    """What a tail knows, by time."""
    found: dict[int, Point] = {}
    at, previous_at, base_at = (int(tail[name]) for name in ("at", "previous_at", "base_at"))
    if base_at != NEVER:
        found[base_at] = Point(base_at, float(tail["base"]), 0)
    if previous_at not in {NEVER, base_at}:
        found[previous_at] = Point(previous_at, float(tail["previous"]), _SPIKE)
    if at != NEVER:
        found[at] = Point(at, float(tail["value"]), int(tail["tests"]))
    return found
