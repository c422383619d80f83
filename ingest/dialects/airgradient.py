"""AirGradient monitors: one flat JSON object, as `/measures/current` and MQTT give it.

The monitor is named by `serialno`, or by the topic's last level (`airgradient/readings/{serial}`).
There is no time: it was measured when it was received. Raw and compensated values come side by
side under names of their own; which one counts is for the profile to say. Firmware before 3.1
writes some names with underscores: they are given their present ones, so that a profile needs one.
"""

from collections.abc import Mapping

import msgspec

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.shape import Decoded, Incoming, parse
from ingest.dialects.values import readings

_decoder = msgspec.json.Decoder(dict[str, object])

_RENAMED = {
    "nox_index": "noxIndex",
    "nox_raw": "noxRaw",
    "tvoc_index": "tvocIndex",
    "tvoc_raw": "tvocRaw",
}

# From the maker's description of the local server. Counts are per dL, raw values have no unit.
_UNITS: Mapping[str, str] = {
    "atmp": "Cel",
    "atmpCompensated": "Cel",
    "noxIndex": "1",
    "pm01": "ug/m3",
    "pm01Standard": "ug/m3",
    "pm02": "ug/m3",
    "pm02Compensated": "ug/m3",
    "pm02Standard": "ug/m3",
    "pm10": "ug/m3",
    "pm10Standard": "ug/m3",
    "rco2": "[ppm]",
    "rhum": "%",
    "rhumCompensated": "%",
    "tvocIndex": "1",
    "wifi": "dBm",
}


def airgradient(incoming: Incoming) -> Decoded:
    """The readings of one message.

    Raises:
        msgspec.MsgspecError: the JSON is broken or no object.
        DecodeError: nothing names the monitor.
    """
    message = parse(_decoder, incoming.payload)
    serial = message.pop("serialno", None) or incoming.topic.rpartition("/")[2]
    if not isinstance(serial, str) or not serial:
        raise DecodeError(Refusal.WRONG_SHAPE, "names no monitor: serialno is due")
    values = {_RENAMED.get(key, key): value for key, value in message.items()}
    return Decoded(readings(serial, incoming.received_at, values, _UNITS.get))
