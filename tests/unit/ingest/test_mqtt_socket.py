"""Packets in, messages out: whatever the cuts, whatever paho does with the rest."""

import inspect
import socket
import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from paho.mqtt.client import Client

from core.messages import Message
from ingest.mqtt_socket import MessageClient, MessageSocket

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
PINGRESP = b"\xd0\x00"
NOW = 1_795_305_600_000_000
TOPIC = b"andaman/v1/gw-1/up/readings"


def packet(
    payload: bytes, mid: int = 0, *, topic: bytes = TOPIC, dup: bool = False, retain: bool = False
) -> bytes:
    """A PUBLISH: at QoS 1 when it has a message id."""
    body = struct.pack("!H", len(topic)) + topic
    body += (struct.pack("!H", mid) if mid else b"") + payload
    length, rest = b"", len(body)
    while not length or rest:
        rest, low = divmod(rest, 128)
        length += bytes([low | (0x80 if rest else 0)])
    return bytes([0x30 | dup << 3 | bool(mid) << 1 | retain]) + length + body


class Wire:
    """A transport that gives what a test has put in, piece by piece."""

    def __init__(self, pieces: Iterable[bytes] = (), takes: int = 1_000_000) -> None:
        self.pieces = list(pieces)
        self.takes = takes  # bytes at a time; 0 blocks
        self.sent = b""

    def recv(self, most: int) -> bytes:
        if not self.pieces:
            raise BlockingIOError
        assert len(self.pieces[0]) <= most
        return self.pieces.pop(0)

    def send(self, data: bytes | bytearray) -> int:
        if not self.takes:
            raise BlockingIOError
        self.sent += data[: self.takes]
        return min(len(data), self.takes)

    def close(self) -> None: ...

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None: ...


class Tap:
    """A message socket, what it delivers, and what it leaves to paho."""

    def __init__(self, *pieces: bytes, takes: int = 1_000_000, latest: int = 0) -> None:
        self.wire = Wire(pieces, takes)
        self.heard: list[Message] = []
        self.now = NOW
        self.socket = MessageSocket(self.wire, 7, self.heard.append, lambda: self.now, latest)

    def read_all(self) -> bytes:
        """As paho reads: a byte for the kind, a byte of length, the rest; until nothing is left."""
        for_paho = b""
        while self.wire.pieces or self.socket.pending:
            for most in (1, 1, 100):
                try:
                    for_paho += self.socket.recv(most)
                except BlockingIOError:
                    break
        return for_paho

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]


PAYLOADS = (b"", b"{}", b"x" * 95, b"x" * 96, b"x" * 97, b"y" * 300, b"\x32\x00\x20\x02")
STREAM = b"".join(
    [
        CONNACK,
        packet(PAYLOADS[0], 1),
        packet(PAYLOADS[1]),
        SUBACK,
        PINGRESP,
        *[packet(payload, mid) for mid, payload in enumerate(PAYLOADS[2:], start=2)],
        PINGRESP,
    ]
)


def test_it_splits_a_stream_that_is_cut_anywhere() -> None:
    for cut in range(1, len(STREAM)):
        tap = Tap(STREAM[:cut], STREAM[cut:])
        assert tap.read_all() == CONNACK + SUBACK + PINGRESP + PINGRESP, f"cut at {cut}"
        assert tap.payloads == list(PAYLOADS), f"cut at {cut}"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_it_splits_a_stream_that_comes_in_small_pieces(size: int) -> None:
    tap = Tap(*[STREAM[i : i + size] for i in range(0, len(STREAM), size)])
    assert tap.read_all() == CONNACK + SUBACK + PINGRESP + PINGRESP
    assert tap.payloads == list(PAYLOADS)


@pytest.mark.parametrize("length", [16_383, 16_384, 70_000, 2_097_152])
def test_it_reads_every_length_that_mqtt_can_write(length: int) -> None:
    whole = packet(b"z" * (length - 2 - len(TOPIC) - 2), 1)
    tap = Tap(*[whole[i : i + 200_000] for i in range(0, len(whole), 200_000)], PINGRESP)
    assert tap.read_all() == PINGRESP
    assert [len(payload) for payload in tap.payloads] == [length - 2 - len(TOPIC) - 2]


def test_it_delivers_every_field_of_a_message() -> None:
    tap = Tap(packet(b"a", 0x1234, topic=b"not/\xff/utf-8", retain=True) + packet(b"b"))
    tap.read_all()
    assert tap.heard == [
        Message(b"not/\xff/utf-8", b"a", NOW, qos=1, mid=0x1234, generation=7, retain=True),
        Message(TOPIC, b"b", NOW + 1, generation=7),
    ]


