"""Silences as the ledger keeps them; what they held back is in `storage.held_back`."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from core.muting import Silence
from core.times import HOUR
from storage import schema
from storage.changes import note
from storage.ledger import Ledger

LONGEST_NOTICE = HOUR  # the end of a silence is announced so long before it, or at its half
ANDAMAN = "andaman"  # what the audit calls changes that nobody makes
_S = schema.silences.c
_HALF = (_S.ends_at + _S.starts_at) // 2
_DUE = case(
    (_S.warned_at.is_(None), func.max(_S.ends_at - LONGEST_NOTICE, _HALF)), else_=_S.ends_at
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRow:
    """A silence and what came of it: `ended_by` is the key that ended it early."""

    silence: Silence
    warned_at: int | None
    ended_at: int | None
    ended_by: str | None


def silences_in_force(connection: Connection, at: int) -> list[Silence]:
    """Those that mute at `at`, µs."""
    statement = select(schema.silences).where(_S.starts_at <= at, _S.ends_at > at)
    return [_silence(row) for row in connection.execute(statement)]


def silences(
    connection: Connection, state: str | None, at: int, *, before: int | None, limit: int
) -> list[SilenceRow]:
    """Silences, the newest first: active, pending, expired or all as of `at`, None for those that
    are not over; `before` is the id of the last one seen.
    """
    going_on, begun = _S.ends_at > at, _S.starts_at <= at
    states = {None: [going_on], "active": [begun, going_on], "pending": [~begun, going_on]}
    wanted = [*({"expired": [~going_on], "all": []} | states)[state]]
    if before is not None:
        wanted.append(_S.id < before)
    statement = select(schema.silences).where(*wanted).order_by(_S.id.desc()).limit(limit)
    return [_silence_row(row) for row in connection.execute(statement)]


def silence(connection: Connection, identifier: int) -> SilenceRow | None:
    """One silence."""
    row = connection.execute(select(schema.silences).where(_S.id == identifier)).one_or_none()
    return None if row is None else _silence_row(row)


def add_silence(ledger: Ledger, silence: Silence) -> int:
    """Keep a new silence, whatever id it has; the id that it got."""
    row = {
        "matchers": json.dumps(silence.matchers),
        "reason": silence.reason,
        "by": silence.by,
        "made_by": silence.made_by,
        "made_at": silence.made_at,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
    }
    with ledger.transaction() as connection:
        made = connection.execute(insert(schema.silences).values(row).returning(_S.id))
        identifier = int(made.scalar_one())
        at, by = silence.made_at, silence.made_by
        note(connection, at, by, "silence-made", str(identifier), silence.reason)
        return identifier


def expire_silence(ledger: Ledger, identifier: int, words: str, *, by: str, at: int) -> bool:
    """End a silence now, also one that has not begun; False when there is none in force."""
    going_on = (_S.id == identifier, _S.ends_at > at)
    begun = func.min(_S.starts_at, at)  # it cannot end before it began
    now = {"starts_at": begun, "ends_at": at, "ended_at": at, "ended_by": by}
    with ledger.transaction() as connection:
        statement = update(schema.silences).where(*going_on).values(now)
        ended = connection.execute(statement).rowcount == 1
        if ended:
            note(connection, at, by, "silence-expired", str(identifier), words)
        return ended


def announce_ends(ledger: Ledger, at: int) -> int | None:
    """Tell in the audit of silences that are about to end, and of those that have ended, each
    once; when there is more to tell, µs.
    """
    with ledger.transaction() as connection:
        due = select(schema.silences).where(_S.ended_at.is_(None), at >= _DUE)
        for row in connection.execute(due).all():
            over = row.ends_at <= at
            action, mark = ("ended", "ended_at") if over else ("ending", "warned_at")
            change = update(schema.silences).where(_S.id == row.id).values({mark: at})
            connection.execute(change)
            note(connection, at, ANDAMAN, f"silence-{action}", str(row.id), row.reason)
        following = select(func.min(_DUE)).where(_S.ended_at.is_(None))
        return connection.execute(following).scalar()


def _silence(row: Any) -> Silence:
    return Silence(
        id=str(row.id),
        matchers=tuple(json.loads(row.matchers)),
        reason=row.reason,
        by=row.by,
        made_by=row.made_by,
        made_at=row.made_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def _silence_row(row: Any) -> SilenceRow:
    return SilenceRow(
        silence=_silence(row),
        warned_at=row.warned_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
