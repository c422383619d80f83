"""`/v1/alerts`: what is wrong, and what was."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection

from alerts.escalation import ladder_of
from alerts.muting import Standing, mutes
from api.context import ApiContext, Context
from api.explanation import EXAMPLE as EXPLANATION
from api.explanation import Explanation, explanation
from api.notices import EXAMPLE as NOTICE
from api.notices import NoticeSummary, notices_of
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
from api.verdicts import EXAMPLE as VERDICT
from api.verdicts import VerdictAnswer, answer
from core.alerts import Mark, Severity, State, device_and_parameter
from core.times import iso
from core.verdicts import VerdictKind
from storage import labels, queries
from storage.alert_labels import Labelled, labels_of
from storage.labels import Places
from storage.queries import AlertFilter, AlertRow, TransitionRow

router = APIRouter(tags=["Alerts"])

NOTICES = 100  # of one alert that are shown with it

_EVIDENCE = {
    "level": 25.0,
    "clear": 15.0,
    "side": "above",
    "since": "2026-11-22T00:50:00Z",
    "seconds": 300.0,
    "measured_at": "2026-11-22T00:55:00Z",
}
_ESCALATION = {
    "level": 1,
    "name": "officer-on-duty",
    "next": "head-of-environment",
    "next_at": "2026-11-22T01:55:00Z",
}
_LABEL = {
    "label": "sensor",
    "by": "Somchai",
    "at": "2026-11-23T01:00:00Z",
    "note": "weed on the lens",
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
    "marks": [],
    "acknowledged": None,
    "assigned_to": "Somchai",
    "shelved_until": None,
    "escalation": _ESCALATION,
    "muted_by": [{"kind": "silence", "id": "12"}],
    "verdict": VERDICT,
    "label": _LABEL,
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


class Acknowledged(Answer):
    """Who has seen it, and when."""

    model_config = example({"at": "2026-11-22T01:00:00Z", "by": "Somchai"})

    at: Time
    by: str


class LabelAnswer(Answer):
    """What an officer found it to have been."""

    model_config = example(_LABEL)

    label: Literal["true", "false", "sensor", "test"]
    by: str
    at: Time
    note: str


class EscalationAnswer(Answer):
    """How far nobody's acknowledging has brought it; null names where there is none."""

    model_config = example(_ESCALATION)

    level: int
    name: str | None = Field(description="Of the level that it has reached.")
    next: str | None = Field(description="Of the next level.")
    next_at: Time | None = Field(description="When that is reached, unless somebody acknowledges.")


class Alert(Answer):
    """One episode of one rule at one subject, from the first breach on."""

    model_config = example(_ALERT)

    id: str
    rule: str
    version: str = Field(description="Of the rule, when the episode began.")
    name: Names | None = Field(description="Of the rule; null when there is no such rule any more.")
    subject: str = Field(description="device/parameter.")
    device: str = Field(description="Empty where it is about none.")
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
    marks: list[str] = Field(description="flapping, folded, shadow, shelved, stale.")
    acknowledged: Acknowledged | None
    assigned_to: str | None
    shelved_until: Time | None
    escalation: EscalationAnswer
    muted_by: list[Muted] = Field(description="What holds it back now; empty when it is over.")
    verdict: VerdictAnswer | None = Field(
        description="Is it the place or the sensor? Null until it is judged."
    )
    label: LabelAnswer | None


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
    """An alert with its transitions (the last thousand at the most), its explanation, and what
    people were told of it.
    """

    model_config = example(
        _ALERT | {"transitions": [_TRANSITION], "explanation": EXPLANATION, "notices": [NOTICE]}
    )

    transitions: list[Transition]
    explanation: Explanation
    notices: list[NoticeSummary] = Field(description="What people were told of it, newest first.")


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
    verdict: VerdictKind | None = Field(None, description="Only those that are judged so.")
    folded: bool = Field(False, description="Also those that are folded into a storm.")
    shadow: bool = Field(False, description="Also those of rules on trial.")


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


