"""LINE's Messaging API, asked by LINE's own client; its answers are bounded, and no redirect is
followed.

The client takes 1.5 s and 70 MB to load, so it is loaded when LINE is first asked something.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from core.errors import Blame, ConfigError, DeliveryError

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_ADDRESS = re.compile(r"[UCR][0-9a-f]{32}")
_USER = re.compile(r"U[0-9a-f]{32}")
_LONGEST_ANSWER = 64 * 1024
_BODY_SECONDS = 5.0
_LONGEST_WORDS = 200
_OF_MONTH = "monthly limit"
_OF_RECIPIENT = ("property, 'to'", "failed to send messages")


class Usage(NamedTuple):
    """How many messages may be sent this month, None where there is no limit, and how many were."""

    limit: int | None
    used: int


def is_address(text: str) -> bool:
    """Whether it is the id of a user, a group or a room.

    >>> is_address("U4af4980629f1d2b3c4d5e6f708192a3b"), is_address("@somchai")
    (True, False)
    """
    return _ADDRESS.fullmatch(text) is not None


def is_user(text: str) -> bool:
    """Whether it is the id of a user."""
    return _USER.fullmatch(text) is not None


def checked_url(url: str) -> str:
    """ANDAMAN_LINE_URL without a slash at its end.

    Raises:
        ConfigError: the token would go over the wire for all to read, or nowhere.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return url.rstrip("/")
    raise ConfigError(["ANDAMAN_LINE_URL should begin with https://, such as https://api.line.me"])


class LineApi:
    """What we ask of LINE; `http` is shared with others and stays open.

    Every call raises DeliveryError when LINE does not do it, or it is not known whether it did.
    """

    def __init__(self, url: str, token: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._token = token
        self._wire = _Wire(http, token)
        self._loaded: tuple[Any, Any] | None = None

    async def send(self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], key: str) -> str:
        """The same messages to one, or to up to 500 users; LINE takes each `key` (UUID) once in 24
        hours, whatever comes with it. What LINE calls the request.
        """
        sdk, api = await self._sdk()
        named = {"messages": messages}
        if len(to) == 1:
            request = sdk.PushMessageRequest.from_dict(named | {"to": to[0]})
            answer = await api.push_message_with_http_info(request, key, _preload_content=False)
        else:
            request = sdk.MulticastRequest.from_dict(named | {"to": list(to)})
            answer = await api.multicast_with_http_info(request, key, _preload_content=False)
        return _request_id(answer.headers)

    async def reply(self, token: str, messages: Sequence[Mapping[str, Any]]) -> None:
        """Answer an event, by its reply token; that costs nothing."""
        sdk, api = await self._sdk()
        request = sdk.ReplyMessageRequest.from_dict({"replyToken": token, "messages": messages})
        await api.reply_message_with_http_info(request, _preload_content=False)

    async def usage(self) -> Usage:
        """How the month stands."""
        _, api = await self._sdk()
        try:
            quota = await api.get_message_quota()
            spent = await api.get_message_quota_consumption()
            limit = None if quota.type == "none" else int(quota.value)
            return Usage(limit, int(spent.total_usage))
        except (AttributeError, TypeError, ValueError) as error:
            raise DeliveryError("the answer cannot be read", Blame.TEMPORARY) from error

    async def _sdk(self) -> tuple[Any, Any]:
        """The client's module, and the client."""
        if self._loaded is None:
            sdk: Any = await asyncio.to_thread(import_module, "linebot.v3.messaging")
            client = sdk.AsyncApiClient(sdk.Configuration(host=self._url, access_token=self._token))
            await client.rest_client.close()  # it takes answers of any size, from anywhere
            client.rest_client = self._wire
            self._loaded = sdk, sdk.AsyncMessagingApi(client)
        return self._loaded


@dataclass(slots=True)
class _Answer:
    """A response, as LINE's client wants it: it writes the text over the bytes."""

    status: int
    data: bytes
    headers: Mapping[str, str]

    def getheaders(self) -> Mapping[str, str]:
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self.headers.get(name, default)


class _Wire:
    """What LINE's client speaks HTTP by, with the names that it calls."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._token = token

    async def get_request(self, url: str, headers: Any = None, **_: Any) -> _Answer:
        return await self._ask("GET", url, headers)

    async def post_request(
        self, url: str, headers: Any = None, body: Any = None, **_: Any
    ) -> _Answer:
        return await self._ask("POST", url, headers, body)

    async def _ask(self, method: str, url: str, headers: Any, body: Any = None) -> _Answer:
        try:
            async with self._http.stream(
                method, url, headers=headers, json=body, follow_redirects=False
            ) as response:
                data = b""
                with suppress(httpx.HTTPError, TimeoutError):  # the status has said it all
                    data = await _bounded(response)
        except httpx.HTTPError as error:
            words = f"LINE could not be asked: {type(error).__name__}"
            raise DeliveryError(words, Blame.TEMPORARY) from error
        if response.is_success or response.status_code == 409:
            return _Answer(response.status_code, data, response.headers)
        raise refusal(response.status_code, data, response.headers, secret=self._token)


async def _bounded(response: httpx.Response) -> bytes:
    """The body, or what can be had of it."""
    data = b""
    async with asyncio.timeout(_BODY_SECONDS):
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > _LONGEST_ANSWER:
                break
    return data[:_LONGEST_ANSWER]


def refusal(
    status: int, data: bytes, headers: Mapping[str, str], *, secret: str = ""
) -> DeliveryError:
    """Whose fault it is that LINE refused, by what it answered.

    >>> refusal(429, b'{"message": "You have reached your monthly limit."}', {}).blame.value
    'quota'
    """
    words = _words(data)
    said = f"{status} {words}".strip()
    if secret:
        said = said.replace(secret, "…")
    return DeliveryError(said, _blame(status, words.lower()), retry_after=_retry_after(headers))


def _blame(status: int, words: str) -> Blame:
    if status == 429:
        return Blame.QUOTA if _OF_MONTH in words else Blame.TEMPORARY
    if status >= 500 or status == 408:
        return Blame.TEMPORARY
    if status == 400:
        of_recipient = any(part in words for part in _OF_RECIPIENT)
        return Blame.ADDRESS if of_recipient else Blame.CONTENT
    return Blame.CONTENT if status == 413 else Blame.CREDENTIALS


def _words(data: bytes) -> str:
    """The message of an error, and the first of its details; empty where it is none of LINE's."""
    try:
        body = json.loads(data)
        details = [f"{d['property']}: {d['message']}" for d in body.get("details") or []]
        return "; ".join([str(body["message"]), *details[:1]])[:_LONGEST_WORDS]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None


def _request_id(headers: Mapping[str, str]) -> str:
    """The request that LINE took: this one, or an earlier one with the same key."""
    for name in ("x-line-accepted-request-id", "x-line-request-id"):
        if found := headers.get(name):
            return found[:64]
    return ""
