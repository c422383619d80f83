"""What simulated gateways write is what our own dialects read."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from core.readings import Reading
from ingest.dialects.chirpstack import chirpstack
from ingest.dialects.shape import Dialect, Snapshot
from ingest.dialects.table import DIALECTS as SPOKEN
from ingest.dialects.tasmota import tasmota
from ingest.dialects.ttn import ttn
from simulators import dialects
from simulators.dialects import DIALECTS, ENCODERS, Key, Manner, Said, Sample, Words
from simulators.gateways import Gateway
from tests.samples import incoming, items

BANGKOK = ZoneInfo("Asia/Bangkok")
AT = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z
EUI = "24e124713c140677"
SAMPLE = Sample("bin-1", AT, {"distance": 412.0, "battery_level": 0.0, "rssi": -88.0})


def same(value: float) -> float:
    return value


def written(dialect: str, sample: Sample, words: Words) -> Any:
    said = Said(sample, words, "gw", 7, BANGKOK)
    return msgspec.json.encode(ENCODERS[dialect](said))


def read(dialect: Dialect, payload: bytes, **context: Any) -> dict[str, float]:
    found = [item for item in items(dialect, payload, **context) if isinstance(item, Reading)]
    assert {item.measured_at for item in found} == {AT}
    return {item.parameter: item.value for item in found}


def test_each_dialect_that_it_speaks_is_one_of_ours() -> None:
    assert set(DIALECTS) <= set(SPOKEN)


def test_native_messages_are_read_back() -> None:
    payload = dialects.native([SAMPLE], "b7", 7)
    decoded = SPOKEN["native"](incoming(payload))
    assert (decoded.epoch, decoded.seq) == ("b7", 7)
    assert decoded.items == Snapshot("bin-1", AT, SAMPLE.values)


@pytest.mark.parametrize(
    ("name", "dialect"), [pytest.param("chirpstack", chirpstack), pytest.param("ttn", ttn)]
)
def test_uplinks_are_read_back_with_the_radio_s_quality(name: str, dialect: Dialect) -> None:
    keys = {"battery_level": Key("battery", same)}
    payload = written(name, SAMPLE, Words(name=EUI, keys=keys))
    (device,) = {item.device for item in items(dialect, payload) if isinstance(item, Reading)}
    assert device == EUI
    assert read(dialect, payload) == {"distance": 412, "battery": 0, "rssi": -88, "snr": 0}


def test_tasmota_s_telemetry_is_read_back_in_the_device_s_zone() -> None:
    keys = {"pm25": Key("PMS5003.PM2.5", same), "air_temperature": Key("BME280.Temperature", same)}
    sample = Sample("air-1", AT, {"pm25": 13.0, "air_temperature": 30.1, "co": 0.4})
    payload = written("tasmota", sample, Words(name="tasmota_A1", keys=keys))
    assert b'"Time":"2026-11-22T07:00:00"' in payload
    assert read(tasmota, payload, topic="tele/tasmota_A1/SENSOR", zone=BANGKOK) == {
        "PMS5003.PM2.5": 13,
        "BME280.Temperature": 30.1,
        "co": 0.4,
    }


def test_a_device_gives_values_in_its_own_unit() -> None:
    words = Words(name=EUI, keys={"battery_voltage": Key("mV", lambda volts: 1000 * volts)})
    assert words.of({"battery_voltage": 3.6, "ph": 8.1}) == {"mV": 3600, "ph": 8.1}


@pytest.mark.parametrize(
    ("dialect", "pattern", "topic"),
    [
        pytest.param(
            "chirpstack",
            "application/+/device/+/event/up",
            f"application/gw/device/{EUI}/event/up",
            id="chirpstack",
        ),
        pytest.param("ttn", "v3/+/devices/+/up", f"v3/gw/devices/{EUI}/up", id="ttn"),
        pytest.param("tasmota", "tele/+/SENSOR", f"tele/{EUI}/SENSOR", id="tasmota"),
        pytest.param("tasmota", "tele/#", f"tele/{EUI}/SENSOR", id="an open end"),
        pytest.param("chirpstack", "lora/{gateway}/+/up", f"lora/gw/{EUI}/up", id="its own level"),
    ],
)
def test_each_device_has_its_topic(dialect: str, pattern: str, topic: str) -> None:
    gateway = Gateway(
        "gw",
        epoch="b7",
        manner=Manner(dialect=dialect, topic=pattern),
        words={"bin-1": Words(name=EUI)},
    )
    gateway.take([SAMPLE])
    message = gateway.next(0.0)
    assert message is not None
    assert message.topic == topic
