"""The socket under paho: it takes the messages out of the stream before paho sees them.

paho 2.2 spends 20 to 40 µs of the interpreter's lock on each message: a select, four reads, a dozen
locks and objects, then a wake-up and a write for each acknowledgement. Here it is about 2 µs: one
read brings hundreds of messages, one write acknowledges a whole batch. Everything else of MQTT
stays paho's: connecting, subscribing, refusals, and whatever packet is not a plain message.

Of paho's private names this file uses one, `Client._create_socket`; what that returns need only be
paho's own `SocketLike` (recv, send, close, fileno, setblocking).
"""

import ssl
import struct
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.messages import Message
from ingest.tls import TlsTransport

_READ_BYTES = 256 * 1024
_PUBACK = 0x4002 << 16  # the first two of its four bytes; the last two are the message's id
_DUPLICATE = 0x08
# First bytes of PUBLISH at QoS 0 and 1, with and without the duplicate and the retain flag. QoS 2
# cannot come, since we subscribe at QoS 1; paho would answer it.
_MESSAGES = frozenset({0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3A, 0x3B})


class Transport(Protocol):
    """What is needed of a connected, non-blocking socket."""

    def recv(self, most: int, /) -> bytes: ...
    def send(self, data: bytes | bytearray, /) -> int: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...


class MessageSocket:
    """One connection: messages go to `deliver`, the other packets to paho, acknowledgements out.

    Everything runs on the network thread, but for `acknowledge`, which any thread may call. A
    message that comes again on the same connection while we still hold it is not delivered twice:
    nats-server repeats after its `ack_wait` what we have not acknowledged yet.
    """

    def __init__(
        self,
        transport: Transport,
        generation: int,
        deliver: Callable[[Message], None],
        clock: Callable[[], int],
        latest: int = 0,
    ) -> None:
        self.generation = generation
        self.latest = latest  # newest received_at so far: the next is later
        self.pending = False  # whole packets may wait behind the one that paho has: read again
        self._transport = transport
        self._deliver = deliver
        self._clock = clock
        self._received = b""  # ends in a part of a packet, or begins with what is still to split
        self._for_paho = b""  # one packet
        self._held: set[int] = set()
        self._acks: deque[bytes] = deque()
        self._unsent = bytearray()

    # --- what paho calls ---

    def recv(self, most: int) -> bytes:
        """The next bytes that are paho's; messages before them are delivered on the way.

        Raises:
            BlockingIOError: nothing for paho in what was read.
            ConnectionError: the stream is no MQTT.
        """
        if not self._for_paho:
            if not self.pending:
                read = self._transport.recv(_READ_BYTES)
                if not read:
                    return b""  # closed by the broker: paho knows what it means
                self._received += read
            self._split()
            if not self._for_paho:
                raise BlockingIOError
        taken, self._for_paho = self._for_paho[:most], self._for_paho[most:]
        return taken

    def send(self, data: bytes | bytearray) -> int:
        """Take all of `data`, so that no packet is ever cut in two by an acknowledgement."""
        self.flush()
        self._unsent += data
        self.flush()
        return len(data)

    def close(self) -> None:
        self._transport.close()

    def fileno(self) -> int:
        return self._transport.fileno()

    def setblocking(self, flag: bool) -> None:
        self._transport.setblocking(flag)

    # --- what the listener calls ---

    def acknowledge(self, mids: Collection[int]) -> None:
        """Queue a PUBACK for each message id of this connection, in that order; `flush` writes."""
        self._held.difference_update(mids)
        self._acks.append(struct.pack(f"!{len(mids)}I", *[_PUBACK | mid for mid in mids]))

    @property
    def unsent(self) -> bool:
        """Whether the network did not take all of what `flush` tried to write."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Write what the network takes now. Raises OSError when the connection is lost."""
        while self._acks:
            self._unsent += self._acks.popleft()
        if self._unsent:
            try:
                del self._unsent[: self._transport.send(self._unsent)]
            except BlockingIOError:
                return

    def drop(self) -> bool:
        """Throw away what has arrived; False once the broker has closed the connection."""
        try:
            return bool(self._transport.recv(_READ_BYTES))
        except BlockingIOError:
            return True

    def _split(self) -> None:
        """Deliver the messages at the head of what was received, up to a packet that is paho's."""
        data, deliver, held, generation = self._received, self._deliver, self._held, self.generation
        position, stamp = 0, max(self.latest, self._clock() - 1)
        self.pending = False
        try:
            while (frame := _frame(data, position)) is not None:
                (body, end), first = frame, data[position]
                if first not in _MESSAGES:
                    self._for_paho, self.pending, position = data[position:end], True, end
                    return
                position = end
                topic_end = body + 2 + int.from_bytes(data[body : body + 2])
                qos = first >> 1 & 3
                payload = topic_end + 2 * qos  # at QoS 1 the message id stands between
                if payload > end:
                    raise ConnectionError("the broker sent a message that ends before its payload")
                mid = int.from_bytes(data[topic_end:payload])
                if qos:
                    if first & _DUPLICATE and mid in held:
                        continue
                    held.add(mid)
                stamp += 1
                topic, retain = data[body + 2 : topic_end], first & 1 == 1
                deliver(Message(topic, data[payload:end], stamp, qos, mid, generation, retain))
        finally:
            self._received, self.latest = data[position:], stamp


def _frame(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the body of the packet at `start` begins and ends; None while it is not all there.

    Raises:
        ConnectionError: its length is written with more than four bytes.
    """
    try:
        length, body = data[start + 1], start + 2
        if length > 0x7F:  # seven bits a byte, the lowest first; the eighth says that more follow
            length &= 0x7F
            for shift in (7, 14, 21):
                byte = data[body]
                body += 1
                length |= (byte & 0x7F) << shift
                if byte <= 0x7F:
                    break
            else:
                raise ConnectionError("the broker sent a packet whose length makes no sense")
    except IndexError:
        return None
    end = body + length
    return (body, end) if end <= len(data) else None


class MessageClient(Client):
    """paho with a `MessageSocket` under it, counting its connections from 1.

    The session stays at the broker (fixed `client_id`, no clean session). Connecting again, with
    `open`, is up to the caller.
    """

    def __init__(
        self, client_id: str, deliver: Callable[[Message], None], clock: Callable[[], int]
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        # What we publish waits for none before it: its acknowledgements stand behind messages that
        # we read late when there is much to do, and 20 receipts in that time are too few.
        self.max_inflight_messages_set(0)
        self.stream: MessageSocket | None = None  # of the newest connection
        self._to_deliver = deliver
        self._clock_of_messages = clock

    def open(self) -> MessageSocket:
        """Send CONNECT on a new connection. Raises OSError when there is nobody to connect to."""
        self.reconnect()
        stream = self.socket()
        if not isinstance(stream, MessageSocket):
            raise TypeError("this version of paho takes its socket from elsewhere")
        return stream

    def _create_socket(self) -> MessageSocket:
        generation, latest = 1, 0
        if self.stream is not None:
            generation, latest = self.stream.generation + 1, self.stream.latest
        transport: Transport = super()._create_socket()
        if isinstance(transport, ssl.SSLSocket):
            transport = TlsTransport(transport)
        self.stream = MessageSocket(
            transport, generation, self._to_deliver, self._clock_of_messages, latest
        )
        return self.stream
