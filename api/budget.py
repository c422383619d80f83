"""How often something may be done: what nobody needs a key for, and what sends a message."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from starlette.requests import Request

from api.problems import ApiError
from core.times import DAY, HOUR, MINUTE, SECOND

_MOST_NAMES = 10_000  # beyond so many at once the longest silent are forgotten


@dataclass(slots=True)
class Budget:
    """At most `most` times within `window` µs, for each name by itself. It is kept in memory alone;
    used on the event loop, by one task at a time.
    """

    most: int
    window: int
    _times: dict[Hashable, deque[int]] = field(default_factory=dict)

    def spend(self, name: Hashable, now: int) -> int:
        """Take one; 0, or how long to wait, µs, where there is none."""
        times = self._times.pop(name, deque())
        self._times[name] = times  # the newest last
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.most:
            return times[0] + self.window - now
        times.append(now)
        if len(self._times) > _MOST_NAMES:
            del self._times[next(iter(self._times))]
        return 0

    def require(self, name: Hashable, now: int) -> None:
        """Take one.

        Raises:
            ApiError: there is none; it says when there is.
        """
        if wait := self.spend(name, now):
            retry = {"Retry-After": str(-(-wait // SECOND))}
            raise ApiError("too-many", "That was often enough; try again later.", headers=retry)


@dataclass(slots=True)
class Doors:
    """How often what sends a message or needs no key may be done. `caller`, `everybody` and
    `address` are about signing up, `answers` about following a link, `tester` and `tested` about
    test messages, by key and by subscriber.
    """

    caller: Budget = field(default_factory=lambda: Budget(most=10, window=HOUR))
    everybody: Budget = field(default_factory=lambda: Budget(most=300, window=HOUR))
    address: Budget = field(default_factory=lambda: Budget(most=3, window=DAY))
    answers: Budget = field(default_factory=lambda: Budget(most=600, window=MINUTE))
    tester: Budget = field(default_factory=lambda: Budget(most=30, window=HOUR))
    tested: Budget = field(default_factory=lambda: Budget(most=1, window=MINUTE))


def doors_of(request: Request) -> Doors:
    """Those of the application that answers."""
    doors: Doors = request.app.state.doors
    return doors


def network_of(host: str | None) -> str:
    """What stands for a caller without a key: with IPv6 the network, since one of them has as many
    addresses as they like.

    >>> network_of("203.0.113.7"), network_of("2001:db8:1:2:3::4"), network_of(None)
    ('203.0.113.7', '2001:db8:1:2::', '')
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
