"""Brokers that are killed again and again under load: what got a receipt is there, once."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.times import SECOND
from simulators.fleet import Fleet, Place
from simulators.gateways import Gateway, Sample, account
from simulators.processes import PATIENCE, Andaman, andaman, wait_until
from simulators.servers.mosquitto import Mosquitto, has_mosquitto
from tests.world import write_configuration

RATE = 500  # messages a second
SECONDS = 6
KILLS = 3
PASSWORDS = {"ingest": "of-ingest", "gw": "of-gw"}


def fleet_of_one(port: int, password: str) -> Fleet:
    return Fleet(Place("127.0.0.1", port), [Gateway("gw", epoch="e1")], {"gw": password})


def send_while_killing(fleet: Fleet, kill: Callable[[], None]) -> int:
    """Publish at `RATE`, kill the broker `KILLS` times meanwhile; how many were published."""
    total = RATE * SECONDS
    kills = {total * n // (KILLS + 1) for n in range(1, KILLS + 1)}
    began, first = time.monotonic(), time.time_ns() // 1000 - 60 * SECOND
    for number in range(total):
        if number in kills:
            kill()
        while not fleet.room("gw"):
            fleet.turn(0.1)
        fleet.send("gw", [Sample("bin-1", first + number, {"tilt": number % 40})])
        fleet.attend(began + number / RATE - time.monotonic())
    assert fleet.attend(PATIENCE, lambda: fleet.settled)
    return total


def kill_embedded(system: Andaman) -> None:
    """The embedded broker, once Andaman has brought it back from the last time."""

    def killed() -> bool:
        with suppress(ProcessLookupError):
            os.kill(system.broker_pid(), signal.SIGKILL)
            return True
        return False

    wait_until(killed)


def everything_is_there_once(system: Andaman, fleet: Fleet, total: int) -> None:
    wait_until(lambda: system.ask("/v1/stats").json()["worker_backlog"] == 0)
    stats = system.ask("/v1/stats").json()
    assert stats["stored"] == total
    assert stats["received"] == stats["stored"] + stats["duplicate"]
    assert stats["quarantined"] == 0
    (counter,) = system.ask("/v1/gateways").json()["items"][0]["counters"]
    assert (counter["through"], counter["gaps"], counter["lost"]) == (total, [], 0)
    found = account(fleet.gateways)
    assert (found.published, found.receipted, found.dropped) == (total, total, 0)
    assert found.rejected == {}


@pytest.mark.timeout(180)
def test_the_embedded_broker_may_be_killed_under_load(tmp_path: Path) -> None:
    with andaman(tmp_path, config_dir=write_configuration(tmp_path / "config")) as system:
        system.start()
        mqtt = system.wait_ready()["mqtt"]
        secrets = system.gateway_secrets()
        fleet = fleet_of_one(mqtt["port"], secrets["gw"])
        total = send_while_killing(fleet, lambda: kill_embedded(system))
        everything_is_there_once(system, fleet, total)
        fleet.close()


@pytest.mark.timeout(180)
@pytest.mark.skipif(not has_mosquitto(), reason="mosquitto is not on PATH")
def test_mosquitto_may_be_killed_under_load(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path, PASSWORDS)

    def kill() -> None:
        mosquitto.stop(signal.SIGKILL)
        mosquitto.start()

    settings = {
        "config_dir": write_configuration(tmp_path / "config"),
        "mqtt_url": f"mqtt://127.0.0.1:{mosquitto.port}",
        "mqtt_password": PASSWORDS["ingest"],
    }
    mosquitto.start()
    try:
        with andaman(tmp_path, **settings) as system:
            system.start()
            system.wait_ready()
            fleet = fleet_of_one(mosquitto.port, PASSWORDS["gw"])
            total = send_while_killing(fleet, kill)
            everything_is_there_once(system, fleet, total)
            fleet.close()
    finally:
        mosquitto.stop()
