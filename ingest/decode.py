"""Hop 2: a message becomes readings, or a `DecodeError` with its reason; nothing else escapes."""

from collections.abc import Callable, Mapping

import msgspec

from core.errors import DecodeError
from core.model import Message, Reading, Refusal
from ingest.dialects.native import native

Dialect = Callable[[bytes, int], list[Reading]]

DIALECTS: Mapping[str, Dialect] = {
    "native": native,
}

PAYLOAD_LIMIT = 65_536
_PREFIX = b"andaman/v1/"
_SUFFIX = b"/up/readings"


def gateway_of(topic: bytes) -> str:
    """The gateway that a native topic names.

    Raises:
        DecodeError: it is no topic of readings.

    >>> gateway_of(b"andaman/v1/gw-town/up/readings")
    'gw-town'
    """
    gateway = topic[len(_PREFIX) : -len(_SUFFIX)]
    if not topic.startswith(_PREFIX) or not topic.endswith(_SUFFIX) or not gateway.isascii():
        raise DecodeError(Refusal.UNKNOWN_TOPIC, "readings go to andaman/v1/{gateway}/up/readings")
    return gateway.decode("ascii")


def decode(message: Message, dialect: str = "native") -> list[Reading]:
    """The readings of one message, in order of time.

    Raises:
        DecodeError: the message is quarantined whole.
    """
    payload = message.payload
    if message.retain:
        raise DecodeError(Refusal.RETAINED, "a retained message is never a new reading")
    if len(payload) > PAYLOAD_LIMIT:
        raise DecodeError(Refusal.TOO_LARGE, f"{len(payload)} bytes, {PAYLOAD_LIMIT} at most")
    try:
        readings = DIALECTS[dialect](payload, message.received_at)
    except msgspec.ValidationError as error:
        raise DecodeError(_validation_reason(str(error)), str(error)) from error
    except msgspec.DecodeError as error:
        raise DecodeError(_syntax_reason(str(error)), str(error)) from error
    except RecursionError as error:
        raise DecodeError(Refusal.TOO_DEEP, "nested too deep") from error
    except (UnicodeError, ValueError, OverflowError, OSError) as error:
        raise DecodeError(Refusal.NOT_JSON, str(error)) from error
    if not readings:
        raise DecodeError(Refusal.WRONG_SHAPE, "holds no values")
    return readings


def _validation_reason(words: str) -> Refusal:
    if "$.values" in words or ".values[" in words:
        return Refusal.NOT_A_NUMBER
    if ".time" in words:
        return Refusal.TIME_INVALID
    return Refusal.WRONG_SHAPE


def _syntax_reason(words: str) -> Refusal:
    return Refusal.NOT_A_NUMBER if "out of range" in words else Refusal.NOT_JSON
