"""What goes on beside the readings while the system runs, and how every part is."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from api.server import Check, SystemStatus
from api.sites import state_of
from core.errors import StorageError
from core.times import DAY
from ingest.mqtt import Listener
from ingest.worker import Worker
from storage import bulletin, queries, subscribers
from storage.bulletin import Bulletin
from storage.forwarder import Forwarder, ForwarderHealth, ForwarderState
from storage.quarantine import forget
from storage.queries import snapshot
from storage.refill import refill, waiting

if TYPE_CHECKING:
    from app import System
    from brokers import Broker
    from telling import Office

log = logging.getLogger(__name__)

LOOP_AGE_LIMIT_SECONDS = 10.0  # beyond it the listener's thread hangs
REFILL_ROWS = 20  # rows of outflow that may wait while a refill goes on
TELL_SECONDS = 60
ALL = 1_000_000  # rows: a city has fewer sites and devices


class Rate:
    """Messages per second, smoothed over some ten seconds."""

    def __init__(self) -> None:
        self.per_second = 0.0
        self._last: tuple[int, float] | None = None

    def note(self, total: int, at: float) -> None:
        """So many messages in all by `at` (monotonic seconds)."""
        if self._last is not None and at > self._last[1]:
            fresh = (total - self._last[0]) / (at - self._last[1])
            self.per_second += 0.2 * (fresh - self.per_second)
        self._last = (total, at)


async def tick(
    step: Callable[[int], None],
    worker: Worker,
    broker: "Broker",
    rate: Rate,
    clock: Callable[[], int],
) -> None:
    """Once a second: time passes for the rules, and the broker is looked after."""
    last: Future[None] | None = None
    while True:
        if last is None or last.done():  # a ledger that refuses is told by the worker's health
            last = worker.submit(partial(step, clock()))
            quietly(last)
        await broker.check(clock())
        rate.note(worker.messages, time.monotonic())
        await asyncio.sleep(1)


async def refill_influx(system: "System", worker: Worker) -> None:
    """Bring an InfluxDB that does not know our past up to date, behind what is new."""
    more = True
    while more:
        if waiting(system.readers) > REFILL_ROWS:
            await asyncio.sleep(0.2)
            continue
        step = partial(refill, system.ledger, system.pipeline.registry.series)
        try:
            more = await asyncio.wrap_future(worker.submit(step))
        except StorageError as error:
            log.warning("filling InfluxDB waits: %s", error)
            await asyncio.sleep(5)


async def review(system: "System", worker: Worker) -> None:
    """Look again at stored readings where somebody asked for it, a little at a time."""
    while True:
        try:
            more = await asyncio.wrap_future(worker.submit(system.by_people.review))
        except StorageError as error:
            log.warning("a review of readings waits: %s", error)
            more = False
        except Exception:  # a mistake of ours: told, and tried again
            log.exception("a review of readings failed")
            await asyncio.sleep(60)
            more = False
        await asyncio.sleep(0 if more else 1)


async def forget_old(system: "System", worker: Worker, clock: Callable[[], int]) -> None:
    """Once an hour what is beyond its bounds is forgotten, a little at a time."""
    while True:
        try:
            more = await asyncio.wrap_future(worker.submit(partial(_forget, system, clock())))
        except StorageError as error:
            log.warning("what is old is kept: %s", error)
            more = 0
        await asyncio.sleep(1 if more else 3600)


def _forget(system: "System", now: int) -> int:
    """Of the quarantine, and of people who stopped or never answered; how much that was."""
    ledger, settings = system.ledger, system.settings
    entries = forget(
        ledger,
        older_than=now - settings.quarantine_days * DAY,
        most=settings.quarantine_entries,
    )
    people = subscribers.forget_old(
        ledger,
        now,
        stopped_before=now - settings.subscriber_days * DAY,
        asked_before=now - 3 * DAY,  # the word that would confirm it is good for two
    )
    return entries + people


async def tell_influx(
    system: "System", worker: Worker, metrics: CollectorRegistry, clock: Callable[[], int]
) -> None:
    """Once a minute InfluxDB is told how Andaman is, and of places, devices and rules."""
    told = Bulletin()
    while True:
        try:
            points, lines = await asyncio.to_thread(_bulletin, system, metrics, told, clock())
            add = partial(system.ledger.add_outflow, points, lines, {})
            await asyncio.wrap_future(worker.submit(add))
        except (StorageError, SQLAlchemyError) as error:
            log.warning("InfluxDB is not told how we are: %s", error)
        await asyncio.sleep(TELL_SECONDS)


def _bulletin(
    system: "System", metrics: CollectorRegistry, told: Bulletin, now: int
) -> tuple[int, bytes]:
    """Line protocol: every metric, and what is news of the rest."""
    samples = [
        (sample.name, sample.labels, sample.value)
        for metric in metrics.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    ]
    intervals = {p.id: p.interval for p in system.city.profiles.values()}
    with snapshot(system.readers) as connection:
        sites, devices = (
            queries.sites(connection, limit=ALL),
            queries.devices(connection, limit=ALL),
        )
    news = [
        *(bulletin.of_site(row, state_of(row, now)) for row in sites),
        *(bulletin.of_device(row, intervals.get(row.model)) for row in devices),
        *(bulletin.of_rule(rule, facts.name) for rule, facts in system.rules.facts().items()),
    ]
    said = [bulletin.encode_entries(bulletin.of_metrics(samples), now), told.lines(news, now)]
    return sum(points for points, _ in said), b"\n".join(lines for _, lines in said if lines)


async def when_idle(worker: Worker, call: Callable[[], object]) -> None:
    """Call it, in a thread of its own, once no messages wait: what was left behind while we were
    away comes first.
    """
    busy = True
    while busy:
        await asyncio.sleep(10)
        busy = worker.backlog() > 0
    await asyncio.to_thread(call)


def quietly(future: "Future[Any]") -> None:
    """Log what a handed-over function raises: nobody waits for it."""

    def look(done: "Future[Any]") -> None:
        if not done.cancelled() and done.exception() is not None:
            log.error("on the pipeline thread: %s", done.exception())

    future.add_done_callback(look)


def status(
    system: "System",
    worker: Worker,
    listener: Listener,
    forwarder: Forwarder | None,
    broker: "Broker",
    *,
    rate: Rate,
    office: "Office",
) -> SystemStatus:
    """How every part is, in words for a person."""
    work, ear = worker.health, listener.health
    hearing = ear.thread_alive and ear.connected and ear.loop_age_seconds < LOOP_AGE_LIMIT_SECONDS
    checks = {
        "ledger": Check(not work.failing, work.failing or "takes batches"),
        "pipeline": Check(work.alive, f"{work.backlog} messages wait"),
        "broker": Check(hearing, "connected" if hearing else ear.last_error or "not connected"),
        "rules": Check(
            not system.engine.disabled,
            "; ".join(f"{rule} is disabled: {why}" for rule, why in system.engine.disabled.items())
            or f"{len(system.city.rules)} rules run",
        ),
    }
    if broker.follower:
        unknown = broker.follower.failing
        checks["credentials"] = Check(not unknown, unknown or "the broker knows them")
    failing = system.follow_up.failing
    checks["messages"] = Check(not failing, failing or "planned with what happens")
    checks |= dict(office.checks())
    health = forwarder.health if forwarder else ForwarderHealth()
    if forwarder:
        well = health.state is ForwarderState.OK
        checks["influxdb"] = Check(well, "takes points" if well else health.last_error)
    ledger_bytes = 0
    with suppress(OSError):
        ledger_bytes = sum(f.stat().st_size for f in system.ledger.folder.glob("ledger.db*"))
    return SystemStatus(
        checks=checks,
        worker_backlog=work.backlog,
        listener_connected=ear.connected,
        listener_loop_age_seconds=ear.loop_age_seconds,
        forwarder=health,
        ledger_bytes=ledger_bytes,
        messages_per_second=rate.per_second,
        denied=broker.denials.seen if broker.denials else {},
    )
