"""`andaman dashboards build`: which levels of rules it draws, and what it says when it cannot."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts import rule_files
from cli import cli
from cli_dashboards import levels_of
from core import configuration
from tests.grafana_server import EDITOR, GrafanaServer, serving

CONFIG = Path(__file__).resolve().parents[2] / "config"


def test_it_draws_levels_of_thresholds_that_hold_everywhere() -> None:
    rules = rule_files.load(CONFIG, configuration.load(CONFIG))
    levels = [level for rule in rules for level in levels_of(rule)]
    oxygen = [level for level in levels if level.parameter == "dissolved_oxygen"]
    assert [(o.severity, o.side, o.value) for o in oxygen] == [
        ("warning", "below", 4.0),
        ("critical", "below", 2.0),
    ]
    assert "National Environment Board" in oxygen[0].source
    on_trial = {rule.name["en"] for rule in rules if rule.shadow}
    assert not on_trial & {level.rule["en"] for level in levels}


def run(monkeypatch: pytest.MonkeyPatch, config: Path, *words: str) -> tuple[int, str]:
    monkeypatch.setenv("ANDAMAN_CONFIG_DIR", str(config))
    found = CliRunner().invoke(cli, ["dashboards", *words])
    return found.exit_code, found.output


def test_it_says_when_files_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ("--folder", str(tmp_path))
    code, said = run(monkeypatch, CONFIG, "build", *folder, "--check")
    assert code == 1
    assert "run andaman dashboards build: en/andaman-air-en.json" in said
    assert run(monkeypatch, CONFIG, "build", *folder)[0] == 0
    assert run(monkeypatch, CONFIG, "build", *folder, "--check") == (0, "")


def test_it_says_which_index_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    standards = tmp_path / "config" / "standards" / "thailand.yaml"
    words = standards.read_text(encoding="utf-8").partition("\nindices:")[0]
    standards.write_text(words, encoding="utf-8")
    code, said = run(monkeypatch, tmp_path / "config", "build", "--check")
    assert code == 1
    assert "has an index th-aqi-pm25-24h; add it" in said.replace("\n", " ")


def grafana(monkeypatch: pytest.MonkeyPatch, server: GrafanaServer, *words: str) -> tuple[int, str]:
    monkeypatch.setenv("ANDAMAN_GRAFANA_URL", server.url)
    monkeypatch.setenv("ANDAMAN_GRAFANA_TOKEN", EDITOR)
    return run(monkeypatch, CONFIG, "publish", *words)


def test_it_publishes_all_and_says_what_it_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDAMAN_PUBLIC_URL", "https://andaman.example")
    with serving(GrafanaServer()) as server:
        code, said = grafana(monkeypatch, server, "--dry-run")
        assert code == 0
        assert "andaman-city-en: would be created" in said
        assert server.versions == {}
        code, said = grafana(monkeypatch, server)
        assert (code, said.count(": created")) == (0, 14)
        (link,) = (
            variable["query"]
            for variable in server.newest("andaman-beach-th")["templating"]["list"]
            if variable["name"] == "andaman"
        )
        assert link == "https://andaman.example"
        server.edit("andaman-beach-th", "ของฉัน")
        code, said = grafana(monkeypatch, server)
    assert code == 1
    assert "andaman-beach-th: edited by hand since, left alone; --force overwrites it" in said
    assert "1 of 14 dashboards are not as built" in said
    assert EDITOR not in said
