"""ChirpStack's uplink events in JSON: version 4, and the shape of version 3.

The device is its DevEUI in lower-case hexadecimal; version 3 writes it in base64. Fields at their
default are left out by the server: no `fPort` is port 0, no `snr` is 0 dB.

Which time is trusted: `time`, where it is stated, since it is the server's own word on when the
uplink was heard, and stays right when a gateway delivers late; its `nsTime` is when the server got
it, which can be days after. Without `time` it is the `nsTime`, then a gateway's clock, in that
order. Our own clock comes last: an event that the broker delivers twice must be one reading. A
clock that is days wrong is the time policy's to refuse; here nothing tells it from a late delivery.
"""

import binascii
import re

import msgspec
from msgspec import Struct

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.lorawan import Heard, uplink
from ingest.dialects.shape import Decoded, Incoming, parse
from ingest.dialects.times import measured_at

_HEX_EUI = re.compile("[0-9A-Fa-f]{16}")


class Reception(Struct, rename="camel"):
    """How one gateway heard the uplink; `loRaSNR`, `time` in version 3, `snr`, `gwTime` in 4."""

    rssi: float | None = None
    snr: float | None = None
    snr_v3: float | None = msgspec.field(default=None, name="loRaSNR")
    ns_time: str | None = None
    gw_time: str | None = None
    time: str | None = None


class DeviceInfo(Struct, rename="camel"):
    """Which device, in version 4."""

    dev_eui: str


class Event(Struct, rename="camel"):
    """An uplink event. Version 3 has `devEUI` and `objectJSON`, version 4 has the other two."""

    device_info: DeviceInfo | None = None
    dev_eui_v3: str | None = msgspec.field(default=None, name="devEUI")
    time: str | None = None
    f_port: int = 0
    data: bytes = b""
    decoded: dict[str, object] | None = msgspec.field(default=None, name="object")
    decoded_v3: str | None = msgspec.field(default=None, name="objectJSON")
    rx_info: list[Reception] = []


_event_decoder = msgspec.json.Decoder(Event)
_object_decoder = msgspec.json.Decoder(dict[str, object] | None)


def chirpstack(incoming: Incoming) -> Decoded:
    """The decoded values, the radio's quality, and the device's own bytes.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: no device is named, or the time cannot be placed.
    """
    event = parse(_event_decoder, incoming.payload)
    return uplink(
        _device(event),
        measured_at(_time(event), incoming),
        decoded=_decoded(event),
        payload=event.data,
        port=event.f_port,
        heard=[Heard(r.rssi, r.snr if r.snr is not None else r.snr_v3) for r in event.rx_info],
    )


def _device(event: Event) -> str:
    if event.device_info is not None:
        eui = event.device_info.dev_eui
    elif event.dev_eui_v3 is not None:
        eui = event.dev_eui_v3
        if not _HEX_EUI.fullmatch(eui):
            eui = _from_base64(eui)
    else:
        raise DecodeError(Refusal.WRONG_SHAPE, "names no device: deviceInfo.devEui is due")
    if not _HEX_EUI.fullmatch(eui):
        raise DecodeError(Refusal.WRONG_SHAPE, f"{eui:.40} is no DevEUI")
    return eui.lower()


def _from_base64(text: str) -> str:
    try:
        return binascii.a2b_base64(text, strict_mode=True).hex()
    except ValueError as error:
        raise DecodeError(Refusal.WRONG_SHAPE, f"{text:.40} is no DevEUI: {error}") from error


def _time(event: Event) -> str | None:
    server = [reception.ns_time for reception in event.rx_info]
    gateways = [reception.gw_time or reception.time for reception in event.rx_info]
    return next((time for time in (event.time, *server, *gateways) if time is not None), None)


def _decoded(event: Event) -> dict[str, object]:
    if event.decoded is not None:
        return event.decoded
    return parse(_object_decoder, event.decoded_v3) or {} if event.decoded_v3 else {}
