"""Notices, and the parcels and deliveries in which they go out: how they are planned."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select

from core.alerts import Severity, State
from core.groups import Planned, PlannedNotice, PlannedParcel
from core.notices import Channel, Notice, NoticeReason, Recipient
from storage import schema
from storage.chunks import chunks
from storage.notify_groups import keep_groups
from storage.notify_schema import (
    LEASED,
    WAITING,
    deliveries,
    notice_alerts,
    notices,
    parcels,
)

_N, _A, _P, _D = notices.c, notice_alerts.c, parcels.c, deliveries.c
_NOTICE = msgspec.json.Decoder(Notice)

Heard = Mapping[str, Mapping[tuple[Channel, Recipient], int]]
"""By alert, to whom it was told that it fires, and the moment from which that is due, µs."""


def keep(connection: Connection, planned: Planned) -> None:
    """Keep what is planned, within the transaction of what it is about."""
    if planned.groups or planned.members:
        keep_groups(connection, planned)
    for notice in planned.notices:
        _keep_notice(connection, notice)


def free_at(connection: Connection, receivers: Collection[str]) -> dict[str, int]:
    """From when on each of these receivers may be told more, µs."""
    statement = (
        select(_N.receiver, func.max(_N.free_at).label("free_at"))
        .where(_N.receiver.in_(receivers))
        .group_by(_N.receiver)
    )
    return {row.receiver: row.free_at for row in connection.execute(statement)}


def forget(connection: Connection, older_than: int, *, most: int = 100) -> int:
    """Forget so many notices that were made before then, µs, and who got them; how many there were.
    What is still to be sent stays.
    """
    waits = exists().where(_P.notice == _N.id, _P.state.in_((WAITING, LEASED)))
    old = select(_N.id).where(_N.made_at < older_than, ~waits).limit(most)
    gone = connection.execute(old).scalars().all()
    if gone:
        theirs = select(_P.id).where(_P.notice.in_(gone))
        connection.execute(delete(deliveries).where(_D.parcel.in_(theirs)))
        connection.execute(delete(parcels).where(_P.notice.in_(gone)))
        connection.execute(delete(notice_alerts).where(_A.notice.in_(gone)))
        connection.execute(delete(notices).where(_N.id.in_(gone)))
    return len(gone)


def last_made(connection: Connection, reason: NoticeReason) -> int | None:
    """When the last notice of that reason was made, µs; None when there was none."""
    statement = select(func.max(_N.made_at)).where(_N.reason == reason.value)
    return connection.execute(statement).scalar()


def heard(connection: Connection, receiver: str, alerts: Collection[str]) -> Heard:
    """Who was told, or will be, of each of these alerts that it fires, by this receiver."""
    notices_of: dict[str, list[str]] = {}
    for chunk in chunks(alerts):
        statement = (
            select(_A.alert, _A.notice)
            .join_from(notice_alerts, notices, _N.id == _A.notice)
            .where(_A.alert.in_(chunk), _A.state == State.FIRING.value, _N.receiver == receiver)
        )
        for row in connection.execute(statement):
            notices_of.setdefault(row.alert, []).append(row.notice)
    reached = _reached(connection, {n for found in notices_of.values() for n in found})
    return {
        alert: {who: at for notice in found for who, at in reached.get(notice, {}).items()}
        for alert, found in notices_of.items()
    }


def told_to_fire(
    connection: Connection, channel: Channel, site: str, rule: str
) -> dict[str, Severity]:
    """The alerts of a rule at a site that fire now, and of which that was told by this channel."""
    alerts = schema.alerts.c
    told = (
        select(_A.alert)
        .join_from(notice_alerts, parcels, _P.notice == _A.notice)
        .where(
            _A.alert == alerts.id,
            _A.state == State.FIRING.value,
            _P.channel == channel.value,
            _P.state == "sent",
        )
    )
    statement = select(alerts.id, alerts.severity).where(
        alerts.site == site,
        alerts.state == State.FIRING.value,
        alerts.rule == rule,
        told.exists(),
    )
    return {row.id: Severity(row.severity) for row in connection.execute(statement)}


def _reached(
    connection: Connection, wanted: Collection[str]
) -> dict[str, dict[tuple[Channel, Recipient], int]]:
    """To whom each of these notices goes, but where it is certain that it did not arrive, and to
    people of whom nothing is kept any more.
    """
    found: dict[str, dict[tuple[Channel, Recipient], int]] = {}
    for chunk in chunks(wanted):
        statement = (
            select(_P.notice, _D.channel, _D.address, _D.language, _D.subscriber, _D.planned_for)
            .join_from(deliveries, parcels, _P.id == _D.parcel)
            .where(_P.notice.in_(chunk), _D.state != "dead", _D.address != "")
        )
        for row in connection.execute(statement):
            who = Channel(row.channel), Recipient(row.address, row.language, row.subscriber)
            found.setdefault(row.notice, {})[who] = row.planned_for
    return found


def _keep_notice(connection: Connection, planned: PlannedNotice) -> None:
    notice = planned.notice
    row = {
        "id": notice.id,
        "made_at": notice.made_at,
        "reason": notice.reason.value,
        "receiver": notice.receiver,
        "severity": int(notice.severity),
        "alerts": len(notice.alerts),
        "token": notice.token,
        "news_at": planned.news_at,
        "free_at": planned.free_at,
        "body": msgspec.json.encode(notice),
    }
    connection.execute(insert(notices), row)
    about = [(told.alert, notice.id, told.state.value) for told in notice.alerts]
    if about:
        driver: Any = connection.connection.driver_connection
        driver.executemany(_ABOUT, about).close()
    add_parcels(connection, notice.id, notice.made_at, planned.parcels)


def add_parcels(
    connection: Connection, notice: str, made_at: int, planned: Iterable[PlannedParcel]
) -> None:
    """Keep parcels of a notice that was made at `made_at`."""
    for parcel in planned:
        row = {
            "id": parcel.id,
            "notice": notice,
            "channel": parcel.channel.value,
            "language": parcel.language,
            "state": "waiting",
            "planned_for": parcel.at,
            "due_at": parcel.at,
        }
        position = connection.execute(insert(parcels).returning(_P.position), row).scalar_one()
        connection.execute(
            insert(deliveries),
            [
                {
                    "id": identifier,
                    "parcel": parcel.id,
                    "position": position,
                    "channel": parcel.channel.value,
                    "address": recipient.address,
                    "language": recipient.language,
                    "subscriber": recipient.subscriber,
                    "state": "waiting",
                    "planned_for": parcel.at,
                    "deferred": parcel.at > made_at,
                }
                for identifier, recipient in parcel.deliveries
            ],
        )


_ABOUT = "INSERT OR IGNORE INTO notice_alerts (alert, notice, state) VALUES (?, ?, ?)"


def notice_of(body: bytes) -> Notice:
    """A notice as it was kept."""
    return _NOTICE.decode(body)
