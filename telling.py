"""Telling people, as the composition root joins it: a task for each channel, and one that looks
after them: whether they get on, and a daily sign of life to whoever looks after the system.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import time
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx
from prometheus_client import Histogram

from alerts.audience import Audience
from alerts.explanation import RuleFacts
from alerts.fallback import Fallback
from alerts.notify.guard import Guard, networks
from alerts.notify.mqtt import Publish
from alerts.notify.table import ChannelEntry, Means, Notifier
from alerts.operations import NOTIFY_PAUSED, NOTIFY_STALLED
from alerts.outbox import Outbox, Write
from alerts.planning import Telephone, plain
from alerts.routing import Routes
from alerts.subscribing import next_digest
from api.context import Check
from core.errors import StorageError
from core.notices import Channel, NoticeReason
from core.settings import Settings
from core.times import DAY, HOUR, MINUTE
from serving import keep
from storage import deliveries, notices
from storage.ledger import Ledger
from storage.outbox import bring_back, release_all

if TYPE_CHECKING:
    from app import System

log = logging.getLogger(__name__)

HTTP_SECONDS = 20.0
LOOK_SECONDS = 10.0
_BUCKETS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


def told_seconds() -> Histogram:
    """How long each message took, for the API to show as one of its collectors."""
    words = "From when a message was planned until a server took it."
    return Histogram("andaman_told_seconds", words, ["channel"], buckets=_BUCKETS, registry=None)


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


def not_set_up(routes: Routes | None, usable: frozenset[Channel]) -> Sequence[Channel]:
    """Channels to which notify.yaml names addresses, but which have not what they need."""
    receivers = routes.receivers.values() if routes else ()
    named = {channel for receiver in receivers for channel, _ in receiver.addresses}
    return sorted(named - usable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The outboxes of a running system; without any, nobody is told anything."""

    outboxes: Sequence[Outbox] = ()
    idle: Sequence[Channel] = ()
    told: Histogram = field(default_factory=told_seconds)

    def wake(self) -> None:
        """Have what is due sent at once; to be called on the event loop."""
        for outbox in self.outboxes:
            outbox.wake()

    def checks(self) -> Iterator[tuple[str, Check]]:
        """How each channel is, for readiness."""
        for outbox in self.outboxes:
            circuit = outbox.circuit
            well = not (circuit.paused or circuit.until)
            yield f"notify-{outbox.channel}", Check(well, "sends" if well else circuit.words)
        for channel in self.idle:
            words = "addresses are named in notify.yaml, but the channel is not set up"
            yield f"notify-{channel}", Check(True, words)


async def start(
    stack: AsyncExitStack,
    system: "System",
    write: Write,
    clock: Callable[[], int],
    publish: Publish,
) -> Office:
    """Send what is planned, until the stack unwinds."""
    phone = system.follow_up.arrangements.telephone
    idle = not_set_up(system.city.routes, phone.channels if phone else frozenset())
    if phone is None:
        return Office(idle=idle)
    await write(_release)
    told = told_seconds()
    means = Means(
        settings=system.settings,
        routes=phone.routes,
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
            lives=system.settings.digest_hours * HOUR,
            sent=lambda channel, seconds: told.labels(channel.value).observe(seconds),
        )
        for name, notifier in _notifiers(system, means)
    ]
    office = Office(outboxes=outboxes, idle=idle, told=told)
    loop = asyncio.get_running_loop()
    system.follow_up.wake = lambda: _quietly(loop, office.wake)
    stack.callback(setattr, system.follow_up, "wake", lambda: None)
    for outbox in outboxes:
        await keep(stack, outbox.run())
    await keep(stack, _look_after(system, office, write, clock))
    return office


def _quietly(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Have it called on the loop, unless that has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


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


async def _look_after(
    system: "System", office: Office, write: Write, clock: Callable[[], int]
) -> None:
    """Tell of channels that are closed or stuck, give the daily sign of life, forget the old."""
    since = clock()
    while True:
        try:
            await write(partial(look, system, office, since, clock()))
        except StorageError as error:
            log.warning("how notifying goes is not recorded: %s", error)
        office.wake()
        await asyncio.sleep(LOOK_SECONDS)


def look(system: "System", office: Office, since: int, now: int, ledger: Ledger) -> None:
    """What there is to say at `now` of a system that started at `since`, µs."""
    paused = {f"channel/{o.channel}": 1.0 for o in office.outboxes if o.circuit.paused}
    system.pipeline.report(NOTIFY_PAUSED, paused)
    system.pipeline.report(NOTIFY_STALLED, stalled(system, ledger, now))
    give_sign(system, ledger, since, now)
    with ledger.transaction() as connection:
        notices.forget(connection, now - system.settings.notice_days * DAY)
        bring_back(connection, now)


def stalled(system: "System", ledger: Ledger, now: int) -> Mapping[str, float]:
    """Channels whose oldest message waits for too long, and for how many minutes."""
    with ledger.transaction() as connection:
        found = deliveries.waiting(connection, now - system.settings.stalled_minutes * MINUTE)
    return {
        f"channel/{name}": float((now - one.since) // MINUTE)
        for name, one in found.items()
        if one.since is not None
    }


def give_sign(system: "System", ledger: Ledger, since: int, now: int) -> None:
    """The sign of life to operations, once a day; `since` is when the system started, µs."""
    phone = system.follow_up.arrangements.telephone
    if phone is None or phone.routes.operations is None:
        return
    receiver = phone.routes.receivers[phone.routes.operations]
    clock, zone = time(system.settings.heartbeat_hour), system.city.registry.zone
    with ledger.transaction() as connection:
        last = notices.last_made(connection, NoticeReason.HEARTBEAT)
        if now < next_digest(clock, since if last is None else last, zone):
            return
        planned = plain(phone, receiver, NoticeReason.HEARTBEAT, now)
        if planned is not None:
            notices.keep(connection, planned)
