"""Tasmota's telemetry: `tele/{device}/SENSOR`, and `STATE` beside it.

The device is the level before the last, or the one before that where the prefix stands behind it.
Keys are `{sensor}.{quantity}`. `Time` is local and names no zone, as a rule: the source has to say
which it is, and without one the message is refused. Temperatures and pressures are in the units
that `TempUnit` and `PressureUnit` state.
"""

import msgspec

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.shape import Decoded, Incoming, parse, topic_levels
from ingest.dialects.times import measured_at
from ingest.dialects.values import readings, ucum

_decoder = msgspec.json.Decoder(dict[str, object])

_PREFIXES = {"stat", "tele"}
_PRESSURES = {"hPa": "hPa", "inHg": "[in_i'Hg]", "mmHg": "mm[Hg]"}
_UNITS = {
    "CF1": "ug/m3",
    "CF10": "ug/m3",
    "CF2.5": "ug/m3",
    "CarbonDioxide": "[ppm]",
    "Humidity": "%",
    "Illuminance": "lx",
    "PM1": "ug/m3",
    "PM10": "ug/m3",
    "PM2.5": "ug/m3",
    "Signal": "dBm",
}


def tasmota(incoming: Incoming) -> Decoded:
    """The readings of one message.

    Raises:
        msgspec.MsgspecError: the JSON is broken or no object.
        DecodeError: the topic is not a sensor's, or the time cannot be placed.
    """
    levels = topic_levels(incoming, 3, "tele/{device}/SENSOR")
    if levels[-1] == "LWT":
        raise DecodeError(Refusal.UNKNOWN_TOPIC, "LWT tells who is online, it carries no readings")
    device = levels[-3] if levels[-2] in _PREFIXES else levels[-2]
    message = parse(_decoder, incoming.payload)
    time = message.pop("Time", None)
    if not isinstance(time, str | None):
        raise DecodeError(Refusal.TIME_INVALID, "Time is no text")
    units = _UNITS | _stated(message.pop("TempUnit", None), message.pop("PressureUnit", None))
    return Decoded(
        readings(
            device,
            measured_at(time, incoming),
            message,
            lambda key: units.get(key.partition(".")[2]),
        )
    )


def _stated(temperature: object, pressure: object) -> dict[str, str]:
    units: dict[str, str] = {}
    if isinstance(temperature, str):
        units |= dict.fromkeys(("DewPoint", "Temperature"), ucum(temperature))
    if isinstance(pressure, str):
        pressure = _PRESSURES.get(pressure, pressure)
        units |= dict.fromkeys(("Pressure", "SeaPressure"), pressure)
    return units
