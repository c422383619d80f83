"""A wrong clock is told from a delay; nothing depends on how the stream is cut into batches."""

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry import Clock, Series
from core.times import DAY, HOUR, MINUTE, SECOND
from ingest.clocks import KEPT, LEAST, Clocks, wrong
from ingest.gather import Rows
from tests.world import MIDNIGHT

DEVICES = ("probe", "bin", "other")
SERIES = [
    Series(index=n, device=d, parameter=p, site="s", kind="k", district="d")
    for n, (d, p) in enumerate((d, p) for d in DEVICES for p in ("a", "b"))
]
Report = tuple[int, str, int]  # received at, device, measured at


def heard(reports: Iterable[Report], size: int = 7) -> Clocks:
    """The clocks after these reports, each of two values, cut into batches of `size`."""
    clocks, reports = Clocks(120), list(reports)
    for start in range(0, len(reports), size):
        rows, part = Rows(), reports[start : start + size]
        for number, (_, device, measured_at) in enumerate(part):
            first = 2 * DEVICES.index(device)
            rows.add(number, measured_at, [first, first + 1], [1.0, 2.0])
        clocks.note(rows, np.array([r[0] for r in part], np.int64), SERIES)
    return clocks


def every(interval: int, count: int, offset: int, jitter: int = 0) -> list[Report]:
    """So many reports of the probe, received `offset` after they were measured, give or take."""
    chance = random.Random(7)
    received = [MIDNIGHT + n * interval for n in range(count)]
    return [(at, "probe", at - offset - chance.randint(-jitter, jitter) - 1) for at in received]


def handed_in(every_so_often: int, interval: int, count: int) -> list[Report]:
    """Reports that a gateway keeps and hands in together, the oldest first, in a few seconds."""
    found = []
    for number in range(count):
        measured = MIDNIGHT + number * interval
        after = MIDNIGHT + (number * interval // every_so_often + 1) * every_so_often
        found.append((after + number % 20, "probe", measured))
    return found


@pytest.mark.parametrize(
    ("reports", "offset"),
    [
        pytest.param(every(MINUTE, 20, 0, SECOND), 0, id="right"),
        pytest.param(every(MINUTE, 20, HOUR, SECOND), 3600, id="behind"),
        pytest.param(every(MINUTE, 20, -7 * HOUR, SECOND), -7 * 3600, id="ahead by a time zone"),
        pytest.param(every(5 * MINUTE, 6, 9000 * DAY), 9000 * 86400, id="never set"),
        pytest.param(handed_in(HOUR, MINUTE, 1200), 60, id="handed in each hour, newest at once"),
        pytest.param(handed_in(HOUR, 5 * SECOND, 9000), 5, id="the same, many"),
    ],
)
def test_it_measures_a_steady_clock(reports: list[Report], offset: float) -> None:
    clock = heard(reports).all()["probe"]
    assert clock.steady
    assert clock.offset == pytest.approx(offset, abs=1.1)


@pytest.mark.parametrize("speed", [2, 5, 10, 60, 3600])
def test_a_gateway_that_catches_up_is_no_wrong_clock(speed: int) -> None:
    away, back = MIDNIGHT + 20 * MINUTE, MIDNIGHT + 3 * HOUR
    kept = range(away, back, MINUTE)  # handed in, the oldest first, faster than it came to be
    late = [(back + (at - away) // speed, "probe", at) for at in kept]
    reports = [*every(MINUTE, 20, 0), *late]
    for known in range(20, len(reports), 5):
        assert wrong(heard(reports[:known]).all(), 120) == {}


def test_a_delay_that_changes_is_not_steady() -> None:
    clock = heard(every(MINUTE, 20, 30 * MINUTE, 20 * MINUTE)).all()["probe"]
    assert not clock.steady
    assert wrong({"probe": clock}, 120) == {}


def test_a_clock_that_was_set_right_is_right_after_half_of_what_is_kept() -> None:
    behind = every(MINUTE, 20, HOUR)
    right = [(at + 20 * MINUTE, d, m + HOUR + 20 * MINUTE) for at, d, m in every(MINUTE, 20, HOUR)]
    half = KEPT // 2
    assert wrong(heard([*behind, *right[:half]]).all(), 120) == {"probe": pytest.approx(3600)}
    assert wrong(heard([*behind, *right[: half + 1]]).all(), 120) == {}


def test_too_little_was_heard_of_a_device_at_first() -> None:
    few = heard(every(MINUTE, LEAST - 1, HOUR))
    assert few.all() == {}
    assert few.due(MIDNIGHT, DEVICES) == ({}, set(DEVICES))
    enough = heard(every(MINUTE, LEAST, HOUR))
    assert enough.all()["probe"] == Clock(
        offset=3600.000001, spread=0.0, samples=LEAST, since=MIDNIGHT, steady=True
    )
    assert enough.due(MIDNIGHT, DEVICES) == ({"probe": 3600.000001}, {"bin", "other"})
    assert enough.due(MIDNIGHT + MINUTE - 1, DEVICES) is None  # once a minute is enough


def test_a_message_without_a_time_says_nothing() -> None:
    at = [MIDNIGHT + n * MINUTE for n in range(20)]
    assert heard((t, "probe", t) for t in at).all() == {}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 90 * SECOND), st.sampled_from(DEVICES), st.integers(-HOUR, 2 * HOUR)
        ),
        max_size=150,
    ),
    st.integers(1, 40),
)
def test_how_the_stream_is_cut_changes_nothing(
    steps: list[tuple[int, str, int]], size: int
) -> None:
    reports, at = [], MIDNIGHT
    for pause, device, offset in steps:
        at += pause
        reports.append((at, device, at - offset))
    assert heard(reports, size).all() == heard(reports, 1000).all()
