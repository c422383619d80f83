"""`/v1/unknown-devices`: who reports without being registered; an administrator approves."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from api.context import Context, enrolled
from api.devices import Device, GatewayId, Model, device_of
from api.problems import ApiError, bad_parameter
from api.quarantine import Replayed, replay
from api.shapes import (
    Answer,
    Asked,
    AskedMoment,
    AskedPage,
    Id,
    Page,
    Time,
    cut,
    example,
    position_of,
)
from core import registry as nouns
from core.registry import ID_PATTERN, Placement
from core.times import iso
from storage import queries, registry, strangers
from storage.strangers import Stranger

EXAMPLES = 5  # messages of each device that are looked into
MOST_AT_ONCE = 1000  # entries that an approval tries before it answers

router = APIRouter(tags=["Places and devices"])

_SUGGESTION = {
    "model": "milesight-em400-mud",
    "score": 1.0,
    "why": "1 of 1 keys fit, read as battery_level, bin_temperature, tipped",
}


class Suggestion(Answer):
    """A model that it may be."""

    model_config = example(_SUGGESTION)

    model: str = Field(description="Empty: it speaks the catalogue's own words.")
    score: float = Field(description="From 0 to 1: how much of it fits.")
    why: str


class Unknown(Answer):
    """A device that is not registered."""

    model_config = example(
        {
            "gateway": "gw-town",
            "device": "24e124136b502217",
            "first_seen": "2026-11-22T00:10:00Z",
            "last_seen": "2026-11-22T01:00:00Z",
            "entries": 6,
            "items": 6,
            "keys": ["payload"],
            "suggestions": [_SUGGESTION],
        }
    )

    gateway: str
    device: str = Field(description="What its network calls it.")
    first_seen: Time
    last_seen: Time
    entries: int = Field(description="Messages, in part or whole, that wait in the quarantine.")
    items: int = Field(description="What they hold of it.")
    keys: list[str] = Field(description="What its newest messages hold.")
    suggestions: list[Suggestion] = Field(description="Which model it may be, the best first.")


class UnknownDevices(Page[Unknown]):
    """Devices by gateway and name."""


class AskedApproval(Asked):
    """Which device, and what is to be known of it; its name is its id where none is given."""

    model_config = Asked.model_config | example(
        {
            "gateway": "gw-town",
            "device": "24e124136b502217",
            "id": "thalang-road-bin-2",
            "site": "bin-thalang-road",
            "model": "milesight-em400-mud",
        }
    )

    gateway: GatewayId
    device: str = Field(min_length=1, max_length=64)
    site: Id
    id: Id | None = None
    model: Model = ""
    since: AskedMoment | None = None


class Approved(Answer):
    """The device, and what became of what was kept of it; more may wait, go on with `next` at
    `/v1/quarantine/replay`.
    """

    device: Device
    replayed: Replayed


@router.get("/unknown-devices")
def list_unknown(context: Context, asked: Annotated[AskedPage, Query()]) -> UnknownDevices:
    """Devices whose readings wait because nobody has registered them."""
    gateway, device = position_of(asked.cursor, str, str) or ("", "")
    with queries.snapshot(context.readers) as connection:
        found = strangers.strangers(connection, after=(gateway, device), limit=asked.limit + 1)
        rows, following = cut(found, asked.limit, lambda row: (row.gateway, row.device))
        items = [_unknown(context, connection, row) for row in rows]
    return UnknownDevices(items=items, next=following)


@router.post("/unknown-devices/approve", status_code=201)
async def approve_device(context: Context, asked: AskedApproval, request: Request) -> Approved:
    """Register it and take what was kept of it, in the order in which it came."""
    with queries.snapshot(context.readers) as connection:
        first = strangers.first_seen(connection, asked.gateway, asked.device)
    if first is None:
        words = "Nothing waits of this device at this gateway; /v1/unknown-devices lists them."
        raise ApiError("not-found", words)
    made = _device(asked, first)
    by, at = request.state.caller.key, context.clock()
    await enrolled(context, lambda connection: registry.add_device(connection, made, by=by, at=at))
    chosen = strangers.waiting_of(asked.gateway, asked.device)
    note = f"{made.id} is approved"
    replayed = await replay(context, chosen, limit=MOST_AT_ONCE, by=by, note=note)
    return Approved(device=device_of(context, made.id), replayed=replayed)


def _device(asked: AskedApproval, first_seen: int) -> nouns.Device:
    if asked.id is None and not re.fullmatch(ID_PATTERN, asked.device):
        raise bad_parameter("id", f"is due, since its name does not match {ID_PATTERN}")
    identifier = asked.id or asked.device
    since = first_seen if asked.since is None else asked.since
    return nouns.Device(
        id=identifier,
        gateway=asked.gateway,
        placements=(Placement(since, asked.site),),
        model=asked.model,
        address="" if identifier == asked.device else asked.device,
    )


def _unknown(context: Context, connection: Connection, row: Stranger) -> Unknown:
    held = strangers.examples(connection, row.gateway, row.device, EXAMPLES)
    traits = context.traits(held, row.device)
    return Unknown(
        gateway=row.gateway,
        device=row.device,
        first_seen=iso(row.first_seen),
        last_seen=iso(row.last_seen),
        entries=row.entries,
        items=row.items,
        keys=list(traits.keys),
        suggestions=[
            Suggestion(model=s.model, score=s.score, why=s.why) for s in traits.suggestions
        ],
    )
