"""How long the tests of quality take: over a city, over a few readings, over a year of one series.

Every test is set for every series. Times are of the thread's CPU, so that others on the machine
count less. ioos_qc, where it is installed, judges the same readings: it remembers nothing, so in
batches it is given the last `TAIL` readings of each series that the batch touches.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from core.catalogue import CATALOGUE
from core.quality import Climate, Limits
from core.readings import Columns, FloatColumn, IntColumn
from core.registry import Series
from core.times import MINUTE, SECOND
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.state import State
from ingest.quality.table import QUALITY_TESTS

try:
    qartod: Any = import_module("ioos_qc.qartod")
except ImportError:
    qartod = None

DEVICES = 300
TAIL = 60
PARAMETERS = ("pm1", "pm10", "pm25", "air_temperature", "humidity", "no2")
INTERVAL = 5 * MINUTE
T0 = 1_795_305_600 * SECOND
YEAR = 105_120


def limits_of(parameter: str) -> Limits:
    """The catalogue's limits, and something for each test that they leave out."""
    climate = Climate(months=frozenset(range(1, 13)), hours=frozenset(range(24)), span=(-50, 2000))
    wanted = Limits(
        user_span=(-50, 2000),
        climatology=(climate,),
        spike=100,
        spike_fail=200,
        rate=20,
        noise_factor=5,
        flat_tolerance=0.01,
        flat_suspect=3 * 3600.0,
        flat_fail=6 * 3600.0,
        attenuated=0.1,
        neighbour_difference=50,
        neighbour_km=10,
    )
    known = CATALOGUE[parameter].limits
    return replace(wanted, sentinels=known.sentinels, sensor_span=known.sensor_span, ahead=120.0)


def city(devices: int) -> tuple[list[Series], QualitySettings]:
    """So many stations with six parameters each, a kilometre apart."""
    series = [
        Series(
            index=n * len(PARAMETERS) + k,
            device=f"d{n}",
            parameter=parameter,
            site=f"s{n}",
            kind="air",
            district="",
            position=(7.7 + n // 20 / 111, 98.2 + n % 20 / 110),
        )
        for n in range(devices)
        for k, parameter in enumerate(PARAMETERS)
    ]
    limits = [limits_of(s.parameter) for s in series]
    return series, QualitySettings.of(series, limits)


def columns_of(series: IntColumn, at: IntColumn, value: FloatColumn) -> Columns:
    """Readings in order of arrival as a batch; they were received as they were measured."""
    order = np.argsort(series, kind="stable")
    return Columns(
        series=series[order],
        measured_at=at[order],
        received_at=at[order] + SECOND,
        value=value[order],
        flag=np.zeros(len(at), np.uint8),
        tests=np.zeros(len(at), np.uint32),
        late=np.zeros(len(at), np.bool_),
    )


def batches(readings: int) -> Iterator[Columns]:
    """What the stations of a city say, each of them every five minutes, cut into batches."""
    chance = np.random.default_rng(1)
    count = len(PARAMETERS)
    phase = np.sort(chance.integers(0, INTERVAL, DEVICES))
    level = 20 + chance.normal(0, 1, DEVICES * count)
    message = 0
    while True:
        numbers = np.arange(message, message + readings // count)
        message += len(numbers)
        device = numbers % DEVICES
        at = np.repeat(T0 + numbers // DEVICES * INTERVAL + phase[device], count)
        series = (device[:, np.newaxis] * count + np.arange(count)).ravel()
        level += chance.normal(0, 0.1, len(level))
        yield columns_of(series, at, level[series] + chance.normal(0, 0.3, len(series)))


def a_year() -> Columns:
    """A year of one series."""
    chance = np.random.default_rng(1)
    at = T0 + np.arange(YEAR) * INTERVAL
    return columns_of(np.zeros(YEAR, np.int64), at, 20 + chance.normal(0, 1, YEAR))


def judged(settings: QualitySettings, cut: Iterable[Columns]) -> float:
    """µs for a batch, the median."""
    state, found = State(len(settings.series)), []
    for columns in cut:
        start = time.thread_time_ns()
        checked = check(columns, state, settings)
        state.accept(checked.moved)
        found.append((time.thread_time_ns() - start) / 1000)
    return float(np.median(found))


def judged_by_peer(columns: Columns, readings: int) -> float:
    """µs of ioos_qc, five tests, for so many readings of each series of a batch."""
    series, found = np.unique(columns.series), 0
    chosen = series[:: max(1, len(series) // 50)]  # of many alike some will do
    rows = np.flatnonzero(columns.series == columns.series[0])[-readings:]
    at = T0 + np.arange(readings) * INTERVAL
    times = at.astype("datetime64[us]").astype("datetime64[ns]")
    values = np.resize(columns.value[rows], readings) + np.arange(readings) % 7
    for _ in chosen:
        start = time.thread_time_ns()
        qartod.gross_range_test(inp=values, fail_span=(-50, 2000), suspect_span=(-40, 1000))
        qartod.spike_test(inp=values, suspect_threshold=100, fail_threshold=200)
        qartod.rate_of_change_test(inp=values, tinp=times, threshold=1)
        qartod.flat_line_test(
            inp=values, tinp=times, suspect_threshold=10800, fail_threshold=21600, tolerance=0.01
        )
        qartod.attenuated_signal_test(
            inp=values, tinp=times, suspect_threshold=0.1, fail_threshold=0.01, test_period=86400
        )
        found += time.thread_time_ns() - start
    return found / 1000 / len(chosen) * len(series)


def main() -> None:
    """Print the table."""
    _, every = city(DEVICES)
    one = QualitySettings.of(every.series[:1], every.limits[:1])
    table = Table(title="Quality: CPU time of one thread")
    for name in ("", "readings", "ours\nµs", "\nµs a reading", "ioos_qc\nµs", "\nµs a reading"):
        table.add_column(name, justify="right" if name else "left")
    cases = (
        ("batch of a city", every, list(islice(batches(3000), 200)), TAIL),
        ("one message", every, list(islice(batches(6), 3000)), TAIL),
        ("a year, one series", one, [a_year()] * 5, YEAR),
    )
    for name, settings, cut, readings in cases:
        size = len(cut[0])
        ours = judged(settings, cut) if readings == TAIL else judged_afresh(settings, cut)
        peer = judged_by_peer(cut[0], readings) if qartod else None
        cells = [f"{ours:,.0f}", f"{ours / size:.2f}"]
        cells += [f"{peer:,.0f}", f"{peer / size:.2f}"] if peer is not None else ["–", "–"]
        table.add_row(name, f"{size:,}", *cells)
    console = Console()
    console.print(table)
    console.print(f"Ours: {len(tests_of(every))} tests. ioos_qc: {_peer_words()}.")


def judged_afresh(settings: QualitySettings, cut: Iterable[Columns]) -> float:
    """The same, each batch from an empty state."""
    return float(np.median([judged(settings, [columns]) for columns in cut]))


def tests_of(settings: QualitySettings) -> list[str]:
    """The tests that have a limit to go by."""
    return [name for name, test in QUALITY_TESTS.items() if test.needs & settings.uses]


def _peer_words() -> str:
    if qartod is None:
        return "not installed here; requirements-oracle.lock has it"
    return f"5 tests, on the last {TAIL} readings of each series that a batch touches, or the year"


if __name__ == "__main__":
    main()
