"""Verdicts as rows of their alerts, and when each alert is judged again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from core.alerts import Mark, Severity, State
from core.verdicts import FaultCause, Judged, Verdict, VerdictKind
from storage import schema
from storage.chunks import chunks

_A = schema.alerts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An alert that fires and is to be judged, again or for the first time; `measured_at` is the
    newest reading of its series, None where it is about none.
    """

    alert: str
    rule: str
    version: str
    subject: str
    site: str
    severity: Severity
    value: float
    marks: tuple[Mark, ...]
    started_at: int
    changed_at: int
    measured_at: int | None
    judged: Judged | None


def verdicts(connection: Connection, alerts: Collection[str]) -> dict[str, Judged]:
    """Those of these alerts that have one."""
    found: dict[str, Judged] = {}
    columns = (_A.id, _A.verdict, _A.verdict_body, _A.judge_at)
    for chunk in chunks(alerts):
        chosen = _A.id.in_(chunk)
        rows = connection.execute(select(*columns).where(chosen, _A.verdict != ""))
        found |= {row.id: _judged(row) for row in rows}
    return found


def due(connection: Connection, at: int, *, limit: int) -> list[Due]:
    """Alerts that are to be judged at `at`, µs, the longest due first."""
    s, n = schema.series.c, schema.latest.c
    statement = (
        select(schema.alerts, n.measured_at)
        .outerjoin(schema.series, s.device + "/" + s.parameter == _A.subject)
        .outerjoin(schema.latest, n.series == s.id)
        .where(_A.judge_at <= at, _A.state == State.FIRING.value)
        .order_by(_A.judge_at, _A.id)
        .limit(limit)
    )
    return [_due(row) for row in connection.execute(statement)]


def next_due(connection: Connection) -> int | None:
    """When the next alert is to be judged; None when none is."""
    return connection.execute(select(func.min(_A.judge_at))).scalar()


def keep_verdicts(connection: Connection, judged: Mapping[str, Judged]) -> None:
    """So these alerts are judged now."""
    rows = [
        (*_words(one.verdict, raised=one.raised), one.judge_at, alert)
        for alert, one in judged.items()
    ]
    if rows:
        driver: Any = connection.connection.driver_connection
        driver.executemany(_KEEP, rows).close()


_KEEP = "UPDATE alerts SET verdict = ?, verdict_body = ?, judge_at = ? WHERE id = ?"


def body(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON."""
    return {
        "kind": verdict.kind.value,
        "cause": verdict.cause.value if verdict.cause else None,
        "confidence": verdict.confidence,
        "evidence": [dict(one) for one in verdict.evidence],
        "confirmed": verdict.confirmed,
    }


def verdict_of(kept: Mapping[str, Any]) -> Verdict:
    """The verdict that has this body."""
    return Verdict(
        kind=VerdictKind(kept["kind"]),
        cause=FaultCause(kept["cause"]) if kept["cause"] else None,
        confidence=kept["confidence"],
        evidence=tuple(kept["evidence"]),
        confirmed=kept["confirmed"],
    )


def _words(verdict: Verdict | None, *, raised: bool) -> tuple[str, str | None]:
    if verdict is None:
        return "", None
    kept = body(verdict) | {"raised": raised}
    return verdict.kind.value, json.dumps(kept, ensure_ascii=False)


def _judged(row: Any) -> Judged:
    kept = json.loads(row.verdict_body)
    return Judged(verdict_of(kept), row.judge_at, kept["raised"])


def _due(row: Any) -> Due:
    return Due(
        alert=row.id,
        rule=row.rule,
        version=row.version,
        subject=row.subject,
        site=row.site,
        severity=Severity(row.severity),
        value=row.value,
        marks=tuple(Mark(mark) for mark in row.marks.split()),
        started_at=row.started_at,
        changed_at=row.changed_at,
        measured_at=row.measured_at,
        judged=_judged(row) if row.verdict else None,
    )
