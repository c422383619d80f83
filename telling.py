"""Telling people, as the composition root joins it: a task for each channel."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx

from alerts.audience import Audience
from alerts.explanation import RuleFacts
from alerts.fallback import Fallback
from alerts.notify.guard import Guard, networks
from alerts.notify.mqtt import Publish
from alerts.notify.table import ChannelEntry, Means, Notifier
from alerts.outbox import Outbox, Write
from alerts.planning import Telephone
from alerts.routing import Routes
from core.notices import Channel
from core.settings import Settings
from serving import keep
from storage.ledger import Ledger
from storage.outbox import release_all

if TYPE_CHECKING:
    from app import System

HTTP_SECONDS = 20.0


def ready(settings: Settings, channels: Mapping[Channel, ChannelEntry]) -> frozenset[Channel]:
    """The channels that are set up."""
    return frozenset(name for name, entry in channels.items() if entry.is_set_up(settings))


def telephone(
    settings: Settings,
    routes: Routes | None,
    channels: Mapping[Channel, ChannelEntry],
    rules: Callable[[], Mapping[str, RuleFacts]],
    zone: ZoneInfo,
) -> Telephone | None:
    """What planning goes by; None where nobody is to be told, or cannot be."""
    usable = ready(settings, channels)
    if not (routes and usable):
        return None
    audience = Audience(zone, usable)
    return Telephone(routes=routes, rules=rules, channels=usable, audience=audience)


async def start(
    stack: AsyncExitStack,
    system: "System",
    write: Write,
    clock: Callable[[], int],
    publish: Publish,
) -> Sequence[Outbox]:
    """Send what is planned, until the stack unwinds."""
    routes = system.city.routes
    if routes is None:
        return ()
    await write(_release)
    means = Means(
        settings=system.settings,
        routes=routes,
        zone=system.city.registry.zone,
        http=await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS)),
        guarded=await stack.enter_async_context(_guarded(system.settings)),
        publish=publish,
        links=system.links,
        readers=system.readers,
        clock=clock,
    )
    outboxes = [
        Outbox(
            name,
            notifier,
            readers=system.readers,
            write=write,
            clock=clock,
            fallback=Fallback(ready(system.settings, system.channels)),
        )
        for name, notifier in _notifiers(system, means)
    ]
    loop = asyncio.get_running_loop()

    def wake() -> None:
        for outbox in outboxes:
            loop.call_soon_threadsafe(outbox.wake)

    system.follow_up.wake = wake
    stack.callback(setattr, system.follow_up, "wake", lambda: None)
    for outbox in outboxes:
        await keep(stack, outbox.run())
    return outboxes


def _guarded(settings: Settings) -> httpx.AsyncClient:
    """Its ways inside are those that the operator allows."""
    return httpx.AsyncClient(transport=Guard(networks(settings.webhook_allow)))


def _notifiers(system: "System", means: Means) -> Iterator[tuple[Channel, Notifier]]:
    for name, entry in system.channels.items():
        if entry.is_set_up(system.settings):
            yield name, entry.make(means)


def _release(ledger: Ledger) -> None:
    """Whoever had claimed parcels in this folder is gone: only one process writes there."""
    with ledger.transaction() as connection:
        release_all(connection)
