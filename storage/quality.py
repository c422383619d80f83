"""Revisions of flags, and what the tests of quality remember."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, null, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core.model import Revision
from storage import schema

_R = schema.revisions.c


def revise(connection: Connection, revisions: Sequence[Revision]) -> None:
    """Add the rows, and make the readings, the newest among them, what they say now."""
    if revisions:
        connection.execute(insert(schema.revisions), [r._asdict() for r in revisions])
    for r in revisions:
        now = {"flag": r.flag, "tests": r.tests}
        for table in (schema.readings, schema.latest):
            c = table.c
            mine = (c.measured_at == r.measured_at, c.series == r.series)
            connection.execute(update(table).where(*mine).values(now))


def on_arrival(table: Table, name: str = "flag") -> ColumnElement[int]:
    """A reading's flag, or its tests, as they were when it came; `table` is readings or latest."""
    mine = (_R.series == table.c.series, _R.measured_at == table.c.measured_at)
    first = select(_R[f"{name}_before"]).where(*mine).order_by(_R.id).limit(1)
    return func.coalesce(first.scalar_subquery(), table.c[name])


def keep_windows(connection: Connection, windows: Mapping[int, bytes]) -> None:
    """Keep what was remembered of these series in place of what was."""
    if windows:
        rows = [{"series": series, "body": body} for series, body in windows.items()]
        statement = upsert(schema.quality_windows)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["series"], set_={"body": statement.excluded.body}
            ),
            rows,
        )


def keep_tails(connection: Connection, tails: Iterable[tuple[int, bytes]]) -> None:
    """The same for what is kept beside the newest reading."""
    c = schema.latest.c
    for series, state in tails:
        connection.execute(update(schema.latest).where(c.series == series).values(state=state))


def memory(connection: Connection) -> tuple[list[Any], list[Any]]:
    """(series, bytes) of all tails, and of all windows."""
    n, w = schema.latest.c, schema.quality_windows.c
    tails = select(n.series, n.state).where(n.state.is_not(None))
    return list(connection.execute(tails)), list(connection.execute(select(w.series, w.body)))


def forget(connection: Connection) -> None:
    """Begin anew: what is kept was written in another layout."""
    connection.execute(update(schema.latest).values(state=null()))
    connection.execute(delete(schema.quality_windows))
