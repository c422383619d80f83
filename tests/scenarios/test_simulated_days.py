"""The shipped rules over days of the simulated coast: silent on ordinary ones, not on others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import configuration
from core.alerts import State, Transition
from core.times import DAY, HOUR
from ingest.sheet import Sheet
from replaying import Replayed, replay
from simulators.chance import Chance
from simulators.coast import Coast, coast_of
from simulators.events import EVENTS, Event, EventKind

CONFIG = Path(__file__).resolve().parents[2] / "config"
CITY = configuration.load(CONFIG)
COAST = coast_of(CITY.sites, CITY.devices.values(), Chance(83))
FEBRUARY, SEPTEMBER = 1_769_878_800_000_000, 1_788_195_600_000_000  # the 1st, 00:00 in Phuket
LASTING = {
    EventKind.BLOOM: 3 * DAY,
    EventKind.HAZE: 2 * DAY,
    EventKind.MISSED_COLLECTION: 8 * DAY,
}


def judged(coast: Coast, start: int, days: int) -> Replayed:
    """What quality and the shipped rules say of these days."""
    names: list[tuple[str, str]] = []
    series, times, values = [], [], []
    for device in coast.devices:
        at = np.arange(start, start + days * DAY, coast.usually(device))
        for parameter, column in coast.columns(device, at).items():
            series.append(np.full(len(at), len(names)))
            names.append((device.id, parameter))
            times.append(at)
            values.append(column)
    sheet = Sheet(
        names=names,
        series=np.concatenate(series),
        measured_at=np.concatenate(times),
        value=np.concatenate(values),
        problems=(),
        unreadable=0,
    )
    return replay(sheet, CONFIG / "rules")


def fired(transitions: Sequence[Transition]) -> list[tuple[str, str]]:
    return [(t.rule, t.subject) for t in transitions if t.after is State.FIRING]


@pytest.mark.parametrize(
    "start", [pytest.param(FEBRUARY, id="dry"), pytest.param(SEPTEMBER, id="wet")]
)
def test_on_ordinary_days_nothing_fires_and_no_reading_is_flagged(start: int) -> None:
    found = judged(COAST, start, days=4)
    assert fired(found.transitions) == []
    assert (found.columns.flag == 1).mean() > 0.9999


def test_shipped_rules_find_every_event_of_strength_one() -> None:
    begin = SEPTEMBER + 9 * HOUR
    events, free = [], list(COAST.sites.values())
    for kind, effect in EVENTS.items():
        site = next(site for site in free if site.kind in effect.touches)
        free.remove(site)
        end = begin + LASTING.get(kind, 5 * HOUR)
        events.append(Event(kind=kind, sites=(site.id,), start=begin, end=end))
    devices = [d for d in COAST.devices if any(d.site in event.sites for event in events)]
    coast = replace(COAST, devices=devices, events=events)
    troubled = {subject for _, subject in fired(judged(coast, SEPTEMBER, days=9).transitions)}
    for event in events:
        device = next(d for d in devices if d.site in event.sites)
        touched = EVENTS[event.kind].touches[COAST.sites[device.site].kind]
        assert troubled & {f"{device.id}/{parameter}" for parameter in touched}, event.kind
