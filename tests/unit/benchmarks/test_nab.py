"""The scoring of NAB's standard profile, and what may be read from its files."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import nab
from benchmarks.detectors import detected, terms
from core.times import HOUR, MINUTE

POINTS = 400
WINDOW = (200, 219)


@pytest.fixture
def series(tmp_path: Path) -> nab.Labelled:
    """One anomaly of twenty points."""
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(POINTS) * np.timedelta64(300, "s")
    texts = [str(time).replace("T", " ") for time in times]
    lines = ["timestamp,value", *(f"{text},1.5" for text in texts)]
    (tmp_path / "one.csv").write_text("\n".join(lines), encoding="utf-8")
    windows = {"one.csv": [[f"{texts[edge]}.000000" for edge in WINDOW]]}
    (tmp_path / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    (found,) = nab.load(tmp_path)
    return found


@pytest.mark.parametrize(
    ("points", "score"),
    [
        pytest.param([], -1.0, id="silence"),
        pytest.param([200], 1.0, id="at the left edge"),
        pytest.param([200, 205, 219], 1.0, id="the earliest counts, once"),
        pytest.param([210], 0.860, id="in the middle"),
        pytest.param([219], 0.126, id="at the right edge"),
        pytest.param([100], -1.11, id="false"),
        pytest.param([200, 221], 1 - 0.0287, id="just behind it"),
        pytest.param([10], -1.0, id="within the probation"),
    ],
)
def test_it_counts_what_was_detected(series: nab.Labelled, points: list[int], score: float) -> None:
    assert series.score(np.isin(np.arange(POINTS), points)) == pytest.approx(score, abs=1e-2)


def test_silence_is_nothing_and_100_is_all() -> None:
    assert nab.normal([-2.0, -1.0], 3) == 0
    assert nab.normal([2.0, 1.0], 3) == 100


def test_what_is_published_is_of_these_series() -> None:
    assert {len(scores) for scores in nab.PUBLISHED.values()} == {6}
    assert round(nab.normal(nab.PUBLISHED["Numenta TM"], 9), 1) == 89.1


def test_an_alert_is_detected_where_it_begins_and_not_again_before_it_ended() -> None:
    at = np.arange(40, dtype=np.int64) * 5 * MINUTE
    value = np.zeros(40)
    value[[5, 6, 10, 30]] = 2.0
    found = np.flatnonzero(detected(at, value, terms(1.0)))
    assert found.tolist() == [5, 30]
    assert at[30] - at[10] > HOUR
