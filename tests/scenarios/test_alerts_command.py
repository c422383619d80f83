"""`andaman alerts`: the table, the story, and to say that somebody has seen it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from cli_alerts import sparkline
from tests.world import small_world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger with one alert, whose system has ended."""
    with small_world(tmp_path) as world:
        for minute, level in enumerate((10.0, 40.0, 97.0)):
            world.at(f"00:0{minute}").publish("bin-1", fill_level=level)
    return tmp_path


def andaman(folder: Path, *words: str) -> Result:
    env = {"ANDAMAN_CONFIG_DIR": str(folder / "config"), "COLUMNS": "160"}
    return CliRunner().invoke(cli.cli, ["alerts", *words, "--data", str(folder / "data")], env=env)


def the_id(folder: Path) -> str:
    shown = andaman(folder, "list").stdout
    (row,) = (line for line in shown.splitlines() if "critical" in line)
    assert "Full" in row
    assert "97 %" in row
    return row.split()[0]


def test_it_lists_shows_and_acknowledges(folder: Path) -> None:
    begun = the_id(folder)
    shown = andaman(folder, "show", begun).stdout
    assert "Full: critical, firing." in shown
    assert "first-breach" in shown
    assert "ระดับวิกฤต" in andaman(folder, "show", begun, "--language", "th").stdout
    done = andaman(folder, "ack", begun, "--note", "on my way")
    assert (done.exit_code, "is acknowledged" in done.stdout) == (0, True)
    assert "on my way" in andaman(folder, "show", begun).stdout
    assert "seen by this machine" in andaman(folder, "list").stdout


def test_an_officer_does_all_of_it_from_the_terminal(folder: Path) -> None:
    begun = the_id(folder)
    for words in (
        ["assign", begun, "--to", "Somchai"],
        ["comment", begun, "--note", "a tyre is in it"],
        ["shelve", begun, "--for", "2h", "--note", "tomorrow"],
        ["unshelve", begun],
        ["resolve", begun, "--note", "it was a tyre"],
    ):
        result = andaman(folder, *words)
        assert (result.exit_code, result.stdout.startswith(begun)) == (0, True), result.output
    assert "There are none." in andaman(folder, "list").stdout
    assert andaman(folder, "reopen", begun, "--note", "no, it is full").exit_code == 0
    story = andaman(folder, "show", begun).stdout
    assert "for Somchai" in story
    assert "this machine, no, it is full" in story


def test_a_table_fits_on_eighty_letters(folder: Path) -> None:
    narrow = {"ANDAMAN_CONFIG_DIR": str(folder / "config"), "COLUMNS": "80"}
    asked = ["alerts", "list", "--data", str(folder / "data")]
    shown = CliRunner().invoke(cli.cli, asked, env=narrow).stdout
    (row,) = (line for line in shown.splitlines() if "critical" in line)
    assert row.split()[:3] == [the_id(folder), "critical", "firing"]


def test_it_says_when_no_open_alert_begins_so(folder: Path) -> None:
    result = andaman(folder, "show", "zzz")
    assert (result.exit_code, "0 open alerts begin with zzz" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        pytest.param([0.0, 1.0, 2.0, 7.0], "▁▂▃█", id="course"),
        pytest.param([3.0, 3.0], "▁▁", id="constant"),
    ],
)
def test_a_course_is_a_row_of_bars(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars
