"""`/v1/devices`: what measures, where it stands and stood; an administrator adds and moves them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from api.context import ApiContext, Context, enrolled
from api.problems import ApiError
from api.shapes import (
    Answer,
    Asked,
    AskedLongPage,
    AskedMoment,
    Id,
    Page,
    Time,
    cut,
    example,
    position_of,
)
from core import registry as nouns
from core.registry import GATEWAY_PATTERN, Clock, Placement
from core.times import iso
from storage import queries, registry
from storage.queries import DeviceRow

router = APIRouter(tags=["Places and devices"])

_DEVICE = {
    "id": "patong-probe-1",
    "gateway": "gw-patong",
    "site": "patong-beach",
    "since": "2026-01-15T00:00:00Z",
    "model": "coastal-probe",
    "address": "",
}
_PLACE = {"site": "patong-beach", "since": "2026-01-15T00:00:00Z"}

GatewayId = Annotated[str, Field(pattern=GATEWAY_PATTERN)]
Model = Annotated[str, Field(max_length=64, description="Which profile says what its keys mean.")]
Address = Annotated[
    str, Field(max_length=64, description="What its network calls it, where that is not the id.")
]


class Place(Answer):
    """A site where a device has stood, and since when."""

    model_config = example(_PLACE)

    site: str
    since: Time


_CLOCK = {
    "offset_seconds": 0.4,
    "spread_seconds": 0.2,
    "samples": 15,
    "since": "2026-11-21T23:50:00Z",
    "steady": True,
}


class DeviceClock(Answer):
    """What its latest readings say of its clock."""

    model_config = example(_CLOCK)

    offset_seconds: float = Field(
        description="The median of received minus measured: positive where the clock is behind."
    )
    spread_seconds: float = Field(description="The median distance from it.")
    samples: int = Field(description="Minutes with a reading that it stands on.")
    since: Time = Field(description="When the first of them was.")
    steady: bool = Field(description="False where it is rather a delay on the way.")


class Device(Answer):
    """A physical unit behind a gateway."""

    model_config = example(
        _DEVICE
        | {
            "places": [_PLACE],
            "origin": "file",
            "newest": "2026-11-22T01:00:00Z",
            "clock": _CLOCK,
        }
    )

    id: str
    gateway: str
    site: str
    since: Time = Field(description="Since when it stands at the site.")
    model: str
    address: str
    places: list[Place] = Field(description="Where it has stood, in order of time.")
    origin: Literal["file", "api", "auto"] = Field(
        description="Where it is changed: in devices.yaml, or here; auto was approved by itself."
    )
    newest: Time | None = Field(description="Time of its newest reading.")
    clock: DeviceClock | None = Field(description="Null until enough was heard since the start.")


class Devices(Page[Device]):
    """Devices by id."""


class AskedDevices(AskedLongPage):
    """Which devices."""

    site: Id | None = Field(None, description="Only those at this site.")


class AskedDevice(Asked):
    """A device to add."""

    model_config = Asked.model_config | example(_DEVICE)

    id: Id
    gateway: GatewayId
    site: Id
    since: AskedMoment | None = None
    model: Model = ""
    address: Address = ""


class AskedDeviceChange(Asked):
    """What to change; the rest stays. Where it stands is changed by a move."""

    model_config = Asked.model_config | example({"model": "coastal-probe"})

    gateway: GatewayId | None = None
    model: Model | None = None
    address: Address | None = None


class AskedMove(Asked):
    """Where it stands since when; now, where no time is given."""

    model_config = Asked.model_config | example(
        {"site": "kamala-beach", "since": "2026-11-22T08:00:00+07:00"}
    )

    site: Id
    since: AskedMoment | None = None


@router.get("/devices")
def list_devices(context: Context, asked: Annotated[AskedDevices, Query()]) -> Devices:
    """All devices, or those of a site."""
    (after,) = position_of(asked.cursor, str) or ("",)
    with queries.snapshot(context.readers) as connection:
        found = queries.devices(connection, after=after, limit=asked.limit + 1, site=asked.site)
        rows, following = cut(found, asked.limit, lambda row: (row.id,))
        items = _devices(connection, rows, context.clocks())
        return Devices(items=items, next=following)


@router.get("/devices/{device}")
def get_device(context: Context, device: Id) -> Device:
    """One device."""
    return device_of(context, device)


@router.post("/devices", status_code=201)
async def add_device(context: Context, asked: AskedDevice, request: Request) -> Device:
    """Add a device; its readings are taken at once, and after a restart."""
    by, at = request.state.caller.key, context.clock()
    stood = Placement(at if asked.since is None else asked.since, asked.site)
    made = nouns.Device(
        **asked.model_dump(exclude={"site", "since"}),
        placements=(stood,),
    )
    await enrolled(context, lambda connection: registry.add_device(connection, made, by=by, at=at))
    return device_of(context, asked.id)


@router.patch("/devices/{device}")
async def change_device(
    context: Context, device: Id, asked: AskedDeviceChange, request: Request
) -> Device:
    """Change a device that was added here; one of devices.yaml is changed there."""
    by, at = request.state.caller.key, context.clock()
    wanted = asked.model_dump(exclude_none=True)
    await enrolled(
        context, lambda connection: registry.change_device(connection, device, wanted, by=by, at=at)
    )
    return device_of(context, device)


@router.post("/devices/{device}/moves")
async def move_device(context: Context, device: Id, asked: AskedMove, request: Request) -> Device:
    """Tell that a device stands elsewhere. What it measured before belongs to the former site; what
    went on there ends.
    """
    by, at = request.state.caller.key, context.clock()
    stood = Placement(at if asked.since is None else asked.since, asked.site)
    await enrolled(
        context, lambda connection: registry.move_device(connection, device, stood, by=by, at=at)
    )
    return device_of(context, device)


def device_of(context: ApiContext, device: str) -> Device:
    """A device by its id.

    Raises:
        ApiError: there is none.
    """
    with queries.snapshot(context.readers) as connection:
        rows = queries.devices(connection, device=device)
        if not rows:
            raise ApiError("not-found", "There is no device with this id; /v1/devices lists them.")
        (found,) = _devices(connection, rows, context.clocks())
    return found


def places_of(stood: Sequence[Placement]) -> list[Place]:
    """Placements as they are told."""
    return [Place(site=place.site, since=iso(place.since)) for place in stood]


def _devices(
    connection: Connection, rows: Sequence[DeviceRow], clocks: Mapping[str, Clock]
) -> list[Device]:
    stood = registry.placements(connection, [row.id for row in rows])
    return [
        Device(
            id=row.id,
            gateway=row.gateway,
            site=row.site,
            since=iso(row.since),
            model=row.model,
            address=row.address,
            places=places_of(stood[row.id]),
            origin=cast(Literal["file", "api", "auto"], row.origin),
            newest=None if row.newest is None else iso(row.newest),
            clock=_clock(clocks.get(row.id)),
        )
        for row in rows
    ]


def _clock(clock: Clock | None) -> DeviceClock | None:
    if clock is None:
        return None
    return DeviceClock(
        offset_seconds=round(clock.offset, 3),
        spread_seconds=round(clock.spread, 3),
        samples=clock.samples,
        since=iso(clock.since),
        steady=clock.steady,
    )
