"""From messages to rows and refusals, with devices that speak as their network does."""

import base64
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.configuration import load
from core.messages import Message, Refusal
from ingest import profiles
from ingest.gather import Gathered, gather
from ingest.registry import Registry
from ingest.sources import NATIVE, Sources
from tests.world import CONFIGURATION, write_configuration

NOW = 1_795_305_600_000_000
EUI = "70b3d57ba0003bb8"
UP = f"application/7/device/{EUI}/event/up"
NTU = "022332000300008885013e013e02330b10"
SOURCES = Sources(
    [
        NATIVE,
        dataclasses.replace(
            NATIVE,
            id="chirpstack",
            topic="application/+/device/+/event/up",
            dialect="chirpstack",
            gateway="gw",
        ),
        dataclasses.replace(
            NATIVE, id="influx", topic="lines/{gateway}", dialect="influx-line", gateway=""
        ),
    ]
)
PROFILES = """
profiles:
  - id: probe
    codec: decentlab-dl-ntu
    keys:
      temperature: {parameter: water_temperature}
      turbidity_in_ntu: {parameter: turbidity, missing: [0]}
    ignore: [status, turbidity_in_fnu, turbidity_in_mg_l]
  - id: decoded
    keys:
      EC: {parameter: conductivity, unit: uS/cm}
    ignore: [note]
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """patong-1 is a LoRaWAN probe; bin-1 speaks through its network server's own decoding."""
    devices = (
        CONFIGURATION["devices.yaml"]
        .replace("{id: patong-1, ", f"{{id: patong-1, model: probe, address: {EUI.upper()}, ")
        .replace("{id: bin-1, ", "{id: bin-1, model: decoded, address: a840410000000001, ")
    )
    write_configuration(tmp_path, devices=devices)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/all.yaml").write_text(PROFILES, encoding="utf-8")
    return Registry(load(tmp_path), profiles.load(tmp_path), [])


def message(body: object, topic: str = UP) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(topic.encode(), payload, NOW, qos=1)


def uplink(eui: str = EUI, **fields: object) -> Message:
    """A ChirpStack event, measured an hour ago."""
    body = {"deviceInfo": {"devEui": eui}, "time": "2026-11-21T23:00:00Z", **fields}
    return message(body)


def raw(data: str, **fields: object) -> Message:
    encoded = base64.b64encode(bytes.fromhex(data)).decode()
    return uplink(EUI, data=encoded, fPort=1, **fields)


def gathered(registry: Registry, *messages: Message) -> Gathered:
    return gather(messages, registry, SOURCES)


def rows(registry: Registry, found: Gathered) -> list[tuple[int, str, str, float]]:
    """(message, device, parameter, value) of each row, in order."""
    message, series, _ = found.rows.whole()
    known = [registry.series[index] for index in series.tolist()]
    return [
        (number, s.device, s.parameter, value)
        for number, s, value in zip(message.tolist(), known, found.rows.value, strict=True)
    ]


def refusals(found: Gathered) -> Mapping[tuple[int, Refusal], int]:
    """How many items by message and reason."""
    return {key[:2]: items for key, (_, items) in found.refusals.found.items()}


def devices(found: Gathered) -> list[tuple[str, str | None]]:
    """The reason and the device of each entry."""
    return [(entry.reason.value, entry.device) for entry in found.quarantined()]


def test_a_deveui_is_the_device_and_its_bytes_go_through_the_codec(registry: Registry) -> None:
    found = gathered(registry, raw(NTU, rxInfo=[{"rssi": -74, "snr": 9.8}]))
    assert rows(registry, found) == [
        (0, "patong-1", "rssi", -74.0),
        (0, "patong-1", "snr", 9.8),
        (0, "patong-1", "water_temperature", 21.81),
        (0, "patong-1", "turbidity", 31.8),
        (0, "patong-1", "battery_voltage", 2.832),
    ]
    assert set(found.rows.measured_at) == {NOW - 3_600_000_000}
    assert refusals(found) == {}
    assert (found.gateways, found.sources) == (["gw"], [SOURCES.all[1]])


def test_a_payload_that_the_codec_does_not_know_leaves_the_rest_of_its_message(
    registry: Registry,
) -> None:
    found = gathered(registry, raw("0999", rxInfo=[{"rssi": -74, "snr": 9.8}]))
    assert [row[2] for row in rows(registry, found)] == ["rssi", "snr"]
    assert refusals(found) == {(0, Refusal.UNKNOWN_PAYLOAD): 1}


def test_a_value_that_stands_for_none_is_neither_stored_nor_refused(registry: Registry) -> None:
    no_turbidity = NTU.replace("013e013e0233", "000000000000")
    found = gathered(registry, raw(no_turbidity))
    assert [row[2] for row in rows(registry, found)] == ["water_temperature", "battery_voltage"]
    assert refusals(found) == {}


