"""What is put into series of several stations lies apart, is judged, and makes a table."""

from itertools import combinations

import numpy as np
import pytest
from rich.console import Console

from benchmarks.faults import Track
from benchmarks.troubles import AIR, APART, SENSORS, Name, Put, with_event, with_fault
from benchmarks.verdicts import COASTS, Judged, judged_on, verdict_table
from core.times import DAY, HOUR
from core.verdicts import VerdictKind

STATIONS = ("aotizhongxin", "dongsi", "guanyuan")


def tracks(days: int = 90) -> dict[Name, Track]:
    """Three stations under one weather, each with noise of its own."""
    chance = np.random.default_rng(5)
    at = 1_400_000_400_000_000 + HOUR * np.arange(24 * days)
    air = 60 + 25 * np.sin(at / DAY * 2 * np.pi) + 5 * np.sin(at / (7 * DAY) * 2 * np.pi)
    made = {}
    for device in STATIONS:
        for parameter, part in (("pm25", 1.0), ("pm10", 1.4), ("co", 0.01)):
            value = np.round(part * (air + chance.normal(0, 3, len(at))), 2)
            made[device, parameter] = Track(
                device=device, parameter=parameter, measured_at=at, value=value
            )
    return made


def of(kind: str, seed: int) -> tuple[dict[Name, np.ndarray], list[Put]]:
    if kind in SENSORS:
        return with_fault(tracks(), kind, seed)
    return with_event(tracks(), kind, AIR[kind], seed)


@pytest.mark.parametrize("kind", [*SENSORS, *AIR])
def test_what_is_put_in_lies_apart_and_nothing_else_changes(kind: str) -> None:
    values, puts = of(kind, 1)
    assert puts == of(kind, 1)[1] != of(kind, 2)[1]
    assert len(puts) > 1
    for one, other in combinations(puts, 2):
        assert one.start > other.end + APART or other.start > one.end + APART
    for name, track in tracks().items():
        inside = np.zeros(len(track.value), np.bool_)
        for put in puts:
            if name in put.series:
                inside |= (track.measured_at >= put.start) & (track.measured_at <= put.end)
        assert (values[name][~inside] == track.value[~inside]).all()


def test_a_fault_is_of_one_series_and_haze_of_all_stations() -> None:
    assert {len(put.series) for put in of("bias", 1)[1]} == {1}
    (series,) = {put.series for put in of("haze at all stations", 1)[1]}
    assert {device for device, _ in series} == set(STATIONS)


def test_what_is_put_in_is_judged_and_told() -> None:
    found = list(judged_on(COASTS["Air of Beijing"], tracks(), 1))
    assert {one.put.kind for one in found} == {*SENSORS, *AIR}
    other_unit = [one for one in found if one.put.kind == "unit" and one.opinion is not None]
    assert other_unit
    assert {one.opinion.kind for one in other_unit if one.opinion} == {VerdictKind.SENSOR_FAULT}


def test_a_table_counts_the_stations_that_weights_were_tuned_on_apart() -> None:
    put = Put("bias", VerdictKind.SENSOR_FAULT, frozenset({("dongsi", "pm25")}), 0, HOUR)
    found = [Judged(put, device, None) for device in STATIONS]
    console = Console(width=120)
    with console.capture() as shown:
        console.print(verdict_table(found, "Air", tuned=False))
    (row,) = [line for line in shown.get().splitlines() if line.startswith("| bias")]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["2", "0%", "", "", ""]
