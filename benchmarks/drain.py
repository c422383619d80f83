"""How fast a queue that has built up at the broker gets into InfluxDB: Andaman beside Telegraf."""

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from rich.console import Console
from rich.table import Table

from benchmarks import load, servers
from benchmarks.servers import Child
from core.times import SECOND
from simulators.servers.influxd import InfluxServer, running_influxd
from simulators.servers.mosquitto import Mosquitto, running_mosquitto

WINDOW = 2000  # messages that the broker lets be unacknowledged
LONGEST_SECONDS = 300
POLL_SECONDS = 0.05
SPIKE_EVERY = 2000
MORE_POINTS = 2000  # than messages, at most: of alerts, of Andaman itself; none is written twice
WARM_UP = 2000  # messages of a round that does not count

Start = Callable[[Path, int, InfluxServer, str], AbstractContextManager[Child]]


@dataclass(frozen=True, slots=True)
class Contender:
    """Who drains: its client id at the broker, how it is started, what it says that it stored."""

    name: str
    client: str
    start: Start
    stored: Callable[[Path], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One queue drained. Seconds and CPU seconds count from the contender's start; up to the moment
    of its connection to the broker they are its `start_…`.
    """

    contender: str
    messages: int
    start_seconds: float
    start_cpu: float
    seconds: float
    cpu: float
    servers_cpu: float
    peak: float

    @property
    def figures(self) -> list[float]:
        """The columns of the table."""
        million_readings = self.messages * load.VALUES / 1e6
        return [
            self.start_seconds,
            self.messages / self.seconds,
            self.messages / (self.seconds - self.start_seconds),
            self.cpu / million_readings,
            (self.cpu - self.start_cpu) / million_readings,
            self.servers_cpu / million_readings,
            self.peak,
        ]


COLUMNS = (
    "start\ns",
    "msgs/s\nin all",
    "msgs/s\nrunning",
    "CPU s\nin all",
    "CPU s\nrunning",
    "CPU s\nservers",
    "peak\nMB",
)
CAPTION = """in all: from the start of its process
running: from its connection to the broker on
CPU s: user and system, for a million readings
servers: Mosquitto and influxd · peak: resident
ratio: Andaman's median to Telegraf's"""


def start_andaman(
    folder: Path, port: int, influx: InfluxServer, bucket: str
) -> AbstractContextManager[Child]:
    """Andaman, from the broker at `port` into `bucket`."""
    settings = {
        "MQTT_URL": f"mqtt://127.0.0.1:{port}",
        "MQTT_PASSWORD": load.PASSWORDS["ingest"],
        "MQTT_CLIENT_ID": servers.ANDAMAN_CLIENT,
        "INFLUX_URL": influx.url,
        "INFLUX_ORG": influx.org,
        "INFLUX_BUCKET": bucket,
        "INFLUX_TOKEN": influx.token,
    }
    return servers.andaman(folder, settings)


def stored_by_andaman(folder: Path) -> int:
    """What its counters say."""
    local = json.loads((folder / "data" / "local.json").read_text(encoding="utf-8"))
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{local['api']}/v1/stats", headers={"Authorization": f"Bearer {local['key']}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return int(json.loads(answer.read())["stored"])


CONTENDERS = (
    Contender("Andaman", servers.ANDAMAN_CLIENT, start_andaman, stored_by_andaman),
    Contender("Telegraf", servers.TELEGRAF_CLIENT, servers.telegraf, lambda _: None),
)


def drain(
    contender: Contender, influx: InfluxServer, folder: Path, payloads: Sequence[bytes]
) -> Round:
    """Fill a queue of a new broker, start the contender, and wait until InfluxDB holds it all.

    Raises:
        RuntimeError: something is missing at the end, or it took too long.
    """
    bucket, messages = folder.name, len(payloads)
    influx.create_bucket(bucket)
    (folder / "broker").mkdir()
    with running_mosquitto(folder / "broker", load.PASSWORDS, WINDOW) as broker:
        servers.open_session(broker.port, contender.client)
        load.publish(broker.port, load.PASSWORDS[load.GATEWAY], payloads)
        points = servers.points_taken(influx)
        servers_before = _servers_cpu(broker, influx)
        began = time.monotonic()
        with contender.start(folder, broker.port, influx, bucket) as child:
            connected = _wait_for_connection(child, broker.port)
            start_cpu = servers.cpu_seconds(child.pid)
            ended = _wait_for_values(child, influx, bucket, messages, points)
            finished = Round(
                contender=contender.name,
                messages=messages,
                start_seconds=connected - began,
                start_cpu=start_cpu,
                seconds=ended - began,
                cpu=servers.cpu_seconds(child.pid),
                servers_cpu=_servers_cpu(broker, influx) - servers_before,
                peak=servers.memory(child.pid, "VmHWM"),
            )
            said = contender.stored(folder)
            taken = servers.points_taken(influx) - points
        left = servers.left_in_session(broker.port, contender.client)
    _verify(messages, said, _values_in(influx, bucket), left)
    if taken > messages + MORE_POINTS:
        raise RuntimeError(f"{taken} points were written for {messages} messages")
    return finished


def _servers_cpu(broker: Mosquitto, influx: InfluxServer) -> float:
    return servers.cpu_seconds(broker.pid) + servers.cpu_seconds(influx.pid)


def _wait_for_connection(child: Child, port: int) -> float:
    """When the contender had its connection to the broker."""
    deadline = time.monotonic() + 60
    while not servers.is_connected(port):
        child.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"no connection to the broker:\n{child.words()}")
        time.sleep(0.01)
    return time.monotonic()


def _wait_for_values(
    child: Child, influx: InfluxServer, bucket: str, messages: int, points: int
) -> float:
    """When InfluxDB, which had taken so many points before, held every value. It is asked for them
    once it has taken as many points as there are messages; alerts and the like are not waited for.
    """
    deadline, seen = time.monotonic() + LONGEST_SECONDS, 0
    while True:
        child.check()
        taken, now = servers.points_taken(influx) - points, time.monotonic()
        if taken > max(seen, messages - 1) and _values_in(influx, bucket) >= messages * load.VALUES:
            return now
        seen = taken
        if now > deadline:
            raise RuntimeError(f"after {taken} points, values are missing:\n{child.words()}")
        time.sleep(POLL_SECONDS)


def _values_in(influx: InfluxServer, bucket: str) -> int:
    """How many values of readings the bucket holds."""
    flux = f"""from(bucket: "{bucket}") |> range(start: 0)
        |> filter(fn: (r) => r._measurement !~ /^(alert|andaman.*)$/ and r._field !~ /_flag$/)
        |> count() |> group() |> sum()"""
    with InfluxDBClient(url=influx.url, token=influx.token, org=influx.org, timeout=60_000) as c:
        tables: Any = c.query_api().query(flux)
        return sum(record.get_value() for table in tables for record in table.records)


def _verify(messages: int, said: int | None, held: int, left: int) -> None:
    wanted = messages * load.VALUES
    if held != wanted or said not in {None, wanted} or left:
        words = f"{held} values in InfluxDB, {said} by its own count, {left} messages at the broker"
        raise RuntimeError(f"{wanted} values were due: {words}")


def table(rounds: Sequence[Round], title: str) -> Table:
    """Every round, the medians of each contender, and their ratio."""
    made = Table(title=title, caption=CAPTION)
    made.add_column("", no_wrap=True)
    for words in COLUMNS:
        made.add_column(words, justify="right")
    medians = []
    for contender in CONTENDERS:
        figures = [r.figures for r in rounds if r.contender == contender.name]
        for number, row in enumerate(figures, 1):
            made.add_row(f"{contender.name} {number}", *map(_text, row))
        medians.append([statistics.median(column) for column in zip(*figures, strict=True)])
        made.add_row("median", *map(_text, medians[-1]), style="bold")
        made.add_section()
    ratios = [ours / theirs for ours, theirs in zip(*medians, strict=True)]
    made.add_row("ratio", "", *(f"{r:.2f}" for r in ratios[1:]), style="bold")
    return made


def _text(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 20 else f"{figure:.2f}"


def main() -> None:
    """Print the table of a few rounds, or say what is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drain", description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--devices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    console = Console()
    if absent := servers.missing():
        console.print("\n".join(absent))
        return
    until = time.time_ns() // 1000 - SECOND
    payloads = list(load.backlog(asked.messages, asked.devices, until, SPIKE_EVERY))
    rounds = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "influxd").mkdir()
        influx = stack.enter_context(running_influxd(folder / "influxd"))
        for number in range(asked.rounds + 1):
            for contender in CONTENDERS:
                place = folder / f"{contender.name.lower()}-{number}"
                load.write_configuration(place / "config", asked.devices, hold=True)
                done = drain(contender, influx, place, payloads[: None if number else WARM_UP])
                said = f"{contender.name}, {'round ' + str(number) if number else 'warming up'}"
                console.print(f"{said}: {done.seconds:.1f} s", highlight=False)
                rounds += [done] if number else []
    size = statistics.mean(map(len, payloads))
    title = (
        f"{asked.messages:,} messages of {load.VALUES} readings and {size:.0f} bytes\n"
        f"{asked.devices} devices · {load.RULES} rules · {os.cpu_count()} cores · "
        f"{servers.telegraf_version()}"
    )
    console.print(table(rounds, title))


if __name__ == "__main__":
    main()
