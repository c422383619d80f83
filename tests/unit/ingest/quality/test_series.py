"""Tests that look back, as tables: what they say on arrival, and in the end."""

import math
from collections.abc import Sequence

import pytest

from core.quality import Limits
from core.readings import Flag
from core.times import DAY, HOUR, MINUTE
from ingest.quality.table import QUALITY_TESTS
from tests.unit.ingest.quality.stream import T0, Came, Stream, series_of, sites_of, stream

SPIKE = Limits(spike=2, spike_fail=5, reach=3600.0)
RATE = Limits(rate=0.1, reach=3600.0)
FLAT = Limits(flat_tolerance=0.1, flat_suspect=1800.0, flat_fail=3600.0, reach=1800.0)
NONE, GOOD, SUSPECT, FAIL = (
    Flag.NOT_EVALUATED,
    Flag.GOOD,
    Flag.SUSPECT,
    Flag.FAIL,
)


def run(limits: Limits, values: Sequence[float], minutes: Sequence[float] = ()) -> Stream:
    """One series, a reading a batch, every five minutes or at these minutes."""
    made = stream(limits)
    times = minutes or [5.0 * n for n in range(len(values))]
    for minute, value in zip(times, values, strict=True):
        at = T0 + round(minute * MINUTE)
        made.settle([Came(at, 0, at, value)])
    return made


def on_arrival(made: Stream) -> list[int]:
    return [flag for _, (flag, _) in sorted(made.arrived.items())]


def in_the_end(made: Stream) -> list[int]:
    return [flag for _, (_, flag, _) in sorted(made.stored.items())]


@pytest.mark.parametrize(
    ("values", "at_once", "finally_"),
    [
        pytest.param([1, 1, 9, 1, 1], "21311", "21411", id="a spike fails alone"),
        pytest.param([1, 1, 4, 1, 1], "21311", "21311", id="a lesser one is suspect"),
        pytest.param([1, 1, 3, 1, 1], "21111", "21111", id="the limit itself is good"),
        pytest.param([1, 1, 9, 9, 9], "21311", "21111", id="a step that stays is cleared"),
        pytest.param([1, 1, 9, 9, 1, 1], "213131", "211111", id="two make a plateau, no spike"),
        pytest.param([1, 3, 5, 7, 9], "21111", "21111", id="a slope is no spike"),
        pytest.param([1, 1, 9, -9, 1, 1], "213311", "214411", id="there, beyond, and back"),
        pytest.param([1, 9, 1], "231", "241", id="the second one"),
        pytest.param([9, 1, 1], "231", "211", id="the first one: nobody can know"),
        pytest.param([1], "2", "2", id="one"),
        pytest.param([5, 5, 5, 5], "2111", "2111", id="constant"),
    ],
)
def test_a_spike_is_suspect_at_once_and_known_with_the_next(
    values: Sequence[float], at_once: str, finally_: str
) -> None:
    made = run(SPIKE, values)
    assert "".join(str(flag) for flag in on_arrival(made)) == at_once
    assert "".join(str(flag) for flag in in_the_end(made)) == finally_
    assert {r.cause for r in made.revisions} <= {"next-reading"}


def test_a_reading_out_of_reach_is_no_neighbour() -> None:
    made = run(SPIKE, [1, 1, 9, 1], [0, 5, 10, 71])
    assert in_the_end(made) == [NONE, GOOD, SUSPECT, NONE]
    assert made.revisions == []
    assert in_the_end(run(SPIKE, [1, 9, 1], [0, 61, 66])) == [NONE, NONE, SUSPECT]


def test_what_fails_by_itself_is_no_neighbour() -> None:
    limits = Limits(spike=2, spike_fail=5, rate=0.1, sentinels=(-999,))
    made = run(limits, [1, 1, -999, -999, 1.2, 1.3])
    assert in_the_end(made) == [GOOD, GOOD, FAIL, FAIL, GOOD, GOOD]
    assert made.revisions == []


@pytest.mark.parametrize(
    ("values", "minutes", "flags"),
    [
        pytest.param([1, 1.5, 2, 2.5], (), "2111", id="at the rate"),
        pytest.param([1, 1.6, 1.6], (), "231", id="beyond it"),
        pytest.param([1, 1.9], [0, 10], "21", id="more in more time"),
        pytest.param([1, 1.1], [0, 0.5], "23", id="less in less time"),
        pytest.param([1, 9], [0, 61], "22", id="out of reach"),
    ],
)
def test_a_rate_is_of_true_minutes(
    values: Sequence[float], minutes: Sequence[float], flags: str
) -> None:
    made = run(RATE, values, minutes)
    assert "".join(str(flag) for flag in in_the_end(made)) == flags


def test_a_rate_is_not_taken_from_a_spike() -> None:
    limits = Limits(rate=0.1, spike=2)
    assert in_the_end(run(limits, [1, 1, 9, 1, 1])) == [NONE, GOOD, SUSPECT, GOOD, GOOD]


def test_a_rate_allows_for_the_noise_that_a_series_has() -> None:
    limits = Limits(rate=0.01, noise_factor=2, reach=3600.0)
    place = QUALITY_TESTS["rate_of_change"].place
    noisy = [float(n % 2) for n in range(12 * 7)]  # seven hours, every step is 1
    made = run(limits, [*noisy, 2.0, 5.0])
    said = [tests >> 2 * place & 3 for _, (_, tests) in sorted(made.arrived.items())]
    assert set(said[: 12 * 6]) == {0}, "until two windows are closed, nobody knows the noise"
    assert set(said[12 * 6 : -1]) == {1}
    assert said[-1] == 2


