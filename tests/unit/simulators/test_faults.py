"""What each fault does to a series, stated on a plain one; and what it does on a message's way."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance
from simulators.faults import FAULTS, Fault, FaultKind, spoiled
from simulators.gateways import Sample
from simulators.sendings import AGAIN, HELD, SENDING_FAULTS, Sending

MONDAY = 1_795_366_800_000_000  # 2026-11-23 00:00 in Phuket
TIMES: IntColumn = np.arange(MONDAY, MONDAY + 4 * DAY, 5 * MINUTE)
CHANCE = Chance(83)
# a tide: 2 m and 1 m up and down, 12 h from one high water to the next
TIDE: FloatColumn = 2 + np.cos(2 * np.pi * (TIMES - MONDAY) / (12 * HOUR))
DURING = (TIMES >= MONDAY + DAY) & (TIMES < MONDAY + 3 * DAY)


def fault(kind: FaultKind, size: float = 0.0) -> Fault:
    """One from the second day to the end of the third."""
    return Fault(
        id=f"{kind}-1",
        kind=kind,
        devices=("probe",),
        parameters=(),
        start=MONDAY + DAY,
        end=MONDAY + 3 * DAY,
        size=size,
    )


def read_under(kind: FaultKind, size: float = 0.0, parameter: str = "water_level") -> FloatColumn:
    """The tide as it is read, and as the fault lasts."""
    found = spoiled(fault(kind, size), parameter, TIMES, TIDE, 3.0, CHANCE)
    assert (found[~DURING] == TIDE[~DURING]).all(), "outside of its time nothing changes"
    return found[DURING]


def test_a_stuck_sensor_goes_on_reading_what_it_read() -> None:
    assert set(read_under(FaultKind.STUCK)) == {3.0}


def test_a_spike_is_one_reading_now_and_then() -> None:
    off = read_under(FaultKind.SPIKE, 8.0) - TIDE[DURING]
    hit = np.abs(off - 8) < 0.01
    assert 0.005 < hit.mean() < 0.05
    assert (hit | (np.abs(off) < 0.01)).all()


def test_a_drift_begins_with_nothing_and_ends_with_its_size() -> None:
    off = read_under(FaultKind.DRIFT, -1.0) - TIDE[DURING]
    assert off[0] == pytest.approx(0, abs=0.01)
    assert off[len(off) // 2] == pytest.approx(-0.5, abs=0.01)
    assert off[-1] == pytest.approx(-1, abs=0.01)


def test_a_bias_is_there_at_once_and_all_the_time() -> None:
    assert read_under(FaultKind.BIAS, 1.5) == pytest.approx(TIDE[DURING] + 1.5, abs=0.01)


def test_noise_has_its_size_as_standard_deviation_and_no_mean() -> None:
    off = read_under(FaultKind.NOISE, 0.3) - TIDE[DURING]
    assert off.std() == pytest.approx(0.3, rel=0.1)
    assert off.mean() == pytest.approx(0, abs=0.05)


def test_attenuation_takes_its_part_of_the_swings() -> None:
    assert np.ptp(read_under(FaultKind.ATTENUATION, 0.9)) == pytest.approx(0.2, abs=0.02)


def test_a_new_unit_is_another_number() -> None:
    fahrenheit = read_under(FaultKind.UNIT_CHANGE, parameter="water_temperature")
    assert fahrenheit == pytest.approx(TIDE[DURING] * 1.8 + 32, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "parameter", "in_the_end"),
    [
        pytest.param(FaultKind.FOULING, "turbidity", 3 + 45, id="growth makes turbid"),
        pytest.param(FaultKind.FOULING, "dissolved_oxygen", 1.5, id="and takes half the oxygen"),
        pytest.param(FaultKind.BATTERY, "battery_voltage", 3 * 0.82, id="the voltage sags"),
        pytest.param(FaultKind.BATTERY, "battery_level", 0, id="the level comes to nothing"),
    ],
)
def test_growth_and_a_dying_battery_come_slowly(
    kind: FaultKind, parameter: str, in_the_end: float
) -> None:
    found = read_under(kind, parameter=parameter)
    assert found[0] == pytest.approx(3, abs=0.6)  # a level has no decimals
    assert found[-1] == pytest.approx(in_the_end, abs=0.5)


def test_growth_is_slow_first_and_fast_in_the_end() -> None:
    added = read_under(FaultKind.FOULING, parameter="turbidity") - TIDE[DURING]
    assert added[len(added) // 2] == pytest.approx(45 / 4, abs=0.1)


def test_a_probe_out_of_the_water_reads_air_and_sun() -> None:
    assert read_under(FaultKind.OUT_OF_WATER, parameter="salinity").max() < 0.2
    warmth = read_under(FaultKind.OUT_OF_WATER, parameter="water_temperature")
    hottest = TIMES[DURING][int(warmth.argmax())]
    assert (hottest + 7 * HOUR) % DAY == pytest.approx(14 * HOUR, abs=HOUR)
    assert np.ptp(warmth) > 10


def test_a_new_unit_may_need_more_decimals() -> None:
    milligrams = read_under(FaultKind.UNIT_CHANGE, parameter="pm25")
    assert milligrams == pytest.approx(TIDE[DURING] / 1000, abs=0.0005)
    assert len(set(milligrams)) > 1


@pytest.mark.parametrize(
    ("parameter", "lowest"),
    [pytest.param("turbidity", 0.0, id="never negative"), pytest.param("rssi", -499, id="or so")],
)
def test_a_sensor_reads_nothing_below_zero_where_nothing_can_be(
    parameter: str, lowest: float
) -> None:
    found = read_under(FaultKind.BIAS, -500.0, parameter=parameter)
    assert found.min() == pytest.approx(lowest, abs=2)


def test_the_same_chance_spoils_the_same_readings_however_they_are_cut() -> None:
    whole = spoiled(fault(FaultKind.NOISE, 1.0), "ph", TIMES, TIDE, 3.0, CHANCE)
    parts = [
        spoiled(fault(FaultKind.NOISE, 1.0), "ph", times, values, 3.0, CHANCE)
        for times, values in zip(
            np.split(TIMES, [300, 500]), np.split(TIDE, [300, 500]), strict=True
        )
    ]
    assert (np.concatenate(parts) == whole).all()
    other = spoiled(fault(FaultKind.NOISE, 1.0), "ph", TIMES, TIDE, 3.0, Chance(84))
    assert (other != whole).any()


@pytest.mark.parametrize("kind", FaultKind)
def test_each_kind_falsifies_readings_or_messages(kind: FaultKind) -> None:
    assert FAULTS[kind].spoils or kind in SENDING_FAULTS or kind is FaultKind.SWAP


# --- on the way ---


def sent_under(kind: FaultKind, size: float = 0.0) -> list[Sequence[Sending]]:
    """What becomes of the messages of the two days, one after the other."""
    one = fault(kind, size)
    return [
        SENDING_FAULTS[kind](one, sending, CHANCE.uniform(sending.at))
        for sending in map(sending_at, TIMES[DURING].tolist())
    ]


def sending_at(time: int) -> Sending:
    return Sending(time, "gw", Sample("probe", time, {"ph": 8.1}))


def test_some_messages_are_dropped() -> None:
    kept = [found for found in sent_under(FaultKind.DROP, 0.4) if found]
    assert len(kept) == pytest.approx(0.6 * DURING.sum(), rel=0.1)


def test_some_messages_come_twice() -> None:
    found = sent_under(FaultKind.DUPLICATE, 0.4)
    twice = [both for both in found if len(both) == 2]
    assert len(twice) == pytest.approx(0.4 * DURING.sum(), rel=0.1)
    assert {(b.at - a.at, b.sample == a.sample) for a, b in twice} == {(AGAIN, True)}


def test_some_messages_are_passed_by_others() -> None:
    late = [one.at - one.sample.time for (one,) in sent_under(FaultKind.REORDER, 0.4)]
    held = [delay for delay in late if delay]
    assert len(held) == pytest.approx(0.4 * DURING.sum(), rel=0.1)
    assert 0 < min(held) < 5 * MINUTE
    assert HELD - 5 * MINUTE < max(held) < HELD


def test_an_outage_ends_with_a_burst_of_all_that_was_kept_in_order() -> None:
    times = [one.at for (one,) in sent_under(FaultKind.OUTAGE)]
    assert times == sorted(times)
    assert times[0] == MONDAY + 3 * DAY
    assert times[-1] < MONDAY + 3 * DAY + 2 * DAY // 60
    assert len(times) == DURING.sum()


def test_a_wrong_clock_tells_another_time_and_sends_at_the_right_one() -> None:
    found = [one for (one,) in sent_under(FaultKind.CLOCK_SKEW, -7.0)]
    assert {one.at - one.sample.time for one in found} == {7 * HOUR}
    assert [one.at for one in found] == TIMES[DURING].tolist()


def test_a_dying_battery_falls_silent() -> None:
    found = [len(one) for one in sent_under(FaultKind.BATTERY)]
    quarter = len(found) // 4
    assert sum(found[: 2 * quarter]) == 2 * quarter
    assert 0.1 < sum(found[2 * quarter :]) / (2 * quarter) < 0.9
    assert sum(found[-20:]) <= 1
