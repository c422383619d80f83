"""Groups of alerts as the ledger keeps them between what happens and what is told."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from core.groups import Group, Member, Planned
from storage.chunks import chunks
from storage.notify_schema import notify_groups, notify_members

_G, _M = notify_groups.c, notify_members.c
_MEMBER = msgspec.json.Decoder(Member)


def groups(
    connection: Connection, *, keys: Collection[str] = (), alerts: Collection[str] = ()
) -> dict[str, Group]:
    """Those with one of these keys or alerts, each whole."""
    wanted = dict.fromkeys(keys)
    for chunk in chunks(alerts):
        found = connection.execute(select(_M.group).where(_M.alert.in_(chunk)).distinct())
        wanted |= dict.fromkeys(found.scalars())
    return _whole(connection, wanted)


def due(connection: Connection, at: int) -> dict[str, Group]:
    """Those that are to be looked at by `at`, µs, each whole."""
    found = connection.execute(select(_G.key).where(_G.due_at <= at))
    return _whole(connection, found.scalars())


def next_due(connection: Connection) -> int | None:
    """When the next is to be looked at; None when none is."""
    return connection.execute(select(func.min(_G.due_at))).scalar()


def keep_groups(connection: Connection, planned: Planned) -> None:
    """Make the groups so."""
    gone = [key for key, group in planned.groups.items() if group is None]
    for chunk in chunks(gone):
        connection.execute(delete(notify_groups).where(_G.key.in_(chunk)))
        connection.execute(delete(notify_members).where(_M.group.in_(chunk)))
    rows = [_row(group) for group in planned.groups.values() if group is not None]
    if rows:
        made = upsert(notify_groups)
        now = {name: made.excluded[name] for name in ("due_at", "told_at")}
        connection.execute(made.on_conflict_do_update(index_elements=["key"], set_=now), rows)
    _keep_members(connection, planned.members)


def _keep_members(connection: Connection, members: Mapping[tuple[str, str], Member | None]) -> None:
    driver: Any = connection.connection.driver_connection
    kept = [(*key, msgspec.json.encode(m)) for key, m in members.items() if m is not None]
    gone = [key for key, member in members.items() if member is None]
    for statement, rows in ((_KEEP, kept), (_FORGET, gone)):
        if rows:
            driver.executemany(statement, rows).close()


_KEEP = (
    'INSERT INTO notify_members ("group", alert, body) VALUES (?, ?, ?) '
    'ON CONFLICT ("group", alert) DO UPDATE SET body = excluded.body'
)
_FORGET = 'DELETE FROM notify_members WHERE "group" = ? AND alert = ?'


def _whole(connection: Connection, keys: Iterable[str]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for chunk in chunks(keys):
        members: dict[str, dict[str, Member]] = {}
        statement = select(notify_members).where(_M.group.in_(chunk)).order_by(_M.group, _M.alert)
        for row in connection.execute(statement):
            members.setdefault(row.group, {})[row.alert] = _MEMBER.decode(row.body)
        for row in connection.execute(select(notify_groups).where(_G.key.in_(chunk))):
            fields = dict(row._mapping) | {"labels": json.loads(row.labels)}
            found[row.key] = Group(**fields, members=members.get(row.key, {}))
    return found


def _row(group: Group) -> dict[str, Any]:
    return {
        "key": group.key,
        "route": group.route,
        "receiver": group.receiver,
        "level": group.level,
        "labels": json.dumps(dict(group.labels)),
        "due_at": group.due_at,
        "told_at": group.told_at,
    }
