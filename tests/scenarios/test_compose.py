"""docker-compose.yml: what it must not leave open, and its very files run on this machine.

No container is started: the same configuration is given to the same programs, with the containers'
paths and names replaced by this machine's.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from core.settings import SECRETS, Settings
from simulators.processes import COMMAND, ROOT, Andaman, environment, free_port, wait_until
from simulators.servers.influxd import InfluxServer, find_influxd
from simulators.servers.mosquitto import PLACES, has_mosquitto

STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
each_service = pytest.mark.parametrize("service", SERVICES)
OPTIONAL = re.compile(r"\$\{\w+:-([^}]*)\}")


# --- what each service must have ---


@each_service
def test_its_image_is_pinned(service: str) -> None:
    name, _, tag = SERVICES[service]["image"].partition(":")
    assert name
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z0-9.]+)?", tag)


@each_service
def test_it_is_no_root_and_can_become_nobody_else(service: str) -> None:
    given = SERVICES[service]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", given["user"])
    assert given["cap_drop"] == ["ALL"]
    assert "cap_add" not in given
    assert "privileged" not in given
    assert given["security_opt"] == ["no-new-privileges:true"]


@each_service
def test_it_writes_to_its_volumes_and_to_a_temporary_folder_alone(service: str) -> None:
    given = SERVICES[service]
    assert given["read_only"] is True
    assert any(place.startswith("/tmp:") for place in given["tmpfs"])  # noqa: S108
    for volume in given.get("volumes", ()):
        assert not volume.startswith("./") or volume.endswith(":ro")
        assert "docker.sock" not in volume


@each_service
def test_what_it_may_use_is_bounded(service: str) -> None:
    given = SERVICES[service]
    assert {"pids_limit", "mem_limit", "cpus", "ulimits"} <= given.keys()
    assert given["ulimits"]["nofile"]["hard"] <= 65536
    assert {"max-size", "max-file"} <= given["logging"]["options"].keys()
    assert given["init"] is True
    assert given["stop_grace_period"] == "30s"


@each_service
def test_it_is_looked_after(service: str) -> None:
    given = SERVICES[service]
    once_or_nobody = service in {"influx-setup", "simulator"}
    assert given["healthcheck"].get("disable", False) is once_or_nobody
    assert given["restart"] == ("no" if service == "influx-setup" else "unless-stopped")


def test_only_proxy_and_broker_are_published_and_only_encrypted() -> None:
    published = {name: given["ports"] for name, given in SERVICES.items() if "ports" in given}
    inner = {name: [port.rpartition(":")[2] for port in ports] for name, ports in published.items()}
    assert inner == {"mosquitto": ["8883"], "proxy": ["8443"]}
    assert STACK["networks"]["inside"]["internal"] is True
    assert SERVICES["influxdb"]["networks"] == ["inside"]
    assert SERVICES["grafana"]["networks"] == ["inside"]


@each_service
def test_its_secrets_are_files_and_none_has_a_default(service: str) -> None:
    for name, value in SERVICES[service].get("environment", {}).items():
        if re.search(r"PASSWORD|TOKEN|SECRET(?!S_DIR)|KEY", name):
            file = name.endswith("_FILE") or name == "TLS_KEY"
            assert file, name
            assert value.startswith("/"), name
    sources = {
        s if isinstance(s, str) else s["source"] for s in SERVICES[service].get("secrets", ())
    }
    assert sources <= STACK["secrets"].keys()
    assert all("file" in secret for secret in STACK["secrets"].values())


def test_andaman_gets_settings_that_there_are() -> None:
    names = {name.removeprefix("ANDAMAN_").lower() for name in SERVICES["andaman"]["environment"]}
    assert names <= {*Settings.model_fields, *(f"{secret}_file" for secret in SECRETS)}


def test_what_the_stack_mounts_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            made_later = source.startswith("./secrets")
            assert made_later or not source.startswith("./") or (ROOT / source).exists()
            assert source.startswith("./") or source in STACK["volumes"]


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert text.count("\nFROM ") == 2 - text.startswith("FROM ")
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    assert "!secrets" not in ignored
    modules = re.search(r"^py-modules = (.*)$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert modules is not None
    assert "!*.py" in ignored


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on PATH")
    folder = tmp_path / "secrets"
    for _ in range(2):
        make_secrets(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    wanted = {Path(secret["file"]).name for secret in STACK["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == {*wanted, "webhooks"}
    random = {name: (folder / name).read_text() for name in wanted if not name.startswith("tls")}
    made = [text for text in random.values() if text]
    assert len(made) == 4
    assert len(set(made)) == 4
    assert all(len(text.strip()) == 64 for text in made)


# --- the same files, run here ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The services of the file as programs of this machine."""

    folder: Path
    andaman: Andaman
    https: int
    mqtts: int
    influx: InfluxServer


def make_secrets(folder: Path) -> None:
    script = ROOT / "config/compose-secrets.sh"
    subprocess.run(["sh", str(script), str(folder)], check=True, stdout=subprocess.DEVNULL)


