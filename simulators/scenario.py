"""A scenario: what happens to a city, what is wrong with its sensors, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from core.alerts import Severity
from core.registry import Device, Site
from simulators.chance import Chance
from simulators.coast import Coast, coast_of
from simulators.events import EVENTS, Event, Happenings
from simulators.faults import FAULTS, Fault
from simulators.truth import Account, Nature, Truth

SHOWN = 0.1  # of an event of strength 1: a site that feels less is not among its places
STRONG = 1.5  # an event from this strength on is critical


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is to happen to a part of a city from `start` to before `end` (µs); `interval` (µs)
    between two reports of a device where that is not the usual one.
    """

    name: str
    description: str
    start: int
    end: int
    seed: int
    interval: int | None
    sites: Mapping[str, Site]
    devices: tuple[Device, ...]
    events: tuple[Event, ...]
    faults: tuple[Fault, ...]

    def coast(self) -> Coast:
        """The coast that it happens to."""
        return replace(coast_of(self.sites, self.devices, Chance(self.seed)), events=self.events)

    def account(self) -> Account:
        """All that is true of it."""
        truths = [*self._of_events(), *self._of_faults()]
        return Account(
            scenario=self.name,
            seed=self.seed,
            start=self.start,
            end=self.end,
            devices=tuple(device.id for device in self.devices),
            truths=tuple(sorted(truths, key=lambda truth: (truth.start, truth.id))),
        )

    def _of_events(self) -> Iterator[Truth]:
        """An event is true until nothing is left of it."""
        for number, event in enumerate(self.events, 1):
            effect = EVENTS[event.kind]
            devices = [device for device in self.devices if self._shows(event, device)]
            sites = dict.fromkeys(device.site for device in devices)
            kinds = dict.fromkeys(self.sites[site].kind for site in sites)
            severity = Severity.CRITICAL if event.strength >= STRONG else Severity.WARNING
            yield Truth(
                id=f"{event.kind}-{number}",
                nature=Nature.EVENT,
                kind=event.kind,
                sites=tuple(sites),
                devices=tuple(device.id for device in devices),
                parameters=tuple(p for kind in kinds for p in effect.touches[kind]),
                start=event.start,
                end=event.end + effect.fall,
                severity=severity.label,
                details={"strength": event.strength},
            )

    def _of_faults(self) -> Iterator[Truth]:
        at = {device.id: device.site for device in self.devices}
        for fault in self.faults:
            details: dict[str, object] = {"gateway": fault.gateway} if fault.gateway else {}
            details |= {"size": fault.size} if FAULTS[fault.kind].size is not None else {}
            yield Truth(
                id=fault.id,
                nature=Nature.FAULT,
                kind=fault.kind,
                sites=tuple(dict.fromkeys(at[device] for device in fault.devices)),
                devices=fault.devices,
                parameters=fault.parameters,
                start=fault.start,
                end=fault.end,
                severity=FAULTS[fault.kind].severity.label,
                details=details,
            )

    def _shows(self, event: Event, device: Device) -> bool:
        site = self.sites[device.site]
        if site.kind not in EVENTS[event.kind].touches:
            return False
        felt = Happenings([event], self.sites).near(site, event.kind)
        return any(share * event.strength >= SHOWN for _, share in felt)
