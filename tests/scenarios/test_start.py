"""Starts and ends of the real process, the bad ones above all: each tells what to do."""

import json
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from paho.mqtt.publish import multiple

from core.times import iso
from simulators.processes import (
    COMMAND,
    Andaman,
    andaman,
    environment,
    free_port,
    is_alive,
    wait_until,
)
from simulators.servers.mosquitto import Mosquitto, has_mosquitto
from tests.world import CONFIGURATION, write_configuration

pytestmark = pytest.mark.network

END_SECONDS = 5.0
PASSWORDS = {"ingest": "of-ingest", "gw": "of-the-gateway"}

needs_mosquitto = pytest.mark.skipif(not has_mosquitto(), reason="mosquitto is not on this machine")


class Case(NamedTuple):
    """What is set, what is asked, and the lines that it says before it ends with code 1; {folder},
    and {taken}, a port in use, are filled in.
    """

    settings: Mapping[str, str]
    says: str
    arguments: str = "run --data {folder}/data"


CASES = {
    "mistakes in sites and devices": Case(
        {"config_dir": "{folder}/places"},
        "{folder}/places/sites.yaml:3: sites.0.latitude: Input should be less than or equal to 90, "
        "not 97.8965\n"
        "{folder}/places/sites.yaml:4: sites.0.owned is not known here; remove it or correct the "
        "name\n"
        "{folder}/places/devices.yaml:1: devices is missing; write devices: …",
    ),
    "mistakes in rules": Case(
        {"config_dir": "{folder}/rules"},
        "{folder}/rules/rules/rules.yaml:4: clear 90 is beyond the mildest level; write at most "
        "80\n"
        "{folder}/rules/rules/rules.yaml:5: parameter smell is not in the catalogue; see "
        "docs/parameters.md",
    ),
    "check of a broken one": Case(
        {},
        "{folder}/no/sites.yaml: cannot be read: No such file or directory; create it\n"
        "{folder}/no/devices.yaml: cannot be read: No such file or directory; create it",
        "check --config {folder}/no",
    ),
    "wrong settings": Case(
        {"api_port": "http", "lateness_minutes": "-1", "log_level": "LOUD"},
        "ANDAMAN_API_PORT: Input should be a valid integer, unable to parse string as an integer\n"
        "ANDAMAN_LATENESS_MINUTES: Input should be greater than or equal to 0\n"
        "ANDAMAN_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
    ),
    "addresses that are none": Case(
        {"influx_url": "127.0.0.1", "influx_token": "of-influx"},
        "ANDAMAN_INFLUX_URL cannot be used; write http://host:8086",
    ),
    "a broker's address that is none": Case(
        {"mqtt_url": "127.0.0.1"},
        "ANDAMAN_MQTT_URL cannot be used; write mqtt://host:1883 or mqtts://host:8883",
    ),
    "the API's port in use": Case(
        {"api_port": "{taken}"},
        "andaman: port {taken} on 127.0.0.1 cannot be used (Address already in use); "
        "set ANDAMAN_API_PORT to a free one, or to 0",
        "run --data {folder}/data --ready-file {folder}/ready",
    ),
    "the API's address of another machine": Case(
        {"api_host": "192.0.2.1"},
        "andaman: port 0 on 192.0.2.1 cannot be used (Cannot assign requested address); "
        "check ANDAMAN_API_HOST and ANDAMAN_API_PORT",
    ),
    "the broker's port in use": Case(
        {"mqtt_port": "{taken}"},
        "andaman: MQTT port {taken}: Address already in use; end what uses it, "
        "or set ANDAMAN_MQTT_PORT to another one (0 takes a free one)",
    ),
    "a file where the data folder should be": Case(
        {},
        "andaman: {folder}/file/data: cannot be written (Not a directory); "
        "set ANDAMAN_DATA_DIR or --data to a folder of your own",
        "run --data {folder}/file/data",
    ),
    "a ledger that is no database": Case(
        {},
        "andaman: {folder}/rubbish/ledger.db: file is not a database; "
        "free space or restore a backup",
        "run --data {folder}/rubbish",
    ),
    "a ready file that cannot be": Case(
        {},
        "andaman: {folder}/file/ready: cannot be written (File exists)",
        "run --data {folder}/data --ready-file {folder}/file/ready",
    ),
}
BEFORE_ANYTHING = [name for name, case in CASES.items() if not case.says.startswith("andaman: ")]


class Ended(NamedTuple):
    """What is left of a start."""

    code: int
    said: str
    folder: Path
    taken: int


