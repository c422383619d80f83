"""ChirpStack's uplink events."""

import base64
from typing import Any

import msgspec
import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from core.times import iso
from ingest.dialects.chirpstack import chirpstack
from ingest.dialects.shape import Raw, Refused
from tests.samples import (
    RECEIVED_AT,
    devices,
    incoming,
    items,
    needs_samples,
    raw,
    readings,
    sample,
    times,
)

DATA = base64.b64encode(b"\x01\x75\x5c").decode()
TOPIC = "application/7/device/70b3d57ba0003bb8/event/up"


def event(**fields: Any) -> dict[str, Any]:
    """An uplink of version 4."""
    info = {"deviceName": "probe", "devEui": "70b3d57ba0003bb8", "tags": {}}
    return {
        "deduplicationId": "x",
        "deviceInfo": info,
        "time": "2024-11-10T12:51:50+00:00",
    } | fields


def test_it_hands_on_the_bytes_and_the_radio_s_quality() -> None:
    heard = [{"gatewayId": "fcc23dfffe2e72ed", "rssi": -106, "snr": 3.0}]
    found = items(chirpstack, event(data=DATA, fPort=85, fCnt=4, rxInfo=heard), topic=TOPIC)
    at = 1_731_243_110_000_000
    assert raw(found) == Raw("70b3d57ba0003bb8", at, b"\x01\x75\x5c", 85)
    assert readings(found) == {"rssi": (-106.0, "dBm"), "snr": (3.0, "dB")}
    assert times(found) == {at}


@pytest.mark.parametrize(
    ("fields", "port"),
    [
        pytest.param({}, 0, id="fPort, fCnt and adr left out"),
        pytest.param({"fPort": 2, "fCnt": 0, "adr": False}, 2, id="stated"),
    ],
)
def test_it_knows_what_the_server_leaves_out(fields: dict[str, Any], port: int) -> None:
    assert raw(items(chirpstack, event(data=DATA, **fields))).port == port


def test_an_snr_of_zero_is_left_out_by_the_server_and_a_missing_rssi_is_missing() -> None:
    assert readings(items(chirpstack, event(data=DATA, rxInfo=[{"rssi": -90}]))) == {
        "rssi": (-90.0, "dBm"),
        "snr": (0.0, "dB"),
    }
    assert readings(items(chirpstack, event(data=DATA, rxInfo=[{"gatewayId": "a"}]))) == {}


def test_it_takes_the_gateway_that_heard_best() -> None:
    heard = [{"rssi": -110, "snr": 5}, {"rssi": -74, "snr": 9.8}, {"snr": 11}]
    assert readings(items(chirpstack, event(data=DATA, rxInfo=heard)))["rssi"] == (-74.0, "dBm")


def test_it_takes_decoded_values_that_are_texts_and_trees() -> None:
    decoded = {
        "BatV": 3.301,
        "soil": {"temp": "13.25 °C", "raw": "0.00"},
        "mode": "x",
        "bad": "NaN",
    }
    found = items(chirpstack, event(object=decoded))
    assert readings(found) == {
        "BatV": (3.301, None),
        "soil.temp": (13.25, "Cel"),
        "soil.raw": (0.0, None),
    }
    assert [item.reason for item in found if isinstance(item, Refused)] == [Refusal.NOT_A_NUMBER]


def test_bytes_and_their_decoding_are_one_item_so_that_only_one_of_them_counts() -> None:
    found = items(chirpstack, event(object={"temp": 20.5, "bad": "NaN"}, data=DATA))
    assert found == [raw(found)]
    good, bad = raw(found).decoded
    assert good == Reading("70b3d57ba0003bb8", "temp", raw(found).measured_at, 20.5)
    assert isinstance(bad, Refused)


def test_the_device_s_own_rssi_is_not_doubled_by_the_network_s() -> None:
    found = items(chirpstack, event(object={"rssi": -51}, rxInfo=[{"rssi": -106, "snr": 3}]))
    assert readings(found) == {"rssi": (-51.0, None), "snr": (3.0, "dB")}


@pytest.mark.parametrize(
    ("time", "reception", "trusted"),
    [
        pytest.param(
            "2024-11-10T12:51:50+00:00",
            {"nsTime": "2024-11-12T12:51:50.819853185+00:00", "gwTime": "2024-11-12T12:51:50Z"},
            "2024-11-10T12:51:50Z",
            id="the uplink's own, even days before the server's",
        ),
        pytest.param(
            None,
            {"nsTime": "2024-11-12T12:51:50.819853185+00:00", "gwTime": "2024-11-10T00:00:00Z"},
            "2024-11-12T12:51:50.819853Z",
            id="then the server's",
        ),
        pytest.param(
            None,
            {"gwTime": "2024-11-12T12:51:50+00:00"},
            "2024-11-12T12:51:50Z",
            id="then the gateway's",
        ),
        pytest.param(
            None,
            {"time": "2019-11-08T13:59:25.048445Z"},
            "2019-11-08T13:59:25.048445Z",
            id="also in version 3, so that a message delivered twice is one reading",
        ),
        pytest.param(None, {}, iso(RECEIVED_AT), id="then ours"),
    ],
)
def test_it_trusts_one_of_several_times(
    time: str | None, reception: dict[str, str], trusted: str
) -> None:
    message = event(data=DATA, rxInfo=[reception]) | {"time": time}
    (at,) = times(items(chirpstack, message))
    assert iso(at) == trusted


