"""Thousands of gateways on one thread: for each a real MQTT client, for all one selector.

paho brings the protocol and no thread: its external-loop calls read and write when the selector
says so. Connecting is done here, since paho's own waits for the broker and would hold up the rest;
of paho's private names one is used, `Client._create_socket`.

Nothing happens but inside `turn` and what calls it, so a fleet needs no locks. Whoever owns one
calls `turn` at least every few seconds, or the broker takes its gateways for dead.
"""

import heapq
import random
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from errno import EINPROGRESS
from itertools import count
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.gateways import Gateway, Outgoing, Sample

WINDOW = 40  # messages of a gateway that wait for the broker's acknowledgement at most
MOST_CONNECTING = 100  # gateways at a time: brokers have a short queue before their door
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 60
LONGEST_DELAY = 5.0
LOOK_SECONDS = 1.0  # between two looks at what has no receipt
GOODBYE_SECONDS = 2.0
_SPARE_FILES = 64  # beside the sockets of the gateways


class Place(NamedTuple):
    """Where a broker is."""

    host: str
    port: int


class Fleet:
    """Gateways that report to one broker, each with its own credential: its id is its user name and
    client id. They connect, and come back, by themselves.
    """

    def __init__(
        self, broker: Place, gateways: Iterable[Gateway], passwords: Mapping[str, str]
    ) -> None:
        self._broker = broker
        self._selector = selectors.DefaultSelector()
        self._links = {g.id: _Link(g, passwords.get(g.id), self._selector) for g in gateways}
        self._order = count()
        self._due = [(0.0, next(self._order), link) for link in self._links.values()]
        self._connecting: set[_Link] = set()
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

    def _tend(self, link: "_Link") -> None:
        """Note that a link is up, or have it try again after a while."""
        if link.in_session or not link.is_open:
            self._connecting.discard(link)
        if link.is_open or link.due or self._closing:
            return
        link.due = True
        at = time.monotonic() + delay(link.attempts, random.random())
        heapq.heappush(self._due, (at, next(self._order), link))


class _Client(mqtt.Client):
    """paho over a socket that is connected already."""

    given: socket.socket

    def _create_socket(self) -> socket.socket:
        return self.given


