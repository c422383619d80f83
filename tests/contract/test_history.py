"""One contract for every history: the same readings give the same answers."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import pytest

from core.errors import StorageError
from core.messages import Counts
from core.readings import Columns
from core.registry import Series
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.servers.influxd import InfluxServer
from storage.database import open_readers
from storage.history import Bucket, History, LedgerHistory, Point
from storage.influx import InfluxHistory, InfluxWriter
from storage.influx_address import InfluxAddress
from storage.ledger import Batch, Ledger
from storage.lines import LineParts, encode_readings

T0 = 1_795_305_600 * SECOND  # 2026-11-22 00:00 UTC


def series_of(index: int, device: str, parameter: str, site: str = "patong") -> Series:
    return Series(
        index=index, device=device, parameter=parameter, site=site, kind="beach", district="Kathu"
    )


PH = series_of(0, "probe-1", "ph")
TURBIDITY = series_of(1, "probe-1", "turbidity")
PH_ELSEWHERE = series_of(2, "probe-2", "ph")
SERIES = (PH, TURBIDITY, PH_ELSEWHERE)


class Sample(NamedTuple):
    measured_at: int
    value: float
    flag: int = 1
    series: Series = PH


class Store(NamedTuple):
    """A history and the way to fill it."""

    history: History
    keep: Callable[[Sequence[Sample]], None]


@pytest.fixture(params=["ledger", pytest.param("influx", marks=pytest.mark.network)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "ledger":
        yield from ledger_store(tmp_path)
    else:
        yield from influx_store(request.getfixturevalue("influx"))


def ledger_store(folder: Path) -> Iterator[Store]:
    ledger = Ledger(folder)
    readers = open_readers(folder)

    def keep(samples: Sequence[Sample]) -> None:
        ledger.commit(Batch(recorded_at=T0, columns=columns_of(samples), counts=Counts()))

    yield Store(LedgerHistory(readers), keep)
    readers.dispose()
    ledger.close()


def influx_store(influx: InfluxServer) -> Iterator[Store]:
    bucket = uuid4().hex
    influx.create_bucket(bucket)
    address = InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)
    write, history = InfluxWriter(address), InfluxHistory(address)

    def keep(samples: Sequence[Sample]) -> None:
        series = {s.series.index: s.series for s in samples}
        parts = LineParts.of([series.get(s.index, s) for s in SERIES])
        _, lines = encode_readings(columns_of(samples), parts)
        assert write(lines).status == 204

    yield Store(history, keep)
    history.close()
    write.close()


def columns_of(samples: Sequence[Sample]) -> Columns:
    rows = sorted(samples, key=lambda s: s.series.index)
    measured_at = np.array([s.measured_at for s in rows], np.int64)
    return Columns(
        series=np.array([s.series.index for s in rows], np.int64),
        measured_at=measured_at,
        received_at=measured_at,
        value=np.array([s.value for s in rows], np.float64),
        flag=np.array([s.flag for s in rows], np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


def values(points: Sequence[Point]) -> list[float]:
    return [p.value for p in points]


def test_it_gives_readings_in_order_with_their_flags(store: Store) -> None:
    store.keep([Sample(T0 + MINUTE, 8.2, flag=3), Sample(T0, 8.1), Sample(T0 + 2 * MINUTE, 8.3)])
    assert store.history.raw(PH, T0, T0 + HOUR, limit=10, flags=None) == [
        Point(T0, 8.1, 1),
        Point(T0 + MINUTE, 8.2, 3),
        Point(T0 + 2 * MINUTE, 8.3, 1),
    ]


def test_it_takes_the_start_and_leaves_the_end_to_the_microsecond(store: Store) -> None:
    store.keep([Sample(T0 + offset, float(offset)) for offset in (-1, 0, 1, 9, 10, 11)])
    assert values(store.history.raw(PH, T0, T0 + 10, limit=10, flags=None)) == [0.0, 1.0, 9.0]
    (bucket,) = store.history.aggregates(PH, T0, T0 + 10, HOUR, flags=None)
    assert (bucket.start, bucket.count, bucket.minimum, bucket.maximum) == (T0, 3, 0.0, 9.0)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(T0 + DAY, T0 + 2 * DAY, id="after all readings"),
        pytest.param(T0, T0, id="no length"),
        pytest.param(T0 + HOUR, T0, id="end before start"),
    ],
)
@pytest.mark.parametrize("flags", [None, frozenset({1})], ids=["any flag", "good"])
def test_it_gives_nothing_for_an_empty_range(
    store: Store, start: int, end: int, flags: frozenset[int] | None
) -> None:
    store.keep([Sample(T0, 8.1)])
    assert store.history.raw(PH, start, end, limit=10, flags=flags) == []
    assert store.history.aggregates(PH, start, end, HOUR, flags=flags) == []


def test_it_knows_nothing_of_a_series_without_readings(store: Store) -> None:
    store.keep([Sample(T0, 8.1)])
    assert store.history.raw(TURBIDITY, T0, T0 + HOUR, limit=10, flags=None) == []
    assert store.history.aggregates(TURBIDITY, T0, T0 + HOUR, HOUR, flags=None) == []


def test_it_takes_a_range_wider_than_any_clock(store: Store) -> None:
    store.keep([Sample(T0, 8.1)])
    year_9999 = 253_402_300_799 * SECOND
    assert values(store.history.raw(PH, -DAY, year_9999, limit=10, flags=None)) == [8.1]


def test_it_keeps_the_series_apart(store: Store) -> None:
    store.keep([Sample(T0, 8.1), Sample(T0, 30.0, 3, TURBIDITY), Sample(T0, 7.9, 4, PH_ELSEWHERE)])
    for series, point in (
        (PH, Point(T0, 8.1, 1)),
        (TURBIDITY, Point(T0, 30.0, 3)),
        (PH_ELSEWHERE, Point(T0, 7.9, 4)),
    ):
        assert store.history.raw(series, T0, T0 + 1, limit=10, flags=None) == [point]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(None, [1.0, 2.0, 3.0, 4.0, 9.0], id="any"),
        pytest.param({1}, [1.0], id="good"),
        pytest.param({1, 2}, [1.0, 2.0], id="good or not evaluated"),
        pytest.param({3, 4}, [3.0, 4.0], id="suspect or fail"),
        pytest.param({1, 9}, [1.0, 9.0], id="good or missing"),
        pytest.param(set(), [], id="none"),
    ],
)
def test_it_filters_by_flag(store: Store, flags: set[int] | None, expected: list[float]) -> None:
    store.keep([Sample(T0 + flag, float(flag), flag) for flag in (1, 2, 3, 4, 9)])
    chosen = None if flags is None else frozenset(flags)
    assert values(store.history.raw(PH, T0, T0 + HOUR, limit=10, flags=chosen)) == expected
    buckets = store.history.aggregates(PH, T0, T0 + HOUR, HOUR, flags=chosen)
    assert sum(b.count for b in buckets) == len(expected)
    assert [b.maximum for b in buckets] == expected[-1:]


@pytest.mark.parametrize("flags", [{1}, {1, 3}, {3}], ids=str)
def test_it_filters_by_flag_where_all_are_good(store: Store, flags: set[int]) -> None:
    store.keep([Sample(T0, 8.1), Sample(T0 + 1, 8.2)])
    expected = [8.1, 8.2] if 1 in flags else []
    assert (
        values(store.history.raw(PH, T0, T0 + HOUR, limit=10, flags=frozenset(flags))) == expected
    )


def test_it_stops_at_the_limit_with_the_oldest_that_have_the_flag(store: Store) -> None:
    store.keep([Sample(T0 + n, float(n), 3 if n % 2 else 1) for n in range(10)])
    assert values(store.history.raw(PH, T0, T0 + HOUR, limit=3, flags=None)) == [0.0, 1.0, 2.0]
    assert values(store.history.raw(PH, T0, T0 + HOUR, limit=3, flags=frozenset({3}))) == [
        1.0,
        3.0,
        5.0,
    ]


@pytest.mark.parametrize(
    "value",
    [0.1 + 0.2, 1 / 3, 30.0, 1e-7, 1e22, 123456789.12345679, 5e-324, 1.7976931348623157e308],
    ids=repr,
)
def test_it_gives_back_the_very_same_value(store: Store, value: float) -> None:
    store.keep([Sample(T0, value)])
    (point,) = store.history.raw(PH, T0, T0 + 1, limit=1, flags=None)
    assert point.value == value
    (bucket,) = store.history.aggregates(PH, T0, T0 + 1, HOUR, flags=None)
    assert (bucket.mean, bucket.minimum, bucket.maximum) == (value, value, value)


def test_it_aligns_windows_with_1970_and_leaves_empty_ones_out(store: Store) -> None:
    quarter = 15 * MINUTE
    store.keep(
        [
            Sample(T0 + quarter - 1, 1.0),
            Sample(T0 + quarter, 2.0),
            Sample(T0 + 2 * quarter - 1, 4.0),
            Sample(T0 + 6 * quarter, 8.0),
        ]
    )
    assert store.history.aggregates(PH, T0 + 1, T0 + 2 * HOUR, quarter, flags=None) == [
        Bucket(T0, 1, 1.0, 1.0, 1.0),
        Bucket(T0 + quarter, 2, 3.0, 2.0, 4.0),
        Bucket(T0 + 6 * quarter, 1, 8.0, 8.0, 8.0),
    ]


def test_it_keeps_the_history_of_a_device_that_moved(store: Store) -> None:
    moved = series_of(PH.index, PH.device, PH.parameter, site="kata")
    store.keep([Sample(T0, 1.0), Sample(T0 + 1, 2.0)])
    store.keep([Sample(T0 + 2, 6.0, series=moved)])
    assert values(store.history.raw(moved, T0, T0 + HOUR, limit=10, flags=None)) == [1.0, 2.0, 6.0]
    assert store.history.aggregates(moved, T0, T0 + HOUR, HOUR, flags=None) == [
        Bucket(T0, 3, 3.0, 1.0, 6.0)
    ]


@pytest.mark.parametrize("flags", [None, frozenset({1, 2})], ids=["any flag", "good"])
@pytest.mark.parametrize("every", [7 * MINUTE, HOUR, 7 * DAY], ids=["7 min", "1 h", "7 d"])
def test_it_agrees_with_counting_by_hand(
    store: Store, every: int, flags: frozenset[int] | None
) -> None:
    chance = random.Random(7)
    times = sorted(chance.sample(range(2 * DAY), 400))
    samples = [Sample(T0 + t, chance.gauss(8, 1), chance.choice([1, 1, 1, 2, 3, 4])) for t in times]
    store.keep(samples)
    start, end = T0 + 100 * MINUTE + 1, T0 + 40 * HOUR
    chosen = [
        s for s in samples if start <= s.measured_at < end and (flags is None or s.flag in flags)
    ]
    raw = store.history.raw(PH, start, end, limit=1000, flags=flags)
    assert raw == [Point(s.measured_at, s.value, s.flag) for s in chosen]
    windows: dict[int, list[float]] = {}
    for sample in chosen:
        windows.setdefault(sample.measured_at // every * every, []).append(sample.value)
    buckets = store.history.aggregates(PH, start, end, every, flags=flags)
    assert [(b.start, b.count, b.minimum, b.maximum) for b in buckets] == [
        (at, len(found), min(found), max(found)) for at, found in windows.items()
    ]
    for bucket, found in zip(buckets, windows.values(), strict=True):
        assert math.isclose(bucket.mean, math.fsum(found) / len(found), rel_tol=1e-12)


def test_it_says_that_influxdb_is_away() -> None:
    nobody = InfluxAddress(url="http://127.0.0.1:9", org="o", bucket="b", token="secret-canary")
    history = InfluxHistory(nobody)
    with pytest.raises(StorageError, match="InfluxDB does not answer") as caught:
        history.raw(PH, T0, T0 + 1, limit=1, flags=None)
    assert "secret-canary" not in str(caught.value)
    history.close()


@pytest.mark.parametrize("name", ['x" or true or "', "a b", "a\n", "${r}", ""])
def test_it_lets_only_ids_into_flux(name: str) -> None:
    history = InfluxHistory(
        InfluxAddress(url="http://127.0.0.1:9", org="o", bucket="b", token="secret-canary")
    )
    for series in (series_of(0, name, "ph"), series_of(0, "probe-1", name)):
        with pytest.raises(ValueError, match="is no id"):
            history.raw(series, T0, T0 + 1, limit=1, flags=None)
        with pytest.raises(ValueError, match="is no id"):
            history.aggregates(series, T0, T0 + 1, HOUR, flags=frozenset({1}))
    history.close()
