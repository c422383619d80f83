"""The service log: work on devices, whose readings meanwhile tell nothing of the place.

Each change asks for a review of the stored readings that it concerns, in the caller's
transaction.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from core.annotations import Service, Work
from core.readings import Cause
from core.times import DAY
from storage import schema
from storage.changes import note
from storage.reviews import Asked, ask

AHEAD = DAY
"""Readings may be stored that were measured after the present, but not further ahead."""

_S = schema.service_log.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """An entry: `person` did the work, the keys are of those who wrote it down, or took it out."""

    service: Service
    note: str
    person: str
    made_at: int
    made_by: str
    removed_at: int | None
    removed_by: str | None


def log_service(
    connection: Connection, service: Service, *, words: str, person: str, by: str, at: int
) -> int:
    """Keep an entry, whatever its `id`; the id that it gets."""
    row = {
        "device": service.device,
        "work": service.work.value,
        "start": service.start,
        "end": service.end,
        "note": words,
        "person": person,
        "made_at": at,
        "made_by": by,
    }
    result: Any = connection.execute(insert(schema.service_log), row)
    made = int(result.inserted_primary_key[0])
    note(connection, at, by, "service-logged", str(made), words)
    _review(connection, made, service, service.start, by, at)
    return made


def end_service(connection: Connection, identifier: int, end: int, *, by: str, at: int) -> bool:
    """Say when work ended that went on; False when no such work goes on."""
    rows = entries(connection, identifier=identifier)
    if not rows or rows[0].removed_at is not None or rows[0].service.end is not None:
        return False
    connection.execute(update(schema.service_log).where(_S.id == identifier).values(end=end))
    note(connection, at, by, "service-ended", str(identifier))
    _review(connection, identifier, rows[0].service, end, by, at)
    return True


def remove_service(connection: Connection, identifier: int, *, by: str, at: int) -> bool:
    """Take an entry out; False when there is none. It stays to be read."""
    rows = entries(connection, identifier=identifier)
    if not rows or rows[0].removed_at is not None:
        return False
    done = {"removed_at": at, "removed_by": by}
    connection.execute(update(schema.service_log).where(_S.id == identifier).values(done))
    note(connection, at, by, "service-removed", str(identifier))
    _review(connection, identifier, rows[0].service, rows[0].service.start, by, at)
    return True


def standing(connection: Connection) -> tuple[Service, ...]:
    """All entries that count."""
    statement = select(schema.service_log).where(_S.removed_at.is_(None)).order_by(_S.id)
    return tuple(_service(row) for row in connection.execute(statement))


def entries(
    connection: Connection,
    *,
    identifier: int | None = None,
    device: str | None = None,
    before: int | None = None,
    limit: int = 1,
) -> list[ServiceRow]:
    """Entries, the newest first, or those that are asked for; also those that were taken out."""
    statement = select(schema.service_log).order_by(_S.id.desc()).limit(limit)
    if identifier is not None:
        statement = statement.where(_S.id == identifier)
    if device is not None:
        statement = statement.where(_S.device == device)
    if before is not None:
        statement = statement.where(_S.id < before)
    return [
        ServiceRow(
            service=_service(row),
            note=row.note,
            person=row.person,
            made_at=row.made_at,
            made_by=row.made_by,
            removed_at=row.removed_at,
            removed_by=row.removed_by,
        )
        for row in connection.execute(statement)
    ]


def _service(row: Any) -> Service:
    return Service(id=row.id, device=row.device, work=Work(row.work), start=row.start, end=row.end)


def _review(
    connection: Connection, reference: int, service: Service, start: int, by: str, at: int
) -> None:
    """Ask for a review from `start` to the end of the work, as far as readings can be stored."""
    end = at + AHEAD if service.end is None else min(service.end, at + AHEAD)
    if start < end:
        asked = Asked(
            cause=Cause.SERVICE,
            reference=reference,
            device=service.device,
            start=start,
            end=end,
            note="",
            by=by,
        )
        ask(connection, asked, at)
