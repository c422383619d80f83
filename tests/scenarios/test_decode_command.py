"""`andaman decode` and `andaman quarantine`, as they are typed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from core.times import SECOND
from ingest.dialects.table import DIALECTS
from ingest.sources import pushed_topic
from tests.samples import SAMPLES, needs_samples, sample
from tests.world import CONFIGURATION, MIDNIGHT, World, small_world, write_configuration

WHEN = ("--received", "2026-11-22T00:00:00Z")
# What each sample speaks; its device is known to no city, so all of it is refused and shown.
SPOKEN = {
    "airgradient": "airgradient",
    "chirpstack": "chirpstack",
    "fiware": "smart-data",
    "luftdaten": "sensor-community",
    "senml": "senml",
    "tasmota": "tasmota",
    "tts": "ttn",
    "zigbee2mqtt": "zigbee2mqtt",
}


def andaman(*words: str, **given: str) -> Result:
    return CliRunner().invoke(cli.cli, words, env=given)


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def config(tmp_path: Path) -> str:
    return str(write_configuration(tmp_path / "config"))


@pytest.fixture
def message(tmp_path: Path) -> Path:
    return tmp_path / "message"


def decode(file: Path, config: str, *words: str) -> Result:
    return andaman("decode", str(file), "--config", config, *WHEN, *words)


# --- decode ---


def test_it_shows_what_a_message_says(message: Path, config: str) -> None:
    message.write_bytes(b'{"device": "air-1", "values": {"pm25": 5, "pm10": 6}}')
    result = decode(message, config, "--topic", "andaman/v1/gw/up/readings")
    assert result.exit_code == 0
    assert lines(result)[0] == {
        "device": "air-1",
        "parameter": "pm25",
        "measured_at": "2026-11-22T00:00:00Z",
        "value": 5.0,
        "unit": "ug/m3",
        "site": "town",
    }


@pytest.mark.parametrize(
    ("payload", "words", "refused"),
    [
        pytest.param(b"{", ("--source", "native", "--gateway", "gw"), ["not-json"], id="no JSON"),
        pytest.param(b"{}", ("--topic", "x"), ["unknown-topic"], id="no source takes the topic"),
        pytest.param(
            b'{"device": "new-1", "values": {"pm25": 5}}',
            ("--topic", "andaman/v1/gw/up/readings"),
            ["unknown-device"],
            id="an unknown device",
        ),
        pytest.param(
            b'{"device": "air-1", "values": {"pm25": 5, "acidity": 6}}',
            ("--topic", "andaman/v1/gw/up/readings"),
            ["unknown-parameter"],
            id="a value among good ones",
        ),
        pytest.param(
            b'{"device": "air-1", "values": {"pm25": 5}}',
            ("--topic", "andaman/v1/other/up/readings"),
            ["wrong-gateway"],
            id="another gateway",
        ),
        pytest.param(
            b'{"device": "air-1", "time": "2026-01-01T00:00:00Z", "values": {"pm25": 5}}',
            ("--dialect", "native", "--gateway", "gw"),
            ["time-too-old"],
            id="too old",
        ),
        pytest.param(
            b'{"device": "air-1", "time": "2026-11-23T00:00:00Z", "values": {"pm25": 5}}',
            ("--dialect", "native", "--gateway", "gw"),
            ["time-in-future"],
            id="ahead of time",
        ),
    ],
)
def test_it_shows_what_would_be_refused_and_ends_with_1(
    message: Path, config: str, payload: bytes, words: tuple[str, ...], refused: list[str]
) -> None:
    message.write_bytes(payload)
    result = decode(message, config, *words)
    assert result.exit_code == 1
    assert [line["refused"] for line in lines(result) if "refused" in line] == refused


def test_it_shows_what_an_unknown_device_said(message: Path, config: str) -> None:
    message.write_bytes(b'{"device": "new-1", "values": {"pm25": 5}}')
    (line,) = lines(decode(message, config, "--dialect", "native", "--gateway", "gw"))
    read = {"device": "new-1", "measured_at": "2026-11-22T00:00:00Z", "key": "pm25"}
    assert line["item"] == read | {"value": 5.0, "unit": None}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(("--source", "x"), "no source x, only native", id="no source"),
        pytest.param(("--dialect", "morse"), "morse is no dialect", id="no dialect"),
        pytest.param(("--received", "soon"), "soon is no time", id="no time"),
        pytest.param(("--received", "2026-11-22T00:00"), "names no zone", id="no zone"),
    ],
)
def test_it_tells_what_is_wrong_with_what_was_typed(
    message: Path, config: str, words: tuple[str, ...], told: str
) -> None:
    message.write_bytes(b"{}")
    result = decode(message, config, *words)
    assert result.exit_code == 1
    assert told in result.stderr


def test_it_tells_that_a_file_is_not_there(message: Path, config: str) -> None:
    assert "cannot be read" in decode(message, config).stderr


@needs_samples
@pytest.mark.parametrize(
    "name", sorted(p.stem for p in SAMPLES.glob("*.json") if p.stem.partition("_")[0] in SPOKEN)
)
def test_it_reads_every_sample(message: Path, config: str, name: str) -> None:
    message.write_text(json.dumps(sample(name)["message"]), encoding="utf-8")
    dialect = SPOKEN[name.partition("_")[0]]
    assert dialect in DIALECTS
    about = {"zigbee2mqtt": "zigbee2mqtt/cellar", "sensor-community": "esp8266-1"}.get(dialect)
    pushed = pushed_topic("gw", dialect, about or "tele/kata-1/SENSOR").decode()
    result = decode(message, config, "--topic", pushed)
    found = lines(result)
    assert result.exit_code == 1
    reasons = {line["refused"] for line in found}
    assert reasons <= {"unknown-device", "time-invalid"}, found
    shown = [line["item"] for line in found if "item" in line]
    assert shown or "time-invalid" in reasons
    assert all("value" in item or "bytes" in item for item in shown)


# --- quarantine ---


@pytest.fixture
def refused(tmp_path: Path) -> dict[str, str]:
    """The environment of a data folder in which three messages are quarantined; nothing runs."""
    with small_world(tmp_path) as world:
        fill(world.at("00:01"))
    config, data = tmp_path / "config", tmp_path / "data"
    devices = CONFIGURATION["devices.yaml"]
    devices += "  - {id: new-1, gateway: gw, site: town, since: 2026-01-01}\n"
    (config / "devices.yaml").write_text(devices, encoding="utf-8")
    return {"ANDAMAN_CONFIG_DIR": str(config), "ANDAMAN_DATA_DIR": str(data), "COLUMNS": "200"}


def fill(world: World) -> None:
    for second in range(2):
        world.publish("new-1", measured=MIDNIGHT + second * SECOND, pm25=5.0)
    world.send(b'{"device": "air-1", "values": {"[b]pm25": 1}')


def test_the_quarantine_is_listed_and_shown(refused: dict[str, str]) -> None:
    listed = andaman("quarantine", "list", **refused)
    assert listed.exit_code == 0, listed.output
    assert [word in listed.stdout for word in ("unknown-device", "not-json", "waiting")] == [
        True
    ] * 3
    one = andaman("quarantine", "list", "--reason", "not-json", **refused).stdout
    assert "unknown-device" not in one
    shown = andaman("quarantine", "show", "3", **refused).stdout
    assert '{"device": "air-1", "values": {"[b]pm25": 1}' in shown
    assert "cannot be read" in shown


def test_bytes_that_are_no_text_are_shown_in_base64(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.send(b"\x1b[2J\xff")
    given = {"ANDAMAN_CONFIG_DIR": str(tmp_path / "config")}
    shown = andaman("quarantine", "show", "1", "--data", str(tmp_path / "data"), **given).stdout
    assert base64.b64encode(b"\x1b[2J\xff").decode() in shown
    assert "\x1b[2J" not in shown


def test_the_quarantine_is_replayed_corrected_and_discarded(
    refused: dict[str, str], message: Path
) -> None:
    replayed = andaman("quarantine", "replay", "--reason", "unknown-device", **refused)
    assert replayed.stdout == "2 entries, 2 stored, 0 duplicate, 0 refused\n"

    message.write_bytes(b'{"device": "air-1", "values": {"acidity": 1}}')
    still = andaman("quarantine", "retry", "3", "--payload", str(message), **refused)
    assert (still.exit_code, still.stdout) == (1, "0 stored, 0 duplicate\n")
    assert "unknown-parameter" in still.stderr

    closed = andaman("quarantine", "discard", "3", "--note", "a test", **refused)
    assert closed.stdout == "3 is discarded\n"
    again = andaman("quarantine", "discard", "3", "--note", "a test", **refused)
    assert (again.exit_code, "resolved" in again.stderr) == (1, True)
    assert "discarded" in andaman("quarantine", "list", "--state", "all", **refused).stdout
