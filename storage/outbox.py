"""Parcels on their way: claimed by one sender at a time, sent, and what came of it.

A parcel waits while an earlier one that is due goes to one of its recipients by the same channel,
so whoever is told of an alert's end was told of its beginning before. All functions run within a
transaction of the ledger's writer.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from core.notices import Channel, Parcel, Recipient, Sent
from storage.notices import notice_of
from storage.notify_schema import deliveries, notices, parcels

_P, _D, _N = parcels.c, deliveries.c, notices.c
_EARLIER, _WAITING = deliveries.alias("earlier"), deliveries.alias("own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who sends: its name, and until when others leave the parcel to it, µs."""

    sender: str
    until: int


def anything_due(connection: Connection, channel: Channel, at: int) -> bool:
    """Whether a claim might find something; cheap, for any connection."""
    statement = select(_P.position).where(_ready(channel, at)).limit(1)
    return connection.execute(statement).first() is not None


def claim(
    connection: Connection, channel: Channel, claim: Claim, at: int, *, most: int
) -> list[Parcel]:
    """Take parcels that are due at `at`, µs, in the order of their planning."""
    found: list[Parcel] = []
    for _ in range(most):
        free = select(_P.id).where(_ready(channel, at), ~_held_up(at))
        parcel = connection.execute(free.order_by(_P.position).limit(1)).scalar()
        if parcel is None:
            break
        taken = {
            "state": "leased",
            "leased_by": claim.sender,
            "lease_until": claim.until,
            "attempts": _P.attempts + 1,
            "first_tried_at": func.coalesce(_P.first_tried_at, at),
        }
        connection.execute(update(parcels).where(_P.id == parcel).values(taken))
        found.append(_parcel(connection, parcel))
    return found


def release_all(connection: Connection) -> int:
    """Give back what senders that are gone had claimed; how many parcels that are."""
    statement = update(parcels).where(_P.state == "leased").values(state="waiting")
    return connection.execute(statement).rowcount


def record_sent(connection: Connection, parcel: Parcel, sent: Sent, at: int) -> bool:
    """The server took it; False when that was known already."""
    now = {"state": "sent", "settled_at": at, "reference": sent.reference, "words": ""}
    return _settle(connection, parcel.id, now)


def record_dead(connection: Connection, parcel: Parcel, words: str, at: int) -> bool:
    """It is given up, with the server's words; False when it was settled before."""
    return _settle(connection, parcel.id, {"state": "dead", "settled_at": at, "words": words})


def record_failed(
    connection: Connection, parcel: Parcel, sender: str, words: str, due_at: int
) -> None:
    """It is tried again at `due_at`, unless somebody else has it by now."""
    mine = and_(_P.id == parcel.id, _P.state == "leased", _P.leased_by == sender)
    now = {"state": "waiting", "due_at": due_at, "words": words}
    connection.execute(update(parcels).where(mine).values(now))


def _settle(connection: Connection, parcel: str, now: dict[str, object]) -> bool:
    open_ = _P.state.in_(("waiting", "leased"))
    done = connection.execute(update(parcels).where(_P.id == parcel, open_).values(now))
    if done.rowcount:
        shown = {name: now[name] for name in ("state", "settled_at", "words")}
        connection.execute(update(deliveries).where(_D.parcel == parcel).values(shown))
    return bool(done.rowcount)


def _ready(channel: Channel, at: int) -> ColumnElement[bool]:
    due = and_(_P.state == "waiting", _P.due_at <= at)
    lapsed = and_(_P.state == "leased", _P.lease_until <= at)
    return and_(_P.channel == channel.value, or_(due, lapsed))


def _held_up(at: int) -> ColumnElement[bool]:
    """An earlier parcel that should be gone by now is still to go to one of its recipients."""
    own, earlier = _WAITING.c, _EARLIER.c
    return exists().where(
        own.parcel == _P.id,
        earlier.channel == own.channel,
        earlier.address == own.address,
        earlier.state == "waiting",
        earlier.position < own.position,
        earlier.planned_for <= at,
    )


def _parcel(connection: Connection, identifier: str) -> Parcel:
    statement = (
        select(parcels, _N.body)
        .join_from(parcels, notices, _N.id == _P.notice)
        .where(_P.id == identifier)
    )
    row = connection.execute(statement).one()
    return Parcel(
        id=row.id,
        channel=Channel(row.channel),
        language=row.language,
        recipients=_recipients(connection, identifier),
        notice=notice_of(row.body),
        attempt=row.attempts,
        first_tried_at=row.first_tried_at,
    )


def _recipients(connection: Connection, parcel: str) -> tuple[Recipient, ...]:
    columns = (_D.address, _D.language, _D.subscriber)
    statement = select(*columns).where(_D.parcel == parcel).order_by(_D.id)
    return tuple(Recipient(*row) for row in connection.execute(statement))
