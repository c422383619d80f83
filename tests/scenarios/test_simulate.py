"""A scenario reports to a running system over MQTT, and happens to one in virtual time."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

import app
import cli
import simulation
from core.times import SECOND
from simulators.play import play
from simulators.processes import andaman
from storage.database import open_readers
from tests.world import CONFIGURATION, small_world, write_configuration

DEVICES = """
gateways:
  - {id: gw-native, name: {en: Native, th: เนทีฟ}}
  - {id: gw-lora, name: {en: Lora, th: ลอรา}}
  - {id: gw-things, name: {en: Things, th: ธิงส์}}
  - {id: gw-tasmota, name: {en: Tasmota, th: ทาสโมตา}}
devices:
  - {id: patong-1, gateway: gw-native, site: patong, since: 2026-01-01}
  - {id: bin-1, gateway: gw-lora, site: bin, since: 2026-01-01, address: 24e124713c140677}
  - {id: bin-2, gateway: gw-things, site: bin, since: 2026-01-01, address: 24E124713C140688}
  - {id: air-1, gateway: gw-tasmota, site: town, since: 2026-01-01, address: tasmota_A1}
"""
SOURCES = """
sources:
  - {id: native, topic: "andaman/v1/{gateway}/up/readings", dialect: native}
  - {id: lora, topic: application/+/device/+/event/up, dialect: chirpstack, gateway: gw-lora}
  - {id: things, topic: v3/+/devices/+/up, dialect: ttn, gateway: gw-things}
  - {id: tasmota, topic: tele/+/SENSOR, dialect: tasmota, gateway: gw-tasmota,
     timezone: Asia/Bangkok}
"""
PROFILES = """
profiles:
  - {id: quick, interval: 1m}
"""
RULES = (
    CONFIGURATION["rules.yaml"]
    + """
  - {id: device-silent, kind: missing, name: {en: Silent, th: เงียบ}, above: {info: 6, warning: 12}}
  - {id: gateway-silent, kind: missing, of: gateway, name: {en: Silent, th: เงียบ},
     above: {warning: 3, critical: 12}, for: 2m, clear_for: 2m}
"""
)
MARKET_DAY = """
name: market-day
description: A bin runs over, then dust rises, and a gateway is gone for a while.
start: 2026-11-22T00:00:00Z
duration: 60m
seed: 3
interval: 1m
events:
  - {kind: overflow, sites: [bin], start: 2026-11-22T00:05:00Z, duration: 25m, strength: 9}
  - {kind: construction-dust, sites: [town], start: 2026-11-22T00:05:00Z, duration: 20m}
faults:
  - {kind: outage, gateway: gw, start: 2026-11-22T00:35:00Z, duration: 18m}
