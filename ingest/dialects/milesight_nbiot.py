"""The frame in which Milesight's NB-IoT sensors send over MQTT or TCP.

    02 | 0001 | 005f | 00 | 0000 | 01 | firmware, hardware: 4+4 | serial number: 16
       | IMEI: 15 | IMSI: 15 | ICCID: 20 | signal quality: 1 | 000e | the sensor's own bytes

Numbers are big-endian, texts ASCII. The second length counts the sensor's own bytes, which are the
same as over LoRaWAN and left to the profile's codec; the first one counts all after itself. The
device is its serial number. No time is stated: it was measured when it was received.
"""

import struct

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import Decoded, Incoming, Item, Raw

_HEADER = struct.Struct(">BHHBHB4s4s16s15s15s20sBH")
_START = 2
_COUNTED_FROM = 5  # bytes before what the first length counts
_UNKNOWN_SIGNAL = 99


def milesight_nbiot(incoming: Incoming) -> Decoded:
    """The sensor's own bytes, and the modem's signal quality as `csq`, 0 to 31.

    Raises:
        DecodeError: it is no such frame, or not a whole one.
    """
    frame = incoming.payload
    if len(frame) < _HEADER.size:
        raise _broken(f"{len(frame)} bytes, the header alone has {_HEADER.size}")
    start, _, length, *_, serial, _, _, _, signal, data_length = _HEADER.unpack_from(frame)
    if start != _START:
        raise _broken(f"begins with {start:#04x}, {_START:#04x} is due")
    if length != len(frame) - _COUNTED_FROM or data_length != len(frame) - _HEADER.size:
        raise _broken(f"{len(frame)} bytes, and its lengths say {length} and {data_length}")
    if not (serial.isascii() and serial.isalnum()):
        raise _broken(f"the serial number {serial.hex()} is no text")
    device = serial.decode("ascii")
    items: list[Item] = []
    if signal != _UNKNOWN_SIGNAL:
        items.append(Reading(device, "csq", incoming.received_at, float(signal), "1"))
    if data_length:
        items.append(Raw(device, incoming.received_at, frame[_HEADER.size :]))
    return Decoded(items)


def _broken(words: str) -> DecodeError:
    return DecodeError(Refusal.WRONG_SHAPE, words)
