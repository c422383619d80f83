"""Hop 1 and hop 6: messages from the broker to the pipeline, acknowledgements back to the broker.

A message is acknowledged on the connection that brought it or not at all: every connection is a
generation of its own, and what the broker has not seen acknowledged it sends again.
"""

import logging
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, error_string
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import ConfigError
from core.messages import Message
from ingest.mqtt_socket import MessageClient, MessageSocket
from ingest.tls import Trust

_CONNECT_SECONDS = 3.0
_LOOP_SECONDS = 0.5  # at most, so that an age of the loop beyond a few seconds means a hung thread
_PAUSE_SECONDS = 0.02  # between two looks at the backlog
_LONGEST_DELAY = 30.0
_STEADY_SECONDS = 10.0  # a connection that lived this long was a good one: begin with short delays
_STOP_SECONDS = 2.0
_PINGREQ = b"\xc0\x00"
_DISCONNECT = b"\xe0\x00"
_USER = "the user of ANDAMAN_MQTT_USERNAME"
_NOT_AUTHORISED = "not authorised: check ANDAMAN_MQTT_USERNAME and ANDAMAN_MQTT_PASSWORD"
_REFUSALS = {"Bad user name or password": _NOT_AUTHORISED, "Not authorized": _NOT_AUTHORISED}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerHealth:
    """`connected`: the subscription is granted, since `since` (µs UTC; before, since when not).

    A `loop_age_seconds` beyond a few seconds means a hung thread, whatever `connected` says.
    """

    connected: bool
    thread_alive: bool
    loop_age_seconds: float
    since: int
    last_error: str


class Refused(Exception):  # noqa: N818  it names the answer of the broker
    """The broker is there and says no; the words say what to check."""


