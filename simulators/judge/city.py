"""The small city that is judged: its files, and what its devices measure.

Each kind of site has devices whose values swing, so that alerts come and go. Beside them stand bins
that fill up once, each with a rule of its own and told to everybody, and a crowd for storms.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from core.times import SECOND
from simulators.gateways import Sample

SPACING = SECOND // 2  # between two measurements of a device
DEVICES_EACH = 4
PEOPLE = {
    "line": ["U" + f"{number:032x}" for number in (1, 2)],
    "email": ["officer-1@judged.example", "officer-2@judged.example"],
}
FULL = 97.0

# Of each parameter the middle of its values, how far they swing, and a value that no sensor reads.
VALUES: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "lane": {"fill_level": (68, 31, 300), "battery_level": (50, 48, -1)},
    "hill": {"pm25": (38, 30, -5), "noise": (60, 20, 999)},
    "bay": {"turbidity": (50, 48, 9999), "dissolved_oxygen": (6, 4, 99)},
}
GATEWAYS = {"bay": "gw-bay", "hill": "gw-hill", "lane": "gw-lane", "told": "gw-lane"}
GATEWAYS |= {"crowd": "gw-hill"}
KINDS = {"bay": "beach", "hill": "air", "lane": "bin", "told": "bin", "crowd": "bin"}

RULES = """
rules:
  - {id: full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     select: {sites: [lane]}, above: {warning: 80, critical: 95}, clear: 60}
  - {id: flat, kind: threshold, name: {en: Flat, th: หมด}, parameter: battery_level,
     below: {warning: 30, critical: 10}, clear: 35, for: 6s}
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 5s, clear_for: 5s}
  - {id: turbid, kind: threshold, name: {en: Turbid, th: ขุ่น}, parameter: turbidity,
     above: {warning: 25, critical: 90}, clear: 15, clear_for: 8s}
  - {id: oxygen, kind: threshold, name: {en: Oxygen, th: ออกซิเจน},
     parameter: dissolved_oxygen, below: {warning: 4}, clear: 4.5}
  - {id: crowded, kind: threshold, name: {en: Crowded, th: แออัด}, parameter: fill_level,
     select: {sites: [crowd]}, above: {critical: 95}, clear: 60}
"""
NOTIFY = """
receivers:
  - name: officers
    pace: 0
    line: [%s]
    email: [%s]
route: {receiver: officers, group_by: [rule], group_wait: 2s, group_interval: 5s,
        routes: [{matchers: ['site="told"'], group_by: [device], group_wait: 0s}]}
"""


class Size(NamedTuple):
    """How many bins are told of one by one, and how many stand in the crowd."""

    told: int = 20
    crowd: int = 0


def write(folder: Path, size: Size) -> Path:
    """The city's configuration, in `folder`."""
    (folder / "rules").mkdir(parents=True)
    devices = [*swinging(), *told(size), *crowd(size)]
    names = "name: {en: %s, th: ที่}"
    files = {
        "sites.yaml": "sites:\n"
        + "".join(
            f"  - {{id: {site}, kind: {kind}, {names % site}, latitude: 7.9, longitude: 98.3,"
            " district: d}\n"
            for site, kind in KINDS.items()
        ),
        "devices.yaml": "gateways:\n"
        + "".join(f"  - {{id: {g}, {names % g}}}\n" for g in sorted(set(GATEWAYS.values())))
        + "devices:\n"
        + "".join(
            f"  - {{id: {device}, gateway: {gateway_of(device)}, site: {site_of(device)},"
            " since: 2026-01-01}\n"
            for device in devices
        ),
        "rules/rules.yaml": RULES
        + "".join(
            f"  - {{id: {device}-full, kind: threshold, {names % device},\n"
            f"     select: {{devices: [{device}]}}, parameter: fill_level,\n"
            "     above: {critical: 95}, clear: 60}\n"
            for device in told(size)
        ),
        "notify.yaml": NOTIFY
        % tuple(
            ", ".join(f"{{to: {address}, language: en}}" for address in PEOPLE[channel])
            for channel in ("line", "email")
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def swinging() -> Sequence[str]:
    """The devices whose values come and go."""
    return [f"{site}-{number}" for site in VALUES for number in range(DEVICES_EACH)]


def told(size: Size) -> Sequence[str]:
    """The bins of which everybody is told."""
    return [f"told-{number}" for number in range(size.told)]


def crowd(size: Size) -> Sequence[str]:
    """The bins that fill up together."""
    return [f"crowd-{number}" for number in range(size.crowd)]


def site_of(device: str) -> str:
    """Where it stands."""
    return device.partition("-")[0]


def gateway_of(device: str) -> str:
    """Behind which gateway."""
    return GATEWAYS[site_of(device)]


class Weather:
    """What the swinging devices measure from `since` (µs) on, no moment twice."""

    def __init__(self, chance: random.Random, since: int) -> None:
        self._chance = chance
        self._next = dict.fromkeys(swinging(), since)
        self._period = {device: chance.uniform(40, 120) * SECOND for device in self._next}

    def until(self, now: int) -> Iterator[list[Sample]]:
        """Of each device what it measured since it was last asked."""
        for device, since in self._next.items():
            times = range(since, now, SPACING)
            if times:
                self._next[device] = times[-1] + SPACING
                yield [self._sample(device, at) for at in times]

    def _sample(self, device: str, at: int) -> Sample:
        swing = math.sin(2 * math.pi * at / self._period[device])
        values = VALUES[site_of(device)]
        return Sample(device, at, {p: self._value(swing, *how) for p, how in values.items()})

    def _value(self, swing: float, middle: float, most: float, impossible: float) -> float:
        if self._chance.random() < 0.005:
            return impossible
        return round(middle + most * swing + self._chance.uniform(-0.1, 0.1), 3)
