"""`/v1/deliveries`: what went out to whom, what came of it, and another try."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.context import ApiContext, Context, patiently
from api.notices import NoticeReasonName
from api.problems import ApiError
from api.shapes import Answer, AskedPage, Id, Page, SeverityName, Time, cut, example, position_of
from core.notices import Channel
from core.subscribers import masked
from core.times import SECOND, iso
from storage import deliveries, outbox, queries
from storage.changes import note
from storage.deliveries import DeliveryFilter, DeliveryRow
from storage.ledger import Ledger

router = APIRouter(prefix="/deliveries", tags=["Notifications"])

ChannelName = Literal["email", "line", "mqtt", "webhook"]
DeliveryState = Literal["waiting", "sent", "dead", "replaced", "dropped"]

_DELIVERY = {
    "id": "9e2b6c1a-3f4d-4c5b-8a7e-1d2c3b4a5f60",
    "notice": "5f0c9a52-6d8e-4a57-9a56-0f9b1c2d3e4f",
    "reason": "first",
    "severity": "critical",
    "alerts": 1,
    "channel": "line",
    "address": "U4af…",
    "language": "th",
    "subscriber": "s1f9c2b3a4d5e6f70",
    "state": "sent",
    "attempts": 1,
    "made_at": "2026-11-22T00:55:00Z",
    "planned_for": "2026-11-22T00:55:00Z",
    "next_try_at": None,
    "settled_at": "2026-11-22T00:55:00.800000Z",
    "seconds": 0.8,
    "words": "",
}


class Delivery(Answer):
    """One message to one recipient."""

    model_config = example(_DELIVERY)

    id: str
    notice: str = Field(description="What it tells: /v1/notices/{id}.")
    reason: NoticeReasonName
    severity: SeverityName
    alerts: int
    channel: ChannelName
    address: str = Field(description="Only as much of it as tells addresses apart.")
    language: Literal["en", "th"]
    subscriber: str | None
    state: DeliveryState = Field(
        description="waiting; sent: the server took it; dead: given up; replaced: told in a digest "
        "or by another way; dropped: an all-clear for who never heard of the alert, or who stopped."
    )
    attempts: int
    made_at: Time
    planned_for: Time
    next_try_at: Time | None = Field(description="While it waits.")
    settled_at: Time | None
    seconds: float | None = Field(
        description="From when the oldest of its news was recorded until a server took it."
    )
    words: str = Field(description="Of the server, where it refused.")


class Deliveries(Page[Delivery]):
    """Deliveries, the newest first."""


class AskedDeliveries(AskedPage):
    """Which deliveries."""

    alert: Id | None = Field(None, description="Only those that tell of this alert.")
    channel: ChannelName | None = Field(None, description="Only by this channel.")
    state: DeliveryState | None = Field(None, description="Only in this state.")
    subscriber: Id | None = Field(None, description="Only to this subscriber.")
    notice: Id | None = Field(None, description="Only of this notice.")


@router.get("")
def list_deliveries(context: Context, asked: Annotated[AskedDeliveries, Query()]) -> Deliveries:
    """What went out to whom."""
    position = position_of(asked.cursor, int, str)
    before = None if position is None else (position[0], position[1])
    wanted = DeliveryFilter(**asked.model_dump(exclude={"limit", "cursor"}))
    with queries.snapshot(context.readers) as connection:
        found = deliveries.list_deliveries(connection, wanted, before=before, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.position, row.id))
    return Deliveries(items=[answer(row) for row in rows], next=following)


@router.get("/{delivery}")
def get_delivery(context: Context, delivery: Id) -> Delivery:
    """One delivery."""
    return _present(context, delivery)


@router.post("/{delivery}/retry")
async def retry_delivery(context: Context, request: Request, delivery: Id) -> Delivery:
    """Send what was given up once more."""
    _present(context, delivery)
    key = request.state.caller.key

    def again(ledger: Ledger) -> bool:
        at = context.clock()
        with ledger.transaction() as connection:
            done = outbox.retry(connection, delivery, at)
            if done:
                note(connection, at, key, "delivery-retried", delivery)
            return done

    if not await patiently(context, context.write(again)):
        words = "Only what is dead can be tried again; see its state."
        raise ApiError("conflict", words)
    context.wake()
    return _present(context, delivery)


def _present(context: ApiContext, delivery: str) -> Delivery:
    with queries.snapshot(context.readers) as connection:
        row = deliveries.delivery(connection, delivery)
    if row is None:
        words = "There is no delivery with this id; /v1/deliveries lists them."
        raise ApiError("not-found", words)
    return answer(row)


def answer(row: DeliveryRow) -> Delivery:
    """A delivery as it is shown."""
    settled = None if row.settled_at is None else row.settled_at
    took = row.state == "sent" and settled is not None
    return Delivery.model_validate(
        {
            "id": row.id,
            "notice": row.notice,
            "reason": row.reason.value,
            "severity": row.severity.label,
            "alerts": row.alerts,
            "channel": row.channel.value,
            "address": shown(row.channel, row.address),
            "language": row.language,
            "subscriber": row.subscriber or None,
            "state": row.state,
            "attempts": row.attempts,
            "made_at": iso(row.made_at),
            "planned_for": iso(row.planned_for),
            "next_try_at": iso(row.due_at) if row.state == "waiting" else None,
            "settled_at": None if settled is None else iso(settled),
            "seconds": (settled - row.news_at) / SECOND if took and settled is not None else None,
            "words": row.words,
        }
    )


def shown(channel: Channel, address: str) -> str:
    """An address as far as lists show it: enough to tell it from others, not enough to use it.

    >>> shown(Channel.WEBHOOK, "https://hooks.example.org/T0/secret")
    'https://hooks.example.org/…'
    """
    if channel is Channel.WEBHOOK:
        url = urlsplit(address)
        return f"{url.scheme}://{url.hostname}/…"
    return address if channel is Channel.MQTT else masked(address)
