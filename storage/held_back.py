"""Which transitions were held back, and by what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from core.alerts import Severity, State
from core.muting import Mute, MuteKind
from storage import schema

_H = schema.held_back.c


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """One transition that was held back."""

    alert: str
    rule: str
    subject: str
    site: str
    after: State
    severity: Severity
    reason: str
    at: int
    recorded_at: int


def held_back(connection: Connection, mute: Mute, *, limit: int) -> list[HeldBack]:
    """What was held back by it, the newest first."""
    t = schema.transitions.c
    columns = (t.alert, t.rule, t.subject, t.site, t.after, t.severity, t.reason, t.at)
    statement = (
        select(*columns, t.recorded_at)
        .join_from(schema.held_back, schema.transitions, t.id == _H.transition)
        .where(_H.kind == mute.kind, _H.id == mute.id)
        .order_by(_H.transition.desc())
        .limit(limit)
    )
    return [_held_back(row) for row in connection.execute(statement)]


def counts(connection: Connection, kind: MuteKind) -> Mapping[str, int]:
    """How many transitions each silence, window or inhibitor held back."""
    statement = select(_H.id, func.count().label("held")).where(_H.kind == kind).group_by(_H.id)
    return {row.id: row.held for row in connection.execute(statement)}


def keep_held_back(
    connection: Connection, transitions: Sequence[int], mutes: Sequence[Iterable[Mute]]
) -> None:
    """Note what holds each of these transitions back; no mutes at all where none were asked for."""
    rows = [
        {"transition": transition, "kind": mute.kind.value, "id": mute.id}
        for transition, held in zip(transitions, mutes, strict=False)
        for mute in held
    ]
    if rows:
        connection.execute(insert(schema.held_back), rows)


def _held_back(row: Any) -> HeldBack:
    fields = dict(row._mapping)
    return HeldBack(**fields | {"after": State(row.after), "severity": Severity(row.severity)})
