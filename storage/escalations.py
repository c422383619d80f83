"""How far alerts are escalated, and when they are next."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from core.alerts import Mark, Severity
from core.muting import Escalation
from storage import schema
from storage.chunks import chunks

_A = schema.alerts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An alert whose next level is due."""

    alert: str
    rule: str
    version: str
    subject: str
    site: str
    severity: Severity
    value: float
    marks: tuple[Mark, ...]
    verdict: str
    escalation: Escalation


def escalations(connection: Connection, alerts: Collection[str]) -> dict[str, Escalation]:
    """How far these are escalated; those that the ledger does not know yet are left out."""
    found: dict[str, Escalation] = {}
    columns = (_A.id, _A.escalation, _A.escalates_at, _A.acknowledged_at)
    for chunk in chunks(alerts):
        rows = connection.execute(select(*columns).where(_A.id.in_(chunk)))
        found |= {row.id: _escalation(row) for row in rows}
    return found


def begun(connection: Connection, alerts: Collection[str]) -> dict[str, int]:
    """When each of these began, µs; those that the ledger does not know yet are left out."""
    found: dict[str, int] = {}
    for chunk in chunks(alerts):
        rows = connection.execute(select(_A.id, _A.started_at).where(_A.id.in_(chunk)))
        found |= {row.id: row.started_at for row in rows}
    return found


def overdue(connection: Connection, at: int) -> list[Overdue]:
    """Alerts that are to be escalated at `at`, µs, the longest due first; not while shelved."""
    statement = (
        select(schema.alerts)
        .where(_A.escalates_at <= at, _A.shelved_until.is_(None))
        .order_by(_A.escalates_at, _A.id)
    )
    return [_overdue(row) for row in connection.execute(statement)]


def next_due(connection: Connection) -> int | None:
    """When the next alert is to be escalated; None when none is."""
    statement = select(func.min(_A.escalates_at)).where(_A.shelved_until.is_(None))
    return connection.execute(statement).scalar()


def keep_escalations(connection: Connection, changed: Mapping[str, Escalation]) -> None:
    """So far these alerts are escalated now."""
    rows = [(level, due_at, alert) for alert, (level, due_at, _) in changed.items()]
    if rows:
        driver: Any = connection.connection.driver_connection
        driver.executemany(_KEEP, rows).close()


_KEEP = "UPDATE alerts SET escalation = ?, escalates_at = ? WHERE id = ?"


def _escalation(row: Any) -> Escalation:
    return Escalation(row.escalation, row.escalates_at, row.acknowledged_at is not None)


def _overdue(row: Any) -> Overdue:
    return Overdue(
        alert=row.id,
        rule=row.rule,
        version=row.version,
        subject=row.subject,
        site=row.site,
        severity=Severity(row.severity),
        value=row.value,
        marks=tuple(Mark(mark) for mark in row.marks.split()),
        verdict=row.verdict,
        escalation=_escalation(row),
    )
