"""What officers say of readings: flags on ranges, undone or in force. Nothing is deleted.

Each change asks for a review of the readings that it concerns, in the caller's
transaction.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from core.annotations import Annotation, Said
from core.readings import Cause, Flag
from storage import schema
from storage.changes import note
from storage.reviews import Asked, ask, unfinished
from storage.service_log import standing

_A = schema.annotations.c


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationRow:
    """An officer's flag, who put it there, and who undid it."""

    annotation: Annotation
    note: str
    made_at: int
    made_by: str
    undone_at: int | None
    undone_by: str | None


def annotate(connection: Connection, said: Annotation, *, words: str, by: str, at: int) -> int:
    """Keep what an officer says, whatever its `id`; the id that it gets."""
    row = {
        "device": said.device,
        "parameters": json.dumps(said.parameters),
        "start": said.start,
        "end": said.end,
        "flag": int(said.flag),
        "note": words,
        "made_at": at,
        "made_by": by,
    }
    result: Any = connection.execute(insert(schema.annotations), row)
    made = int(result.inserted_primary_key[0])
    note(connection, at, by, "flag-put", str(made), words)
    ask(connection, _review(made, said, words, by), at)
    return made


def undo(connection: Connection, identifier: int, *, by: str, at: int) -> bool:
    """Take back what an officer said; False when there is no such annotation in force."""
    rows = annotations(connection, identifier=identifier)
    if not rows or rows[0].undone_at is not None:
        return False
    done = {"undone_at": at, "undone_by": by}
    connection.execute(update(schema.annotations).where(_A.id == identifier).values(done))
    note(connection, at, by, "flag-undone", str(identifier))
    ask(connection, _review(identifier, rows[0].annotation, "", by), at)
    return True


def said(connection: Connection) -> Said:
    """All that counts now, and the reviews that are still to be done."""
    return Said(
        annotations=in_force(connection), log=standing(connection), reviews=unfinished(connection)
    )


def in_force(connection: Connection) -> tuple[Annotation, ...]:
    """What officers say, in the order in which they said it."""
    statement = select(schema.annotations).where(_A.undone_at.is_(None)).order_by(_A.id)
    return tuple(_annotation(row) for row in connection.execute(statement))


def annotations(
    connection: Connection,
    *,
    identifier: int | None = None,
    device: str | None = None,
    undone: bool | None = None,
    before: int | None = None,
    limit: int = 1,
) -> list[AnnotationRow]:
    """Annotations, the newest first: all, or those that are asked for."""
    statement = select(schema.annotations).order_by(_A.id.desc()).limit(limit)
    if identifier is not None:
        statement = statement.where(_A.id == identifier)
    if device is not None:
        statement = statement.where(_A.device == device)
    if undone is not None:
        statement = statement.where(_A.undone_at.is_not(None) if undone else _A.undone_at.is_(None))
    if before is not None:
        statement = statement.where(_A.id < before)
    return [
        AnnotationRow(
            annotation=_annotation(row),
            note=row.note,
            made_at=row.made_at,
            made_by=row.made_by,
            undone_at=row.undone_at,
            undone_by=row.undone_by,
        )
        for row in connection.execute(statement)
    ]


def _annotation(row: Any) -> Annotation:
    return Annotation(
        id=row.id,
        device=row.device,
        parameters=tuple(json.loads(row.parameters)),
        start=row.start,
        end=row.end,
        flag=Flag(row.flag),
    )


def _review(reference: int, said: Annotation, words: str, by: str) -> Asked:
    return Asked(
        cause=Cause.OFFICER,
        reference=reference,
        device=said.device,
        parameters=said.parameters,
        start=said.start,
        end=said.end,
        note=words,
        by=by,
    )
