"""Transitions as rows, the alerts that they change, and what officers did."""

import json
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, insert, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from core.alerts import Action, ActionKind, Reason, State, Transition
from storage import schema
from storage.changes import note

# What officers do, or leave undone, and what is thought of it, says nothing new of the place: value
# and evidence stay.
_OF_OFFICERS = frozenset(
    (
        Reason.ACKNOWLEDGED,
        Reason.ASSIGNED,
        Reason.BY_HAND,
        Reason.COMMENTED,
        Reason.ESCALATED,
        Reason.JUDGED,
        Reason.REOPENED,
        Reason.SHELVED,
        Reason.UNSHELVED,
    )
)

# The value that is known is neither better nor worse: what verdicts made of the severity stays.
_STEADY = frozenset((Reason.DATA_BACK, Reason.DATA_STOPPED, Reason.FLAPPING))

_MADE = insert(schema.transitions).returning(schema.transitions.c.id)


def record(connection: Connection, transition: Transition, recorded_at: int) -> int:
    """Write the transition's row, whose id is given, and the alert as it now stands."""
    evidence = json.dumps(dict(transition.evidence), ensure_ascii=False)
    common = {
        "rule": transition.rule,
        "version": transition.version,
        "subject": transition.subject,
        "site": transition.site,
        "severity": int(transition.severity),
        "value": transition.value,
        "evidence": evidence,
        "marks": " ".join(transition.marks),
    }
    row = common | {
        "alert": transition.alert,
        "before": transition.before,
        "after": transition.after.value,
        "reason": transition.reason.value,
        "at": transition.at,
        "recorded_at": recorded_at,
    }
    identifier = int(connection.execute(_MADE, row).scalar_one())
    now = _alert(transition, evidence)
    first = common | {"id": transition.alert, "started_at": transition.at} | now
    connection.execute(_standing(tuple(now)), first)
    return identifier


@lru_cache(maxsize=64)
def _standing(changed: tuple[str, ...]) -> Insert:
    """Makes an alert, or changes these columns of it; built once, as a storm brings thousands."""
    made = upsert(schema.alerts)
    now = {column: made.excluded[column] for column in changed}
    return made.on_conflict_do_update(index_elements=["id"], set_=now)


def _alert(transition: Transition, evidence: str) -> dict[str, Any]:
    """What the transition changes of its alert."""
    before, after = transition.before, transition.after
    now: dict[str, Any] = {
        "state": after.value,
        "changed_at": transition.at,
        "marks": " ".join(transition.marks),
    }
    if after is State.RESOLVED:
        now |= {"resolved_at": transition.at, "shelved_until": None, "judge_at": None}
    elif transition.reason is Reason.CONFIRMED:
        now["severity"] = int(transition.severity)
    elif transition.reason not in _OF_OFFICERS:
        now |= {"value": transition.value, "evidence": evidence}
        if transition.reason not in _STEADY:
            now["severity"] = int(transition.severity)
    if before is State.RESOLVED and after is not State.RESOLVED:
        now |= {"resolved_at": None, "acknowledged_at": None, "acknowledged_by": None}
    if after is State.FIRING and before not in {State.FIRING, State.RESOLVED}:
        now["fired_at"] = transition.at
    if transition.reason is Reason.UNSHELVED:
        now["shelved_until"] = None
    return now


def keep_action(connection: Connection, action: Action, at: int) -> None:
    """What an officer did at `at`, and what the alert shows of it."""
    row = {
        "at": at,
        "kind": action.kind.value,
        "alert": action.alert,
        "by": action.by,
        "note": action.note,
        "until": action.until,
        "to": action.to,
    }
    connection.execute(insert(schema.actions), row)
    note(connection, at, action.key, f"alert-{action.kind}", action.alert, action.note)
    shown: dict[ActionKind, dict[str, Any]] = {
        ActionKind.ACKNOWLEDGE: {"acknowledged_at": at, "acknowledged_by": action.by},
        ActionKind.ASSIGN: {"assigned_to": action.to},
        ActionKind.SHELVE: {"shelved_until": action.until},
    }
    if action.kind in shown:
        statement = update(schema.alerts).where(schema.alerts.c.id == action.alert)
        connection.execute(statement.values(shown[action.kind]))
