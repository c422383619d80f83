"""What the embedded broker reads: our own secrets, made once, and a configuration, made at each
start and whenever a gateway's credential changes.

Both are files of mode 0600, so that no secret stands in an argument or in the environment.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TypeAlias

import msgspec

from core.errors import StartError
from ingest.sources import GATEWAY_LEVEL, Source
from ingest.tls import Trust

LOOPBACK = "127.0.0.1"
INGEST = "andaman.ingest"  # no gateway can be called so: their ids have no dot

_MAX_ACK_PENDING = 2000  # four batches; more makes nothing faster
# Larger than 64 KiB, so that a message that is a little too large ends in quarantine, not in a
# gateway that connects again and again. A window full of such messages must fit into what
# nats-server keeps for a slow client (64 MB otherwise), or it throws us out.
_MAX_PAYLOAD = 70_000
_SYNC_INTERVAL = "5s"  # what a loss of power may take from the store; the default is 2 min
_LOG_BYTES = 2_000_000
_HANDSHAKE_SECONDS = 10  # of TLS; slow links take longer than the usual 2
_ALERTS = "andaman.v1.alerts"
_WILDCARDS = {"+": "*", "#": ">"}


Stamp: TypeAlias = tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the broker shows: `chain` holds its certificate and those of its issuers."""

    chain: Path
    key: Path

    @property
    def trust(self) -> Trust:
        """How we recognise it ourselves."""
        return Trust(ca_file=self.chain, pinned=True)

    def stamp(self) -> Stamp:
        """Another one when a file was replaced; None while one of them is missing."""
        try:
            return tuple(path.stat().st_mtime_ns for path in (self.chain, self.key))
        except OSError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the broker listens for gateways, and with which certificate, if it speaks TLS."""

    host: str = LOOPBACK
    port: int
    certificate: Certificate | None = None


class Secrets(msgspec.Struct, forbid_unknown_fields=True):
    """`credentials.json`: 256 random bits each, which Andaman itself connects with."""

    ingest: str = msgspec.field(default_factory=lambda: token_hex(32))
    client_id: str = msgspec.field(default_factory=lambda: token_hex(32))
    gateways: dict[str, str] = {}  # of an earlier version: the ledger takes them over


def read_secrets(path: Path) -> Secrets:
    """The secrets in `path`; new ones where there is no such file.

    Raises:
        StartError: the file is damaged.
        OSError: it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Secrets)
    except FileNotFoundError:
        return Secrets()
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StartError(
            f"{path}: is damaged ({error}); restore it, "
            "or delete it: what waits at the broker is then lost"
        ) from error


def keep_secrets(path: Path) -> Secrets:
    """Andaman's own secrets in `path`, made when they are not there; those of gateways leave it.

    Raises:
        StartError: the file is damaged.
        OSError: it cannot be read or written.
    """
    kept = read_secrets(path)
    kept.gateways = {}
    write_private(path, msgspec.json.format(msgspec.json.encode(kept)).decode())
    return kept


def configuration(
    folder: Path,
    place: Place,
    secrets: Secrets,
    gateways: Mapping[str, str],
    ack_wait_seconds: int,
    sources: Sequence[Source] = (),
) -> str:
    """The text of nats.conf: each user may do what its place needs, by MQTT only. `gateways` are
    passwords, or their bcrypt hashes, by gateway.

    A gateway publishes below its own name, and on the topics of the sources that name it or have a
    level for its name; it reads what is sent to it, and alerts. Filters such as `down/#` need two
    subjects. What the broker itself sends below
    `$MQTT` has needed no permission since 2.12.4.
    """
    heard = [subject for source in sources for subject in subjects(source.filter)]
    own = ["andaman.v1.*.up.>"]
    users = [_user(INGEST, secrets.ingest, ["andaman.v1.*.down.>", f"{_ALERTS}.>"], own + heard)]
    for name, password in gateways.items():
        up, down = f"andaman.v1.{name}.up", f"andaman.v1.{name}.down"
        topics = [s.topic.replace(GATEWAY_LEVEL, name) for s in sources if s.gateway in {"", name}]
        publish = [f"{up}.>", *(subject for topic in topics for subject in subjects(topic))]
        users.append(_user(name, password, publish, [down, f"{down}.>", _ALERTS, f"{_ALERTS}.>"]))
    settings = {
        "server_name": "andaman",
        "listen": f"{LOOPBACK}:-1",  # NATS' own protocol cannot be switched off: a free port
        "max_payload": _MAX_PAYLOAD,
        "max_pending": _MAX_ACK_PENDING * (_MAX_PAYLOAD + 1000),
        "mqtt": {
            "host": place.host,
            "port": place.port,
            "ack_wait": f"{ack_wait_seconds}s",
            "max_ack_pending": _MAX_ACK_PENDING,
            **(_tls(place.certificate) if place.certificate else {}),
        },
        "jetstream": {"store_dir": str(folder / "store"), "sync_interval": _SYNC_INTERVAL},
        "authorization": {"users": users},
        "log_file": str(folder / "log"),
        "logfile_size_limit": _LOG_BYTES,
        "logfile_max_num": 2,
    }
    return json.dumps(settings, indent=1)


def _tls(certificate: Certificate) -> dict[str, object]:
    files = {"cert_file": str(certificate.chain), "key_file": str(certificate.key)}
    return {"tls": files | {"timeout": _HANDSHAKE_SECONDS}}


def subjects(topic: str) -> list[str]:
    """What nats-server calls the topics of an MQTT filter; `#` takes its parent level as well.

    >>> subjects("tele/+/SENSOR"), subjects("zigbee2mqtt/#"), subjects("/a.b")
    (['tele.*.SENSOR'], ['zigbee2mqtt', 'zigbee2mqtt.>'], ['/.a//b'])
    """
    words = [_WILDCARDS.get(level, level.replace(".", "//") or "/") for level in topic.split("/")]
    parent = [".".join(words[:-1])] if words[-1] == ">" and len(words) > 1 else []
    return [*parent, ".".join(words)]


def _user(name: str, secret: str, publish: list[str], subscribe: list[str]) -> dict[str, object]:
    return {
        "user": name,
        "password": secret,
        "allowed_connection_types": ["MQTT"],
        "permissions": {"publish": publish, "subscribe": subscribe},
    }


def write_private(path: Path, text: str) -> None:
    """Replace the file as a whole; nobody else can read it, at no moment."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
