"""Messages, what becomes of them, and how far they are counted. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Refusal(StrEnum):
    """Why an item was quarantined: the closed list of design, used in rows, metrics and API."""

    CONFLICT = "conflict"
    INTERNAL_ERROR = "internal-error"
    MISSING = "missing"
    NOT_A_NUMBER = "not-a-number"
    NOT_JSON = "not-json"
    QUOTA = "quota"
    RETAINED = "retained"
    TIME_IN_FUTURE = "time-in-future"
    TIME_INVALID = "time-invalid"
    TIME_TOO_OLD = "time-too-old"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_PARAMETER = "unknown-parameter"
    UNKNOWN_PAYLOAD = "unknown-payload"
    UNKNOWN_TOPIC = "unknown-topic"
    UNKNOWN_UNIT = "unknown-unit"
    WRONG_GATEWAY = "wrong-gateway"
    WRONG_SHAPE = "wrong-shape"


class Message(NamedTuple):
    """One MQTT message as it came; (generation, mid) is its acknowledgement token."""

    topic: bytes
    payload: bytes
    received_at: int
    qos: int = 0
    mid: int = 0
    generation: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Items of one message that share a reason: kept with the raw bytes, counted as `items`;
    `device` where they are all of one that is known by name.
    """

    received_at: int
    gateway: str
    topic: str
    reason: Refusal
    detail: str
    payload: bytes
    items: int = 1
    device: str | None = None


class RefusedItem(NamedTuple):
    """One item of a batch that was refused: the number of its message, its own number among the
    message's items in order of time (None for a message that could not be decoded), and why.
    """

    message: int
    item: int | None
    reason: Refusal
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the messages that were settled, once it is committed."""

    stored: int = 0
    duplicate: int = 0
    refused: Sequence[RefusedItem] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The conservation counters: received = stored + duplicate + quarantined, always."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0


Counter: TypeAlias = tuple[str, str]  # gateway and epoch: who counts, and since which restart


class Range(NamedTuple):
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one epoch of one gateway stands.

    `ahead` are the settled numbers beyond the first gap, sorted, apart from each other;
    `gap_since` is when that gap was first seen, µs; `lost` counts what was written off.
    """

    through: int = 0
    ahead: tuple[Range, ...] = ()
    gap_since: int | None = None
    lost: int = 0

    @property
    def gaps(self) -> tuple[Range, ...]:
        """The numbers that are missing.

        >>> Progress(through=4, ahead=(Range(7, 9), Range(12, 12))).gaps
        (Range(first=5, last=6), Range(first=10, last=11))
        """
        before = [self.through, *(r.last for r in self.ahead)]
        return tuple(
            Range(last + 1, following.first - 1)
            for last, following in zip(before, self.ahead, strict=False)
        )
