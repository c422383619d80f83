"""What thousands of simulated gateways cost in one process, with every receipt heard."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import servers
from core.times import SECOND
from simulators.fleet import Fleet, Place
from simulators.gateways import Account, Gateway, Sample, account
from simulators.pacing import Pace, drive
from simulators.processes import free_port
from simulators.sendings import Sending
from simulators.servers.mosquitto import MosquittoProcess, has_mosquitto

SITES = 100
EVERY_SECONDS = 4  # each gateway, at a steady pace
AT_ONCE = 20  # messages of each, as fast as they are taken
PATIENCE = 120.0
VALUES = {
    "pm1": 8.1,
    "pm25": 13.4,
    "pm10": 21.0,
    "no2": 9.5,
    "humidity": 71.2,
    "battery_voltage": 3.6,
}
MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
"""


def write_configuration(folder: Path, gateways: int) -> None:
    """So many gateways with a device each."""
    (folder / "rules").mkdir(parents=True)
    name = {"en": "Fleet", "th": "กองเรือ"}
    place = {"kind": "air", "latitude": 7.9, "longitude": 98.3, "district": "kathu", "name": name}
    sites = [{"id": f"site-{number}"} | place for number in range(SITES)]
    numbers = range(gateways)
    entries = [{"id": f"gw-{number}", "name": name} for number in numbers]
    devices = [
        {"id": f"air-{number}", "gateway": f"gw-{number}", "site": f"site-{number % SITES}"}
        | {"since": "@"}
        for number in numbers
    ]
    text = yaml.safe_dump({"gateways": entries, "devices": devices}).replace("'@'", "2026-01-01")
    (folder / "devices.yaml").write_text(text, encoding="utf-8")
    (folder / "sites.yaml").write_text(yaml.safe_dump({"sites": sites}), encoding="utf-8")


def stream(gateways: int, rounds: int, start: int) -> Iterator[Sending]:
    """Each gateway in turn, once in `EVERY_SECONDS` from `start` (µs)."""
    for number in range(rounds * gateways):
        at = start + number * EVERY_SECONDS * SECOND // gateways
        mine = number % gateways
        yield Sending(at, f"gw-{mine}", Sample(f"air-{mine}", at, VALUES))


@contextmanager
def system(folder: Path, gateways: int) -> Iterator[tuple[int, int]]:
    """Mosquitto and Andaman with these gateways: the broker's port, and Andaman's process."""
    write_configuration(folder / "config", gateways)
    port = free_port()
    broker = MosquittoProcess(folder, port, MOSQUITTO.format(port=port))
    broker.start()
    try:
        with servers.andaman(folder, {"MQTT_URL": f"mqtt://127.0.0.1:{port}"}) as andaman:
            while not (folder / "ready.json").exists():
                andaman.check()
                time.sleep(0.1)
            yield port, andaman.pid
    finally:
        broker.stop()


class Cost:
    """What passes between its beginning and `row`."""

    def __init__(self, fleet: Fleet, pid: int) -> None:
        self._fleet = fleet
        self._pid = pid
        self._before = account(fleet.gateways)
        self._began = time.monotonic(), time.process_time(), servers.cpu_seconds(pid)

    def row(self) -> list[str]:
        """Messages a second, processor time of a message, here and in Andaman, and what is left."""
        began, ours, theirs = self._began
        after = account(self._fleet.gateways)
        messages = max(1, after.published - self._before.published)
        return [
            f"{messages:,}",
            f"{time.monotonic() - began:.1f}",
            f"{messages / (time.monotonic() - began):,.0f}",
            f"{1e6 * (time.process_time() - ours) / messages:.0f}",
            f"{1e6 * (servers.cpu_seconds(self._pid) - theirs) / messages:.0f}",
            f"{after.receipted - self._before.receipted:,}",
            f"{after.again - self._before.again:,}",
        ]


def measure(console: Console, gateways: int, seconds: int) -> Account:
    """Connect, send at a steady pace, then all that goes; prints a table."""
    table = Table(title=f"{gateways:,} gateways in one process")
    for column in ("", "messages", "s", "msgs/s", "µs each", "µs in Andaman", "receipts", "again"):
        table.add_column(column, justify="right" if column else "left")
    with (
        tempfile.TemporaryDirectory(prefix="andaman-fleet-") as folder,
        system(Path(folder), gateways) as (port, pid),
    ):
        before, began = memory(), time.monotonic()
        made = [Gateway(f"gw-{number}", epoch="b1") for number in range(gateways)]
        fleet = Fleet(Place("127.0.0.1", port), made, {})
        try:
            fleet.attend(PATIENCE, lambda: fleet.connected == gateways)
            connected, idle = time.monotonic() - began, memory()
            rounds, each = seconds // EVERY_SECONDS, EVERY_SECONDS * SECOND
            start = time.time_ns() // 1000 - (rounds + AT_ONCE) * each
            steady = Cost(fleet, pid)
            send(fleet, stream(gateways, rounds, start), Pace(), start)
            table.add_row("steady", *steady.row())
            start += rounds * each
            fastest = Cost(fleet, pid)
            send(fleet, stream(gateways, AT_ONCE, start), Pace(speed=None), start)
            table.add_row("fastest", *fastest.row())
            most = memory()
            console.print(table)
            console.print(
                f"connected: {fleet.connected:,} after {connected:.1f} s · memory: "
                f"{(idle - before) * 1000 / gateways:.1f} kB a gateway, {most:.0f} MB in all"
            )
        finally:
            fleet.close()
        return account(made)


def send(fleet: Fleet, sendings: Iterator[Sending], pace: Pace, start: int) -> None:
    """All of it, until there is a receipt for each."""
    drive(sendings, fleet, pace, start, lambda _: None, lambda: False)
    fleet.attend(PATIENCE, lambda: fleet.settled)


def memory() -> float:
    """Of this process now, in MB of 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateways", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=60, help="of the steady pace")
    arguments = parser.parse_args()
    if not has_mosquitto():
        print("Skipped: mosquitto is not on PATH. It is free: apt install mosquitto.")
        return
    found = measure(Console(), arguments.gateways, arguments.seconds)
    lost = found.published - found.receipted
    print(f"published {found.published:,}, receipted {found.receipted:,}, lost {lost:,}")


if __name__ == "__main__":
    main()
