"""Verdicts as rows of their alerts, and when each alert is judged again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from core.alerts import State, device_and_parameter
from core.verdicts import FaultCause, Judged, Verdict, VerdictKind
from storage import schema
from storage.chunks import chunks
from storage.firing import Firing, change, standing

_A = schema.alerts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Due(Firing):
    """An alert that is to be judged, again or for the first time; `measured_at` is the newest
    reading of its series, None where it is about none.
    """

    started_at: int
    changed_at: int
    measured_at: int | None
    judged: Judged | None


def verdicts(connection: Connection, alerts: Collection[str]) -> dict[str, Judged]:
    """Those of these alerts that have one."""
    found: dict[str, Judged] = {}
    columns = (_A.id, _A.verdict_body, _A.judge_at)
    for chunk in chunks(alerts):
        for row in connection.execute(select(*columns).where(_A.id.in_(chunk))):
            judged = judged_of(row)
            if judged is not None:
                found[row.id] = judged
    return found


def due(connection: Connection, at: int, *, limit: int) -> list[Due]:
    """Alerts that are to be judged at `at`, µs, the longest due first."""
    statement = (
        select(schema.alerts)
        .where(_A.judge_at <= at, _A.state == State.FIRING.value)
        .order_by(_A.judge_at, _A.id)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    newest = _newest(connection, [row.subject for row in rows])
    return [
        Due(
            **standing(row),
            started_at=row.started_at,
            changed_at=row.changed_at,
            measured_at=newest.get(device_and_parameter(row.subject)),
            judged=judged_of(row),
        )
        for row in rows
    ]


def _newest(connection: Connection, subjects: Collection[str]) -> dict[tuple[str, str], int]:
    """When the newest reading of each series among these subjects was measured, µs."""
    s, n = schema.series.c, schema.latest.c
    names = {device_and_parameter(subject) for subject in subjects}
    statement = select(s.device, s.parameter, n.measured_at).join(schema.latest, n.series == s.id)
    asked = statement.where(tuple_(s.device, s.parameter).in_(names))
    return {(row.device, row.parameter): row.measured_at for row in connection.execute(asked)}


def next_due(connection: Connection) -> int | None:
    """When the next alert is to be judged; None when none is."""
    return connection.execute(select(func.min(_A.judge_at))).scalar()


def keep_verdicts(connection: Connection, judged: Mapping[str, Judged]) -> None:
    """So these alerts are judged now."""
    rows = [
        (*_words(one.verdict, raised=one.raised), one.judge_at, alert)
        for alert, one in judged.items()
    ]
    change(connection, _KEEP, rows)


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


def judged_of(row: Any) -> Judged | None:
    """What the alert of a row is judged to be; None where it is not."""
    if row.verdict_body is None:
        return None
    kept = json.loads(row.verdict_body)
    return Judged(verdict_of(kept), row.judge_at, kept["raised"])
