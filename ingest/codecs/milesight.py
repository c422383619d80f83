"""Milesight's sensors: channels one after the other, each a number, a type and a value.

The pair of channel number and type decides the length and the meaning, and the meaning differs by
model: 03 82 is a distance on one, 04 82 on another. Numbers are little-endian. What a device tells
of itself when it joins (channel ff) is passed over, as are channels that carry nothing we watch.

Left out as missing: a distance of 0 or 65535, with which the sensors say that they heard no echo.
Refused whole: stored history (20 ce), since its values belong to other times than the message, and
a quantity that comes twice with different values.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from ingest.codecs.shape import FLAG, Codec, Quantities, unknown

_NO_ECHO = frozenset({0, 0xFFFF})


class Field(NamedTuple):
    """A number within a channel: its value is number / divisor; `missing` numbers are none."""

    key: str
    unit: str
    form: str  # as `struct` writes it
    divisor: float = 1
    at: int = 0
    missing: frozenset[int] = frozenset()


class Channel(NamedTuple):
    """How long a channel's value is, and what it says."""

    length: int
    fields: tuple[Field, ...] = ()


Channels = Mapping[bytes, Channel]


def _byte(key: str, unit: str, divisor: float = 1) -> Channel:
    return Channel(1, (Field(key, unit, "<B", divisor),))


def _word(key: str, unit: str, divisor: float = 1) -> Channel:
    return Channel(2, (Field(key, unit, "<H", divisor),))


_TEMPERATURE = Field("temperature", "Cel", "<h", 10)
_DISTANCE = Field("distance", "mm", "<H", missing=_NO_ECHO)
_TEMPERATURE_ALARM = Field("temperature_alarm", FLAG, "<B", at=2)
_DISTANCE_ALARM = Field("distance_alarm", FLAG, "<B", at=2)

_EVERY_MODEL = {
    b"\x01\x75": _byte("battery", "%"),
    b"\xff\x01": Channel(1),  # protocol version
    b"\xff\x09": Channel(2),  # hardware version
    b"\xff\x0a": Channel(2),  # firmware version
    b"\xff\x0b": Channel(1),  # power on
    b"\xff\x0f": Channel(1),  # LoRaWAN class
    b"\xff\x16": Channel(8),  # serial number
    b"\xff\xff": Channel(2),  # version of the channel table
}

_EM400 = _EVERY_MODEL | {
    b"\x03\x67": Channel(2, (_TEMPERATURE,)),
    b"\x04\x82": Channel(2, (_DISTANCE,)),
    b"\x05\x00": _byte("position", FLAG),  # 1: tilted
    b"\x06\x88": Channel(9),  # place and motion; the makers' texts differ on the order
    b"\x83\x67": Channel(3, (_TEMPERATURE, _TEMPERATURE_ALARM)),
    b"\x84\x82": Channel(3, (_DISTANCE, _DISTANCE_ALARM)),
}

_AM300 = _EVERY_MODEL | {
    b"\x03\x67": Channel(2, (_TEMPERATURE,)),
    b"\x04\x68": _byte("humidity", "%", 2),
    b"\x05\x00": Channel(1),  # motion
    b"\x06\xcb": Channel(1),  # light level
    b"\x07\x7d": _word("co2", "[ppm]"),
    b"\x08\x7d": Channel(2),  # VOC index: the maker's table and example differ by 100
    b"\x08\xe6": _word("tvoc", "ug/m3"),
    b"\x09\x73": _word("pressure", "hPa", 10),
    b"\x0a\x7d": _word("hcho", "mg/m3", 100),
    b"\x0b\x7d": _word("pm2_5", "ug/m3"),
    b"\x0c\x7d": _word("pm10", "ug/m3"),
    b"\x0d\x7d": _word("o3", "[ppm]", 100),
    b"\x0e\x01": Channel(1),  # beeper
}

_EM500_PT100 = _EVERY_MODEL | {
    b"\x03\x67": Channel(2, (_TEMPERATURE,)),
    b"\x83\xd7": Channel(
        5,
        (
            _TEMPERATURE,
            Field("temperature_change", "Cel", "<h", 10, at=2),
            Field("temperature_alarm", FLAG, "<B", at=4),
        ),
    ),
}

_EM500_CO2 = _EM500_PT100 | {
    b"\x04\x68": _byte("humidity", "%", 2),
    b"\x05\x7d": _word("co2", "[ppm]"),
    b"\x06\x73": _word("pressure", "hPa", 10),
}

_EM500_SWL = _EVERY_MODEL | {b"\x03\x77": Channel(2, (Field("water_level", "cm", "<h"),))}

_EM500_UDL = _EVERY_MODEL | {b"\x03\x82": Channel(2, (_DISTANCE,))}


def codec(channels: Channels) -> Codec:
    """The codec of a model with these channels."""

    def decode(data: bytes, _port: int | None) -> Quantities:
        if not data:
            raise unknown("no bytes")
        found: Quantities = {}
        at = 0
        while at < len(data):
            pair = data[at : at + 2]
            channel = channels.get(pair)
            if channel is None:
                raise unknown(f"channel {pair.hex(' ')} at byte {at} is not of this model")
            value = data[at + 2 : at + 2 + channel.length]
            if len(value) < channel.length:
                raise unknown(f"ends within channel {pair.hex(' ')}")
            _add(found, channel, value)
            at += 2 + channel.length
        return found

    return decode


def _add(found: Quantities, channel: Channel, value: bytes) -> None:
    for field in channel.fields:
        (number,) = struct.unpack_from(field.form, value, field.at)
        if number in field.missing:
            continue
        quantity = (number / field.divisor, field.unit)
        if found.setdefault(field.key, quantity) != quantity:
            raise unknown(f"{field.key} comes twice with different values")


am300 = codec(_AM300)
em400 = codec(_EM400)
em500_co2 = codec(_EM500_CO2)
em500_pt100 = codec(_EM500_PT100)
em500_swl = codec(_EM500_SWL)
em500_udl = codec(_EM500_UDL)
