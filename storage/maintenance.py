"""Maintenance windows that the API made, as the ledger keeps them."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from storage import schema
from storage.changes import note
from storage.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRow:
    """A maintenance window made by the API, as JSON."""

    id: str
    body: str
    by: str
    made_at: int


def windows(connection: Connection) -> list[WindowRow]:
    """The maintenance windows that the API made, by id."""
    c = schema.maintenance.c
    statement = select(c.id, c.body, c.by, c.made_at).order_by(c.id)
    return [WindowRow(**row._mapping) for row in connection.execute(statement)]


def add_window(ledger: Ledger, window: WindowRow, *, made_by: str) -> bool:
    """Keep a new window; False when one is called so already."""
    row = {"id": window.id, "body": window.body, "by": window.by, "made_at": window.made_at}
    with ledger.transaction() as connection:
        if window.id in {known.id for known in windows(connection)}:
            return False
        connection.execute(insert(schema.maintenance), row | {"made_by": made_by})
        note(connection, window.made_at, made_by, "maintenance-made", window.id, window.body)
        return True


def remove_window(ledger: Ledger, identifier: str, *, by: str, at: int) -> bool:
    """Forget a window that the API made; False when there is none. What it held back stays."""
    table = schema.maintenance
    with ledger.transaction() as connection:
        gone = connection.execute(delete(table).where(table.c.id == identifier)).rowcount == 1
        if gone:
            note(connection, at, by, "maintenance-removed", identifier)
        return gone
