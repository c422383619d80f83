"""When our clock was set back: what had been heard by then, and what the clock showed, µs."""

import json

from sqlalchemy import Connection, select

from storage import schema
from storage.changes import putting

_FACT = "clock-set-back"


def set_backs(connection: Connection) -> list[tuple[int, int]]:
    """Each time, in order."""
    m = schema.meta.c
    kept = connection.execute(select(m.value).where(m.name == _FACT)).scalar()
    return [(heard, clock) for heard, clock in json.loads(kept or "[]")]


def note_set_back(connection: Connection, heard: int, clock: int) -> None:
    """Keep one more."""
    told = json.dumps([*set_backs(connection), (heard, clock)])
    connection.execute(putting(schema.meta), [{"name": _FACT, "value": told}])
