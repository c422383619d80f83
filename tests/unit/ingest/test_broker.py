"""The embedded broker: its files, its start and its ends, the violent ones above all."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import StartError
from ingest.broker import BrokerAddress, EmbeddedBroker
from ingest.broker_files import Place, Secrets, configuration, keep_secrets, read_secrets
from ingest.mqtt import Listener
from ingest.sources import NATIVE
from storage.credentials import credential_of

SECRETS = {"gw-1": "secret-of-one", "gw-2": "secret-of-two"}
GATEWAYS = [credential_of(name, secret) for name, secret in SECRETS.items()]
PATIENCE = 10.0  # seconds, for what takes milliseconds on an idle machine

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "did not come about in time"
        time.sleep(0.005)


# --- files ---


def test_it_makes_secrets_of_256_bits_for_itself_and_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    first = keep_secrets(path)
    assert first.ingest != first.client_id
    assert [len(bytes.fromhex(secret)) for secret in (first.ingest, first.client_id)] == [32, 32]
    assert path.stat().st_mode & 0o777 == 0o600
    assert keep_secrets(path) == first


def test_secrets_of_gateways_leave_the_file_of_an_earlier_version(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"ingest": "i", "client_id": "c", "gateways": {"gw-1": "one"}}')
    assert read_secrets(path).gateways == {"gw-1": "one"}
    assert keep_secrets(path) == Secrets(ingest="i", client_id="c")
    assert "one" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"ingest": "a", "client', id="cut off"),
        pytest.param(b'{"gateways": {"gw-1": 5}}', id="no text"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
    ],
)
def test_it_refuses_damaged_secrets_instead_of_making_new_ones(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "credentials.json"
    path.write_bytes(text)
    with pytest.raises(StartError, match=r"credentials.json: is damaged .* restore it"):
        keep_secrets(path)
    assert path.read_bytes() == text


def test_it_lets_each_user_do_only_its_own(tmp_path: Path) -> None:
    secrets = Secrets(ingest="i", client_id="c")
    settings = json.loads(configuration(tmp_path, Place(port=1883), secrets, {"gw-1": "one"}, 10))
    assert settings["authorization"]["users"] == [
        {
            "user": "andaman.ingest",
            "password": "i",
            "allowed_connection_types": ["MQTT"],
            "permissions": {
                "publish": ["andaman.v1.*.down.>", "andaman.v1.alerts.>"],
                "subscribe": ["andaman.v1.*.up.>"],
            },
        },
        {
            "user": "gw-1",
            "password": "one",
            "allowed_connection_types": ["MQTT"],
            "permissions": {
                "publish": ["andaman.v1.gw-1.up.>"],
                "subscribe": [
                    "andaman.v1.gw-1.down",
                    "andaman.v1.gw-1.down.>",
                    "andaman.v1.alerts",
                    "andaman.v1.alerts.>",
                ],
            },
        },
    ]
    assert settings["listen"] == "127.0.0.1:-1"
    assert settings["mqtt"]["host"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("topic", "gateway", "publishes", "heard"),
    [
        pytest.param("tele/+/SENSOR", "gw-1", ["tele.*.SENSOR"], ["tele.*.SENSOR"], id="named"),
        pytest.param("tele/+/SENSOR", "gw-2", [], ["tele.*.SENSOR"], id="another's"),
        pytest.param("z/{gateway}/#", "", ["z.gw-1", "z.gw-1.>"], ["z.*", "z.*.>"], id="a level"),
        pytest.param("/a.b//c", "gw-1", ["/.a//b./.c"], ["/.a//b./.c"], id="odd levels"),
    ],
)
def test_it_lets_a_gateway_publish_on_the_topics_of_its_sources(
    tmp_path: Path, topic: str, gateway: str, publishes: list[str], heard: list[str]
) -> None:
    source = dataclasses.replace(NATIVE, topic=topic, gateway=gateway)
    gateways = {"gw-1": "one"}
    settings = json.loads(
        configuration(tmp_path, Place(port=1883), Secrets(), gateways, 10, [source])
    )
    ingest, gw = (user["permissions"] for user in settings["authorization"]["users"])
    assert gw["publish"] == ["andaman.v1.gw-1.up.>", *publishes]
    assert ingest["subscribe"] == ["andaman.v1.*.up.>", *heard]


# --- the process ---


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path / "broker", GATEWAYS, 0, ack_wait_seconds=1)
    yield broker
    broker.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


def pid_of_broker(folder: Path) -> int:
    return int((folder / "pid").read_text(encoding="ascii"))


def runs(pid: int) -> bool:
    """Whether the process is there, and not only waits for its parent to take note of its end."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def command_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]


