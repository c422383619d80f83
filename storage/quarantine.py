"""The quarantine as people work with it: find, read, discard, and forget what is old.

Entries about one message (same topic, moment and payload, one for each reason and device) belong
together: whoever tries one of them again tries the message.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from core.messages import Refusal
from storage import schema
from storage.changes import note, step_counters
from storage.ledger import Ledger

_Q = schema.quarantine.c
_LISTED = [c for c in schema.quarantine.columns if c.name not in {"payload", "edited"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry without its bytes; `size` is that of the message as it came."""

    id: int
    received_at: int
    gateway: str
    device: str | None
    topic: str
    reason: Refusal
    detail: str
    items: int
    size: int
    resolved_at: int | None
    resolution: str | None
    resolved_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Entry):
    """One entry with its bytes; a payload that was too large is kept in part."""

    payload: bytes
    edited: bytes | None

    @property
    def whole(self) -> bool:
        """Whether all of the payload was kept."""
        return len(self.payload) == self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries: None takes any; `since` and `until` bound `received_at`, µs.

    `state` is waiting, resolved or all.
    """

    reason: str | None = None
    gateway: str | None = None
    device: str | None = None
    since: int | None = None
    until: int | None = None
    state: str = "waiting"


def entries(
    connection: Connection, chosen: EntryFilter, *, before: int | None, limit: int
) -> list[Entry]:
    """Entries, the newest first; `before` is the id of the last one seen."""
    wanted = _wanted(chosen)
    if before is not None:
        wanted.append(_Q.id < before)
    statement = select(*_LISTED).where(*wanted).order_by(_Q.id.desc()).limit(limit)
    return [Entry(**_fields(row)) for row in connection.execute(statement)]


def waiting_after(
    connection: Connection, chosen: EntryFilter, *, after: int, limit: int
) -> list[int]:
    """The ids of entries in the order in which they came, after the id `after`."""
    statement = select(_Q.id).where(*_wanted(chosen), _Q.id > after).order_by(_Q.id).limit(limit)
    return list(connection.execute(statement).scalars())


def entry(connection: Connection, identifier: int) -> Held | None:
    """One entry."""
    statement = select(schema.quarantine).where(_Q.id == identifier)
    row = connection.execute(statement).one_or_none()
    return None if row is None else Held(**_fields(row))


def of_message(ledger: Ledger, identifier: int) -> list[Held]:
    """The entry, if it still waits, and all others that wait about the same message."""
    with ledger.transaction() as connection:
        asked = entry(connection, identifier)
        if asked is None or asked.resolved_at is not None:
            return []
        statement = (
            select(schema.quarantine)
            .where(
                _Q.received_at == asked.received_at,
                _Q.topic == asked.topic,
                _Q.resolved_at.is_(None),
            )
            .order_by(_Q.id)
        )
        found = [Held(**_fields(row)) for row in connection.execute(statement)]
        return [held for held in found if held.payload == asked.payload]


def discard(ledger: Ledger, identifier: int, words: str, *, by: str, at: int) -> bool:
    """Close an entry without storing anything of it; False when it does not wait.

    Its items stay counted as quarantined.
    """
    done = {"resolved_at": at, "resolution": "discarded", "resolved_by": by, "note": words}
    with ledger.transaction() as connection:
        statement = update(schema.quarantine).where(_Q.id == identifier, _Q.resolved_at.is_(None))
        closed = connection.execute(statement.values(done)).rowcount == 1
        if closed:
            note(connection, at, by, "quarantine-discarded", str(identifier), words)
        return closed


def forget(ledger: Ledger, *, older_than: int, most: int, step: int = 1000) -> int:
    """Delete up to `step` of the oldest entries: those that came before `older_than` (µs), and
    those beyond the newest `most`. How many went is given and counted; their items stay counted
    as what they were. The newest entry always stays, so that no id is ever given twice.
    """
    with ledger.transaction() as connection:
        newest = connection.execute(select(func.max(_Q.id))).scalar_one() or 0
        kept = select(_Q.id).order_by(_Q.id.desc()).offset(most).limit(1).scalar_subquery()
        old = or_(_Q.received_at < older_than, _Q.id <= func.coalesce(kept, 0))
        found = select(_Q.id).where(old, _Q.id < newest).order_by(_Q.id).limit(step)
        gone = connection.execute(delete(schema.quarantine).where(_Q.id.in_(found))).rowcount
        step_counters(connection, {"forgotten": gone})
        return gone


def _wanted(chosen: EntryFilter) -> list[ColumnElement[bool]]:
    equal = {_Q.reason: chosen.reason, _Q.gateway: chosen.gateway, _Q.device: chosen.device}
    wanted = [column == value for column, value in equal.items() if value is not None]
    if chosen.since is not None:
        wanted.append(_Q.received_at >= chosen.since)
    if chosen.until is not None:
        wanted.append(_Q.received_at < chosen.until)
    if chosen.state == "waiting":
        wanted.append(_Q.resolved_at.is_(None))
    elif chosen.state == "resolved":
        wanted.append(_Q.resolved_at.is_not(None))
    return wanted


def _fields(row: Any) -> dict[str, Any]:
    fields = dict(row._mapping)
    return fields | {"reason": Refusal(fields["reason"])}
