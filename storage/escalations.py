"""How far alerts are escalated, and when they are next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from core.muting import Escalation
from storage import schema
from storage.firing import Firing, change, standing

_A = schema.alerts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue(Firing):
    """An alert whose next level is due."""

    verdict: str
    escalation: Escalation


def overdue(connection: Connection, at: int) -> list[Overdue]:
    """Alerts that are to be escalated at `at`, µs, the longest due first; not while shelved."""
    statement = (
        select(schema.alerts)
        .where(_A.escalates_at <= at, _A.shelved_until.is_(None))
        .order_by(_A.escalates_at, _A.id)
    )
    return [
        Overdue(**standing(row), verdict=row.verdict, escalation=escalation_of(row))
        for row in connection.execute(statement)
    ]


def next_due(connection: Connection) -> int | None:
    """When the next alert is to be escalated; None when none is."""
    statement = select(func.min(_A.escalates_at)).where(_A.shelved_until.is_(None))
    return connection.execute(statement).scalar()


def keep_escalations(connection: Connection, changed: Mapping[str, Escalation]) -> None:
    """So far these alerts are escalated now."""
    rows = [(level, due_at, alert) for alert, (level, due_at, _) in changed.items()]
    change(connection, _KEEP, rows)


_KEEP = "UPDATE alerts SET escalation = ?, escalates_at = ? WHERE id = ?"


def escalation_of(row: Any) -> Escalation:
    """How far the alert of a row is escalated."""
    return Escalation(row.escalation, row.escalates_at, row.acknowledged_at is not None)
