"""What LINE said of the month's messages."""

import json
from dataclasses import asdict

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from core.notices import LineMonth
from storage import schema

_M = schema.meta.c
_NAME = "line_month"


def keep(connection: Connection, month: LineMonth) -> None:
    """LINE said so; what it said before is forgotten."""
    made = upsert(schema.meta).values({"name": _NAME, "value": json.dumps(asdict(month))})
    now = {"value": made.excluded.value}
    connection.execute(made.on_conflict_do_update(index_elements=["name"], set_=now))


def month(connection: Connection) -> LineMonth | None:
    """How the month stood when LINE was asked last; None where it never was."""
    body = connection.scalar(select(_M.value).where(_M.name == _NAME))
    return None if body is None else LineMonth(**json.loads(body))
