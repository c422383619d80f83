"""`andaman demo`: the whole system on this machine, with a simulated Phuket behind it.

It starts Andaman with its embedded broker on free ports, fills in what is missing of the last 48
hours, then goes live with a spill, dust and a bin that overflows. What it shows comes from
the HTTP API; what it sends goes over MQTT with the gateways' own credentials.
"""

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

import app
from core import configuration
from core.access import Role
from core.errors import StartError
from core.settings import Settings
from core.times import to_micros
from simulators import friends
from simulators.chance import Chance
from simulators.coast import CLOSE, HISTORY, Coast, Plan, coast_of, densely, lively, script
from simulators.fleet import Fleet, Place
from simulators.gateways import Gateway, Sample
from simulators.screen import View, alert_words, items, look, picture, summary, with_lines
from simulators.stand_ins.line import Line
from simulators.stand_ins.line_platform import Platform

OWNER = "demo"
SEED = 83  # Phuket is TH-83
BULK = 50  # samples in one message of history: some 15 KB, the limit is 64 KiB
SETTLE_SECONDS = 60.0
TURN_SECONDS = 0.02  # between two looks at the gateways' connections
LAST_LOOK_SECONDS = 2
TERMINAL_EVERY, PLAIN_EVERY = 1.0, 10.0
NEWEST_TOLD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The way into a running system, and the coast that reports to it."""

    api_url: str
    broker: Place
    key: str
    api: httpx.AsyncClient
    coast: Coast
    secrets: Mapping[str, str]
    fleet: Fleet
    console: Console
    line: Platform | None = None  # where people are told who are not there


def run(seconds: float | None, data: Path, ready_file: Path | None) -> int:
    """Run the demo on the data folder until Ctrl-C, SIGTERM or `seconds` after going live.

    `ready_file` is written when live: API address and key, broker and gateways' credentials.

    Raises:
        ConfigError: before anything is started.
        StartError: a part could not start.
    """
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
    asyncio.run(_until_told(_demo(seconds, data, ready_file)))
    return 0


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`; the first SIGINT or SIGTERM cancels it, further ones do not hurry its clean-up."""
    task = asyncio.ensure_future(work)
    told = False

    def stop() -> None:
        nonlocal told
        if not told:
            told = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await task


def simulate(api_url: str, key: str, broker: Place, seconds: float | None) -> int:
    """Let the simulated coast of the configuration report to a system that runs already, until
    Ctrl-C, SIGTERM or `seconds` after going live. Its gateways get new secrets with the `key` of an
    administrator.

    Raises:
        ConfigError, StartError: nothing was sent.
    """
    asyncio.run(_until_told(_simulate(api_url, key, broker, seconds)))
    return 0


async def _simulate(api_url: str, key: str, broker: Place, seconds: float | None) -> None:
    folder = Settings().config_dir
    try:
        async with _coast(api_url, key, broker, folder, Console()) as coast:
            live, demo = await _catch_up(coast)
            await _live(demo, live, seconds)
    except httpx.HTTPStatusError as error:
        words = f"{api_url} refuses ({error.response.status_code}); is the key an administrator's?"
        raise StartError(words) from error
    except httpx.HTTPError as error:
        raise StartError(f"{api_url} does not answer; is Andaman up?") from error


async def _demo(seconds: float | None, data: Path, ready_file: Path | None) -> None:
    console = Console()
    own: dict[str, Any] = {"data_dir": data, "api_port": 0, "mqtt_port": 0, "mqtt_url": ""}
    async with AsyncExitStack() as stack:
        console.print("Andaman starts …")
        line = stack.enter_context(Line(friends.platform()))
        platform = line.platform
        own |= {"line_url": line.url, "line_token": platform.token, "line_secret": platform.secret}
        settings = Settings(**own)
        running = await stack.enter_async_context(app.running(settings))
        key = await running.create_key(Role.ADMIN, OWNER)
        broker = Place(running.broker.host, running.broker.port)
        coast = _coast(running.api_url, key, broker, settings.config_dir, console)
        demo = await stack.enter_async_context(coast)
        await _end_older_keys(demo)
        await friends.join(platform, running.api_url)
        live, demo = await _catch_up(replace(demo, line=platform))
        if ready_file is not None:
            write_ready_file(ready_file, ready(demo))
        await _live(demo, live, seconds)


