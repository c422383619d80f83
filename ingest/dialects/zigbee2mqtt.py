"""Zigbee2MQTT: a flat JSON object on `zigbee2mqtt/{friendly_name}`.

The friendly name is the device; it may hold slashes. Numbers may be texts ("100.00"). The time is
`last_seen` where that option is on, in any of its forms, and otherwise when it was received. The
messages state no units, and one key has different ones (`voltage` is in V or mV by device): they
belong in the profile.
"""

import msgspec

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.shape import Decoded, Incoming, parse, topic_levels
from ingest.dialects.times import measured_at
from ingest.dialects.values import readings

_decoder = msgspec.json.Decoder(dict[str, object])


def zigbee2mqtt(incoming: Incoming) -> Decoded:
    """The readings of one message.

    Raises:
        msgspec.MsgspecError: the JSON is broken or no object.
        DecodeError: the topic is not a device's, or the time cannot be placed.
    """
    _, *name = topic_levels(incoming, 2, "zigbee2mqtt/{friendly_name}")
    if name[0] == "bridge" or name[-1] in {"availability", "get", "set"}:
        raise DecodeError(Refusal.UNKNOWN_TOPIC, "this topic carries no readings")
    message = parse(_decoder, incoming.payload)
    last_seen = message.pop("last_seen", None)
    if not isinstance(last_seen, str | int | float | None) or isinstance(last_seen, bool):
        raise DecodeError(Refusal.TIME_INVALID, "last_seen is no time")
    return Decoded(readings("/".join(name), measured_at(last_seen, incoming), message))