"""


def figures(result: Result) -> dict[str, list[int]]:
    """The account that is printed, by its row."""
    rows = re.findall(r"^ ?(\w[^\d\n]*?) {2,}([\d, ]+)$", result.stdout, re.MULTILINE)
    return {name: [int(n.replace(",", "")) for n in row.split()] for name, row in rows}


def simulate(folder: Path, scenario: str, *words: str) -> Result:
    file = folder / "scenario.yaml"
    file.write_text(scenario, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDAMAN_CONFIG_DIR", str(folder / "config"))
        return CliRunner().invoke(cli.cli, ["simulate", str(file), *words])


@pytest.mark.network
def test_every_dialect_gets_through_a_real_broker_and_every_native_message_has_a_receipt(
    tmp_path: Path,
) -> None:
    config = write_configuration(tmp_path / "config", devices=DEVICES, sources=SOURCES)
    quiet = re.sub(r"events:.*", "", MARKET_DAY, flags=re.DOTALL)
    truth = tmp_path / "truth.jsonl"
    with andaman(tmp_path, config_dir=config) as system:
        system.start()
        ready = system.wait_ready()
        key = tmp_path / "key"
        local = json.loads((system.data / "local.json").read_text(encoding="utf-8"))
        key.write_text(local["key"], encoding="utf-8")
        broker = "{host}:{port}".format(**ready["mqtt"])
        door = ("--api", ready["api"], "--key-file", str(key), "--broker", broker)
        result = simulate(tmp_path, quiet, *door, "--backfill", "--truth", str(truth))
        assert result.exit_code == 0, result.output
        stats = system.ask("/v1/stats").json()
    found = figures(result)
    messages = [60, 60, 60, 60, 240]  # chirpstack, native, tasmota, ttn and all
    assert found["published"] == found["acknowledged by the broker"] == messages
    assert found["receipted by Andaman"] == [0, 60, 0, 0, 60]
    assert found["not settled at the end"] == [0] * 5
    assert stats["quarantined"] == 0
    radio = 120  # uplinks tell the signal-to-noise ratio as well
    assert stats["stored"] == found["readings"][-1] + radio
    assert truth.read_text(encoding="utf-8").startswith('{"scenario":"market-day"')


def test_alerts_in_virtual_time_are_those_of_a_clock_that_shows_every_second(
    tmp_path: Path,
) -> None:
    """Only what is told of one again, an escalation, may come up to a step later."""
    devices = CONFIGURATION["devices.yaml"].replace("01-01}", "01-01, model: quick}")
    files = {"devices": devices, "rules": RULES, "profiles/quick": PROFILES}
    write_configuration(tmp_path / "config", **files)
    result = simulate(tmp_path, MARKET_DAY, "--data", str(tmp_path / "fast"))
    assert result.exit_code == 0, result.output
    assert figures(result)["not settled at the end"] == [0]
    with small_world(tmp_path / "slow", files) as world:
        city = app.read_configuration(world.system.settings.config_dir)
        scenario = simulation.scenario_of(str(tmp_path / "scenario.yaml"), city, None)
        gateways = simulation.gateways_of(scenario.devices, city, "e1")
        by_name = {gateway.id: gateway for gateway in gateways}
        for gateway in gateways:
            online = gateway.status(online=True)
            world.send(online, gateway=gateway.id, topic=gateway.topic("up", "status"))
        for sending in play(scenario, scenario.start, scenario.end):
            world.pass_to(max(sending.at, world.now))
            by_name[sending.gateway].take([sending.sample])
            message = by_name[sending.gateway].next(0.0)
            assert message is not None
            world.send(message.body, gateway=sending.gateway)
        world.pass_to(scenario.end)
        slow = alerts(world.system.readers)
    database = open_readers(tmp_path / "fast")
    fast = alerts(database)
    database.dispose()
    assert {rule for rule, *_ in fast} >= {"bin-full", "haze", "device-silent", "gateway-silent"}
    assert fast == slow


def test_in_virtual_time_who_takes_no_part_is_not_missed_and_who_does_is_from_the_beginning(
    tmp_path: Path,
) -> None:
    """Whatever devices.yaml says of since when they stand."""
    devices = CONFIGURATION["devices.yaml"].replace("2026-01-01}", "2027-01-01, model: quick}")
    files = {"devices": devices, "rules": RULES, "profiles/quick": PROFILES}
    write_configuration(tmp_path / "config", **files)
    alone = MARKET_DAY.replace("seed: 3", "seed: 3\ndevices: [bin-1]")
    alone = alone.replace("sites: [town]", "sites: [bin]").replace("construction-dust", "bin-fire")
    result = simulate(tmp_path, alone, "--data", str(tmp_path / "data"))
    assert result.exit_code == 0, result.output
    database = open_readers(tmp_path / "data")
    found = {(rule, subject) for rule, subject, *_ in alerts(database) if "silent" in rule}
    database.dispose()
    assert found == {("device-silent", "bin-1"), ("gateway-silent", "gateway/gw")}


def alerts(readers: Engine) -> list[Any]:
    """What became of alerts, to the second."""
    query = (
        f"SELECT rule, subject, after, at / {SECOND}, reason FROM transitions"  # noqa: S608
        " WHERE reason <> 'escalated' ORDER BY at, rule, subject"
    )
    with readers.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]
