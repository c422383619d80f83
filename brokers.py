"""The broker of a running system: an embedded or an outside one, and who is let in there."""

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine as Database

from api.context import Admit
from core.errors import BrokerError, ConfigError
from core.settings import Settings
from ingest.broker import BrokerAddress, EmbeddedBroker
from ingest.broker_files import Certificate, read_secrets
from ingest.broker_log import BrokerLog
from ingest.denials import Denials, of_mosquitto, of_nats
from ingest.follower import Follower
from ingest.mosquitto import Mosquitto
from ingest.sources import Source
from ingest.tls import Trust
from storage import gateways, queries
from storage.credentials import adopt, in_force, without
from storage.ledger import Ledger

log = logging.getLogger(__name__)

BY_HAND = (
    "Andaman does not tell the broker at ANDAMAN_MQTT_URL: change its user there, "
    "or let Andaman do so with ANDAMAN_MOSQUITTO_DIR."
)
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_USERNAME = re.compile(r"[^\s:#+/]+")  # what Mosquitto's files can hold


def outside(settings: Settings) -> BrokerAddress | None:
    """Where the outside broker is; None when the embedded one is to run.

    Raises:
        ConfigError: settings that cannot be used.
    """
    if not settings.mqtt_url:
        if settings.mosquitto_dir:
            words = "ANDAMAN_MOSQUITTO_DIR is for an outside broker; set ANDAMAN_MQTT_URL as well"
            raise ConfigError([words])
        return None
    parts = urlsplit(settings.mqtt_url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or not port:
        words = "ANDAMAN_MQTT_URL cannot be used; write mqtt://host:1883 or mqtts://host:8883"
        raise ConfigError([words])
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        username=settings.mqtt_username,
        password=settings.mqtt_password.get_secret_value(),
        client_id=settings.mqtt_client_id,
        trust=_trust(settings) if parts.scheme == "mqtts" else None,
    )


def _trust(settings: Settings) -> Trust:
    trust = Trust(ca_file=Path(settings.mqtt_ca_file) if settings.mqtt_ca_file else None)
    trust.context()  # a file that cannot be used is told before anything starts
    return trust


def _certificate(settings: Settings) -> Certificate | None:
    chain, key = settings.mqtt_cert_file, settings.mqtt_key_file
    if bool(chain) != bool(key):
        raise ConfigError(["ANDAMAN_MQTT_CERT_FILE and ANDAMAN_MQTT_KEY_FILE go together"])
    if not chain:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "no certificate with its key"
        words = f"ANDAMAN_MQTT_CERT_FILE, ANDAMAN_MQTT_KEY_FILE: cannot be used ({reason})"
        raise ConfigError([words]) from error
    return Certificate(chain=Path(chain).absolute(), key=Path(key).absolute())


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker that runs, ours or another's; `follower` tells it whom to let in, if we do."""

    address: BrokerAddress
    follower: Follower | None
    denials: Denials | None
    embedded: EmbeddedBroker | None = None

    async def check(self, now: int) -> None:
        """Look after it; every second or so, on the thread that started it."""
        if self.denials is not None:
            self.denials.look(now)
        if self.embedded is not None:
            self.embedded.check()
        if self.follower is not None and self.follower.failing:
            await asyncio.to_thread(self.follower.check)

    def stop(self) -> None:
        """End it, if it is ours."""
        if self.denials is not None:
            self.denials.close()
        if self.embedded is not None:
            self.embedded.stop()


def start(
    settings: Settings,
    address: BrokerAddress | None,
    sources: Sequence[Source],
    ledger: Ledger,
    readers: Database,
    now: int,
) -> Broker:
    """The embedded broker, or the outside one at `address`; it lets in whom the ledger names.

    Raises:
        ConfigError, StartError: nothing is left running.
    """
    if address is not None:
        follower = follower_outside(settings, sources, ledger, readers)
        with suppress(BrokerError):  # it is in the log, and tried again
            if follower is not None:
                follower.follow()
        denials = None
        if settings.mosquitto_log:
            outside_log = BrokerLog(Path(settings.mosquitto_log))
            denials = Denials(outside_log, of_mosquitto, partial(_gateways, readers))
        return Broker(address=address, follower=follower, denials=denials)
    folder = settings.data_dir / "broker"
    adopt(ledger, read_secrets(folder / "credentials.json").gateways, now)
    with queries.snapshot(readers) as connection:
        credentials = in_force(connection)
        if missing := without(connection, ledger.gateways()):
            words = "gateways without a secret: %s; `andaman gateways rotate` makes one"
            log.info(words, ", ".join(missing))
    embedded = EmbeddedBroker(
        folder,
        credentials,
        settings.mqtt_port,
        host=settings.mqtt_host,
        certificate=_certificate(settings),
        sources=sources,
    )
    address = embedded.start()
    return Broker(
        address=address,
        follower=Follower(readers, embedded),
        denials=Denials(BrokerLog(folder / "log"), of_nats, partial(_gateways, readers)),
        embedded=embedded,
    )


def _gateways(readers: Database) -> set[str]:
    with queries.snapshot(readers) as connection:
        return gateways.ids(connection)


def follower_outside(
    settings: Settings, sources: Sequence[Source], ledger: Ledger, readers: Database
) -> Follower | None:
    """What tells the outside broker; None where nobody does, or there is none.

    Raises:
        ConfigError: settings that cannot be used.
    """
    if not settings.mosquitto_dir:
        return None
    username, password = settings.mqtt_username, settings.mqtt_password.get_secret_value()
    if not password:
        words = "ANDAMAN_MQTT_PASSWORD is missing; Mosquitto gets to know it from Andaman"
        raise ConfigError([words])
    if not _USERNAME.fullmatch(username) or username in ledger.gateways():
        words = "ANDAMAN_MQTT_USERNAME cannot be used; take a plain word that is no gateway's id"
        raise ConfigError([words])
    door = Mosquitto(
        Path(settings.mosquitto_dir),
        username=username,
        password=password,
        sources=sources,
        pid_file=Path(settings.mosquitto_pid_file) if settings.mosquitto_pid_file else None,
    )
    return Follower(readers, door)


def admit_through(settings: Settings, follower: Follower | None) -> Admit:
    """What the API calls after a change."""

    async def admit() -> str:
        if follower is not None:
            await asyncio.to_thread(follower.follow)
        return BY_HAND if settings.mqtt_url and follower is None else ""

    return admit