def here(text: str, folder: Path, places: dict[str, str]) -> str:
    """Text of a service, with its names and paths replaced by ours."""
    text = OPTIONAL.sub(r"\1", text)
    for name, place in places.items():
        text = text.replace(name, place)
    for inside in ("/run/secrets", "/run/webhooks", "/tokens", "/mosquitto"):
        text = text.replace(inside, f"{folder}{inside}")
    return text


@contextmanager
def child(command: list[str], log: Path, **more: Any) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **more
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    influxd, nginx = find_influxd(), shutil.which("nginx", path=PLACES)
    if influxd is None or nginx is None or not has_mosquitto() or shutil.which("openssl") is None:
        pytest.skip("influxd, nginx, mosquitto and openssl are not all on PATH")
    folder = tmp_path_factory.mktemp("stack")
    for inside in ("run", "mosquitto/access", "mosquitto/data", "mosquitto/log", "influx", "nginx"):
        (folder / inside).mkdir(parents=True)
    make_secrets(folder / "run/secrets")
    with ExitStack() as running:
        influx = influx_of(running, influxd, folder)
        ports = {name: free_port() for name in ("mqtt", "mqtts", "api", "https", "grafana")}
        places = {
            "influxdb:8086": influx.url.removeprefix("http://"),
            "mosquitto:1883": f"127.0.0.1:{ports['mqtt']}",
            "andaman:8080": f"127.0.0.1:{ports['api']}",
            "grafana:3000": f"127.0.0.1:{ports['grafana']}",
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - it is what the file says
            "172.30.87.0/24": "127.0.0.1",
        }
        set_up_influx(folder, places)
        andaman = andaman_of(folder, places, ports["api"])
        running.callback(andaman.end)
        andaman.start()
        running.enter_context(mosquitto_of(folder, ports))
        andaman.wait_ready()
        # Until it has subscribed for the first time, the broker keeps nothing for it.
        wait_until(lambda: andaman.ask("/health/ready").json()["checks"]["broker"]["ok"])
        running.enter_context(nginx_of(nginx, folder, places, ports["https"]))
        yield Stack(
            folder=folder,
            andaman=andaman,
            https=ports["https"],
            mqtts=ports["mqtts"],
            influx=influx,
        )


def influx_of(running: ExitStack, influxd: str, folder: Path) -> InfluxServer:
    """As its image sets it up: with the administrator's password and token of the files."""
    server = InfluxServer(influxd, folder / "influx")
    running.callback(server.stop)
    server.start()
    given = SERVICES["influxdb"]["environment"]
    token, password = (
        Path(f"{folder}{given[f'DOCKER_INFLUXDB_INIT_{name}_FILE']}").read_text().strip()
        for name in ("ADMIN_TOKEN", "PASSWORD")
    )
    server.set_up(token, password)
    return server


def set_up_influx(folder: Path, places: dict[str, str]) -> None:
    service = SERVICES["influx-setup"]
    words = [here(word, folder, places) for word in service["command"]]
    given = {name: here(value, folder, places) for name, value in service["environment"].items()}
    subprocess.run(
        [*COMMAND, *words], check=True, env=environment() | given, stdout=subprocess.DEVNULL
    )


def andaman_of(folder: Path, places: dict[str, str], port: int) -> Andaman:
    given = {
        name.removeprefix("ANDAMAN_").lower(): here(value, folder, places)
        for name, value in SERVICES["andaman"]["environment"].items()
    }
    own: dict[str, Any] = given | {"data_dir": folder / "data", "api_port": port}
    return Andaman(folder, **own)


@contextmanager
def mosquitto_of(folder: Path, ports: dict[str, int]) -> Iterator[None]:
    """By the script of the container; root's files need root's broker."""
    text = (ROOT / "config/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    text = here(text, folder, {})
    text = text.replace("listener 1883", f"listener {ports['mqtt']} 127.0.0.1")
    text = text.replace("listener 8883", f"listener {ports['mqtts']} 127.0.0.1")
    if os.geteuid() == 0:
        text += "\nuser root\n"
    configuration = folder / "mosquitto.conf"
    configuration.write_text(text, encoding="utf-8")
    own = {"ACCESS": f"{folder}/mosquitto/access", "LOG": f"{folder}/mosquitto/log/mosquitto.log"}
    command = ["sh", str(ROOT / "config/mosquitto/run.sh"), str(configuration)]
    with child(command, folder / "run.log", env={**os.environ, "PATH": PLACES, **own}):
        yield


@contextmanager
def nginx_of(nginx: str, folder: Path, places: dict[str, str], port: int) -> Iterator[None]:
    text = (ROOT / "config/nginx/andaman.conf.template").read_text(encoding="utf-8")
    text = text.replace("listen ${HTTPS_PORT}", f"listen 127.0.0.1:{port}")
    for name, value in SERVICES["proxy"]["environment"].items():
        text = text.replace(f"${{{name}}}", here(value, folder, places))
    assert "${" not in text
    (folder / "nginx/andaman.conf").write_text(text, encoding="utf-8")
    temporary = "\n".join(
        f"{what}_temp_path {folder}/nginx/{what};"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx/nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx/pid; error_log {folder}/nginx/error.log;\n"
        f"events {{ worker_connections 512; }}\n"
        f"http {{ access_log off; {temporary} include {folder}/nginx/andaman.conf; }}\n",
        encoding="utf-8",
    )
    command = [nginx, "-p", f"{folder}/nginx", "-c", f"{folder}/nginx/nginx.conf"]
    with child(command, folder / "nginx.log"):
        wait_until(lambda: accepts(port))
        yield


def accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def outside(stack: Stack) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=str(stack.folder / "run/secrets/tls_certificate"))
    return httpx.Client(base_url=f"https://127.0.0.1:{stack.https}", verify=trusted, timeout=10)


