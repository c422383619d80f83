"""Gateways' credentials: how a secret is made, what is kept of it, and who has one in force.

Each broker reads a hash of its own; both are kept, so that the broker can be changed without new
secrets. The hashes are cheap ones: a secret has 256 random bits and needs no slow hash, and a
broker checks the secrets of all its connections again whenever one gateway changes.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import bcrypt
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core.access import Role
from core.registry import Gateway
from storage import schema
from storage.changes import note
from storage.ledger import Ledger
from storage.registry import API

_BCRYPT_ROUNDS = 4  # the least that nats-server takes
_PBKDF2_ROUNDS = 101  # what mosquitto_passwd writes
_SALT_BYTES = 12  # Mosquitto 2 takes no others

_C = schema.credentials.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What is kept of a gateway's secret: `bcrypt` for nats-server, `pbkdf2` for Mosquitto."""

    gateway: str
    bcrypt: str = field(repr=False)
    pbkdf2: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Revoked:
    """What a revocation ended: the credential at the broker, and so many API keys."""

    credential: bool
    keys: int


def new_secret() -> str:
    """A secret of 256 random bits."""
    return secrets.token_hex(32)


def credential_of(gateway: str, secret: str) -> Credential:
    """What is kept of it."""
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
    return Credential(gateway=gateway, bcrypt=hashed, pbkdf2=pbkdf2_of(secret))


def pbkdf2_of(secret: str) -> str:
    """A line's second half in Mosquitto's password file: PBKDF2 over SHA-512."""
    salt = os.urandom(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _PBKDF2_ROUNDS)
    written = [base64.b64encode(part).decode() for part in (salt, digest)]
    return "$".join(["", "7", str(_PBKDF2_ROUNDS), *written])


def in_force(connection: Connection) -> list[Credential]:
    """The credentials of the gateways that there are, by gateway."""
    g = schema.gateways.c
    statement = (
        select(_C.gateway, _C.bcrypt, _C.pbkdf2)
        .join(schema.gateways, g.id == _C.gateway)
        .where(_C.revoked_at.is_(None))
        .order_by(_C.gateway)
    )
    return [Credential(**row._mapping) for row in connection.execute(statement)]


def create(ledger: Ledger, gateway: Gateway, made: Credential, at: int, *, by: str) -> bool:
    """A gateway that no file names, with its credential; False when its id is taken."""
    name = {"name_en": gateway.name["en"], "name_th": gateway.name["th"]}
    with ledger.transaction() as connection:
        if _exists(connection, gateway.id):
            return False
        row = {"id": gateway.id, "origin": API} | name
        connection.execute(insert(schema.gateways), row)
        _put(connection, made, at)
        note(connection, at, by, "gateway-made", gateway.id)
        return True


def rotate(ledger: Ledger, made: Credential, at: int, *, by: str) -> bool:
    """Another credential in place of what it had; False when there is no such gateway."""
    with ledger.transaction() as connection:
        if not _exists(connection, made.gateway):
            return False
        _put(connection, made, at)
        note(connection, at, by, "gateway-rotated", made.gateway)
        return True


def revoke(ledger: Ledger, gateway: str, at: int, *, by: str) -> Revoked | None:
    """End all by which a gateway gets in; None when there is no such gateway."""
    k = schema.keys.c
    with ledger.transaction() as connection:
        if not _exists(connection, gateway):
            return None
        mine = update(schema.credentials).where(_C.gateway == gateway, _C.revoked_at.is_(None))
        keys = update(schema.keys).where(
            k.role == Role.GATEWAY.value, k.owner == gateway, k.revoked_at.is_(None)
        )
        ended = Revoked(
            credential=connection.execute(mine.values(revoked_at=at)).rowcount == 1,
            keys=connection.execute(keys.values(revoked_at=at)).rowcount,
        )
        if ended.credential or ended.keys:
            note(connection, at, by, "gateway-revoked", gateway, f"{ended.keys} API keys with it")
        return ended


def adopt(ledger: Ledger, held: Mapping[str, str], at: int) -> None:
    """Take over secrets of an earlier version, by gateway; who has a credential here keeps that."""
    with ledger.transaction() as connection:
        for gateway, secret in held.items():
            row = asdict(credential_of(gateway, secret)) | {"issued_at": at}
            connection.execute(upsert(schema.credentials).values(row).on_conflict_do_nothing())


def without(connection: Connection, gateways: Iterable[str]) -> Sequence[str]:
    """Those of `gateways` that never had a credential."""
    held = {row.gateway for row in connection.execute(select(_C.gateway))}
    return sorted(set(gateways) - held)


def _put(connection: Connection, made: Credential, at: int) -> None:
    row = asdict(made) | {"issued_at": at, "revoked_at": None}
    statement = upsert(schema.credentials).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["gateway"], set_=row))


def _exists(connection: Connection, gateway: str) -> bool:
    g = schema.gateways.c
    return connection.execute(select(g.id).where(g.id == gateway)).first() is not None
