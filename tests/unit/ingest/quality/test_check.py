"""Flags as tables: values of one series and what each test says of them."""

import numpy as np
import pytest

from core.catalogue import CATALOGUE
from core.quality import Limits, Verdict, rollup
from core.readings import Columns, Flag
from core.registry import Series
from core.times import MINUTE
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.state import BLOCK, NEVER, TAIL, State, kept
from ingest.quality.table import QUALITY_TESTS, objections, verdicts_of

T0 = 1_795_305_600_000_000


def series(*parameters: str) -> list[Series]:
    return [
        Series(index=n, device="d", parameter=p, site="s", kind="beach", district="x")
        for n, p in enumerate(parameters)
    ]


def columns(*rows: tuple[int, int, float]) -> Columns:
    """Rows of (series, measured_at, value), sorted by series."""
    times = np.array([row[1] for row in rows], np.int64)
    return Columns(
        series=np.array([row[0] for row in rows], np.int64),
        measured_at=times,
        received_at=times + 1,
        value=np.array([row[2] for row in rows], np.float64),
        flag=np.zeros(len(rows), np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


def checked(parameter: str, value: float, limits: Limits | None = None) -> tuple[Flag, int]:
    """Flag and code of one reading."""
    settings = QualitySettings.of(series(parameter), None if limits is None else [limits])
    found = check(columns((0, T0, value)), State(1), settings).columns
    assert found.value.tolist() == [value] or np.isnan(value)
    return Flag(int(found.flag[0])), int(found.tests[0])


@pytest.mark.parametrize(
    ("parameter", "value", "flag"),
    [
        pytest.param("ph", 8.1, Flag.GOOD, id="in the middle"),
        pytest.param("air_temperature", -20.0, Flag.GOOD, id="at the lower end"),
        pytest.param("dissolved_oxygen", 20.0, Flag.GOOD, id="at the upper end"),
        pytest.param("ph", 14.01, Flag.FAIL, id="beyond the upper end"),
        pytest.param("ph", -0.01, Flag.FAIL, id="beyond the lower end"),
        pytest.param("water_temperature", 20.0, Flag.GOOD, id="unusual is not impossible"),
        pytest.param("water_temperature", -4.9, Flag.SUSPECT, id="ice is impossible here"),
        pytest.param("left-the-catalogue", 1e9, Flag.GOOD, id="nothing is known against it"),
    ],
)
def test_it_flags_what_no_sensor_can_read(parameter: str, value: float, flag: Flag) -> None:
    found, tests = checked(parameter, value)
    assert found == flag
    assert verdicts_of(tests)["gross_range"] == Verdict[flag.name]
    assert set(objections(tests)) == ({"gross_range"} if flag > Flag.NOT_EVALUATED else set())


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        pytest.param(-999.0, Verdict.FAIL, id="listed"),
        pytest.param(-99999.9921875, Verdict.FAIL, id="through a float32"),
        pytest.param(-998.9, Verdict.GOOD, id="not listed"),
        pytest.param(0.0, Verdict.GOOD, id="zero is a value"),
    ],
)
def test_a_sentinel_is_no_reading(value: float, verdict: Verdict) -> None:
    _, tests = checked("x", value, Limits(sentinels=(-999.0, -99999.992)))
    assert verdicts_of(tests) == {"sentinel": verdict}


@pytest.mark.parametrize(
    ("limits", "age", "verdict"),
    [
        pytest.param(Limits(ahead=60), -60, Verdict.GOOD, id="just not ahead"),
        pytest.param(Limits(ahead=60), -61, Verdict.SUSPECT, id="ahead"),
        pytest.param(Limits(ahead=60), 10**7, Verdict.GOOD, id="a burst is not bad data"),
        pytest.param(Limits(late=60), 60, Verdict.GOOD, id="just not late"),
        pytest.param(Limits(late=60), 61, Verdict.SUSPECT, id="late"),
        pytest.param(Limits(), 10**7, Verdict.NOT_EVALUATED, id="nothing is expected"),
    ],
)
def test_a_clock_may_be_wrong(limits: Limits, age: int, verdict: Verdict) -> None:
    row = columns((0, T0, 1.0))
    row.received_at[:] = T0 + age * MINUTE // 60
    found = check(row, State(1), QualitySettings.of(series("x"), [limits])).columns
    assert verdicts_of(int(found.tests[0])).get("timing", 0) == verdict


