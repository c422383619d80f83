"""The coast as its devices report it: which device sends when, and what goes wrong in the demo."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.registry import Device, Site
from core.times import HOUR, MINUTE, SECOND
from simulators.bins import fill_level
from simulators.chance import Chance
from simulators.events import Event, EventKind
from simulators.gateways import Sample
from simulators.stations import STATIONS, values

HISTORY = 48 * HOUR
# The last minutes before going live are dense: rules that hold for five minutes see a beginning,
# and an alert of an earlier run has time to end first.
CLOSE = 13 * MINUTE

Every: TypeAlias = Callable[[Device], int]
Plan: TypeAlias = Sequence[tuple[int, Device]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coast:
    """Sites and devices that can be simulated, under one chance and one script of events."""

    sites: Mapping[str, Site]
    devices: Sequence[Device]
    chance: Chance
    events: Sequence[Event] = ()

    def sample(self, time: int, device: Device) -> Sample:
        """What `device` sends at `time` (µs)."""
        site = self.sites[device.site]
        return Sample(device.id, time, values(device, site, time, self.chance, self.events))

    def plan(self, since: Mapping[str, int], until: int, every: Every) -> Plan:
        """Who sends when, in order of time: each device from its `since` to before `until`.

        A device keeps its place on the clock, so that plans that meet leave no gap and no double.
        """
        chosen = [d for d in self.devices if d.id in since]
        moments = ((t, d) for d in chosen for t in self._times(d, since[d.id], until, every(d)))
        return sorted(moments, key=lambda moment: moment[0])

    def _times(self, device: Device, since: int, until: int, every: int) -> range:
        phase = int(self.chance.between(0, every / SECOND, "phase", device.id)) * SECOND
        return range(since + (phase - since) % every, until, every)

    def usually(self, device: Device) -> int:
        """µs between two reports on ordinary days."""
        return 20 * MINUTE if self.sites[device.site].kind == "bin" else 5 * MINUTE


def densely(_device: Device) -> int:
    """µs between two reports shortly before going live."""
    return 15 * SECOND


def lively(_device: Device) -> int:
    """µs between two reports while somebody watches."""
    return 5 * SECOND


def coast_of(sites: Mapping[str, Site], devices: Iterable[Device], chance: Chance) -> Coast:
    """The part of a configuration that can be simulated, without events."""
    known = [d for d in devices if sites[d.site].kind in STATIONS]
    return Coast(sites=sites, devices=known, chance=chance)


def script(coast: Coast, live: int) -> list[Event]:
    """What goes wrong around `live`, the moment of going live (µs).

    A plume at a beach and haze at an air station have lasted just under the five minutes that their
    rules ask for; a bin passes 80 % at 20 s and is emptied at 100 s. The plume's front is so steep
    that its first two readings are suspect and drive no rule.
    """
    beaches, airs, bins = (_sites_of(coast, kind) for kind in ("beach", "air", "bin"))
    begin, end = live - 5 * MINUTE, live + 2 * HOUR
    front = begin - 30 * SECOND
    emptied = live + 100 * SECOND
    plain = [s for s in bins if _stays_half_empty(s, live, coast.chance)]
    return [
        *(Event(kind=EventKind.PLUME, site=s.id, start=front, end=end) for s in beaches[:1]),
        *(Event(kind=EventKind.HAZE, site=s.id, start=begin, end=end) for s in airs[:1]),
        *(
            Event(kind=EventKind.FULL_BIN, site=s.id, start=live - CLOSE, end=emptied)
            for s in plain[:1]
        ),
    ]


def _sites_of(coast: Coast, kind: str) -> list[Site]:
    """Sites of a kind that have a device, in the order of the configuration."""
    inhabited = {d.site for d in coast.devices}
    return [s for s in coast.sites.values() if s.kind == kind and s.id in inhabited]


def _stays_half_empty(site: Site, live: int, chance: Chance) -> bool:
    return all(
        fill_level(site, time, chance) < 55 for time in range(live - CLOSE, live + CLOSE, MINUTE)
    )