class _Link:
    """The connection of one gateway, when there is one."""

    def __init__(
        self, gateway: Gateway, password: str | None, selector: selectors.BaseSelector
    ) -> None:
        self.gateway = gateway
        self.in_session = False
        self.sessions = 0
        self.attempts = 0  # that failed, one after the other
        self.refusal = ""
        self.due = True  # it waits for its turn to connect
        self._selector = selector
        self._half: socket.socket | None = None  # on its way to the broker
        self._deadline = 0.0  # of a connection that is not in session yet
        self._interest = 0
        self._underway: dict[int, Outgoing] = {}  # without the broker's acknowledgement, by its id
        self._goodbye: int | None = None
        self._client = self._make_client(password)

    def _make_client(self, password: str | None) -> _Client:
        gateway = self.gateway
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=gateway.id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        if password is not None:
            client.username_pw_set(gateway.id, password)
        if gateway.manner.has_receipts:
            client.will_set(gateway.topic("up", "status"), gateway.status(online=False), qos=1)
        client.max_inflight_messages_set(WINDOW + 2)  # and a status or two
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_close = self._on_socket_close
        return client

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, or one on its way."""
        return self._half is not None or self._client.socket() is not None

    def open(self, broker: Place, now: float) -> None:
        """Begin to connect."""
        self.due = False
        self.attempts += 1
        self._deadline = now + CONNECT_SECONDS
        try:
            (family, kind, *_, address), *_ = socket.getaddrinfo(*broker, type=socket.SOCK_STREAM)
            half = socket.socket(family, kind)
        except OSError:  # the name is unknown now, or there are no more sockets
            return
        half.setblocking(False)
        if half.connect_ex(address) not in {0, EINPROGRESS}:
            half.close()
            return
        self._half = half
        self._selector.register(half, selectors.EVENT_WRITE, self)

    def serve(self, events: int, now: float) -> None:
        """The selector says that something can be read or written."""
        if self._half is not None:
            self._greet(self._half)
            return
        if events & selectors.EVENT_READ:
            self._client.loop_read()
        if events & selectors.EVENT_WRITE and self._client.socket() is not None:
            self._client.loop_write()
        self.flush(now)

    def flush(self, now: float) -> None:
        """Hand paho what the window allows, and watch for what is needed next."""
        while self.in_session and len(self._underway) < WINDOW:
            message = self.gateway.next(now)
            if message is None:
                break
            sent = self._client.publish(message.topic, message.body, qos=1)
            self._underway[sent.mid] = message
        self._watch()

    def look(self, now: float) -> None:
        """What is due from time to time: pings, what has no receipt, an end to vain attempts."""
        if not self.in_session:
            if self.is_open and now > self._deadline:
                self.close()
            return
        self._client.loop_misc()
        self.gateway.look(now)
        self.flush(now)

    def say_goodbye(self) -> None:
        """Tell that it goes, and close when the broker has heard that."""
        if not self.in_session:
            self.close()
        elif self.gateway.manner.has_receipts:
            self._goodbye = self._publish_status(online=False)
            self._watch()
        else:
            self._client.disconnect()

    def close(self) -> None:
        """End the connection at once, without a word."""
        if self._half is not None:
            self._selector.unregister(self._half)
            self._half.close()
            self._half = None
        if self._client.socket() is not None:
            with suppress(OSError):
                self._client.given.shutdown(socket.SHUT_RDWR)
        while self._client.socket() is not None:
            self._client.loop_read()  # until paho finds it closed, and closes its own end

    def _greet(self, half: socket.socket) -> None:
        """The broker's door is open, or nobody is there."""
        self._selector.unregister(half)
        self._half = None
        if half.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            half.close()
            return
        self._client.given = half
        self._client.connect_async("broker", 1883, KEEPALIVE_SECONDS)  # a name that paho asks for
        self._client.reconnect()
        self._watch()

    def _watch(self) -> None:
        """Tell the selector what paho waits for."""
        open_socket = self._client.socket()
        if open_socket is None:
            return
        writes = selectors.EVENT_WRITE if self._client.want_write() else 0
        interest = selectors.EVENT_READ | writes
        if not self._interest:
            self._selector.register(open_socket, interest, self)
        elif interest != self._interest:
            self._selector.modify(open_socket, interest, self)
        self._interest = interest

    def _publish_status(self, *, online: bool) -> int:
        body = self.gateway.status(online=online)
        return self._client.publish(self.gateway.topic("up", "status"), body, qos=1).mid

    # --- what paho calls ---

    def _on_connect(self, client: mqtt.Client, _d: Any, _f: Any, code: ReasonCode, _p: Any) -> None:
        if code.is_failure:
            self.refusal = str(code)
            return
        self.refusal, self.attempts, self.in_session = "", 0, True
        self.sessions += 1
        if self.gateway.manner.has_receipts:
            client.subscribe(self.gateway.topic("down", "receipt"), qos=1)
            self._publish_status(online=True)
        if self.sessions > 1:
            self.gateway.came_back({message.seq for message in self._underway.values()})

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.gateway.receipt(message.payload, time.monotonic())

    def _on_publish(self, client: mqtt.Client, _data: Any, mid: int, _code: Any, _p: Any) -> None:
        if (message := self._underway.pop(mid, None)) is not None:
            self.gateway.acknowledged(message)
        elif mid == self._goodbye:
            client.disconnect()

    def _on_socket_close(self, _client: mqtt.Client, _data: Any, closed: Any) -> None:
        self.in_session = False
        if self._interest:
            self._interest = 0
            self._selector.unregister(closed)


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