def test_nothing_is_expected_of_any_quantity() -> None:
    assert checked("generic", -999.0) == (Flag.NOT_EVALUATED, 0)
    assert checked("generic", 1e300) == (Flag.NOT_EVALUATED, 0)


def test_no_value_is_missing() -> None:
    assert checked("ph", float("nan")) == (Flag.MISSING, 0)


def test_each_series_has_its_own_span() -> None:
    settings = QualitySettings.of(series("ph", "turbidity"))
    found = check(columns((0, T0, 100.0), (1, T0, 100.0)), State(2), settings)
    assert found.columns.flag.tolist() == [Flag.FAIL, Flag.GOOD]


def test_it_checks_nothing_when_there_is_nothing() -> None:
    assert len(check(columns(), State(), QualitySettings.of([])).columns) == 0


@pytest.mark.parametrize("parameter", CATALOGUE)
def test_every_parameter_has_limits_that_its_usual_values_keep(parameter: str) -> None:
    low, high = CATALOGUE[parameter].usual
    for value in (low, high, (low + high) / 2):
        assert checked(parameter, value)[0] == (
            Flag.NOT_EVALUATED if parameter == "generic" else Flag.GOOD
        )


def test_the_tests_are_listed_by_name_and_each_keeps_its_place() -> None:
    assert list(QUALITY_TESTS) == sorted(QUALITY_TESTS)
    places = {name: test.place for name, test in QUALITY_TESTS.items()}
    assert len(set(places.values())) == len(places)
    assert max(places.values()) < 16
    assert (places["gross_range"], places["sentinel"], places["timing"]) == (0, 1, 2)


@pytest.mark.parametrize("name", QUALITY_TESTS)
@pytest.mark.parametrize("verdict", Verdict)
def test_a_code_tells_what_each_test_said(name: str, verdict: Verdict) -> None:
    code = verdict << 2 * QUALITY_TESTS[name].place
    assert verdicts_of(code) == ({name: verdict} if verdict else {})
    assert objections(code) == ({name: verdict.name.lower()} if verdict >= Verdict.SUSPECT else {})
    assert rollup(code).name == verdict.name


def test_the_state_holds_the_newest_of_each_series() -> None:
    state = State(2)
    state.restore([(1, 500)], [], [])
    assert state.measured_at.tolist() == [NEVER, 500]
    state.grow(3)
    settings = QualitySettings.of(series("ph", "ph", "ph"))
    found = check(columns((0, 10, 8.0), (0, 20, 8.0), (1, 600, 8.0)), state, settings)
    assert state.measured_at.tolist() == [NEVER, 500, NEVER]
    state.accept(found.moved)
    assert state.measured_at.tolist() == [20, 600, NEVER]


@pytest.mark.parametrize("moved", [[0], [29, 30, 31], [64], [5, 64]], ids=str)
def test_the_state_comes_back_as_it_was_kept(moved: list[int]) -> None:
    state, settings = State(65), QualitySettings.of(series(*["ph"] * 65))
    found = check(columns(*((number, T0, 8.0 + number / 100) for number in moved)), state, settings)
    tails, windows = state.blocks(found.moved), kept(found.moved)
    state.accept(found.moved)
    again = State(65)
    again.restore([(s, T0) for s in moved], tails.items(), windows.items())
    for old, new in ((state.tails, again.tails), (state.windows, again.windows)):
        assert old.tobytes() == new.tobytes()


def test_a_block_of_tails_fits_a_page() -> None:
    assert BLOCK * TAIL.itemsize < 4000
