"""Who may do what, and how much of it: roles, refusals of the broker, rates."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a key may do."""

    VIEWER = "viewer"
    OFFICER = "officer"
    ADMIN = "admin"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How a gateway stands to the rate that it may send at: how many messages came above it since
    the start, and how long (µs) until it is within its rate again, 0 while it is.
    """

    messages_per_second: float
    beyond: int
    wait: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """How often the broker refused something to a gateway since our start; `last` is when, µs."""

    publishes: int = 0
    subscriptions: int = 0
    logins: int = 0
    last: int | None = None
