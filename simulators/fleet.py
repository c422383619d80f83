"""Thousands of gateways on one thread: for each a real MQTT client, for all one selector.

Nothing happens but inside `turn` and what calls it, so a fleet needs no locks. Whoever owns one
calls `turn` at least every few seconds, or the broker takes its gateways for dead.
"""

import heapq
import random
import resource
import selectors
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from simulators.gateways import Gateway, Sample
from simulators.links import Link, Place

__all__ = ["Fleet", "Place"]

MOST_CONNECTING = 100  # gateways at a time: brokers have a short queue before their door
LONGEST_DELAY = 5.0
LOOK_SECONDS = 1.0  # between two looks at what has no receipt
GOODBYE_SECONDS = 2.0
_SPARE_FILES = 64  # beside the sockets of the gateways


class Fleet:
    """Gateways that report to one broker, each with its own credential: its id is its user name and
    client id. They connect, and come back, by themselves.
    """

    def __init__(
        self, broker: Place, gateways: Iterable[Gateway], passwords: Mapping[str, str]
    ) -> None:
        self._broker = broker
        self._selector = selectors.DefaultSelector()
        self._links = {g.id: Link(g, passwords.get(g.id), self._selector) for g in gateways}
        self._order = count()
        self._due = [(0.0, next(self._order), link) for link in self._links.values()]
        self._connecting: set[Link] = set()
        self._looked = 0.0
        self._closing = False
        _allow_files(len(self._links) + _SPARE_FILES)

    @property
    def gateways(self) -> Sequence[Gateway]:
        """All of them."""
        return [link.gateway for link in self._links.values()]

    @property
    def connected(self) -> int:
        """How many are in session."""
        return sum(link.in_session for link in self._links.values())

    @property
    def connections(self) -> int:
        """How many sessions began so far."""
        return sum(link.sessions for link in self._links.values())

    @property
    def refusals(self) -> Mapping[str, str]:
        """What the broker said to gateways that it does not let in."""
        return {name: link.refusal for name, link in self._links.items() if link.refusal}

    @property
    def settled(self) -> bool:
        """Whether every message of every gateway is settled."""
        return all(link.gateway.settled for link in self._links.values())

    def room(self, gateway: str) -> int:
        """How many messages a gateway takes before it drops one."""
        return self._links[gateway].gateway.room

    def send(self, gateway: str, samples: Sequence[Sample]) -> None:
        """Let a gateway report; it keeps what cannot go out yet."""
        link = self._links[gateway]
        link.gateway.take(samples)
        link.flush(time.monotonic())
        self._tend(link)

    def turn(self, seconds: float) -> None:
        """Do what there is to do on the network; wait for it no longer than that."""
        self._connect(time.monotonic())
        wait = min(seconds, LOOK_SECONDS)
        if self._due and len(self._connecting) < MOST_CONNECTING:
            wait = min(wait, max(0.0, self._due[0][0] - time.monotonic()))
        ready = self._selector.select(wait)
        now = time.monotonic()
        for key, events in ready:
            key.data.serve(events, now)
            self._tend(key.data)
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            for link in self._links.values():
                link.look(now)
                self._tend(link)

    def attend(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Take turns for so long, or until something is the case; whether it came to be."""
        end = time.monotonic() + seconds
        while not (reached := until()) and (left := end - time.monotonic()) > 0:
            self.turn(min(left, 0.1))
        return reached

    def close(self) -> None:
        """Let all say goodbye, as far as the broker listens, and end their connections."""
        self._closing = True
        self._due.clear()
        for link in self._links.values():
            link.say_goodbye()
        self.attend(GOODBYE_SECONDS, lambda: not self.connected)
        for link in self._links.values():
            link.close()
        self._selector.close()

    def _connect(self, now: float) -> None:
        while self._due and self._due[0][0] <= now and len(self._connecting) < MOST_CONNECTING:
            link = heapq.heappop(self._due)[2]
            link.open(self._broker, now)
            self._connecting.add(link)
            self._tend(link)

    def _tend(self, link: Link) -> None:
        """Note that a link is up, or have it try again after a while."""
        if link.in_session or not link.is_open:
            self._connecting.discard(link)
        if link.is_open or link.due or self._closing:
            return
        link.due = True
        at = time.monotonic() + delay(link.attempts, random.random())
        heapq.heappush(self._due, (at, next(self._order), link))


def delay(attempts: int, chance: float) -> float:
    """Seconds before the next try after so many in vain; `chance` in [0, 1) spreads it.

    >>> [delay(attempts, 0.5) for attempts in (0, 1, 2, 3, 99)]
    [0.375, 0.75, 1.5, 3.0, 3.75]
    """
    return float(min(LONGEST_DELAY, 0.5 * 2.0 ** min(attempts, 10)) * (0.5 + chance / 2))


def _allow_files(wanted: int) -> None:
    """Raise our own limit of open files as far as we may; what is missing shows as failures."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
