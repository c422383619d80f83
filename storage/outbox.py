"""Parcels on their way: claimed by one sender at a time, sent, and what came of it.

A parcel waits while an earlier one that is due goes to one of its recipients by the same channel,
so whoever is told of an alert's end was told of its beginning before. All functions run within a
transaction of the ledger's writer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, or_, select, update

from core.alerts import State
from core.notices import Channel, Notice, Parcel, Recipient, Sent
from core.times import MINUTE
from storage.changes import step_counters
from storage.notices import notice_of
from storage.notify_schema import (
    DEAD,
    LEASED,
    WAITING,
    deliveries,
    notice_alerts,
    notices,
    parcels,
)

_P, _D, _N, _A = parcels.c, deliveries.c, notices.c, notice_alerts.c
OUTCOMES = ("sent", "dead", "dropped")
_EARLIER, _OWN = deliveries.alias("earlier"), deliveries.alias("own")


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
    """Take parcels that are due at `at`, µs, in the order of their planning.

    Of what is over, those who were never told that it fired are told nothing: their first message
    did not arrive.
    """
    found, read = list[Parcel](), dict[str, Notice]()
    while len(found) < most:
        free = select(_P.id).where(_ready(channel, at), ~_held_up(at))
        identifier = connection.execute(free.order_by(_P.position).limit(1)).scalar()
        if identifier is None:
            break
        missed = _missed(connection, identifier)
        if missed and _set_aside(connection, identifier, missed, at):
            continue
        taken = {
            "state": "leased",
            "leased_by": claim.sender,
            "lease_until": claim.until,
            "attempts": _P.attempts + 1,
            "first_tried_at": func.coalesce(_P.first_tried_at, at),
        }
        connection.execute(update(parcels).where(_P.id == identifier).values(taken))
        parcel = _parcel(connection, identifier, read)
        found.append(_without(parcel, next(iter(missed.values()), frozenset())))
    return found


def release_all(connection: Connection) -> int:
    """Give back what senders that are gone had claimed; how many parcels that are."""
    statement = update(parcels).where(_P.state == LEASED).values(state="waiting")
    return connection.execute(statement).rowcount


def bring_back(connection: Connection, at: int) -> None:
    """What was planned more than a minute after `at`, µs, by a clock that was set back since, is
    due as if it had been planned at `at`.
    """
    made = select(_N.made_at).where(_N.id == _P.notice).scalar_subquery()
    ahead = select(_N.id).where(_N.made_at > at + MINUTE)
    open_ = select(_P.id).where(_P.notice.in_(ahead), _P.state == WAITING)
    of_delivery = select(_N.made_at).join_from(parcels, notices, _N.id == _P.notice)
    planned = of_delivery.where(_P.id == _D.parcel).scalar_subquery()
    earlier = {"planned_for": _D.planned_for - planned + at}
    connection.execute(update(deliveries).where(_D.parcel.in_(open_)).values(earlier))
    earlier = {name: _P[name] - made + at for name in ("due_at", "planned_for")}
    connection.execute(update(parcels).where(_P.id.in_(open_)).values(earlier))
    connection.execute(update(notices).where(_N.made_at > at + MINUTE).values(made_at=at))


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
    mine = and_(_P.id == parcel.id, _P.state == LEASED, _P.leased_by == sender)
    now = {"state": "waiting", "due_at": due_at, "words": words}
    connection.execute(update(parcels).where(mine).values(now))


def _settle(connection: Connection, parcel: str, now: dict[str, object]) -> bool:
    open_ = _P.state.in_(("waiting", "leased"))
    mine = update(parcels).where(_P.id == parcel, open_).values(now).returning(_P.channel)
    channel = connection.execute(mine).scalar()
    if channel is None:
        return False
    shown = {name: now[name] for name in ("state", "settled_at", "words")}
    settled = update(deliveries).where(*_waiting_in(parcel)).values(shown)
    count = connection.execute(settled).rowcount
    step_counters(connection, {f"deliveries.{channel}.{now['state']}": count})
    return True


def split(connection: Connection, parcel: Parcel) -> None:
    """One of its recipients cannot be reached: two parcels in its place, each with half of them.
    Their ids are new, since the server took nothing of it.
    """
    rows = connection.execute(select(_D.id).where(*_waiting_in(parcel.id)).order_by(_D.id))
    ids = list(rows.scalars())
    half = len(ids) // 2
    for part in (ids[:half], ids[half:]):
        _repack(connection, parcel.id, part)
    connection.execute(update(parcels).where(_P.id == parcel.id).values(state="replaced"))


def retry(connection: Connection, delivery: str, at: int) -> bool:
    """Send what was given up once more, as a parcel of its own; False when it was not given up."""
    dead = (_D.id == delivery, _D.state == DEAD)
    parcel = connection.execute(select(_D.parcel).where(*dead)).scalar()
    if parcel is None:
        return False
    again = {"state": "waiting", "settled_at": None, "words": ""}
    new = _repack(connection, parcel, [delivery], due_at=at)
    now = again | {"position": select(_P.position).where(_P.id == new).scalar_subquery()}
    connection.execute(update(deliveries).where(_D.id == delivery).values(now))
    return True


def _repack(
    connection: Connection, parcel: str, some: Sequence[str], due_at: int | None = None
) -> str:
    """These deliveries of a parcel in a new one; its id. They keep their place in the order."""
    row = connection.execute(select(parcels).where(_P.id == parcel)).one()
    kept = ("notice", "channel", "language", "planned_for", "due_at")
    new: dict[str, object] = {name: row._mapping[name] for name in kept}
    new |= {"id": str(uuid4()), "state": "waiting"}
    if due_at is not None:
        new |= {"planned_for": due_at, "due_at": due_at}
    connection.execute(insert(parcels), new)
    connection.execute(update(deliveries).where(_D.id.in_(some)).values(parcel=new["id"]))
    return str(new["id"])


# --- who was never told that something fired ---

Missed = Mapping[str, frozenset[str]]
"""By address the alerts whose only messages did not arrive."""


def _missed(connection: Connection, parcel: str) -> Missed:
    """Of what a parcel says to be over, what its recipients never heard of."""
    own, over, told = deliveries.alias(), notice_alerts.alias(), notice_alerts.alias()
    earlier, carrier = deliveries.alias(), parcels.alias()
    statement = (
        select(earlier.c.address, told.c.alert, earlier.c.state)
        .select_from(own)
        .join(parcels, _P.id == own.c.parcel)
        .join(earlier, and_(earlier.c.channel == own.c.channel, earlier.c.address == own.c.address))
        .join(carrier, carrier.c.id == earlier.c.parcel)
        .join(told, told.c.notice == carrier.c.notice)
        .join(over, and_(over.c.alert == told.c.alert, over.c.notice == _P.notice))
        .where(own.c.parcel == parcel, own.c.state == WAITING)
        .where(over.c.state == State.RESOLVED.value, told.c.state == State.FIRING.value)
    )
    dead: dict[str, set[str]] = {}
    for address, alert, _ in connection.execute(statement.where(earlier.c.state == DEAD)):
        dead.setdefault(address, set()).add(alert)
    if dead:
        wanted = earlier.c.address.in_(dead), earlier.c.state != "dead"
        for address, alert, _ in connection.execute(statement.where(*wanted)):
            dead[address].discard(alert)
    return {address: frozenset(alerts) for address, alerts in dead.items() if alerts}


def _set_aside(connection: Connection, parcel: str, missed: Missed, at: int) -> bool:
    """Let a parcel be fit for all of its recipients; False when it is."""
    rows = connection.execute(select(_D.id, _D.address).where(*_waiting_in(parcel))).all()
    apart = [row.id for row in rows if row.address in missed]
    if len(rows) > 1:
        for delivery in apart:
            _repack(connection, parcel, [delivery])
        if len(apart) == len(rows):
            connection.execute(update(parcels).where(_P.id == parcel).values(state="replaced"))
        return True
    over = connection.execute(
        select(_A.alert).join(parcels, _P.notice == _A.notice).where(_P.id == parcel)
    )
    if set(over.scalars()) <= missed[rows[0].address]:
        words = "the message that it fired did not arrive"
        return _settle(connection, parcel, {"state": "dropped", "settled_at": at, "words": words})
    return False


def _without(parcel: Parcel, missed: frozenset[str]) -> Parcel:
    """The parcel without what its recipient never heard of."""
    if not missed:
        return parcel
    alerts = parcel.notice.alerts
    kept = tuple(t for t in alerts if t.alert not in missed or t.state is State.FIRING)
    return replace(parcel, notice=replace(parcel.notice, alerts=kept))


# --- rows ---


def _waiting_in(parcel: str) -> tuple[ColumnElement[bool], ...]:
    return _D.parcel == parcel, _D.state == WAITING


def _ready(channel: Channel, at: int) -> ColumnElement[bool]:
    due = and_(_P.state == WAITING, _P.due_at <= at)
    lapsed = and_(_P.state == LEASED, _P.lease_until <= at)
    open_ = _P.state.in_((WAITING, LEASED))  # the words of the index
    return and_(_P.channel == channel.value, open_, or_(due, lapsed))


def _held_up(at: int) -> ColumnElement[bool]:
    """An earlier parcel that should be gone by now is still to go to one of its recipients."""
    own, earlier = _OWN.c, _EARLIER.c
    return exists().where(
        own.parcel == _P.id,
        earlier.channel == own.channel,
        earlier.address == own.address,
        earlier.state == WAITING,
        earlier.position < own.position,
        earlier.planned_for <= at,
    )


def _parcel(connection: Connection, identifier: str, read: dict[str, Notice]) -> Parcel:
    """The parcel; its notice is one of those that were `read`, or is added: they can be large."""
    row = connection.execute(select(parcels).where(_P.id == identifier)).one()
    if row.notice not in read:
        body = connection.execute(select(_N.body).where(_N.id == row.notice)).scalar_one()
        read[row.notice] = notice_of(body)
    return Parcel(
        id=row.id,
        channel=Channel(row.channel),
        language=row.language,
        recipients=_recipients(connection, identifier),
        notice=read[row.notice],
        attempt=row.attempts,
        first_tried_at=row.first_tried_at,
    )


def _recipients(connection: Connection, parcel: str) -> tuple[Recipient, ...]:
    columns = (_D.address, _D.language, _D.subscriber)
    statement = select(*columns).where(*_waiting_in(parcel)).order_by(_D.id)
    return tuple(Recipient(*row) for row in connection.execute(statement))
