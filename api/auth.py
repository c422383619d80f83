"""Who may do what: one table, asked before anything else; what it does not name is refused.

A key is `andaman_<id>_<secret>`. The ledger keeps its SHA-256 alone, which is enough for a secret
of 256 random bits. It is looked up for each request, so a revoked key ends at once.
"""

import hmac
import re
import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api.context import ApiContext
from api.problems import ApiError, answer
from core.access import Role
from storage import queries


class Standing(IntEnum):
    """What a caller is, from nobody upwards; a higher one may do all that a lower one may, but for
    what gateways do.
    """

    ANYONE = 0
    GATEWAY = 1
    VIEWER = 2
    OFFICER = 3
    ADMIN = 4

    @classmethod
    def of(cls, role: Role) -> "Standing":
        """The standing that a key's role gives."""
        return cls[role.name]


ROUTES: Mapping[str, Standing] = {
    "GET /docs": Standing.ANYONE,
    "GET /health/live": Standing.ANYONE,
    "GET /health/ready": Standing.ANYONE,
    "GET /metrics": Standing.VIEWER,
    "POST /line/webhook": Standing.ANYONE,
    "GET /n/{token}": Standing.ANYONE,
    "GET /openapi.json": Standing.ANYONE,
    "GET /public/confirm/{token}": Standing.ANYONE,
    "POST /public/confirm/{token}": Standing.ANYONE,
    "GET /public/subscribe": Standing.ANYONE,
    "POST /public/subscriptions": Standing.ANYONE,
    "GET /u/{token}": Standing.ANYONE,
    "POST /u/{token}": Standing.ANYONE,
    "GET /v1/alerts": Standing.VIEWER,
    "GET /v1/alerts.csv": Standing.VIEWER,
    "GET /v1/alerts/{alert}": Standing.VIEWER,
    "POST /v1/alerts/{alert}/acknowledge": Standing.OFFICER,
    "POST /v1/alerts/{alert}/assign": Standing.OFFICER,
    "POST /v1/alerts/{alert}/comment": Standing.OFFICER,
    "POST /v1/alerts/{alert}/label": Standing.OFFICER,
    "POST /v1/alerts/{alert}/reopen": Standing.OFFICER,
    "POST /v1/alerts/{alert}/resolve": Standing.OFFICER,
    "POST /v1/alerts/{alert}/shelve": Standing.OFFICER,
    "POST /v1/alerts/{alert}/unshelve": Standing.OFFICER,
    "GET /v1/audit": Standing.ADMIN,
    "GET /v1/deliveries": Standing.VIEWER,
    "GET /v1/deliveries/{delivery}": Standing.VIEWER,
    "POST /v1/deliveries/{delivery}/retry": Standing.OFFICER,
    "GET /v1/devices": Standing.VIEWER,
    "POST /v1/devices": Standing.ADMIN,
    "GET /v1/devices.csv": Standing.VIEWER,
    "POST /v1/devices.csv": Standing.ADMIN,
    "PATCH /v1/devices/{device}": Standing.ADMIN,
    "POST /v1/devices/{device}/moves": Standing.ADMIN,
    "GET /v1/devices/{device}": Standing.VIEWER,
    "GET /v1/gateways": Standing.VIEWER,
    "POST /v1/gateways": Standing.ADMIN,
    "POST /v1/gateways/{gateway}/revoke": Standing.ADMIN,
    "POST /v1/gateways/{gateway}/rotate": Standing.ADMIN,
    "GET /v1/keys": Standing.ADMIN,
    "POST /v1/keys": Standing.ADMIN,
    "DELETE /v1/keys/{key}": Standing.ADMIN,
    "GET /v1/latest": Standing.VIEWER,
    "GET /v1/line": Standing.VIEWER,
    "GET /v1/maintenance": Standing.VIEWER,
    "POST /v1/maintenance": Standing.OFFICER,
    "GET /v1/maintenance/{window}": Standing.VIEWER,
    "DELETE /v1/maintenance/{window}": Standing.OFFICER,
    "GET /v1/notices": Standing.VIEWER,
    "GET /v1/notices/{notice}": Standing.VIEWER,
    "GET /v1/parameters": Standing.VIEWER,
    "GET /v1/precision": Standing.VIEWER,
    "GET /v1/quality/daily": Standing.VIEWER,
    "GET /v1/quality/flags": Standing.VIEWER,
    "POST /v1/quality/flags": Standing.OFFICER,
    "DELETE /v1/quality/flags/{flag}": Standing.OFFICER,
    "POST /v1/quality/reprocess": Standing.OFFICER,
    "GET /v1/quality/reviews": Standing.VIEWER,
    "GET /v1/quality/reviews/{review}": Standing.VIEWER,
    "GET /v1/quarantine": Standing.OFFICER,
    "GET /v1/quarantine/{entry}": Standing.OFFICER,
    "POST /v1/quarantine/{entry}/discard": Standing.ADMIN,
    "POST /v1/quarantine/{entry}/retry": Standing.ADMIN,
    "POST /v1/quarantine/replay": Standing.ADMIN,
    "POST /v1/readings": Standing.GATEWAY,
    "GET /v1/receivers": Standing.VIEWER,
    "POST /v1/receivers/{receiver}/test": Standing.OFFICER,
    "GET /v1/rules": Standing.VIEWER,
    "POST /v1/rules": Standing.ADMIN,
    "POST /v1/rules/backtest": Standing.OFFICER,
    "POST /v1/rules/reload": Standing.ADMIN,
    "GET /v1/rules/{rule}": Standing.VIEWER,
    "PUT /v1/rules/{rule}": Standing.ADMIN,
    "DELETE /v1/rules/{rule}": Standing.ADMIN,
    "POST /v1/rules/{rule}/disable": Standing.OFFICER,
    "POST /v1/rules/{rule}/enable": Standing.OFFICER,
    "POST /v1/rules/{rule}/suggest": Standing.OFFICER,
    "GET /v1/series/{device}/{parameter}": Standing.VIEWER,
    "GET /v1/service-log": Standing.VIEWER,
    "POST /v1/service-log": Standing.OFFICER,
    "DELETE /v1/service-log/{entry}": Standing.OFFICER,
    "POST /v1/service-log/{entry}/end": Standing.OFFICER,
    "GET /v1/silences": Standing.VIEWER,
    "POST /v1/silences": Standing.OFFICER,
    "GET /v1/silences/{silence}": Standing.VIEWER,
    "POST /v1/silences/{silence}/expire": Standing.OFFICER,
    "GET /v1/sites": Standing.VIEWER,
    "POST /v1/sites": Standing.ADMIN,
    "GET /v1/sites.csv": Standing.VIEWER,
    "POST /v1/sites.csv": Standing.ADMIN,
    "GET /v1/sites/{site}": Standing.VIEWER,
    "PATCH /v1/sites/{site}": Standing.ADMIN,
    "GET /v1/stats": Standing.VIEWER,
    "POST /v1/bounces": Standing.OFFICER,
    "GET /v1/subscribers": Standing.OFFICER,
    "POST /v1/subscribers": Standing.OFFICER,
    "GET /v1/subscribers/{subscriber}": Standing.OFFICER,
    "PATCH /v1/subscribers/{subscriber}": Standing.OFFICER,
    "DELETE /v1/subscribers/{subscriber}": Standing.ADMIN,
    "POST /v1/subscribers/{subscriber}/code": Standing.OFFICER,
    "GET /v1/subscribers/{subscriber}/export": Standing.OFFICER,
    "POST /v1/subscribers/{subscriber}/test": Standing.OFFICER,
    "GET /v1/subscribers/{subscriber}/subscriptions": Standing.OFFICER,
    "PUT /v1/subscribers/{subscriber}/subscriptions": Standing.OFFICER,
    "GET /v1/transitions": Standing.VIEWER,
    "GET /v1/transitions.csv": Standing.VIEWER,
    "GET /v1/unknown-devices": Standing.OFFICER,
    "POST /v1/unknown-devices/approve": Standing.ADMIN,
}
_PATTERNS = [
    (method, compile_path(path)[0], standing)
    for (method, path), standing in ((key.split(" "), least) for key, least in ROUTES.items())
]

