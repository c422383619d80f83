"""How much a gateway may send, and how it is told of more: by later receipts, never by a loss.

A token bucket for each gateway: so many messages a second, and after a rest as many at once as that
makes in `burst_seconds`. What comes above it is taken and stored as always. Its receipt waits until
the bucket allows it, so a gateway that keeps what has no receipt sends no faster than its rate; one
that pushes over HTTP is asked to come again. Broker and other gateways notice nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.access import Throttle
from core.times import SECOND

MOST_WAIT = 10 * SECOND  # of a receipt: a gateway that sent again what waits would only add to it
_MOST_BUCKETS = 10_000  # names come with topics, so anybody may think of new ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`per_second` messages, and after a rest `burst_seconds` worth of them at once."""

    per_second: float
    burst_seconds: float


def taken(full_at: int, messages: int, now: int, limit: Limit) -> int:
    """When a bucket is full again (µs) after `messages` at `now`; before them it was `full_at`.

    That one number is the whole bucket. It may go into debt, for `MOST_WAIT` at most.

    >>> taken(0, 30, 5 * SECOND, Limit(per_second=10, burst_seconds=60)) // SECOND
    8
    """
    later = max(full_at, now) + round(messages * SECOND / limit.per_second)
    return min(later, now + round(limit.burst_seconds * SECOND) + MOST_WAIT)


def wait(full_at: int, now: int, limit: Limit) -> int:
    """How long the bucket is in debt, µs; 0 while it is not.

    >>> ten = Limit(per_second=10, burst_seconds=60)
    >>> wait(taken(0, 600, 0, ten), 0, ten), wait(taken(0, 620, 0, ten), 0, ten) // SECOND
    (0, 2)
    """
    return max(0, full_at - now - round(limit.burst_seconds * SECOND))


def room(full_at: int, now: int, limit: Limit) -> int:
    """How many messages the bucket allows at once.

    >>> ten = Limit(per_second=10, burst_seconds=60)
    >>> room(taken(0, 570, 0, ten), 0, ten), room(taken(0, 620, 0, ten), 0, ten)
    (30, 0)
    """
    left = limit.burst_seconds * SECOND - max(0, full_at - now)
    return max(0, int(left * limit.per_second / SECOND))


class Limits:
    """The buckets of all gateways. One thread takes, any may look."""

    def __init__(self, usual: Limit, own: Mapping[str, float]) -> None:
        """`own` are the rates of gateways that have one of their own."""
        self._usual = usual
        self._own = {
            name: Limit(per_second=rate, burst_seconds=usual.burst_seconds)
            for name, rate in own.items()
        }
        self._full_at: dict[str, int] = {}
        self._beyond: Counter[str] = Counter()

    def take(self, gateways: Iterable[str], now: int) -> dict[str, int]:
        """The gateway of each message that came at `now`; of those that are above their rate, when
        their receipts may go out, µs.
        """
        if len(self._full_at) > _MOST_BUCKETS:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}
        held: dict[str, int] = {}
        for name, messages in Counter(gateways).items():
            limit = self._own.get(name, self._usual)
            before = self._full_at.get(name, 0)
            self._full_at[name] = full_at = taken(before, messages, now, limit)
            if longer := wait(full_at, now, limit):
                held[name] = now + longer
                self._beyond[name] += messages - min(messages, room(before, now, limit))
        return held

    def of(self, gateway: str, now: int) -> Throttle:
        """How a gateway stands."""
        limit = self._own.get(gateway, self._usual)
        return Throttle(
            messages_per_second=limit.per_second,
            beyond=self._beyond[gateway],
            wait=wait(self._full_at.get(gateway, 0), now, limit),
        )
