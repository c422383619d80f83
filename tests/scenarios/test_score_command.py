"""`andaman score`: an account of what was true beside the alerts of a system, or of a file."""

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from core.times import HOUR, MINUTE
from simulators.processes import COMMAND, Andaman, andaman, environment
from simulators.truth import Account, Nature, Truth, write
from tests.world import MIDNIGHT, small_world, write_configuration

FULL = Truth(
    id="overflow-1",
    nature=Nature.EVENT,
    kind="overflow",
    sites=("bin-1",),
    devices=("bin-1",),
    parameters=("fill_level",),
    start=MIDNIGHT,
    end=MIDNIGHT + HOUR,
    severity="warning",
)
STUCK = Truth(
    id="stuck-1",
    nature=Nature.FAULT,
    kind="stuck",
    sites=("patong",),
    devices=("patong-1",),
    parameters=("turbidity",),
    start=MIDNIGHT,
    end=MIDNIGHT + HOUR,
    severity="warning",
)


def account(folder: Path) -> Path:
    """One event that the system of these tests raises, and one fault that it does not."""
    path = folder / "truth.jsonl"
    made = Account(
        scenario="an-hour",
        seed=1,
        start=MIDNIGHT,
        end=MIDNIGHT + HOUR,
        devices=("bin-1", "patong-1"),
        truths=(FULL, STUCK),
    )
    write(path, made)
    return path


def score(folder: Path, *words: str) -> Result:
    env = {"ANDAMAN_CONFIG_DIR": str(folder / "config"), "COLUMNS": "80"}
    return CliRunner().invoke(cli.cli, ["score", str(account(folder)), *words], env=env)


def test_it_asks_the_system_of_the_data_folder(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        for minute, level in enumerate((10.0, 40.0, 97.0)):
            world.at(f"00:0{minute}").publish("bin-1", fill_level=level)
    shown = score(tmp_path, "--data", str(tmp_path / "data")).stdout
    rows = {line[1:12].strip(): line.split()[-6:] for line in shown.splitlines() if "%" in line}
    assert rows["overflow"] == ["1", "1", "100%", "0:02:00", "1", "0"]
    assert "1 alerts, 0 of them false: 0.00 per sensor and month" in shown
    assert "not raised: stuck-1, patong" in shown


def test_it_reads_alerts_of_a_file_and_prints_json(tmp_path: Path) -> None:
    change: dict[str, object] = {
        "type": "transition",
        "device": "bin-1",
        "parameter": "fill_level",
        "rule": "full",
    }
    change |= {"marks": [], "alert": "a1", "after": "firing", "time": "2026-11-22T00:05:00Z"}
    file = tmp_path / "alerts.jsonl"
    file.write_text(json.dumps(change) + "\n")
    said = json.loads(score(tmp_path, "--alerts", str(file), "--json").stdout)
    assert (said["events"]["recall"], said["faults"]["recall"]) == (1.0, 0.0)
    assert said["events"]["median_delay_seconds"] == 5 * MINUTE / 1_000_000
    assert said["missed"] == ["stuck-1"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        pytest.param(["--alerts", "nowhere"], "nowhere: cannot be read", id="no file"),
        pytest.param(["--alerts", "truth.jsonl"], "truth.jsonl:1: is neither", id="no alerts"),
        pytest.param(["--api", "http://127.0.0.1:9"], "--key-file", id="no key"),
        pytest.param(
            ["--api", "http://127.0.0.1:9", "--key-file", "truth.jsonl"],
            "does not answer",
            id="no system",
        ),
    ],
)
def test_it_says_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = score(tmp_path, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert problem in result.stderr


def scored_over_http(folder: Path, system: Andaman, key: str) -> "subprocess.CompletedProcess[str]":
    (folder / "key").write_text(key)
    asked = ["score", str(account(folder)), "--api", system.wait_ready()["api"]]
    return subprocess.run(
        [*COMMAND, *asked, "--key-file", str(folder / "key")],
        cwd=folder,
        env=environment(config_dir=folder / "config"),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.network
def test_it_asks_another_system_with_a_key(tmp_path: Path) -> None:
    with andaman(tmp_path, config_dir=write_configuration(tmp_path / "config")) as system:
        system.start()
        system.wait_ready()
        key = json.loads((system.data / "local.json").read_text(encoding="utf-8"))["key"]
        shown = scored_over_http(tmp_path, system, key)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "0 alerts, 0 of them false" in shown.stdout
        refused = scored_over_http(tmp_path, system, "andaman_nobody_" + "N" * 43)
        assert (refused.returncode, "refuses (401)" in refused.stderr) == (1, True)
