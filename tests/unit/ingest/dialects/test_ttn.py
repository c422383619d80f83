"""Uplinks of The Things Stack."""

from typing import Any

import msgspec
import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.times import iso
from ingest.dialects.ttn import ttn
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

OUTER, INNER = "2023-06-20T14:34:32.869542824Z", "2023-06-20T14:34:32.656299995Z"


def up(uplink: dict[str, Any], **ids: str) -> dict[str, Any]:
    """What the Application Server publishes."""
    named = ids or {"device_id": "probe-1", "dev_eui": "A8404194A1875FF3"}
    return {"end_device_ids": named, "received_at": OUTER, "uplink_message": uplink}


def test_it_reads_texts_with_units_and_hands_on_the_bytes() -> None:
    decoded = {"Bat": "3.384 V", "TempC_DS18B20": "0.00 °C", "conduct_SOIL": "0 uS/cm"}
    uplink = {
        "f_port": 2,
        "frm_payload": "DTgAAAAAC8MAABA=",
        "decoded_payload": decoded,
        "rx_metadata": [{"rssi": -42, "channel_rssi": -42, "snr": 5.8}],
        "received_at": INNER,
    }
    found = items(ttn, up(uplink))
    at = 1_687_271_672_656_299
    assert readings(found) == {"rssi": (-42.0, "dBm"), "snr": (5.8, "dB")}
    payload = raw(found)
    assert payload[:4] == ("a8404194a1875ff3", at, bytes.fromhex("0d38000000000bc3000010"), 2)
    assert readings([*payload.decoded]) == {
        "Bat": (3.384, "V"),
        "TempC_DS18B20": (0.0, "Cel"),
        "conduct_SOIL": (0.0, "uS/cm"),
    }
    assert times(found) == {at}


def test_it_knows_what_the_server_leaves_out() -> None:
    uplink = {"frm_payload": "AXVc", "rx_metadata": [{"rssi": -16}]}
    found = items(ttn, up(uplink))
    assert raw(found).port == 0
    assert readings(found) == {"rssi": (-16.0, "dBm"), "snr": (0.0, "dB")}


@pytest.mark.parametrize(
    ("inner", "outer", "trusted"),
    [
        pytest.param(INNER, OUTER, "2023-06-20T14:34:32.656299Z", id="the Network Server's"),
        pytest.param(None, OUTER, "2023-06-20T14:34:32.869542Z", id="the Application Server's"),
        pytest.param(None, None, iso(RECEIVED_AT), id="ours"),
    ],
)
def test_it_trusts_one_of_several_times(inner: str | None, outer: str | None, trusted: str) -> None:
    gateway = {"rssi": -42, "time": "2023-06-18T00:00:00Z"}
    uplink = {"received_at": inner, "rx_metadata": [gateway]}
    (at,) = times(items(ttn, up(uplink) | {"received_at": outer}))
    assert iso(at) == trusted


def test_a_decoding_without_bytes_stands_for_itself() -> None:
    assert readings(items(ttn, up({"decoded_payload": {"Bat": "3.384 V"}}))) == {
        "Bat": (3.384, "V")
    }


def test_a_device_without_dev_eui_is_named_by_its_id() -> None:
    assert devices(items(ttn, up({"frm_payload": "AXVc"}, device_id="Probe-1"))) == {"Probe-1"}


def test_it_refuses_an_uplink_of_nobody() -> None:
    with pytest.raises(DecodeError) as refused:
        ttn(incoming(up({"frm_payload": "AXVc"}, join_eui="70B3D57ED00006B2")))
    assert refused.value.reason is Refusal.WRONG_SHAPE


def test_it_refuses_a_join() -> None:
    message = {"end_device_ids": {"device_id": "x"}, "received_at": OUTER, "join_accept": {}}
    with pytest.raises(msgspec.ValidationError, match="uplink_message"):
        ttn(incoming(message))


@needs_samples
def test_it_reads_a_real_uplink_without_a_counter() -> None:
    found = items(ttn, sample("tts_v3_uplink_dragino_decoded")["message"])
    assert readings([*raw(found).decoded]) == {
        "Bat": (3.384, "V"),
        "TempC_DS18B20": (0.0, "Cel"),
        "conduct_SOIL": (0.0, "uS/cm"),
        "temp_SOIL": (30.11, "Cel"),
        "water_SOIL": (0.0, "%"),
    }
    assert readings(found) == {"rssi": (-42.0, "dBm"), "snr": (5.8, "dB")}
    assert devices(found) == {"a8404194a1875ff3"}
    assert [iso(at) for at in times(found)] == ["2023-06-20T14:34:32.656299Z"]
