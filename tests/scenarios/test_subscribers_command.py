"""`andaman subscribers`: put down, shown, taken from a list, deleted."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from tests.world import small_world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger whose system has ended."""
    with small_world(tmp_path):
        pass
    return tmp_path


def andaman(folder: Path, *words: str) -> Result:
    env = {"ANDAMAN_CONFIG_DIR": str(folder / "config"), "COLUMNS": "220"}
    command = ["subscribers", *words, "--data", str(folder / "data")]
    return CliRunner().invoke(cli.cli, command, env=env)


def test_it_puts_down_shows_and_deletes(folder: Path) -> None:
    wishes = ("--want", "kind:bin=critical", "--quiet", "22:00-06:30", "--digest", "08:00")
    who = ("--name", "Somchai", "--email", "somchai@example.com")
    made = andaman(folder, "add", *who, *wishes, "--consent")
    assert made.exit_code == 0, made.stderr
    one = made.stdout.split()[1]
    (row,) = (line for line in andaman(folder, "list").stdout.splitlines() if one in line)
    for cell in ("Somchai", "active", "s…@example.com", "kind:bin=critical", "22:00-06:30"):
        assert cell in row
    assert "somchai@example.com (active)" in andaman(folder, "show", one).stdout
    kept = json.loads(andaman(folder, "export", one).stdout)
    assert kept["subscriber"]["contacts"][0]["address"] == "somchai@example.com"
    assert [line["action"] for line in kept["history"]] == ["subscriber-made"]
    assert andaman(folder, "remove", one).exit_code == 0
    assert one not in andaman(folder, "list").stdout


def test_it_asks_whether_they_agreed(folder: Path) -> None:
    made = andaman(folder, "add", "--email", "somchai@example.com")
    assert (made.exit_code, "--consent" in made.stderr) == (1, True)


def test_it_takes_a_list_and_says_what_it_could_not_take(folder: Path) -> None:
    listed = folder / "people.csv"
    rows = (
        "name,email,wants,quiet",
        "หาดป่าตอง,a@example.com,all kind:bin=critical,",
        "wrong,not an address,all,",
        "again,a@example.com,all,22:00-06:00",
    )
    listed.write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    report = andaman(folder, "import", str(listed), "--consent")
    assert report.exit_code == 0, report.stderr
    assert "1 are made" in report.stdout
    assert "email: should be a mail address" in report.stdout
    assert "email: is another subscriber's already" in report.stdout
    assert "kind:bin=critical" in andaman(folder, "list").stdout


def test_a_list_with_other_columns_is_refused(folder: Path) -> None:
    listed = folder / "people.csv"
    listed.write_text("name,phone\nSom,0812345678\n", encoding="utf-8")
    report = andaman(folder, "import", str(listed), "--consent")
    assert (report.exit_code, "should name columns among" in report.stderr) == (1, True)
