"""`andaman simulate` as far as it gets without a system: who speaks how, and what is refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
import cli
import simulation
from core.errors import StartError
from core.times import DAY
from simulators.dialects import Sample
from tests.world import write_configuration

DEVICES = """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
devices:
  - {id: air-1, gateway: gw, site: town, since: 2026-01-01, model: tasmota-box, address: tasmota_A1}
"""
TASMOTA = "{id: tasmota, topic: tele/+/SENSOR, dialect: tasmota, gateway: gw}"
LORA = "{id: lora, topic: application/+/device/+/event/up, dialect: chirpstack, gateway: gw}"
THINGS = "{id: things, topic: 'v3/{gateway}/devices/+/up', dialect: ttn}"
NATIVE = "{id: native, topic: 'andaman/v1/{gateway}/up/readings', dialect: native}"
ZIGBEE = "{id: zigbee, topic: zigbee2mqtt/+, dialect: zigbee2mqtt, gateway: gw}"
PROFILE = """
profiles:
  - id: tasmota-box
    keys:
      PMS5003.PM2.5: {parameter: pm25}
      ADC.Voltage: {parameter: battery_voltage, unit: mV}
"""
SCENARIO = """
name: short
description: Nothing happens.
start: 2026-11-22T00:00:00Z
duration: 1d
seed: 1
events:
  - {kind: haze, sites: [town], start: 2026-11-22T06:00:00Z, duration: 2h}
faults:
  - {kind: stuck, device: air-1, parameters: [pm25], start: 2026-11-22T10:00:00Z, duration: 2h}
"""


def city(folder: Path, *sources: str, devices: str = DEVICES) -> app.City:
    listed = "\n".join(["sources:", *(f"  - {source}" for source in sources)])
    written = write_configuration(folder / "config", devices=devices, sources=listed)
    (written / "profiles").mkdir()
    (written / "profiles" / "ours.yaml").write_text(PROFILE, encoding="utf-8")
    return app.read_configuration(written)


@pytest.mark.parametrize(
    ("sources", "dialect"),
    [
        pytest.param([NATIVE], "native", id="the only one"),
        pytest.param([NATIVE, TASMOTA], "tasmota", id="its own before one for all"),
        pytest.param([THINGS, NATIVE], "native", id="of those for all, the native one"),
        pytest.param([ZIGBEE, NATIVE], "native", id="one that it can speak"),
        pytest.param([TASMOTA, LORA], "tasmota", id="the first of its own"),
    ],
)
def test_a_gateway_speaks_as_sources_yaml_says(
    tmp_path: Path, sources: list[str], dialect: str
) -> None:
    made = city(tmp_path, *sources)
    (gateway,) = simulation.gateways_of(made.registry.devices.values(), made, "b7")
    assert gateway.manner.dialect == dialect


def test_a_device_uses_the_keys_and_units_of_its_profile(tmp_path: Path) -> None:
    made = city(tmp_path, TASMOTA)
    (gateway,) = simulation.gateways_of(made.registry.devices.values(), made, "b7")
    gateway.take([Sample("air-1", 0, {"pm25": 13.0, "battery_voltage": 3.6, "co": 0.4})])
    message = gateway.next(0.0)
    assert message is not None
    assert message.topic == "tele/tasmota_A1/SENSOR"
    assert b'"PMS5003":{"PM2.5":13.0},"ADC":{"Voltage":3600.0},"co":0.4' in message.body


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param(LORA, "air-1 has no DevEUI, and gw speaks chirpstack", id="no DevEUI"),
        pytest.param(ZIGBEE, "no source that gw could speak by", id="no dialect"),
    ],
)
def test_it_says_why_a_gateway_cannot_speak(tmp_path: Path, source: str, words: str) -> None:
    made = city(tmp_path, source)
    with pytest.raises(StartError, match=words):
        simulation.gateways_of(made.registry.devices.values(), made, "b7")


def test_a_scenario_moves_with_all_that_happens_in_it(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    before = simulation.scenario_of(str(file), city(tmp_path, NATIVE), seed=7)
    after = simulation.moved(before, DAY)
    assert (after.start - before.start, after.end - before.end, after.seed) == (DAY, DAY, 7)
    for moved, was in zip(after.account().truths, before.account().truths, strict=True):
        assert (moved.start - was.start, moved.end - was.end) == (DAY, DAY)


DOOR = ("--api", "http://127.0.0.1:1", "--broker", "127.0.0.1:1", "--key-file", "key")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["spill"], "give --api, --key-file and --broker", id="nobody to report to"),
        pytest.param([*DOOR, "--seed", "3"], "--seed is of a scenario", id="a seed of nothing"),
        pytest.param(["spill", "--data", "new", "--rate", "3"], "--rate is of a", id="two worlds"),
        pytest.param(["spill", *DOOR, "--speed", "9"], "leads away from the present", id="ahead"),
        pytest.param(["spill", *DOOR, "--speed", "fast"], "--speed fast is no speed", id="a word"),
        pytest.param(["nothing", "--data", "new"], "nothing: no such scenario", id="no scenario"),
        pytest.param(["spill", "--data", "old"], "holds a ledger already", id="a ledger"),
        pytest.param(["spill", *DOOR], "does not answer; is Andaman up?", id="nobody there"),
    ],
)
def test_it_says_what_it_cannot_do(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "key").write_text("andaman_x_y", encoding="utf-8")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "ledger.db").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.delenv("ANDAMAN_CONFIG_DIR", raising=False)
        result = CliRunner().invoke(cli.cli, ["simulate", *arguments])
    assert result.exit_code == 1
    assert words in result.stderr
    assert not (tmp_path / "new").exists()
