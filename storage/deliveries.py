"""What went out, to whom, and what came of it: for whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select

from core.alerts import Severity
from core.notices import Channel, Notice, NoticeReason
from storage.notices import notice_of
from storage.notify_schema import WAITING, deliveries, notice_alerts, notices, parcels

_N, _A, _P, _D = notices.c, notice_alerts.c, parcels.c, deliveries.c


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice without its alerts."""

    id: str
    made_at: int
    reason: NoticeReason
    receiver: str
    severity: Severity
    alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One message to one recipient; `due_at` is when it is tried next, `news_at` when what it tells
    was recorded.
    """

    id: str
    position: int
    parcel: str
    notice: str
    reason: NoticeReason
    severity: Severity
    alerts: int
    channel: Channel
    address: str
    language: str
    subscriber: str
    state: str
    attempts: int
    made_at: int
    news_at: int
    planned_for: int
    due_at: int
    settled_at: int | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; what is None is not asked for."""

    alert: str | None = None
    channel: str | None = None
    state: str | None = None
    subscriber: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many deliveries wait that are due, and since when the oldest of them, µs."""

    count: int
    since: int | None


def list_notices(
    connection: Connection, *, alert: str | None, before: tuple[int, str] | None, limit: int
) -> list[NoticeRow]:
    """Notices, the newest first; those about an alert only, where one is named."""
    columns = (_N.id, _N.made_at, _N.reason, _N.receiver, _N.severity, _N.alerts)
    statement = select(*columns).order_by(_N.made_at.desc(), _N.id.desc()).limit(limit)
    if alert is not None:
        statement = statement.join(notice_alerts, _A.notice == _N.id).where(_A.alert == alert)
    if before is not None:
        at, identifier = before
        later = and_(_N.made_at == at, _N.id < identifier)
        statement = statement.where((_N.made_at < at) | later)
    return [_notice_row(row) for row in connection.execute(statement)]


def notice(
    connection: Connection, *, identifier: str | None = None, token: str | None = None
) -> Notice | None:
    """One notice whole, by its id or by the token of its page."""
    mine = _N.id == identifier if token is None else _N.token == token
    body = connection.execute(select(_N.body).where(mine)).scalar()
    return None if body is None else notice_of(body)


def list_deliveries(
    connection: Connection,
    wanted: DeliveryFilter,
    *,
    before: tuple[int, str] | None = None,
    limit: int | None,
) -> list[DeliveryRow]:
    """Deliveries, the newest first; without a limit all of them."""
    asked = {
        _D.channel: wanted.channel,
        _D.state: wanted.state,
        _D.subscriber: wanted.subscriber,
        _P.notice: wanted.notice,
    }
    chosen = [column == value for column, value in asked.items() if value is not None]
    if wanted.alert is not None:
        chosen.append(_P.notice.in_(select(_A.notice).where(_A.alert == wanted.alert)))
    if before is not None:
        at, identifier = before
        chosen.append((_D.position < at) | and_(_D.position == at, _D.id < identifier))
    statement = _whole().where(*chosen).order_by(_D.position.desc(), _D.id.desc()).limit(limit)
    return [_delivery_row(row) for row in connection.execute(statement)]


def delivery(connection: Connection, identifier: str) -> DeliveryRow | None:
    """One delivery."""
    row = connection.execute(_whole().where(_D.id == identifier)).one_or_none()
    return None if row is None else _delivery_row(row)


def waiting(connection: Connection, at: int) -> Mapping[Channel, Waiting]:
    """What should be gone by `at`, µs, of each channel."""
    statement = (
        select(_D.channel, func.count().label("count"), func.min(_D.planned_for).label("since"))
        .where(_D.state == WAITING, _D.planned_for <= at)
        .group_by(_D.channel)
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    return {Channel(row.channel): Waiting(row.count, row.since) for row in rows}


def _whole() -> Any:
    columns = (_N.reason, _N.severity, _N.alerts, _N.made_at, _N.news_at, _P.words.label("tried"))
    return (
        select(deliveries, *columns, _P.notice, _P.attempts, _P.due_at)
        .join_from(deliveries, parcels, _P.id == _D.parcel)
        .join(notices, _N.id == _P.notice)
    )


def _notice_row(row: Any) -> NoticeRow:
    return NoticeRow(
        id=row.id,
        made_at=row.made_at,
        reason=NoticeReason(row.reason),
        receiver=row.receiver,
        severity=Severity(row.severity),
        alerts=row.alerts,
    )


def _delivery_row(row: Any) -> DeliveryRow:
    fields = {name: row._mapping[name] for name in DeliveryRow.__slots__}
    return DeliveryRow(
        **fields
        | {
            "reason": NoticeReason(row.reason),
            "severity": Severity(row.severity),
            "channel": Channel(row.channel),
            "words": row.words or row.tried,
        }
    )
