"""`andaman quality` and `andaman service`, on a folder where no system runs."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from core.times import MINUTE
from tests.world import MIDNIGHT, small_world

RANGE = ["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-22T00:03:00Z", "--note", "weed"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five readings, a minute apart."""
    with small_world(tmp_path) as world:
        for number in range(5):
            at = world.now = MIDNIGHT + number * MINUTE
            world.publish("patong-1", measured=at, gateway="gw", ph=8.1, salinity=33.0)
    return tmp_path


def andaman(folder: Path, *arguments: str) -> Result:
    """One command; it must not end with a traceback."""
    given = {"ANDAMAN_CONFIG_DIR": str(folder / "config"), "COLUMNS": "200"}
    result = CliRunner().invoke(cli.cli, [*arguments, "--data", str(folder / "data")], env=given)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    return result


def said(folder: Path, *arguments: str) -> str:
    """What a command prints that must succeed."""
    result = andaman(folder, *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a_flag_is_put_shown_and_undone(folder: Path) -> None:
    asked = ("quality", "flag", "patong-1", "--parameter", "ph", "--flag", "4", *RANGE)
    assert said(folder, *asked) == "flag 1 is put; andaman quality undo 1 takes it back\n"
    assert re.search("1 +patong-1 +ph .* 4 +weed", said(folder, "quality", "flags"))
    assert "1 → 4: 3" in said(folder, "quality", "reviews")
    assert said(folder, "quality", "undo", "1") == "flag 1 is undone\n"
    assert "4 → 1: 3" in said(folder, "quality", "reviews")
    assert "weed" not in said(folder, "quality", "flags")
    assert "weed" in said(folder, "quality", "flags", "--state", "undone", "--device", "patong-1")


def test_readings_are_judged_again(folder: Path) -> None:
    asked = ("quality", "reprocess", "patong-1", *RANGE)
    assert said(folder, *asked, "--preview") == "6 readings; no flag changes\n"
    assert said(folder, *asked, "--parameter", "ph") == "3 readings; no flag changes\n"


def test_the_service_log_is_kept(folder: Path) -> None:
    asked = ["--from", "2026-11-22T00:01:00Z", "--by", "Nok", "--note", "optics"]
    added = said(folder, "service", "add", "patong-1", "cleaning", *asked)
    assert added == "entry 1 is made; andaman service end 1 --to … when it is over\n"
    ended = said(folder, "service", "end", "1", "--to", "2026-11-22T00:04:00Z")
    assert ended == "entry 1 ended 2026-11-22T00:04:00Z\n"
    assert re.search("cleaning .*Nok +optics", said(folder, "service", "list"))
    assert said(folder, "service", "remove", "1") == "entry 1 is taken out\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("quality", "undo", "9"), "There is no such flag", id="flag"),
        pytest.param(
            ("quality", "flag", "patong-9", "--flag", "4", *RANGE),
            "device: patong-9 is",
            id="device",
        ),
        pytest.param(
            ("quality", "reprocess", "patong-1", "--parameter", "co", *RANGE),
            "parameters: patong-1 has never reported co",
            id="parameter",
        ),
        pytest.param(("service", "remove", "9"), "There is no such entry", id="entry"),
    ],
)
def test_it_says_what_is_wrong_and_exits_with_1(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = andaman(folder, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
