"""Whatever comes: right flags or none, never an exception, never a guess."""

import math
import random
from dataclasses import replace

import pytest

from core.quality import Limits
from core.readings import Flag
from core.times import DAY, HOUR, MINUTE, SECOND
from tests.unit.ingest.quality.stream import T0, Came, Stream, series_of, sites_of, stream
from tests.unit.ingest.quality.test_streaming import EVERY_TEST

LIMITS = replace(EVERY_TEST, late=None)  # here all comes in one burst


def fed(rows: list[tuple[int, float]], *, batch: int = 1000) -> Stream:
    """One series, rows of (measured_at, value) received in that order, a millisecond apart."""
    made = stream(LIMITS)
    last = max(at for at, _ in rows)
    came = [Came(last + n * 1000, 0, at, value) for n, (at, value) in enumerate(rows)]
    for start in range(0, len(came), batch):
        made.settle(came[start : start + batch])
    return made


def flags(made: Stream) -> list[int]:
    return [flag for _, (_, flag, _) in sorted(made.stored.items())]


@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(T0, 5.0)], {1}, id="one reading"),
        pytest.param([(T0 + n * 5 * MINUTE, math.nan) for n in range(9)], {9}, id="all missing"),
        pytest.param([(T0, 5.0)] * 1000, {1}, id="a thousand times the same"),
        pytest.param([(T0 + n, float(n)) for n in range(999)], {1, 3, 4}, id="microseconds apart"),
        pytest.param([(T0 - n * MINUTE, 5.0) for n in range(99)], {1}, id="a clock that goes back"),
        pytest.param([(T0 + n * 40 * DAY, 5.0) for n in range(9)], {1, 3}, id="months apart"),
        pytest.param([(T0 + n * SECOND, 5.0) for n in range(999)], {1}, id="each second"),
        pytest.param([(T0 + n * MINUTE, -999.0) for n in range(99)], {4}, id="sentinels alone"),
    ],
)
def test_it_flags_what_it_can_know(
    rows: list[tuple[int, float]], expected: set[int], batch: int
) -> None:
    assert set(flags(fed(rows, batch=batch))) <= expected


def test_a_constant_series_is_stuck_once_it_has_lasted() -> None:
    made = fed([(T0 + n * 5 * MINUTE, 5.0) for n in range(40)])
    assert flags(made) == [Flag.GOOD] * 6 + [Flag.SUSPECT] * 18 + [Flag.FAIL] * 16


def test_values_of_any_size_are_only_out_of_range() -> None:
    values = [1e308, -1e308, math.inf, -math.inf, 5e-324, 1e15, 5.0]
    made = fed([(T0 + n * MINUTE, value) for n, value in enumerate(values)])
    assert flags(made)[:4] == [Flag.FAIL] * 4


def test_series_without_a_limit_are_not_evaluated_whatever_comes() -> None:
    made = stream(*[Limits()] * 2)
    chance = random.Random(1)
    for n in range(50):
        at = T0 + chance.randrange(HOUR)
        made.settle([Came(T0 + 2 * HOUR + n, n % 2, at, chance.choice([0, 1e300, math.nan]))])
    assert {flag for flag, _ in made.arrived.values()} == {Flag.NOT_EVALUATED, Flag.MISSING}
    assert made.revisions == []


def test_times_before_1970_are_times() -> None:
    made = fed([(-DAY + n * 5 * MINUTE, 5.0 + n % 3) for n in range(400)])
    assert Flag.GOOD in flags(made)


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_all_kinds_does_no_harm(seed: int) -> None:
    chance = random.Random(seed)
    series = series_of(*["ph"] * 3, devices=["a", "b", "c"], sites=["a", "b", "c"])
    made = stream(*[EVERY_TEST] * 3, series=series, sites=sites_of(a=0, b=1, c=2))
    values = [math.nan, math.inf, -999.0, 0.0, 1e9, 5.0, 5.1, 7.0, -3.0]
    received = T0
    for _ in range(200):
        received += chance.choice([1, SECOND, MINUTE, HOUR, 20 * DAY])
        lag = chance.choice([0, 0, -HOUR, MINUTE, DAY, 400 * DAY])
        chosen = chance.sample(range(3), chance.randint(1, 3))
        made.settle([Came(received, s, received - lag, chance.choice(values)) for s in chosen])
    assert {flag for flag, _ in made.arrived.values()} <= {1, 2, 3, 4, 9}
