"""The composition root: the only place that knows every part, and that knows what time it is.

`build` joins the parts that need neither network nor loop (scripted tests give it a clock of their
own); `running` adds broker, listener, forwarder and API, and takes them down in reverse order.
"""

import asyncio
import gc
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

import httpx
from prometheus_client.registry import Collector
from sqlalchemy import Engine as Database

import brokers
import chatting
import ruling
import telling
import upkeep
import watching
from alerts import escalation, maintenance, routing, rule_files, standards
from alerts.engine import Engine
from alerts.escalation import LadderEntry
from alerts.followup import Arrangements, FollowUp
from alerts.inquiry import Inquiry
from alerts.maintenance import WindowEntry
from alerts.muting import Relations
from alerts.notify.line_chat import ChatDesk
from alerts.notify.table import NOTIFIERS, ChannelEntry
from alerts.routing import Routes
from alerts.rules import Rule
from api.auth import new_key
from api.metrics import settle_seconds
from api.server import ApiContext, SystemStatus, Write, create_app
from backtesting import Backtests
from core import configuration, overrides
from core.access import Role
from core.alerts import Action, Transition
from core.catalogue import CATALOGUE
from core.configuration import Configuration
from core.errors import AndamanError, ConfigError, StartError
from core.links import Links
from core.messages import Message, Settled
from core.notices import Channel
from core.overrides import Effective, Overrides
from core.registry import Gateway, Unit
from core.settings import Settings
from core.times import MINUTE
from ingest import mqtt_retained, profiles, sources, strangers, units
from ingest.admission import Admission
from ingest.broker import BrokerAddress
from ingest.by_people import ByPeople
from ingest.clocks import Clocks
from ingest.dialects.table import DIALECTS
from ingest.follower import Follower
from ingest.limits import Limit, Limits
from ingest.mqtt import Listener
from ingest.pipeline import Pipeline
from ingest.profiles import NO_PROFILE, Profile
from ingest.quality.layers import explained
from ingest.quality.table import objections
from ingest.registry import Registry
from ingest.sources import Sources
from ingest.status import FILTER as STATUS_FILTER
from ingest.worker import Worker
from ruling import Changed, RuleDesk
from serving import LOCAL_FILE, keep, listening, local_file, serve
from storage.database import open_readers
from storage.forwarder import Forwarder
from storage.history import History, LedgerHistory
from storage.influx_address import InfluxAddress
from storage.joining import link_key
from storage.ledger import Ledger
from storage.outflow import read_outflow
from storage.refill import begin as begin_refill
from storage.registry import Change
from storage.rules import OwnRule
from upkeep import quietly

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def now() -> int:
    """The present, µs since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything that the files of one city say."""

    registry: Configuration
    profiles: Mapping[str, Profile]
    quality: Mapping[str, Overrides]  # by site
    rules: tuple[Rule, ...]
    sources: Sources
    windows: tuple[WindowEntry, ...]
    ladders: tuple[LadderEntry, ...]
    routes: Routes | None  # where nobody is told anything
    standards: Mapping[str, standards.Limit]

    def units(self) -> list[Unit]:
        """The devices of the files, as rules about silence see them."""
        return Registry(self.registry, self.profiles, []).units()

    def limits(self, device: str, parameter: str) -> Effective:
        """What is expected of readings of a device, and where each limit comes from.

        Raises:
            StartError: the files know no such device, or the catalogue no such parameter.
        """
        known = self.registry.devices.get(device)
        if known is None:
            raise StartError(f"{device} is not in devices.yaml; correct the name")
        if parameter not in CATALOGUE:
            raise StartError(f"{parameter} is not in the catalogue; see docs/parameters.md")
        profile = self.profiles.get(known.model, NO_PROFILE)
        return explained(parameter, profile, self.quality.get(known.site, {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The parts that hold what is known; no thread runs yet."""

    settings: Settings
    city: City
    ledger: Ledger
    readers: Database
    engine: Engine
    follow_up: FollowUp
    pipeline: Pipeline
    by_people: ByPeople
    rules: RuleDesk
    backtests: Backtests
    channels: Mapping[Channel, ChannelEntry]
    links: Links

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
        ("quality", partial(overrides.load, folder)),
        ("rules", partial(rule_files.load, folder, registry)),
        ("sources", partial(sources.load, folder, registry)),
        ("windows", partial(maintenance.load, folder)),
        ("ladders", partial(escalation.load, folder, {s.kind for s in registry.sites.values()})),
        ("standards", partial(standards.load, folder)),
    ):
        try:
            found[name] = load()
        except ConfigError as error:
            problems += error.problems
    levels = [level.name for ladder in found.get("ladders", ()) for level in ladder.levels]
    try:
        found["routes"] = routing.load(folder, registry.zone, registry.country, levels)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))  # rules look at standards as well
    return City(registry=registry, **found)


def build(
    settings: Settings,
    clock: Callable[[], int],
    channels: Mapping[Channel, ChannelEntry] = NOTIFIERS,
) -> System:
    """Read the configuration, open the ledger, take up where it stopped.

    Raises:
        ConfigError: before anything is opened.
        StartError: the data folder is taken, or cannot be written.
    """
    city = read_configuration(settings.config_dir)
    ledger = Ledger(settings.data_dir)
    try:
        known, gateways = ledger.register(city.registry), city.registry.gateways
        admission = Admission.of(gateways, settings.series_per_day, ledger.begun, clock())
        book, before = ruling.first_book(settings.config_dir, city.registry, ledger)
        engine = Engine(before, settings.lateness_minutes * MINUTE)
        arrangements = Arrangements(
            zone=city.registry.zone,
            windows=city.windows,
            ladders=city.ladders,
            inquiry=Inquiry(
                rules=lambda: desk.facts(),  # noqa: PLW0108
                objections=objections,
                zone=city.registry.zone,
                forwards=bool(settings.influx_url),
            ),
            relations=Relations.of(book.rules),
            telephone=telling.telephone(
                settings,
                city.routes,
                channels,
                lambda: desk.facts(),  # noqa: PLW0108
                city.registry.zone,
            ),
        )
        follow_up = FollowUp(ledger, arrangements)
        pipeline = Pipeline(
            Registry(known, city.profiles, ledger.series(), admission),
            city.sources,
            ledger,
            engine,
            sites=city.quality,
            limits=_limits(settings, gateways),
            clocks=Clocks(settings.clock_offset_seconds),
            clock=clock,
            forwards=bool(settings.influx_url),
            follow_up=follow_up,
        )
        engine.restore(ledger.states(), ledger.latest(), ledger.resumptions(), ledger.statuses())
        by_people = ByPeople(pipeline)
        desk = RuleDesk(settings.config_dir, city.registry, by_people, follow_up, book)
        desk.begin(before)
    except BaseException:
        ledger.close()
        raise
    readers = open_readers(settings.data_dir)
    return System(
        settings=settings,
        city=city,
        ledger=ledger,
        readers=readers,
        engine=engine,
        follow_up=follow_up,
        pipeline=pipeline,
        by_people=by_people,
        rules=desk,
        channels=channels,
        links=Links(link_key(ledger), settings.public_url),
        backtests=Backtests(readers, city.profiles, desk, settings.lateness_minutes * MINUTE),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A system that runs, and the ways into it."""

    system: System
    api_url: str
    broker: BrokerAddress
    write: Write

    async def reload_rules(self) -> None:
        """Read the files of rules again; when they have mistakes, the log says so and no more."""
        try:
            changed = await self.write(lambda _: self.system.rules.reload("signal"))
        except AndamanError as error:
            log.error("rules stay as they are:\n%s", error)
            return
        log.info("rules are read again; changed: %s", ", ".join(sorted(changed)) or "none")

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
        influx, outside = _influx_address(settings), brokers.outside(settings)
        system = build(settings, now)
        stack.callback(system.close)
        door = stack.enter_context(listening(settings))
        api_url = "http://{}:{}".format(*door.getsockname()[:2])

        broker = brokers.start(
            settings, outside, system.city.sources.all, system.ledger, system.readers, now()
        )
        stack.callback(broker.stop)

        begin_refill(system.ledger, influx.place if influx else "")
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
            host=broker.address.host,
            port=broker.address.port,
            username=broker.address.username,
            password=broker.address.password,
            client_id=broker.address.client_id,
            trust=broker.address.trust,
            topics=[STATUS_FILTER, *(source.filter for source in system.city.sources.all)],
            deliver=worker.deliver,
            connected=lambda at: upkeep.quietly(
                worker.submit(partial(system.pipeline.connected, at))
            ),
            disconnected=lambda _: quietly(worker.submit(system.pipeline.disconnected)),
            backlog=worker.backlog,
            clock=now,
        )
        gc.freeze()  # what was built stays: no collection need walk through it again
        worker.start()
        stack.callback(worker.stop)
        listener.start()
        stack.callback(listener.stop)

        forwarder, history = await _forwarding(stack, system, worker, influx)
        rate = upkeep.Rate()
        await keep(stack, upkeep.tick(tick, worker, broker, rate, now))
        for work in (
            upkeep.forget_old(system, worker, now),
            upkeep.review(system, worker),
            upkeep.when_idle(worker, units.load),
            watching.watch(system, worker, listener, now),
        ):
            await keep(stack, work)

        async def write(change: Callable[[Ledger], Result]) -> Result:
            return await asyncio.wrap_future(worker.submit(partial(change, system.ledger)))

        office = await telling.start(
            stack, system, write, now, partial(mqtt_retained.publish, broker.address)
        )
        chat = await chatting.start(stack, system, write, now)
        local = new_key()
        status = partial(
            upkeep.status, system, worker, listener, forwarder, broker, rate=rate, office=office
        )
        context = _context(
            system,
            write,
            history,
            local.hash,
            broker.follower,
            status=status,
            collectors=(settled, office.told),
            chat=chat,
        )
        await _serve(stack, system, worker, context, door)
        stack.enter_context(local_file(settings.data_dir, {"api": api_url, "key": local.text}))
        log.info("API on %s", api_url)
        yield Running(
            system=system,
            api_url=api_url,
            broker=broker.address,
            write=write,
        )


async def _serve(
    stack: AsyncExitStack, system: System, worker: Worker, context: ApiContext, door: socket
) -> None:
    """The API, and what it can measure for InfluxDB as well."""
    api = create_app(context)
    if system.settings.influx_url:
        await keep(stack, upkeep.tell_influx(system, worker, api.state.metrics, now))
    await serve(stack, api, door, system.settings.trusted_proxies)


async def ask(settings: Settings, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request, as an administrator, to the system that runs on the data folder; when none
    runs there, to one that is made for the moment, since only one process may write. A body that is
    not bytes is sent as JSON.

    Raises:
        ConfigError, StartError: none runs, and none could be made.
    """
    sent = {"content" if isinstance(body, bytes) else "json": body}
    local = settings.data_dir / LOCAL_FILE
    if local.exists():
        place = json.loads(local.read_text(encoding="utf-8"))
        headers = {"Authorization": f"Bearer {place['key']}"}
        with suppress(httpx.ConnectError):  # left behind by one that was killed
            async with httpx.AsyncClient(
                base_url=place["api"], headers=headers, timeout=60
            ) as client:
                return await client.request(method, path, **sent)
    system, key = build(settings, now), new_key()

    async def write(change: Callable[[Ledger], Result]) -> Result:
        return change(system.ledger)

    headers = {"Authorization": f"Bearer {key.text}"}
    try:
        sources = system.city.sources.all
        follower = brokers.follower_outside(settings, sources, system.ledger, system.readers)
        context = _context(system, write, LedgerHistory(system.readers), key.hash, follower)
        transport = httpx.ASGITransport(create_app(context))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://andaman", headers=headers
        ) as client:
            answer = await client.request(method, path, **sent)
        while method != "GET" and system.by_people.review():
            pass
        return answer
    finally:
        system.close()


def _context(
    system: System,
    write: Write,
    history: History,
    local_key_hash: str,
    follower: Follower | None,
    *,
    status: Callable[[], SystemStatus] = lambda: SystemStatus(checks={}),
    collectors: tuple[Collector, ...] = (),
    chat: ChatDesk | None = None,
) -> ApiContext:
    async def push(topic: bytes, payload: bytes) -> Settled:
        message = Message(topic, payload, now(), qos=1)
        return await write(lambda _: system.pipeline.settle_one(message))

    async def retry(entry: int, **how: Any) -> Settled | None:
        return await write(lambda _: system.pipeline.retry(entry, **how))

    async def enrol(change: Change[Result]) -> Result:
        return await write(lambda _: system.by_people.enrol(change))

    async def amend(change: Change[Result]) -> Result:
        return await write(lambda _: system.by_people.amend(change))

    async def act(action: Action) -> Transition | None:
        return await write(lambda _: system.by_people.act(action))

    async def reload_rules(by: str) -> Changed:
        return await write(lambda _: system.rules.reload(by))

    async def keep_rule(own: OwnRule, by: str, action: str) -> Changed:
        return await write(lambda _: system.rules.keep(own, by, action))

    async def remove_rule(rule: str, by: str) -> Changed:
        return await write(lambda _: system.rules.remove(rule, by))

    return ApiContext(
        readers=system.readers,
        history=history,
        write=write,
        enrol=enrol,
        amend=amend,
        push=push,
        retry=retry,
        admit=brokers.admit_through(system.settings, follower),
        traits=partial(
            strangers.traits, sources=system.city.sources, profiles=system.city.profiles
        ),
        dialects=frozenset(DIALECTS),
        clock=now,
        status=status,
        clocks=system.pipeline.clocks.all,
        throttle=lambda gateway: system.pipeline.limits.of(gateway, now()),
        rules=system.rules.facts,
        book=lambda: system.rules.book,
        backtest=system.backtests.run,
        reload_rules=reload_rules,
        keep_rule=keep_rule,
        remove_rule=remove_rule,
        catalogue=CATALOGUE,
        objections=objections,
        standing=system.follow_up.standing,
        act=act,
        links=system.links,
        channels=_ways_out(system),
        telephone=system.follow_up.arrangements.telephone,
        wake=system.follow_up.wake,
        ladders=system.city.ladders,
        chat=chat,
        zone=system.city.registry.zone,
        intervals={p.id: p.interval for p in system.city.profiles.values()},
        local_key_hash=local_key_hash,
        collectors=collectors,
        reserved=frozenset(
            filter(
                None, ["alerts", system.settings.mosquitto_dir and system.settings.mqtt_username]
            )
        ),
    )


def _ways_out(system: System) -> frozenset[Channel]:
    """The channels by which people are told; none where notify.yaml is not there."""
    if system.city.routes is None:
        return frozenset()
    return telling.ready(system.settings, system.channels)


async def _forwarding(
    stack: AsyncExitStack, system: System, worker: Worker, influx: InfluxAddress | None
) -> tuple[Forwarder | None, History]:
    """The way to InfluxDB and the past that it keeps; without it, the ledger's."""
    if influx is None:
        return None, LedgerHistory(system.readers)
    # It takes long to load, and the listener need not wait for it.
    from storage.influx import InfluxHistory, InfluxWriter  # noqa: PLC0415

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
    await keep(stack, forwarder.run(stop), stop.set)
    await keep(stack, upkeep.refill_influx(system, worker))
    return forwarder, history


def _limits(settings: Settings, gateways: Mapping[str, Gateway]) -> Limits:
    usual = Limit(
        per_second=settings.gateway_messages_per_second,
        burst_seconds=settings.gateway_burst_seconds,
    )
    own = {g.id: g.messages_per_second for g in gateways.values() if g.messages_per_second}
    return Limits(usual, own)


def _influx_address(settings: Settings) -> InfluxAddress | None:
    if not settings.influx_url:
        return None
    return InfluxAddress(
        url=settings.influx_url,
        org=settings.influx_org,
        bucket=settings.influx_bucket,
        token=settings.influx_token.get_secret_value(),
    )
