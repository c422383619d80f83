"""`andaman judge`: the promise holds over kills, and each sabotage is caught by its judge."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli

pytestmark = [pytest.mark.network, pytest.mark.timeout(180)]


def judge(folder: Path, *words: str) -> Result:
    """A short judgement."""
    return CliRunner().invoke(cli.cli, ["judge", "--short", "--folder", str(folder), *words])


@pytest.mark.parametrize("seed", ["1", "2"], ids=["mosquitto", "nats-server"])
def test_nobody_notices_kills(seed: str, tmp_path: Path) -> None:
    result = judge(tmp_path, "--script", "kill-any", "--seed", seed, "--seeds", "1")
    assert result.exit_code == 0, result.output
    assert "held" in result.output
    assert not list(tmp_path.iterdir()), "what held leaves nothing"


@pytest.mark.parametrize(
    ("sabotage", "name"),
    [("ack-early", "J1"), ("double", "J8"), ("drop", "J1"), ("forget", "J7")],
)
def test_sabotage_is_caught(sabotage: str, name: str, tmp_path: Path) -> None:
    result = judge(tmp_path, "--sabotage", sabotage, "--seeds", "1")
    assert result.exit_code == 1, result.output
    assert f"{name}: " in result.output
    (place,) = tmp_path.iterdir()
    left = {file.name for file in place.iterdir()}
    assert {"verdict.txt", "story.log", "andaman.log", "issued.jsonl", "data", "config"} <= left


def test_it_names_the_scripts_that_there_are(tmp_path: Path) -> None:
    result = judge(tmp_path, "--script", "earthquake")
    assert result.exit_code == 1
    assert "earthquake is no script; there are calm, kill-any" in result.output
