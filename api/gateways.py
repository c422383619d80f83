"""`/v1/gateways`: who reports, and what of it never came."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import Context
from api.shapes import Answer, AskedLongPage, Names, Page, Time, cut, example, position_of
from core.access import Denied, Throttle
from core.messages import Range
from core.registry import Status
from core.times import SECOND, iso
from storage import gateways as stored
from storage import queries

router = APIRouter(tags=["Places and devices"])

MOST_GAPS = 20
MOST_EPOCHS = 5


class Gap(Answer):
    """Numbers that are missing, both ends included."""

    first: int
    last: int


class Counter(Answer):
    """One epoch of a gateway's own counter."""

    epoch: str
    through: int = Field(description="All numbers up to this one are settled or written off.")
    gaps: list[Gap] = Field(description=f"What is missing beyond it, the first {MOST_GAPS}.")
    gap_since: Time | None = Field(description="When the first gap was seen.")
    lost: int = Field(description="Messages that never came and were written off.")
    heard: Time = Field(description="When it last moved.")


class GatewayStatus(Answer):
    """What a gateway said of itself, or its last will."""

    online: bool
    since: Time = Field(description="When it came to be online, or not.")
    firmware: str | None


class Refused(Answer):
    """What the broker refused it since the start, as far as its log names the gateway."""

    publishes: int = Field(description="Messages on topics that are not its own.")
    subscriptions: int
    logins: int = Field(description="With a secret that is wrong, or not in force any more.")
    last: Time | None


class GatewayCredential(Answer):
    """The newest secret of a gateway, as far as it is kept."""

    issued_at: Time
    revoked_at: Time | None


class RateLimit(Answer):
    """How it stands to the rate that it may send at. Nothing of what is above is lost."""

    messages_per_second: float
    beyond: int = Field(description="Messages above it since the start; their receipts waited.")
    wait_seconds: float = Field(description="Until it is within its rate again; 0 while it is.")


class Gateway(Answer):
    """An MQTT or HTTP client with its own credential."""

    model_config = example(
        {
            "id": "gw-patong",
            "name": {"en": "Patong", "th": "ป่าตอง"},
            "devices": 12,
            "newest": "2026-11-22T01:00:00Z",
            "credential": {
                "issued_at": "2026-11-01T08:00:00Z",
                "revoked_at": "2026-11-22T02:00:00Z",
            },
            "status": {
                "online": True,
                "since": "2026-11-22T00:12:00Z",
                "firmware": "1.4.2",
            },
            "limit": {"messages_per_second": 1000.0, "beyond": 0, "wait_seconds": 0.0},
            "refused": {
                "publishes": 2,
                "subscriptions": 0,
                "logins": 0,
                "last": "2026-11-22T00:59:00Z",
            },
            "missing": 2,
            "counters": [
                {
                    "epoch": "b7",
                    "through": 4711,
                    "gaps": [{"first": 4712, "last": 4713}],
                    "gap_since": "2026-11-22T00:59:30Z",
                    "lost": 0,
                    "heard": "2026-11-22T01:00:00Z",
                }
            ],
        }
    )

    id: str
    name: Names
    devices: int
    newest: Time | None = Field(description="When a reading of its devices last came.")
    credential: GatewayCredential | None = Field(description="Null when it never had a secret.")
    status: GatewayStatus | None = Field(description="Null when it never sent one.")
    limit: RateLimit
    refused: Refused
    missing: int = Field(description="Messages that are missing now, over all its counters.")
    counters: list[Counter] = Field(description="The latest heard first; empty if it counts not.")


class Gateways(Page[Gateway]):
    """Gateways by id."""


@router.get("/gateways")
def list_gateways(context: Context, asked: Annotated[AskedLongPage, Query()]) -> Gateways:
    """All gateways, with the gaps in what they sent."""
    (after,) = position_of(asked.cursor, str) or ("",)
    with queries.snapshot(context.readers) as connection:
        found = stored.gateways(connection, after=after, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.id,))
    denied = context.status().denied
    items = [_gateway(row, context.throttle(row.id), denied.get(row.id, Denied())) for row in rows]
    return Gateways(items=items, next=following)


def missing(counters: Sequence[stored.Counted]) -> int:
    """How many messages are missing in these counters."""
    return sum(_size(gap) for counted in counters for gap in counted.progress.gaps)


def _gateway(row: stored.GatewayRow, throttle: Throttle, denied: Denied) -> Gateway:
    return Gateway(
        id=row.id,
        name=Names(en=row.name_en, th=row.name_th),
        devices=row.devices,
        newest=None if row.newest is None else iso(row.newest),
        credential=_credential(row),
        status=None if row.status is None else _status(row.status),
        limit=RateLimit(
            messages_per_second=throttle.messages_per_second,
            beyond=throttle.beyond,
            wait_seconds=throttle.wait / SECOND,
        ),
        refused=_refused(denied),
        missing=missing(row.counters),
        counters=[_counter(counted) for counted in row.counters[:MOST_EPOCHS]],
    )


def _refused(denied: Denied) -> Refused:
    return Refused(
        publishes=denied.publishes,
        subscriptions=denied.subscriptions,
        logins=denied.logins,
        last=None if denied.last is None else iso(denied.last),
    )


def _credential(row: stored.GatewayRow) -> GatewayCredential | None:
    if row.issued_at is None:
        return None
    revoked = None if row.revoked_at is None else iso(row.revoked_at)
    return GatewayCredential(issued_at=iso(row.issued_at), revoked_at=revoked)


def _status(status: Status) -> GatewayStatus:
    return GatewayStatus(online=status.online, since=iso(status.since), firmware=status.firmware)


def _counter(counted: stored.Counted) -> Counter:
    progress = counted.progress
    return Counter(
        epoch=counted.epoch,
        through=progress.through,
        gaps=[Gap(first=gap.first, last=gap.last) for gap in progress.gaps[:MOST_GAPS]],
        gap_since=None if progress.gap_since is None else iso(progress.gap_since),
        lost=progress.lost,
        heard=iso(counted.heard_at),
    )


def _size(gap: Range) -> int:
    return gap.last - gap.first + 1