def test_the_network_servers_own_decoding_counts_where_there_is_no_codec(
    registry: Registry,
) -> None:
    body = {"EC": "48500 uS/cm", "note": 5, "battery_voltage": 3.3, "colour": 3}
    found = gathered(registry, uplink("A840410000000001", object=body, data="AAAA", fPort=2))
    assert rows(registry, found) == [
        (0, "bin-1", "conductivity", 48.5),
        (0, "bin-1", "battery_voltage", 3.3),
    ]
    assert refusals(found) == {(0, Refusal.UNKNOWN_PARAMETER): 1}


def test_a_value_without_a_unit_has_the_profiles(registry: Registry) -> None:
    found = gathered(registry, uplink("a840410000000001", object={"EC": 52_000}))
    assert rows(registry, found) == [(0, "bin-1", "conductivity", 52.0)]


@pytest.mark.parametrize(
    ("body", "topic", "reason"),
    [
        pytest.param(b"lines,device=bin-2 ph=8.1", "lines/gw", "wrong-gateway", id="gateway"),
        pytest.param(b"lines,device=nobody ph=8.1", "lines/gw", "unknown-device", id="device"),
        pytest.param(b"lines,device=air-1 colour=8", "lines/gw", "unknown-parameter", id="key"),
        pytest.param(b"lines,device=air-1 ph=zz", "lines/gw", "not-a-number", id="value"),
        pytest.param(b"nonsense", "lines/gw", "wrong-shape", id="line"),
        pytest.param(b"", "lines/gw", "wrong-shape", id="nothing"),
        pytest.param(b"{", UP, "not-json", id="json"),
        pytest.param(b"lines,device=air-1 ph=8.1", "else/gw", "unknown-topic", id="topic"),
        pytest.param(
            {"device": "air-1", "values": {"pm25": 9}, "units": {"pm25": "furlong"}},
            "andaman/v1/gw/up/readings",
            "unknown-unit",
            id="unit",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_and_stops_no_other(
    registry: Registry, body: object, topic: str, reason: str
) -> None:
    good = message(b"lines,device=air-1 pm25=9", "lines/gw")
    found = gathered(registry, good, message(body, topic), good)
    assert refusals(found) == {(1, Refusal(reason)): 1}
    assert [row[0] for row in rows(registry, found)] == [0, 2]


def test_the_order_of_the_items_of_a_message_is_kept(registry: Registry) -> None:
    lines = b"\n".join(
        [
            b"m,device=air-1 pm25=1 1795305600",
            b"m,device=nobody pm25=2 1795305600",
            b"m,device=air-1 pm10=3,colour=4,pm1=5 1795305600",
            b"m,device=bin-1 EC=6000 1795305600",
        ]
    )
    found = gathered(registry, message(lines, "lines/gw"))
    assert [(device, value) for _, device, _, value in rows(registry, found)] == [
        ("air-1", 1.0),
        ("air-1", 3.0),
        ("air-1", 5.0),
        ("bin-1", 6.0),
    ]
    places = [(refused.item, refused.reason) for refused in found.refusals.each]
    assert places == [(1, Refusal.UNKNOWN_DEVICE), (3, Refusal.UNKNOWN_PARAMETER)]


def test_the_short_way_and_the_long_way_lead_to_the_same_rows(registry: Registry) -> None:
    native = message(
        {"device": "air-1", "values": {"pm25": 9, "pm10": 12}}, "andaman/v1/gw/up/readings"
    )
    first = rows(registry, gathered(registry, native))  # bears the series
    assert rows(registry, gathered(registry, native)) == first
    assert len(registry.series) == 2


def test_a_unit_of_a_native_message_is_converted(registry: Registry) -> None:
    body = {"device": "air-1", "values": {"air_temperature": 86}, "units": {}}
    body["units"] = {"air_temperature": "[degF]"}
    found = gathered(registry, message(body, "andaman/v1/gw/up/readings"))
    assert rows(registry, found) == [(0, "air-1", "air_temperature", 30.0)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("m,device=odd ph=1", [("unknown-device", "odd")], id="unknown"),
        pytest.param("m,device=air-1 odd=1", [("unknown-parameter", "air-1")], id="parameter"),
        pytest.param(f"m,device={'x' * 65} ph=1", [("unknown-device", None)], id="no id"),
        pytest.param("m,device=", [("wrong-shape", None)], id="unreadable"),
        pytest.param(
            "\n".join(f"m,device=d{n:02} ph=1" for n in range(18)),
            [("unknown-device", None), *(("unknown-device", f"d{n:02}") for n in range(16))],
            id="too many",
        ),
    ],
)
def test_an_entry_names_its_device(
    registry: Registry, body: str, expected: list[tuple[str, str | None]]
) -> None:
    assert devices(gathered(registry, message(body.encode(), "lines/gw"))) == expected


def test_the_number_of_a_message_counts_although_its_items_are_refused(registry: Registry) -> None:
    body = {"device": "nobody", "values": {"ph": 8}, "epoch": "b7", "seq": 4}
    found = gathered(registry, message(body, "andaman/v1/gw/up/readings"))
    assert found.numbers == {0: ("b7", 4)}
    assert refusals(found) == {(0, Refusal.UNKNOWN_DEVICE): 1}
