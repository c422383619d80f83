"""The registry in the ledger: sites, gateways, devices, and where each device has stood.

What the files say is written anew at each start and can be changed there alone; what was made by
the API stays. Where a file names an id that the API had made, the file wins.

Every function runs within a transaction of the caller: all that it changes is stored, or nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from core.configuration import Configuration
from core.errors import RegistryError
from core.model import Device, Gateway, Placement, Site, iso
from storage import schema
from storage.changes import note

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Change: TypeAlias = Callable[[Connection], Result]

FILE, API, AUTO = "file", "api", "auto"
_SITE, _DEVICE, _STOOD = schema.sites.c, schema.devices.c, schema.placements.c


def register(connection: Connection, configuration: Configuration) -> None:
    """Make gateways, sites and devices what the files say.

    Where a device stood before the first moment that its file names is remembered. A site that has
    left its file stays as long as a device of the API has stood there.
    """
    _replace_gateways(connection, configuration)
    _replace_sites(connection, configuration)
    _replace_devices(connection, configuration)


def known(connection: Connection) -> Configuration:
    """All of the registry, wherever it comes from."""
    stood = placements(connection)
    return Configuration(
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


def add_site(connection: Connection, site: Site, *, by: str, at: int) -> None:
    """Raises: RegistryError."""
    if _row(connection, schema.sites, site.id) is not None:
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
    if _row(connection, schema.devices, device.id) is not None:
        words = f"there is a device {device.id} already; change or move that one"
        raise RegistryError("conflict", "id", words)
    _refuse_strange_site(connection, device.site)
    _check(connection, device.id, gateway=device.gateway, address=device.address)
    values = _device_values(device) | {"origin": origin, "made_at": at}
    connection.execute(insert(schema.devices), values)
    connection.execute(insert(schema.placements), _placement_values(device))
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
    if _row(connection, schema.sites, site) is None:
        words = f"there is no site {site}; add it first, /v1/sites lists them"
        raise RegistryError("bad-parameter", "site", words)


def _refuse_file(row: Any, noun: str, file: str) -> None:
    if row.origin == FILE:
        words = f"{noun} {row.id} stands in {file}; change it there and restart"
        raise RegistryError("conflict", "id", words)


def _replace_gateways(connection: Connection, configuration: Configuration) -> None:
    connection.execute(delete(schema.gateways))
    rows = [{"id": g.id} | _names(g.name) for g in configuration.gateways.values()]
    _insert(connection, schema.gateways, rows)


def _replace_sites(connection: Connection, configuration: Configuration) -> None:
    needed = (
        select(_STOOD.site)
        .join(schema.devices, _DEVICE.id == _STOOD.device)
        .where(_DEVICE.origin != FILE)
    )
    left = select(_SITE.id).where(_SITE.origin == FILE, _SITE.id.in_(needed))
    for site in connection.execute(left).scalars().all():
        if site not in configuration.sites:
            log.warning("%s has left sites.yaml; it stays, since devices have stood there", site)
            connection.execute(update(schema.sites).where(_SITE.id == site).values(origin=API))
    _forget(connection, schema.sites, "sites.yaml", configuration.sites)
    rows = [site_values(s) | {"origin": FILE} for s in configuration.sites.values()]
    _insert(connection, schema.sites, rows)


def _replace_devices(connection: Connection, configuration: Configuration) -> None:
    devices = configuration.devices.values()
    _forget(connection, schema.devices, "devices.yaml", configuration.devices)
    rows = [_device_values(d) | {"origin": FILE, "made_at": 0} for d in devices]
    _insert(connection, schema.devices, rows)
    for device in devices:
        later = (_STOOD.device == device.id, _STOOD.since >= device.placements[0].since)
        connection.execute(delete(schema.placements).where(*later))
    stood = [row for device in devices for row in _placement_values(device)]
    _insert(connection, schema.placements, stood)
    addresses = {d.address.lower() for d in devices if d.address}
    for row in connection.execute(select(schema.devices).where(_DEVICE.origin != FILE)).all():
        if row.address.lower() in addresses:
            log.warning("%s loses its address %s to devices.yaml", row.id, row.address)
            connection.execute(
                update(schema.devices).where(_DEVICE.id == row.id).values(address="")
            )


def _forget(connection: Connection, table: Any, file: str, named: Mapping[str, object]) -> None:
    """Make room for what the file says."""
    for identifier in connection.execute(
        select(table.c.id).where(table.c.origin != FILE)
    ).scalars():
        if identifier in named:
            log.warning("%s was made by the API; %s has it now, and wins", identifier, file)
            connection.execute(delete(table).where(table.c.id == identifier))
    connection.execute(delete(table).where(table.c.origin == FILE))


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


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
    return {name: getattr(site, name) for name in plain} | _names(site.name)


def _device_values(device: Device) -> dict[str, Any]:
    plain = ("id", "gateway", "site", "since", "model", "address")
    return {name: getattr(device, name) for name in plain}


def _placement_values(device: Device) -> list[dict[str, Any]]:
    return [{"device": device.id} | at._asdict() for at in device.placements]


def _names(name: Mapping[str, str]) -> dict[str, str]:
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
    )
