"""What officers found alerts to have been."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from core.alerts import State
from core.verdicts import Label
from storage import schema
from storage.changes import note
from storage.ledger import Ledger

_A, _L = schema.alerts.c, schema.alert_labels.c
_CHUNK = 500


class Labelled(NamedTuple):
    """Who found an alert to have been what, when (µs) and why."""

    label: Label
    by: str
    at: int
    note: str


class Found(NamedTuple):
    """An alert that fired, from its first breach to its end (µs; None while it goes on), and what
    it was found to have been, None where nobody said.
    """

    alert: str
    rule: str
    subject: str
    start: int
    end: int | None
    label: Label | None


def label(ledger: Ledger, alert: str, what: Labelled, *, key: str) -> bool:
    """Keep what an officer found, in place of what was found before, and a line of the audit; False
    when there is no such alert.
    """
    with ledger.transaction() as connection:
        if connection.execute(select(_A.id).where(_A.id == alert)).first() is None:
            return False
        before = labels_of(connection, [alert]).get(alert)
        if before is not None and (before.label, before.note) == (what.label, what.note):
            return True
        row = {"alert": alert} | what._asdict()
        made = upsert(schema.alert_labels).values(row)
        now = {name: made.excluded[name] for name in what._fields}
        connection.execute(made.on_conflict_do_update(index_elements=["alert"], set_=now))
        note(connection, what.at, key, f"alert-found-{what.label}", alert, what.note)
    return True


def labels_of(connection: Connection, alerts: Collection[str]) -> Mapping[str, Labelled]:
    """What these were found to have been; the others are left out."""
    wanted, found = list(alerts), dict[str, Labelled]()
    for start in range(0, len(wanted), _CHUNK):
        chosen = _L.alert.in_(wanted[start : start + _CHUNK])
        for row in connection.execute(select(schema.alert_labels).where(chosen)):
            found[row.alert] = Labelled(Label(row.label), row.by, row.at, row.note)
    return found


def found(connection: Connection, start: int, end: int, *, rule: str | None = None) -> list[Found]:
    """Alerts that fired and began in [start, end), the oldest first."""
    statement = (
        select(_A.id, _A.rule, _A.subject, _A.started_at, _A.resolved_at, _A.state, _L.label)
        .outerjoin(schema.alert_labels, _L.alert == _A.id)
        .where(_A.fired_at.is_not(None), _A.started_at >= start, _A.started_at < end)
        .order_by(_A.started_at, _A.id)
    )
    if rule is not None:
        statement = statement.where(_A.rule == rule)
    return [
        Found(
            alert=row.id,
            rule=row.rule,
            subject=row.subject,
            start=row.started_at,
            end=row.resolved_at if row.state == State.RESOLVED else None,
            label=Label(row.label) if row.label else None,
        )
        for row in connection.execute(statement)
    ]
