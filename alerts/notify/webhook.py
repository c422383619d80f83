"""Alerts handed to programs: Alertmanager's payload, signed as Standard Webhooks says.

A receiver that is down, or that answers what it should not, holds up nobody but itself.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from alerts.notify.alertmanager import payload
from alerts.routing import Routes
from core.errors import Blame, ConfigError, DeliveryError
from core.notices import Parcel, Sent
from core.settings import Settings
from core.times import SECOND

if TYPE_CHECKING:
    from alerts.notify.table import Means

_STEP_SECONDS = 10.0
_WHOLE_SECONDS = 20.0
_MOST_BYTES = 16_384  # of an answer; nobody needs more
_SHOWN = 200  # characters of it, for people
_PREFIX = "whsec_"
_TEMPORARY = {401, 403, 408, 425, 429}  # also what can be mended there, without a change here
_NO_SUCH = {404, 405, 410}


def is_set_up(settings: Settings) -> bool:  # noqa: ARG001
    """It needs nothing but an address."""
    return True


def notifier(means: "Means") -> "Webhook":
    """What posts.

    Raises:
        ConfigError: a setting, or a secret, that cannot be used.
    """
    settings = means.settings
    secrets = read_secrets(means.routes, settings.secrets_dir)
    render = partial(payload, zone=means.zone, public_url=settings.public_url)
    return Webhook(means.guarded, render, secrets.get, means.clock)


def read_secrets(routes: Routes, folder: str) -> dict[str, str]:
    """By URL, what the file holds that `notify.yaml` names for it.

    Raises:
        ConfigError: one is missing or empty.
    """
    found = {}
    for receiver in routes.receivers.values():
        for url, name in receiver.secrets.items():
            path = Path(folder) / name
            try:
                found[url] = path.read_text(encoding="utf-8").strip() if folder else ""
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not UTF-8"
                raise ConfigError([f"{path}: the secret cannot be read ({reason})"]) from error
            if not found[url]:
                words = f"the secret {name} of a webhook is missing"
                raise ConfigError([f"{words}; write it into {name} in ANDAMAN_SECRETS_DIR"])
    return found


class Webhook:
    """Posts what `render` makes of a parcel to the URL of its one recipient, through `http`. Each
    recipient has a server of its own, so whatever fails is theirs alone.

    `secret` says with what to sign for a URL; None: not at all. `clock` in µs.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        render: Callable[[Parcel], bytes],
        secret: Callable[[str], str | None],
        clock: Callable[[], int],
    ) -> None:
        self._http = http
        self._render = render
        self._secret = secret
        self._clock = clock

    async def send(self, parcel: Parcel) -> Sent:
        """Post it.

        Raises:
            DeliveryError: the receiver has not said that it took it.
        """
        (recipient,) = parcel.recipients
        if not is_url(recipient.address):
            raise DeliveryError("that is no https:// or http:// address", Blame.ADDRESS)
        body = await asyncio.to_thread(self._render, parcel)  # a storm takes a second
        seconds = self._clock() // SECOND
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # what unpacks to gigabytes is not asked for
            "User-Agent": "andaman",
            "webhook-id": parcel.id,
            "webhook-timestamp": str(seconds),
        }
        secret = self._secret(recipient.address)
        if secret is not None:
            headers["webhook-signature"] = signature(secret, parcel.id, seconds, body)
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                return await self._post(recipient.address, body, headers)
        except (httpx.HTTPError, TimeoutError) as error:
            words = str(error) or "no answer in time"
            raise DeliveryError(words, Blame.TEMPORARY, alone=True) from error

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Sent:
        timeout = httpx.Timeout(_STEP_SECONDS)
        request = self._http.build_request(
            "POST", url, content=body, headers=headers, timeout=timeout
        )
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.is_success:
                return Sent()
            words = await _beginning(response)
        finally:
            await response.aclose()
        asked = _retry_after(response.headers.get("Retry-After", ""), self._clock())
        blame = blame_of(response.status_code)
        raise DeliveryError(words, blame, retry_after=asked, alone=True)


def is_url(text: str) -> bool:
    """Whether it can be posted to at all.

    >>> is_url("https://hooks.example/a"), is_url("hooks.example")
    (True, False)
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


def blame_of(status: int) -> Blame:
    """Whose fault an answer other than 2xx is.

    >>> blame_of(503).value, blame_of(302).value, blame_of(422).value
    ('temporary', 'address', 'content')
    """
    if status >= 500 or status in _TEMPORARY:
        return Blame.TEMPORARY
    if status < 400 or status in _NO_SUCH:
        return Blame.ADDRESS  # a redirect may lead anywhere: it is not followed
    return Blame.CONTENT


def signature(secret: str, id_: str, seconds: int, body: bytes) -> str:
    """What stands in `webhook-signature`: HMAC-SHA256 over id, time (s since 1970) and body.

    The key of a secret that begins with `whsec_` is the rest of it in base64, else its UTF-8.

    >>> signature("whsec_cGF0b25n", "a", 1, b"{}") == signature("patong", "a", 1, b"{}")
    True
    """
    signed = f"{id_}.{seconds}.".encode() + body
    digest = hmac.digest(_key(secret), signed, sha256)
    return "v1," + base64.b64encode(digest).decode("ascii")


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            words = "the secret of the webhook is no base64 after whsec_"
            raise DeliveryError(words, Blame.TEMPORARY, alone=True) from error
    return secret.encode()


async def _beginning(response: httpx.Response) -> str:
    """The status, and what of the answer a person may want to read."""
    read = b""
    async for part in response.aiter_raw():
        read += part
        if len(read) >= _MOST_BYTES:
            break
    text = " ".join(read[:_MOST_BYTES].decode(errors="replace").split())
    shown = "".join(c for c in text if c.isprintable())[:_SHOWN]
    return f"{response.status_code} {shown}".strip()


def _retry_after(text: str, now: int) -> float | None:
    """Seconds, of a header that says them or a date; None where it says neither.

    >>> _retry_after("120", 0), _retry_after("Thu, 01 Jan 1970 00:00:30 GMT", 0)
    (120.0, 30.0)
    """
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.fromtimestamp(now / SECOND, UTC)).total_seconds())
