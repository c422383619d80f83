"""What the files say of the registry, written into the ledger at each start.

What was made by the API stays. Where a file names an id that the API had made, the file wins.
"""

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from core.configuration import Configuration
from storage import schema
from storage.registry import (
    API,
    FILE,
    TIMEZONE,
    device_values,
    name_values,
    placement_values,
    site_values,
)

log = logging.getLogger(__name__)

_SITE, _DEVICE, _STOOD = schema.sites.c, schema.devices.c, schema.placements.c


def register(connection: Connection, configuration: Configuration) -> None:
    """Make the city's zone, gateways, sites and devices what the files say.

    Where a device stood before the first moment that its file names is remembered. A site that has
    left its file stays as long as a device of the API has stood there.
    """
    connection.execute(delete(schema.meta).where(schema.meta.c.name == TIMEZONE))
    zone = {"name": TIMEZONE, "value": configuration.zone.key}
    connection.execute(insert(schema.meta), zone)
    _replace_gateways(connection, configuration)
    _replace_sites(connection, configuration)
    _replace_devices(connection, configuration)


def _replace_gateways(connection: Connection, configuration: Configuration) -> None:
    g = schema.gateways.c
    of_files = or_(g.origin == FILE, g.id.in_(configuration.gateways))
    connection.execute(delete(schema.gateways).where(of_files))
    named = configuration.gateways.values()
    _insert(
        connection,
        schema.gateways,
        [{"id": gateway.id, "origin": FILE} | name_values(gateway.name) for gateway in named],
    )


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
    rows = [device_values(d) | {"origin": FILE, "made_at": 0} for d in devices]
    _insert(connection, schema.devices, rows)
    for device in devices:
        later = (_STOOD.device == device.id, _STOOD.since >= device.placements[0].since)
        connection.execute(delete(schema.placements).where(*later))
    stood = [row for device in devices for row in placement_values(device)]
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
