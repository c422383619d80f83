"""Reviews: stored readings that are looked at again, a little at a time, by the pipeline."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from core.annotations import Review
from core.readings import Cause
from storage import schema
from storage.changes import note

_V = schema.reviews.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A review with who asked for it, and when it ended."""

    review: Review
    note: str
    made_at: int
    made_by: str
    finished_at: int | None


class StoredReading(NamedTuple):
    """A reading as the ledger has it."""

    measured_at: int
    series: int
    received_at: int
    value: float
    flag: int
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A review that is asked for, by the key `by`; see `Review`."""

    cause: Cause
    device: str
    parameters: Sequence[str] = ()
    start: int
    end: int
    note: str
    by: str
    reference: int | None = None
    preview: bool = False


def ask(connection: Connection, asked: Asked, at: int) -> int:
    """Keep it for the pipeline to do; its id."""
    row = {
        "cause": asked.cause.value,
        "reference": asked.reference,
        "device": asked.device,
        "parameters": json.dumps(asked.parameters),
        "start": asked.start,
        "end": asked.end,
        "preview": asked.preview,
        "note": asked.note,
        "made_at": at,
        "made_by": asked.by,
        "through": asked.start,
        "readings": 0,
        "changes": "[]",
    }
    result: Any = connection.execute(insert(schema.reviews), row)
    return int(result.inserted_primary_key[0])


def reprocess(connection: Connection, asked: Asked, at: int) -> int:
    """Ask for readings to be judged again; the review's id."""
    made = ask(connection, asked, at)
    action = "reprocess-previewed" if asked.preview else "reprocessed"
    note(connection, at, asked.by, action, str(made), asked.note)
    return made


def unfinished(connection: Connection) -> tuple[Review, ...]:
    """What is still to be done, the oldest first."""
    statement = select(schema.reviews).where(_V.finished_at.is_(None)).order_by(_V.id)
    return tuple(_review(row) for row in connection.execute(statement))


def reviews(
    connection: Connection,
    *,
    identifier: int | None = None,
    before: int | None = None,
    limit: int = 1,
) -> list[ReviewRow]:
    """Reviews, the newest first, or the one that is asked for."""
    statement = select(schema.reviews).order_by(_V.id.desc()).limit(limit)
    if identifier is not None:
        statement = statement.where(_V.id == identifier)
    if before is not None:
        statement = statement.where(_V.id < before)
    return [
        ReviewRow(
            review=_review(row),
            note=row.note,
            made_at=row.made_at,
            made_by=row.made_by,
            finished_at=row.finished_at,
        )
        for row in connection.execute(statement)
    ]


def stored(
    connection: Connection, series: Sequence[int], start: int, end: int, limit: int
) -> list[StoredReading]:
    """The readings of these series from `start` to before `end`, the oldest first."""
    c = schema.readings.c
    columns = (c.measured_at, c.series, c.received_at, c.value, c.flag, c.tests)
    statement = (
        select(*columns)
        .where(c.measured_at >= start, c.measured_at < end, c.series.in_(series))
        .order_by(c.measured_at, c.series)
        .limit(limit)
    )
    return [StoredReading(*row) for row in connection.execute(statement)]


def _review(row: Any) -> Review:
    return Review(
        id=row.id,
        cause=Cause(row.cause),
        reference=row.reference,
        device=row.device,
        parameters=tuple(json.loads(row.parameters)),
        start=row.start,
        end=row.end,
        preview=row.preview,
        through=row.through,
        readings=row.readings,
        changes={(before, after): count for before, after, count in json.loads(row.changes)},
    )
