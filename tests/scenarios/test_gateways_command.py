"""`andaman gateways` against a real `andaman run`, and without one."""

import subprocess
from pathlib import Path

import pytest

from simulators.processes import COMMAND, Andaman, andaman, environment, free_port, wait_until
from simulators.servers.mosquitto import MosquittoProcess, has_mosquitto
from tests.told import Certificates, Client, how_to
from tests.world import write_configuration

pytestmark = pytest.mark.network


def command(folder: Path, *words: str, **settings: object) -> "subprocess.CompletedProcess[str]":
    """`andaman gateways …` on the data folder that a test uses."""
    given = environment(config_dir=folder / "config", data_dir=folder / "data", **settings)
    return subprocess.run(
        [*COMMAND, "gateways", *words],
        cwd=folder,
        env=given | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def answer_of(system: Andaman, gateway: str, secret: str) -> str:
    client = Client(system.wait_ready()["mqtt"]["port"], gateway, secret)
    client.leave()
    return client.answer


def test_a_gateway_is_made_rotated_and_revoked_while_the_system_runs(tmp_path: Path) -> None:
    with andaman(tmp_path, config_dir=write_configuration(tmp_path / "config")) as system:
        system.start()
        system.wait_ready()
        made = command(tmp_path, "create", "gw-kata", "--name-en", "Kata")
        assert (made.returncode, made.stderr) == (0, "")
        secret = made.stdout.strip()
        assert answer_of(system, "gw-kata", secret) == "Success"
        another = command(tmp_path, "rotate", "gw-kata").stdout.strip()
        assert answer_of(system, "gw-kata", secret) == "Not authorized"
        assert answer_of(system, "gw-kata", another) == "Success"
        revoked = command(tmp_path, "revoke", "gw-kata")
        assert revoked.stdout == "gw-kata is revoked, and 0 API keys with it\n"
        assert answer_of(system, "gw-kata", another) == "Not authorized"
        listed = command(tmp_path, "list").stdout
        assert "gw-kata" in listed
        assert "revoked 2" in listed
        assert "none yet" in listed
        assert secret not in system.said()
        assert "gateways without a secret: gw, other" in system.said()
    again = command(tmp_path, "revoke", "gw-kata")
    assert again.returncode == 1
    assert "nothing in force" in again.stderr


def test_a_secret_made_while_nothing_runs_holds_from_the_next_start(tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "config")
    secret = command(tmp_path, "rotate", "gw").stdout.strip()
    with andaman(tmp_path, config_dir=config) as system:
        system.start()
        assert answer_of(system, "gw", secret) == "Success"


def test_secrets_of_an_earlier_version_stay_right_and_leave_their_file(tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "config")
    folder = tmp_path / "data" / "broker"
    folder.mkdir(parents=True, mode=0o700)
    kept = '{"ingest": "i", "client_id": "c", "gateways": {"gw": "from before"}}'
    (folder / "credentials.json").write_text(kept, encoding="utf-8")
    with andaman(tmp_path, config_dir=config) as system:
        system.start()
        assert answer_of(system, "gw", "from before") == "Success"
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [path for path in files if b"from before" in path.read_bytes()] == []


def test_an_outside_broker_that_nobody_tells_is_mentioned(tmp_path: Path) -> None:
    write_configuration(tmp_path / "config")
    done = command(tmp_path, "rotate", "gw", mqtt_url="mqtt://127.0.0.1:1")
    assert done.returncode == 0
    assert len(done.stdout.strip()) == 64
    assert "does not tell the broker" in done.stderr


@pytest.mark.skipif(not has_mosquitto(), reason="mosquitto is not on PATH")
def test_mosquittos_files_are_written_also_while_nothing_runs(tmp_path: Path) -> None:
    write_configuration(tmp_path / "config")
    settings = {"mqtt_url": "mqtt://127.0.0.1:1", "mqtt_password": "own"}
    told = command(tmp_path, "rotate", "gw", mosquitto_dir=tmp_path, **settings)
    assert (told.returncode, told.stderr) == (0, "")
    assert "\ngw:$7$" in (tmp_path / "passwords").read_text(encoding="utf-8")
    wrong = command(tmp_path, "rotate", "gw", mosquitto_dir=tmp_path / "nowhere", **settings)
    assert wrong.returncode == 1
    assert "nowhere/acl: cannot be written (No such file or directory)" in wrong.stderr


@pytest.mark.skipif(not has_mosquitto(), reason="mosquitto is not on PATH")
def test_mosquitto_follows_a_running_system_and_what_it_refused_is_shown(tmp_path: Path) -> None:
    write_configuration(tmp_path / "config")
    files = tmp_path / "mosquitto"
    files.mkdir()
    port, gateways_port = free_port(), free_port()
    mosquitto = MosquittoProcess(files, port, how_to(files, port, gateways_port, tls=False))
    settings = {
        "mqtt_url": f"mqtt://127.0.0.1:{port}",
        "mqtt_password": "own",
        "mosquitto_dir": files,
        "mosquitto_pid_file": files / "mosquitto.pid",
        "mosquitto_log": files / "mosquitto.log",
    }
    with andaman(tmp_path, config_dir=tmp_path / "config", **settings) as system:
        system.start()
        system.wait_ready()  # and has written the files that Mosquitto does not start without
        told = system.ask("/health/ready").json()["checks"]["credentials"]
        assert "mosquitto.pid: Mosquitto cannot be told" in told["words"]
        mosquitto.start()
        wait_until(lambda: system.ask("/health/ready").status_code == 200)
        secret = command(tmp_path, "rotate", "gw", **settings).stdout.strip()
        client = Client(gateways_port, "gw", secret)
        client.publish("andaman/v1/other/up/readings", b"forged")
        client.publish("andaman/v1/gw/up/status", b'{"online": true}')

        def shown() -> tuple[int, bool]:
            (gw, _) = system.ask("/v1/gateways").json()["items"]
            return gw["refused"]["publishes"], bool(gw["status"])

        wait_until(lambda: shown() == (1, True))
        command(tmp_path, "revoke", "gw", **settings)
        wait_until(lambda: client.ended)
        client.leave()
    mosquitto.stop()


def test_gateways_come_over_tls_where_settings_say_so(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    settings = {"mqtt_cert_file": certificates.chain, "mqtt_key_file": certificates.key}
    config = write_configuration(tmp_path / "config")
    with andaman(tmp_path, config_dir=config, **settings) as system:
        system.start()
        port = system.wait_ready()["mqtt"]["port"]
        wait_until(lambda: system.ask("/health/ready").status_code == 200)
        client = Client(port, "gw", system.gateway_secrets()["gw"], certificates.ca)
        client.publish("andaman/v1/gw/up/readings", b'{"device": "air-1", "values": {"pm25": 4}}')
        wait_until(lambda: system.stored() == 1)
        client.leave()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"mosquitto_dir": "x"}, "set ANDAMAN_MQTT_URL as well", id="embedded"),
        pytest.param(
            {"mosquitto_dir": "x", "mqtt_url": "mqtt://h"},
            "ANDAMAN_MQTT_PASSWORD is missing",
            id="no password",
        ),
        pytest.param(
            {
                "mosquitto_dir": "x",
                "mqtt_url": "mqtt://h",
                "mqtt_password": "p",
                "mqtt_username": "gw",
            },
            "no gateway's id",
            id="a gateway's name",
        ),
        pytest.param({"mqtt_url": "http://h"}, "mqtts://host:8883", id="no MQTT"),
        pytest.param(
            {"mqtt_url": "mqtts://h", "mqtt_ca_file": "nowhere"},
            "nowhere: cannot be used (No such file or directory)",
            id="no authority",
        ),
        pytest.param({"mqtt_cert_file": "x"}, "go together", id="no key"),
        pytest.param(
            {"mqtt_cert_file": "nowhere", "mqtt_key_file": "nowhere"},
            "MQTT_KEY_FILE: cannot be used (No such file or directory)",
            id="no certificate",
        ),
    ],
)
def test_a_wrong_setting_ends_the_start(
    tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    config = write_configuration(tmp_path / "config")
    with andaman(tmp_path, config_dir=config, **settings) as system:
        system.start()
        wait_until(lambda: system.process.poll() is not None)
        assert system.process.returncode == 1
        assert words in system.said()