@pytest.mark.network
def test_a_reading_comes_in_encrypted_and_is_found_in_influxdb(stack: Stack) -> None:
    gateway = "gw-patong"
    secret = stack.andaman.gateway_secrets()[gateway]
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=gateway)
    client.username_pw_set(gateway, secret)
    client.tls_set(str(stack.folder / "run/secrets/tls_certificate"))
    wait_until(lambda: connects(client, stack.mqtts))  # Mosquitto hears of the new secret in 2 s
    body = {"device": "patong-probe-1", "values": {"water_temperature": 29.5, "ph": 8.1}}
    sent = client.publish(f"andaman/v1/{gateway}/up/readings", json.dumps(body), qos=1)
    wait_until(lambda: client.loop(0.1) or sent.is_published())
    client.disconnect()

    wait_until(lambda: stack.andaman.stored() == 2)
    token = (stack.folder / "tokens/grafana_influx_token").read_text(encoding="utf-8")
    wait_until(lambda: "patong-probe-1" in asked(stack.influx, token))


def connects(client: mqtt.Client, port: int) -> bool:
    """Whether the broker lets it in; a refusal ends the connection."""
    with suppress(OSError):
        client.connect("127.0.0.1", port)
        for _ in range(50):
            client.loop(0.1)
            if client.is_connected():
                return True
    return False


def asked(influx: InfluxServer, token: str) -> str:
    flux = 'from(bucket: "andaman") |> range(start: -1h) |> filter(fn: (r) => r._field == "ph")'
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/vnd.flux"}
    answer = httpx.post(f"{influx.url}/api/v2/query?org=andaman", content=flux, headers=headers)
    return answer.raise_for_status().text


@pytest.mark.network
def test_the_proxy_lets_in_what_it_should_with_the_headers_that_protect(stack: Stack) -> None:
    with outside(stack) as client:
        alive = client.get("/health/live")
        assert alive.status_code == 200
        assert alive.headers["strict-transport-security"] == "max-age=31536000"
        assert alive.headers["x-content-type-options"] == "nosniff"
        assert "nginx/" not in alive.headers["server"]
        assert client.get("/v1/alerts").status_code == 401
        assert client.get("/metrics").status_code == 404
        assert client.get("/grafana/api/health").status_code == 502  # no Grafana on this machine
        assert client.post("/v1/readings", content=b"x" * 5_000_000).status_code == 413
    with socket.create_connection(("127.0.0.1", stack.https)) as plain:
        plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 400 " in plain.recv(100)  # it speaks TLS alone


@pytest.mark.network
def test_a_client_that_never_ends_its_header_is_shown_out(stack: Stack) -> None:
    trusted = ssl.create_default_context(cafile=str(stack.folder / "run/secrets/tls_certificate"))
    plain = socket.create_connection(("127.0.0.1", stack.https), timeout=15)
    with trusted.wrap_socket(plain, server_hostname="127.0.0.1") as slow:
        slow.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        began = time.monotonic()
        assert slow.recv(1) == b""
        assert time.monotonic() - began < 12


@pytest.mark.network
def test_a_flood_of_calls_from_one_place_is_slowed_down(stack: Stack) -> None:
    with outside(stack) as client:
        answers = [client.get("/public/subscribe").status_code for _ in range(60)]
    assert answers[0] == 200
    assert 429 in answers


@pytest.mark.network
def test_a_simulator_whose_key_is_wrong_says_so(stack: Stack, tmp_path: Path) -> None:
    api = stack.andaman.wait_ready()["api"]
    empty, wrong = stack.folder / "run/secrets/simulator_key", tmp_path / "key"
    wrong.write_text("andaman_abcdefgh_0123456789012345678901234567890123456789012")
    said = {}
    for key in (empty, wrong):
        words = ["simulate", "--api", api, "--key-file", str(key), "--broker", "127.0.0.1:9"]
        done = subprocess.run(
            [*COMMAND, *words], env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        said[key] = done.stderr
    assert "is empty; put what `andaman keys create" in said[empty]
    assert "refuses (401); is the key an administrator's?" in said[wrong]
