"""One contract for both brokers: they follow the gateways' credentials, and nobody else notices."""

import dataclasses
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.access import Denied
from ingest.broker_log import BrokerLog
from ingest.denials import Denials
from ingest.sources import NATIVE
from ingest.tls import Trust
from simulators.processes import wait_until
from simulators.servers.mosquitto import has_mosquitto
from storage.credentials import Credential, credential_of
from tests.told import HOST, Certificates, Client, Ear, Told, ToldMosquitto, ToldNats

pytestmark = pytest.mark.network

SOON = 2.0  # seconds
# paho leaves the socket of a failed handshake to the garbage collector.
refused_handshake = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
SOURCES = (NATIVE, dataclasses.replace(NATIVE, topic="tele/+/SENSOR", gateway="gw-1"))
TOPICS = [source.filter for source in SOURCES]
SECRETS = {"gw-1": "one", "gw-2": "two"}


def told(**secrets: str) -> list[Credential]:
    """What the ledger would say."""
    found = SECRETS | {name.replace("_", "-"): secret for name, secret in secrets.items()}
    return [credential_of(name, secret) for name, secret in found.items()]


@contextmanager
def a_broker(kind: str, folder: Path, certificates: Certificates | None) -> Iterator[Told]:
    if kind == "mosquitto" and not has_mosquitto():
        pytest.skip("mosquitto is not on PATH")
    made = ToldNats if kind == "nats-server" else ToldMosquitto
    broker = made(folder, SOURCES, certificates)
    broker.start(told())
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=["nats-server", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    with a_broker(request.param, tmp_path, None) as made:
        yield made


class Clients:
    """Gateways that leave at the end."""

    def __init__(self, broker: Told) -> None:
        self._broker = broker
        self._all: list[Client] = []

    def connect(self, gateway: str, secret: str, ca: Path | None = None) -> Client:
        self._all.append(Client(self._broker.gateways_port, gateway, secret, ca))
        return self._all[-1]

    def leave(self) -> None:
        for client in self._all:
            client.leave()


@pytest.fixture
def clients(broker: Told) -> Iterator[Clients]:
    found = Clients(broker)
    yield found
    found.leave()


def soon(broker: Told, credentials: list[Credential]) -> float:
    """Tell the broker; the moment until which it should have followed."""
    deadline = time.monotonic() + SOON
    broker.admit(credentials)
    return deadline


def follows(clients: Clients, gateway: str, secret: str, answer: str, deadline: float) -> Client:
    """The client that got the answer in time."""
    client = clients.connect(gateway, secret)
    while client.answer != answer:
        assert time.monotonic() < deadline, client.answer
        client = clients.connect(gateway, secret)
    return client


def test_a_new_gateway_is_let_in(broker: Told, clients: Clients) -> None:
    assert clients.connect("gw-3", "three").answer == "Not authorized"
    deadline = soon(broker, told(gw_3="three"))
    with Ear(broker.address, TOPICS).listening() as ear:
        client = follows(clients, "gw-3", "three", "Success", deadline)
        client.publish("andaman/v1/gw-3/up/readings", b"first")
        wait_until(lambda: ear.heard == [("andaman/v1/gw-3/up/readings", b"first")])


def test_a_new_secret_ends_the_old_one_and_nobody_else_notices(
    broker: Told, clients: Clients
) -> None:
    with Ear(broker.address, TOPICS).listening() as ear:
        first, second = clients.connect("gw-1", "one"), clients.connect("gw-2", "two")
        deadline = soon(broker, told(gw_1="another"))
        wait_until(lambda: first.ended, SOON)
        again = follows(clients, "gw-1", "another", "Success", deadline)
        assert clients.connect("gw-1", "one").answer == "Not authorized"
        again.publish("andaman/v1/gw-1/up/readings", b"back")
        second.publish("andaman/v1/gw-2/up/readings", b"still here")
        wait_until(lambda: len(ear.heard) == 2)
        assert not second.ended
        assert ear.sessions == ["up"]
    assert [payload for _, payload in ear.heard] == [b"back", b"still here"]


def test_who_is_revoked_is_out(broker: Told, clients: Clients) -> None:
    with Ear(broker.address, TOPICS).listening() as ear:
        first, second = clients.connect("gw-1", "one"), clients.connect("gw-2", "two")
        soon(broker, told()[1:])
        wait_until(lambda: first.ended, SOON)
        assert clients.connect("gw-1", "one").answer == "Not authorized"
        second.publish("andaman/v1/gw-2/up/readings", b"still here")
        wait_until(lambda: len(ear.heard) == 1)
        assert (second.ended, ear.sessions) == (False, ["up"])


def test_what_waits_at_the_broker_outlives_a_change(broker: Told, clients: Clients) -> None:
    """Also where the broker was started anew since, and knows nobody's password any more."""
    with Ear(broker.address, TOPICS).listening():
        pass
    clients.connect("gw-1", "one").publish("andaman/v1/gw-1/up/readings", b"waits")
    broker.admit(told(gw_2="another"))
    broker.stop()
    broker.start(told(gw_2="another"))
    broker.admit(told())
    with Ear(broker.address, TOPICS).listening() as ear:
        wait_until(lambda: [payload for _, payload in ear.heard] == [b"waits"])


@pytest.mark.parametrize(
    ("topic", "passes"),
    [
        pytest.param("andaman/v1/gw-1/up/readings", True, id="its own"),
        pytest.param("tele/attic/SENSOR", True, id="of its source"),
        pytest.param("andaman/v1/gw-2/up/readings", False, id="of another gateway"),
        pytest.param("andaman/v1/gw-1/down/receipt", False, id="of Andaman"),
        pytest.param("anything", False, id="of nobody"),
    ],
)
def test_a_gateway_publishes_on_its_own_topics_alone(
    broker: Told, clients: Clients, topic: str, passes: bool
) -> None:
    with Ear(broker.address, [*TOPICS, "andaman/v1/+/up/status"]).listening() as ear:
        client = clients.connect("gw-1", "one")
        client.publish(topic, b"first")
        expected = {b"first"} if passes else set()
        for status in (b"next", b"last"):  # a broker may tell topics in another order
            client.publish("andaman/v1/gw-1/up/status", status)
            expected.add(status)
            wait_until(lambda: {payload for _, payload in ear.heard} >= expected)
    assert {payload for _, payload in ear.heard} == expected


def test_its_log_tells_what_was_refused_to_whom(broker: Told, clients: Clients) -> None:
    denials = Denials(BrokerLog(broker.log), broker.denial, lambda: set(SECRETS))
    client = clients.connect("gw-1", "one")
    client.publish("andaman/v1/gw-2/up/readings", b"forged")
    client.publish("andaman/v1/gw-2/up/status", b"forged")
    client.publish("andaman/v1/gw-1/up/status", b"own")
    clients.connect("gw-2", "wrong")
    clients.connect("nobody", "wrong")

    def looked(now: int = 7) -> list[Denied]:
        denials.look(now)
        return list(denials.seen.values())

    wait_until(lambda: sum(seen.logins for seen in looked()) == 2)
    denials.close()
    assert denials.seen["gw-1"] == Denied(publishes=2, last=7)
    assert denials.seen[""].logins == 2 - denials.seen.get("gw-2", Denied()).logins


# --- TLS ---


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.mark.parametrize("kind", ["nats-server", "mosquitto"])
def test_gateways_come_over_tls(kind: str, tmp_path: Path, certificates: Certificates) -> None:
    with (
        a_broker(kind, tmp_path, certificates) as broker,
        Ear(broker.address, TOPICS).listening() as ear,
    ):
        clients = Clients(broker)
        client = clients.connect("gw-1", "one", certificates.ca)
        assert clients.connect("gw-1", "wrong", certificates.ca).answer == "Not authorized"
        for number in range(300):
            client.publish("andaman/v1/gw-1/up/readings", b"%03d" % number + b"x" * 5000)
        wait_until(lambda: len(ear.heard) == 300)
        clients.leave()
    assert [payload[:3] for _, payload in ear.heard] == [b"%03d" % n for n in range(300)]


@refused_handshake
@pytest.mark.parametrize("kind", ["nats-server", "mosquitto"])
def test_nobody_comes_without_tls_where_tls_is_due(
    kind: str, tmp_path: Path, certificates: Certificates
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with a_broker(kind, tmp_path, certificates) as broker:
        clients = Clients(broker)
        assert clients.connect("gw-1", "one").answer == ""
        with pytest.raises(ssl.SSLCertVerificationError):
            clients.connect("gw-1", "one", Certificates(other).ca)
        clients.leave()


@refused_handshake
@pytest.mark.parametrize("kind", ["nats-server", "mosquitto"])
def test_andaman_comes_over_tls_to_a_broker_that_its_authority_vouches_for(
    kind: str, tmp_path: Path, certificates: Certificates
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    with a_broker(kind, tmp_path, certificates) as broker:
        address = dataclasses.replace(broker.address, port=broker.gateways_port)
        trusting = dataclasses.replace(address, trust=Trust(ca_file=certificates.ca))
        with Ear(trusting, TOPICS).listening() as ear:
            assert ear.sessions == ["up"]
        doubting = dataclasses.replace(address, trust=Trust(ca_file=Certificates(stranger).ca))
        ear = Ear(doubting, TOPICS)
        ear.listener.start()
        wait_until(lambda: "certificate" in ear.listener.health.last_error)
        ear.listener.stop()
    assert ear.sessions == []


def test_the_embedded_broker_shows_a_renewed_certificate_and_keeps_its_connections(
    tmp_path: Path, certificates: Certificates
) -> None:
    broker = ToldNats(tmp_path, SOURCES, certificates)
    broker.start(told())
    clients = Clients(broker)
    with Ear(broker.address, TOPICS).listening() as ear:
        before = clients.connect("gw-1", "one", certificates.ca)
        shown = ssl.get_server_certificate((HOST, broker.gateways_port))
        certificates.renew(HOST)
        broker.broker.check()
        wait_until(lambda: ssl.get_server_certificate((HOST, broker.gateways_port)) != shown, SOON)
        clients.connect("gw-2", "two", certificates.ca)
        before.publish("andaman/v1/gw-1/up/readings", b"still here")
        wait_until(lambda: len(ear.heard) == 1)
        assert (before.ended, ear.sessions) == (False, ["up"])
    with Ear(broker.address, TOPICS).listening() as ear:  # and is recognised by ourselves
        assert ear.sessions == ["up"]
    clients.leave()
    broker.stop()
