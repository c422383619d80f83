"""Revisions of flags, and what the tests of quality remember."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from core.readings import Columns, Revision
from storage import schema
from storage.changes import putting

_CHUNK = 400

_R = schema.revisions.c


def revise(connection: Connection, revisions: Sequence[Revision]) -> None:
    """Add the rows, and make the readings, the newest among them, what they say now."""
    if not revisions:
        return
    rows = [r._asdict() for r in revisions]
    connection.execute(insert(schema.revisions), rows)
    now: dict[str, Any] = {"flag": bindparam("flag_now"), "tests": bindparam("tests_now")}
    changes = [
        {"of": r.series, "at": r.measured_at, "flag_now": r.flag, "tests_now": r.tests}
        for r in revisions
    ]
    for table in (schema.readings, schema.latest):
        c = table.c
        mine = (c.measured_at == bindparam("at"), c.series == bindparam("of"))
        connection.execute(update(table).where(*mine).values(now), changes)


def on_arrival(table: Table, name: str = "flag") -> ColumnElement[int]:
    """A reading's flag, or its tests, as they were when it came; `table` is readings or latest."""
    mine = (_R.series == table.c.series, _R.measured_at == table.c.measured_at)
    first = select(_R[f"{name}_before"]).where(*mine).order_by(_R.id).limit(1)
    return func.coalesce(first.scalar_subquery(), table.c[name])


def readings_within(connection: Connection, spans: Sequence[tuple[int, int, int]]) -> Columns:
    """The readings of each (series, from, to), µs, both included."""
    c, found = schema.readings.c, list[Any]()
    for start, end, series in _merged(spans):
        for part in range(0, len(series), _CHUNK):
            wanted = c.measured_at.between(start, end), c.series.in_(series[part : part + _CHUNK])
            statement = select(c.series, c.measured_at, c.received_at, c.value, c.flag, c.tests)
            found += connection.execute(statement.where(*wanted))
    return columns_from(found)


def columns_from(rows: Sequence[Any]) -> Columns:
    """Rows of (series, measured_at, received_at, value, flag, tests) as columns."""
    series, measured_at, received_at, value, flag, tests = (
        zip(*rows, strict=True) if rows else [()] * 6
    )
    return Columns(
        series=np.array(series, np.int64),
        measured_at=np.array(measured_at, np.int64),
        received_at=np.array(received_at, np.int64),
        value=np.array(value, np.float64),
        flag=np.array(flag, np.uint8),
        tests=np.array(tests, np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


def _merged(spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, list[int]]]:
    """Spans of time that do not overlap, each with the series that are wanted of it: readings are
    keyed time first, so one pass serves all.
    """
    found: list[tuple[int, int, set[int]]] = []
    for series, start, end in sorted(spans, key=itemgetter(1)):
        if found and start <= found[-1][1]:
            first, last, wanted = found[-1]
            found[-1] = (first, max(last, end), wanted | {series})
        else:
            found.append((start, end, {series}))
    return [(start, end, sorted(wanted)) for start, end, wanted in found]


def keep_memory(
    connection: Connection, tails: Mapping[int, bytes], windows: Mapping[int, bytes]
) -> None:
    """Keep what was remembered, tails by block and windows by series, in place of what was."""
    for table, kept in ((schema.quality_tails, tails), (schema.quality_windows, windows)):
        if kept:
            (key,) = table.primary_key.columns.keys()
            rows = [{key: number, "body": body} for number, body in kept.items()]
            connection.execute(putting(table), rows)


def memory(connection: Connection) -> tuple[list[Any], list[Any]]:
    """(block, bytes) of all tails, (series, bytes) of all windows."""
    tails, windows = select(schema.quality_tails), select(schema.quality_windows)
    return list(connection.execute(tails)), list(connection.execute(windows))


def forget(connection: Connection) -> None:
    """Begin anew: what is kept was written in another layout."""
    connection.execute(delete(schema.quality_tails))
    connection.execute(delete(schema.quality_windows))