class Listener:
    """Subscribes to the `topics` (filters) of all sources, in a thread of its own, from `start` to
    `stop`.

    `deliver` gets every message, on that thread, in order of arrival; `received_at` increases
    strictly. It must not block: while `backlog` says more than `most_backlog` messages, nothing is
    read, and only pings go out. `connected` and `disconnected` are told when the session comes and
    goes (µs UTC), on the same thread. With `trust` the connection is TLS.
    """

    def __init__(  # noqa: PLR0913  every seam by its name
        self,
        *,
        host: str,
        port: int,
        username: str,
        password: str,
        client_id: str,
        topics: Sequence[str],
        deliver: Callable[[Message], None],
        connected: Callable[[int], None],
        disconnected: Callable[[int], None],
        backlog: Callable[[], int],
        clock: Callable[[], int],
        trust: Trust | None = None,
        keepalive_seconds: int = 60,
        most_backlog: int = 20_000,
    ) -> None:
        self._broker = f"MQTT broker {host}:{port}"
        self._topics = tuple(topics)
        self._connected = connected
        self._disconnected = disconnected
        self._backlog = backlog
        self._clock = clock
        self._keepalive = keepalive_seconds
        self._most_backlog = most_backlog
        self._bell, self._rope = socket.socketpair()  # one wakes who waits for the other
        self._stopping = threading.Event()
        self._looped = self._heard = self._pinged = time.monotonic()
        self._in_session = self._subscribed = False
        self._since = clock()
        self._last_error = ""
        self._said = ""  # the problem that the log already tells of
        self._client = MessageClient(client_id, deliver, clock)
        self._client.username_pw_set(username or None, password or None)
        self._trust = trust
        self._tls = trust.context() if trust is not None else None
        if self._tls is not None:
            self._client.tls_set_context(self._tls)
        self._client.connect_timeout = _CONNECT_SECONDS
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_socket_register_write = self._ring
        self._client.connect_async(host, port, keepalive_seconds)  # connects nothing yet
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Connect, and keep trying, in the background."""
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._thread.start()

    def stop(self) -> None:
        """Write the acknowledgements given so far and leave, within 2 s."""
        self._stopping.set()
        self._ring()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._bell.close()
        self._rope.close()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Let the broker forget `messages`, in that order. Any thread may call this.

        Messages of an earlier connection are left out: their ids may by now belong to others, and
        the broker sends them again anyway.
        """
        stream = self._client.stream
        if stream is None:
            return
        mids = [m.mid for m in messages if m.qos and m.generation == stream.generation]
        if mids:
            stream.acknowledge(mids)
            self._ring()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1 while the session is up, else not at all. Any thread may call this."""
        if self._in_session:
            self._client.publish(topic, payload, qos=1)

    @property
    def health(self) -> ListenerHealth:
        return ListenerHealth(
            connected=self._subscribed,
            thread_alive=self._thread.is_alive(),
            loop_age_seconds=time.monotonic() - self._looped,
            since=self._since,
            last_error=self._last_error,
        )

    # --- all that follows runs on the network thread ---

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                try:
                    self._serve()
                finally:
                    self._close()
            except BaseException as error:  # noqa: BLE001  this thread outlives whatever happens
                if not self._stopping.is_set():
                    self._lost(error)
            if time.monotonic() - began > _STEADY_SECONDS:
                attempt = 0
            self._rest(delay(attempt, random.random()))  # noqa: S311  jitter, no secret
            attempt += 1

    def _serve(self) -> None:
        """One connection, from CONNECT until it is lost (raises) or `stop` is called."""
        if self._trust is not None and self._tls is not None:
            self._trust.refresh(self._tls)
        stream = self._client.open()
        self._heard = self._pinged = time.monotonic()
        while not self._stopping.is_set():
            reading = not self._subscribed or self._backlog() <= self._most_backlog
            readable = self._wait(stream, reading)
            if readable:
                self._check(self._client.loop_read())
                while stream.pending:
                    self._check(self._client.loop_read())
            if self._client.want_write():
                self._check(self._client.loop_write())
            stream.flush()
            self._keep_alive(stream, heard=readable or not reading)
        self._leave(stream)

    def _wait(self, stream: MessageSocket, reading: bool) -> bool:
        """Sleep until something is to be done; True when that is reading."""
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        reads, writes = reading and select.POLLIN, stream.unsent and select.POLLOUT
        poll.register(stream, reads | writes)
        ready = dict(poll.poll(1000 * (_LOOP_SECONDS if reading else _PAUSE_SECONDS)))
        if self._bell.fileno() in ready:
            self._bell.recv(4096)
        return bool(ready.get(stream.fileno(), 0) & ~select.POLLOUT)

    def _keep_alive(self, stream: MessageSocket, heard: bool) -> None:
        """Ping, and notice a broker that is silent.

        paho's own check would take a pause of our reading for a silence of the broker.
        """
        self._looped = now = time.monotonic()
        if heard:
            self._heard = now
        if now - self._heard > 0.75 * self._keepalive:
            raise ConnectionError(f"nothing heard for {now - self._heard:.0f} s")
        if self._in_session and now - self._pinged > self._keepalive / 3:
            self._pinged = now
            stream.send(_PINGREQ)

    @staticmethod
    def _check(code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionError(error_string(code))

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            raise Refused(_REFUSALS.get(str(reason), f"refused: {reason}"))
        self._in_session = True
        self._connected(self._clock())
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        granted = [reason.value for reason in reasons]
        granted += [0] * (len(self._topics) - len(granted))
        if refused := [t for t, qos in zip(self._topics, granted, strict=False) if qos != 1]:
            what = ", ".join(refused)
            raise Refused(f"no subscription to {what} at QoS 1: let {_USER} read it")
        self._subscribed = True
        self._since = self._clock()
        self._last_error = self._said = ""
        _log.info("%s: connected", self._broker)

    def _lost(self, error: BaseException) -> None:
        """Note why; tell the log once, until the connection is back or the reason is another."""
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self._last_error = words.rstrip(".")
        defect = not isinstance(error, (OSError, Refused, ConfigError))
        reason = "network" if isinstance(error, OSError) else self._last_error
        if reason != self._said:
            trace = error if defect else None
            _log.warning("%s: %s; trying again", self._broker, self._last_error, exc_info=trace)
        self._said = reason

    def _close(self) -> None:
        if self._client.stream is not None:
            self._client.stream.close()
        if self._in_session:
            self._in_session = self._subscribed = False
            self._since = self._clock()
            self._disconnected(self._since)

    def _leave(self, stream: MessageSocket) -> None:
        """Acknowledgements out, DISCONNECT, and wait for the broker to close.

        Whoever closes first, with messages still unread, resets the connection, and with it the
        acknowledgements that the broker has not read yet.
        """
        with suppress(OSError):
            stream.send(_DISCONNECT)
            end = time.monotonic() + _STOP_SECONDS / 2
            while time.monotonic() < end and (
                not self._wait(stream, reading=True) or stream.drop()
            ):
                stream.flush()

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._looped = time.monotonic()
            if self._stopping.wait(min(left, _LOOP_SECONDS)):
                return

    def _ring(self, *_: object) -> None:
        with suppress(OSError):  # full: it rings already; closed: nobody is there any more
            self._rope.send(b"!")


def delay(attempt: int, chance: float) -> float:
    """Seconds before the next try after `attempt` short-lived ones; `chance` in [0, 1) spreads it.

    >>> [delay(attempt, 0.5) for attempt in (0, 1, 2, 3, 99)]
    [0.375, 0.75, 1.5, 3.0, 22.5]
    """
    return float(min(_LONGEST_DELAY, 0.5 * 2.0 ** min(attempt, 10)) * (0.5 + chance / 2))
