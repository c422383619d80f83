"""Faults lie where the seed says, apart from each other, and touch nothing else."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks import faults
from benchmarks.faults import FAULTS, SENTINELS, Track, with_faults
from core.times import HOUR


def track(hours: int = 24 * 200, parameter: str = "water_temperature") -> Track:
    chance = np.random.default_rng(5)
    at = HOUR * np.arange(hours)
    value = np.round(
        20 + 3 * np.sin(at / (24 * HOUR) * 2 * np.pi) + chance.normal(0, 0.3, hours), 1
    )
    return Track(device="a", parameter=parameter, measured_at=at, value=value)


@pytest.mark.parametrize("kind", FAULTS)
def test_the_seed_decides_and_nothing_else_changes(kind: str) -> None:
    clean = track()
    values, episodes = with_faults(clean, FAULTS[kind], 1)
    again, same = with_faults(clean, FAULTS[kind], 1)
    assert (values.tolist(), episodes) == (again.tolist(), same)
    assert with_faults(clean, FAULTS[kind], 2)[1] != episodes
    assert len(episodes) > 20
    touched = np.zeros(len(values), np.bool_)
    for episode in episodes:
        assert episode.start <= episode.due < episode.end
        assert (
            values[episode.start : episode.end] != clean.value[episode.start : episode.end]
        ).any()
        touched[episode.start : episode.end] = True
    assert (values[~touched] == clean.value[~touched]).all()


@pytest.mark.parametrize("kind", FAULTS)
def test_they_lie_apart(kind: str) -> None:
    at, (_, episodes) = track().measured_at, with_faults(track(), FAULTS[kind], 1)
    for before, after in pairwise(episodes):
        assert at[after.start] - at[before.end - 1] >= faults.APART


def test_there_are_none_where_the_series_is_stuck_or_has_a_gap() -> None:
    clean = track()
    clean.value[1000:1010] = 20.0
    at = clean.measured_at + np.where(np.arange(len(clean.value)) >= 2000, 4 * HOUR, 0)
    gappy = Track(device="a", parameter=clean.parameter, measured_at=at, value=clean.value)
    for seed in range(20):
        for episode in with_faults(gappy, FAULTS["step"], seed)[1]:
            assert not (episode.start - 24 <= 1000 and episode.end >= 1010)
            assert not episode.start - 24 < 2000 <= episode.end


def test_what_each_kind_does() -> None:
    clean = track()
    first = {kind: with_faults(clean, FAULTS[kind], 1) for kind in FAULTS}
    for kind, (values, episodes) in first.items():
        for episode in episodes:
            rows = slice(episode.start, episode.end)
            bad, good = values[rows], clean.value[rows]
            assert {
                "sentinels": np.isin(bad, SENTINELS).all() and len(set(bad)) == 1,
                "zeros": (bad == 0).all(),
                "stuck": (bad == good[0]).all(),
                "spike": len(bad) == 1 and abs(bad - good) >= clean.scale / 2,
                "step": np.ptp(np.round(bad - good, 9)) == 0,
                "noise": np.std(bad - good) > clean.scale / 10,
                "unit": np.allclose(bad, good * 1.8 + 32),
            }[kind], kind


def test_a_run_is_due_when_it_has_lasted_six_hours() -> None:
    clean = track()
    for kind in ("zeros", "stuck"):
        for episode in with_faults(clean, FAULTS[kind], 1)[1]:
            lasted = clean.measured_at[[episode.due, episode.end - 1]]
            assert (lasted - clean.measured_at[episode.start]).min() >= 6 * HOUR
