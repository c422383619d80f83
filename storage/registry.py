"""The registry in the ledger: sites, gateways, devices, and where each device has stood.

What stands in a file is changed there alone (`storage.registration`).

Every function runs within a transaction of the caller: all that it changes is stored, or nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from core.configuration import Configuration
from core.errors import RegistryError
from core.registry import Device, Gateway, Placement, Site
from core.times import iso
from storage import schema
from storage.changes import note

Result = TypeVar("Result")
Change: TypeAlias = Callable[[Connection], Result]

FILE, API, AUTO = "file", "api", "auto"
TIMEZONE = "timezone"  # the fact of `meta` that names the city's
_SITE, _DEVICE, _STOOD = schema.sites.c, schema.devices.c, schema.placements.c


def known(connection: Connection) -> Configuration:
    """All of the registry, wherever it comes from."""
    stood = placements(connection)
    zone = select(schema.meta.c.value).where(schema.meta.c.name == TIMEZONE)
    return Configuration(
        zone=ZoneInfo(connection.execute(zone).scalar() or "UTC"),
        sites={row.id: _site(row) for row in connection.execute(select(schema.sites))},
        gateways={
            row.id: Gateway(id=row.id, name=_name(row))
            for row in connection.execute(select(schema.gateways))
        },
        devices={
            row.id: _device(row, stood[row.id])
            for row in connection.execute(select(schema.devices))
        },
    )


def sites(connection: Connection) -> list[Site]:
    """All sites."""
    return [_site(row) for row in connection.execute(select(schema.sites))]


def placements(
    connection: Connection, devices: Sequence[str] | None = None
) -> dict[str, list[Placement]]:
    """Where these devices, or all, have stood, in order of time, each change of site once."""
    statement = select(schema.placements).order_by(_STOOD.since)
    if devices is not None:
        statement = statement.where(_STOOD.device.in_(devices))
    stood: dict[str, list[Placement]] = {}
    for row in connection.execute(statement):
        before = stood.setdefault(row.device, [])
        if not before or before[-1].site != row.site:
            before.append(Placement(row.since, row.site))
    return stood


def has_site(connection: Connection, site: str) -> bool:
    """Whether there is such a site."""
    return _row(connection, schema.sites, site) is not None


def stands(connection: Connection, device: str) -> str | None:
    """The site where a device stands; None when there is no such device."""
    row = _row(connection, schema.devices, device)
    return None if row is None else str(row.site)


def add_site(connection: Connection, site: Site, *, by: str, at: int) -> None:
    """Raises: RegistryError."""
    if has_site(connection, site.id):
        raise RegistryError("conflict", "id", f"there is a site {site.id} already; change that one")
    connection.execute(insert(schema.sites), site_values(site) | {"origin": API})
    note(connection, at, by, "site-added", site.id)


def change_site(
    connection: Connection, site: str, wanted: Mapping[str, Any], *, by: str, at: int
) -> bool:
    """Change these columns of a site; whether that changed anything.

    Raises:
        RegistryError: there is none, it stands in a file, or its kind would change.
    """
    row = _row(connection, schema.sites, site)
    if row is None:
        raise RegistryError("not-found", "id", f"there is no site {site}; /v1/sites lists them")
    changes = _differences(row, wanted)
    if not changes:
        return False
    _refuse_file(row, "site", "sites.yaml")
    if "kind" in changes:
        words = f"is {row.kind} and stays so; add another site and move its devices there"
        raise RegistryError("bad-parameter", "kind", words)
    connection.execute(update(schema.sites).where(_SITE.id == site).values(changes))
    note(connection, at, by, "site-changed", site, ", ".join(changes))
    return True


def add_device(
    connection: Connection, device: Device, *, by: str, at: int, origin: str = API
) -> None:
    """Raises: RegistryError."""
    if stands(connection, device.id) is not None:
        words = f"there is a device {device.id} already; change or move that one"
        raise RegistryError("conflict", "id", words)
    _refuse_strange_site(connection, device.site)
    _check(connection, device.id, gateway=device.gateway, address=device.address)
    values = device_values(device) | {"origin": origin, "made_at": at}
    connection.execute(insert(schema.devices), values)
    connection.execute(insert(schema.placements), placement_values(device))
    note(connection, at, by, "device-added", device.id, f"{device.gateway}, {device.site}")


def change_device(
    connection: Connection, device: str, wanted: Mapping[str, Any], *, by: str, at: int
) -> bool:
    """Change these of gateway, model and address of a device; whether that changed anything. Where
    it stands is `move_device`'s.

    Raises:
        RegistryError: there is none, it stands in a file, or it would not fit.
    """
    row = _device_row(connection, device)
    changes = _differences(row, wanted)
    if not changes:
        return False
    _refuse_file(row, "device", "devices.yaml")
    _check(connection, device, **changes)
    connection.execute(update(schema.devices).where(_DEVICE.id == device).values(changes))
    note(connection, at, by, "device-changed", device, ", ".join(changes))
    return True


def move_device(
    connection: Connection, device: str, placement: Placement, *, by: str, at: int
) -> bool:
    """The device has stood at that site since then; whether that was news. The newest placement is
    corrected when it began at the same moment; otherwise one is added.

    Raises:
        RegistryError: no such device or site, it stands in a file, or the moment is not one after
            the newest placement and before `at`.
    """
    row = _device_row(connection, device)
    if placement in placements(connection, [device])[device]:
        return False
    _refuse_file(row, "device", "devices.yaml")
    _refuse_strange_site(connection, placement.site)
    if placement.site == row.site:
        words = f"is where {device} has stood since {iso(row.since)}; there is nothing to move"
        raise RegistryError("bad-parameter", "site", words)
    if placement.since < row.since:
        words = f"{device} has stood at {row.site} since {iso(row.since)}; give a later time"
        raise RegistryError("bad-parameter", "since", words)
    if placement.since > at:
        raise RegistryError("bad-parameter", "since", "is in the future; tell it once it has moved")
    same = (_STOOD.device == device, _STOOD.since == placement.since)
    connection.execute(delete(schema.placements).where(*same))
    connection.execute(insert(schema.placements), {"device": device} | placement._asdict())
    now = update(schema.devices).where(_DEVICE.id == device)
    connection.execute(now.values(placement._asdict()))
    words = f"{row.site} -> {placement.site} since {iso(placement.since)}"
    note(connection, at, by, "device-moved", device, words)
    return True


def keep_approved(connection: Connection, devices: Sequence[Device]) -> None:
    """Keep devices that their gateways brought, by the terms that the file states."""
    for device in devices:
        values = device_values(device) | {"origin": AUTO, "made_at": device.since}
        connection.execute(insert(schema.devices), values)
        connection.execute(insert(schema.placements), placement_values(device))
        detail = f"{device.gateway}, {device.site}"
        note(connection, device.since, "auto-approve", "device-added", device.id, detail)


def begun(connection: Connection, since: int) -> tuple[dict[str, int], dict[str, int]]:
    """How many series were born since then, and how many devices their gateways brought, each by
    gateway.
    """
    s = schema.series.c
    born = (
        select(_DEVICE.gateway, func.count())
        .join(schema.series, s.device == _DEVICE.id)
        .where(s.born_at >= since)
        .group_by(_DEVICE.gateway)
    )
    brought = (
        select(_DEVICE.gateway, func.count())
        .where(_DEVICE.origin == AUTO, _DEVICE.made_at >= since)
        .group_by(_DEVICE.gateway)
    )
    series, devices = connection.execute(born), connection.execute(brought)
    return dict(series.all()), dict(devices.all())


def _check(
    connection: Connection,
    device: str,
    *,
    gateway: str | None = None,
    address: str = "",
    **_free: str,
) -> None:
    """Whether the device fits in with these. Raises: RegistryError."""
    if gateway is not None and _row(connection, schema.gateways, gateway) is None:
        words = f"there is no gateway {gateway}; /v1/gateways lists them"
        raise RegistryError("bad-parameter", "gateway", words)
    if not address:
        return
    named = or_(func.lower(_DEVICE.address) == address.lower(), _DEVICE.id == address)
    others = select(_DEVICE.id).where(named, _DEVICE.id != device).limit(1)
    other = connection.execute(others).scalar()
    if other is not None:
        words = f"{address} is what {other} is called; correct one of them"
        raise RegistryError("conflict", "address", words)


def _refuse_strange_site(connection: Connection, site: str) -> None:
    if not has_site(connection, site):
        words = f"there is no site {site}; add it first, /v1/sites lists them"
        raise RegistryError("bad-parameter", "site", words)


def _refuse_file(row: Any, noun: str, file: str) -> None:
    if row.origin == FILE:
        words = f"{noun} {row.id} stands in {file}; change it there and restart"
        raise RegistryError("conflict", "id", words)


def _row(connection: Connection, table: Any, identifier: str) -> Any:
    return connection.execute(select(table).where(table.c.id == identifier)).one_or_none()


def _device_row(connection: Connection, device: str) -> Any:
    row = _row(connection, schema.devices, device)
    if row is None:
        words = f"there is no device {device}; /v1/devices lists them"
        raise RegistryError("not-found", "id", words)
    return row


def _differences(row: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(row, name) != value}


def site_values(site: Site) -> dict[str, Any]:
    """A site as columns, without its origin."""
    plain = ("id", "kind", "latitude", "longitude", "district", "owner")
    return {name: getattr(site, name) for name in plain} | name_values(site.name)


def device_values(device: Device) -> dict[str, Any]:
    """A device as columns, without where it comes from."""
    plain = ("id", "gateway", "site", "since", "model", "address")
    return {name: getattr(device, name) for name in plain}


def placement_values(device: Device) -> list[dict[str, Any]]:
    """Where it has stood, as rows."""
    return [{"device": device.id} | at._asdict() for at in device.placements]


def name_values(name: Mapping[str, str]) -> dict[str, str]:
    """A name as columns."""
    return {"name_en": name["en"], "name_th": name["th"]}


def _name(row: Any) -> dict[str, str]:
    return {"en": row.name_en, "th": row.name_th}


def _site(row: Any) -> Site:
    plain = ("id", "kind", "latitude", "longitude", "district", "owner")
    return Site(**{name: getattr(row, name) for name in plain}, name=_name(row))


def _device(row: Any, stood: list[Placement]) -> Device:
    return Device(
        id=row.id,
        gateway=row.gateway,
        placements=tuple(stood),
        model=row.model,
        address=row.address,
        made_at=row.made_at,
    )
