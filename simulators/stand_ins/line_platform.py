"""LINE's side of the wire, without the wire: who gets what, what is refused, what was spent.

It sends nothing to anybody and remembers everything. `line` serves it.
"""

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from simulators.stand_ins.line_limits import errors

_KEY_LIFE = 24 * 3600  # s
_MULTICAST = 500
_ADDRESS = re.compile(r"[UCR][0-9a-f]{32}")
_RATE = "The API rate limit has been exceeded. Try again later."
_MONTH = "You have reached your monthly limit."
_NO_TOKEN = (
    "Authentication failed. Confirm that the access token in the authorization header is valid."  # noqa: S105
)
_TO = "The property, 'to', in the request body is invalid (line: -, column: -)"


class Fault(StrEnum):
    """What it can do wrong with a request."""

    ACCEPT_ERROR = "accept-error"  # taken, and then 500
    ACCEPT_HANG = "accept-hang"  # taken, and no answer
    ENDLESS = "endless"  # taken; the answer never ends
    ERROR = "error"  # 500 before it is taken
    FORBIDDEN = "forbidden"  # 403
    GARBAGE = "garbage"  # taken; the answer is no JSON
    HANG = "hang"  # not taken, and no answer
    RATE = "rate"  # 429: too many at once
    REDIRECT = "redirect"  # 307 to somewhere else
    REVOKED = "revoked"  # 401
    SLOW = "slow"  # taken, after two seconds


REFUSALS = {
    Fault.ERROR: (500, "Internal Server Error"),
    Fault.FORBIDDEN: (403, "Access to this API is not available for your account"),
    Fault.RATE: (429, _RATE),
    Fault.REVOKED: (401, _NO_TOKEN),
}


