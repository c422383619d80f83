"""What users of LINE did: kept before LINE is answered, handled once, forgotten after a while."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from core.times import DAY
from storage.notify_schema import line_events

REMEMBERED = 7 * DAY  # so long LINE may tell us the same again
_E = line_events.c


class Waiting(NamedTuple):
    """An event that is to be handled: the JSON that LINE sent."""

    position: int
    body: bytes


def keep(connection: Connection, events: Sequence[tuple[str, bytes]], at: int) -> int:
    """Keep events (LINE's id, JSON) that are not known yet; how many that were."""
    connection.execute(delete(line_events).where(_E.handled_at < at - REMEMBERED))
    new = 0
    for identifier, body in events:
        row = {"id": identifier, "received_at": at, "body": body}
        statement = insert(line_events).values(row).on_conflict_do_nothing(index_elements=["id"])
        new += connection.execute(statement).rowcount
    return new


def next_waiting(connection: Connection) -> Waiting | None:
    """The oldest that is to be handled."""
    statement = select(_E.position, _E.body).where(_E.handled_at.is_(None)).order_by(_E.position)
    row = connection.execute(statement.limit(1)).one_or_none()
    return None if row is None else Waiting(row.position, row.body)


def handled(connection: Connection, position: int, at: int) -> None:
    """It was; what somebody wrote is forgotten."""
    done = {"handled_at": at, "body": b""}
    connection.execute(update(line_events).where(_E.position == position).values(done))
