"""Hop 2: a message becomes items, or a `DecodeError` with its reason; nothing else escapes."""

import msgspec

from core.errors import DecodeError
from core.messages import Message, Refusal
from ingest.dialects.shape import Decoded, Incoming
from ingest.dialects.table import DIALECTS
from ingest.sources import PUSHED, Source, about

PAYLOAD_LIMIT = 65_536


def decode(message: Message, source: Source) -> Decoded:
    """What one message of `source` holds, readings in order of time.

    Raises:
        DecodeError: the message is quarantined whole.
    """
    payload = message.payload
    if message.retain:
        raise DecodeError(Refusal.RETAINED, "a retained message is never a new reading")
    if len(payload) > PAYLOAD_LIMIT:
        raise DecodeError(Refusal.TOO_LARGE, f"{len(payload)} bytes, {PAYLOAD_LIMIT} at most")
    topic = message.topic.decode("utf-8", "replace")
    incoming = Incoming(topic, payload, message.received_at, source.zone)
    if topic.startswith(PUSHED):
        incoming = _pushed(incoming, source)
    try:
        decoded = DIALECTS[source.dialect](incoming)
    except msgspec.ValidationError as error:
        raise DecodeError(_validation_reason(str(error)), str(error)) from error
    except msgspec.DecodeError as error:
        raise DecodeError(_syntax_reason(str(error)), str(error)) from error
    except RecursionError as error:
        raise DecodeError(Refusal.TOO_DEEP, "nested too deep") from error
    except (UnicodeError, ValueError, OverflowError, OSError) as error:
        raise DecodeError(Refusal.NOT_JSON, str(error)) from error
    if not decoded.items:
        raise DecodeError(Refusal.WRONG_SHAPE, "holds no values")
    return decoded


def _pushed(incoming: Incoming, source: Source) -> Incoming:
    """The same, as the request had it: a topic where it named one, or the header X-Sensor."""
    named = about(incoming.topic)
    if source.dialect == "sensor-community":
        return incoming._replace(topic="", headers={"x-sensor": named})
    return incoming._replace(topic=named)


def _validation_reason(words: str) -> Refusal:
    if "`key`" in words:  # the name of a value, not the value
        return Refusal.WRONG_SHAPE
    if "$.values" in words or ".values[" in words or "out of range" in words:
        return Refusal.NOT_A_NUMBER
    if ".time" in words:
        return Refusal.TIME_INVALID
    return Refusal.WRONG_SHAPE


def _syntax_reason(words: str) -> Refusal:
    return Refusal.NOT_A_NUMBER if "out of range" in words else Refusal.NOT_JSON
