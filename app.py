"""The composition root: the only place that knows every part, and that knows what time it is.

`build` joins the parts that need neither network nor loop (scripted tests give it a clock of their
own); `running` adds broker, listener, forwarder and API, and takes them down in reverse order.
"""

import asyncio
import errno
import gc
import json
import logging
import os
import random
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client.registry import Collector
from sqlalchemy import Engine as Database

from alerts import rules as alert_rules
from alerts.engine import Engine
from alerts.rules import Threshold
from api.auth import new_key
from api.metrics import settle_seconds
from api.server import ApiContext, Check, SystemStatus, Write, create_app
from core import configuration
from core.catalogue import CATALOGUE
from core.configuration import Configuration
from core.errors import ConfigError, StartError, StorageError
from core.model import MINUTE, Message, Role
from core.settings import Settings
from ingest import profiles, sources
from ingest.broker import BrokerAddress, EmbeddedBroker
from ingest.mqtt import Listener
from ingest.pipeline import Pipeline
from ingest.profiles import Profile
from ingest.registry import Registry
from ingest.sources import Sources
from ingest.worker import Worker
from storage.database import open_readers
from storage.forwarder import Forwarder, ForwarderHealth, ForwarderState
from storage.history import History, LedgerHistory
from storage.influx import InfluxAddress, InfluxHistory, InfluxWriter
from storage.ledger import Ledger
from storage.outflow import read_outflow
from storage.refill import refill, waiting

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LOCAL_FILE = "local.json"
LEAVE_SECONDS = 2.0  # a task may take this long to end
LOOP_AGE_LIMIT_SECONDS = 10.0  # beyond it the listener's thread hangs
REFILL_ROWS = 20  # rows of outflow that may wait while a refill goes on


