"""Uplinks of The Things Stack version 3, over MQTT or as webhooks.

The device is its DevEUI in lower-case hexadecimal, or its `device_id` where it has none. Whatever
is empty, 0 or false is left out by the server: no `f_port` is port 0, no `snr` is 0 dB, and no
`f_cnt` is the first frame.

Which time is trusted: `uplink_message.received_at`, when the Network Server got the uplink, then
the outer `received_at` of the Application Server, a fraction of a second later. Both are servers'
clocks; the gateways' own times beside them are only as good as each gateway.
"""

import msgspec
from msgspec import Struct

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.lorawan import Heard, uplink
from ingest.dialects.shape import Decoded, Incoming, parse
from ingest.dialects.times import measured_at


class DeviceIds(Struct):
    """Which device."""

    device_id: str = ""
    dev_eui: str = ""


class Reception(Struct):
    """How one gateway heard the uplink."""

    rssi: float | None = None
    snr: float | None = None


class UplinkMessage(Struct):
    """The uplink as the Network Server has it."""

    received_at: str | None = None
    f_port: int = 0
    frm_payload: bytes = b""
    decoded_payload: dict[str, object] | None = None
    rx_metadata: list[Reception] = []


class Up(Struct):
    """What the Application Server publishes of an uplink."""

    end_device_ids: DeviceIds
    uplink_message: UplinkMessage
    received_at: str | None = None


_decoder = msgspec.json.Decoder(Up)


def ttn(incoming: Incoming) -> Decoded:
    """The decoded values, the radio's quality, and the device's own bytes.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: no device is named, or the time cannot be placed.
    """
    up = parse(_decoder, incoming.payload)
    device = up.end_device_ids.dev_eui.lower() or up.end_device_ids.device_id
    if not device:
        raise DecodeError(Refusal.WRONG_SHAPE, "names no device: end_device_ids.dev_eui is due")
    message = up.uplink_message
    return uplink(
        device,
        measured_at(message.received_at or up.received_at, incoming),
        decoded=message.decoded_payload or {},
        payload=message.frm_payload,
        port=message.f_port,
        heard=[Heard(reception.rssi, reception.snr) for reception in message.rx_metadata],
    )
