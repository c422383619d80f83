"""How soon an alert is there, and how soon the API answers, while readings keep coming in."""

import argparse
import json
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks import load, servers
from benchmarks.servers import Child

DEVICES = 50  # 300 series
SPIKE_EVERY = 7  # no divisor of the devices: after a spike, a device is back to normal
START_SECONDS = 60
IDLE_SECONDS = 5
LAST_SECONDS = 3  # for what is under way at the end
LOOK_SECONDS = 0.005
ASK_SECONDS = 0.1
MEMORY_GOAL = 250

# A reading is known by device, parameter and time; an alert's subject is "device/parameter".
RECEIVED_TO_ROW = """
    SELECT t.recorded_at - r.received_at
    FROM transitions t
    JOIN series s ON s.device || '/' || s.parameter = t.subject
    JOIN readings r ON r.measured_at = t.at AND r.series = s.id
    WHERE t.after = 'firing'
"""
NEW_ROWS = "SELECT id, at, after FROM transitions WHERE id > ? ORDER BY id"


@dataclass(slots=True)
class Publisher:
    """A gateway that sends at a steady rate, in a thread of its own."""

    port: int
    password: str
    seconds: float
    messages_per_second: float
    sent: int = 0

    def run(self) -> None:
        """Publish; each message is measured when it is sent."""
        client = load.gateway_client(self.port, self.password)
        began = time.monotonic()
        for number in range(round(self.seconds * self.messages_per_second)):
            time.sleep(max(0.0, began + number / self.messages_per_second - time.monotonic()))
            spike = number % SPIKE_EVERY == SPIKE_EVERY - 1
            message = load.payload(number, DEVICES, time.time_ns() // 1000, spike)
            client.publish(load.TOPIC, message, qos=1)
            self.sent += 1
        time.sleep(LAST_SECONDS)
        client.disconnect()
        client.loop_stop()


@dataclass(slots=True)
class Watcher:
    """Looks at the ledger, as another process may, and notes when alerts show up there."""

    ledger: Path
    microseconds: list[int] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look until `done`."""
        last = 0
        with closing(_open(self.ledger)) as connection:
            while not self.done.wait(LOOK_SECONDS):
                rows = connection.execute(NEW_ROWS, (last,)).fetchall()
                seen = time.time_ns() // 1000
                self.microseconds += [seen - at for _, at, after in rows if after == "firing"]
                last = rows[-1][0] if rows else last


def ask_latest(api: str, key: str, seconds: float) -> list[float]:
    """How long `GET /v1/latest` took each time, in ms."""
    found = []
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=api, headers=headers) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            answer = client.get("/v1/latest").raise_for_status()
            found.append((time.monotonic() - began) * 1000)
            assert len(answer.json()["items"]) <= DEVICES * load.VALUES
            time.sleep(ASK_SECONDS)
    return found


def measure(child: Child, folder: Path, readings_per_second: float, seconds: float) -> Table:
    """Wait until the system is up and idle, then load it and look on."""
    ready = _ready(child, folder / "ready.json")
    time.sleep(IDLE_SECONDS)
    idle = servers.memory(child.pid, "VmRSS")
    data = folder / "data"
    local = json.loads((data / "local.json").read_text(encoding="utf-8"))
    rotate = f"{local['api']}/v1/gateways/{load.GATEWAY}/rotate"
    headers = {"Authorization": f"Bearer {local['key']}"}
    issued = httpx.post(rotate, headers=headers).raise_for_status().json()
    publisher = Publisher(
        port=ready["mqtt"]["port"],
        password=issued["secret"],
        seconds=seconds,
        messages_per_second=readings_per_second / load.VALUES,
    )
    watcher = Watcher(data / "ledger.db")
    threads = [threading.Thread(target=part.run, daemon=True) for part in (publisher, watcher)]
    for thread in threads:
        thread.start()
    cpu, began = servers.cpu_seconds(child.pid), time.monotonic()
    asked = ask_latest(local["api"], local["key"], seconds)
    busy = (servers.cpu_seconds(child.pid) - cpu) / (time.monotonic() - began)
    threads[0].join()
    watcher.done.set()
    threads[1].join()
    rows = _received_to_row(data / "ledger.db", publisher.sent)
    return _table(
        f"{readings_per_second:g} readings/s for {seconds:g} s, 300 series, {load.RULES} rules",
        {
            ("received → alert row", "p50 ≤ 100, p95 ≤ 1,000"): [us / 1000 for us in rows],
            ("published → alert seen", ""): [us / 1000 for us in watcher.microseconds],
            ("GET /v1/latest", "p99 ≤ 100"): asked,
        },
        f"idle: {idle:.0f} MB resident, broker included (goal: {MEMORY_GOAL}) · "
        f"under load: {100 * busy:.0f} % of a core, {servers.memory(child.pid, 'VmRSS'):.0f} MB",
    )


def _ready(child: Child, file: Path) -> dict[str, dict[str, int]]:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        child.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"not up after {START_SECONDS} s:\n{child.words()}")
        time.sleep(0.05)
    ready: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8"))
    return ready


def _received_to_row(ledger: Path, sent: int) -> list[int]:
    """Microseconds from a reading's reception to its alert's row.

    Raises:
        RuntimeError: readings are missing.
    """
    with closing(_open(ledger)) as connection:
        (stored,) = connection.execute("SELECT count(*) FROM readings").fetchone()
        if stored != sent * load.VALUES:
            raise RuntimeError(f"{sent * load.VALUES} readings were sent, {stored} are stored")
        return [us for (us,) in connection.execute(RECEIVED_TO_ROW)]


def _open(ledger: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)


def _table(title: str, rows: dict[tuple[str, str], Sequence[float]], caption: str) -> Table:
    made = Table(title=title, caption=caption)
    made.add_column("ms", no_wrap=True)
    for words in ("samples", "p50", "p95", "p99", "most", "goal"):
        made.add_column(words, justify="right")
    for (name, goal), found in rows.items():
        parts = statistics.quantiles(found, n=100)
        figures = [parts[49], parts[94], parts[98], max(found)]
        made.add_row(name, str(len(found)), *(f"{figure:.1f}" for figure in figures), goal)
    return made


def main() -> None:
    """Print the table of one run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rate", type=float, default=1000, help="readings per second")
    parser.add_argument("--seconds", type=float, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "system"
        load.write_configuration(folder / "config", DEVICES, hold=False)
        with servers.andaman(folder, {"MQTT_PORT": "0"}) as child:
            Console().print(measure(child, folder, asked.rate, asked.seconds))


if __name__ == "__main__":
    main()
