"""One contract for every broker that Andaman runs on: the listener loses nothing, and says so."""

import dataclasses
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import Blame, DeliveryError
from core.messages import Message
from ingest.broker import BrokerAddress, EmbeddedBroker
from ingest.mqtt import Listener
from ingest.mqtt_retained import publish as publish_retained
from ingest.sources import NATIVE
from simulators.servers.mosquitto import Mosquitto, has_mosquitto
from storage.credentials import credential_of, new_secret

pytestmark = pytest.mark.network

WINDOW = 2000  # messages that both brokers send before they wait for an acknowledgement
ACK_WAIT = 1  # seconds after which nats-server sends again what is not acknowledged
PATIENCE = 10.0  # seconds, for what takes milliseconds on an idle machine
GATEWAYS = ("gw-1", "gw-2")
SOURCES = (
    NATIVE,
    dataclasses.replace(NATIVE, topic="tele/+/SENSOR", gateway="gw-1"),
    dataclasses.replace(NATIVE, topic="/odd.name//#", gateway="gw-1"),
)


class Nats:
    """The embedded broker."""

    holds_back: float = ACK_WAIT  # seconds before what is not acknowledged comes again

    def __init__(self, folder: Path) -> None:
        self.passwords = {name: new_secret() for name in GATEWAYS}
        credentials = [credential_of(name, secret) for name, secret in self.passwords.items()]
        self._broker = EmbeddedBroker(
            folder, credentials, _free_port(), sources=SOURCES, ack_wait_seconds=ACK_WAIT
        )
        self.stop = self._broker.stop

    def start(self) -> None:
        self.address = self._broker.start()


class OutsideMosquitto:
    """mosquitto with its own configuration, passwords and topic rules."""

    holds_back: float = 0

    def __init__(self, folder: Path) -> None:
        self.passwords = {name: uuid4().hex for name in ("ingest", *GATEWAYS)}
        self._broker = Mosquitto(folder, self.passwords, WINDOW)
        self.start, self.stop = self._broker.start, self._broker.stop
        self.address = BrokerAddress(
            host="127.0.0.1",
            port=self._broker.port,
            username="ingest",
            password=self.passwords["ingest"],
            client_id="andaman-ingest",
        )


Broker: TypeAlias = Nats | OutsideMosquitto


@pytest.fixture(params=["nats-server", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    if request.param == "mosquitto" and not has_mosquitto():
        pytest.skip("mosquitto is not on PATH")
    broker: Broker = (
        Nats(tmp_path) if request.param == "nats-server" else OutsideMosquitto(tmp_path)
    )
    broker.start()
    yield broker
    broker.stop()


class Ear:
    """A listener and what it heard."""

    def __init__(self, address: BrokerAddress) -> None:
        self.heard: list[Message] = []
        self.sessions: list[str] = []
        self.listener = Listener(
            **dataclasses.asdict(address),
            topics=[source.filter for source in SOURCES],
            deliver=self.heard.append,
            connected=lambda _at: self.sessions.append("up"),
            disconnected=lambda _at: self.sessions.append("down"),
            backlog=lambda: 0,
            clock=lambda: time.time_ns() // 1000,
        )

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.heard]

    def hears(self, count: int) -> None:
        """Wait for `count` messages."""
        wait_until(lambda: len(self.heard) >= count)

    def connects(self) -> None:
        """Wait for the subscription."""
        wait_until(lambda: self.listener.health.connected)


@contextmanager
def listening(address: BrokerAddress) -> Iterator[Ear]:
    """An ear that leaves, in time, whatever happens."""
    ear = Ear(address)
    ear.listener.start()
    try:
        yield ear
    finally:
        began = time.monotonic()
        ear.listener.stop()
        assert time.monotonic() - began < 2
        assert not ear.listener.health.thread_alive


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.005)


