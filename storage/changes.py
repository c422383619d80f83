"""Parts of transactions that several changes of the ledger share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, insert, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from core.annotations import Review
from storage import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a further try made of the quarantine's entries about one message.

    `resolved` are the entries that are done with, `kept` those that wait on: entry → items and
    detail. `steps` are the counters that go up beside those of the batch. `edited` is the payload
    that was taken in place of what had come.
    """

    resolved: Sequence[int] = ()
    kept: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    by: str
    note: str = ""
    edited: bytes | None = None


def resolve(connection: Connection, change: Resolution, at: int) -> None:
    """Write it to the entries, the counters and the audit."""
    table = schema.quarantine
    resolution = "stored" if change.edited is None else "edited"
    done = {
        "resolved_at": at,
        "resolution": resolution,
        "resolved_by": change.by,
        "note": change.note,
        "edited": change.edited,
    }
    connection.execute(update(table).where(table.c.id.in_(change.resolved)).values(done))
    for entry, (items, detail) in change.kept.items():
        now = {"items": items, "detail": detail}
        connection.execute(update(table).where(table.c.id == entry).values(now))
    step_counters(connection, change.steps)
    for entry in change.resolved:
        note(connection, at, change.by, f"quarantine-{resolution}", str(entry), change.note)


def advance_review(connection: Connection, review: Review, at: int) -> None:
    """Keep how far a review has come."""
    changes = [[before, after, count] for (before, after), count in review.changes.items()]
    now: dict[str, Any] = {
        "through": review.through,
        "readings": review.readings,
        "changes": json.dumps(changes),
    }
    if review.finished:
        now["finished_at"] = at
    connection.execute(update(schema.reviews).where(schema.reviews.c.id == review.id).values(now))


def step_counters(connection: Connection, steps: Mapping[str, int]) -> None:
    """Count on."""
    rows = [{"name": name, "value": step} for name, step in steps.items() if step]
    if rows:
        connection.execute(_step(), rows)


@cache
def _step() -> Insert:
    made = upsert(schema.counters)
    more = {"value": schema.counters.c.value + made.excluded.value}
    return made.on_conflict_do_update(index_elements=["name"], set_=more)


@cache
def putting(table: Table) -> Insert:
    """Makes a row, or puts it in the place of the one with the same key."""
    made, key = upsert(table), [column.name for column in table.primary_key]
    now = {c.name: made.excluded[c.name] for c in table.c if c.name not in key}
    return made.on_conflict_do_update(index_elements=key, set_=now)


def note(
    connection: Connection, at: int, key: str, action: str, subject: str, detail: str = ""
) -> None:
    """A line of the audit: the key `key` did `action` to `subject`."""
    row = {"at": at, "key": key, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(schema.audit), row)