@pytest.mark.parametrize(
    "eui",
    [
        pytest.param("AgICAgICAgI=", id="base64"),
        pytest.param("0202020202020202", id="hexadecimal"),
    ],
)
def test_it_reads_the_shape_of_version_3(eui: str) -> None:
    message = {
        "applicationID": "123",
        "devEUI": eui,
        "rxInfo": [
            {"gatewayID": "AwMDAwMDAwM=", "rssi": -48, "loRaSNR": 9, "timeSinceGPSEpoch": None}
        ],
        "fPort": 5,
        "data": DATA,
        "objectJSON": '{"temperatureSensor":25,"humiditySensor":32}',
    }
    found = items(chirpstack, message)
    assert devices(found) == {"0202020202020202"}
    assert readings(found) == {"rssi": (-48.0, "dBm"), "snr": (9.0, "dB")}
    payload = raw(found)
    assert (payload.data, payload.port, payload.measured_at) == (b"\x01\x75\x5c", 5, RECEIVED_AT)
    assert readings([*payload.decoded]) == {
        "temperatureSensor": (25.0, None),
        "humiditySensor": (32.0, None),
    }


@pytest.mark.parametrize("text", ["", "null", "{}"])
def test_it_takes_an_object_json_that_says_nothing(text: str) -> None:
    message = {"devEUI": "AgICAgICAgI=", "objectJSON": text, "data": DATA}
    assert readings(items(chirpstack, message)) == {}


def test_devices_are_named_in_lower_case() -> None:
    message = event(data=DATA) | {"deviceInfo": {"devEui": "70B3D57BA0003BB8"}}
    assert devices(items(chirpstack, message)) == {"70b3d57ba0003bb8"}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param({"data": DATA}, Refusal.WRONG_SHAPE, id="no device"),
        pytest.param({"devEUI": "AgIC", "data": DATA}, Refusal.WRONG_SHAPE, id="a short EUI"),
        pytest.param({"devEUI": "Ä", "data": DATA}, Refusal.WRONG_SHAPE, id="no base64"),
        pytest.param(event(time="2024-11-10T12:51:60Z"), Refusal.TIME_INVALID, id="leap second"),
        pytest.param(event(time="2024-11-10 12:51"), Refusal.TIME_INVALID, id="naive"),
    ],
)
def test_it_refuses_with_a_reason(message: object, reason: Refusal) -> None:
    with pytest.raises(DecodeError) as refused:
        chirpstack(incoming(message))
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(event(data="not base64!"), id="data that is no base64"),
        pytest.param(event(object=[1]), id="an object that is a list"),
        pytest.param({"devEUI": "AgICAgICAgI=", "objectJSON": "{"}, id="objectJSON cut off"),
        pytest.param(event(rxInfo=[{"rssi": True}]), id="a flag where a number is due"),
    ],
)
def test_it_refuses_another_shape(message: object) -> None:
    with pytest.raises(msgspec.MsgspecError):
        chirpstack(incoming(message))


@needs_samples
def test_it_reads_a_real_uplink_with_an_object_and_neither_port_nor_data() -> None:
    found = items(chirpstack, sample("chirpstack_v4_uplink_with_object")["message"], topic=TOPIC)
    assert readings(found) == {
        "BatV": (3.301, None),
        "temp_DS18B20": (0.0, None),
        "temp_SOIL": (13.25, None),
        "water_SOIL_f": (13.74, None),
        "conduct_SOIL": (35.0, None),
    }
    assert devices(found) == {"a8404187d187106e"}
    assert [iso(at) for at in times(found)] == ["2024-06-20T08:48:38.863512Z"]


@needs_samples
def test_it_reads_a_real_uplink_with_data_alone() -> None:
    found = items(chirpstack, sample("chirpstack_v4_uplink_dingtek")["message"], topic=TOPIC)
    payload = raw(found)
    assert payload.data.hex() == "800015011500000000016f0000000000000001" + "0081"
    assert (payload.device, payload.port) == ("7cf95720fc015fef", 10)
    assert iso(payload.measured_at) == "2022-10-03T03:17:10.427430Z"
    assert readings(found) == {"rssi": (-74.0, "dBm"), "snr": (9.8, "dB")}
