"""The connection of one simulated gateway to its broker: paho's protocol, without a thread.

paho's external-loop calls read and write when a selector says so. Connecting is done here, since
paho's own waits for the broker and would hold up the other gateways; of paho's private names one
is used, `Client._create_socket`.
"""

import selectors
import socket
import time
from contextlib import suppress
from errno import EINPROGRESS
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.gateways import Gateway, Outgoing

WINDOW = 40  # messages of a gateway that wait for the broker's acknowledgement at most
CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 60


class Place(NamedTuple):
    """Where a broker is."""

    host: str
    port: int


class _Client(mqtt.Client):
    """paho over a socket that is connected already."""

    given: socket.socket

    def _create_socket(self) -> socket.socket:
        return self.given


class Link:
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
            underway = {message.seq for message in self._underway.values()}
            self.gateway.came_back(underway, time.monotonic())

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
