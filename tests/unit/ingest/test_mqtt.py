"""The listener against a broker that the test plays itself, packet by packet."""

import queue
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from core.messages import Message
from ingest.mqtt import Listener, delay

TOPICS = ("andaman/v1/+/up/readings", "tele/+/SENSOR")
NOW = 1_795_305_600_000_000
CONNACK = b"\x20\x02\x00\x00"
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"
DISCONNECT = b"\xe0\x00"
SECONDS = 5  # for what takes milliseconds on an idle machine


def publish(payload: bytes, mid: int = 0) -> bytes:
    """A short PUBLISH: at QoS 1 when it has a message id."""
    body = b"\x00\x01t" + (struct.pack("!H", mid) if mid else b"") + payload
    return bytes([0x32 if mid else 0x30, len(body)]) + body


def pubacks(*mids: int) -> bytes:
    return b"".join(struct.pack("!BBH", 0x40, 2, mid) for mid in mids)


class Connection:
    """The broker's side of one connection; all packets are short."""

    def __init__(self, server: socket.socket) -> None:
        self._socket, _ = server.accept()
        self._socket.settimeout(SECONDS)
        self.close = self._socket.close
        self.send = self._socket.sendall

    def take(self, count: int) -> bytes:
        """The next bytes that the listener wrote."""
        got = b""
        while len(got) < count:
            news = self._socket.recv(count - len(got))
            assert news, "the listener has closed the connection"
            got += news
        return got

    def packet(self) -> bytes:
        head = self.take(2)
        return head + self.take(head[1])

    def welcome(self, *, granted: Sequence[int] = (1, 1), rest: bytes = b"") -> None:
        """Answer CONNECT, and SUBSCRIBE with the QoS `granted` to each topic; `rest` comes with the
        first.
        """
        assert self.packet()[0] == 0x10
        self.send(CONNACK + rest)
        codes = bytes(granted)
        self.send(bytes([0x90, 2 + len(codes)]) + self.packet()[2:4] + codes)

    def ends(self) -> None:
        """Wait until the listener has closed."""
        try:
            while self._socket.recv(4096):
                pass
        except ConnectionResetError:
            pass


