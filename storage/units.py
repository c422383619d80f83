"""What devices were to the rules, and from when on: all that a replay needs of the registry."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from core.registry import Unit
from storage import schema

_U = schema.units.c


def units(connection: Connection) -> dict[str, Unit]:
    """The devices as rules see them now, by their ids."""
    newest = select(_U.device, func.max(_U.at).label("at")).group_by(_U.device).subquery()
    both = (newest.c.device == _U.device) & (newest.c.at == _U.at)
    rows = connection.execute(select(schema.units).join(newest, both).where(_U.site != ""))
    return {row.device: unit_of(row) for row in rows}


def unit_of(row: Any) -> Unit:
    """A row as a noun."""
    fields = {name: value for name, value in row._mapping.items() if name != "at"}
    latitude, longitude = fields.pop("latitude"), fields.pop("longitude")
    return Unit(**fields, position=None if latitude is None else (latitude, longitude))


def differing(before: Mapping[str, Unit], now: Iterable[Unit]) -> list[Unit]:
    """Those that are others now than `before`; who is registered no more is at no site."""
    known = {unit.device: unit for unit in now}
    others = (unit for unit in known.values() if not _same(before.get(unit.device), unit))
    return [
        *others,
        *(replace(unit, site="") for name, unit in before.items() if name not in known),
    ]


def keep_units(connection: Connection, now: Iterable[Unit], at: int) -> list[Unit]:
    """These are the devices that rules see from the moment `at` on; as they are returned: nobody
    counts as silent before that.
    """
    before = units(connection)
    others = {
        unit.device: replace(unit, since=before[unit.device].since)
        if unit.device in before
        else replace(unit, since=max(unit.since, at))
        for unit in differing(before, now)
    }
    if others:
        connection.execute(insert(schema.units), [_row(unit, at) for unit in others.values()])
    return [unit for unit in (before | others).values() if unit.site]


def _row(unit: Unit, at: int) -> dict[str, Any]:
    fields = asdict(unit)
    latitude, longitude = fields.pop("position") or (None, None)
    return fields | {"at": at, "latitude": latitude, "longitude": longitude}


def _same(before: Unit | None, now: Unit) -> bool:
    return before is not None and replace(now, since=before.since) == before
