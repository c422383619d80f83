"""A day of a device as a table: when readings came, and what that says of it."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.readings import Flag
from core.times import DAY, HOUR, MINUTE
from storage.daily import Day, Heard, day

START = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


def heard(*rows: tuple[float, int, int]) -> Heard:
    """Readings as (minutes after the day's start, series, flag), in order of time."""
    minutes, series, flags = zip(*rows, strict=True) if rows else ((), (), ())
    return Heard(
        at=START + (np.array(minutes, np.float64) * MINUTE).astype(np.int64),
        series=np.array(series, np.int64),
        flag=np.array(flags, np.int64),
    )


def every(minutes: float, *, without: Sequence[float] = (), series: int = 0) -> Heard:
    """One reading every so many minutes of a day, but for the hours in `without`."""
    times = [m for m in np.arange(0, 24 * 60, minutes) if m // 60 not in without]
    return heard(*((m, series, 1) for m in times))


def judged(found: Heard, *, interval: int = 10 * MINUTE, length: int = DAY) -> Day:
    return day(found, START, START + length, interval)


@pytest.mark.parametrize(
    ("found", "expected", "received", "gap", "up"),
    [
        pytest.param(every(10), 144, 144, 10 * MINUTE, 1.0, id="all of it"),
        pytest.param(heard(), 144, 0, DAY, 0.0, id="nothing"),
        pytest.param(every(5), 144, 288, 5 * MINUTE, 1.0, id="more than is due"),
        pytest.param(every(20), 144, 72, 20 * MINUTE, 1.0, id="every second one: up all the same"),
        pytest.param(
            every(10, without=[6, 7]), 144, 132, 130 * MINUTE, 1 - 100 / 1440, id="two hours off"
        ),
        pytest.param(heard((0, 0, 1)), 144, 1, DAY, 30 / 1440, id="one, at midnight"),
        pytest.param(heard((-10, 0, 1)), 144, 0, DAY, 20 / 1440, id="the last one of yesterday"),
        pytest.param(heard((1435, 0, 1)), 144, 1, 1435 * MINUTE, 5 / 1440, id="late at night"),
        pytest.param(heard((1440, 0, 1)), 144, 0, DAY, 0.0, id="the first one of tomorrow"),
        pytest.param(
            heard((60, 0, 1), (60, 1, 1), (120, 0, 1)),
            144,
            2,
            22 * HOUR,
            60 / 1440,
            id="two series",
        ),
        pytest.param(
            heard((60, 0, 1), (61, 1, 1)), 144, 1, 1379 * MINUTE, 31 / 1440, id="one value each"
        ),
    ],
)
def test_it_says_how_complete_a_day_was(
    found: Heard, expected: int, received: int, gap: int, up: float
) -> None:
    told = judged(found)
    assert (told.expected, told.received, told.gap) == (expected, received, gap)
    assert told.up == pytest.approx(up)


def test_a_day_that_is_not_over_is_judged_as_far_as_it_goes() -> None:
    told = judged(heard((0, 0, 1), (10, 0, 1), (20, 0, 1)), length=25 * MINUTE)
    assert (told.expected, told.received, told.gap, told.up) == (2, 3, 10 * MINUTE, 1.0)


def test_without_an_interval_nothing_is_expected() -> None:
    told = judged(every(10), interval=0)
    assert (told.expected, told.up, told.received, told.gap) == (None, None, 144, 10 * MINUTE)


def test_it_counts_the_flags_of_all_readings() -> None:
    told = judged(heard((0, 0, 1), (0, 1, 4), (10, 0, 3), (10, 1, 1), (20, 0, 2)))
    assert told.readings == 5
    assert told.flags == {
        Flag.GOOD: 2,
        Flag.NOT_EVALUATED: 1,
        Flag.SUSPECT: 1,
        Flag.FAIL: 1,
        Flag.MISSING: 0,
    }
