"""`/v1/alerts`: what is wrong, and what was."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection

from alerts.muting import Standing, mutes
from api.context import ApiContext, Context
from api.explanation import EXAMPLE as EXPLANATION
from api.explanation import Explanation, explanation
from api.problems import ApiError
from api.shapes import (
    MOST,
    Answer,
    Asked,
    AskedPage,
    AskedTime,
    Id,
    Names,
    Page,
    SeverityName,
    StateName,
    Time,
    cut,
    example,
    position_of,
)
from core.model import Severity, State, iso
from storage import labels, queries
from storage.labels import Places
from storage.queries import AlertFilter, AlertRow, TransitionRow

router = APIRouter(tags=["Alerts"])

_EVIDENCE = {
    "level": 25.0,
    "clear": 15.0,
    "side": "above",
    "since": "2026-11-22T00:50:00Z",
    "seconds": 300.0,
    "measured_at": "2026-11-22T00:55:00Z",
}
_ALERT = {
    "id": "0b0f2f0e-6a57-5a3e-9c0c-5d5a5f0f4b11",
    "rule": "beach-turbid",
    "version": "5b1c7a90e2d4",
    "name": {"en": "Turbid water", "th": "น้ำทะเลขุ่นผิดปกติ"},
    "subject": "patong-probe-1/turbidity",
    "device": "patong-probe-1",
    "parameter": "turbidity",
    "unit": "[NTU]",
    "site": "patong-beach",
    "state": "firing",
    "severity": "warning",
    "started_at": "2026-11-22T00:50:00Z",
    "fired_at": "2026-11-22T00:55:00Z",
    "resolved_at": None,
    "changed_at": "2026-11-22T00:55:00Z",
    "value": 61.5,
    "evidence": _EVIDENCE,
    "muted_by": [{"kind": "silence", "id": "12"}],
}
_TRANSITION = {
    "before": "pending",
    "after": "firing",
    "severity": "warning",
    "reason": "held",
    "at": "2026-11-22T00:55:00Z",
    "recorded_at": "2026-11-22T00:55:00.250000Z",
    "value": 61.5,
    "evidence": _EVIDENCE,
}


class Muted(Answer):
    """What holds an alert's messages back: a silence or window by its id, another alert by its
    own.
    """

    model_config = example({"kind": "silence", "id": "12"})

    kind: Literal["inhibition", "maintenance", "shelf", "silence"]
    id: str


class Alert(Answer):
    """One episode of one rule at one subject, from the first breach on."""

    model_config = example(_ALERT)

    id: str
    rule: str
    version: str = Field(description="Of the rule, when the episode began.")
    name: Names | None = Field(description="Of the rule; null when there is no such rule any more.")
    subject: str = Field(description="device/parameter.")
    device: str
    parameter: str
    unit: str
    site: str
    state: StateName
    severity: SeverityName
    started_at: Time = Field(description="The first breach.")
    fired_at: Time | None
    resolved_at: Time | None
    changed_at: Time = Field(description="The last transition.")
    value: float = Field(description="The reading that decided the last worsening.")
    evidence: dict[str, Any] = Field(description="Why: level, clear level, since when.")
    muted_by: list[Muted] = Field(description="What holds it back now; empty when it is over.")


class Alerts(Page[Alert]):
    """Alerts, the newest start first."""


class Transition(Answer):
    """One change of an alert."""

    model_config = example(_TRANSITION)

    before: StateName | None
    after: StateName
    severity: SeverityName
    reason: str
    at: Time = Field(description="In event time.")
    recorded_at: Time = Field(description="When it was stored.")
    value: float
    evidence: dict[str, Any]


class AlertStory(Alert):
    """An alert with its transitions, the last thousand at the most, and its explanation."""

    model_config = example(_ALERT | {"transitions": [_TRANSITION], "explanation": EXPLANATION})

    transitions: list[Transition]
    explanation: Explanation


class AskedAlertChoice(Asked):
    """Which alerts."""

    state: Literal["pending", "firing", "resolved", "open", "unfired"] | None = Field(
        None,
        description="open: pending or firing; unfired: over without having fired. None gives all "
        "but the unfired.",
    )
    site: Id | None = Field(None, description="Only at this site.")
    rule: Id | None = Field(None, description="Only by this rule.")
    severity: SeverityName | None = Field(None, description="Only of this severity.")
    since: AskedTime | None = Field(None, description="Only those that started then or later.")


class AskedAlerts(AskedAlertChoice, AskedPage):
    """Which alerts, and which part of their list."""


@router.get("/alerts")
def list_alerts(context: Context, asked: Annotated[AskedAlerts, Query()]) -> Alerts:
    """Alerts, the newest start first."""
    position = position_of(asked.cursor, int, str)
    before = None if position is None else (position[0], position[1])
    with queries.snapshot(context.readers) as connection:
        found = queries.alerts(
            connection, chosen_alerts(asked), before=before, limit=asked.limit + 1
        )
        rows, following = cut(found, asked.limit, lambda row: (row.started_at, row.id))
        told = _told(context, connection, rows)
    return Alerts(items=[Alert(**alert) for alert in told], next=following)


@router.get("/alerts/{alert}")
def get_alert(context: Context, alert: Id) -> AlertStory:
    """One alert, everything that happened to it, and why it is there."""
    with queries.snapshot(context.readers) as connection:
        row = queries.alert(connection, alert)
        changes = queries.transitions(connection, alert, limit=MOST)
        if row is None:
            raise ApiError("not-found", "There is no alert with this id; /v1/alerts lists them.")
        (told,) = _told(context, connection, [row])
        why = explanation(context, connection, row)
    return AlertStory(**told, transitions=[_transition(c) for c in changes], explanation=why)


def chosen_alerts(asked: AskedAlertChoice) -> AlertFilter:
    """What is asked for, as the ledger takes it."""
    return AlertFilter(
        state=asked.state,
        site=asked.site,
        rule=asked.rule,
        severity=None if asked.severity is None else Severity[asked.severity.upper()],
        since=asked.since,
    )


def _told(
    context: ApiContext, connection: Connection, rows: Sequence[AlertRow]
) -> list[dict[str, Any]]:
    """Alerts as they are shown, with what holds them back now."""
    places = labels.places(connection)
    standing = context.standing(connection, context.clock(), places)
    return [_alert(context, row, places, standing) for row in rows]


def _alert(
    context: ApiContext, row: AlertRow, places: Places, standing: Standing
) -> dict[str, Any]:
    device, _, parameter = row.subject.partition("/")
    rule = context.rules.get(row.rule)
    over = row.state == State.RESOLVED
    held = () if over else mutes(places.labels(row.id, row), standing)
    return {
        "id": row.id,
        "rule": row.rule,
        "version": row.version,
        "name": None if rule is None else Names(en=rule.name["en"], th=rule.name["th"]),
        "subject": row.subject,
        "device": device,
        "parameter": parameter,
        "unit": context.unit_of(parameter),
        "site": row.site,
        "state": row.state,
        "severity": row.severity.label,
        "started_at": iso(row.started_at),
        "fired_at": _iso(row.fired_at),
        "resolved_at": _iso(row.resolved_at),
        "changed_at": iso(row.changed_at),
        "value": row.value,
        "evidence": dict(row.evidence),
        "muted_by": [Muted(kind=mute.kind.value, id=mute.id) for mute in held],
    }


def _transition(row: TransitionRow) -> Transition:
    return Transition.model_validate(
        {
            "before": row.before,
            "after": row.after,
            "severity": row.severity.label,
            "reason": row.reason,
            "at": iso(row.at),
            "recorded_at": iso(row.recorded_at),
            "value": row.value,
            "evidence": dict(row.evidence),
        }
    )


def _iso(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)
