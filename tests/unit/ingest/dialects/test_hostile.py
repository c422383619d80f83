"""Whatever arrives, a dialect answers with items or with a reason; nothing else escapes it."""

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DecodeError
from core.readings import Reading
from ingest.dialects.airgradient import airgradient
from ingest.dialects.chirpstack import chirpstack
from ingest.dialects.influx_line import influx_line
from ingest.dialects.milesight_nbiot import milesight_nbiot
from ingest.dialects.senml import senml
from ingest.dialects.sensor_community import sensor_community
from ingest.dialects.shape import Dialect, Incoming, Raw, Refused
from ingest.dialects.smart_data import smart_data
from ingest.dialects.tasmota import tasmota
from ingest.dialects.thingsboard import thingsboard
from ingest.dialects.ttn import ttn
from ingest.dialects.zigbee2mqtt import zigbee2mqtt
from tests.samples import BANGKOK, RECEIVED_AT

DATA = "AiMyAAMAAIiFAT4BPgIzCxA="
# A good message for each dialect, which has every field that it looks at.
GOOD: dict[Dialect, tuple[str, Any]] = {
    airgradient: (
        "airgradient/readings/x",
        {"serialno": "x", "pm02": 7, "tvoc_raw": 1, "led": "pm"},
    ),
    chirpstack: (
        "application/a/device/b/event/up",
        {
            "deviceInfo": {"devEui": "70b3d57ba0003bb8"},
            "devEUI": "AgICAgICAgI=",
            "time": "2024-11-10T12:51:50.123456789+00:00",
            "fPort": 1,
            "data": DATA,
            "object": {"temp": "13.25", "deep": {"x": [1, {"y": 2}]}},
            "objectJSON": '{"t":25}',
            "rxInfo": [{"rssi": -106, "snr": 3.0, "nsTime": "2024-11-12T12:51:50Z"}],
        },
    ),
    influx_line: (
        "",
        'w\\ x,device=p1,site=y ph=8.11,s="a \\" b",n=1i,ok=t 1732262400000000000\n# end\n',
    ),
    milesight_nbiot: (
        "",
        bytes.fromhex("020001005f00000001" + "30" * 74 + "09000e01755c0367010104824408050001"),
    ),
    senml: (
        "",
        [
            {"bn": "d:", "bt": 1.3e9, "bu": "%RH", "bv": 1, "bs": 1, "bver": 10, "n": "t", "v": 20},
            {"n": "u", "t": -5, "u": "Cel", "vb": True, "ut": 1, "s": 2},
            {"vs": "x"},
            {"vd": "AQ"},
        ],
    ),
    sensor_community: (
        "",
        {"esp8266id": 7, "sensordatavalues": [{"value_type": "SDS_P1", "value": "1.87"}]},
    ),
    smart_data: (
        "",
        {
            "id": "x",
            "type": "WasteContainer",
            "refDevice": ["y"],
            "dateObserved": "2016-03-15T11:00:00Z/2016-03-15T12:00:00Z",
            "fillingLevel": {"value": 0.4, "unitCode": "C62", "observedAt": "2016-03-15T11:00:00Z"},
            "temperature": {"value": 30, "metadata": {"unitCode": {"value": "CEL"}}},
        },
    ),
    tasmota: (
        "tele/x/SENSOR",
        {"Time": "2026-03-07T12:54:34", "BME280": {"Temperature": 20.7}, "TempUnit": "C"},
    ),
    thingsboard: ("", {"Device A": [{"ts": 1732262400000, "values": {"t": 42, "s": "1 V"}}]}),
    ttn: (
        "v3/a@b/devices/c/up",
        {
            "end_device_ids": {"device_id": "x", "dev_eui": "A8404194A1875FF3"},
            "received_at": "2023-06-20T14:34:32.869542824Z",
            "uplink_message": {
                "f_port": 2,
                "frm_payload": DATA,
                "decoded_payload": {"Bat": "3.384 V"},
                "rx_metadata": [{"rssi": -42, "snr": 5.8}],
                "received_at": "2023-06-20T14:34:32.656299995Z",
            },
        },
    ),
    zigbee2mqtt: (
        "zigbee2mqtt/x",
        {"battery": "100.00", "last_seen": 1732262400000, "leak": False},
    ),
}
each_dialect = pytest.mark.parametrize("dialect", GOOD, ids=lambda dialect: dialect.__name__)


def good(dialect: Dialect) -> bytes:
    """The good message as bytes."""
    _, message = GOOD[dialect]
    if isinstance(message, bytes):
        return message
    return (message if isinstance(message, str) else json.dumps(message)).encode()


def decode(dialect: Dialect, payload: bytes, topic: str | None = None) -> int:
    """How many items the payload has; each of them can be kept. 0 when it is refused whole."""
    usual, _ = GOOD[dialect]
    message = Incoming(usual if topic is None else topic, payload, RECEIVED_AT, BANGKOK)
    try:
        decoded = dialect(message)
    except (DecodeError, msgspec.MsgspecError):
        return 0
    for item in decoded.items:
        assert is_sound(item), item
    return len(decoded.items)


def is_sound(item: object) -> bool:
    """A reading is a finite number at a time that can be written down; a refusal has words."""
    if isinstance(item, Refused):
        return bool(item.detail) and len(item.detail) < 500
    assert isinstance(item, Reading | Raw)
    if not item.device or type(item.measured_at) is not int or item.measured_at < 0:
        return False
    if isinstance(item, Raw):
        return bool(item.data) and all(is_sound(each) for each in item.decoded)
    return type(item.value) is float and math.isfinite(item.value)


