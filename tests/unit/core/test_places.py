"""Which series are beside each other."""

from dataclasses import replace
from typing import Any

import pytest

from core.places import MOST, beside
from core.registry import Series

KM = 1 / 111.19  # of a degree, at the equator


def series_at(*east: float | None) -> list[Series]:
    """Temperatures of beaches on the equator, so many km to the east; None is nowhere."""
    return [
        Series(
            index=n,
            device=f"d-{n}",
            site=f"s-{km}",
            parameter="water_temperature",
            kind="beach",
            district="d",
            position=None if km is None else (0.0, km * KM),
        )
        for n, km in enumerate(east)
    ]


def test_the_nearest_come_first_and_nobody_is_beside_itself() -> None:
    found = beside(series_at(0, 3, 1, 30), [10.0] * 4)
    assert found[:, :3].tolist() == [[2, 1, -1], [2, 0, -1], [0, 1, -1], [-1, -1, -1]]


def test_each_series_says_how_far_it_looks() -> None:
    found = beside(series_at(0, 3, 30), [None, 5.0, 40.0])
    assert found[:, :2].tolist() == [[-1, -1], [0, -1], [1, 0]]


def test_who_stands_nowhere_has_no_neighbours() -> None:
    assert (beside(series_at(0, None), [10.0] * 2) == -1).all()


def test_the_date_line_is_no_edge() -> None:
    one, other = series_at(179.9 / KM, -179.9 / KM)
    assert beside([one, other], [30.0] * 2)[:, 0].tolist() == [1, 0]


@pytest.mark.parametrize("changed", [{"parameter": "ph"}, {"kind": "pier"}])
def test_only_the_same_at_the_same_kind_of_site_counts(changed: dict[str, Any]) -> None:
    one, other = series_at(0, 1)
    assert beside([one, other], [10.0] * 2)[:, 0].tolist() == [1, 0]
    assert (beside([one, replace(other, **changed)], [10.0] * 2) == -1).all()


def test_another_series_of_the_device_is_no_neighbour() -> None:
    one, other = series_at(0, 1)
    assert (beside([one, replace(other, device=one.device)], [10.0] * 2) == -1).all()


def test_no_more_than_the_nearest_are_asked() -> None:
    found = beside(series_at(*range(9)), [99.0] * 9)
    assert found.shape == (9, MOST)
    assert found[0].tolist() == [1, 2, 3, 4, 5]
