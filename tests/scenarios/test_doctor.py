"""`andaman doctor` sees what is well and what is not, and says what to do."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import cli
from core.settings import Settings
from doctor import State, examine
from simulators.processes import COMMAND, Andaman, environment, free_port
from simulators.servers.influxd import InfluxServer
from simulators.stand_ins.line import Line
from simulators.stand_ins.line_platform import Platform
from simulators.stand_ins.smtp import Mailbox, SmtpStandIn
from tests.grafana_server import EDITOR, GrafanaServer, serving

Found = dict[str, tuple[State, str, str]]


async def looked(folder: Path, **given: object) -> Found:
    """Part → how it is, its words and the advice."""
    settings = Settings(data_dir=folder / "data", **given)  # type: ignore[arg-type]
    return {f.part: (f.state, f.words, f.advice) async for f in examine(settings)}


def examined(folder: Path, **given: object) -> Found:
    return asyncio.run(looked(folder, **given))


def test_on_a_fresh_machine_it_says_what_is_not_used_and_how_to_start(tmp_path: Path) -> None:
    found = examined(tmp_path)
    states = {part: state for part, (state, _, _) in found.items()}
    assert states == {
        "configuration": State.WELL,
        "disk": State.WELL,
        "ledger": State.WARNING,
        "andaman": State.WARNING,
        "broker": State.WELL,
        "influxdb": State.OFF,
        "grafana": State.OFF,
        "line": State.OFF,
        "email": State.OFF,
        "clock": State.OFF,
    }
    assert found["andaman"][2] == "start it: `andaman run`"


def test_what_cannot_be_reached_is_ill_and_says_which_setting(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    found = examined(
        tmp_path,
        mqtt_url=f"mqtt://{nobody}",
        influx_url=f"http://{nobody}",
        influx_token="t",
        grafana_url=f"http://{nobody}",
        grafana_token="t",
        line_url=f"http://{nobody}",
        line_token="t",
        smtp_url=f"smtp+plaintext://{nobody}",
        mail_from="Andaman <a@andaman.example>",
    )
    ill = {part for part, (state, _, _) in found.items() if state is State.ILL}
    assert ill == {"broker", "influxdb", "grafana", "line", "email"}
    assert "check ANDAMAN_MQTT_URL" in found["broker"][2]
    assert "points wait in the ledger" in found["influxdb"][2]


def test_a_mistake_in_the_configuration_is_said_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "sites.yaml").write_text("sites: 5\n", encoding="utf-8")
    state, words, _ = examined(tmp_path, config_dir=config)["configuration"]
    assert state is State.ILL
    assert "sites.yaml:1" in words


def test_a_ledger_that_is_none_is_ill(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.db").write_bytes(os.urandom(10_000))
    state, _, advice = examined(tmp_path)["ledger"]
    assert (state, advice) == (State.ILL, "restore a backup")


@pytest.fixture
def grafana() -> Iterator[GrafanaServer]:
    with serving(GrafanaServer()) as server:
        yield server


@pytest.mark.network
def test_servers_that_are_there_are_well(
    tmp_path: Path, influx: InfluxServer, grafana: GrafanaServer
) -> None:
    async def both(line_url: str) -> tuple[Found, Found]:
        smtp = SmtpStandIn(tmp_path, lambda: 1)
        given = {
            "influx_url": influx.url,
            "influx_token": influx.token,
            "grafana_url": grafana.url,
            "grafana_token": EDITOR,
            "line_url": line_url,
            "line_token": "line-token",
            "smtp_url": f"smtp+plaintext://127.0.0.1:{await smtp.start()}",
            "mail_from": "Andaman <a@andaman.example>",
        }
        wrong = given | {"influx_token": "wrong", "line_token": "wrong"}
        try:
            return await looked(tmp_path, **given), await looked(tmp_path, **wrong)
        finally:
            await smtp.stop()

    with Line(Platform(token="line-token", secret="s", clock=time.time, quota=300)) as line:
        found, wrong = asyncio.run(both(line.url))
    states = {part: found[part][0] for part in ("influxdb", "grafana", "line", "email", "clock")}
    assert states == {
        "influxdb": State.WELL,
        "grafana": State.WARNING,
        "line": State.WELL,
        "email": State.WELL,
        "clock": State.WELL,
    }
    assert found["grafana"][2] == "`andaman dashboards publish` brings them"
    assert found["line"][1] == "0 of 300 messages this month"
    assert {wrong["influxdb"][0], wrong["line"][0]} == {State.ILL}
    assert not Mailbox(tmp_path).mails()


@pytest.mark.network
def test_it_asks_the_system_that_runs_on_the_folder(tmp_path: Path) -> None:
    andaman = Andaman(tmp_path)
    andaman.start()
    try:
        andaman.wait_ready()
        done = subprocess.run(
            [*COMMAND, "doctor", "--data", str(andaman.data)],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        andaman.end()
    assert done.returncode == 0, done.stdout
    lines = {line.split()[2]: line for line in done.stdout.splitlines() if line[:1] in "●▲✖"}
    assert "runs; API on http://127.0.0.1:" in lines["andaman"]
    assert "connected" in lines["broker"]
    assert "takes batches" in done.stdout


def test_it_exits_with_1_when_something_is_ill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDAMAN_MQTT_URL", f"mqtt://127.0.0.1:{free_port()}")
    result = CliRunner().invoke(cli, ["doctor", "--data", str(tmp_path / "data")])
    assert result.exit_code == 1
    assert "✖ ill" in result.output
