"""Rows become columns: sorted, in time, each reading once. Pure but for `stored`, a look-up.

A batch in order is a few numpy calls. Only series with a reading that is not newer than the one
before it take the slow, exact way that finds duplicates, conflicts and late readings one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.messages import Refusal
from core.readings import Columns, IntColumn
from core.times import DAY, MINUTE
from ingest.gather import Gathered
from ingest.sources import MAX_AGE, MAX_AHEAD

Stored = Callable[[Sequence[tuple[int, int]]], Mapping[tuple[int, int], float]]


def columns_of(count: int = 0) -> Columns:
    """Columns of `count` zeros."""
    zeros = np.zeros(count, np.int64)
    return Columns(
        series=zeros,
        measured_at=zeros,
        received_at=zeros,
        value=np.zeros(count),
        flag=np.zeros(count, np.uint8),
        tests=np.zeros(count, np.uint32),
        late=np.zeros(count, np.bool_),
    )


def arrange(
    gathered: Gathered,
    came: IntColumn,
    received_at: IntColumn,
    newest: IntColumn,
    stored: Stored,
) -> tuple[Columns, int]:
    """The readings to store, sorted by series and arrival, and how many were duplicates.

    Of each message, µs: when it `came` by our clock, which may have been set back, and
    `received_at`, which only grows. `newest` is the time of each series' newest reading. `stored`
    gives the stored value at each (measured_at, series) that is there. What is out of time or in
    conflict goes to the refusals of `gathered`.
    """
    message, series, measured_at = gathered.rows.whole()
    columns = replace(
        columns_of(len(message)),
        series=series,
        measured_at=measured_at,
        received_at=received_at[message],
        value=np.array(gathered.rows.value, np.float64),
    )
    kept = _in_time(came[message] - measured_at, message, gathered)
    kept = kept[np.argsort(columns.series[kept], kind="stable")]
    columns = columns.take(kept)
    disordered = _not_after(columns, newest)
    if not len(disordered):
        return columns, 0
    return _sift(columns, kept, disordered, newest, stored, gathered)


def _in_time(age: IntColumn, message: IntColumn, gathered: Gathered) -> IntColumn:
    """The rows that are neither too old nor ahead of time, by their sources' bounds."""
    sources = gathered.sources
    most = np.array([s.max_age if s else MAX_AGE for s in sources], np.int64)[message]
    ahead = np.array([s.max_ahead if s else MAX_AHEAD for s in sources], np.int64)[message]
    for row in np.flatnonzero(age > most):
        detail = f"more than {most[row] / DAY:g} days old"
        gathered.refuse_row(int(row), Refusal.TIME_TOO_OLD, detail)
    for row in np.flatnonzero(-age > ahead):
        detail = f"more than {ahead[row] / MINUTE:g} minutes ahead"
        gathered.refuse_row(int(row), Refusal.TIME_IN_FUTURE, detail)
    return np.flatnonzero((age <= most) & (-age <= ahead))


def _not_after(columns: Columns, newest: IntColumn) -> IntColumn:
    """The series with a reading that is not newer than the one before it."""
    series, at = columns.series, columns.measured_at
    before = newest[series]
    same = series[1:] == series[:-1]
    before[1:][same] = at[:-1][same]
    return np.unique(series[at <= before])


def _sift(
    columns: Columns,
    came_as: IntColumn,
    disordered: IntColumn,
    newest_before: IntColumn,
    stored: Stored,
    gathered: Gathered,
) -> tuple[Columns, int]:
    """`came_as` is the row of `gathered` that each row of `columns` was."""
    newest = {int(s): int(newest_before[s]) for s in disordered}
    rows = np.flatnonzero(np.isin(columns.series, disordered)).tolist()
    keys = {r: (int(columns.measured_at[r]), int(columns.series[r])) for r in rows}
    seen = dict(stored([(at, series) for at, series in keys.values() if at <= newest[series]]))
    late = columns.late.copy()
    keep = np.ones(len(columns), np.bool_)
    duplicates = 0
    for row in rows:
        at, series = key = keys[row]
        value = float(columns.value[row])
        if key not in seen:
            seen[key] = value
            late[row] = at <= newest[series]
            newest[series] = max(at, newest[series])
            continue
        keep[row] = False
        if seen[key] == value:
            duplicates += 1
        else:
            detail = f"{seen[key]!r} is stored for that time, {value!r} came"
            gathered.refuse_row(int(came_as[row]), Refusal.CONFLICT, detail)
    return replace(columns, late=late).take(np.flatnonzero(keep)), duplicates
