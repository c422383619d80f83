"""What the API asks of the ledger about gateways: who reports, and where their counters stand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from core.messages import Progress, Range
from core.registry import Status
from storage import schema
from storage.statuses import current


@dataclass(frozen=True, slots=True)
class Counted:
    """One epoch of a gateway's counter; `heard_at` is when it last moved, µs."""

    epoch: str
    progress: Progress
    heard_at: int


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway, its devices' newest reading, its counters, the latest heard first, and what it
    said of itself; None when it never did. `issued_at` and `revoked_at` are of its credential.
    """

    id: str
    name_en: str
    name_th: str
    devices: int
    newest: int | None
    counters: Sequence[Counted]
    status: Status | None
    issued_at: int | None
    revoked_at: int | None


def gateways(connection: Connection, *, after: str = "", limit: int) -> list[GatewayRow]:
    """Gateways by id."""
    g, d, s, n = schema.gateways.c, schema.devices.c, schema.series.c, schema.latest.c
    c = schema.credentials.c
    statement = (
        select(
            g.id,
            g.name_en,
            g.name_th,
            func.count(d.id.distinct()).label("devices"),
            func.max(n.received_at).label("newest"),
            c.issued_at,
            c.revoked_at,
        )
        .outerjoin(schema.credentials, c.gateway == g.id)
        .outerjoin(schema.devices, d.gateway == g.id)
        .outerjoin(schema.series, s.device == d.id)
        .outerjoin(schema.latest, n.series == s.id)
        .where(g.id > after)
        .group_by(g.id)
        .order_by(g.id)
        .limit(limit)
    )
    rows = list(connection.execute(statement))
    counters = counted(connection, [row.id for row in rows])
    statuses = current(connection)
    return [
        GatewayRow(
            id=row.id,
            name_en=row.name_en,
            name_th=row.name_th,
            devices=row.devices,
            newest=row.newest,
            counters=counters.get(row.id, []),
            status=statuses.get(row.id),
            issued_at=row.issued_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def names(connection: Connection) -> list[str]:
    """The gateways' ids."""
    return list(connection.execute(select(schema.gateways.c.id)).scalars())


def ids(connection: Connection) -> set[str]:
    """Of all gateways."""
    return set(connection.execute(select(schema.gateways.c.id)).scalars())


def counted(
    connection: Connection, gateways: Sequence[str] | None = None
) -> dict[str, list[Counted]]:
    """The counters of these gateways, or of all, the latest heard first."""
    c = schema.progress.c
    statement = select(schema.progress).order_by(c.gateway, c.heard_at.desc(), c.epoch)
    if gateways is not None:
        statement = statement.where(c.gateway.in_(gateways))
    found: dict[str, list[Counted]] = {}
    for row in connection.execute(statement):
        progress = Progress(
            through=row.through,
            ahead=tuple(Range(*pair) for pair in json.loads(row.ahead)),
            gap_since=row.gap_since,
            lost=row.lost,
        )
        found.setdefault(row.gateway, []).append(Counted(row.epoch, progress, row.heard_at))
    return found