@contextmanager
def a_process(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is under way, and gone afterwards."""
    with subprocess.Popen(words) as process:
        try:
            wait_until(lambda: process.poll() is not None or command_of(process.pid) == words)
            yield process
        finally:
            process.kill()


def accepts(address: BrokerAddress) -> bool:
    try:
        socket.create_connection((address.host, address.port), 1).close()
    except OSError:
        return False
    return True


def kill(folder: Path, address: BrokerAddress) -> None:
    os.kill(pid_of_broker(folder), signal.SIGKILL)
    wait_until(lambda: not accepts(address))


def is_back(broker: EmbeddedBroker, address: BrokerAddress) -> bool:
    """Look after the broker, as the tick of the application does."""
    broker.check()
    return accepts(address)


@pytest.mark.network
@on_linux
def test_it_starts_stops_and_leaves_no_process(broker: EmbeddedBroker, folder: Path) -> None:
    address = broker.start()
    pid = pid_of_broker(folder)
    assert accepts(address)
    broker.stop()
    assert not runs(pid)
    assert not accepts(address)


@pytest.mark.network
@on_linux
def test_it_keeps_its_secrets_to_itself(broker: EmbeddedBroker, folder: Path) -> None:
    address = broker.start()
    secrets = [address.password, address.client_id, *SECRETS.values()]
    for name in ("credentials.json", "nats.conf"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    shown = repr(address) + (folder / "log").read_text(encoding="utf-8")
    shown += " ".join(command_of(pid_of_broker(folder)))
    assert str(folder) in shown
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.network
def test_it_names_the_port_that_is_taken_and_its_setting(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StartError, match=f"MQTT port {port}: .* ANDAMAN_MQTT_PORT"):
            EmbeddedBroker(folder, GATEWAYS, port).start()


@pytest.mark.network
def test_it_says_that_its_folder_cannot_be_written(folder: Path) -> None:
    folder.write_text("a file", encoding="utf-8")
    with pytest.raises(StartError, match="broker: cannot be written"):
        EmbeddedBroker(folder, GATEWAYS, 0).start()


@pytest.mark.network
def test_it_passes_on_the_last_words_of_a_broker_that_does_not_start(folder: Path) -> None:
    folder.mkdir()
    (folder / "store").write_text("no folder", encoding="utf-8")
    broker = EmbeddedBroker(folder, GATEWAYS, 0)
    with pytest.raises(StartError, match=r"did not start on port .*stor"):
        broker.start()
    (folder / "store").unlink()
    assert accepts(broker.start())
    broker.stop()


@pytest.mark.network
def test_two_cannot_use_one_folder(broker: EmbeddedBroker, folder: Path) -> None:
    address = broker.start()
    with pytest.raises(StartError, match="another Andaman"):
        EmbeddedBroker(folder, GATEWAYS, 0).start()
    assert accepts(address)


@pytest.mark.network
def test_it_brings_a_dead_broker_back_on_its_port_and_says_so_once(
    broker: EmbeddedBroker, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    address = broker.start()
    broker.check()
    assert not caplog.records
    kill(folder, address)
    wait_until(lambda: is_back(broker, address))
    kill(folder, address)
    assert not is_back(broker, address)  # too soon after the last time
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.network
@pytest.mark.parametrize(
    "words",
    [
        pytest.param("JetStream failed to store a msg: no space left on device", id="full"),
        pytest.param("JetStream file resource limits exceeded for server", id="started when full"),
    ],
)
def test_it_starts_a_broker_anew_that_could_not_write_once_there_is_room(
    broker: EmbeddedBroker, folder: Path, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    address = broker.start()
    before = pid_of_broker(folder)
    with (folder / "log").open("a", encoding="utf-8") as log:
        log.write(f"[1] [ERR] {words}\n")
    wait_until(lambda: is_back(broker, address) and pid_of_broker(folder) != before)
    assert "could not write and is started again" in caplog.records[0].message


@pytest.mark.network
@on_linux
def test_it_ends_a_broker_that_outlived_its_andaman(broker: EmbeddedBroker, folder: Path) -> None:
    broker.start()
    words = command_of(pid_of_broker(folder))
    broker.stop()
    with a_process(words) as stale:
        (folder / "pid").write_text(str(stale.pid), encoding="ascii")
        assert accepts(broker.start())
        assert stale.wait(PATIENCE) is not None


@pytest.mark.network
@on_linux
def test_it_leaves_a_stranger_alone_that_has_its_number_now(
    broker: EmbeddedBroker, folder: Path
) -> None:
    folder.mkdir()
    with a_process(["sleep", "60"]) as stranger:
        (folder / "pid").write_text(str(stranger.pid), encoding="ascii")
        broker.start()
        assert stranger.poll() is None


RUN = """
import sys, time
from pathlib import Path
from ingest.broker import EmbeddedBroker
EmbeddedBroker(Path(sys.argv[1]), [], 0).start()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.network
@on_linux
def test_it_dies_with_an_andaman_that_is_killed(folder: Path) -> None:
    command = [sys.executable, "-c", RUN, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as andaman:
        assert andaman.stdout is not None
        assert andaman.stdout.readline() == b"ready\n"
        pid = pid_of_broker(folder)
        assert runs(pid)
        andaman.kill()
    wait_until(lambda: not runs(pid))


@pytest.mark.network
def test_what_it_has_acknowledged_survives_its_death(broker: EmbeddedBroker, folder: Path) -> None:
    address = broker.start()
    heard: set[bytes] = set()
    listener = Listener(
        host=address.host,
        port=address.port,
        username=address.username,
        password=address.password,
        client_id=address.client_id,
        topics=[NATIVE.filter],
        deliver=lambda message: heard.add(message.payload),  # acknowledges nothing
        connected=lambda _at: None,
        disconnected=lambda _at: None,
        backlog=lambda: 0,
        clock=lambda: time.time_ns() // 1000,
    )
    listener.start()
    wait_until(lambda: listener.health.connected)
    accepted = publish_until_killed(broker, address, folder)
    assert len(accepted) > 300
    heard.clear()
    wait_until(lambda: is_back(broker, address) and accepted <= heard)
    listener.stop()


def publish_until_killed(
    broker: EmbeddedBroker, address: BrokerAddress, folder: Path
) -> set[bytes]:
    """Kill the broker amid 1,500 messages; the payloads that it had acknowledged."""
    mids: list[int] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id="gw-1", reconnect_on_failure=False)
    client.username_pw_set("gw-1", SECRETS["gw-1"])
    client.max_inflight_messages_set(200)
    client.on_publish = lambda _c, _u, mid, _r, _p: mids.append(mid)
    client.connect(address.host, address.port)
    client.loop_start()
    sent = {}
    for number in range(1500):
        info = client.publish("andaman/v1/gw-1/up/readings", b"%d" % number, 1)
        sent[info.mid] = b"%d" % number
    wait_until(lambda: len(mids) > 300)
    kill(folder, address)
    wait_until(lambda: not client.is_connected())
    client.loop_stop()
    return {sent[mid] for mid in mids}