def now() -> int:
    """The present, µs since 1970 UTC."""
    return time.time_ns() // 1000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything that the files of one city say."""

    registry: Configuration
    profiles: Mapping[str, Profile]
    rules: tuple[Threshold, ...]
    sources: Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The parts that hold what is known; no thread runs yet."""

    settings: Settings
    city: City
    ledger: Ledger
    readers: Database
    engine: Engine
    pipeline: Pipeline

    def close(self) -> None:
        """Give the data folder back."""
        self.readers.dispose()
        self.ledger.close()


def read_configuration(folder: Path) -> City:
    """Everything in `folder`, checked.

    Raises:
        ConfigError: with one line for each mistake.
    """
    registry = configuration.load(folder)
    problems: list[str] = []
    found: dict[str, Any] = {}
    for name, load in (
        ("profiles", partial(profiles.load, folder)),
        ("rules", partial(alert_rules.load, folder, registry)),
        ("sources", partial(sources.load, folder, registry)),
    ):
        try:
            found[name] = load()
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return City(registry=registry, **found)


def build(settings: Settings, clock: Callable[[], int]) -> System:
    """Read the configuration, open the ledger, take up where it stopped.

    Raises:
        ConfigError: before anything is opened.
        StartError: the data folder is taken, or cannot be written.
    """
    city = read_configuration(settings.config_dir)
    ledger = Ledger(settings.data_dir)
    try:
        ledger.register(city.registry)
        engine = Engine(city.rules, settings.lateness_minutes * MINUTE)
        pipeline = Pipeline(
            Registry(city.registry, city.profiles, ledger.series()),
            city.sources,
            ledger,
            engine,
            clock=clock,
            forwards=bool(settings.influx_url),
        )
        engine.restore(ledger.states(), ledger.latest())
    except BaseException:
        ledger.close()
        raise
    return System(
        settings=settings,
        city=city,
        ledger=ledger,
        readers=open_readers(settings.data_dir),
        engine=engine,
        pipeline=pipeline,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A system that runs, and the ways into it; no `gateway_secrets` where the broker is an outside
    one.
    """

    system: System
    api_url: str
    broker: BrokerAddress
    gateway_secrets: Mapping[str, str]
    write: Write

    async def create_key(self, role: Role, owner: str) -> str:
        """A new API key; its text is kept nowhere else."""
        key = new_key()
        await self.write(lambda ledger: ledger.add_key(key.id, key.hash, role, owner, now()))
        return key.text


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The whole system, up inside the block, down after it, in reverse order.

    Raises:
        ConfigError, StartError: nothing is left running.
    """
    async with AsyncExitStack() as stack:
        influx, outside = _influx_address(settings), _outside_broker(settings)
        system = build(settings, now)
        stack.callback(system.close)
        door = stack.enter_context(_listening(settings))
        api_url = "http://{}:{}".format(*door.getsockname()[:2])

        broker, address, credentials = _broker(system, outside)
        stack.callback(broker.stop if broker else _nothing)

        settled = settle_seconds()

        def settled_messages(messages: Sequence[Message]) -> None:
            listener.acknowledge(messages)
            send_receipts()

        def send_receipts() -> None:
            for topic, payload in system.pipeline.receipts.due(now()):
                listener.publish(topic, payload)

        def tick(at: int) -> None:
            system.pipeline.tick(at)
            send_receipts()

        worker = Worker(
            system.pipeline,
            settled_messages,
            most=settings.batch_messages,
            wait_seconds=settings.batch_milliseconds / 1000,
            settled=settled.observe,
        )
        listener = Listener(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            client_id=address.client_id,
            topics=[source.filter for source in system.city.sources.all],
            deliver=worker.deliver,
            connected=lambda at: _quietly(worker.submit(partial(system.pipeline.connected, at))),
            disconnected=lambda _: _quietly(worker.submit(system.pipeline.disconnected)),
            backlog=worker.backlog,
            clock=now,
        )
        gc.freeze()  # what was built stays: no collection need walk through it again
        worker.start()
        stack.callback(worker.stop)
        listener.start()
        stack.callback(listener.stop)

        forwarder, history = await _forwarding(stack, system, worker, influx)
        rate = Rate()
        await _task(stack, _tick(tick, worker, broker, rate))

        async def write(change: Callable[[Ledger], Result]) -> Result:
            return await asyncio.wrap_future(worker.submit(partial(change, system.ledger)))

        local = new_key()
        status = partial(_status, system, worker, listener, forwarder, rate)
        context = _context(system, write, history, local.hash, status, (settled,))
        await _serve(stack, create_app(context), door)
        stack.enter_context(_local_file(settings.data_dir, {"api": api_url, "key": local.text}))
        log.info("API on %s", api_url)
        yield Running(
            system=system,
            api_url=api_url,
            broker=address,
            gateway_secrets=credentials,
            write=write,
        )


async def ask(settings: Settings, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request, as an administrator, to the system that runs on the data folder; when none
    runs there, to one that is made for the moment, since only one process may write.

    Raises:
        ConfigError, StartError: none runs, and none could be made.
    """
    local = settings.data_dir / LOCAL_FILE
    if local.exists():
        place = json.loads(local.read_text(encoding="utf-8"))
        headers = {"Authorization": f"Bearer {place['key']}"}
        with suppress(httpx.ConnectError):  # left behind by one that was killed
            async with httpx.AsyncClient(base_url=place["api"], headers=headers) as client:
                return await client.request(method, path, json=body)
    system, key = build(settings, now), new_key()

    async def write(change: Callable[[Ledger], Result]) -> Result:
        return change(system.ledger)

    context = _context(system, write, LedgerHistory(system.readers), key.hash)
    headers = {"Authorization": f"Bearer {key.text}"}
    transport = httpx.ASGITransport(create_app(context))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://andaman", headers=headers
        ) as client:
            return await client.request(method, path, json=body)
    finally:
        system.close()


def _context(
    system: System,
    write: Write,
    history: History,
    local_key_hash: str,
    status: Callable[[], SystemStatus] = lambda: SystemStatus(checks={}),
    collectors: tuple[Collector, ...] = (),
) -> ApiContext:
    return ApiContext(
        readers=system.readers,
        history=history,
        write=write,
        clock=now,
        status=status,
        rules={rule.id: rule.name for rule in system.city.rules},
        catalogue=CATALOGUE,
        local_key_hash=local_key_hash,
        collectors=collectors,
    )


async def _forwarding(
    stack: AsyncExitStack, system: System, worker: Worker, influx: InfluxAddress | None
) -> tuple[Forwarder | None, History]:
    """The way to InfluxDB and the past that it keeps; without it, the ledger's."""
    if influx is None:
        return None, LedgerHistory(system.readers)
    writer, history = InfluxWriter(influx), InfluxHistory(influx)
    stack.callback(writer.close)
    stack.callback(history.close)
    forwarder = Forwarder(
        write=writer,
        outflow=partial(read_outflow, system.readers),
        ledger=system.ledger,
        submit=worker.submit,
        clock=now,
        monotonic=time.monotonic,
        jitter=random.random,
    )
    stop = asyncio.Event()
    await _task(stack, forwarder.run(stop), stop.set)
    await _task(stack, _refill(system, worker, f"{influx.url} {influx.org} {influx.bucket}"))
    return forwarder, history


def _broker(
    system: System, outside: BrokerAddress | None
) -> tuple[EmbeddedBroker | None, BrokerAddress, Mapping[str, str]]:
    """The embedded broker, started, or the address of the outside one."""
    settings = system.settings
    if outside is not None:
        return None, outside, {}
    broker = EmbeddedBroker(
        settings.data_dir / "broker",
        sorted(system.city.registry.gateways),
        settings.mqtt_port,
        sources=system.city.sources.all,
    )
    return broker, broker.start(), broker.credentials


