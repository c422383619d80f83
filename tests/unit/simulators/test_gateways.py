"""Simulated gateways against a socket that plays broker, and against a real Mosquitto."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.gateways import WINDOW, Gateway, GatewayStoppedError, Sample, encode

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
CONNACK = bytes([0x20, 2, 0, 0])
SAMPLES = [Sample("probe", n * 1_000_000, {"ph": 8.1}) for n in range(120)]


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_it_writes_many_reports_into_one_message() -> None:
    body = json.loads(encode(SAMPLES[:2], epoch="b7", seq=4))
    assert body == {
        "epoch": "b7",
        "seq": 4,
        "readings": [
            {"device": "probe", "time": "1970-01-01T00:00:00Z", "values": {"ph": 8.1}},
            {"device": "probe", "time": "1970-01-01T00:00:01Z", "values": {"ph": 8.1}},
        ],
    }


@pytest.fixture
def deaf_broker() -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and what it read: it greets whoever connects and acknowledges nothing."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer, suppress(ConnectionResetError):
                heard.append(peer.recv(4096))
                peer.sendall(CONNACK)
                while part := peer.recv(65536):
                    heard.append(part)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join(timeout=5)
        assert not thread.is_alive()


def gateway_at(port: int) -> Gateway:
    return Gateway("gw-test", host="127.0.0.1", port=port, password="secret", epoch="b7")


def test_it_connects_with_its_own_credential_and_a_last_will(
    deaf_broker: tuple[int, list[bytes]],
) -> None:
    port, heard = deaf_broker
    gateway = gateway_at(port)
    gateway.start()
    try:
        assert eventually(lambda: len(heard) > 1)
    finally:
        gateway.stop()
    connect = heard[0]
    assert b"MQTT\x04" in connect  # 3.1.1
    assert connect.endswith(b"\x00\x07gw-test\x00\x06secret")
    assert b'andaman/v1/gw-test/up/status\x00\x11{"online": false}' in connect


def test_it_sends_no_more_than_its_window_without_acknowledgement(
    deaf_broker: tuple[int, list[bytes]],
) -> None:
    port, _ = deaf_broker
    gateway = gateway_at(port)
    gateway.start()
    refused = threading.Event()

    def publish_all() -> None:
        try:
            for sample in SAMPLES:
                gateway.publish([sample])
        except GatewayStoppedError:
            refused.set()

    thread = threading.Thread(target=publish_all)
    thread.start()
    try:
        assert eventually(lambda: gateway.published == WINDOW)
    finally:
        gateway.stop()
    thread.join(timeout=5)
    assert refused.is_set()
    assert (gateway.published, gateway.acknowledged) == (WINDOW, 0)


def test_it_stops_at_once_when_no_broker_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gateway = gateway_at(port)
    gateway.start()
    gateway.publish(SAMPLES[:1])
    begin = time.monotonic()
    gateway.stop()
    assert time.monotonic() - begin < 3


class Mosquitto:
    """A real broker that keeps its sessions over a restart on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\nuser root\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        command = [MOSQUITTO, "-c", str(self._config)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert eventually(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=10)
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not on PATH")
    mosquitto = Mosquitto(tmp_path)
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


def sequence(messages: list[mqtt.MQTTMessage]) -> list[int]:
    bodies = [json.loads(m.payload) for m in messages if m.topic.endswith("/readings")]
    return [body["seq"] for body in bodies]


@pytest.mark.network
def test_it_delivers_history_in_few_messages_and_says_when_it_comes_and_goes(
    broker: Mosquitto, heard: list[mqtt.MQTTMessage]
) -> None:
    gateway = gateway_at(broker.port)
    gateway.start()
    parts = [len(part) for part in gateway.publish_bulk(SAMPLES)]
    gateway.drain()
    assert eventually(lambda: len(heard) == 4)
    gateway.stop()
    assert eventually(lambda: len(heard) == 5)
    assert parts == [50, 50, 20]
    assert (gateway.published, gateway.acknowledged) == (3, 3)
    assert sequence(heard) == [1, 2, 3]
    status = [json.loads(m.payload)["online"] for m in heard if m.topic.endswith("/status")]
    assert status == [True, False]
    assert not any(message.retain for message in heard)


@pytest.mark.network
def test_it_keeps_what_has_no_acknowledgement_until_the_broker_is_back(
    broker: Mosquitto, heard: list[mqtt.MQTTMessage]
) -> None:
    gateway = gateway_at(broker.port)
    gateway.start()
    for sample in SAMPLES[:10]:
        gateway.publish([sample])
    gateway.drain()
    broker.stop()
    for sample in SAMPLES[10:30]:
        gateway.publish([sample])
    assert gateway.acknowledged == 10
    broker.start()
    gateway.drain()
    assert gateway.connections == 2
    assert eventually(lambda: set(sequence(heard)) == set(range(1, 31)))
    gateway.stop()