class Stage:
    """A listener, and a server socket for it to connect to."""

    def __init__(self, server: socket.socket, keepalive_seconds: int) -> None:
        self._server = server
        self.news: queue.Queue[Message | str] = queue.Queue()
        self.backlog = 0
        self.deliver: Callable[[Message], None] = self.news.put
        self.listener = Listener(
            host="127.0.0.1",
            port=server.getsockname()[1],
            username="ingest",
            password="secret",
            client_id="andaman",
            topics=TOPICS,
            deliver=self._deliver,
            connected=lambda at: self.news.put(f"up {at}"),
            disconnected=lambda at: self.news.put(f"down {at}"),
            backlog=lambda: self.backlog,
            clock=lambda: NOW,
            keepalive_seconds=keepalive_seconds,
            most_backlog=10,
        )

    def _deliver(self, message: Message) -> None:
        self.deliver(message)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The next connection of the listener."""
        with closing(Connection(self._server)) as connection:
            yield connection

    def next(self) -> Message | str:
        return self.news.get(timeout=SECONDS)

    def next_message(self) -> Message:
        message = self.next()
        assert isinstance(message, Message)
        return message


@pytest.fixture
def keepalive_seconds() -> int:
    return 60


@pytest.fixture
def stage(keepalive_seconds: int) -> Iterator[Stage]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        stage = Stage(server, keepalive_seconds)
        stage.listener.start()
        yield stage
        stage.listener.stop()


def test_receipts_go_out_while_none_is_acknowledged(stage: Stage) -> None:
    with stage.connection() as broker:
        broker.welcome()
        stage.next()
        for number in range(100):
            stage.listener.publish("t", bytes([number]))
        assert [broker.packet()[-1] for _ in range(100)] == list(range(100))


def test_it_asks_for_a_lasting_session_under_its_name(stage: Stage) -> None:
    with stage.connection() as broker:
        connect = broker.packet()
        broker.send(CONNACK)
        subscribe = broker.packet()
    keep_session, level = 0b1100_0000, 4
    assert connect[2:12] == b"\x00\x04MQTT" + bytes([level, keep_session]) + b"\x00\x3c"
    assert connect[12:] == b"\x00\x07andaman\x00\x06ingest\x00\x06secret"
    assert subscribe[4:] == b"\x00\x18andaman/v1/+/up/readings\x01\x00\x0dtele/+/SENSOR\x01"


def test_it_is_up_before_the_first_message_and_down_after_the_last(stage: Stage) -> None:
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"a", 1))
        assert stage.next() == f"up {NOW}"
        assert stage.next() == Message(b"t", b"a", NOW, 1, 1, 1)
    assert stage.next() == f"down {NOW}"


def test_it_acknowledges_in_order_of_arrival_and_qos_1_alone(stage: Stage) -> None:
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"a", 9) + publish(b"b") + publish(b"c", 3) + publish(b"d", 4))
        stage.next()
        stage.listener.acknowledge([stage.next_message() for _ in range(4)])
        assert broker.take(12) == pubacks(9, 3, 4)


def test_it_acknowledges_nothing_on_another_connection(stage: Stage) -> None:
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"a", 1) + publish(b"b", 2))
        stage.next()
        old = [stage.next_message(), stage.next_message()]
    assert stage.next() == f"down {NOW}"
    stage.listener.acknowledge(old[:1])
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"other", 1) + publish(b"more", 2))
        stage.next()
        new = [stage.next_message(), stage.next_message()]
        stage.listener.acknowledge(old)
        stage.listener.acknowledge([old[0], new[1]])
        assert broker.take(4) == pubacks(2)
    assert [message.generation for message in (*old, *new)] == [1, 1, 2, 2]


@pytest.mark.parametrize("keepalive_seconds", [1])
def test_it_stops_reading_but_not_pinging_while_the_pipeline_is_behind(
    stage: Stage, keepalive_seconds: int
) -> None:
    with stage.connection() as broker:
        broker.welcome()
        assert stage.next() == f"up {NOW}"
        stage.backlog = 11
        assert broker.take(2) == PINGREQ
        broker.send(PINGRESP + publish(b"a", 1))
        for _ in range(4):  # longer than a silent broker is endured
            assert broker.take(2) == PINGREQ
        assert stage.news.empty()
        stage.backlog = 10
        assert stage.next_message().payload == b"a"


@pytest.mark.parametrize("keepalive_seconds", [1])
def test_it_leaves_a_broker_that_is_silent(stage: Stage, keepalive_seconds: int) -> None:
    with stage.connection() as broker:
        broker.welcome()
        broker.ends()
    with stage.connection() as broker:
        broker.welcome()
        assert [stage.next() for _ in range(3)] == [f"up {NOW}", f"down {NOW}", f"up {NOW}"]


def test_it_drops_the_connection_when_a_message_cannot_be_handed_on(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Message) -> None:
        raise MemoryError("no room")

    stage.deliver = fail
    with stage.connection() as broker:
        broker.welcome()
        broker.send(publish(b"a", 1))
        broker.ends()
    stage.deliver = stage.news.put
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"a", 1))
        assert [stage.next() for _ in range(3)] == [f"up {NOW}", f"down {NOW}", f"up {NOW}"]
        assert stage.next_message().payload == b"a"
    assert caplog.text.count("no room; trying again") == 1
    assert "Traceback" in caplog.text  # a defect, unlike a broker that is away


@pytest.mark.parametrize(
    ("answer", "granted", "words"),
    [
        pytest.param(4, 1, "not authorised: check ANDAMAN_MQTT_USERNAME", id="bad password"),
        pytest.param(5, 1, "not authorised: check ANDAMAN_MQTT_USERNAME", id="not authorised"),
        pytest.param(3, 1, "refused: Server unavailable", id="unavailable"),
        pytest.param(0, (0x80, 1), f"no subscription to {TOPICS[0]} at QoS 1", id="not granted"),
        pytest.param(0, (1, 0x80), f"no subscription to {TOPICS[1]} at QoS 1", id="the second not"),
        pytest.param(0, (1,), f"no subscription to {TOPICS[1]} at QoS 1", id="not answered"),
        pytest.param(0, (0, 1), f"no subscription to {TOPICS[0]} at QoS 1", id="granted at QoS 0"),
    ],
)
def test_it_says_once_what_the_broker_refuses_and_keeps_trying(
    stage: Stage, caplog: pytest.LogCaptureFixture, answer: int, granted: Sequence[int], words: str
) -> None:
    for attempt in range(3):
        with stage.connection() as broker:
            if attempt:  # it has noted the refusal before it comes back
                assert not stage.listener.health.connected
                assert words in stage.listener.health.last_error
            if answer:
                broker.packet()
                broker.send(b"\x20\x02\x00" + bytes([answer]))
            else:
                broker.welcome(granted=granted)
            broker.ends()
    assert caplog.text.count(words) == 1
    assert "secret" not in caplog.text
    assert stage.listener.health.thread_alive


def test_it_shows_in_its_health_that_the_thread_lives_and_loops(stage: Stage) -> None:
    with stage.connection() as broker:
        assert not stage.listener.health.connected
        broker.welcome()
        broker.send(publish(b"after the subscription", 1))
        stage.next()
        stage.next_message()
        health = stage.listener.health
    assert (health.connected, health.thread_alive, health.last_error) == (True, True, "")
    assert health.since == NOW
    assert health.loop_age_seconds < SECONDS
    stage.listener.stop()
    assert not stage.listener.health.thread_alive


def test_it_writes_acknowledgements_before_it_leaves(stage: Stage) -> None:
    with stage.connection() as broker:
        broker.welcome(rest=publish(b"a", 1))
        stage.next()
        message = stage.next_message()
        stage.listener.acknowledge([message])
        began = time.monotonic()
        stage.listener.stop()  # the broker neither reads nor closes
        assert time.monotonic() - began < 2
        assert broker.take(6) == pubacks(1) + DISCONNECT
        stage.listener.acknowledge([message])  # late, and harmless


def test_it_stops_at_once_while_the_broker_is_away(keepalive_seconds: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stage = Stage(server, keepalive_seconds)
    stage.listener.start()
    began = time.monotonic()
    stage.listener.stop()
    assert time.monotonic() - began < 2
    assert not stage.listener.health.thread_alive


def test_it_waits_longer_each_time_up_to_half_a_minute_and_never_in_step() -> None:
    assert [delay(attempt, 0) for attempt in range(4)] == [0.25, 0.5, 1, 2]
    assert delay(1, 0.999) > 1.9 * delay(1, 0)
    assert max(delay(attempt, 0.999) for attempt in range(1000)) < 30
