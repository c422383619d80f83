"""Many gateways on one thread: against a socket that plays broker, and against a real Mosquitto."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.fleet import Fleet, Place
from simulators.gateways import Gateway, Sample, account
from simulators.links import WINDOW
from simulators.servers.mosquitto import Mosquitto, has_mosquitto

CONNACK, REFUSAL = bytes([0x20, 2, 0, 0]), bytes([0x20, 2, 0, 5])
SAMPLES = [Sample("probe", n * 1_000_000, {"ph": 8.1}) for n in range(120)]
PASSWORDS = {"ingest": "of-ingest"} | {f"gw-{n}": f"of-{n}" for n in range(30)}
SOON = 15.0


def fleet_at(port: int, count: int = 1) -> Fleet:
    gateways = [Gateway(f"gw-{n}", epoch="b7") for n in range(count)]
    return Fleet(Place("127.0.0.1", port), gateways, PASSWORDS)


@pytest.fixture
def answer() -> bytes:
    return CONNACK


@pytest.fixture
def deaf_broker(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and what it read: it answers whoever connects and acknowledges nothing."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer, suppress(ConnectionResetError):
                heard.append(peer.recv(4096))
                peer.sendall(answer)
                while part := peer.recv(65536):
                    heard.append(part)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_a_gateway_connects_with_its_own_credential_and_a_last_will(
    deaf_broker: tuple[int, list[bytes]],
) -> None:
    port, heard = deaf_broker
    fleet = fleet_at(port)
    assert fleet.attend(SOON, lambda: len(heard) > 1)
    fleet.close()
    connect = heard[0]
    assert b"MQTT\x04" in connect  # 3.1.1
    assert connect.endswith(b"\x00\x04gw-0\x00\x04of-0")
    assert b"andaman/v1/gw-0/up/status\x00," + b'{"online": false' in connect
    assert b"andaman/v1/gw-0/down/receipt" in b"".join(heard)


def test_it_sends_no_more_than_its_window_without_acknowledgement(
    deaf_broker: tuple[int, list[bytes]],
) -> None:
    port, heard = deaf_broker
    fleet = fleet_at(port)
    for sample in SAMPLES:
        fleet.send("gw-0", [sample])
    last = f'"seq":{WINDOW},'.encode()
    assert fleet.attend(SOON, lambda: last in b"".join(heard))
    fleet.close()
    found = account(fleet.gateways)
    assert (found.published, found.waiting, found.acknowledged) == (WINDOW, len(SAMPLES), 0)
    assert b"".join(heard).count(b'"seq"') == WINDOW


@pytest.mark.parametrize("answer", [pytest.param(REFUSAL, id="not authorised")])
def test_it_says_whom_the_broker_does_not_let_in(deaf_broker: tuple[int, list[bytes]]) -> None:
    fleet = fleet_at(deaf_broker[0])
    assert fleet.attend(SOON, lambda: bool(fleet.refusals))
    fleet.close()
    assert fleet.refusals == {"gw-0": "Not authorized"}


def test_it_ends_at_once_when_no_broker_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fleet = fleet_at(port, 3)
    fleet.send("gw-0", SAMPLES[:1])
    fleet.turn(0)
    begin = time.monotonic()
    fleet.close()
    assert time.monotonic() - begin < 3


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if not has_mosquitto():
        pytest.skip("mosquitto is not on PATH")
    mosquitto = Mosquitto(tmp_path, PASSWORDS)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def heard(broker: Mosquitto) -> Iterator[list[mqtt.MQTTMessage]]:
    """What a subscriber with a lasting session received."""
    messages: list[mqtt.MQTTMessage] = []
    subscribed = threading.Event()
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, "listener", clean_session=False, protocol=mqtt.MQTTv311
    )
    client.username_pw_set("ingest", PASSWORDS["ingest"])
    client.on_connect = lambda c, *_: c.subscribe("andaman/v1/+/up/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _c, _d, message: messages.append(message)
    client.reconnect_delay_set(min_delay=1, max_delay=1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert subscribed.wait(timeout=5)
    yield messages
    client.disconnect()
    client.loop_stop()


def numbers(messages: list[mqtt.MQTTMessage], gateway: str) -> list[int]:
    topic = f"andaman/v1/{gateway}/up/readings"
    return [json.loads(m.payload)["seq"] for m in messages if m.topic == topic]


def online(messages: list[mqtt.MQTTMessage], gateway: str) -> list[bool]:
    topic = f"andaman/v1/{gateway}/up/status"
    return [json.loads(m.payload)["online"] for m in messages if m.topic == topic]


@pytest.mark.network
def test_each_gateway_delivers_in_order_and_says_when_it_comes_and_goes(
    broker: Mosquitto, heard: list[mqtt.MQTTMessage]
) -> None:
    fleet = fleet_at(broker.port, 30)
    for sample in SAMPLES[:4]:
        for gateway in fleet.gateways:
            fleet.send(gateway.id, [sample])
    assert fleet.attend(SOON, lambda: account(fleet.gateways).acknowledged == 120)
    assert fleet.connected == 30
    fleet.close()
    assert fleet.connected == 0
    deadline = time.monotonic() + SOON
    while len(heard) < 180 and time.monotonic() < deadline:
        time.sleep(0.02)
    for gateway in fleet.gateways:
        assert numbers(heard, gateway.id) == [1, 2, 3, 4]
        assert online(heard, gateway.id) == [True, False]
    assert not any(message.retain for message in heard)


@pytest.mark.network
def test_they_keep_what_they_have_until_the_broker_is_back(
    broker: Mosquitto, heard: list[mqtt.MQTTMessage]
) -> None:
    fleet = fleet_at(broker.port, 2)
    for sample in SAMPLES[:10]:
        fleet.send("gw-0", [sample])
    assert fleet.attend(SOON, lambda: account(fleet.gateways).acknowledged == 10)
    broker.stop()
    assert fleet.attend(SOON, lambda: fleet.connected == 0)
    for sample in SAMPLES[10:30]:
        fleet.send("gw-0", [sample])
    fleet.attend(0.5)
    assert account(fleet.gateways).published == 10
    broker.start()
    assert fleet.attend(SOON, lambda: set(numbers(heard, "gw-0")) == set(range(1, 31)))
    assert fleet.attend(SOON, lambda: fleet.connections == 4)
    fleet.close()
