"""Who sends when, and the script of the demo."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from core.registry import Device
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.chance import Chance
from simulators.coast import CLOSE, HISTORY, Coast, coast_of, densely, lively, script

LIVE = 1_795_323_600_123_456
EARLIER = dict.fromkeys(["patong-probe-1", "bangla-road-bin-1"], LIVE - HISTORY)


def test_a_plan_is_in_order_of_time_and_each_device_keeps_its_pace(coast: Coast) -> None:
    plan = coast.plan(EARLIER, LIVE, coast.usually)
    assert [time for time, _ in plan] == sorted(time for time, _ in plan)
    for device, pace in (("patong-probe-1", 5 * MINUTE), ("bangla-road-bin-1", 20 * MINUTE)):
        times = [time for time, sender in plan if sender.id == device]
        assert {after - before for before, after in pairwise(times)} == {pace}
        assert len(times) == HISTORY // pace


def test_plans_that_meet_leave_no_gap_and_no_double(coast: Coast) -> None:
    whole = coast.plan(EARLIER, LIVE, lively)
    middle = LIVE - HOUR - 17
    first = coast.plan(EARLIER, middle, lively)
    second = coast.plan(dict.fromkeys(EARLIER, middle), LIVE, lively)
    assert [*first, *second] == list(whole)


def test_it_leaves_out_devices_that_it_is_not_asked_for(coast: Coast) -> None:
    assert {d.id for _, d in coast.plan(EARLIER, LIVE, lively)} == EARLIER.keys()


def test_it_leaves_out_kinds_that_it_cannot_simulate(coast: Coast) -> None:
    device = coast.devices[0]
    laboratory = replace(coast.sites[device.site], kind="lab")
    assert coast_of({laboratory.id: laboratory}, [device], Chance(1)).devices == []


MOMENTS = [pytest.param(LIVE + n * (DAY + 5 * HOUR), id=f"{n} days on") for n in range(7)]


@pytest.mark.parametrize("live", MOMENTS)
def test_the_script_trips_its_rules_soon_after_going_live_and_not_before(
    coast: Coast, live: int
) -> None:
    spill, dust, full = script(coast, live)
    scripted = replace(coast, events=[spill, dust, full])
    for event, parameter, level, suspect in ((spill, "turbidity", 25, 2), (dust, "pm25", 37.5, 0)):
        first = first_above(scripted, event.sites[0], parameter, level, live, suspect)
        fires = first + 5 * MINUTE
        assert 5 * SECOND < fires - live < 40 * SECOND
    full_at = first_above(scripted, full.sites[0], "fill_level", 80, live)
    assert 15 * SECOND < full_at - live < 30 * SECOND


def first_above(
    coast: Coast, site: str, parameter: str, level: float, live: int, suspect: int = 0
) -> int:
    """When the parameter first passed its level, to stay there until the bin is emptied, but for
    the first readings that are `suspect`.
    """
    device = device_at(coast, site)
    since = {device.id: live - CLOSE}
    plan = [
        *coast.plan(since, live, densely),
        *coast.plan({device.id: live}, live + MINUTE, lively),
    ]
    above = [s.time for s in coast.samples(plan) if s.values[parameter] > level]
    assert above == [time for time, _ in plan if time >= above[0]]
    return above[suspect]


def device_at(coast: Coast, site: str) -> Device:
    return next(d for d in coast.devices if d.site == site)


@pytest.mark.parametrize("live", MOMENTS)
def test_the_script_resolves_the_bin_within_three_minutes(coast: Coast, live: int) -> None:
    *_, full = script(coast, live)
    scripted = replace(coast, events=[full])
    times = np.arange(live + 101 * SECOND, live + 3 * MINUTE, SECOND)
    assert max(scripted.columns(device_at(coast, full.sites[0]), times)["fill_level"]) < 60


def test_samples_of_a_plan_are_those_of_each_moment(coast: Coast) -> None:
    plan = coast.plan(EARLIER, LIVE - HISTORY + 3 * HOUR, coast.usually)
    assert list(coast.samples(plan)) == [coast.sample(time, device) for time, device in plan]


def test_no_times_give_empty_columns(coast: Coast) -> None:
    for device in coast.devices:
        found = coast.columns(device, np.array([], np.int64))
        assert {len(column) for column in found.values()} == {0}
