"""Indices of the standards: what a file may say, and what it is told when it may not."""

from pathlib import Path

import pytest

from alerts import standards
from core.errors import ConfigError

INDEX = """
limits: []
indices:
  - id: clean
    parameter: {parameter}
    title: {{en: Clean, th: สะอาด}}
    source: A law.
    date: "2023"
    verified: true
    steps: [{steps}]
"""
NAME = "name: {en: Some, th: บางส่วน}"


def folder(path: Path, *steps: str, parameter: str = "pm25") -> Path:
    (path / "standards").mkdir()
    text = INDEX.format(parameter=parameter, steps=", ".join(f"{{{step}}}" for step in steps))
    (path / "standards" / "one.yaml").write_text(text, encoding="utf-8")
    return path


def test_it_reads_the_steps_of_an_index(tmp_path: Path) -> None:
    config = folder(tmp_path, f"up_to: 15.0, {NAME}", NAME)
    assert standards.load(config) == {}
    index = standards.indices(config)["clean"]
    assert [step.up_to for step in index.steps] == [15.0, None]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([f"up_to: 15.0, {NAME}", f"up_to: 25.0, {NAME}"], id="the last one ends"),
        pytest.param([f"up_to: 25.0, {NAME}", f"up_to: 15.0, {NAME}", NAME], id="out of order"),
        pytest.param([f"up_to: 15.0, {NAME}", f"up_to: 15.0, {NAME}", NAME], id="twice the same"),
        pytest.param([NAME, NAME], id="one in the middle has no end"),
    ],
)
def test_steps_that_leave_a_value_without_a_name_are_refused(
    steps: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"one\.yaml:\d+: every step but the last has an up_to"):
        standards.load(folder(tmp_path, *steps))


def test_an_index_is_about_a_parameter_of_the_catalogue(tmp_path: Path) -> None:
    config = folder(tmp_path, f"up_to: 15.0, {NAME}", NAME, parameter="smog")
    with pytest.raises(ConfigError, match="parameter smog is not in the catalogue"):
        standards.load(config)
