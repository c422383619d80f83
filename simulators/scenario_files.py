"""Scenarios as YAML: read, and refused where they cannot be so, each mistake with file and line."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from core.configuration import Duration, GatewayId, Id, Located, Moment, Place, Strict, read
from core.errors import ConfigError
from core.registry import Device, Site
from core.times import iso
from simulators.chance import Chance
from simulators.coast import coast_of
from simulators.events import EVENTS, Event, EventKind
from simulators.faults import FAULTS, Fault, FaultKind
from simulators.scenario import Scenario
from simulators.sendings import SENDING_FAULTS

SHIPPED = Path(__file__).parent / "scenarios"
SENDING = "sending"  # what a fault of the way takes hold of, as others of a parameter


def _one_of(kinds: type[StrEnum]) -> BeforeValidator:
    def known(name: object) -> StrEnum:
        if name not in list(kinds):
            raise ValueError(f"write one of {', '.join(kinds)}")
        return kinds(str(name))

    return BeforeValidator(known)


Lasting = Annotated[Duration, Field(gt=0)]


class EventEntry(Strict):
    """One event of a scenario."""

    kind: Annotated[EventKind, _one_of(EventKind)]
    sites: list[Id] = Field(min_length=1)
    start: Moment
    duration: Lasting
    strength: float = Field(default=1.0, gt=0, le=10)


class FaultEntry(Strict):
    """One fault of a scenario."""

    kind: Annotated[FaultKind, _one_of(FaultKind)]
    device: Id | None = None
    devices: list[Id] | None = Field(default=None, min_length=2, max_length=2)
    gateway: GatewayId | None = None
    parameters: list[str] = Field(default_factory=list)
    start: Moment
    duration: Lasting
    size: float | None = None

    @property
    def whose(self) -> str:
        """The key that says who is at fault."""
        return {FaultKind.SWAP: "devices", FaultKind.OUTAGE: "gateway"}.get(self.kind, "device")


class ScenarioFile(Strict):
    """A scenario as it is written; `devices` are all of the city where none is named."""

    name: Id
    description: str = Field(min_length=1)
    start: Moment
    duration: Lasting
    seed: int = Field(ge=0)
    interval: Lasting | None = None
    devices: list[Id] = Field(default_factory=list)
    events: list[EventEntry] = Field(default_factory=list)
    faults: list[FaultEntry] = Field(default_factory=list)


def path_of(name: str) -> Path:
    """The file of a scenario: one that ships, by its name, or any other.

    Raises:
        ConfigError: there is none.
    """
    found = [path for path in (SHIPPED / f"{name}.yaml", Path(name)) if path.is_file()]
    if not found:
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
        raise ConfigError([f"{name}: no such scenario; write a file, or one of {known}"])
    return found[0]


def load(path: Path, sites: Mapping[str, Site], devices: Iterable[Device]) -> Scenario:
    """The scenario at `path`, in a city of these sites and devices.

    Raises:
        ConfigError: with every mistake.
    """
    return _Reader(read(path, ScenarioFile), sites, devices).scenario()


class _Reader:
    """One file beside the city that it is about."""

    def __init__(
        self, file: Located[ScenarioFile], sites: Mapping[str, Site], devices: Iterable[Device]
    ) -> None:
        coast = coast_of(sites, devices, Chance(file.content.seed))
        self._file = file
        self._content = file.content
        self._sites = sites
        self._end = file.content.start + file.content.duration
        self._problems: list[str] = []
        self._all = {device.id: device for device in coast.devices}
        chosen = file.content.devices or self._all
        self._devices = {name: self._all[name] for name in chosen if name in self._all}
        self._reads = {
            device.id: tuple(coast.sample(file.content.start, device).values)
            for device in self._devices.values()
        }

    def scenario(self) -> Scenario:
        """What the file says.

        Raises:
            ConfigError: with every mistake.
        """
        content = self._content
        for number, name in enumerate(content.devices):
            if name not in self._all:
                self._complain(("devices", number), f"device {name} is not one of the city's")
        events = [self._event(n, entry) for n, entry in enumerate(content.events)]
        faults = [self._fault(n, entry) for n, entry in enumerate(content.faults)]
        if not self._problems:
            self._look_for_overlaps("events", [(e.start, e.end, _places(e)) for e in events])
            self._look_for_overlaps("faults", [(f.start, f.end, _holds(f)) for f in faults])
        if self._problems:
            raise ConfigError(self._problems)
        return Scenario(
            name=content.name,
            description=content.description,
            start=content.start,
            end=self._end,
            seed=content.seed,
            interval=content.interval,
            sites=self._sites,
            devices=tuple(self._devices.values()),
            events=tuple(events),
            faults=tuple(faults),
        )

    def _event(self, number: int, entry: EventEntry) -> Event:
        place: Place = ("events", number)
        inhabited = {device.site for device in self._devices.values()}
        for n, site in enumerate(entry.sites):
            where = (*place, "sites", n)
            if site not in self._sites:
                self._complain(where, f"site {site} is not in sites.yaml")
            elif self._sites[site].kind not in EVENTS[entry.kind].touches:
                kinds = " or ".join(EVENTS[entry.kind].touches)
                self._complain(where, f"{entry.kind} happens to {kinds}; {site} is none")
            elif site not in inhabited:
                self._complain(where, f"no device of this scenario stands at {site}")
        self._look_at_times(place, entry)
        return Event(
            kind=entry.kind,
            sites=tuple(entry.sites),
            start=entry.start,
            end=entry.start + entry.duration,
            strength=entry.strength,
        )

    def _fault(self, number: int, entry: FaultEntry) -> Fault:
        place: Place = ("faults", number)
        devices = self._at_fault(place, entry)
        self._look_at_times(place, entry)
        self._look_at_size(place, entry)
        return Fault(
            id=f"{entry.kind}-{number + 1}",
            kind=entry.kind,
            devices=devices,
            parameters=self._parameters(place, entry, devices),
            start=entry.start,
            end=entry.start + entry.duration,
            size=entry.size or 0.0,
            gateway=entry.gateway or "",
        )

    def _at_fault(self, place: Place, entry: FaultEntry) -> tuple[str, ...]:
        """Which devices the fault is about, as far as they are known."""
        keys = ("device", "devices", "gateway")
        if [key for key in keys if getattr(entry, key) is not None] != [entry.whose]:
            self._complain(place, f"{entry.kind} has {entry.whose}: and none of the other keys")
            return ()
        if entry.gateway is not None:
            behind = [d.id for d in self._devices.values() if d.gateway == entry.gateway]
            if not behind:
                words = f"no device of this scenario is behind {entry.gateway}"
                self._complain((*place, "gateway"), words)
            return tuple(behind)
        named = entry.devices or [str(entry.device)]
        for name in named:
            if name not in self._devices:
                words = f"device {name} takes no part in this scenario"
                self._complain((*place, entry.whose), words)
        found = [self._devices[name] for name in dict.fromkeys(named) if name in self._devices]
        kinds = {self._sites[device.site].kind for device in found}
        if entry.kind is FaultKind.SWAP and (len(found), len(kinds)) != (2, 1):
            self._complain((*place, "devices"), "swap two devices of one kind of site")
        return tuple(device.id for device in found)

    def _parameters(
        self, place: Place, entry: FaultEntry, devices: tuple[str, ...]
    ) -> tuple[str, ...]:
        """In what the fault shows."""
        traits = FAULTS[entry.kind]
        reads = dict.fromkeys(p for device in devices for p in self._reads[device])
        can = [p for p in reads if traits.shows_in is None or p in traits.shows_in]
        if devices and traits.spoils is not None and not can:
            self._complain(place, f"{devices[0]} reads nothing in which {entry.kind} shows")
        elif entry.parameters and not traits.named:
            self._complain((*place, "parameters"), f"{entry.kind} has none; remove them")
        elif traits.named and not entry.parameters:
            self._complain(place, f"{entry.kind} needs parameters: one or more of {', '.join(can)}")
        strange = [p for p in entry.parameters if traits.named and devices and p not in can]
        for parameter in strange:
            words = f"{entry.kind} of {devices[0]} can be of {', '.join(can)}; not of {parameter}"
            self._complain((*place, "parameters", entry.parameters.index(parameter)), words)
        return tuple(entry.parameters or can)

    def _look_at_times(self, place: Place, entry: EventEntry | FaultEntry) -> None:
        if entry.start < self._content.start:
            words = f"is before the scenario begins, {iso(self._content.start)}"
            self._complain((*place, "start"), words)
        if entry.start + entry.duration > self._end:
            words = (
                f"ends {iso(entry.start + entry.duration)}, after the scenario, {iso(self._end)}"
            )
            self._complain((*place, "duration"), words)

    def _look_at_size(self, place: Place, entry: FaultEntry) -> None:
        size = FAULTS[entry.kind].size
        if size is None and entry.size is not None:
            self._complain((*place, "size"), f"means nothing for {entry.kind}; remove it")
        elif size is not None and (not entry.size or not size[0] <= entry.size <= size[1]):
            words = f"{entry.kind} needs size: between {size[0]:g} and {size[1]:g}, and not 0"
            self._complain((*place, "size"), words)

    def _look_for_overlaps(
        self, key: str, spans: list[tuple[int, int, frozenset[tuple[str, str]]]]
    ) -> None:
        """Nothing may be taken hold of by two at a time."""
        for number, (start, end, holds) in enumerate(spans):
            for before, (other_start, other_end, others) in enumerate(spans[:number]):
                both = sorted(holds & others)
                if both and start < other_end and other_start < end:
                    line = self._file.where((key, before)).rpartition(":")[2]
                    words = f"{' '.join(both[0])} is taken by line {line} at that time already"
                    self._complain((key, number), f"{words}; let one end before the other begins")

    def _complain(self, place: Place, words: str) -> None:
        self._problems.append(self._file.problem(place, words))


def _places(event: Event) -> frozenset[tuple[str, str]]:
    return frozenset((event.kind.value, site) for site in event.sites)


def _holds(fault: Fault) -> frozenset[tuple[str, str]]:
    """What a fault takes hold of: series, or the way of a device's messages."""
    held: set[tuple[str, str]] = set()
    if fault.kind in SENDING_FAULTS:
        held |= {(device, SENDING) for device in fault.devices}
    if FAULTS[fault.kind].spoils is not None or fault.kind is FaultKind.SWAP:
        held |= {(device, p) for device in fault.devices for p in fault.parameters}
    return frozenset(held)
