"""Milesight's NB-IoT frames."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.codecs.table import CODECS
from ingest.dialects.milesight_nbiot import milesight_nbiot
from ingest.dialects.shape import Raw
from tests.samples import RECEIVED_AT, incoming, items, needs_samples, raw, sample

SENSOR = bytes.fromhex("01755c0367010104824408050001")


def frame(
    data: bytes = SENSOR, *, serial: bytes = b"6749D19054690031", signal: int = 9, off: int = 0
) -> bytes:
    """A frame of a device that we made up; `off` is by how much its length lies."""
    texts = b"0101" + b"0110" + serial + b"8" * 15 + b"4" * 15 + b"8" * 20
    after = bytes([0, 0, 7, 1]) + texts + bytes([signal]) + len(data).to_bytes(2, "big") + data
    return b"\x02\x00\x01" + (len(after) + off).to_bytes(2, "big") + after


def test_it_hands_on_the_sensor_s_bytes_and_the_signal() -> None:
    assert items(milesight_nbiot, frame()) == [
        Reading("6749D19054690031", "csq", RECEIVED_AT, 9.0, "1"),
        Raw("6749D19054690031", RECEIVED_AT, SENSOR),
    ]


def test_a_signal_that_the_modem_does_not_know_is_missing() -> None:
    assert items(milesight_nbiot, frame(signal=99)) == [
        Raw("6749D19054690031", RECEIVED_AT, SENSOR)
    ]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="empty"),
        pytest.param(frame()[:50], id="cut within the header"),
        pytest.param(frame()[:-1], id="cut within the data"),
        pytest.param(frame() + b"\x00", id="a byte too many"),
        pytest.param(frame(off=1), id="a wrong length"),
        pytest.param(b"\x03" + frame()[1:], id="another start"),
        pytest.param(frame(serial=b"\x00" * 16), id="a serial number that is no text"),
        pytest.param(frame(serial=b"../../etc/passwd"), id="a serial number that is a path"),
    ],
)
def test_it_refuses_what_is_no_whole_frame(broken: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        milesight_nbiot(incoming(broken))
    assert refused.value.reason is Refusal.WRONG_SHAPE


@needs_samples
def test_it_reads_the_sample_and_its_codec_the_rest() -> None:
    message = sample("milesight_em400_mud_nbiot")["message"]
    payload = raw(items(milesight_nbiot, bytes.fromhex(message["_raw_hex"])))
    assert payload.device == message["sn"]
    decoded = CODECS["milesight-em400-mud"](payload.data, payload.port)
    (expected,) = message["data"]
    assert decoded == {
        "battery": (expected["battery"], "%"),
        "temperature": (expected["temperature"], "Cel"),
        "distance": (expected["distance"], "mm"),
        "position": (1.0, "{flag}"),
    }
