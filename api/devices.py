"""`/v1/devices`: what measures, and where."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import Context
from api.shapes import Answer, AskedLongPage, Id, Page, Time, cut, example, position_of
from core.model import iso
from storage import queries

router = APIRouter(tags=["Places and devices"])


class Device(Answer):
    """A physical unit behind a gateway."""

    model_config = example(
        {
            "id": "patong-probe-1",
            "gateway": "gw-west",
            "site": "patong-beach",
            "since": "2026-01-15",
            "model": "water-probe",
            "newest": "2026-11-22T01:00:00Z",
        }
    )

    id: str
    gateway: str
    site: str
    since: str = Field(description="The day since which it stands at the site.")
    model: str
    newest: Time | None = Field(description="Time of its newest reading.")


class Devices(Page[Device]):
    """Devices by id."""


class AskedDevices(AskedLongPage):
    """Which devices."""

    site: Id | None = Field(None, description="Only those at this site.")


@router.get("/devices")
def list_devices(context: Context, asked: Annotated[AskedDevices, Query()]) -> Devices:
    """All devices, or those of a site."""
    (after,) = position_of(asked.cursor, str) or ("",)
    with queries.snapshot(context.readers) as connection:
        found = queries.devices(connection, after=after, limit=asked.limit + 1, site=asked.site)
    rows, following = cut(found, asked.limit, lambda row: (row.id,))
    devices = [
        Device(
            id=row.id,
            gateway=row.gateway,
            site=row.site,
            since=row.since,
            model=row.model,
            newest=None if row.newest is None else iso(row.newest),
        )
        for row in rows
    ]
    return Devices(items=devices, next=following)
