"""`andaman replay`, as it is typed: what it prints is what the system would have said live."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
import cli_replay
from core.times import MINUTE, iso
from ingest.quality.table import objections
from simulators.processes import ROOT
from tests.world import CONFIGURATION, MIDNIGHT, small_world, write_configuration

HAZE = """
rules:
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 5m, clear_for: 5m}
"""


def replay(folder: Path, text: str, *words: str) -> Result:
    """One replay of a file with this text; its rows are `time,…`, in UTC."""
    file = folder / "file.csv"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli_replay.commands, ["replay", str(file), "--time", "time", *words])


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def table(*rows: str, header: str = "time,pm25") -> str:
    return "\n".join([header, *rows]) + "\n"


def in_order_of_appearance(ids: list[str]) -> list[int]:
    """Each id as the number of the first like it: a file is heard at other moments than the sensor
    was, and the moment is part of an alert's id.
    """
    return [ids.index(each) for each in ids]


AIR = ("--map", "pm25=pm25", "--device", "air-1")


def test_it_prints_each_reading_with_its_flag_in_order_of_time(tmp_path: Path) -> None:
    text = table("2026-11-22T00:05Z,5000", "2026-11-22T00:00Z,12.5", "2026-11-22T00:10Z,")
    result = replay(tmp_path, text, *AIR)
    common = {"type": "reading", "device": "air-1", "parameter": "pm25"}
    told = lines(result)
    assert told[0] == common | {
        "time": "2026-11-22T00:00:00Z",
        "value": 12.5,
        "flag": told[0]["flag"],
        "tests": {},
    }
    assert [line["flag"] for line in told[1:]] == [4, 9]
    assert told[1]["tests"]["gross_range"] == "fail"
    assert (told[2]["value"], told[2]["tests"]) == (None, {})
    assert result.exit_code == 0


def test_it_sums_up_on_stderr(tmp_path: Path) -> None:
    result = replay(tmp_path, table("2026-11-22T00:05Z,5000", "2026-11-22T00:00Z,12"), *AIR)
    assert "gross_range" in result.stderr
    assert "2 readings of 1 series" in result.stderr


def test_a_reading_that_comes_twice_has_the_firsts_flag_and_a_rival_is_not_judged(
    tmp_path: Path,
) -> None:
    text = table("2026-11-22T00:00Z,5000", "2026-11-22T00:00Z,5000", "2026-11-22T00:00Z,12")
    result = replay(tmp_path, text, *AIR)
    assert [line["flag"] for line in lines(result)] == [4, 4, 2]
    assert "1 duplicates; 1 in conflict" in " ".join(result.stderr.split())


def test_rules_speak_between_the_readings(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(HAZE, encoding="utf-8")
    values = [60, 60, 60, 10, 10, 10]
    text = table(*(f"2026-11-22T00:{3 * n:02}Z,{value}" for n, value in enumerate(values)))
    told = lines(replay(tmp_path, text, *AIR, "--rules", str(tmp_path / "rules.yaml")))
    assert [line["time"][11:16] + " " + line.get("after", "") for line in told] == [
        "00:00 ",
        "00:00 pending",
        "00:03 ",
        "00:05 firing",
        "00:06 ",
        "00:09 ",
        "00:12 ",
        "00:14 resolved",
        "00:15 ",
    ]
    fired = told[3]
    assert fired["type"] == "transition"
    assert (fired["rule"], fired["device"], fired["parameter"]) == ("haze", "air-1", "pm25")
    assert (fired["severity"], fired["reason"], fired["value"]) == ("warning", "held", 60.0)


@pytest.mark.parametrize(
    ("select", "device", "fires"),
    [
        pytest.param("kinds: [air]", "air-1", True, id="a known device of that kind"),
        pytest.param("kinds: [beach]", "air-1", False, id="a known device of another kind"),
        pytest.param("kinds: [beach]", "roof", True, id="an unknown device, by its kind"),
        pytest.param("sites: [town]", "roof", True, id="an unknown device, by its site"),
        pytest.param("devices: [patong-1]", "roof", False, id="an unknown device, others named"),
    ],
)
def test_a_rule_watches_whom_it_selects_and_strangers_that_it_does_not_exclude(
    select: str, device: str, *, fires: bool, tmp_path: Path
) -> None:
    rules = CONFIGURATION["rules.yaml"].replace(
        "parameter: pm25,", f"parameter: pm25, select: {{{select}}},"
    )
    config = write_configuration(tmp_path / "config", rules=rules)
    asked = ("--map", "pm25=pm25", "--device", device, "--rules", str(config / "rules"))
    told = lines(replay(tmp_path, table("2026-11-22T00:00Z,60", "2026-11-22T01:00Z,60"), *asked))
    assert ("transition" in {line["type"] for line in told}) is fires


def test_it_says_what_the_system_says_live(tmp_path: Path) -> None:
    chance = random.Random(7)
    moments = [MIDNIGHT + n * 5 * MINUTE + chance.randrange(MINUTE) for n in range(300)]
    values = [chance.choice([8, 8, 20, 35, 45, 60, 2000]) for _ in moments]
    with small_world(tmp_path / "live") as world:
        for at, value in zip(moments, values, strict=True):
            world.now = at
            world.publish("air-1", measured=at, pm25=float(value))
        stored = world.rows("SELECT measured_at, value, flag, tests FROM readings ORDER BY 1")
        recorded = world.rows(
            "SELECT at, rule, alert, after, reason, value FROM transitions ORDER BY at, id"
        )
        rules = world.system.settings.config_dir / "rules"
    rows = [f"{iso(at)},{value}" for at, value in zip(moments, values, strict=True)]
    chance.shuffle(rows)
    told = lines(replay(tmp_path, table(*rows), *AIR, "--rules", str(rules)))
    assert [
        (line["time"], line["value"], line["flag"], line["tests"])
        for line in told
        if line["type"] == "reading"
    ] == [(iso(at), value, flag, objections(tests)) for at, value, flag, tests in stored]
    changes = [line for line in told if line["type"] == "transition"]
    assert [(c["time"], c["rule"], c["after"], c["reason"], c["value"]) for c in changes] == [
        (iso(at), rule, *rest) for at, rule, _, *rest in recorded
    ]
    assert in_order_of_appearance([c["alert"] for c in changes]) == in_order_of_appearance(
        [alert for _, _, alert, *_ in recorded]
    )
    assert len(changes) > 20


def test_cells_that_cannot_be_read_are_told_and_the_rest_is_replayed(tmp_path: Path) -> None:
    result = replay(tmp_path, table("2026-11-22T00:00Z,warm", "2026-11-22T00:05Z,12"), *AIR)
    assert len(lines(result)) == 1
    assert "file.csv:2: pm25: warm is no number" in result.stderr
    assert "1 cells that cannot be read" in " ".join(result.stderr.split())
    assert result.exit_code == cli_replay.UNREADABLE_CELLS


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        pytest.param(("--map", "pm25=pm26"), "--map pm25=pm26: parameter pm26", id="parameter"),
        pytest.param((*AIR, "--tz", "Phuket"), "--tz Phuket is no zone", id="zone"),
        pytest.param((*AIR, "--tz", "../etc"), "--tz ../etc is no zone", id="a path"),
        pytest.param(("--map", "pm25=pm25"), "say with --device whose pm25 is", id="no device"),
        pytest.param((*AIR, "--rules", "none.yaml"), "none.yaml: cannot be read", id="no rules"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_printed(
    words: tuple[str, ...], problem: str, tmp_path: Path
) -> None:
    result = replay(tmp_path, table("2026-11-22T00:00Z,12"), *words)
    assert problem in result.stderr
    assert (result.stdout, result.exit_code) == ("", 1)


def test_a_mistake_in_the_rules_is_named_with_its_line(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(HAZE.replace("clear: 30", "clear: 40"), encoding="utf-8")
    result = replay(tmp_path, table("2026-11-22T00:00Z,12"), *AIR, "--rules", str(rules))
    assert result.stderr.startswith(f"{rules}:4: clear 40 is beyond")
    assert (result.stdout, result.exit_code) == ("", 1)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="nothing"),
        pytest.param(["2026-11-22T00:00Z,12"], id="one point"),
        pytest.param(["2026-11-22T00:00Z,"] * 50, id="all missing"),
        pytest.param([f"2026-11-22T00:{n:02}Z,12" for n in range(60)], id="constant"),
        pytest.param(["2026-11-22T00:00Z,12"] * 1000, id="a thousand duplicates"),
        pytest.param([f"2026-11-22T00:00Z,{n}" for n in range(1000)], id="a thousand rivals"),
        pytest.param([f"2026-11-22T00:{59 - n:02}Z,{n}" for n in range(60)], id="backwards"),
        pytest.param([f"20{n:02}-01-01T00:00Z,12" for n in range(10, 27)], id="gaps of years"),
    ],
)
@pytest.mark.parametrize("parameter", ["pm25", "water_temperature", "rain"])
def test_whatever_comes_each_reading_gets_a_flag(
    rows: list[str], parameter: str, tmp_path: Path
) -> None:
    words = ("--map", f"pm25={parameter}", "--device", "x")
    result = replay(tmp_path, table(*rows), *words)
    assert len(lines(result)) == len(rows)
    assert {line["flag"] for line in lines(result)} <= {1, 2, 3, 4, 9}
    assert result.exit_code == 0


def test_the_whole_command_has_it_too_and_the_script_loads_no_more_than_it_needs(
    tmp_path: Path,
) -> None:
    assert CliRunner().invoke(cli.cli, ["replay", "--help"]).exit_code == 0
    file = tmp_path / "file.csv"
    file.write_text(table("2026-11-22T00:00Z,12"), encoding="utf-8")
    script = f"import sys, launch; sys.argv[1:] = {['replay', str(file), '--time', 'time', *AIR]}\n"
    script += (
        "try:\n    launch.main()\nfinally:\n    assert not {'app', 'fastapi'} & {*sys.modules}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 1), done.stderr


def test_what_rules_did_is_summed_up_and_held_against_labels(tmp_path: Path) -> None:
    rules, labels = tmp_path / "rules.yaml", tmp_path / "labels.csv"
    rules.write_text(HAZE, encoding="utf-8")
    labels.write_text("start,end\n2026-11-22T00:00Z,2026-11-22T02:00Z\n", encoding="utf-8")
    rows = [f"2026-11-22T{hour:02}:{minute:02}Z,60" for hour in (0, 1) for minute in (0, 20, 40)]
    result = replay(tmp_path, table(*rows), *AIR, "--rules", str(rules), "--labels", str(labels))
    summary = " ".join(result.stderr.split())
    assert "precision recall" in summary
    assert "100% 100%" in summary
