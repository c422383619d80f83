"""Deliveries to subscribers that do not get on by one channel, and go by another."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core.groups import PlannedParcel
from core.notices import Channel
from core.times import HOUR
from storage import schema
from storage.notices import add_parcels
from storage.notify_schema import WAITING, deliveries, notices, parcels

RESTS = HOUR  # until a channel whose messages were spent is tried again
_P, _D, _N, _M = parcels.c, deliveries.c, notices.c, schema.meta.c
_SPENT = "spent"


class Stuck(NamedTuple):
    """A delivery that does not get on; `id` is empty for one that is given up already."""

    parcel: str
    id: str
    notice: str
    subscriber: str


def stuck(
    connection: Connection, channel: Channel, at: int, *, address: str | None = None
) -> list[Stuck]:
    """What should be gone to subscribers by that channel, or to one address of theirs alone."""
    statement = (
        select(_D.parcel, _D.id, _P.notice, _D.subscriber)
        .join_from(deliveries, parcels, _P.id == _D.parcel)
        .where(_D.channel == channel.value, _D.state == WAITING, _D.planned_for <= at)
        .where(_D.subscriber != "", _P.state == WAITING)
        .order_by(_D.position, _D.id)
    )
    if address is not None:
        statement = statement.where(_D.address == address)
    return [Stuck(*row) for row in connection.execute(statement)]


def by_another_way(connection: Connection, one: Stuck, new: Sequence[PlannedParcel]) -> None:
    """Send the same notice in these parcels; the delivery that is stuck waits no more."""
    made_at = connection.execute(select(_N.made_at).where(_N.id == one.notice)).scalar_one()
    add_parcels(connection, one.notice, made_at, new)
    replaced = {"state": "replaced", "words": f"goes by {new[0].channel} instead"}
    connection.execute(update(deliveries).where(_D.id == one.id).values(replaced))
    left = select(_D.id).where(_D.parcel == one.parcel, _D.state == WAITING).exists()
    empty = (_P.id == one.parcel, _P.state == WAITING, ~left)
    connection.execute(update(parcels).where(*empty).values(replaced))


def note_spent(connection: Connection, channel: Channel, at: int) -> None:
    """The channel has taken its last message for a while."""
    row = {"name": f"{_SPENT}_{channel}", "value": str(at + RESTS)}
    made = upsert(schema.meta).values(row)
    now = {"value": made.excluded.value}
    connection.execute(made.on_conflict_do_update(index_elements=["name"], set_=now))


def spent(connection: Connection, at: int) -> frozenset[Channel]:
    """Channels that take nothing at `at`."""
    names = {f"{_SPENT}_{channel}": channel for channel in Channel}
    rows = connection.execute(select(_M.name, _M.value).where(_M.name.in_(names)))
    return frozenset(names[row.name] for row in rows if int(row.value) > at)
