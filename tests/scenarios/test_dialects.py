"""A city whose gateways speak everything: each real message ends under our names and units."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from ingest.dialects.table import DIALECTS
from tests.samples import SAMPLES, needs_samples, sample
from tests.world import CONFIGURATION, World, write_configuration

ROOT = Path(__file__).resolve().parents[2]

# id, site, model and address of each device; what it sends is a sample.
DEVICES = [
    ("airgradient-1", "town", "airgradient-one", "ecda3b1eaaaf"),
    ("level-1", "bin", "dingtek-df702", "7cf95720fc015fef"),
    ("soil-1", "town", "dragino-lse01", "A8404187D187106E"),
    ("soil-2", "town", "dragino-lse01", "a8404194a1875ff3"),
    ("container-1", "bin", "smart-data-waste-container", "device-Fleming:12a:1"),
    ("dust-1", "town", "sensor-community-sds011-bme280", "esp8266-4711"),
    ("bin-nb-1", "bin", "milesight-em400-mud-nbiot", "6749D19054690031"),
    ("hygro-1", "town", "senml-climate", "urn:dev:ow:10e2073a01080063"),
    ("sniffer-1", "town", "tasmota-pms5003-bme280", "tasmota_F847F7"),
    ("leak-1", "town", "zigbee-generic", "cellar/leak"),
    ("ntu-1", "patong", "decentlab-dl-ntu", "0000000000000001"),
    ("optod-1", "patong", "decentlab-dl-optod", "0000000000000002"),
    ("pheht-1", "patong", "decentlab-dl-pheht", "0000000000000003"),
    ("udl-1", "bin", "milesight-em400-udl", "0000000000000004"),
    ("tb-1", "patong", "", "Patong probe"),
    ("line-1", "patong", "", ""),
]
SINCE = "2020-01-01"
EVERY = {"gateway": "gw", "since": SINCE}
SOURCES = """
sources:
  - {id: native, topic: "andaman/v1/{gateway}/up/readings", dialect: native}
  - {id: air, topic: airgradient/readings/+, dialect: airgradient, gateway: gw}
  - {id: lora, topic: application/+/device/+/event/up, dialect: chirpstack, gateway: gw,
     max_age: 9999d}
  - {id: things, topic: v3/+/devices/+/up, dialect: ttn, gateway: gw, max_age: 9999d}
  - {id: lines, topic: "influx/{gateway}", dialect: influx-line}
  - {id: nb, topic: milesight/+, dialect: milesight-nbiot, gateway: gw}
  - {id: senml, topic: senml/#, dialect: senml, gateway: gw, max_age: 9999d}
  - {id: dust, topic: dust, dialect: sensor-community, gateway: gw}
  - {id: ngsi, topic: ngsi/#, dialect: smart-data, gateway: gw}
  - {id: tasmota, topic: tele/+/SENSOR, dialect: tasmota, gateway: gw, timezone: Asia/Bangkok,
     max_age: 9999d}
  - {id: board, topic: v1/gateway/telemetry, dialect: thingsboard, gateway: gw}
  - {id: zigbee, topic: zigbee2mqtt/#, dialect: zigbee2mqtt, gateway: gw}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    keys = ("id", "site", "model", "address")
    more = [{**dict(zip(keys, device, strict=True)), **EVERY} for device in DEVICES]
    lines = "".join(f"  - {json.dumps(device)}\n" for device in more)  # JSON is YAML
    devices = CONFIGURATION["devices.yaml"] + lines.replace(f'"{SINCE}"', SINCE)
    folder = write_configuration(tmp_path / "config", devices=devices)
    (folder / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    (folder / "profiles").symlink_to(ROOT / "config/profiles")
    world = World(Settings(config_dir=folder, data_dir=tmp_path / "data"))
    yield world
    world.system.close()


def stored(world: World, device: str) -> Sequence[tuple[str, float]]:
    """Parameter and value of every reading of a device, in order of parameter and time."""
    query = (
        "SELECT s.device, s.parameter, r.value FROM readings r JOIN series s ON s.id = r.series"
        " ORDER BY s.parameter, r.measured_at"
    )
    return [(parameter, value) for owner, parameter, value in world.rows(query) if owner == device]


def reasons(world: World) -> Mapping[str, int]:
    return dict(world.rows("SELECT reason, SUM(items) FROM quarantine GROUP BY reason"))


def sent(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def test_there_is_a_source_for_each_dialect(world: World) -> None:
    assert {source.dialect for source in world.system.pipeline.sources.all} == set(DIALECTS)


@needs_samples
@pytest.mark.parametrize(
    ("name", "topic", "device", "expected", "refused"),
    [
        pytest.param(
            "airgradient_measures_current",
            "airgradient/readings/ecda3b1eaaaf",
            "airgradient-1",
            {
                "air_temperature": 24.47,
                "co2": 447.0,
                "humidity": 49.0,
                "pm1": 3.0,
                "pm10": 8.0,
                "pm25": 7.0,
                "rssi": -46.0,
                "voc_index": 100.0,
            },
            {},
            id="airgradient",
        ),
        pytest.param(  # of another model of the maker's: its bytes are not those of a bin sensor
            "chirpstack_v4_uplink_dingtek",
            "application/1/device/7cf95720fc015fef/event/up",
            "level-1",
            {"rssi": -74.0, "snr": 9.8},
            {"unknown-payload": 1},
            id="chirpstack, raw",
        ),
        pytest.param(
            "chirpstack_v4_uplink_with_object",
            "application/1/device/a8404187d187106e/event/up",
            "soil-1",
            {"battery_voltage": 3.301},
            {},
            id="chirpstack, decoded",
        ),
        pytest.param(
            "tts_v3_uplink_dragino_decoded",
            "v3/app@ttn/devices/eui-a8404194a1875ff3/up",
            "soil-2",
            {"battery_voltage": 3.384, "rssi": -42.0, "snr": 5.8},
            {},
            id="ttn",
        ),
        pytest.param(
            "fiware_wastecontainer",
            "ngsi/WasteContainer",
            "container-1",
            {"fill_level": 40.0},
            {},
            id="smart-data",
        ),
        pytest.param(
            "tasmota_tele_sensor_pms5003_bme280",
            "tele/tasmota_F847F7/SENSOR",
            "sniffer-1",
            {
                "air_pressure": 1013.4,
                "air_temperature": 20.7,
                "humidity": 24.4,
                "pm1": 22.0,
                "pm10": 49.0,
                "pm25": 32.0,
            },
            {},
            id="tasmota",
        ),
        pytest.param(
            "zigbee2mqtt_water_leak_2018",
            "zigbee2mqtt/cellar/leak",
            "leak-1",
            {"battery_level": 100.0, "battery_voltage": 3.045},
            {},
            id="zigbee2mqtt",
        ),
    ],
)
def test_a_real_message_is_stored_under_our_names_and_in_our_units(
    world: World,
    name: str,
    topic: str,
    device: str,
    expected: Mapping[str, float],
    refused: Mapping[str, int],
) -> None:
    body = sample(name)
    world.send(sent(body.get("message", body)), topic=topic)
    assert reasons(world) == refused
    assert dict(stored(world, device)) == expected


@needs_samples
def test_real_messages_that_are_no_json_objects_are_stored_too(world: World) -> None:
    frame = sample("milesight_em400_mud_nbiot")["message"]["_raw_hex"]
    world.send(bytes.fromhex(frame), topic="milesight/6749D19054690031")
    push = sample("luftdaten_push_2018")["message"] | {"esp8266id": "4711"}
    world.send(sent(push), topic="dust")
    world.send(sent(sample("senml_rfc8428_multi")["message"]), topic="senml/hygro")
    assert stored(world, "bin-nb-1") == [
        ("battery_level", 100.0),
        ("bin_temperature", 26.7),
        ("distance", 315.0),
        ("tipped", 1.0),
    ]
    assert stored(world, "dust-1") == [
        ("air_pressure", 1006.59),
        ("air_temperature", 26.8),
        ("pm10", 1.87),
        ("pm25", 1.05),
        ("rssi", -52.0),
    ]
    assert stored(world, "hygro-1") == [("humidity", v) for v in (20.0, 20.3, 20.7)]
    assert reasons(world) == {}


# What each model measures; every one of them tells of its battery as well.
MEASURED = {
    "DL-NTU": {"water_temperature", "turbidity", "suspended_solids"},
    "DL-OPTOD": {"water_temperature", "oxygen_saturation", "dissolved_oxygen"},
    "DL-PHEHT": {"water_temperature", "ph", "redox"},
    "EM400-UDL": {"bin_temperature", "distance", "tipped"},
}
UPLINKS = sorted(path.stem for path in SAMPLES.glob("uplinks/*_payload*.json"))
EUIS = ("70b3d57ba0003bb8", "70b3d57ba0000bce", "0202020202020202", "1000000000000001")


def with_eui(name: str, address: str) -> bytes:
    """An uplink under a DevEUI of its own: those that are published share a few."""
    text = json.dumps(sample(f"uplinks/{name}"))
    for eui in EUIS:
        for form in (eui, eui.upper()):
            text = text.replace(f'"{form}"', f'"{address}"')
    base64_id = base64.b64encode(bytes.fromhex(EUIS[2])).decode()
    return text.replace(f'"devEUI": "{base64_id}"', f'"devEUI": "{address}"').encode()


@needs_samples
@pytest.mark.parametrize("name", UPLINKS)
def test_a_real_uplink_is_decoded_by_the_codec_of_its_device(world: World, name: str) -> None:
    model = name.split("_")[1]
    number = list(MEASURED).index(model) + 1
    topic = "v3/a/devices/d/up" if "Things" in name else "application/1/device/d/event/up"
    world.send(with_eui(name, f"{number:016}"), topic=topic)
    assert reasons(world) == {}
    found = dict(stored(world, f"{model.partition('-')[2].lower()}-1"))
    measured = found.keys() - {"battery_level", "battery_voltage", "rssi", "snr"}
    if model == "EM400-UDL":  # its first payload is the two alarms
        assert measured == MEASURED[model] - (set() if name.endswith("_1") else {"tipped"})
    else:  # those with an odd number tell of the battery alone
        assert measured == (set() if name.endswith(("_01", "_03")) else MEASURED[model])
        assert 2.0 < found["battery_voltage"] < 3.7


def test_one_message_of_our_own_in_each_dialect_without_samples_is_stored(world: World) -> None:
    world.send(b"water,device=line-1 ph=8.1,turbidity=3i", topic="influx/gw")
    report = {"values": {"water_temperature": "29.5 °C", "conductivity": "48500 uS/cm"}}
    world.send(sent({"Patong probe": [report]}), topic="v1/gateway/telemetry")
    world.publish("air-1", pm25=9.0)
    assert stored(world, "line-1") == [("ph", 8.1), ("turbidity", 3.0)]
    assert stored(world, "tb-1") == [("conductivity", 48.5), ("water_temperature", 29.5)]
    assert stored(world, "air-1") == [("pm25", 9.0)]
    assert reasons(world) == {}


def test_a_device_speaks_through_its_own_gateways_source_alone(world: World) -> None:
    world.send(b"water,device=line-1 ph=8.1", topic="influx/other")
    assert stored(world, "line-1") == []
    assert reasons(world) == {"wrong-gateway": 1}
