"""`/v1/transitions`, and alerts and transitions as CSV: what happened, to be looked at."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from api.alerts import AskedAlertChoice, Muted, chosen_alerts
from api.context import ApiContext, Context
from api.shapes import (
    MOST,
    Answer,
    Asked,
    AskedPage,
    AskedTime,
    Id,
    Page,
    SeverityName,
    StateName,
    Time,
    cut,
    example,
    position_of,
)
from api.sheets import RESPONSES, Cell, sheet
from core.alerts import Severity, device_and_parameter
from core.times import iso
from storage import queries
from storage.queries import AlertRow
from storage.transition_history import HistoryFilter, HistoryRow, history

router = APIRouter(tags=["Alerts"])

_ALERT_HEADING = [
    "id",
    "rule",
    "version",
    "name_en",
    "name_th",
    "subject",
    "unit",
    "site",
    "state",
    "severity",
    "started_at",
    "fired_at",
    "resolved_at",
    "changed_at",
    "value",
]
_HISTORY_HEADING = [
    "id",
    "alert",
    "rule",
    "version",
    "subject",
    "site",
    "before",
    "after",
    "severity",
    "reason",
    "at",
    "recorded_at",
    "value",
    "by",
    "note",
    "held_back",
    "evidence",
]


class PastTransition(Answer):
    """One change of an alert, and what held it back."""

    model_config = example(
        {
            "id": 4711,
            "alert": "0b0f2f0e-6a57-5a3e-9c0c-5d5a5f0f4b11",
            "rule": "beach-turbid",
            "version": "5b1c7a90e2d4",
            "subject": "patong-probe-1/turbidity",
            "site": "patong-beach",
            "before": "pending",
            "after": "firing",
            "severity": "warning",
            "reason": "held",
            "at": "2026-11-22T00:55:00Z",
            "recorded_at": "2026-11-22T00:55:00.250000Z",
            "value": 61.5,
            "evidence": {"level": 25.0},
            "held_back": [{"kind": "silence", "id": "12"}],
        }
    )

    id: int
    alert: str
    rule: str
    version: str
    subject: str
    site: str
    before: StateName | None
    after: StateName
    severity: SeverityName
    reason: str
    at: Time = Field(description="In event time.")
    recorded_at: Time
    value: float
    evidence: dict[str, Any]
    held_back: list[Muted]


class PastTransitions(Page[PastTransition]):
    """Transitions, the last recorded first."""


class AskedHistoryChoice(Asked):
    """Which transitions."""

    alert: Id | None = Field(None, description="Only of this alert.")
    site: Id | None = Field(None, description="Only at this site.")
    rule: Id | None = Field(None, description="Only by this rule.")
    severity: SeverityName | None = Field(None, description="Only of this severity.")
    since: AskedTime | None = Field(None, description="Only at this time or later.")
    until: AskedTime | None = Field(None, description="Only before this time.")


class AskedHistory(AskedHistoryChoice, AskedPage):
    """Which transitions, and which part of their list."""


@router.get("/transitions")
def list_transitions(context: Context, asked: Annotated[AskedHistory, Query()]) -> PastTransitions:
    """What happened to alerts, the last recorded first."""
    (before,) = position_of(asked.cursor, int) or (None,)
    with queries.snapshot(context.readers) as connection:
        found = history(connection, _chosen(asked), before=before, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.id,))
    return PastTransitions(
        items=[PastTransition.model_validate(_told(row)) for row in rows], next=following
    )


@router.get("/transitions.csv", response_class=StreamingResponse, responses=RESPONSES)
def export_transitions(
    context: Context, asked: Annotated[AskedHistoryChoice, Query()]
) -> StreamingResponse:
    """The same as a table, all of it."""

    def pages() -> Iterator[list[Sequence[Cell]]]:
        before: int | None = None
        while True:
            with queries.snapshot(context.readers) as connection:
                rows = history(connection, _chosen(asked), before=before, limit=MOST)
            if not rows:
                return
            yield [_history_cells(row) for row in rows]
            before = rows[-1].id

    return sheet("transitions", _HISTORY_HEADING, pages())


@router.get("/alerts.csv", response_class=StreamingResponse, responses=RESPONSES)
def export_alerts(
    context: Context, asked: Annotated[AskedAlertChoice, Query()]
) -> StreamingResponse:
    """Alerts as a table, all that are asked for."""

    def pages() -> Iterator[list[Sequence[Cell]]]:
        before: tuple[int, str] | None = None
        while True:
            with queries.snapshot(context.readers) as connection:
                rows = queries.alerts(connection, chosen_alerts(asked), before=before, limit=MOST)
            if not rows:
                return
            yield [_alert_cells(context, row) for row in rows]
            before = rows[-1].started_at, rows[-1].id

    return sheet("alerts", _ALERT_HEADING, pages())


def _chosen(asked: AskedHistoryChoice) -> HistoryFilter:
    return HistoryFilter(
        alert=asked.alert,
        site=asked.site,
        rule=asked.rule,
        severity=None if asked.severity is None else Severity[asked.severity.upper()],
        since=asked.since,
        until=asked.until,
    )


def _told(row: HistoryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "alert": row.alert,
        "rule": row.rule,
        "version": row.version,
        "subject": row.subject,
        "site": row.site,
        "before": row.before,
        "after": row.after,
        "severity": row.severity.label,
        "reason": row.reason,
        "at": iso(row.at),
        "recorded_at": iso(row.recorded_at),
        "value": row.value,
        "evidence": dict(row.evidence),
        "held_back": [{"kind": kind, "id": identifier} for kind, identifier in row.held_back],
    }


def _history_cells(row: HistoryRow) -> Sequence[Cell]:
    told = _told(row) | {
        "by": row.evidence.get("by"),
        "note": row.evidence.get("note"),
        "held_back": "; ".join(" ".join(mute) for mute in row.held_back),
        "evidence": json.dumps(dict(row.evidence), ensure_ascii=False),
    }
    return [told[name] for name in _HISTORY_HEADING]


def _alert_cells(context: ApiContext, row: AlertRow) -> Sequence[Cell]:
    about = context.rules().get(row.rule)
    moments = (row.started_at, row.fired_at, row.resolved_at, row.changed_at)
    return [
        row.id,
        row.rule,
        row.version,
        about.name["en"] if about else None,
        about.name["th"] if about else None,
        row.subject,
        context.unit_of(device_and_parameter(row.subject)[1]),
        row.site,
        row.state,
        row.severity.label,
        *(None if at is None else iso(at) for at in moments),
        row.value,
    ]
