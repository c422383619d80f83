"""One gateway publishes as fast as the broker takes it; what a quiet one beside it notices."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.times import iso
from simulators.processes import Andaman, andaman, wait_until
from simulators.servers.mosquitto import Mosquitto, has_mosquitto
from tests.world import write_configuration

pytestmark = pytest.mark.network

FLOOD = 20_000
PASSWORDS = {"ingest": "of-ingest", "gw": "of-gw", "other": "of-other"}
BOUND = 3.0  # seconds to the quiet gateway's receipt, of which there is one a second at most


@contextmanager
def client(name: str, port: int, password: str) -> Iterator[mqtt.Client]:
    made = mqtt.Client(CallbackAPIVersion.VERSION2, name)
    made.username_pw_set(name, password)
    made.max_inflight_messages_set(1000)
    made.connect("127.0.0.1", port)
    made.loop_start()
    wait_until(made.is_connected)
    try:
        yield made
    finally:
        made.disconnect()
        made.loop_stop()


def report(device: str, seq: int) -> bytes:
    at = time.time_ns() // 1000
    values = {"fill_level": seq % 50}
    return json.dumps(
        {"epoch": "b7", "seq": seq, "device": device, "time": iso(at), "values": values}
    ).encode()


def flood(port: int, password: str) -> None:
    with client("gw", port, password) as sender:
        sent = [
            sender.publish("andaman/v1/gw/up/readings", report("bin-1", seq), 1)
            for seq in range(1, FLOOD + 1)
        ]
        for message in sent:
            message.wait_for_publish(60)


def delays(port: int, password: str, busy: threading.Thread) -> list[float]:
    """Seconds from each message of a quiet gateway to its receipt, while the other is busy."""
    found: list[float] = []
    told = [0]

    def on_receipt(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        told[0] = json.loads(message.payload)["through"]

    with client("other", port, password) as quiet:
        quiet.on_message = on_receipt
        quiet.subscribe("andaman/v1/other/down/receipt", 1)
        while busy.is_alive() or not found:
            seq, began = len(found) + 1, time.monotonic()
            quiet.publish("andaman/v1/other/up/readings", report("bin-2", seq), 1)
            wait_until(lambda seq=seq: told[0] >= seq)  # type: ignore[misc]
            found.append(time.monotonic() - began)
    return found


def meet(system: Andaman, port: int, passwords: dict[str, str]) -> None:
    busy = threading.Thread(target=flood, args=(port, passwords["gw"]))
    busy.start()
    found = delays(port, passwords["other"], busy)
    busy.join()
    wait_until(lambda: system.stored() == FLOOD + len(found))
    assert max(found) < BOUND
    noisy, quiet = (g["limit"]["beyond"] for g in system.ask("/v1/gateways").json()["items"])
    assert (noisy > FLOOD / 2, quiet) == (True, 0)


def settings(folder: Path) -> dict[str, object]:
    configuration = write_configuration(folder / "config")
    return {"config_dir": configuration, "gateway_messages_per_second": 10}


def test_a_flood_through_the_embedded_broker_delays_nobody_else(tmp_path: Path) -> None:
    with andaman(tmp_path, **settings(tmp_path)) as system:
        system.start()
        port = system.wait_ready()["mqtt"]["port"]
        meet(system, port, system.gateway_secrets())


@pytest.mark.skipif(not has_mosquitto(), reason="mosquitto is not on PATH")
def test_a_flood_through_mosquitto_delays_nobody_else(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, PASSWORDS, 2000)
    broker.start()
    try:
        url = f"mqtt://127.0.0.1:{broker.port}"
        outside = {"mqtt_url": url, "mqtt_password": PASSWORDS["ingest"]}
        with andaman(tmp_path, **outside, **settings(tmp_path)) as system:
            system.start()
            system.wait_ready()
            meet(system, broker.port, PASSWORDS)
    finally:
        broker.stop()
