"""Alerts that fire, as rows of the ledger, and what is changed of many of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from core.alerts import Mark, Reason, Severity, State, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An alert that fires: what it is about, and how it stands."""

    alert: str
    rule: str
    version: str
    subject: str
    site: str
    severity: Severity
    value: float
    marks: tuple[Mark, ...]

    def goes_on(
        self, reason: Reason, at: int, evidence: Mapping[str, Any], *, lift: int = 0
    ) -> Transition:
        """A change at `at`, µs, that says nothing new of the values; `lift` severities worse."""
        return Transition(
            alert=self.alert,
            rule=self.rule,
            version=self.version,
            subject=self.subject,
            site=self.site,
            before=State.FIRING,
            after=State.FIRING,
            severity=Severity(self.severity + lift),
            reason=reason,
            at=at,
            value=self.value,
            marks=self.marks,
            evidence=evidence,
        )


def standing(row: Any) -> dict[str, Any]:
    """The fields of `Firing` of a row of alerts."""
    return {
        "alert": row.id,
        "rule": row.rule,
        "version": row.version,
        "subject": row.subject,
        "site": row.site,
        "severity": Severity(row.severity),
        "value": row.value,
        "marks": tuple(Mark(mark) for mark in row.marks.split()),
    }


def change(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement with each of these rows, straight at the driver."""
    if rows:
        driver: Any = connection.connection.driver_connection
        driver.executemany(statement, rows).close()
