"""`/v1/subscribers`: who asked to be told; officers keep the list, an administrator deletes."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from alerts.personal import message
from alerts.subscribing import ways
from api.auth import Standing
from api.budget import doors_of
from api.context import ApiContext, Context, patiently
from api.deliveries import answer
from api.problems import ApiError, bad_parameter
from api.shapes import Id, cut, position_of
from api.subscriber_shapes import (
    AskedCode,
    AskedSubscribers,
    AskedSubscriptions,
    ChannelName,
    Code,
    Export,
    Happened,
    SubscriberAnswer,
    Subscribers,
    SubscriptionsAnswer,
    TestMessage,
    present,
    shown_subscription,
)
from api.wishes import AskedChange, AskedSubscriber, check_targets
from core.errors import RegistryError
from core.groups import Planned
from core.notices import Channel, NoticeReason
from core.subscribers import Consent, ConsentWay, Subscriber, masked
from core.times import iso
from storage import audit, deliveries, joining, labels, notices, queries, subscribers
from storage.changes import note
from storage.deliveries import DeliveryFilter
from storage.joining import Purpose
from storage.ledger import Ledger

log = logging.getLogger(__name__)

router = APIRouter(tags=["Subscribers"])

Result = TypeVar("Result")


@router.get("/subscribers")
def list_subscribers(context: Context, asked: Annotated[AskedSubscribers, Query()]) -> Subscribers:
    """Who asked to be told, and whether they can be reached."""
    after = position_of(asked.cursor, int, str)
    place = None if after is None else (after[0], after[1])
    with queries.snapshot(context.readers) as connection:
        found = subscribers.subscribers(connection, after=place, limit=asked.limit + 1)
        rows, following = cut(found, asked.limit, lambda one: (one.made_at, one.id))
        items = [
            present(connection, one, address=masked)
            for one in rows
            if asked.state in {None, one.state.value}
        ]
    return Subscribers(items=items, next=following)


@router.get("/subscribers/{subscriber}")
def get_subscriber(context: Context, subscriber: Id) -> SubscriberAnswer:
    """One of them, with their addresses."""
    with queries.snapshot(context.readers) as connection:
        return present(connection, known(connection, subscriber))


@router.post("/subscribers", status_code=201)
async def create_subscriber(
    context: Context, asked: AskedSubscriber, request: Request
) -> SubscriberAnswer:
    """Put down somebody who agreed to be told; they can stop at any time."""
    at, by = context.clock(), request.state.caller.key
    consent = Consent(at=at, way=ConsentWay.OFFICER)
    bare = Subscriber(id=subscribers.new_id(), made_at=at, consent=consent)
    made = asked.subscriber(bare)

    def change(ledger: Ledger) -> None:
        with ledger.transaction() as connection:
            check_targets(made.subscriptions, labels.places(connection))
            subscribers.add(ledger, made, by=by, at=at)

    await written(context, change)
    return await _shown(context, made.id)


@router.patch("/subscribers/{subscriber}")
async def change_subscriber(
    context: Context, subscriber: Id, asked: AskedChange, request: Request
) -> SubscriberAnswer:
    """Change what somebody wants to hear, when and how."""
    at = context.clock()
    return await _changed(context, subscriber, request, lambda before: asked.changed(before, at))


@router.delete("/subscribers/{subscriber}", status_code=204)
async def remove_subscriber(context: Context, subscriber: Id, request: Request) -> None:
    """Delete all that is kept of a person; it cannot be undone."""
    at, by = context.clock(), request.state.caller.key
    if not await written(
        context, lambda ledger: subscribers.remove(ledger, subscriber, by=by, at=at)
    ):
        raise _nobody()
    log.info("subscriber %s removed by %s", subscriber, by)


@router.get("/subscribers/{subscriber}/export")
def export_subscriber(context: Context, subscriber: Id) -> Export:
    """All that is kept of a person, for them to take along."""
    with queries.snapshot(context.readers) as connection:
        one = present(connection, known(connection, subscriber))
        lines = audit.lines(connection, subject=subscriber)
        wanted = DeliveryFilter(subscriber=subscriber)
        sent = deliveries.list_deliveries(connection, wanted, limit=None)
    history = [Happened(at=iso(x.at), action=x.action, by=x.key, detail=x.detail) for x in lines]
    return Export(
        subscriber=one, deliveries=[answer(delivery) for delivery in sent], history=history
    )


@router.get("/subscribers/{subscriber}/subscriptions")
def get_subscriptions(context: Context, subscriber: Id) -> SubscriptionsAnswer:
    """What somebody hears of."""
    with queries.snapshot(context.readers) as connection:
        found = known(connection, subscriber).subscriptions
    return SubscriptionsAnswer(items=[shown_subscription(one) for one in found])


@router.put("/subscribers/{subscriber}/subscriptions")
async def set_subscriptions(
    context: Context, subscriber: Id, asked: AskedSubscriptions, request: Request
) -> SubscriptionsAnswer:
    """Make this all that somebody hears of."""
    wishes = tuple(one.subscription() for one in asked.items)
    changed = await _changed(
        context, subscriber, request, lambda before: replace(before, subscriptions=wishes)
    )
    return SubscriptionsAnswer(items=changed.subscriptions)


@router.post("/subscribers/{subscriber}/test", status_code=202)
async def send_test(context: Context, subscriber: Id, request: Request) -> TestMessage:
    """Send a test message to a subscriber, by the way by which an alert would go."""
    at, caller = context.clock(), request.state.caller
    with queries.snapshot(context.readers) as connection:
        one = known(connection, subscriber)
    contact = next((c for c in ways(one) if c.channel in context.channels), None)
    if contact is None:
        words = f"They cannot be told anything now: {one.state}, or the channel is not set up."
        raise ApiError("conflict", words)
    doors_of(request).tested.require(subscriber, at)
    doors_of(request).tester.require(caller.key, at)
    test = message(one, contact, NoticeReason.TEST, at)

    def plan(ledger: Ledger) -> None:
        with ledger.transaction() as connection:
            notices.keep(connection, Planned(notices=[test]))
            note(connection, at, caller.key, "subscriber-tested", subscriber)

    await written(context, plan)
    channel: ChannelName = "line" if contact.channel is Channel.LINE else "email"
    return TestMessage(delivery=test.parcels[0].id, channel=channel)


@router.post("/subscribers/{subscriber}/code", status_code=201)
async def make_code(context: Context, subscriber: Id, asked: AskedCode, request: Request) -> Code:
    """Make a code that links a LINE account to a subscriber and an officer's key, once."""
    at, caller = context.clock(), request.state.caller
    key = asked.key or caller.key
    with queries.snapshot(context.readers) as connection:
        known(connection, subscriber)
        row = queries.key(connection, key)
    if key != caller.key and caller.standing < Standing.ADMIN:
        raise ApiError("not-allowed", "Only an administrator names another key than their own.")
    if row is None or row.revoked_at is not None or Standing.of(row.role) < Standing.OFFICER:
        raise bad_parameter("key", "should be the id of an officer's key in force; see /v1/keys")
    code = joining.new_word(Purpose.LINK)
    await written(
        context,
        lambda ledger: joining.keep_word(ledger, code, Purpose.LINK, subscriber, at=at, key=key),
    )
    return Code(code=code, expires_at=iso(at + Purpose.LINK.lasts))