@each_dialect
def test_its_good_message_is_good(dialect: Dialect) -> None:
    assert decode(dialect, good(dialect)) > 0


@each_dialect
@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_it_survives_any_bytes(dialect: Dialect, payload: bytes) -> None:
    decode(dialect, payload)


UNPLEASANT = [
    *(b"", b"null", b"true", b"-", b"1e999", b"NaN", b'""', b'"12"', b"[]", b"{}", b"\x00"),
    *(b"\xff", b'"\\ud800"', b"9" * 400, b"-1", b"0.1", b"1e30", b",", b"=", b'"', b"\\", b"_"),
]


def mutated(payload: bytes) -> st.SearchStrategy[bytes]:
    """The payload with a stretch of it replaced by something unpleasant, up to three times."""
    unpleasant = st.sampled_from(UNPLEASANT) | st.binary(max_size=8)
    places = st.integers(0, len(payload))
    changes = st.lists(st.tuples(places, st.integers(0, 12), unpleasant), min_size=1, max_size=3)

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        result = payload
        for at, length, instead in changes:
            result = result[:at] + instead + result[at + length :]
        return result

    return changes.map(apply)


@each_dialect
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_it_survives_a_good_message_with_holes(dialect: Dialect, data: st.DataObject) -> None:
    decode(dialect, data.draw(mutated(good(dialect))))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from(["", "12", "3.3 V", "NaN", "2026-11-22T24:00:00Z", "0001-01-01T00:00:00"])
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@each_dialect
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_it_survives_any_json_in_any_of_its_fields(dialect: Dialect, data: st.DataObject) -> None:
    _, message = GOOD[dialect]
    if isinstance(message, str | bytes):
        message = {}
    decode(dialect, json.dumps(replaced(message, data)).encode())


def replaced(tree: Any, data: st.DataObject) -> Any:
    """The tree with anything at some of its places."""
    if data.draw(st.integers(0, 4)) == 0:
        return data.draw(anything)
    if isinstance(tree, dict):
        return {key: replaced(value, data) for key, value in tree.items()}
    if isinstance(tree, list):
        return [replaced(value, data) for value in tree]
    return tree


def with_value(text: bytes) -> Callable[[bytes], bytes]:
    """Every number of a message replaced by `text`."""

    def change(payload: bytes) -> bytes:
        for number in (b"20.7", b"7", b"42", b"-42", b"-106", b"25", b"0.4", b"20", b"8.11"):
            payload = payload.replace(b": " + number, b": " + text)
            payload = payload.replace(b"=" + number, b"=" + text)
        return payload

    return change


@each_dialect
@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"\x00", id="NUL"),
        pytest.param(lambda good: good + b"\x00", id="NUL at the end"),
        pytest.param(lambda good: good.decode("latin-1").encode("utf-16"), id="UTF-16"),
        pytest.param(lambda good: b"\xef\xbb\xbf" + good, id="BOM"),
        pytest.param(lambda good: good[: len(good) // 2], id="half of it"),
        pytest.param(lambda good: good * 2, id="twice"),
        pytest.param(lambda _: b"x" * 1_000_000, id="1 MB of text"),
        pytest.param(lambda _: b"[" * 100_000, id="100,000 lists that do not end"),
        pytest.param(lambda _: b"[" * 100_000 + b"]" * 100_000, id="100,000 lists"),
        pytest.param(lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100,000 objects"),
        pytest.param(lambda _: b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000, id="both"),
        pytest.param(with_value(b"NaN"), id="NaN"),
        pytest.param(with_value(b"Infinity"), id="Infinity"),
        pytest.param(with_value(b"-Infinity"), id="-Infinity"),
        pytest.param(with_value(b"1e999"), id="1e999"),
        pytest.param(with_value(b"9" * 5000), id="5,000 digits"),
        pytest.param(with_value(b"9" * 400), id="400 digits"),
        pytest.param(with_value(b"true"), id="true"),
        pytest.param(with_value(b'"12"'), id="a text"),
        pytest.param(with_value(b'"\\ud800"'), id="a lone surrogate"),
        pytest.param(with_value(b'"\xff"'), id="no UTF-8"),
        pytest.param(with_value(b"[" * 2000 + b"]" * 2000), id="2,000 levels in a field"),
    ],
)
def test_it_survives(dialect: Dialect, hostile: Callable[[bytes], bytes]) -> None:
    decode(dialect, hostile(good(dialect)))


@each_dialect
@pytest.mark.parametrize(
    "topic",
    [
        pytest.param("", id="empty"),
        pytest.param("/", id="a slash"),
        pytest.param("../../etc/passwd", id="a path"),
        pytest.param("$SYS/broker/uptime", id="$SYS"),
        pytest.param("tele/раtong/SENSOR", id="look-alike letters"),
        pytest.param("x/" * 32_000, id="64 kB"),
    ],
)
def test_it_survives_the_topic(dialect: Dialect, topic: str) -> None:
    decode(dialect, good(dialect), topic)


@each_dialect
def test_of_doubled_keys_the_last_one_counts(dialect: Dialect) -> None:
    payload = good(dialect)
    if payload.startswith(b"{"):
        assert decode(dialect, payload[:-1] + b"," + payload[1:]) == decode(dialect, payload)
