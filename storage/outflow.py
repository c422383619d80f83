"""Line protocol on its way to InfluxDB: the ledger's queue as the forwarder sees it."""

from typing import NamedTuple, Protocol

from sqlalchemy import Connection, Engine, insert, select

from storage import schema


class OutflowRow(NamedTuple):
    """The points of one batch; ids grow and are never used again."""

    id: int
    points: int
    lines: bytes


class Outflow(Protocol):
    """What the forwarder asks of the ledger, always on the thread that writes."""

    def outflow_done(self, through: int) -> None: ...
    def outflow_rejected(self, line: bytes, words: str, at: int) -> None: ...


def add(connection: Connection, points: int, lines: bytes) -> None:
    """Append points, if there are any."""
    if points:
        connection.execute(insert(schema.outflow), {"points": points, "lines": lines})


def read_outflow(readers: Engine, after: int, most_points: int) -> list[OutflowRow]:
    """The oldest rows past the id `after`, up to `most_points` in sum, at least one if any."""
    c = schema.outflow.c
    found: list[OutflowRow] = []
    statement = select(c.id, c.points, c.lines).where(c.id > after).order_by(c.id)
    with readers.connect() as connection, connection.execute(statement) as rows:
        for row in rows:  # fetched one by one: the rest of a long queue stays where it is
            most_points -= row.points
            if found and most_points < 0:
                break
            found.append(OutflowRow(row.id, row.points, row.lines))
    return found