def known(connection: Connection, identifier: str) -> Subscriber:
    """The subscriber.

    Raises:
        ApiError: there is none.
    """
    found = subscribers.subscriber(connection, identifier)
    if found is None:
        raise _nobody()
    return found


async def written(context: ApiContext, change: Callable[[Ledger], Result]) -> Result:
    """Change the ledger.

    Raises:
        ApiError: it cannot be so, or it took too long.
    """
    try:
        return await patiently(context, context.write(change))
    except RegistryError as error:
        raise ApiError(error.kind, str(error), field=error.field) from error


async def _changed(
    context: ApiContext,
    identifier: str,
    request: Request,
    edit: Callable[[Subscriber], Subscriber],
) -> SubscriberAnswer:
    at, by = context.clock(), request.state.caller.key

    def checked(before: Subscriber, connection: Connection) -> Subscriber:
        after = edit(before)
        if after.subscriptions != before.subscriptions:
            check_targets(after.subscriptions, labels.places(connection))
        return after

    def change(ledger: Ledger) -> Subscriber | None:
        with ledger.transaction() as connection:
            return subscribers.change(
                ledger, identifier, lambda before: checked(before, connection), by=by, at=at
            )

    if await written(context, change) is None:
        raise _nobody()
    return await _shown(context, identifier)


async def _shown(context: ApiContext, identifier: str) -> SubscriberAnswer:
    return await run_in_threadpool(get_subscriber, context, identifier)


def _nobody() -> ApiError:
    words = "There is no subscriber with this id; /v1/subscribers lists them."
    return ApiError("not-found", words)