class Answer(NamedTuple):
    """What a request is answered."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one user, group or room got, when (s), by which request and retry key."""

    at: float
    to: str
    how: str
    request: str
    key: str
    messages: Sequence[Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class Platform:
    """LINE's side: who gets what, what was spent of the month's `quota`, which keys were used.

    `faults` has the share of requests, from 0 to 1, that go wrong so. A user of `blocked` has
    blocked us: what is sent is taken and never arrives. A user of `unknown` is none of LINE's.
    """

    token: str
    secret: str
    clock: Callable[[], float]
    quota: int | None = None
    used: int = 0
    faults: dict[Fault, float] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    requests: int = 0
    _keys: dict[str, tuple[float, str]] = field(default_factory=dict)
    _replies: set[str] = field(default_factory=set)
    _chance: random.Random = field(default_factory=lambda: random.Random(8))

    def strike(self) -> Fault | None:
        """What goes wrong with the request that comes now."""
        self.requests += 1
        return next((f for f, share in self.faults.items() if self._chance.random() < share), None)

    def handle(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Answer a request that nothing goes wrong with."""
        if headers.get("authorization") != f"Bearer {self.token}":
            return _answer(401, _NO_TOKEN)
        if method == "GET":
            return self._read(path)
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _answer(400, "The request body could not be parsed as JSON")
        if wrong := errors(body.get("messages")):
            words = f"The request body has {len(wrong)} error(s)"
            return Answer(400, {"message": words, "details": wrong}, {})
        how = path.removeprefix("/v2/bot/message/")
        if how == "reply":
            return self._reply(body)
        return self._send(how, body, headers.get("x-line-retry-key", ""))

    def _read(self, path: str) -> Answer:
        match path.removeprefix("/v2/bot/").split("/"):
            case ["message", "quota"]:
                limit = {"type": "none"} if self.quota is None else {"type": "limited"}
                value = {} if self.quota is None else {"value": self.quota}
                return Answer(200, limit | value, {})
            case ["message", "quota", "consumption"]:
                return Answer(200, {"totalUsage": self.used}, {})
            case ["profile", user] if self._reaches(user):
                return Answer(200, {"displayName": f"User {user[1:5]}", "userId": user}, {})
        return _answer(404, "Not found")

    def _send(self, how: str, body: Mapping[str, Any], key: str) -> Answer:
        to: Any = [body.get("to")] if how == "push" else body.get("to")
        if how not in {"push", "multicast"}:
            return _answer(404, "Not found")
        if key and not _is_uuid(key):
            return _answer(400, "The retry key is invalid")
        if not _addresses(to, groups=how == "push") or self.unknown & set(to):
            return _answer(400, _TO)
        at, first = self._keys.get(key, (0.0, ""))
        if first and self.clock() - at < _KEY_LIFE:
            words = "The retry key is already accepted"
            return Answer(409, {"message": words}, {"x-line-accepted-request-id": first})
        if self.quota is not None and self.used + len(to) > self.quota:
            return _answer(429, _MONTH)
        request = str(uuid4())
        if key:
            self._keys[key] = (self.clock(), request)
        self.used += len(to)
        self._deliver(to, how, request, key, body["messages"])
        return Answer(200, _sent(how, body["messages"]), {"x-line-request-id": request})

    def _reply(self, body: Mapping[str, Any]) -> Answer:
        token = str(body.get("replyToken"))
        if token not in self._replies:
            return _answer(400, "Invalid reply token")
        self._replies.remove(token)
        request = str(uuid4())
        self._deliver([token.partition(".")[0]], "reply", request, "", body["messages"])
        return Answer(200, _sent("reply", body["messages"]), {"x-line-request-id": request})

    def _deliver(self, to: Sequence[str], how: str, request: str, key: str, messages: Any) -> None:
        self.received += [
            Received(at=self.clock(), to=user, how=how, request=request, key=key, messages=messages)
            for user in to
            if user not in self.blocked
        ]

    def _reaches(self, user: str) -> bool:
        return bool(_ADDRESS.fullmatch(user)) and user not in self.blocked | self.unknown

    # --- what users do ---

    def follow(self, user: str) -> dict[str, Any]:
        """They add us as a friend, or unblock us."""
        self.blocked.discard(user)
        return self._event(user, type="follow", follow={"isUnblocked": False})

    def unfollow(self, user: str) -> dict[str, Any]:
        """They block us; this event cannot be replied to."""
        self.blocked.add(user)
        event = self._event(user, type="unfollow")
        self._replies.discard(event.pop("replyToken"))
        return event

    def write(self, user: str, text: str) -> dict[str, Any]:
        """They type something, or tap a button that says it for them."""
        message = {"type": "text", "id": str(uuid4().int)[:18], "quoteToken": "q", "text": text}
        return self._event(user, type="message", message=message)

    def tap(self, user: str, data: str) -> dict[str, Any]:
        """They tap a button with hidden data."""
        return self._event(user, type="postback", postback={"data": data})

    def signed(self, *events: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The body of the call of a webhook, and its headers."""
        body = json.dumps({"destination": "U" + "0" * 32, "events": events}).encode()
        return body, self.headers(body)

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers of a call with this body."""
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        return {"Content-Type": "application/json", "X-Line-Signature": signature}

    def _event(self, user: str, **more: Any) -> dict[str, Any]:
        token = f"{user}.{uuid4().hex}"
        self._replies.add(token)
        return {
            "mode": "active",
            "timestamp": int(self.clock() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": uuid4().hex.upper()[:26],
            "deliveryContext": {"isRedelivery": False},
            "replyToken": token,
        } | more


def _addresses(to: object, *, groups: bool) -> bool:
    """Whether these are ids as LINE makes them, and not too many."""
    return (
        isinstance(to, list)
        and 1 <= len(to) <= _MULTICAST
        and all(isinstance(each, str) and _ADDRESS.fullmatch(each) for each in to)
        and (groups or all(each.startswith("U") for each in to))
    )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _sent(how: str, messages: Sequence[object]) -> dict[str, Any]:
    """The body of a 200."""
    if how == "multicast":
        return {}
    return {"sentMessages": [{"id": str(uuid4().int)[:18], "quoteToken": "q"} for _ in messages]}


def _answer(status: int, words: str) -> Answer:
    return Answer(status, {"message": words}, {})
