"""Both brokers as Andaman tells them whom to let in, each plain and with TLS."""

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import paho.mqtt.client as paho
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import BrokerError
from core.messages import Message
from ingest.broker import BrokerAddress, EmbeddedBroker
from ingest.broker_files import Certificate
from ingest.denials import of_mosquitto, of_nats
from ingest.mosquitto import Mosquitto
from ingest.mqtt import Listener
from ingest.sources import Source
from simulators.processes import free_port, wait_until
from simulators.servers.mosquitto import MosquittoProcess
from storage.credentials import Credential
from tests.docs.pages import blocks, sections

HOST = "127.0.0.1"


class Certificates:
    """A throw-away authority in `folder`, and the broker's certificate."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.chain, self.key = folder / "fullchain.pem", folder / "key.pem"
        self.ca.write_bytes(self._authority.cert_pem.bytes())
        self.renew(HOST)

    @property
    def certificate(self) -> Certificate:
        """As the embedded broker gets it."""
        return Certificate(chain=self.chain, key=self.key)

    def renew(self, *names: str) -> None:
        """Another certificate in place of the one before."""
        made = self._authority.issue_cert(*names)
        self.key.write_bytes(made.private_key_pem.bytes())
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        self.chain.write_bytes(chain)


class ToldNats:
    """The embedded broker: all use one port."""

    denial = staticmethod(of_nats)

    def __init__(
        self, folder: Path, sources: Sequence[Source], certificates: Certificates | None
    ) -> None:
        self.log = folder / "broker" / "log"
        self.gateways_port = free_port()
        self._folder, self._sources = folder / "broker", sources
        self._certificate = certificates.certificate if certificates else None

    def start(self, credentials: Sequence[Credential]) -> None:
        self.broker = EmbeddedBroker(
            self._folder,
            credentials,
            self.gateways_port,
            certificate=self._certificate,
            sources=self._sources,
            ack_wait_seconds=1,
        )
        self.admit = self.broker.admit
        self.address = self.broker.start()

    def stop(self) -> None:
        self.broker.stop()


class ToldMosquitto:
    """A Mosquitto as our how-to sets it up; gateways have a port of their own."""

    denial = staticmethod(of_mosquitto)

    def __init__(
        self, folder: Path, sources: Sequence[Source], certificates: Certificates | None
    ) -> None:
        self.gateways_port = free_port()
        self.log = folder / "mosquitto.log"
        pid_file = folder / "mosquitto.pid"
        door = Mosquitto(
            folder, username="ingest", password="own", sources=sources, pid_file=pid_file
        )
        self.admit = door.admit
        port = free_port()
        text = how_to(folder, port, self.gateways_port, tls=certificates is not None)
        self._process = MosquittoProcess(folder, port, text)
        self.address = BrokerAddress(
            host=HOST, port=port, username="ingest", password="own", client_id="ingest"
        )

    def start(self, credentials: Sequence[Credential]) -> None:
        with suppress(BrokerError):  # it does not run yet
            self.admit(credentials)
        self._process.start()

    def stop(self) -> None:
        self._process.stop()


Told: TypeAlias = ToldNats | ToldMosquitto


def how_to(folder: Path, port: int, gateways_port: int, *, tls: bool) -> str:
    """The configuration that docs/how-to/gateways.md shows, with files in `folder`."""
    shown = blocks(sections("docs/how-to/gateways.md")["Mosquitto"], "text")
    (text,) = (block for block in shown if "password_file" in block)
    for there, here in {
        "listener 1883 127.0.0.1": f"listener {port} {HOST}",
        "listener 8883": f"listener {gateways_port} {HOST}",
        "/var/lib/andaman/mosquitto/": f"{folder}/",
        "/etc/mosquitto/certs/": f"{folder}/",
        "/var/lib/mosquitto/": f"{folder}/",
        "/run/mosquitto/": f"{folder}/",
        "/var/log/mosquitto/": f"{folder}/",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    if not tls:
        secret = ("certfile", "keyfile")
        text = "\n".join(line for line in text.splitlines() if not line.startswith(secret))
    return text


class Client:
    """A gateway's MQTT client: what the broker answered it, and whether it is still there."""

    def __init__(self, port: int, username: str, password: str, ca: Path | None = None) -> None:
        self.answer = ""  # stays so when the connection ended before one came
        self.ended = False
        self._mqtt = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=username,
            clean_session=False,
            reconnect_on_failure=False,
        )
        self._mqtt.max_inflight_messages_set(1000)
        self._mqtt.username_pw_set(username, password)
        if ca is not None:
            self._mqtt.tls_set_context(ssl.create_default_context(cafile=str(ca)))
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = self._on_disconnect
        self._mqtt.connect(HOST, port)
        self._mqtt.loop_start()
        wait_until(lambda: self.answer or self.ended)

    def publish(self, topic: str, payload: bytes) -> None:
        """At QoS 1, until the broker has it."""
        self._mqtt.publish(topic, payload, 1).wait_for_publish(10)

    def send(self, topic: str, payload: bytes) -> None:
        """At QoS 1, without waiting."""
        self._mqtt.publish(topic, payload, 1)

    def subscribe(self, topic: str) -> None:
        """Ask for it at QoS 1."""
        self._mqtt.subscribe(topic, 1)

    def leave(self) -> None:
        """End the connection, if there still is one."""
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def _on_connect(self, _c: Any, _d: Any, _f: Any, reason: Any, _p: Any) -> None:
        self.answer = str(reason)

    def _on_disconnect(self, _c: Any, _d: Any, _f: Any, _reason: Any, _p: Any) -> None:
        self.ended = True


class Ear:
    """Andaman's own connection, and what it heard."""

    def __init__(self, address: BrokerAddress, topics: Sequence[str]) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.sessions: list[str] = []
        self.listener = Listener(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            client_id=address.client_id,
            trust=address.trust,
            topics=topics,
            deliver=self._hear,
            connected=lambda _at: self.sessions.append("up"),
            disconnected=lambda _at: self.sessions.append("down"),
            backlog=lambda: 0,
            clock=lambda: time.time_ns() // 1000,
        )

    def _hear(self, message: Message) -> None:
        self.heard.append((message.topic.decode(), message.payload))
        self.listener.acknowledge([message])

    @contextmanager
    def listening(self) -> Iterator["Ear"]:
        """Connected, until the end of the block."""
        self.listener.start()
        try:
            wait_until(lambda: self.listener.health.connected)
            yield self
        finally:
            self.listener.stop()