def begin(case: Case, folder: Path, taken: int) -> "subprocess.Popen[bytes]":
    """Make the folder that the cases speak of, and start."""
    bad_site = (
        CONFIGURATION["sites.yaml"]
        .replace("7.8965", "97.8965")
        .replace("district: kathu}", "owned: yes, district: kathu}", 1)
    )
    bad_rule = (
        CONFIGURATION["rules.yaml"].replace("clear: 60", "clear: 90").replace("pm25", "smell")
    )
    write_configuration(folder / "config")
    write_configuration(folder / "places", sites=bad_site, devices="gateways: []\n")
    write_configuration(folder / "rules", rules=bad_rule)
    (folder / "file").touch()
    (folder / "ready").write_text("of an earlier life")
    (folder / "rubbish").mkdir()
    (folder / "rubbish" / "ledger.db").write_bytes(b"rubbish" * 100)
    fill = {"folder": folder, "taken": taken}
    own = {"api_port": 0, "mqtt_port": 0, "config_dir": folder / "config"}
    given = {name: value.format(**fill) for name, value in case.settings.items()}
    return subprocess.Popen(
        [*COMMAND, *case.arguments.format(**fill).split()],
        cwd=folder,
        env=environment(**(own | given)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """All cases, started side by side since each takes a second to begin."""
    with socket.create_server(("127.0.0.1", 0)) as door, ExitStack() as stack:
        taken = door.getsockname()[1]
        begun = {}
        for number, (name, case) in enumerate(CASES.items()):
            folder = tmp_path_factory.mktemp(f"case{number}-")
            begun[name] = stack.enter_context(begin(case, folder, taken)), folder
            stack.callback(begun[name][0].kill)
        found = {}
        for name, (process, folder) in begun.items():
            said, _ = process.communicate(timeout=60)
            found[name] = Ended(process.returncode, said.decode(), folder, taken)
        return found


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_is_wrong_and_what_to_do(name: str, ended: dict[str, Ended]) -> None:
    case, (code, said, folder, taken) = CASES[name], ended[name]
    log = re.compile(r"\d{4}-\d\d-\d\d .* INFO .*")
    lines = [line for line in said.splitlines() if not log.fullmatch(line)]
    assert "\n".join(lines) == case.says.format(folder=folder, taken=taken)
    assert code == 1


@pytest.mark.parametrize("name", BEFORE_ANYTHING)
def test_a_configuration_that_is_wrong_touches_nothing(name: str, ended: dict[str, Ended]) -> None:
    assert not (ended[name].folder / "data").exists()


def test_it_leaves_no_ready_file_of_an_earlier_life(ended: dict[str, Ended]) -> None:
    assert not (ended["the API's port in use"].folder / "ready").exists()


def test_it_runs_once_on_a_folder_and_ends_when_it_is_told(tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "config")
    with andaman(tmp_path, config_dir=config) as system:
        system.start()
        second = Andaman(tmp_path / "second", config_dir=config)
        second.folder.mkdir()
        second.data = system.data
        ready = system.wait_ready()
        broker = system.broker_pid()
        second.start()

        host, port = ready["mqtt"]["host"], ready["mqtt"]["port"]
        assert ready == {"api": ready["api"], "mqtt": {"host": "127.0.0.1", "port": port}}
        assert system.ready_file.stat().st_mode & 0o777 == 0o600
        socket.create_connection((host, port), 5).close()
        wait_until(lambda: system.ask("/health/ready").status_code == 200)

        assert second.process.wait(30) == 1
        assert second.said() == (
            f"andaman: {system.data}: another Andaman runs on this folder; "
            "stop it or choose another folder\n"
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            assert is_alive(broker)
            code, seconds = system.stop(number)
            assert (code, seconds < END_SECONDS) == (0, True)
            assert not is_alive(broker)
            assert not (system.data / "local.json").exists()
            if number == signal.SIGTERM:
                system.start()
                assert system.wait_ready()["api"].startswith("http://127.0.0.1:")
                broker = system.broker_pid()
    assert "Traceback" not in system.said()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_its_broker_dies_with_it(tmp_path: Path) -> None:
    with andaman(tmp_path, config_dir=write_configuration(tmp_path / "config")) as system:
        system.start()
        system.wait_ready()
        broker = system.broker_pid()
        system.kill()
        wait_until(lambda: not is_alive(broker))


class Influx(BaseHTTPRequestHandler):
    """Takes every point."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def influx_at(port: int) -> Iterator[None]:
    """As much of an InfluxDB as a forwarder sees."""
    with ThreadingHTTPServer(("127.0.0.1", port), Influx) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        yield
        server.shutdown()


def publish(broker: Mosquitto, times: range) -> None:
    """A reading of `bin-1` for each of these times (µs), acknowledged by the broker."""
    bodies = [{"device": "bin-1", "time": iso(at), "values": {"fill_level": 50.0}} for at in times]
    multiple(
        [("andaman/v1/gw/up/readings", json.dumps(body), 1, False) for body in bodies],
        hostname="127.0.0.1",
        port=broker.port,
        client_id="gw",
        auth={"username": "gw", "password": PASSWORDS["gw"]},
    )


def unwell(system: Andaman) -> dict[str, str]:
    """What readiness complains of, by part."""
    answer = system.ask("/health/ready")
    checks = answer.json()["checks"]
    found = {name: check["words"] for name, check in checks.items() if not check["ok"]}
    assert (answer.status_code == 503) == bool(found)
    return found


@needs_mosquitto
def test_it_runs_without_broker_and_influxdb_and_takes_them_when_they_come(
    tmp_path: Path,
) -> None:
    mosquitto = Mosquitto(tmp_path, PASSWORDS)
    influx_port = free_port()
    settings = {
        "config_dir": write_configuration(tmp_path / "config"),
        "mqtt_url": f"mqtt://127.0.0.1:{mosquitto.port}",
        "mqtt_password": PASSWORDS["ingest"],
        "influx_url": f"http://127.0.0.1:{influx_port}",
        "influx_token": "of-influx",
    }
    with andaman(tmp_path, **settings) as system, ExitStack() as stack:
        system.start()
        ready = system.wait_ready()
        assert ready["mqtt"] == {"host": "127.0.0.1", "port": mosquitto.port}
        wait_until(lambda: unwell(system).keys() == {"broker", "influxdb"})
        found = unwell(system)
        assert found["broker"] == "Connection refused"
        assert "Connection refused" in found["influxdb"]

        stack.callback(mosquitto.stop)
        mosquitto.start()
        wait_until(lambda: "broker" not in unwell(system))
        now = time.time_ns() // 1000
        publish(mosquitto, range(now - 3, now))

        stack.enter_context(influx_at(influx_port))
        wait_until(lambda: not unwell(system))
        wait_until(lambda: system.ask("/v1/stats").json()["outflow_points"] == 0)
        code, seconds = system.stop()
        assert (code, seconds < END_SECONDS) == (0, True)
    said = system.said()
    assert said.count(f"MQTT broker 127.0.0.1:{mosquitto.port}: Connection refused") == 1
    assert said.count(f"MQTT broker 127.0.0.1:{mosquitto.port}: connected") == 1
    assert said.count("forwarding to InfluxDB waits:") == 1
    assert said.count("InfluxDB takes points again") == 1
    assert not [secret for secret in (*PASSWORDS.values(), "of-influx") if secret in said]


@needs_mosquitto
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_full_disk_lets_nothing_be_acknowledged_that_is_not_stored(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path, PASSWORDS)
    settings = {
        "config_dir": write_configuration(tmp_path / "config"),
        "mqtt_url": f"mqtt://127.0.0.1:{mosquitto.port}",
        "mqtt_password": PASSWORDS["ingest"],
    }
    with andaman(tmp_path, **settings) as system, ExitStack() as stack:
        stack.callback(mosquitto.stop)
        mosquitto.start()
        system.start()
        system.wait_ready()
        wait_until(lambda: not unwell(system))
        now = time.time_ns() // 1000
        publish(mosquitto, range(now - 10, now))
        wait_until(lambda: system.stored() == 10)

        fill_disk(system)
        publish(mosquitto, range(now - 500, now - 10))
        wait_until(lambda: system.data.name in unwell(system).get("ledger", ""))
        assert system.stored() == 10
        assert system.ask("/v1/latest").status_code == 200

        free_disk(system)
        wait_until(lambda: system.stored() == 500)
        wait_until(lambda: not unwell(system))

        fill_disk(system)
        publish(mosquitto, range(now - 1000, now - 500))
        wait_until(lambda: "ledger" in unwell(system))
        code, seconds = system.stop()
        assert (code, seconds < END_SECONDS) == (0, True)
        system.start()
        system.wait_ready()
        wait_until(lambda: system.stored() == 1000)
        counted = system.ask("/v1/stats").json()
        assert (counted["received"], counted["duplicate"], counted["quarantined"]) == (1000, 0, 0)
    said = system.said()
    assert said.count("the ledger refuses a batch, nothing is acknowledged:") == 2
    assert said.count("the ledger takes batches again") == 1
    assert "Traceback" not in said


def fill_disk(system: Andaman) -> None:
    """No file of it may grow any more."""
    size = (system.data / "ledger.db-wal").stat().st_size
    resource.prlimit(system.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def free_disk(system: Andaman) -> None:
    """There is room again."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(system.process.pid, resource.RLIMIT_FSIZE, unlimited)