_KEY = re.compile(r"andaman_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NO_HASH = "0" * 64


class NewKey(NamedTuple):
    """A key that was just made; `text` is shown once and kept nowhere."""

    id: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of the key, what it stands for, and whose it is."""

    key: str
    standing: Standing
    owner: str


def new_key() -> NewKey:
    """A key with 256 random bits."""
    identifier = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
    text = f"andaman_{identifier}_{secrets.token_urlsafe(32)}"
    return NewKey(identifier, text, hash_of(text))


def hash_of(key: str) -> str:
    """What is kept of a key.

    >>> hash_of("andaman_abcdefgh_secret")[:16]
    '8bb3e0bad43976bc'
    """
    return sha256(key.encode()).hexdigest()


def identify(context: ApiContext, authorization: str) -> Caller | None:
    """Whose key the header `Authorization: Bearer KEY` holds; None when there is none, or not in
    force.

    Waits for the ledger, so not for the event loop.
    """
    scheme, _, text = authorization.partition(" ")
    return _holder(context, text.strip()) if scheme.lower() == "bearer" else None


def identify_gateway(context: ApiContext, authorization: str) -> Caller | None:
    """The same, or the gateway that says its id and its key as user and password, as simple devices
    do.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        return identify(context, authorization)
    try:
        user, _, key = b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return None
    caller = _holder(context, key)
    known = caller is not None and caller.standing is Standing.GATEWAY and caller.owner == user
    return caller if known else None


def _holder(context: ApiContext, key: str) -> Caller | None:
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    digest = hash_of(found[0])
    if hmac.compare_digest(digest, context.local_key_hash or _NO_HASH):
        return Caller("local", Standing.ADMIN, "this machine")
    with queries.snapshot(context.readers) as connection:
        row = queries.key(connection, found[1])
    same = hmac.compare_digest(digest, row.hash if row else _NO_HASH)
    if not same or row is None or row.revoked_at is not None:
        return None
    return Caller(row.id, Standing.of(row.role), row.owner)


class Doorkeeper:
    """Lets a request through to the routes when the table says so; leaves the caller in `state`."""

    def __init__(self, app: ASGIApp, *, context: ApiContext, refusals: Counter) -> None:
        self._app = app
        self._context = context
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            try:
                await self._admit(scope)
            except ApiError as refusal:
                self._refusals.labels(refusal.kind).inc()
                await answer(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        """Return, or raise the refusal."""
        here = {m: least for m, pattern, least in _PATTERNS if pattern.match(scope["path"])}
        least = here.get(scope["method"])
        if least is Standing.ANYONE:
            return
        header = Headers(scope=scope).get("authorization", "")
        pushes = least is Standing.GATEWAY
        look = identify_gateway if pushes else identify
        caller = await run_in_threadpool(look, self._context, header)
        if caller is None:
            raise _no_key(header, 'Bearer, Basic realm="andaman"' if pushes else "Bearer")
        if not here:
            raise ApiError("not-found", "There is no such address; see /docs.")
        if least is None:
            words = f"Use {' or '.join(here)} here; see /docs."
            raise ApiError("wrong-method", words, headers={"Allow": ", ".join(here)})
        if not suffices(caller.standing, least):
            raise ApiError("not-allowed", f"Use a key with the role {roles_from(least)}.")
        scope.setdefault("state", {})["caller"] = caller


def _no_key(header: str, scheme: str) -> ApiError:
    words = (
        "The key is not known or was revoked; ask an administrator for a new one."
        if header
        else "Send the header Authorization: Bearer KEY; an administrator makes a key with "
        "`andaman keys create`."
    )
    return ApiError("no-key", words, headers={"WWW-Authenticate": scheme})


def suffices(standing: Standing, least: Standing) -> bool:
    """Whether a caller may. What gateways do is for them and administrators alone: whoever may
    read everything may still send nothing.
    """
    if least is Standing.GATEWAY:
        return standing in {Standing.GATEWAY, Standing.ADMIN}
    return standing >= least


def roles_from(least: Standing) -> str:
    """The roles that suffice, in words.

    >>> roles_from(Standing.VIEWER)
    'viewer, officer or admin'
    """
    *lower, highest = [s.name.lower() for s in Standing if s and suffices(s, least)]
    return f"{', '.join(lower)} or {highest}" if lower else highest
