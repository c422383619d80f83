"""What could not be told at its time is told in one message: after an outage, or a quiet night.

All that waits for a recipient by one channel becomes one notice that names every alert as it stood
last; what tells of no alert is left alone. The functions run within a transaction of the ledger's
writer.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from core.groups import Planned, PlannedNotice, PlannedParcel
from core.notices import Channel, Notice, NoticeReason, Recipient, Told
from storage.chunks import chunks
from storage.notices import keep, notice_of
from storage.notify_schema import LEASED, WAITING, deliveries, notices, parcels

_P, _D, _N = parcels.c, deliveries.c, notices.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What was due before `older_than` (µs) is told in a digest, and what was first tried before
    `tried_before`, whose id the server may have forgotten.
    """

    older_than: int
    tried_before: int


def collapse(connection: Connection, channel: Channel, at: int, bounds: Bounds) -> int:
    """Put together what waits too long, or was put off until now; how many digests that makes."""
    made: dict[tuple[str, ...], tuple[str, list[tuple[Recipient, int]]]] = {}
    for address in _overdue(connection, channel, at, bounds):
        rows = _waiting(connection, channel, address, at)
        same = tuple(dict.fromkeys(row.notice for row in rows))
        first = rows[0]
        recipient = Recipient(first.address, first.language, first.subscriber)
        digest, recipients = made.setdefault(same, (str(uuid4()), []))
        recipients.append((recipient, min(row.planned_for for row in rows)))
        _replace(connection, [row.id for row in rows], {row.parcel for row in rows}, digest)
    planned = [
        _digest(connection, channel, identifier, same, recipients, at)
        for same, (identifier, recipients) in made.items()
    ]
    if planned:
        keep(connection, Planned(notices=planned))
    return len(planned)


def _overdue(connection: Connection, channel: Channel, at: int, bounds: Bounds) -> Sequence[str]:
    """The addresses for which that is to be done; none to which something is under way."""
    aged = or_(_D.planned_for < bounds.older_than, _D.deferred)
    due = _due(channel, at)
    old = _P.first_tried_at < bounds.tried_before
    late = select(_D.address).join(parcels, _P.id == _D.parcel).where(due, or_(aged, old))
    many = or_(
        func.count() > 1,
        func.min(_P.first_tried_at) < bounds.tried_before,
        and_(
            func.max(_N.reason) != NoticeReason.DIGEST.value,
            func.min(_D.planned_for) < bounds.older_than,
        ),
    )
    statement = (
        select(_D.address)
        .join_from(deliveries, parcels, _P.id == _D.parcel)
        .join(notices, _N.id == _P.notice)
        .where(due, _D.address.in_(late), _N.alerts > 0)
        .group_by(_D.address)
        .having(many, func.sum(case((_P.state == LEASED, 1), else_=0)) == 0)
    )
    return connection.execute(statement).scalars().all()


def _waiting(connection: Connection, channel: Channel, address: str, at: int) -> Sequence[Any]:
    statement = (
        select(deliveries, _P.notice)
        .join_from(deliveries, parcels, _P.id == _D.parcel)
        .join(notices, _N.id == _P.notice)
        .where(_due(channel, at), _D.address == address, _N.alerts > 0)
        .order_by(_D.position)
    )
    return connection.execute(statement).all()


def _due(channel: Channel, at: int) -> ColumnElement[bool]:
    return and_(_D.channel == channel.value, _D.state == WAITING, _D.planned_for <= at)


def _replace(
    connection: Connection, some: Sequence[str], of_parcels: set[str], digest: str
) -> None:
    now = {"state": "replaced", "words": f"told in the digest {digest}"}
    for chunk in chunks(some):
        connection.execute(update(deliveries).where(_D.id.in_(chunk)).values(now))
    for parcel in sorted(of_parcels):
        left = select(_D.id).where(_D.parcel == parcel, _D.state == WAITING).exists()
        connection.execute(update(parcels).where(_P.id == parcel, ~left).values(now))


def _digest(
    connection: Connection,
    channel: Channel,
    identifier: str,
    told_by: Sequence[str],
    recipients: Sequence[tuple[Recipient, int]],
    at: int,
) -> PlannedNotice:
    """One notice that names all alerts of these notices, as they stood last."""
    alerts: dict[str, Told] = {}
    receiver, news_at = "", at
    for earlier in told_by:
        row = connection.execute(select(notices).where(_N.id == earlier)).one()
        receiver, news_at = receiver or row.receiver, min(news_at, row.news_at)
        alerts |= {told.alert: told for told in notice_of(row.body).alerts}
    notice = Notice(
        id=identifier,
        reason=NoticeReason.DIGEST,
        receiver=receiver,
        group=f"digest/{receiver}",
        labels={},
        made_at=at,
        alerts=tuple(sorted(alerts.values(), key=_worst_first)),
        token=secrets.token_urlsafe(16),
    )
    packed = [_parcel(channel, recipient, since) for recipient, since in recipients]
    return PlannedNotice(notice=notice, news_at=news_at, free_at=0, parcels=packed)


def _parcel(channel: Channel, recipient: Recipient, since: int) -> PlannedParcel:
    identifier = str(uuid4())
    return PlannedParcel(
        id=identifier,
        channel=channel,
        language=recipient.language,
        at=since,  # of the oldest, so that what comes until it is sent is taken in as well
        deliveries=[(identifier, recipient)],
    )


def _worst_first(told: Told) -> tuple[bool, int, int, str]:
    return told.state != "firing", -told.severity, told.at, told.alert
