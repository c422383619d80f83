"""`andaman simulate SCENARIO`: the gateways of a scenario report what their devices measure.

Either to a system that runs, over MQTT; or to one that is built here, in virtual time. What a
scenario shows in less time than it takes can be judged in virtual time alone: a running system's
clock is the present, and what it hears late drives no rule.
"""

import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app import City
from core.catalogue import CATALOGUE
from core.errors import StartError
from core.registry import Device
from core.times import from_micros
from ingest.profiles import NO_PROFILE, Profile
from ingest.sources import Source
from ingest.units import Linear, conversion
from simulators import scenario_files
from simulators.dialects import DIALECTS, NATIVE, Key, Manner, Words
from simulators.fleet import Fleet, Place
from simulators.gateways import Gateway, account
from simulators.pacing import Pace, drive
from simulators.play import play
from simulators.scenario import Scenario

CONNECT_SECONDS = 15.0
PATIENCE_SECONDS, STOP_SECONDS = 60.0, 5.0  # without any progress, for what has no receipt
SHOW_EVERY = 0.25
_HEX_EUI = re.compile("[0-9A-Fa-f]{16}")
_BY_EUI = {"chirpstack", "ttn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The ways into a system that runs."""

    api: str
    key: str
    broker: Place


def scenario_of(name: str, city: City, seed: int | None) -> Scenario:
    """The scenario of that name or file, in a city, perhaps with another seed.

    Raises:
        ConfigError: with every mistake, its file and line.
    """
    registry = city.registry
    found = scenario_files.load(
        scenario_files.path_of(name), registry.sites, registry.devices.values()
    )
    return found if seed is None else replace(found, seed=seed)


def moved(scenario: Scenario, by: int) -> Scenario:
    """The same, so much (µs) later."""
    return replace(
        scenario,
        start=scenario.start + by,
        end=scenario.end + by,
        events=tuple(replace(e, start=e.start + by, end=e.end + by) for e in scenario.events),
        faults=tuple(replace(f, start=f.start + by, end=f.end + by) for f in scenario.faults),
    )


def gateways_of(devices: Iterable[Device], city: City, epoch: str) -> list[Gateway]:
    """The gateways of these devices: each speaks the dialect that sources.yaml has for it, each
    device with the words of its model.

    Raises:
        StartError: there is no dialect that can be spoken, or a device lacks its address.
    """
    behind: dict[str, list[Device]] = {}
    for device in devices:
        behind.setdefault(device.gateway, []).append(device)
    made = []
    for name, mine in sorted(behind.items()):
        manner = _manner(name, city)
        words = {device.id: _words(device, manner, city.profiles) for device in mine}
        made.append(Gateway(name, epoch=epoch, manner=manner, words=words))
    return made


def _manner(gateway: str, city: City) -> Manner:
    known = [s for s in city.sources.all if s.dialect in DIALECTS and s.gateway in {"", gateway}]

    def nearest(source: Source) -> tuple[bool, bool]:
        return source.gateway != gateway, source.dialect != NATIVE

    if not known:
        words = f"write one with a dialect of {', '.join(DIALECTS)}"
        raise StartError(f"sources.yaml has no source that {gateway} could speak by; {words}")
    source = min(known, key=nearest)
    zone = source.zone or city.registry.zone
    return Manner(dialect=source.dialect, topic=source.topic, zone=zone)


def _words(device: Device, manner: Manner, profiles: Mapping[str, Profile]) -> Words:
    name = device.address or device.id
    if manner.dialect in _BY_EUI and not _HEX_EUI.fullmatch(name):
        words = f"{device.gateway} speaks {manner.dialect}; give it its DevEUI as address"
        raise StartError(f"{device.id} has no DevEUI, and {words}")
    keys: dict[str, Key] = {}
    for key, channel in profiles.get(device.model, NO_PROFILE).channels.items():
        unit = CATALOGUE[channel.parameter].unit
        slope, offset = conversion(channel.unit, unit, channel.parameter)
        keys.setdefault(channel.parameter, Key(key, Linear(1 / slope, -offset / slope).__call__))
    return Words(name=name, keys=keys)


def report(
    scenario: Scenario,
    gateways: Sequence[Gateway],
    door: Door,
    pace: Pace,
    show: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Let the scenario's gateways report to a system that runs, until it ends or is `stopped`. They
    get new secrets with the key, which has to be an administrator's.

    Raises:
        StartError: the system does not let them in.
    """
    fleet = Fleet(door.broker, gateways, _secrets(door, [gateway.id for gateway in gateways]))
    try:
        fleet.attend(CONNECT_SECONDS, lambda: fleet.connected > 0 or bool(fleet.refusals))
        if not fleet.connected:
            raise StartError(f"{door.broker.host}:{door.broker.port}: {_no_entry(fleet)}")
        drive(
            play(scenario, scenario.start, scenario.end), fleet, pace, scenario.start, show, stopped
        )
        ended = not stopped()
        _wait_for_receipts(fleet, stopped)
        if ended:
            show(scenario.end)
    finally:
        fleet.close()


def _no_entry(fleet: Fleet) -> str:
    for name, words in fleet.refusals.items():
        return f"does not let {name} in: {words}"
    return "no broker answers there"


def _secrets(door: Door, gateways: Iterable[str]) -> dict[str, str]:
    """A new secret of each gateway: those of earlier runs are known to nobody."""
    headers = {"Authorization": f"Bearer {door.key}"}
    found: dict[str, str] = {}
    try:
        with httpx.Client(base_url=door.api, headers=headers, timeout=10) as api:
            for name in gateways:
                answer = api.post(f"/v1/gateways/{name}/rotate").raise_for_status()
                found[name] = str(answer.json()["secret"])
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        words = "is the key an administrator's, and has it the same configuration?"
        raise StartError(f"{door.api} refuses a secret for {name} ({code}); {words}") from error
    except httpx.HTTPError as error:
        raise StartError(f"{door.api} does not answer; is Andaman up?") from error
    return found


def _wait_for_receipts(fleet: Fleet, stopped: Callable[[], bool]) -> None:
    """As long as they come, and a minute longer; for some seconds when told to stop."""
    before = -1
    while not stopped() and (waiting := account(fleet.gateways).waiting) != before:
        before = waiting
        fleet.attend(PATIENCE_SECONDS, lambda: fleet.settled or stopped())
    fleet.attend(STOP_SECONDS, lambda: fleet.settled)


@contextmanager
def told_to_stop(seconds: float | None = None) -> Iterator[Callable[[], bool]]:
    """Whether `seconds` are over, or SIGINT or SIGTERM came: who is told to stop still gives an
    account.
    """
    told = threading.Event()
    end = time.monotonic() + (math.inf if seconds is None else seconds)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: told.set()) for number in numbers]
    try:
        yield lambda: told.is_set() or time.monotonic() >= end
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def bar(
    console: Console, scenario: Scenario, gateways: Sequence[Gateway]
) -> Iterator[Callable[[int], None]]:
    """A bar that is told how far the scenario is (µs)."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    length, shown = scenario.end - scenario.start, 0.0
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(scenario.name, total=length, words="")

        def show(at: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown < SHOW_EVERY and at < scenario.end:
                return
            shown, found = now, account(gateways)
            words = f"{from_micros(at):%Y-%m-%d %H:%M} · {found.published:,} sent"
            progress.update(task, completed=at - scenario.start, words=words)

        yield show