@asynccontextmanager
async def _coast(
    api_url: str, key: str, broker: Place, config_dir: Path, console: Console
) -> AsyncIterator[Demo]:
    """The coast with its gateways, each with a new secret; they stop at the end."""
    city = configuration.load(config_dir)
    async with AsyncExitStack() as stack:
        headers = {"Authorization": f"Bearer {key}"}
        client = httpx.AsyncClient(base_url=api_url, headers=headers, timeout=10)
        api = await stack.enter_async_context(client)
        issued = {name: await _issue(api, name) for name in sorted(city.gateways)}
        demo = Demo(
            api_url=api_url,
            broker=broker,
            key=key,
            api=api,
            coast=coast_of(city.sites, city.devices.values(), Chance(SEED)),
            secrets=issued,
            fleet=_fleet(broker, issued),
            console=console,
        )
        stack.callback(demo.fleet.close)
        yield demo


async def _end_older_keys(demo: Demo) -> None:
    """Earlier runs on the same data each made a key; only this one's is of use now."""
    for key in await items(demo.api, "/v1/keys"):
        if key["owner"] == OWNER and key["revoked_at"] is None and key["id"] not in demo.key:
            await demo.api.delete(f"/v1/keys/{key['id']}")


async def _issue(api: httpx.AsyncClient, gateway: str) -> str:
    """A new secret of the gateway: those of earlier runs are known to nobody."""
    answer = await api.post(f"/v1/gateways/{gateway}/rotate")
    return str(answer.raise_for_status().json()["secret"])


def _fleet(broker: Place, credentials: Mapping[str, str]) -> Fleet:
    epoch = f"{int(time.time()):x}"
    return Fleet(broker, [Gateway(name, epoch=epoch) for name in credentials], credentials)


async def _catch_up(demo: Demo) -> tuple[int, Demo]:
    """Fill in the past; returns the moment of going live and the demo with its script.

    The script begins in the last minutes before that moment, which is known only when the long
    history is in.
    """
    begin = app.now()
    since = await _newest(demo, begin)
    history = demo.coast.plan(since, begin - CLOSE, demo.coast.usually)
    await _send(demo, history, "Back-filling")
    live = app.now()
    demo = replace(demo, coast=replace(demo.coast, events=script(demo.coast, live)))
    since = {device: max(newest, begin - CLOSE) for device, newest in since.items()}
    await _send(demo, demo.coast.plan(since, live, densely), "The last minutes")
    return live, demo


async def _newest(demo: Demo, now: int) -> dict[str, int]:
    """Device → where its history has to go on: after its newest reading, at most 48 h ago."""
    since = {device.id: now - HISTORY for device in demo.coast.devices}
    for item in await items(demo.api, "/v1/latest"):
        newest = to_micros(datetime.fromisoformat(item["measured_at"])) + 1
        device = item["device"]
        since[device] = max(since.get(device, 0), newest)
    return since


async def _send(demo: Demo, plan: Plan, title: str) -> None:
    """Publish a plan by all gateways, and wait until the system has taken it in; after a minute go
    on anyhow.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=demo.console) as progress:
        task = progress.add_task(f"{title}, reports", total=len(plan))
        for gateway, part in _parts(demo.coast, plan):
            while not demo.fleet.room(gateway):
                await _turn(demo.fleet)
            demo.fleet.send(gateway, part)
            progress.advance(task, len(part))
            await _turn(demo.fleet, 0)
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while not demo.fleet.settled:
                await _turn(demo.fleet)


def _parts(coast: Coast, plan: Plan) -> Iterator[tuple[str, list[Sample]]]:
    """What is sent by a plan in parts that one message holds, each with its gateway, in order."""
    begun: dict[str, list[Sample]] = {}
    for (_, device), sample in zip(plan, coast.samples(plan), strict=True):
        part = begun.setdefault(device.gateway, [])
        part.append(sample)
        if len(part) == BULK:
            yield device.gateway, begun.pop(device.gateway)
    yield from begun.items()


async def _turn(fleet: Fleet, seconds: float = TURN_SECONDS) -> None:
    """Look after the gateways' connections, then let others do something."""
    fleet.turn(0)
    await asyncio.sleep(seconds)


