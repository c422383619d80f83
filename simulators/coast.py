"""The coast as its devices report it: what each reads, who sends when, and what goes wrong in the
demo.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Device, Site
from core.times import HOUR, MINUTE, SECOND
from simulators.bins import RUSH, fill_level
from simulators.chance import Chance
from simulators.events import Event, EventKind, Happenings
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

    def columns(self, device: Device, times: IntColumn) -> dict[str, FloatColumn]:
        """Parameter → what `device` reads at `times` (µs, in order), in the catalogue's units."""
        happenings = Happenings(self.events, self.sites)
        some = times if len(times) else np.zeros(1, np.int64)
        found = values(device, self.sites[device.site], some, self.chance, happenings)
        return {parameter: column[: len(times)] for parameter, column in found.items()}

    def sample(self, time: int, device: Device) -> Sample:
        """What `device` sends at `time` (µs)."""
        return next(self._samples(device, [time]))

    def samples(self, plan: Plan) -> Iterator[Sample]:
        """What is sent by a plan, in its order; each device is computed at once."""
        times: dict[str, list[int]] = defaultdict(list)
        for time, device in plan:
            times[device.id].append(time)
        ready: dict[str, Iterator[Sample]] = {}
        for _, device in plan:
            if device.id not in ready:
                ready[device.id] = self._samples(device, times[device.id])
            yield next(ready[device.id])

    def _samples(self, device: Device, times: Sequence[int]) -> Iterator[Sample]:
        columns = self.columns(device, np.array(times, np.int64))
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        for time, row in zip(times, rows, strict=True):
            yield Sample(device.id, time, dict(zip(columns, row, strict=True)))

    def plan(self, since: Mapping[str, int], until: int, every: Every) -> Plan:
        """Who sends when, in order of time: each device from its `since` to before `until`.

        A device keeps its place on the clock, so that plans that meet leave no gap and no double.
        """
        chosen = [d for d in self.devices if d.id in since]
        moments = ((t, d) for d in chosen for t in self.times(d, since[d.id], until, every(d)))
        return sorted(moments, key=lambda moment: moment[0])

    def times(self, device: Device, since: int, until: int, every: int) -> range:
        """When a device that reports each `every` µs does so."""
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

    A spill at a beach and dust at an air station have lasted just under the five minutes that their
    rules ask for; a bin passes 80 % at 20 s and is emptied at 100 s. The front of what is spilt is
    so steep that its first two readings are suspect and drive no rule.
    """
    beaches, airs, bins = (_sites_of(coast, kind) for kind in ("beach", "air", "bin"))
    begin, end = live - 5 * MINUTE, live + 2 * HOUR
    front = begin - 30 * SECOND
    plain = [s for s in bins if _levels(coast, s, live).max() < 55]
    return [
        *(Event(kind=EventKind.SPILL, sites=(s.id,), start=front, end=end) for s in beaches[:1]),
        *(
            Event(kind=EventKind.CONSTRUCTION_DUST, sites=(s.id,), start=begin, end=end)
            for s in airs[:1]
        ),
        *(_market_day(coast, s, live) for s in plain[:1]),
    ]


def _sites_of(coast: Coast, kind: str) -> list[Site]:
    """Sites of a kind that have a device, in the order of the configuration."""
    inhabited = {d.site for d in coast.devices}
    return [s for s in coast.sites.values() if s.kind == kind and s.id in inhabited]


def _levels(coast: Coast, site: Site, live: int) -> FloatColumn:
    """% that is full on an ordinary day, each minute around `live`."""
    times = np.arange(live - CLOSE, live + CLOSE, MINUTE)
    return fill_level(site, times, coast.chance, Happenings((), coast.sites))


def _market_day(coast: Coast, site: Site, live: int) -> Event:
    """A rush that begins some minutes before `live`, earlier where the bin is emptier."""
    a_second = 0.2125  # %, so that 80 % becomes 97 % in 80 s
    before = _levels(coast, site, live)[int(CLOSE / MINUTE)]
    start = live + 20 * SECOND - round((80 - before) / a_second * SECOND)
    return Event(
        kind=EventKind.OVERFLOW,
        sites=(site.id,),
        start=start,
        end=live + 100 * SECOND,
        strength=a_second * HOUR / SECOND / RUSH,
    )
