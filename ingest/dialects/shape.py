"""What every dialect takes and gives: one message in, items out. No I/O, no clock.

    Incoming ─ dialect ─▶ Decoded(items)      an item is a Reading, a Raw payload or a Refused one

A dialect speaks as the network does: devices and keys under the network's own names, units in UCUM
and only where the format states them. Which parameter a key means is said by a profile, later. A
message without any item is no error here: whoever called the dialect decides what that means.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading

T = TypeVar("T")

FLAG = "{flag}"  # the unit of true and false: it converts into no other, so that a flag stays one
MOST_ITEMS = 5_000  # of one message; a payload of 64 KiB has no room for more that make sense


class Incoming(NamedTuple):
    """A message as it came. `zone` is the source's, for times that name none; `headers` are those
    of an HTTP push, their names in lower case; an HTTP push has an empty topic.
    """

    topic: str
    payload: bytes
    received_at: int
    zone: ZoneInfo | None = None
    headers: Mapping[str, str] = MappingProxyType({})


class Refused(NamedTuple):
    """One item that cannot be taken; the others of its message can."""

    reason: Refusal
    detail: str


class Raw(NamedTuple):
    """A device's own bytes, for the codec of its profile; `port` is LoRaWAN's FPort. `decoded` is
    what the network server made of them, for a profile without a codec: one or the other counts.
    """

    device: str
    measured_at: int
    data: bytes
    port: int | None = None
    decoded: tuple[Reading | Refused, ...] = ()


Item: TypeAlias = Reading | Raw | Refused


@dataclass(slots=True)
class Snapshot:
    """What one device measured at one time, without units: its readings are made only for who asks
    for them one by one.
    """

    device: str
    measured_at: int
    values: Mapping[str, float]

    def __iter__(self) -> Iterator[Reading]:
        at = self.measured_at
        return (Reading(self.device, name, at, value) for name, value in self.values.items())

    def __len__(self) -> int:
        return len(self.values)


class Decoded(NamedTuple):
    """What a message holds, in order of time; `epoch` and `seq` only where the gateway counts."""

    items: Sequence[Item] | Snapshot
    epoch: str | None = None
    seq: int | None = None


# Raises DecodeError or msgspec.MsgspecError, and nothing else, when a message is refused whole.
Dialect: TypeAlias = Callable[[Incoming], Decoded]


def parse(decoder: msgspec.json.Decoder[T], payload: bytes | str) -> T:
    """The payload as the decoder's type.

    Raises:
        msgspec.MsgspecError: the JSON is broken or of another shape.
        DecodeError: it is no UTF-8, or nested deeper than can be read.
    """
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError:
        raise
    except RecursionError as error:
        raise DecodeError(Refusal.TOO_DEEP, "nested too deep") from error
    except ValueError as error:  # UnicodeError among them
        raise DecodeError(Refusal.NOT_JSON, str(error)) from error


def too_many() -> DecodeError:
    """The refusal of a message with more than `MOST_ITEMS`."""
    return DecodeError(Refusal.TOO_LARGE, f"more than {MOST_ITEMS} values")


def in_order(items: Iterable[Item]) -> list[Item]:
    """Items by time, those of one time as they came; what was refused comes first."""
    return sorted(items, key=lambda item: 0 if isinstance(item, Refused) else item.measured_at)


def topic_levels(incoming: Incoming, least: int, form: str) -> list[str]:
    """The levels of the topic.

    Raises:
        DecodeError: there are fewer than `least`, or an empty one; `form` says what is due.
    """
    levels = incoming.topic.split("/")
    if len(levels) < least or not all(levels):
        raise DecodeError(Refusal.UNKNOWN_TOPIC, f"the topic should be {form}")
    return levels
