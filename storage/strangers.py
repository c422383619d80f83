"""Devices that nobody registered, as far as their readings wait in the quarantine."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, tuple_

from core.messages import Refusal
from storage import schema
from storage.quarantine import EntryFilter, Held, entry

_Q = schema.quarantine.c
_WAITING = (
    _Q.reason == Refusal.UNKNOWN_DEVICE.value,
    _Q.resolved_at.is_(None),
    _Q.device.is_not(None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """What waits of one device at one gateway; `first_seen` and `last_seen` are when its messages
    were received, µs.
    """

    gateway: str
    device: str
    first_seen: int
    last_seen: int
    entries: int
    items: int


def strangers(
    connection: Connection, *, after: tuple[str, str] = ("", ""), limit: int
) -> list[Stranger]:
    """Unknown devices, by gateway and name."""
    statement = (
        select(
            _Q.gateway,
            _Q.device,
            func.min(_Q.received_at).label("first_seen"),
            func.max(_Q.received_at).label("last_seen"),
            func.count().label("entries"),
            func.sum(_Q["items"]).label("items"),
        )
        .where(*_WAITING, tuple_(_Q.gateway, _Q.device) > after)
        .group_by(_Q.gateway, _Q.device)
        .order_by(_Q.gateway, _Q.device)
        .limit(limit)
    )
    return [Stranger(**row._mapping) for row in connection.execute(statement)]


def first_seen(connection: Connection, gateway: str, device: str) -> int | None:
    """When the first of what waits of it was received, µs; None when nothing waits."""
    mine = (_Q.gateway == gateway, _Q.device == device)
    statement = select(func.min(_Q.received_at)).where(*_WAITING, *mine)
    found: int | None = connection.execute(statement).scalar_one()
    return found


def examples(connection: Connection, gateway: str, device: str, most: int) -> list[Held]:
    """The newest of what waits of it."""
    mine = (_Q.gateway == gateway, _Q.device == device)
    newest = select(_Q.id).where(*_WAITING, *mine).order_by(_Q.id.desc()).limit(most)
    found = [entry(connection, number) for number in connection.execute(newest).scalars().all()]
    return [held for held in found if held is not None]


def waiting_of(gateway: str, device: str) -> EntryFilter:
    """Its entries."""
    return EntryFilter(reason=Refusal.UNKNOWN_DEVICE.value, gateway=gateway, device=device)
