"""What quality finds in real series, and what it flags there: benchmarks.quality_recall, short."""

import functools
from collections.abc import Sequence

import pytest

from benchmarks.quality_recall import DATA_SETS, Found, Score, scores
from tests.real import DATA, needs_data

UNSEEN_SEED = 3  # neither that of the tuning nor that of the documents

pytestmark = needs_data


@functools.cache
def of(parameter: str) -> Sequence[Score]:
    """The scores of all series of a parameter, tuned on or not."""
    return [each for data in DATA_SETS for each in scores(data, DATA, UNSEEN_SEED, [parameter])]


@pytest.mark.parametrize(
    ("parameter", "most"),
    [
        pytest.param("water_temperature", 0.01, id="beaches"),
        pytest.param("pm25", 0.02, id="air, beside PM10 of the same station"),
    ],
)
def test_it_leaves_good_readings_alone(parameter: str, most: float) -> None:
    assert {each.track.device: each.clean for each in of(parameter) if each.clean > most} == {}
    assert len(of(parameter)) == 3


@pytest.mark.parametrize("parameter", ["water_temperature", "turbidity", "pm25"])
def test_it_finds_the_faults_of_each_series(parameter: str) -> None:
    for each in of(parameter):
        faults = sum(each.faults.values(), Found(0, 0, 0, 0))
        assert faults.episodes > 200
        assert faults.found >= 0.95 * faults.episodes, each.track.device


def test_it_finds_each_run_of_a_turbidity_that_is_stuck_for_days() -> None:
    (montrose,) = [each for each in of("turbidity") if each.track.device == "Montrose Beach"]
    assert montrose.runs.episodes > 50
    assert montrose.runs.found == montrose.runs.episodes
    assert montrose.runs.flagged == montrose.runs.due > 1500
