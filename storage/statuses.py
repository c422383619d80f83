"""How gateways are, as they say themselves, and how they were."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, tuple_

from core.registry import Status
from storage import schema

MOST = 1000  # changes that are kept of one gateway: one that comes and goes each minute fills them

_S = schema.statuses.c


def keep_statuses(connection: Connection, statuses: Sequence[Status]) -> None:
    """Add changes; of each gateway the newest `MOST` stay."""
    for status in statuses:
        connection.execute(insert(schema.statuses).prefix_with("OR REPLACE"), asdict(status))
        mine = _S.gateway == status.gateway
        oldest = select(_S.at).where(mine).order_by(_S.at.desc()).offset(MOST).limit(1)
        connection.execute(delete(schema.statuses).where(mine, _S.at <= oldest.scalar_subquery()))


def current(connection: Connection) -> dict[str, Status]:
    """The newest status of each gateway that ever said one."""
    newest = select(_S.gateway, func.max(_S.at)).group_by(_S.gateway)
    statement = select(schema.statuses).where(tuple_(_S.gateway, _S.at).in_(newest))
    return {row.gateway: Status(**row._mapping) for row in connection.execute(statement)}
