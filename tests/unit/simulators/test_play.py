"""The stream of a scenario: in order, the same again, and as its faults have it."""

from dataclasses import replace
from itertools import pairwise

import pytest

from core.times import DAY, HOUR, MINUTE
from simulators.coast import Coast
from simulators.events import Event, EventKind
from simulators.faults import Fault, FaultKind
from simulators.play import Sending, play
from simulators.scenario import Scenario

MONDAY = 1_795_366_800_000_000  # 2026-11-23 00:00 in Phuket
TAKING_PART = ("patong-probe-1", "kamala-probe-1", "patong-air-1", "bangla-road-bin-1")


@pytest.fixture(scope="module")
def quiet(coast: Coast) -> Scenario:
    """Four days behind one gateway on which nothing happens."""
    return Scenario(
        name="quiet",
        description="",
        start=MONDAY,
        end=MONDAY + 4 * DAY,
        seed=83,
        interval=None,
        sites=coast.sites,
        devices=tuple(d for d in coast.devices if d.id in TAKING_PART),
        events=(),
        faults=(),
    )


def fault(
    kind: FaultKind, *devices: str, parameters: tuple[str, ...] = (), size: float = 0
) -> Fault:
    """One from six in the morning of the second day to noon of the third."""
    return Fault(
        id=f"{kind}-1",
        kind=kind,
        devices=devices,
        parameters=parameters,
        start=MONDAY + 30 * HOUR,
        end=MONDAY + 60 * HOUR,
        size=size,
    )


def whole(scenario: Scenario) -> list[Sending]:
    return list(play(scenario, scenario.start, scenario.end))


def during(found: list[Sending], device: str) -> list[Sending]:
    """What the device measured while the fault lasted."""
    start, end = MONDAY + 30 * HOUR, MONDAY + 60 * HOUR
    return [s for s in found if s.sample.device == device and start <= s.sample.time < end]


def test_it_is_what_the_coast_reads_in_order_each_device_at_its_pace(
    quiet: Scenario, coast: Coast
) -> None:
    found = whole(quiet)
    assert [s.at for s in found] == sorted(s.at for s in found)
    assert {s.gateway for s in found} == {"gw-patong"}
    for device in quiet.devices:
        mine = [s for s in found if s.sample.device == device.id]
        assert {b.at - a.at for a, b in pairwise(mine)} == {coast.usually(device)}
        assert mine[100].sample == coast.sample(mine[100].at, device)


def test_an_interval_of_its_own_goes_for_all(quiet: Scenario) -> None:
    found = whole(replace(quiet, interval=HOUR))
    assert len(found) == 4 * 4 * 24


def test_an_event_shows_in_its_time(quiet: Scenario) -> None:
    spill = Event(
        kind=EventKind.SPILL,
        sites=("patong-beach",),
        start=MONDAY + 30 * HOUR,
        end=MONDAY + 60 * HOUR,
    )
    before, after = whole(quiet), whole(replace(quiet, events=(spill,)))
    turbid = [s.sample.values["turbidity"] for s in during(after, "patong-probe-1")]
    assert min(turbid[1:]) > 25
    assert during(before, "patong-air-1") == during(after, "patong-air-1")


MIXED = (
    fault(FaultKind.OUTAGE, "patong-air-1", "bangla-road-bin-1"),
    fault(FaultKind.REORDER, "patong-probe-1", size=0.5),
    fault(FaultKind.DUPLICATE, "kamala-probe-1", size=0.5),
    fault(FaultKind.NOISE, "patong-probe-1", parameters=("ph",), size=0.5),
)


def test_it_is_the_same_again_and_in_parts(quiet: Scenario) -> None:
    scenario = replace(quiet, faults=MIXED)
    once, again = whole(scenario), whole(scenario)
    assert once == again
    middle = MONDAY + 35 * HOUR + 1
    parts = [*play(scenario, scenario.start, middle), *play(scenario, middle, scenario.end)]
    assert sorted(parts, key=str) == sorted(once, key=str)
    assert whole(replace(scenario, seed=84)) != once


def test_it_stays_in_order_under_faults_of_the_way(quiet: Scenario) -> None:
    times = [s.at for s in whole(replace(quiet, faults=MIXED))]
    assert times == sorted(times)


def test_what_an_outage_kept_comes_when_it_is_over(quiet: Scenario) -> None:
    found = whole(replace(quiet, faults=MIXED[:1]))
    kept = during(found, "patong-air-1")
    assert len(kept) == 30 * HOUR // (5 * MINUTE)
    assert min(s.at for s in kept) >= MONDAY + 60 * HOUR
    assert max(s.at for s in kept) < MONDAY + 60 * HOUR + 30 * MINUTE


def test_a_stuck_sensor_keeps_the_value_over_days(quiet: Scenario, coast: Coast) -> None:
    stuck = fault(FaultKind.STUCK, "patong-probe-1", parameters=("turbidity",))
    found = during(whole(replace(quiet, faults=(stuck,))), "patong-probe-1")
    (device,) = (d for d in quiet.devices if d.id == "patong-probe-1")
    first = coast.sample(stuck.start, device).values["turbidity"]
    assert {s.sample.values["turbidity"] for s in found} == {first}
    assert len({s.sample.values["ph"] for s in found}) > 3


def test_swapped_devices_tell_each_others_readings(quiet: Scenario) -> None:
    """Each keeps its own clock, so that readings of the same minutes are compared."""
    pair = ("patong-probe-1", "kamala-probe-1")
    swapped = replace(quiet, faults=(fault(FaultKind.SWAP, *pair),), interval=HOUR)
    coast = swapped.coast()
    devices = {d.id: d for d in coast.devices}
    for mine, other in (pair, pair[::-1]):
        for sending in during(whole(swapped), mine):
            sample = coast.sample(sending.at, devices[other])
            assert sending.sample.values == sample.values