def _outside_broker(settings: Settings) -> BrokerAddress | None:
    if not settings.mqtt_url:
        return None
    parts = urlsplit(settings.mqtt_url)
    try:
        port = parts.port or 1883
    except ValueError:
        port = 0
    if parts.scheme != "mqtt" or not parts.hostname or not port:
        raise ConfigError(["ANDAMAN_MQTT_URL cannot be used; write mqtt://host:1883"])
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        username=settings.mqtt_username,
        password=settings.mqtt_password.get_secret_value(),
        client_id=settings.mqtt_client_id,
    )


def _influx_address(settings: Settings) -> InfluxAddress | None:
    if not settings.influx_url:
        return None
    return InfluxAddress(
        url=settings.influx_url,
        org=settings.influx_org,
        bucket=settings.influx_bucket,
        token=settings.influx_token.get_secret_value(),
    )


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The API's socket, bound before broker and threads: a port in use is told at once."""
    place = (settings.api_host, settings.api_port)
    try:
        door = socket.create_server(place, backlog=512)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        words = f"port {place[1]} on {place[0]} cannot be used ({reason})"
        advice = "set ANDAMAN_API_PORT to a free one, or to 0"
        if error.errno != errno.EADDRINUSE:
            advice = "check ANDAMAN_API_HOST and ANDAMAN_API_PORT"
        raise StartError(f"{words}; {advice}") from error
    with door:
        yield door


class _Server(uvicorn.Server):
    """uvicorn, but for signals: those are the business of whoever runs the system."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(stack: AsyncExitStack, api: FastAPI, door: socket.socket) -> None:
    config = uvicorn.Config(
        api, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)

    def leave() -> None:
        server.should_exit = True

    task = await _task(stack, server.serve(sockets=[door]), leave)
    up = asyncio.create_task(server.up.wait())
    await asyncio.wait((task, up), return_when=asyncio.FIRST_COMPLETED)
    up.cancel()


async def _task(
    stack: AsyncExitStack, work: Coroutine[Any, Any, None], leave: Callable[[], None] | None = None
) -> "asyncio.Task[None]":
    """Run `work` until the stack unwinds; `leave` asks it to end, else it is cancelled."""
    task = asyncio.create_task(work)

    async def end() -> None:
        if leave is None:
            task.cancel()
        else:
            leave()
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(task, LEAVE_SECONDS)

    stack.push_async_callback(end)
    return task


async def _tick(
    tick: Callable[[int], None], worker: Worker, broker: EmbeddedBroker | None, rate: Rate
) -> None:
    """Once a second: time passes for the rules, and the broker is looked after."""
    last: Future[None] | None = None
    while True:
        if last is None or last.done():  # a ledger that refuses is told by the worker's health
            last = worker.submit(partial(tick, now()))
            _quietly(last)
        if broker is not None:
            broker.check()
        rate.note(worker.messages, time.monotonic())
        await asyncio.sleep(1)


async def _refill(system: System, worker: Worker, target: str) -> None:
    """Bring an InfluxDB that does not know our past up to date, behind what is new."""
    more = True
    while more:
        if waiting(system.readers) > REFILL_ROWS:
            await asyncio.sleep(0.2)
            continue
        step = partial(refill, system.ledger, system.pipeline.registry.series, target)
        try:
            more = await asyncio.wrap_future(worker.submit(step))
        except StorageError as error:
            log.warning("filling InfluxDB waits: %s", error)
            await asyncio.sleep(5)


def _quietly(future: "Future[Any]") -> None:
    """Log what a handed-over function raises: nobody waits for it."""

    def look(done: "Future[Any]") -> None:
        if not done.cancelled() and done.exception() is not None:
            log.error("on the pipeline thread: %s", done.exception())

    future.add_done_callback(look)


def _status(
    system: System,
    worker: Worker,
    listener: Listener,
    forwarder: Forwarder | None,
    rate: Rate,
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
    health = forwarder.health if forwarder else ForwarderHealth()
    if forwarder:
        well = health.state is ForwarderState.OK
        checks["influxdb"] = Check(well, "takes points" if well else health.last_error)
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
    )


@contextmanager
def _local_file(folder: Path, content: Mapping[str, str]) -> Iterator[None]:
    """`local.json`: how the command line on this machine reaches the system that runs here."""
    path = folder / LOCAL_FILE
    write_private(path, json.dumps(content))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file at one stroke, readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def _nothing() -> None:
    pass