def present(context: ApiContext, alert: str) -> Alert:
    """One alert as it stands.

    Raises:
        ApiError: there is none.
    """
    with queries.snapshot(context.readers) as connection:
        row = queries.alert(connection, alert)
        if row is None:
            raise _no_alert()
        (told,) = _told(context, connection, [row])
    return Alert(**told)


@router.get("/alerts/{alert}")
def get_alert(context: Context, alert: Id) -> AlertStory:
    """One alert, everything that happened to it, and why it is there."""
    with queries.snapshot(context.readers) as connection:
        row = queries.alert(connection, alert)
        changes = queries.transitions(connection, alert, limit=MOST)
        if row is None:
            raise _no_alert()
        (told,) = _told(context, connection, [row])
        why = explanation(context, connection, row)
        said = notices_of(connection, alert, NOTICES)
    made = [_transition(change) for change in changes]
    return AlertStory(**told, transitions=made, explanation=why, notices=said)


def chosen_alerts(asked: AskedAlertChoice) -> AlertFilter:
    """What is asked for, as the ledger takes it."""
    return AlertFilter(
        state=asked.state,
        site=asked.site,
        rule=asked.rule,
        severity=None if asked.severity is None else Severity[asked.severity.upper()],
        since=asked.since,
        verdict=asked.verdict,
        hidden=tuple(
            mark
            for mark, shown in ((Mark.FOLDED, asked.folded), (Mark.SHADOW, asked.shadow))
            if not shown
        ),
    )


def _told(
    context: ApiContext, connection: Connection, rows: Sequence[AlertRow]
) -> list[dict[str, Any]]:
    """Alerts as they are shown, with what holds them back now."""
    places = labels.places(connection)
    standing = context.standing(connection, context.clock(), places)
    labelled = labels_of(connection, [row.id for row in rows])
    return [
        _alert(context, row, places, standing) | {"label": _label(labelled.get(row.id))}
        for row in rows
    ]


def _label(found: Labelled | None) -> LabelAnswer | None:
    if found is None:
        return None
    return LabelAnswer(label=found.label.value, by=found.by, at=iso(found.at), note=found.note)


def _alert(
    context: ApiContext, row: AlertRow, places: Places, standing: Standing
) -> dict[str, Any]:
    device, parameter = device_and_parameter(row.subject)
    rule = context.rules().get(row.rule)
    over = row.state == State.RESOLVED
    about = places.labels(row.id, row, row.verdict.kind if row.verdict else "")
    held = () if over else mutes(about, standing)
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
        "marks": list(row.marks),
        "acknowledged": _acknowledged(row),
        "assigned_to": row.assigned_to,
        "shelved_until": _iso(row.shelved_until),
        "escalation": _escalation(context, row, about.kind),
        "verdict": answer(row.verdict),
        "muted_by": [Muted(kind=mute.kind.value, id=mute.id) for mute in held],
    }


def _acknowledged(row: AlertRow) -> Acknowledged | None:
    if row.acknowledged_at is None or row.acknowledged_by is None:
        return None
    return Acknowledged(at=iso(row.acknowledged_at), by=row.acknowledged_by)


def _escalation(context: ApiContext, row: AlertRow, kind: str) -> EscalationAnswer:
    ladder = ladder_of(context.ladders, row.severity, kind)
    names = [level.name for level in ladder.levels] if ladder else []
    reached, coming = names[: row.escalation], names[row.escalation :]
    due = row.escalates_at
    return EscalationAnswer(
        level=row.escalation,
        name=reached[-1] if reached else None,
        next=coming[0] if coming and due is not None else None,
        next_at=_iso(due),
    )


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


def _no_alert() -> ApiError:
    return ApiError("not-found", "There is no alert with this id; /v1/alerts lists them.")


def _iso(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)
