"""Late readings: judged at their place in time, and what they change of their followers."""

from collections.abc import Sequence

import numpy as np
import pytest

from core.quality import Limits
from core.readings import Cause, Flag
from core.times import HOUR, MINUTE
from ingest.quality.table import verdicts_of
from tests.unit.ingest.quality.stream import T0, Came, Stream, stream

LIMITS = Limits(sensor_span=(-50, 50), spike=2, spike_fail=5, rate=1, reach=3600.0)


def run(*came: tuple[float, float], limits: Limits = LIMITS) -> Stream:
    """One series, each (minute, value) a message of its own, a second after the last one."""
    made = stream(limits)
    for number, (minute, value) in enumerate(came):
        at = T0 + round(minute * MINUTE)
        made.settle([Came(T0 + HOUR + number, 0, at, value)])
    return made


def flags(made: Stream) -> list[int]:
    return [flag for _, (_, flag, _) in sorted(made.stored.items())]


@pytest.mark.parametrize(
    ("came", "final"),
    [
        pytest.param([(0, 1), (10, 1), (5, 1)], "111", id="as its neighbours are"),
        pytest.param([(0, 1), (10, 1), (5, 9)], "141", id="a spike between two"),
        pytest.param([(0, 1), (10, 9), (5, 9)], "131", id="it explains the step after it"),
        pytest.param([(0, 1), (10, 9), (5, 1)], "113", id="it does not explain it"),
        pytest.param([(0, 1), (10, 1), (-5, 9)], "131", id="before the first"),
        pytest.param([(0, 1), (10, 1), (5, 99)], "141", id="impossible: no neighbour"),
        pytest.param([(0, 1), (120, 1), (40, 9)], "131", id="one side out of reach"),
        pytest.param([(0, 1), (200, 1), (100, 9)], "111", id="both sides out of reach"),
    ],
)
def test_it_is_judged_between_its_neighbours(
    came: Sequence[tuple[float, float]], final: str
) -> None:
    assert "".join(str(flag) for flag in flags(run(*came))) == final


def test_the_one_after_it_is_judged_again() -> None:
    made = run((0, 1.0), (10, 9.0), (5, 9.0))
    assert made.arrived[0, T0 + 10 * MINUTE][0] == Flag.SUSPECT
    (revision,) = made.revisions
    assert (revision.measured_at, revision.cause) == (T0 + 10 * MINUTE, Cause.LATE_READING)
    assert (revision.flag_before, revision.flag) == (Flag.SUSPECT, Flag.GOOD)
    assert revision.revised_at == T0 + HOUR + 2


def test_its_follower_is_judged_against_what_is_stored_far_back() -> None:
    came = [(float(n), 1.0) for n in range(0, 100, 10)]
    made = run(*came, (25.0, 9.0), (24.0, 9.0), limits=Limits(spike=2, reach=3600.0))
    assert made.stored[0, T0 + 24 * MINUTE][1] == Flag.GOOD, "its follower is as high"
    assert made.stored[0, T0 + 25 * MINUTE][1] == Flag.GOOD, "revised: two make a plateau"
    assert [r.cause for r in made.revisions] == [Cause.LATE_READING] * len(made.revisions)


def test_it_moves_no_long_window() -> None:
    limits = Limits(flat_tolerance=0.1, flat_suspect=600.0, attenuated=1, noise_factor=1, rate=1)
    made = run((0, 5.0), (10, 5.0), (20, 5.0), limits=limits)
    before = made.state.tails.copy(), made.state.windows.copy()
    made.settle([Came(T0 + 2 * HOUR, 0, T0 + 15 * MINUTE, 7.0)])
    assert "flat_line" not in verdicts_of(made.arrived[0, T0 + 15 * MINUTE][1])
    for name in ("at", "value", "run", "count", "low", "high", "steps", "moved"):
        np.testing.assert_array_equal(made.state.tails[name], before[0][name])
    np.testing.assert_array_equal(made.state.windows["window"], before[1]["window"])
    made.settle([Came(T0 + 3 * HOUR, 0, T0 + 30 * MINUTE, 5.0)])
    assert verdicts_of(made.arrived[0, T0 + 30 * MINUTE][1])["flat_line"].name == "SUSPECT"


def test_one_that_is_newer_than_all_that_is_sound_is_none() -> None:
    made = run((0, 1.0), (20, 99.0), (10, 1.5), (30, 1.5))
    assert flags(made) == [Flag.GOOD, Flag.GOOD, Flag.FAIL, Flag.GOOD]
