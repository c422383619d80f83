"""Processes of the benchmarks: the contenders, what they cost, and what the servers say of them."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.load import GATEWAY, PASSWORDS, TOPIC
from simulators.servers.influxd import InfluxServer, find_influxd
from simulators.servers.mosquitto import has_mosquitto

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 15
ANDAMAN_CLIENT = "andaman-ingest"
TELEGRAF_CLIENT = "telegraf-ingest"
_TICKS = os.sysconf("SC_CLK_TCK")
_ESTABLISHED = "01"  # as /proc/net/tcp writes it
_ALL = TOPIC.replace(GATEWAY, "+")

TELEGRAF = """
# What is not the default is set in Telegraf's favour.
[agent]
  metric_batch_size = 5000
  metric_buffer_limit = 50000
  flush_interval = "100ms"  # with 1s it mostly waits for the clock
  flush_jitter = "0s"
  omit_hostname = true
  quiet = true

[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["{topic}"]
  username = "ingest"
  password = "{password}"
  client_id = "{client}"
  topic_tag = ""
  qos = 1
  persistent_session = true
  max_undelivered_messages = 5000
  data_format = "json_v2"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "reading"
    timestamp_path = "time"
    timestamp_format = "rfc3339"
    [[inputs.mqtt_consumer.json_v2.tag]]
      path = "device"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "values"

[[outputs.influxdb_v2]]
  urls = ["{url}"]
  organization = "{org}"
  bucket = "{bucket}"
  token = "{token}"
  content_encoding = "identity"  # on the loopback, packing costs more than it saves
"""


def telegraf_version() -> str:
    """As it calls itself, such as `Telegraf 1.39.3`."""
    said = subprocess.run(["telegraf", "--version"], check=True, capture_output=True, text=True)
    return " ".join(said.stdout.split()[:2])


def missing() -> list[str]:
    """A sentence for each program that this machine lacks."""
    found = {
        "mosquitto": (has_mosquitto(), "apt install mosquitto"),
        "influxd": (find_influxd() is not None, "https://docs.influxdata.com/influxdb/v2/install"),
        "telegraf": (shutil.which("telegraf") is not None, "https://docs.influxdata.com/telegraf"),
    }
    return [
        f"Skipped: {name} is not on PATH. It is free: {where}."
        for name, (there, where) in found.items()
        if not there
    ]


class Child:
    """A process of our own, its log in a file, and what it and its children have used."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=file, cwd=log.parent, env=dict(environment)
            )
        self.pid = self._process.pid

    def check(self) -> None:
        """Raises: RuntimeError, with the end of its log, when the process has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the process ended:\n{self.words()}")

    def words(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def stop(self) -> None:
        """Ask it to end; after a while, make it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def andaman(folder: Path, settings: Mapping[str, str]) -> Iterator[Child]:
    """`andaman run` on `folder`, where `config` lies, as a process of its own."""
    given = {
        "CONFIG_DIR": str(folder / "config"),
        "DATA_DIR": str(folder / "data"),
        "API_PORT": "0",
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    environment = _environment(folder) | {f"ANDAMAN_{name}": text for name, text in given.items()}
    command = [sys.executable, "-c", "import cli; cli.main()", "run", "--ready-file", "ready.json"]
    child = Child(command, folder / "andaman.log", environment)
    try:
        yield child
    finally:
        child.stop()


def _environment(folder: Path) -> dict[str, str]:
    """Ours, without settings, and with a place for bytecode that the runs share: an installed
    program has its own.
    """
    own = ("ANDAMAN", "PYTHONDONTWRITEBYTECODE")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(own)}
    bytecode = str(folder.parent / "bytecode")
    return environment | {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": bytecode}


@contextmanager
def telegraf(folder: Path, port: int, influx: InfluxServer, bucket: str) -> Iterator[Child]:
    """Telegraf, from the broker at `port` into `bucket`."""
    text = TELEGRAF.format(
        port=port,
        topic=_ALL,
        password=PASSWORDS["ingest"],
        client=TELEGRAF_CLIENT,
        url=influx.url,
        org=influx.org,
        bucket=bucket,
        token=influx.token,
    )
    (folder / "telegraf.conf").write_text(text, encoding="utf-8")
    command = ["telegraf", "--config", str(folder / "telegraf.conf")]
    child = Child(command, folder / "telegraf.log", os.environ)
    try:
        yield child
    finally:
        child.stop()


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and its descendants so far."""
    total = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))  # utime, stime, and those of children that ended
    return total / _TICKS


def memory(pid: int, what: str) -> float:
    """`VmHWM` (peak) or `VmRSS` (now) of the process and its descendants, in MB of 10^6 bytes."""
    total = 0
    for member in family(pid):
        found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{member}/status").read_text(), re.M)
        total += int(found[1]) * 1024 if found else 0
    return total / 1e6


def is_connected(port: int) -> bool:
    """Whether anybody has a connection to the broker at `port` of this machine."""
    end = f":{port:04X}"
    rows = [row.split()[1:4] for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(own.endswith(end) and state == _ESTABLISHED for own, _, state in rows)


def points_taken(influx: InfluxServer) -> int:
    """How many points the server has stored since it started: 1 ms of its time to ask."""
    with urllib.request.urlopen(f"{influx.url}/metrics", timeout=10) as answer:  # noqa: S310
        found = re.search(r"^storage_writer_ok_points_sum\S* (\S+)$", answer.read().decode(), re.M)
    return int(float(found[1])) if found else 0


def open_session(port: int, client: str) -> None:
    """Let the broker keep what comes for `client` from now on."""
    session = _session(port, client)
    granted: list[object] = []
    session.on_subscribe = lambda *given: granted.append(given)
    session.subscribe(_ALL, qos=1)
    deadline = time.monotonic() + 10
    while not granted:
        if time.monotonic() > deadline:
            raise TimeoutError("the broker granted no subscription")
        session.loop(0.1)
    session.disconnect()


def left_in_session(port: int, client: str) -> int:
    """How many messages the broker still holds for `client`, which must have left."""
    session = _session(port, client)
    seen: list[object] = []
    session.on_message = lambda _client, _data, message: seen.append(message)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        session.loop(0.1)
    session.disconnect()
    return len(seen)


def _session(port: int, client: str) -> Client:
    session = Client(
        CallbackAPIVersion.VERSION2, client_id=client, clean_session=False, manual_ack=True
    )
    session.username_pw_set("ingest", PASSWORDS["ingest"])
    session.connect("127.0.0.1", port)
    deadline = time.monotonic() + 10
    while not session.is_connected() and time.monotonic() < deadline:
        session.loop(0.1)
    return session