@contextmanager
def connected(
    address: BrokerAddress, username: str, password: str, client_id: str
) -> Iterator[Client]:
    """A plain client, as a gateway uses one."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=False,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    welcomed = threading.Event()
    client.on_connect = lambda *_: welcomed.set()
    client.username_pw_set(username, password)
    client.max_inflight_messages_set(1000)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        assert welcomed.wait(PATIENCE)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@contextmanager
def gateway(broker: Broker, name: str) -> Iterator[Client]:
    with connected(broker.address, name, broker.passwords[name], name) as client:
        yield client


def publish(
    broker: Broker,
    payloads: Sequence[bytes],
    *,
    topic: str = "andaman/v1/gw-1/up/readings",
    name: str = "gw-1",
    qos: int = 1,
    retain: bool = False,
) -> None:
    """Publish as one gateway and wait until the broker has all."""
    with gateway(broker, name) as client:
        sent = [client.publish(topic, payload, qos, retain) for payload in payloads]
        for info in sent:
            info.wait_for_publish(PATIENCE)
            assert info.is_published()


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def subscribed_before(broker: Broker) -> None:
    """Leave a session behind that queues."""
    with listening(broker.address) as ear:
        ear.connects()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b'{"ph": 8.1}', id="json"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\xff\xfe", id="no text"),
        pytest.param(b"x" * 127, id="two bytes of length"),
        pytest.param(b"x" * 66_000, id="larger than we accept"),
    ],
)
def test_it_delivers_a_message_as_it_was_sent(broker: Broker, payload: bytes) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, [payload])
        ear.hears(1)
    (message,) = ear.heard
    assert message.topic == b"andaman/v1/gw-1/up/readings"
    assert (message.payload, message.qos, message.retain) == (payload, 1, False)
    assert message.generation == 1
    assert abs(message.received_at - time.time_ns() // 1000) < 60_000_000


def test_it_stamps_later_messages_with_later_times(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, numbered(500))
        ear.hears(500)
    assert ear.payloads == numbered(500)
    assert all(before.received_at < after.received_at for before, after in pairwise(ear.heard))


def test_it_hears_what_came_while_it_was_away(broker: Broker) -> None:
    subscribed_before(broker)
    publish(broker, numbered(300))
    with listening(broker.address) as ear:
        ear.hears(300)
        ear.listener.acknowledge(ear.heard)
    assert ear.payloads == numbered(300)


def test_it_gets_everything_when_far_more_comes_than_may_be_unacknowledged(broker: Broker) -> None:
    count = 2 * WINDOW + 500
    subscribed_before(broker)
    publish(broker, numbered(count))
    with listening(broker.address) as ear:
        ear.hears(WINDOW)
        acknowledged = 0
        while acknowledged < count:
            ear.hears(acknowledged + 1)
            news = ear.heard[acknowledged:]
            ear.listener.acknowledge(news)
            acknowledged += len(news)
    assert sorted(ear.payloads) == sorted(numbered(count))
    assert what_is_left(broker, 0) == []


def test_it_takes_nothing_twice_that_it_still_holds(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, numbered(10))
        time.sleep(2.5 * broker.holds_back)
        publish(broker, [b"last"])
        ear.hears(11)
    assert ear.payloads == [*numbered(10), b"last"]


def test_it_gets_again_what_it_did_not_acknowledge(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, numbered(10))
        ear.hears(10)
        ear.listener.acknowledge(ear.heard[:6])
    assert what_is_left(broker, 4) == numbered(10)[6:]


def test_it_drops_acknowledgements_of_an_earlier_connection(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, numbered(3))
        ear.hears(3)
        take_over(broker.address)
        ear.hears(6)
        ear.listener.acknowledge(ear.heard[:3])
    assert [message.generation for message in ear.heard] == [1, 1, 1, 2, 2, 2]
    assert what_is_left(broker, 3) == numbered(3)


def test_it_writes_the_acknowledgements_that_it_got_before_it_stops(broker: Broker) -> None:
    subscribed_before(broker)
    publish(broker, numbered(WINDOW + 700))
    with listening(broker.address) as ear:
        ear.hears(WINDOW)
        ear.listener.acknowledge(ear.heard[:WINDOW])
    assert what_is_left(broker, 700) == sorted(numbered(WINDOW + 700)[WINDOW:])


def test_it_never_acknowledges_a_message_of_qos_0(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, [b"once"], qos=0)
        ear.hears(1)
        ear.listener.acknowledge(ear.heard)
        publish(broker, [b"more"])
        ear.hears(2)
    assert [(message.qos, message.generation) for message in ear.heard] == [(0, 1), (1, 1)]


def test_it_marks_what_the_broker_retained(broker: Broker) -> None:
    publish(broker, [b"old"], retain=True)
    with listening(broker.address) as ear:
        ear.hears(1)
        ear.listener.acknowledge(ear.heard)
    assert ear.heard[0].retain


def test_it_says_once_that_the_broker_went_and_once_that_it_is_back(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ingest.mqtt")
    with listening(broker.address) as ear:
        ear.connects()
        broker.stop()
        wait_until(lambda: ear.listener.health.last_error == "Connection refused")
        assert not ear.listener.health.connected
        broker.start()
        ear.connects()
        publish(broker, [b"after"])
        ear.hears(1)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]
    assert ear.sessions == ["up", "down", "up", "down"]


def test_it_keeps_trying_while_the_broker_is_away_at_start(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    with listening(broker.address) as ear:
        wait_until(lambda: ear.listener.health.last_error == "Connection refused")
        broker.start()
        ear.connects()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert ear.sessions == ["up", "down"]


def test_it_says_what_to_check_when_the_password_is_wrong(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(dataclasses.replace(broker.address, password="wrong")) as ear:
        wait_until(lambda: bool(ear.listener.health.last_error))
        assert ear.listener.health.thread_alive
        assert not ear.listener.health.connected
    assert "not authorised: check ANDAMAN_MQTT_USERNAME" in caplog.text
    assert "wrong" not in caplog.text
    assert ear.sessions == []


def test_nobody_publishes_as_another_gateway(broker: Broker) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, [b"forged"], topic="andaman/v1/gw-2/up/readings")
        publish(broker, [b"own"])
        ear.hears(1)
    assert ear.payloads == [b"own"]


@pytest.mark.parametrize("topic", ["tele/attic/SENSOR", "/odd.name//x/y", "/odd.name/"])
def test_a_gateway_publishes_on_the_topics_of_its_sources_and_no_other_does(
    broker: Broker, topic: str
) -> None:
    with listening(broker.address) as ear:
        ear.connects()
        publish(broker, [b"forged"], topic=topic, name="gw-2")
        publish(broker, [b"own"], topic=topic)
        ear.hears(1)
    assert [(message.topic.decode(), message.payload) for message in ear.heard] == [(topic, b"own")]


def test_a_gateway_hears_its_own_receipts_alone(broker: Broker) -> None:
    address, heard = broker.address, {name: list[bytes]() for name in GATEWAYS}
    with (
        gateway(broker, "gw-1") as first,
        gateway(broker, "gw-2") as second,
        connected(address, address.username, address.password, "receipts") as ingest,
    ):
        for name, client in zip(GATEWAYS, (first, second), strict=True):
            client.on_message = lambda _c, _u, message, name=name: heard[name].append(
                message.payload
            )
            subscribe(client, "andaman/v1/gw-1/down/#")
            subscribe(client, "andaman/v1/gw-2/down/#")
        for name in GATEWAYS:
            ingest.publish(f"andaman/v1/{name}/down/receipt", name, 1).wait_for_publish(PATIENCE)
        wait_until(lambda: all(heard.values()))
    assert heard == {"gw-1": [b"gw-1"], "gw-2": [b"gw-2"]}


def test_every_gateway_reads_the_alerts_that_stand_and_none_writes_them(broker: Broker) -> None:
    topic, heard = "andaman/v1/alerts/patong/turbid-water", list[tuple[str, bytes]]()
    publish_retained(broker.address, {topic: b"firing", "andaman/v1/alerts/-/rain": b"rain"})
    publish_retained(broker.address, {topic: b"resolved"})
    publish(broker, [b"forged"], topic=topic, retain=True)
    with gateway(broker, "gw-2") as sign:
        sign.on_message = lambda _c, _u, message: heard.append(
            (message.topic, bytes(message.payload))
        )
        subscribe(sign, "andaman/v1/alerts/#")
        wait_until(lambda: len(heard) == 2)
    assert sorted(heard) == [("andaman/v1/alerts/-/rain", b"rain"), (topic, b"resolved")]


@pytest.mark.parametrize(
    ("changes", "blame"),
    [
        pytest.param({"password": "wrong"}, Blame.CREDENTIALS, id="the password is wrong"),
        pytest.param({"port": 1}, Blame.TEMPORARY, id="nobody is there"),
    ],
)
def test_alerts_that_the_broker_does_not_take_are_to_be_sent_again(
    broker: Broker, changes: dict[str, Any], blame: Blame
) -> None:
    with pytest.raises(DeliveryError) as caught:
        publish_retained(dataclasses.replace(broker.address, **changes), {"andaman/v1/a": b""})
    assert caught.value.blame is blame


def test_nobody_connects_without_a_password(broker: Broker) -> None:
    reasons: list[str] = []
    client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.on_connect = lambda _c, _u, _f, reason, _p: reasons.append(str(reason))
    client.connect(broker.address.host, broker.address.port)
    wait_until(lambda: client.loop(0.1) != 0 or bool(reasons))
    assert reasons == ["Not authorized"]


def subscribe(client: Client, topic: str) -> None:
    """Ask for `topic`, whatever the answer: only deliveries count."""
    answers: list[int] = []
    client.on_subscribe = lambda _c, _u, mid, _reasons, _p: answers.append(mid)
    client.subscribe(topic, 1)
    wait_until(lambda: bool(answers))


def take_over(address: BrokerAddress) -> None:
    """Cut the listener's connection, as the broker does when its client id comes again."""
    with connected(address, address.username, address.password, address.client_id):
        pass


def what_is_left(broker: Broker, count: int) -> list[bytes]:
    """What the broker still has for us: `count` messages, or more."""
    with listening(broker.address) as ear:
        ear.connects()
        ear.hears(count)
        time.sleep(0.3 if count else broker.holds_back + 0.3)
        return sorted(ear.payloads)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
