"""Tests of rules: those that ship pass, and what fails is told with file and line."""

from pathlib import Path

import pytest

import app
from alerts import rule_tests
from core.errors import ConfigError
from core.times import MINUTE
from tests.world import write_configuration

ROOT = Path(__file__).resolve().parents[3]
FULL = """\
tests:
  - name: full
    rule: bin-full
    every: 1m
    series: {bin-1/fill_level: 50 85 50}
    expect:
      - {at: 1m, state: firing, reason: first-breach, severity: warning}
      - {at: 2m, state: resolved}
"""


def results(folder: Path, text: str) -> list[rule_tests.Result]:
    """What the tests in `text` say of the rules of a small city."""
    (write_configuration(folder) / "rules" / "tests").mkdir()
    (folder / "rules" / "tests" / "a.yaml").write_text(text, encoding="utf-8")
    city = app.read_configuration(folder)
    files = rule_tests.load(folder, city.rules, city.units())
    return list(rule_tests.run(files, city.rules, city.units()))


def test_each_rule_that_ships_has_tests_and_they_pass() -> None:
    city = app.read_configuration(ROOT / "config")
    files = rule_tests.load(ROOT / "config", city.rules, city.units())
    found = list(rule_tests.run(files, city.rules, city.units()))
    assert [result.failure for result in found if result.failure] == []
    assert {result.rule for result in found} == {rule.id for rule in city.rules}


@pytest.mark.parametrize(
    ("written", "instead", "failure"),
    [
        pytest.param("", "", "", id="it passes"),
        pytest.param(
            "at: 1m",
            "at: 90s",
            "7: firing first-breach warning at 1m30s should come, but firing first-breach warning "
            "bin-1/fill_level at 1m came",
            id="at another time",
        ),
        pytest.param("50 85 50", "50 85 70", "8: resolved at 2m did not come", id="too few"),
        pytest.param(
            "      - {at: 2m, state: resolved}\n",
            "",
            "7: resolved back-in-range warning bin-1/fill_level at 2m came besides",
            id="too many",
        ),
    ],
)
def test_what_fails_is_told_with_its_line(
    written: str, instead: str, failure: str, tmp_path: Path
) -> None:
    (result,) = results(tmp_path, FULL.replace(written, instead))
    place = f"{tmp_path}/rules/tests/a.yaml:"
    assert result.failure == (f"{place}{failure}" if failure else "")
    assert (result.where, result.rule) == (f"{place}2", "bin-full")


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        pytest.param(
            "bin-full", "bin-fall", "3: no rule is called bin-fall; correct it", id="rule"
        ),
        pytest.param(
            "bin-1/",
            "bin-9/",
            "5: bin-9/fill_level is no device/parameter of the city; correct it",
            id="device",
        ),
        pytest.param(
            "85",
            "85x",
            "5: tests.0.series.bin-1/fill_level: write up to 10,000 values as in "
            "4 4.5x10 _x3 5..9x5, not '50 85x 50'",
            id="values",
        ),
        pytest.param(
            "at: 2m",
            "at: soon",
            "8: tests.0.expect.1.at: write a time since the start such as "
            "0, 90s or 1h30m, not 'soon'",
            id="time",
        ),
    ],
)
def test_a_mistake_in_a_test_is_told_with_its_line(
    written: str, instead: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        results(tmp_path, FULL.replace(written, instead))
    assert caught.value.problems == (f"{tmp_path}/rules/tests/a.yaml:{problem}",)


def test_values_may_be_repeated_left_out_and_drawn_as_a_line() -> None:
    assert rule_tests.values("1x2 _ 0..4x3") == [1.0, 1.0, None, 0.0, 2.0, 4.0]
    assert rule_tests.offset("1h2m") == 62 * MINUTE
