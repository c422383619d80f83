"""What a sensor.community station (formerly luftdaten.info) pushes over HTTP.

The station is named by the header X-Sensor, or by `esp8266id` in the body, in the header's form
(`esp8266-12345678`). Every value is a text. There is no time: it was measured when it was received.
P1 is PM10 and P2 is PM2.5; pressure is in Pa.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import Decoded, Incoming, Item, Refused, parse
from ingest.dialects.values import number

# By the part of the type behind the sensor's name: SDS_P1, BME280_pressure, or plain temperature.
_UNITS = {
    "P0": "ug/m3",
    "P1": "ug/m3",
    "P2": "ug/m3",
    "P4": "ug/m3",
    "humidity": "%",
    "LAeq": "dB[SPL]",
    "pressure": "Pa",
    "signal": "dBm",
    "temperature": "Cel",
}


class Value(Struct):
    """One quantity of the station."""

    value_type: str
    value: str | float


class Push(Struct):
    """What the station sends."""

    sensordatavalues: list[Value]
    esp8266id: str | Annotated[int, Meta(ge=0, le=10**12)] | None = None


_decoder = msgspec.json.Decoder(Push)


def sensor_community(incoming: Incoming) -> Decoded:
    """The readings of one push; a value that is no number is refused alone.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: nothing names the station.
    """
    push = parse(_decoder, incoming.payload)
    station = incoming.headers.get("x-sensor", "").strip()
    if not station and push.esp8266id is not None:
        station = f"esp8266-{push.esp8266id}"
    if not station:
        raise DecodeError(Refusal.WRONG_SHAPE, "names no station: header X-Sensor or esp8266id")
    return Decoded([_item(station, incoming.received_at, value) for value in push.sensordatavalues])


def _item(station: str, measured_at: int, stated: Value) -> Item:
    key = stated.value_type
    try:
        quantity = number(stated.value)
    except DecodeError as error:
        return Refused(error.reason, f"{key:.64}: {error.detail}")
    if quantity is None:
        return Refused(Refusal.NOT_A_NUMBER, f"{key:.64}: {stated.value!r:.40} is no number")
    unit = quantity.unit or _UNITS.get(key.rpartition("_")[2])
    return Reading(station, key, measured_at, quantity.value, unit)
