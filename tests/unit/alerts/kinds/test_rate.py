"""The rate of change, over random streams the same however they are cut."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.kinds.rate import Kept, Rate, rates
from core.times import HOUR, MINUTE

HOURLY = Rate(per=HOUR, window=HOUR)
Reading = tuple[int, float]


def found(kind: Rate, readings: Sequence[Reading], kept: Kept) -> list[float | None]:
    """The rates of one series' (minute, value) readings; `kept` goes on."""
    at = np.array([minute * MINUTE for minute, _ in readings], np.int64)
    value = np.array([value for _, value in readings])
    made = rates(kind, kept, np.zeros(len(readings), np.int64), at, value)
    kept.put(made.series, made.kept)
    return [None if np.isnan(rate) else round(float(rate), 6) for rate in made.rate]


@pytest.mark.parametrize(
    ("kind", "readings", "expected"),
    [
        pytest.param(HOURLY, [(0, 1), (29, 2), (30, 2)], [None, None, 2], id="half a window first"),
        pytest.param(HOURLY, [(0, 0), (60, 6)], [None, 6], id="a whole window"),
        pytest.param(HOURLY, [(0, 0), (61, 6)], [None, None], id="a gap longer than the window"),
        pytest.param(
            Rate(per=MINUTE, window=HOUR), [(0, 0), (60, 6)], [None, 0.1], id="per minute"
        ),
        pytest.param(HOURLY, [(0, 6), (60, 0)], [None, -6], id="a fall is negative"),
        pytest.param(
            HOURLY,
            [(0, 0), (5, 100), (10, 7), (60, 6), (65, 6)],
            [None, None, None, 6, -1.090909],
            id="only the first reading of ten minutes is a point",
        ),
    ],
)
def test_it_is_the_change_from_the_oldest_point_of_the_window(
    kind: Rate, readings: list[Reading], expected: list[float | None]
) -> None:
    assert found(kind, readings, Kept.none(1)) == expected


def slow(kind: Rate, readings: Sequence[Reading]) -> list[float | None]:
    """The same in plain Python."""
    kept: list[tuple[int, float]] = []
    rates: list[float | None] = []
    for minute, value in readings:
        at, step = minute * MINUTE, kind.window // 6
        if not kept or kept[-1][0] // step != at // step:
            kept.append((at, value))
        then, reference = next(p for p in kept if p[0] >= at - kind.window)
        lasted = at - then
        enough = 2 * lasted >= kind.window
        rates.append(round((value - reference) * kind.per / lasted, 6) if enough else None)
    return rates


streams = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0.0, 1.0, 5.0, -3.0])), max_size=40
)


@given(streams, st.frozensets(st.integers(0, 40)), st.sampled_from([20, 60, 90]))
def test_it_changes_nothing_how_readings_are_cut(
    steps: list[tuple[int, float]], cuts: frozenset[int], window: int
) -> None:
    kind = Rate(per=HOUR, window=window * MINUTE)
    minutes = np.cumsum([step for step, _ in steps]).tolist()
    readings = [(minute, value) for minute, (_, value) in zip(minutes, steps, strict=True)]
    kept, rates = Kept.none(1), list[float | None]()
    ends = [*sorted(cut for cut in cuts if cut < len(readings)), len(readings)]
    for start, end in zip([0, *ends], ends, strict=False):
        rates += found(kind, readings[start:end], kept)
    assert rates == slow(kind, readings)


def test_series_have_points_of_their_own() -> None:
    kept = Kept.none(3)
    at = np.array([0, 60, 0, 30, 60], np.int64) * MINUTE
    value = np.array([0.0, 6.0, 10.0, 10.0, 4.0])
    made = rates(HOURLY, kept, np.array([0, 0, 2, 2, 2]), at, value)
    assert [None if np.isnan(r) else float(r) for r in made.rate] == [None, 6, None, 0, -6]
    kept.put(made.series, made.kept)
    assert [kept.points(n) for n in range(3)] == [
        [(0, 0.0), (60 * MINUTE, 6.0)],
        [],
        [(0, 10.0), (30 * MINUTE, 10.0), (60 * MINUTE, 4.0)],
    ]
    again = Kept.none(3)
    again.keep(2, kept.points(2))
    assert again.points(2) == kept.points(2)
