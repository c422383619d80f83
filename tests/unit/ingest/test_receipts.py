"""Receipts: what a gateway may forget, and what it has to send again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messages import Progress, Range, Refusal
from core.times import DAY, SECOND
from ingest.receipts import (
    MOST_RANGES,
    PATIENCE,
    Desk,
    Rejected,
    give_up,
    settle,
    written_off,
)

COUNTER = ("gw", "b7")


@pytest.mark.parametrize(
    ("heard", "through", "gaps"),
    [
        pytest.param([1, 2, 3], 3, (), id="in order"),
        pytest.param([3, 1, 2], 3, (), id="in any order"),
        pytest.param([1, 1, 2, 2], 2, (), id="doubled"),
        pytest.param([1, 2, 5], 2, (Range(3, 4),), id="a gap holds it back"),
        pytest.param([2, 3], 0, (Range(1, 1),), id="an epoch begins at 1"),
        pytest.param([1, 3, 5, 6, 9], 1, (Range(2, 2), Range(4, 4), Range(7, 8)), id="gaps"),
        pytest.param([0], 0, (), id="0 is before the first"),
    ],
)
def test_it_goes_through_to_the_first_gap(
    heard: list[int], through: int, gaps: tuple[Range, ...]
) -> None:
    progress = settle(Progress(), heard, 0)
    assert (progress.through, progress.gaps) == (through, gaps)


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 5))
def test_it_knows_every_number_however_they_are_cut(heard: list[int], size: int) -> None:
    progress = Progress()
    for start in range(0, len(heard), size):
        progress = settle(progress, heard[start : start + size], start)
    assert progress == settle(progress, heard, 99)
    told = set(range(1, progress.through + 1))
    told.update(n for first, last in progress.ahead for n in range(first, last + 1))
    assert told == set(heard) | set(range(1, progress.through + 1))
    assert all(n in heard for n in range(1, progress.through + 1))


def test_a_gap_that_nobody_fills_is_written_off_and_told_as_missing() -> None:
    progress = settle(Progress(), [1, 4, 5], 0)
    assert give_up(progress, PATIENCE - 1) == (progress, None)
    after, gap = give_up(progress, PATIENCE)
    assert gap == Range(2, 3)
    assert (after.through, after.lost, after.gap_since) == (5, 2, None)
    moved, missing = written_off({COUNTER: progress}, PATIENCE)
    assert moved == {COUNTER: after}
    assert missing == {COUNTER: [Rejected(Range(2, 3), Refusal.MISSING)]}


def test_the_patience_of_a_gap_begins_when_it_is_seen() -> None:
    progress = settle(Progress(), [1, 3], 5)
    progress = settle(progress, [4], 50)
    assert progress.gap_since == 5
    progress = settle(progress, [2, 6], 70)
    assert (progress.through, progress.gap_since) == (4, 70)


def test_what_is_kept_of_a_wild_counter_is_bounded() -> None:
    progress = settle(Progress(), range(2, 6 * MOST_RANGES, 2), 0)
    assert len(progress.ahead) == MOST_RANGES
    assert progress.lost > 0


def test_a_gateway_is_told_at_most_once_a_second() -> None:
    desk = Desk()
    desk.note({COUNTER: Progress(through=1)}, {})
    assert len(desk.due(10 * SECOND)) == 1
    desk.note({COUNTER: Progress(through=2)}, {COUNTER: [_rejected(2)]})
    desk.note({COUNTER: Progress(through=3)}, {})
    assert desk.due(11 * SECOND - 1) == []
    ((topic, payload),) = desk.due(11 * SECOND)
    assert topic == "andaman/v1/gw/down/receipt"
    assert json.loads(payload) == {
        "epoch": "b7",
        "through": 3,
        "rejected": [{"seq": 2, "reason": "conflict"}],
    }
    assert desk.due(99 * SECOND) == []


def test_a_clock_that_is_set_back_holds_no_receipt_up() -> None:
    desk, ahead = Desk(), 400 * DAY
    desk.note({COUNTER: Progress(through=1)}, {})
    assert len(desk.due(ahead)) == 1
    desk.note({COUNTER: Progress(through=2)}, {}, {"gw": ahead + SECOND})
    assert len(desk.due(10 * SECOND)) == 1


def test_a_range_that_is_missing_is_one_entry() -> None:
    desk = Desk()
    missing = Rejected(Range(2, 9), Refusal.MISSING)
    desk.note({COUNTER: Progress(through=9)}, {COUNTER: [missing]})
    ((_, payload),) = desk.due(0)
    assert json.loads(payload)["rejected"] == [{"seq": 2, "through": 9, "reason": "missing"}]


def _rejected(number: int) -> Rejected:
    return Rejected(Range(number, number), Refusal.CONFLICT)