async def _live(demo: Demo, live: int, seconds: float | None) -> None:
    """Report and show until `seconds` are over or somebody stops the demo; ends with a summary."""
    show = _show_table if demo.console.is_terminal else _show_lines
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(_report(demo, live))
                tasks.create_task(show(demo))
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_LOOK_SECONDS):
                view = await look(demo.api, View(at=live), app.now())
                print(f"Demo over: {alert_words(view)} · {summary(view)}", flush=True)


async def _report(demo: Demo, live: int) -> None:
    """Send what the devices measure from `live` on, whatever has become due."""
    since, gateways = live, {device.id: device.gateway for device in demo.coast.devices}
    while True:
        until = app.now()
        plan = demo.coast.plan(dict.fromkeys(gateways, since), until, lively)
        for sample in demo.coast.samples(plan):
            demo.fleet.send(gateways[sample.device], [sample])
        since, end = until, time.monotonic() + 1
        while time.monotonic() < end:
            await _turn(demo.fleet)


async def _show_table(demo: Demo) -> None:
    """A table that follows the city, with the addresses above it."""
    view = View(at=app.now())
    with Live(console=demo.console, auto_refresh=False) as screen:
        while True:
            view = await look(demo.api, view, app.now())
            head = Text("\n".join([*_addresses(demo), *_told(demo)[-NEWEST_TOLD:]]))
            screen.update(picture(view, head), refresh=True)
            with suppress(httpx.HTTPError):
                view = await with_lines(demo.api, view)
            await asyncio.sleep(TERMINAL_EVERY)


async def _show_lines(demo: Demo) -> None:
    """One line now and then, for a log."""
    print(*_addresses(demo), sep="\n", flush=True)
    view, said = View(at=app.now()), 0
    while True:
        await asyncio.sleep(PLAIN_EVERY)
        view = await look(demo.api, view, app.now())
        print(f"{alert_words(view)} · {view.problem or summary(view)}", flush=True)
        told = _told(demo)
        print(*told[said:], sep="\n", end="\n" if told[said:] else "", flush=True)
        said = len(told)


def _addresses(demo: Demo) -> list[str]:
    api, broker = demo.api_url, demo.broker
    return [
        "Andaman is live with a simulated Phuket. Ctrl-C stops it.",
        f"API   {api}/docs",
        f"Key   {demo.key}",
        f"MQTT  {broker.host}:{broker.port}, users {', '.join(sorted(demo.secrets))}",
        f"Try   {api}/v1/alerts?state=open with 'Authorization: Bearer <key>'",
    ]


def _told(demo: Demo) -> list[str]:
    """The messages to people by LINE, which a stand-in takes."""
    found = friends.told(demo.line) if demo.line is not None else []
    return [f"LINE  {told.at} {told.name}: {told.text}" for told in found]


def ready(demo: Demo) -> dict[str, Any]:
    """What a script needs to use the running demo."""
    broker, credentials = demo.broker, dict(demo.secrets)
    username = min(credentials)
    return {
        "api": demo.api_url,
        "key": demo.key,
        "mqtt": {
            "host": broker.host,
            "port": broker.port,
            "username": username,
            "password": credentials[username],
            "gateways": credentials,
        },
    }


def write_ready_file(path: Path, content: Mapping[str, Any]) -> None:
    """Write secrets for the owner alone; whoever sees the file sees all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    half.replace(path)