@pytest.mark.parametrize(
    ("values", "minutes", "flags"),
    [
        pytest.param([1, 2, 2, 2, 2], [0, 10, 20, 39, 40], "21113", id="suspect after its time"),
        pytest.param([1, 2, 2, 2, 2], [0, 10, 30, 50, 70], "21134", id="then it fails"),
        pytest.param([2, 2, 2, 2], [0, 10, 20, 30], "2223", id="nobody saw it begin"),
        pytest.param([2, 2.05, 1.96, 2.04], [0, 10, 20, 30], "2223", id="within the tolerance"),
        pytest.param([2, 2.3, 2, 2.3, 2], [0, 10, 20, 30, 40], "21111", id="it moves"),
        pytest.param([1, 2, 2, 2], [0, 10, 20, 51], "2112", id="a gap ends it"),
        pytest.param([2], [0], "2", id="one"),
    ],
)
def test_a_flat_line_is_told_by_true_seconds(
    values: Sequence[float], minutes: Sequence[float], flags: str
) -> None:
    assert "".join(str(flag) for flag in in_the_end(run(FLAT, values, minutes))) == flags


def test_a_series_may_rest_where_it_may() -> None:
    limits = Limits(flat_tolerance=0.1, flat_suspect=600.0, rests=(0, 0))
    assert in_the_end(run(limits, [0] * 6)) == [GOOD] * 6
    assert in_the_end(run(limits, [3] * 6))[-1] == SUSPECT


def test_equal_means_equal_where_the_tolerance_is_nothing() -> None:
    limits = Limits(flat_tolerance=0, flat_suspect=600.0)
    assert in_the_end(run(limits, [0.1, 0.1 + 1e-7, 0.1, 0.1 + 1e-7]))[1:] == [GOOD] * 3
    assert in_the_end(run(limits, [0.1, 0.1, 0.1, 0.1]))[2:] == [SUSPECT] * 2


@pytest.mark.parametrize(
    ("hours", "swing", "flag"),
    [
        pytest.param(26, 0.4, SUSPECT, id="it hardly moves"),
        pytest.param(26, 0.6, GOOD, id="it moves"),
        pytest.param(20, 0.4, NONE, id="not long enough"),
    ],
)
def test_a_signal_that_hardly_moves_in_a_day_is_suspect(
    hours: int, swing: float, flag: Flag
) -> None:
    values = [swing * (n % 2) for n in range(hours)]
    made = run(Limits(attenuated=0.5), values, [60.0 * n for n in range(hours)])
    assert in_the_end(made)[-1] == flag


def test_a_signal_is_not_judged_by_what_came_before_a_silence() -> None:
    times = [60.0 * n for n in range(26)] + [60.0 * 26 + DAY // MINUTE]
    assert in_the_end(run(Limits(attenuated=0.5), [0.0] * 27, times))[-2:] == [SUSPECT, NONE]


NEAR = Limits(neighbour_difference=3, neighbour_km=5)


def beaches(*values: float, km: Sequence[float] = (0, 1, 2, 3)) -> Stream:
    """As many beaches as values, each with a steady reading every 20 minutes, for three hours."""
    names = [f"s{n}" for n in range(len(values))]
    series = series_of(*["ph"] * len(values), devices=[f"d-{n}" for n in names], sites=names)
    sites = sites_of(**dict(zip(names, km, strict=False)))
    made = stream(*[NEAR] * len(values), series=series, sites=sites)
    for third in range(9):
        for n, value in enumerate(values):
            at = T0 + third * 20 * MINUTE + n
            made.settle([Came(at, n, at, value)])
    return made


@pytest.mark.parametrize(
    ("values", "km", "flags"),
    [
        pytest.param([8, 8.1, 8.2, 20], (0, 1, 2, 3), [1, 1, 1, 3], id="one is far off"),
        pytest.param([8, 8.1, 8.2, 11], (0, 1, 2, 3), [1, 1, 1, 1], id="not so far"),
        pytest.param([8, 20], (0, 1), [2, 2], id="one neighbour is not enough"),
        pytest.param([8, 8, 8, 20], (0, 1, 2, 30), [1, 1, 1, 2], id="too far away"),
    ],
)
def test_neighbours_judge_the_hour_that_is_over(
    values: Sequence[float], km: Sequence[float], flags: Sequence[int]
) -> None:
    made = beaches(*values, km=km)
    for n, flag in enumerate(flags):
        first, *rest = [f for (series, _), (f, _) in sorted(made.arrived.items()) if series == n]
        assert first == NONE
        assert rest[3:] == [flag] * 5, "from the second hour on"


def test_of_neighbours_only_what_has_come_counts() -> None:
    made = beaches(8, 8, 8)
    at = T0 + 3 * HOUR
    made.settle([Came(at, 0, at, 8.0)])
    assert made.arrived[0, at][0] == GOOD
    later = T0 + 5 * HOUR
    made.settle([Came(later, 0, later, 8.0)])
    assert made.arrived[0, later][0] == NONE, "its own last hour is not the one before"


def test_numbers_are_all_that_a_state_can_hold() -> None:
    made = run(Limits(attenuated=1, noise_factor=1, rate=1, spike=1), [1e300, -1e300, math.inf, 1])
    assert len(made.arrived) == 4
