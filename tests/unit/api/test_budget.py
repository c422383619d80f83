"""How often something may be done by somebody."""

import pytest

from api.budget import Budget
from api.problems import ApiError
from core.times import MINUTE, SECOND


def test_so_often_within_a_while_and_then_later() -> None:
    budget = Budget(most=2, window=MINUTE)
    assert [budget.spend("nok", at * SECOND) for at in (0, 10, 20)] == [0, 0, 40 * SECOND]
    assert budget.spend("som", 20 * SECOND) == 0
    assert budget.spend("nok", 60 * SECOND) == 0
    assert budget.spend("nok", 61 * SECOND) == 9 * SECOND


def test_a_refusal_says_when_to_come_back() -> None:
    budget = Budget(most=1, window=MINUTE)
    budget.require("nok", 0)
    with pytest.raises(ApiError) as refused:
        budget.require("nok", SECOND // 2)
    assert refused.value.headers == {"Retry-After": "60"}


def test_it_forgets_the_longest_silent_before_it_grows_without_end() -> None:
    budget = Budget(most=1, window=MINUTE)
    for number in range(10_001):
        budget.spend(number, 0)
    assert budget.spend(0, 1) == 0
    assert budget.spend(10_000, 1) > 0
