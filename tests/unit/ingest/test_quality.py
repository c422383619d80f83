"""Flags as a table: values of one series and what each test says of them."""

import numpy as np
import pytest

from core.catalogue import CATALOGUE
from core.model import Columns, Flag, Series
from ingest import quality
from ingest.quality import NEVER, QUALITY_TESTS, QualitySettings, Tails, check


def series(*parameters: str) -> list[Series]:
    return [
        Series(index=n, device="d", parameter=p, site="s", kind="beach", district="x")
        for n, p in enumerate(parameters)
    ]


def columns(*rows: tuple[int, int, float]) -> Columns:
    """Rows of (series, measured_at, value), sorted by series."""
    numbers = [row[0] for row in rows]
    times = np.array([row[1] for row in rows], np.int64)
    return Columns(
        series=np.array(numbers, np.int64),
        measured_at=times,
        received_at=times + 1,
        value=np.array([row[2] for row in rows], np.float64),
        flag=np.zeros(len(rows), np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


@pytest.mark.parametrize(
    ("parameter", "value", "flag"),
    [
        pytest.param("ph", 8.1, Flag.GOOD, id="in the middle"),
        pytest.param("ph", 0.0, Flag.GOOD, id="at the lower end"),
        pytest.param("ph", 14.0, Flag.GOOD, id="at the upper end"),
        pytest.param("ph", 14.01, Flag.FAIL, id="beyond the upper end"),
        pytest.param("ph", -0.01, Flag.FAIL, id="beyond the lower end"),
        pytest.param("water_temperature", -4.9, Flag.GOOD, id="unusual is not impossible"),
        pytest.param("left-the-catalogue", 1e9, Flag.GOOD, id="nothing is known against it"),
    ],
)
def test_it_flags_what_no_sensor_can_read(parameter: str, value: float, flag: Flag) -> None:
    checked = check(columns((0, 0, value)), QualitySettings.of(series(parameter)))
    assert checked.flag.tolist() == [flag]
    assert quality.tests_named(int(checked.tests[0])) == (
        ["gross_range"] if flag == Flag.FAIL else []
    )
    assert checked.value.tolist() == [value]


def test_each_series_has_its_own_span() -> None:
    settings = QualitySettings.of(series("ph", "turbidity"))
    checked = check(columns((0, 0, 100.0), (1, 0, 100.0)), settings)
    assert checked.flag.tolist() == [Flag.FAIL, Flag.GOOD]


def test_it_checks_nothing_when_there_is_nothing() -> None:
    assert len(check(columns(), QualitySettings.of([]))) == 0


def test_every_parameter_has_settings() -> None:
    settings = QualitySettings.of(series(*CATALOGUE))
    assert (settings.low < settings.high).all()


def test_the_tests_are_listed_by_name_and_keep_their_bits() -> None:
    assert list(QUALITY_TESTS) == sorted(QUALITY_TESTS)
    assert quality.tests_named(0) == []
    assert [quality.tests_named(1 << bit) for bit in range(len(QUALITY_TESTS))] == [
        [name] for name in QUALITY_TESTS
    ]


def test_tails_hold_the_newest_of_each_series() -> None:
    tails = Tails.of(2, {1: 500})
    assert tails.measured_at.tolist() == [NEVER, 500]
    batch = columns((0, 10, 8.0), (0, 20, 8.0), (1, 600, 8.0))
    moved = tails.grown(3).moved(batch, batch.newest())
    assert moved.measured_at.tolist() == [20, 600, NEVER]
    assert tails.measured_at.tolist() == [NEVER, 500]
