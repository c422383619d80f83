"""All tests over a batch: flags as of arrival, revisions of what came before, the state after."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from core.quality import Codes, failed, rollups
from core.readings import BoolColumn, Cause, Columns, Flag, FloatColumn, IntColumn, Revision
from ingest.quality.late import Disorder, Line, Stored, nothing_stored
from ingest.quality.past import Past
from ingest.quality.sequence import Sequence as Ordered
from ingest.quality.sequence import ends_of
from ingest.quality.settings import QualitySettings
from ingest.quality.state import NOTHING_MOVED, Moved, State, taken
from ingest.quality.steps import replaced
from ingest.quality.table import SPIKE, OfMessage, OfReading, OfSeries, tests_for
from ingest.quality.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A batch with its flags as they were when it came. `revisions` are in order of what caused
    them; `moved` becomes official with the commit (`State.accept`).
    """

    columns: Columns
    revisions: Sequence[Revision]
    moved: Moved


def check(
    columns: Columns, state: State, settings: QualitySettings, stored: Stored = nothing_stored
) -> Checked:
    """Judge a batch: sorted by series and arrival, where `received_at` is the same within a message
    and rises from one to the next.

    Pure but for `stored`, which looks up readings around late ones; total. How the stream is cut
    into batches changes nothing.
    """
    if not len(columns):
        return Checked(columns=columns, revisions=(), moved=NOTHING_MOVED)
    view = View.of(columns, settings, state.measured_at)
    missing = np.isnan(columns.value)
    tests = _alone(view, missing)
    sane = np.isfinite(columns.value) & ~failed(tests)
    behind = _behind(columns, sane, state)
    rows = (sane & ~behind).nonzero()[0]
    past, lines = None, list[Line]()
    if len(rows):
        past = Past(
            Ordered.of(view if len(rows) == len(columns) else view.take(rows), state), state
        )
        tests[rows] |= _in_sequence(past)
    if behind.any():
        disorder = Disorder.of(view, sane, behind, _noise(past, rows, len(columns)), state)
        lines = disorder.judge(tests, stored)
    flag = rollups(tests)
    flag[missing] = Flag.MISSING
    checked = replace(columns, flag=flag, tests=tests)
    revisions = [revision for line in lines for revision in line.revisions]
    if past is not None:
        revisions += _confirmed(past, checked.take(rows), {line.series for line in lines})
    return Checked(
        columns=checked,
        revisions=sorted(revisions, key=attrgetter("revised_at", "series")),
        moved=_moved(checked, rows, past, lines, state),
    )


def _alone(view: View, missing: BoolColumn) -> Codes:
    """What the tests of one reading and of one message say."""
    tests, uses = np.zeros(len(view.columns), np.uint32), view.settings.uses
    for test in tests_for(OfReading, uses):
        tests |= test.judge(view) * np.uint32(1 << 2 * test.place)
    for compared in tests_for(OfMessage, uses):
        said = compared.judge(view, failed(tests) | missing)
        tests |= said * np.uint32(1 << 2 * compared.place)
    tests[missing] = 0
    return tests


def _in_sequence(past: Past) -> Codes:
    """What the tests that look back say."""
    view = past.sequence.view
    tests = np.zeros(len(view.columns), np.uint32)
    for test in tests_for(OfSeries, view.settings.uses):
        tests |= test.judge(view, past) * np.uint32(1 << 2 * test.place)
    return tests


def _behind(columns: Columns, sane: BoolColumn, state: State) -> BoolColumn:
    """The sane rows that are not newer than the sane ones of their series before them."""
    behind = np.zeros(len(columns), np.bool_)
    if not columns.late.any():
        return behind
    for series in np.unique(columns.series[columns.late & sane]).tolist():
        newest = state.tails["at"][series]
        for row in np.flatnonzero(sane & (columns.series == series)).tolist():
            at = columns.measured_at[row]
            behind[row] = at <= newest
            newest = max(at, newest)
    return behind


def _noise(past: Past | None, rows: IntColumn, count: int) -> FloatColumn:
    """The noise at each row, NaN where it is not known."""
    noise = np.full(count, np.nan)
    if past is not None and past.noisy:
        noise[rows] = past.windows.noise
    return noise


def _confirmed(past: Past, checked: Columns, disordered: AbstractSet[int]) -> list[Revision]:
    """What each row tells about the reading before it, but for series that are `disordered`."""
    sequence, told = past.sequence, past.steps.confirmed
    before = sequence.before(checked.tests, sequence.tails["tests"])
    after = replaced(before, SPIKE, told)
    rows = (after != before).nonzero()[0]
    if not len(rows):
        return []
    before, after = before[rows], after[rows]
    columns = (
        checked.series[rows],
        sequence.previous_at[rows],
        checked.received_at[rows],
        rollups(before),
        rollups(after),
        before,
        after,
    )
    more = [Cause.NEXT_READING] * len(rows), [None] * len(rows)
    found = zip(*(column.tolist() for column in columns), *more, strict=True)
    return [r for r in map(Revision._make, found) if r.series not in disordered]


def _moved(
    checked: Columns, rows: IntColumn, past: Past | None, lines: Sequence[Line], state: State
) -> Moved:
    ends = ends_of(checked.series)
    series, newest = checked.series[ends], checked.newest() if checked.late.any() else ends
    measured_at = state.measured_at[series]
    measured_at[np.searchsorted(series, checked.series[newest])] = checked.measured_at[newest]
    windowed, windows = NOTHING_MOVED.windowed, NOTHING_MOVED.windows
    if past is None:
        tails = taken(state.tails, series)
    else:
        tails, last = past.tails(), rows[past.sequence.ends]
        tails["tests"] = checked.tests[last]
        windowed, windows = past.closed()
        if len(tails) < len(series):
            fresh, tails = tails, taken(state.tails, series)
            tails[np.searchsorted(series, past.sequence.series)] = fresh
    for line in lines:
        line.remember(tails[np.searchsorted(series, line.series)])
    return Moved(
        series=series,
        measured_at=measured_at,
        tails=tails,
        windowed=windowed,
        windows=windows,
    )
