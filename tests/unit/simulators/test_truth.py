"""The account of a run goes to a file and comes back; a file that is none is refused by line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.times import HOUR
from simulators.truth import Account, Nature, Truth, read, write

START = 1_795_323_600_000_000
SPILL = Truth(
    id="spill-1",
    nature=Nature.EVENT,
    kind="spill",
    sites=("patong-beach",),
    devices=("patong-probe-1",),
    parameters=("turbidity", "dissolved_oxygen"),
    start=START + HOUR,
    end=START + 3 * HOUR,
    severity="warning",
    details={"strength": 1.5},
)
ACCOUNT = Account(
    scenario="a-day",
    seed=83,
    start=START,
    end=START + 24 * HOUR,
    devices=("patong-probe-1", "patong-air-1"),
    truths=(SPILL,),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "truth.jsonl", ACCOUNT)
    assert read(tmp_path / "truth.jsonl") == ACCOUNT


def test_its_lines_say_from_and_to_in_utc(tmp_path: Path) -> None:
    write(tmp_path / "truth.jsonl", ACCOUNT)
    head, spill = map(json.loads, (tmp_path / "truth.jsonl").read_text().splitlines())
    assert head["scenario"] == "a-day"
    assert head["from"] == "2026-11-22T05:00:00Z"
    assert (spill["from"], spill["to"]) == ("2026-11-22T06:00:00Z", "2026-11-22T08:00:00Z")
    assert (spill["nature"], spill["severity"]) == ("event", "warning")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(lambda _: "", "is empty", id="nothing in it"),
        pytest.param(lambda text: text.split("\n")[1], ":1: is no line", id="no first line"),
        pytest.param(lambda text: text + "{\n", ":3: is no line", id="no JSON"),
        pytest.param(lambda text: text.replace('"event"', '"omen"'), ":2: is no line", id="nature"),
        pytest.param(
            lambda text: text.replace("T06:00:00Z", "T06:00:00"), ":2: its times", id="no zone"
        ),
    ],
)
def test_it_refuses_what_is_no_account(
    tmp_path: Path, change: Callable[[str], str], problem: str
) -> None:
    path = tmp_path / "truth.jsonl"
    write(path, ACCOUNT)
    path.write_text(change(path.read_text()))
    with pytest.raises(ConfigError, match=problem):
        read(path)


def test_it_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "nothing.jsonl")
