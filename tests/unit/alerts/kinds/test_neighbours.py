"""How far a series has left its neighbours: what is compared, what is learned, what is said."""

import math

import numpy as np
import pytest

from alerts.anomaly.calendar import SLOT_LENGTH
from alerts.kinds.neighbours import LEAST_SEEN, WIDTH, apart, learn, outside, parting
from core.readings import FloatColumn, IntColumn
from core.times import DAY

A_DAY = round(DAY / SLOT_LENGTH)
FLOOR = np.array([0.01])
NOBODY = np.nan


@pytest.mark.parametrize(
    ("value", "others", "expected"),
    [
        pytest.param(5.0, [1, 2, 3, 4, 4.5], 1.0, id="the highest of five does not count"),
        pytest.param(0.0, [-9, 2, 3, 4, 4.5], -2.0, id="nor the lowest"),
        pytest.param(5.0, [1, 2, 3, NOBODY, NOBODY], 2.0, id="all of three count"),
        pytest.param(2.5, [1, 2, 3, NOBODY, NOBODY], 0.0, id="within their range"),
        pytest.param(5.0, [1, 3, NOBODY, NOBODY, NOBODY], 2.0, id="two are enough"),
        pytest.param(5.0, [1, NOBODY, NOBODY, NOBODY, NOBODY], NOBODY, id="one is not"),
        pytest.param(5.0, [NOBODY] * 5, NOBODY, id="nobody"),
    ],
)
def test_it_is_outside_of_what_most_of_them_read(
    value: float, others: list[float], expected: float
) -> None:
    found = outside(np.array([value]), np.array([others], float))
    assert found.tolist() == pytest.approx([expected], nan_ok=True)


def followed(values: FloatColumn, slots: IntColumn | None = None) -> FloatColumn:
    """What is said after each of these values, one a slot unless `slots` tells otherwise."""
    known, said = np.zeros((1, WIDTH)), []
    numbers = np.arange(len(values)) if slots is None else slots
    for slot, value in zip(1000 + numbers, values, strict=True):
        known = learn(known, np.array([slot]), np.array([value]), FLOOR)
        said.append(float(apart(known, np.array([slot]), FLOOR)[0]))
    return np.array(said)


def noise(days: int, seed: int = 3) -> FloatColumn:
    return np.random.default_rng(seed).normal(0, 0.1, days * A_DAY)


def test_it_says_nothing_for_two_days_and_little_for_a_while() -> None:
    said = followed(np.append(noise(2), np.full(A_DAY, 3.0)))
    assert np.isnan(said[: LEAST_SEEN - 1]).all()
    assert np.isfinite(said[LEAST_SEEN:]).all()
    later = followed(np.append(noise(30), np.full(A_DAY, 3.0)))
    assert 0 < said[-1] < later[-1]


def test_what_is_usual_of_it_is_no_matter_however_far_that_is() -> None:
    said = followed(5.0 + noise(40))
    assert np.nanmax(np.abs(said)) < 4


def test_a_drift_of_three_weeks_does_not_teach_itself() -> None:
    drift = np.append(np.zeros(40 * A_DAY), np.linspace(0, 2.0, 21 * A_DAY))
    said = followed(drift + noise(61))
    assert np.flatnonzero(said > 8)[0] < 47 * A_DAY
    assert said[-1] > 8


def test_what_stays_is_usual_in_the_end() -> None:
    said = followed(np.append(np.zeros(20 * A_DAY), np.full(200 * A_DAY, 1.0)) + noise(220))
    assert said[21 * A_DAY] > 8
    assert abs(said[-1]) < 4


def test_an_event_of_hours_is_none_however_large() -> None:
    said = followed(np.concatenate([noise(30), np.full(A_DAY // 3, 50.0), noise(3)]))
    assert np.nanmax(said) < 8


@pytest.mark.parametrize("size", [-1.0, 1.0])
def test_the_sign_says_to_which_side(size: float) -> None:
    said = followed(np.append(noise(30), np.full(2 * A_DAY, size)))
    assert said[-1] * size > 8


def test_a_course_of_the_day_is_none_of_its_business() -> None:
    day = np.sin(np.arange(60 * A_DAY) * SLOT_LENGTH / DAY * 2 * math.pi)
    assert np.nanmax(np.abs(followed(day + noise(60)))) < 5


def test_it_is_silent_when_nobody_was_compared_for_hours() -> None:
    known = np.zeros((1, WIDTH))
    for slot in range(100):
        known = learn(known, np.array([slot]), np.array([0.5]), FLOOR)
    assert np.isfinite(apart(known, np.array([102]), FLOOR)).all()
    assert np.isnan(apart(known, np.array([103]), FLOOR)).all()


def test_after_a_gap_yesterday_is_not_today() -> None:
    slots = np.append(np.arange(30 * A_DAY), 60 * A_DAY + np.arange(3))
    said = followed(np.append(noise(30), [2.0, 2.0, 2.0]), slots)
    assert said[-3] > 8


@pytest.mark.parametrize(
    ("parameter", "expected"), [("water_temperature", (0.7, False)), ("pm25", (2.0, True))]
)
def test_it_tells_a_difference_or_a_factor(parameter: str, expected: tuple[float, bool]) -> None:
    change = math.log(2.0) if expected[1] else 0.7
    assert parting(parameter, [1, 100, 0.1 + change, 0.1, 0.01]) == pytest.approx(expected)
