"""A bucket for each gateway: a number that says when it is full again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.times import SECOND
from ingest.limits import MOST_WAIT, Limit, Limits, taken, wait

TEN = Limit(per_second=10, burst_seconds=60)


@pytest.mark.parametrize(
    ("messages", "now", "longer"),
    [
        pytest.param(600, 0, 0, id="a burst is allowed"),
        pytest.param(601, 0, 0.1, id="one more waits for its turn"),
        pytest.param(650, 0, 5, id="and the fiftieth for five seconds"),
        pytest.param(650, 4, 1, id="time pays"),
        pytest.param(650, 5, 0, id="until nothing is owed"),
        pytest.param(10_000, 0, 10, id="nobody waits for ever"),
    ],
)
def test_what_is_above_the_rate_waits(messages: int, now: float, longer: float) -> None:
    full_at = taken(0, messages, 0, TEN)
    assert wait(full_at, round(now * SECOND), TEN) == longer * SECOND


@given(st.lists(st.tuples(st.integers(0, 5 * SECOND), st.integers(1, 200))), st.integers(1, 7))
def test_how_messages_are_cut_into_batches_changes_nothing(
    steps: list[tuple[int, int]], parts: int
) -> None:
    whole = split = now = 0
    for pause, messages in steps:
        now += pause
        whole = taken(whole, messages, now, TEN)
        for part in range(parts):
            share = messages * (part + 1) // parts - messages * part // parts
            split = taken(split, share, now, TEN)
    assert split == whole
    assert wait(whole, now, TEN) <= MOST_WAIT


def test_each_gateway_has_a_bucket_and_may_have_a_rate_of_its_own() -> None:
    limits = Limits(TEN, {"big": 20.0})
    held = limits.take(["small", "big", "late"] * 650, 0)
    assert held == {"small": 5 * SECOND, "late": 5 * SECOND}
    assert limits.of("small", 2 * SECOND).wait == 3 * SECOND
    assert [limits.of(name, 0).beyond for name in ("small", "big")] == [50, 0]
    assert limits.of("big", 0).messages_per_second == 20


def test_names_that_were_made_up_are_forgotten() -> None:
    limits = Limits(TEN, {})
    for start in range(0, 30_000, 1000):
        limits.take([f"odd-{start + n}" for n in range(1000)], start * SECOND)
    limits.take(["gw"] * 650, 30_000 * SECOND)
    assert limits.of("gw", 30_000 * SECOND).wait == 5 * SECOND
    assert len(limits._full_at) < 15_000
