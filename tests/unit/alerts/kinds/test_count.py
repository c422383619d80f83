"""How many readings of late were out of a span."""

import pytest

from alerts.kinds.count import Breaches, Count, observe
from alerts.levels import Span
from core.times import MINUTE

SPAN = Span(0, 10)


@pytest.mark.parametrize(
    ("kind", "readings", "expected"),
    [
        pytest.param(
            Count(span=SPAN, most=3, of=3),
            [(0, 11), (1, 5), (2, 11), (3, 11), (4, 5), (5, 5), (6, 5)],
            [1, 1, 2, 2, 2, 1, 0],
            id="of the last three readings",
        ),
        pytest.param(
            Count(span=SPAN, most=2, of=10),
            [(0, 11), (1, 11), (2, 11), (3, -1)],
            [1, 2, 2, 2],
            id="counted no further than is asked for",
        ),
        pytest.param(
            Count(span=SPAN, most=3, within=10 * MINUTE),
            [(0, 11), (5, 11), (9, 5), (10, 5), (15, 5)],
            [1, 2, 2, 1, 0],
            id="of the last ten minutes",
        ),
        pytest.param(
            Count(span=SPAN, most=3, of=2), [(0, 10), (1, 0)], [0, 0], id="on the level is not out"
        ),
    ],
)
def test_it_counts(kind: Count, readings: list[tuple[int, float]], expected: list[int]) -> None:
    memory: Breaches | None = None
    counts = []
    for minute, value in readings:
        memory, count = observe(kind, memory, minute * MINUTE, value)
        counts.append(count)
    assert counts == expected
    assert (memory is None) is (expected[-1] == 0)
