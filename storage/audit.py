"""Who changed what by hand; `storage.changes.note` writes it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One change: the id of the key that made it and whose that is, and what it changed. `owner` is
    None for a key that the ledger does not keep, such as that of the command line.
    """

    id: int
    at: int
    key: str
    owner: str | None
    action: str
    subject: str
    detail: str


def lines(
    connection: Connection,
    *,
    before: int | None = None,
    limit: int | None = None,
    subject: str | None = None,
) -> list[AuditRow]:
    """Changes, the newest first, or those of one subject; `before` is the id of the last one
    seen.
    """
    c = schema.audit.c
    k = schema.keys.c
    statement = (
        select(*schema.audit.columns, k.owner)
        .outerjoin(schema.keys, k.id == c.key)
        .order_by(c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(c.id < before)
    if subject is not None:
        statement = statement.where(c.subject == subject)
    return [AuditRow(**row._mapping) for row in connection.execute(statement)]