def test_it_hands_paho_what_came_before_a_message_first() -> None:
    tap = Tap(CONNACK + packet(b"a", 1))
    assert tap.socket.recv(4) == CONNACK
    assert tap.heard == []
    tap.read_all()
    assert tap.payloads == [b"a"]


def test_it_stamps_strictly_later_though_the_clock_stands_still_or_goes_back() -> None:
    tap = Tap(packet(b"a", 1) + packet(b"b", 2), packet(b"c", 3), packet(b"d", 4), latest=NOW + 5)
    tap.read_all()
    tap.now -= 1_000_000
    tap.wire.pieces.append(packet(b"e", 5))
    tap.read_all()
    stamps = [message.received_at for message in tap.heard]
    assert stamps[0] == NOW + 6
    assert all(before < after for before, after in pairwise(stamps))
    assert tap.socket.latest == stamps[-1]


def test_it_ignores_a_repetition_of_what_it_holds() -> None:
    tap = Tap(packet(b"a", 1) + packet(b"a", 1, dup=True) + packet(b"b", 2))
    tap.read_all()
    assert tap.payloads == [b"a", b"b"]


def test_it_takes_a_repetition_of_what_it_has_acknowledged_or_never_had() -> None:
    tap = Tap(packet(b"a", 1), packet(b"b", 2, dup=True))
    tap.read_all()
    tap.socket.acknowledge([1])
    tap.wire.pieces.append(packet(b"a", 1, dup=True))
    tap.read_all()
    assert tap.payloads == [b"a", b"b", b"a"]


def test_it_acknowledges_in_order_with_one_write() -> None:
    tap = Tap()
    tap.socket.acknowledge([1, 0x1234])
    tap.socket.acknowledge([3])
    assert tap.wire.sent == b""
    tap.socket.flush()
    assert tap.wire.sent == b"\x40\x02\x00\x01\x40\x02\x12\x34\x40\x02\x00\x03"


def test_it_never_puts_a_packet_into_another() -> None:
    tap = Tap(takes=3)
    tap.socket.acknowledge([1])
    tap.socket.flush()
    assert tap.socket.unsent
    assert tap.socket.send(b"\xc0\x00") == 2
    tap.socket.acknowledge([2])
    for _ in range(4):
        tap.socket.flush()
    assert tap.wire.sent == b"\x40\x02\x00\x01\xc0\x00\x40\x02\x00\x02"


def test_it_keeps_what_a_full_network_does_not_take() -> None:
    tap = Tap(takes=0)
    tap.socket.acknowledge([1])
    tap.socket.flush()
    assert tap.socket.unsent
    tap.wire.takes = 4
    tap.socket.flush()
    assert not tap.socket.unsent


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"\x32\x03\x00\x09a" + PINGRESP, id="topic longer than its packet"),
        pytest.param(b"\x32\x00", id="no topic at all"),
        pytest.param(b"\x32\x03\x00\x01a" + PINGRESP, id="no message id"),
        pytest.param(b"\x30\xff\xff\xff\xff\x01", id="length of five bytes"),
    ],
)
def test_it_gives_up_a_connection_that_makes_no_sense(broken: bytes) -> None:
    tap = Tap(packet(b"a", 1) + broken)
    with pytest.raises(ConnectionError):
        tap.read_all()
    assert tap.payloads == [b"a"]


def test_it_reports_the_end_as_paho_expects_it() -> None:
    tap = Tap(packet(b"a", 1), b"")
    with pytest.raises(BlockingIOError):
        tap.socket.recv(1)
    assert tap.socket.recv(1) == b""


def test_paho_still_takes_its_socket_from_the_one_private_method_that_we_replace() -> None:
    assert list(inspect.signature(Client._create_socket).parameters) == ["self"]
    heard: list[Message] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        client = MessageClient("test", heard.append, lambda: NOW)
        client.connect_async(*server.getsockname())
        stream = client.open()
        broker, _ = server.accept()
        with broker:
            broker.sendall(CONNACK + packet(b"a", 1) + SUBACK)
            stream.setblocking(True)
            client.loop_read()
            while stream.pending:
                client.loop_read()
        stream.close()
    assert client.is_connected()
    assert [(message.payload, message.generation) for message in heard] == [(b"a", 1)]
