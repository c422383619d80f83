"""The history of alerts, change by change, as it is listed and exported."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from core.alerts import Severity
from storage import schema

_T, _H = schema.transitions.c, schema.held_back.c


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which transitions: None takes any; `since` and `until` bound `at`, µs of event time."""

    alert: str | None = None
    site: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One transition; `held_back` names what held it back: kind and id."""

    id: int
    alert: str
    rule: str
    version: str
    subject: str
    site: str
    before: str | None
    after: str
    severity: Severity
    reason: str
    at: int
    recorded_at: int
    value: float
    evidence: Mapping[str, Any]
    held_back: tuple[tuple[str, str], ...]


def history(
    connection: Connection, chosen: HistoryFilter, *, before: int | None, limit: int
) -> list[HistoryRow]:
    """Transitions, the last recorded first; `before` is the id of the last one seen."""
    equal = {
        _T.alert: chosen.alert,
        _T.site: chosen.site,
        _T.rule: chosen.rule,
        _T.severity: chosen.severity,
    }
    wanted = [column == value for column, value in equal.items() if value is not None]
    if chosen.since is not None:
        wanted.append(_T.at >= chosen.since)
    if chosen.until is not None:
        wanted.append(_T.at < chosen.until)
    if before is not None:
        wanted.append(_T.id < before)
    columns = [_T[name] for name in HistoryRow.__slots__ if name != "held_back"]
    statement = select(*columns).where(*wanted).order_by(_T.id.desc()).limit(limit)
    rows = connection.execute(statement).all()
    held = _held_back(connection, [row.id for row in rows])
    return [_row(row, held.get(row.id, ())) for row in rows]


def _held_back(
    connection: Connection, transitions: list[int]
) -> Mapping[int, tuple[tuple[str, str], ...]]:
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    if transitions:
        span = _H.transition.between(min(transitions), max(transitions))
        for row in connection.execute(select(schema.held_back).where(span)):
            found[row.transition] = (*found.get(row.transition, ()), (row.kind, row.id))
    return found


def _row(row: Any, held: tuple[tuple[str, str], ...]) -> HistoryRow:
    fields = dict(row._mapping)
    fields |= {"severity": Severity(row.severity), "evidence": json.loads(row.evidence)}
    return HistoryRow(**fields, held_back=held)
