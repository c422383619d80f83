"""What a gateway says of itself: `andaman/v1/{gateway}/up/status`, also as its last will. Pure.

    {"online": true, "firmware": "1.4.2"}

A status is no reading: one that can be read is no item, and moves no counter. One that cannot, or
whose retain flag says that it may be from any time, is quarantined, as one item.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

import msgspec

from core.errors import DecodeError
from core.messages import Message, Refusal
from core.registry import GATEWAY_PATTERN, Status

FILTER = "andaman/v1/+/up/status"

_TOPIC = re.compile(rb"andaman/v1/([^/]+)/up/status")
_GATEWAY = re.compile(GATEWAY_PATTERN.encode())
_LIMIT = 4096


class _Body(msgspec.Struct):
    online: bool
    firmware: Annotated[str, msgspec.Meta(max_length=100)] | None = None


_decoder = msgspec.json.Decoder(_Body)


def speaker(topic: bytes) -> str | None:
    """The gateway whose status a topic brings; None when it brings something else.

    >>> speaker(b"andaman/v1/gw-town/up/status")
    'gw-town'
    """
    if not topic.endswith(b"/up/status"):
        return None
    found = _TOPIC.fullmatch(topic)
    return found[1].decode() if found and _GATEWAY.fullmatch(found[1]) else None


def read_status(message: Message, gateway: str) -> Status:
    """What the message says of the gateway.

    Raises:
        DecodeError: it is quarantined.
    """
    if message.retain:
        raise DecodeError(Refusal.RETAINED, "a retained status may be from any time")
    if len(message.payload) > _LIMIT:
        raise DecodeError(Refusal.TOO_LARGE, f"{len(message.payload)} bytes, {_LIMIT} at most")
    try:
        body = _decoder.decode(message.payload)
    except msgspec.ValidationError as error:
        raise DecodeError(Refusal.WRONG_SHAPE, str(error)) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DecodeError(Refusal.NOT_JSON, str(error)) from error
    except RecursionError as error:
        raise DecodeError(Refusal.TOO_DEEP, "nested too deep") from error
    at = message.received_at
    return Status(gateway=gateway, online=body.online, firmware=body.firmware, at=at, since=at)


def changes(known: Mapping[str, Status], heard: Iterable[Status]) -> list[Status]:
    """Those that say something new. A last will knows no firmware: the one that we know stays."""
    now, fresh = dict(known), []
    for status in heard:
        before = now.get(status.gateway)
        after = status
        if before is not None:
            since = before.since if before.online == status.online else status.at
            after = replace(status, firmware=status.firmware or before.firmware, since=since)
            if (after.online, after.firmware) == (before.online, before.firmware):
                continue
        now[after.gateway] = after
        fresh.append(after)
    return fresh
