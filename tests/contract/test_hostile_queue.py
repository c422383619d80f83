"""More bad messages than a broker gives out unacknowledged: they stall no good one, on both."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.judge.hostile import GOOD, TOPIC, corpus
from simulators.processes import Andaman, andaman, free_port, wait_until
from simulators.servers.mosquitto import has_mosquitto, running_mosquitto
from tests.told import Client
from tests.world import write_configuration

pytestmark = pytest.mark.network

SMALL_WINDOW = 50  # messages that Mosquitto gives out before it waits for an acknowledgement
WINDOW = 2000  # the same of the embedded broker
PASSWORDS = {"ingest": "own", "gw": "of-gw"}
# What a broker carries at all: our topic, and no packet that it closes the connection for.
CARRIED = [h.payload for h in corpus() if h.topic == TOPIC and len(h.payload) < 66_000]


@contextmanager
def broker_of(kind: str, folder: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """The broker's port, its window, and what Andaman has to be told."""
    if kind == "nats-server":
        port = free_port()
        yield port, WINDOW, {"mqtt_port": port}
    elif has_mosquitto():
        with running_mosquitto(folder, PASSWORDS, SMALL_WINDOW) as broker:
            url = f"mqtt://127.0.0.1:{broker.port}"
            yield broker.port, SMALL_WINDOW, {"mqtt_url": url, "mqtt_password": PASSWORDS["ingest"]}
    else:
        pytest.skip("mosquitto is not on PATH")


def secret_of(kind: str, system: Andaman) -> str:
    return PASSWORDS["gw"] if kind == "mosquitto" else system.gateway_secrets()["gw"]


@pytest.mark.parametrize("kind", ["nats-server", "mosquitto"])
def test_bad_messages_beyond_the_window_stall_no_good_one(kind: str, tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "config")
    good = GOOD.replace(b'"time"', b'"at"')  # no time: now
    with (
        broker_of(kind, tmp_path) as (port, window, settings),
        andaman(tmp_path, config_dir=config, **settings) as system,
    ):
        system.start()
        system.wait_ready()
        wait_until(lambda: system.ask("/health/ready").status_code == 200)
        gateway = Client(port, "gw", secret_of(kind, system))
        rounds = window // len(CARRIED) + 2
        system.process.send_signal(signal.SIGSTOP)  # it hears and acknowledges nothing
        try:
            for payload in CARRIED * rounds:
                gateway.send(TOPIC.decode(), payload)
            gateway.publish(TOPIC.decode(), good)
        finally:
            system.process.send_signal(signal.SIGCONT)
        wait_until(lambda: system.stored() == 1)
        stats = system.ask("/v1/stats").json()
        gateway.leave()
    assert len(CARRIED) > 250
    assert rounds * len(CARRIED) > window
    assert stats["quarantined"] >= rounds * len(CARRIED)
    assert stats["received"] == stats["stored"] + stats["duplicate"] + stats["quarantined"]
    assert "internal-error" not in stats["by_reason"]
