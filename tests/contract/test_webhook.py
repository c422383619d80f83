"""Webhooks against a real server on the loopback, and against all that one can answer."""

import asyncio
import base64
import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import httpx
import pytest

from alerts.notify.alertmanager import payload
from alerts.notify.guard import Guard, networks
from alerts.notify.webhook import Webhook, signature
from core.errors import Blame, DeliveryError
from core.notices import Channel, Parcel, Sent
from tests.docs.pages import blocks, sections
from tests.notices import AT, parcel
from tests.told import Certificates

SECRET = "whsec_" + base64.b64encode(b"patong").decode()
URL = "https://hooks.example/a"
NOW = AT + 5_000_000
Answer: TypeAlias = Callable[[httpx.Request], httpx.Response]


def answered(status: int, **headers: str) -> httpx.Response:
    """As from a network: not read yet."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"sorry"))


def render(what: Parcel) -> bytes:
    return payload(what, ZoneInfo("Asia/Bangkok"))


def webhook(http: httpx.AsyncClient, secret: str | None = SECRET) -> Webhook:
    return Webhook(http, render, lambda _: secret, lambda: NOW)


def posted(
    answer: Answer, url: str = "https://hooks.example/a", secret: str | None = SECRET
) -> Sent:
    async def send() -> Sent:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            return await webhook(http, secret).send(parcel(Channel.WEBHOOK, url))

    return asyncio.run(send())


def refused(answer: Answer, url: str = URL) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        posted(answer, url)
    return caught.value


def test_whoever_has_the_secret_sees_that_it_is_from_us() -> None:
    requests: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    posted(take)

    (request,) = requests
    id_, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    signed = f"{id_}.{stamp}.".encode() + request.content
    digest = base64.b64encode(hmac.digest(b"patong", signed, "sha256")).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"
    assert (id_, stamp) == (parcel(Channel.WEBHOOK, "").id, str(NOW // 1_000_000))
    assert json.loads(request.content)["version"] == "4"


def test_the_page_tells_receivers_how_to_check_it() -> None:
    (example,) = blocks(sections("docs/how-to/webhook.md")["Check the signature"], "python")
    names: dict[str, Any] = {}
    exec(compile(example, "webhook.md", "exec"), names)  # noqa: S102
    stamp, body = int(time.time()), b'{"version": "4"}'
    headers = {"webhook-id": "a", "webhook-timestamp": str(stamp)}
    headers["webhook-signature"] = signature("patong", "a", stamp, body)

    assert names["is_from_andaman"](headers, body, "patong")
    assert not names["is_from_andaman"](headers, body + b" ", "patong")
    old = headers | {"webhook-timestamp": str(stamp - 301)}
    assert not names["is_from_andaman"](old, body, "patong")


def test_without_a_secret_nothing_is_signed() -> None:
    def take(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if "webhook-signature" in request.headers else 200)

    posted(take, secret=None)


@pytest.mark.parametrize(
    ("status", "blame"),
    [
        pytest.param(301, Blame.ADDRESS, id="a redirect is not followed"),
        pytest.param(307, Blame.ADDRESS, id="not even one that keeps the body"),
        pytest.param(400, Blame.CONTENT, id="it does not understand us"),
        pytest.param(401, Blame.TEMPORARY, id="the secret is another there"),
        pytest.param(403, Blame.TEMPORARY, id="forbidden"),
        pytest.param(404, Blame.ADDRESS, id="not found"),
        pytest.param(408, Blame.TEMPORARY, id="it waited too long for us"),
        pytest.param(410, Blame.ADDRESS, id="gone"),
        pytest.param(413, Blame.CONTENT, id="too large"),
        pytest.param(429, Blame.TEMPORARY, id="too many"),
        pytest.param(500, Blame.TEMPORARY, id="broken"),
        pytest.param(503, Blame.TEMPORARY, id="unavailable"),
    ],
)
def test_it_says_whose_fault_an_answer_is(status: int, blame: Blame) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answered(status, Location="https://elsewhere.example/")

    assert refused(answer).blame is blame
    assert asked == [URL]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("Sun, 22 Nov 2026 08:05:05 GMT", 60.0, id="a date"),
        pytest.param("soon", None, id="neither"),
        pytest.param("-5", None, id="less than nothing"),
    ],
)
def test_it_hears_how_long_to_wait(header: str, seconds: float | None) -> None:
    error = refused(lambda _: answered(429, **{"Retry-After": header}))

    assert error.retry_after == seconds


def test_it_reads_no_more_of_an_answer_than_a_person_needs() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"no \x00\x1b[31m\r\n" * 1000

    error = refused(lambda _: httpx.Response(500, content=endless()))

    assert error.words.startswith("500 no [31m no")
    assert len(error.words) <= 204
    assert error.words.isprintable()


def test_a_receiver_that_hangs_is_given_up() -> None:
    def hang(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    error = refused(hang)
    assert (error.blame, error.words) == (Blame.TEMPORARY, "no answer in time")


@pytest.mark.parametrize("url", ["ftp://hooks.example/", "hooks.example", "https://"])
def test_what_is_no_url_harms_itself_alone(url: str) -> None:
    assert refused(lambda _: httpx.Response(200), url).blame is Blame.ADDRESS


@asynccontextmanager
async def server(certificates: Certificates) -> AsyncIterator[tuple[int, list[bytes]]]:
    """One that takes everything, over TLS."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.append(head)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1], heard


@pytest.mark.parametrize(
    ("name", "trusted"),
    [
        pytest.param("hooks.example", True, id="the name of its certificate"),
        pytest.param("other.example", False, id="another name"),
    ],
)
def test_the_certificate_must_be_for_the_name_not_the_address(
    tmp_path: Path, name: str, trusted: bool
) -> None:
    certificates = Certificates(tmp_path)
    certificates.renew("hooks.example")

    async def local(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def send() -> list[bytes]:
        context = ssl.create_default_context(cafile=certificates.ca)
        inner = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
        guard = Guard(networks("127.0.0.1"), inner=inner, resolve=local)
        async with (
            server(certificates) as (port, heard),
            httpx.AsyncClient(transport=guard) as http,
        ):
            await webhook(http).send(parcel(Channel.WEBHOOK, f"https://{name}:{port}/hook"))
            return heard

    if trusted:
        (head,) = asyncio.run(send())
        assert head.startswith(b"POST /hook HTTP/1.1\r\n")
        assert b"Host: hooks.example:" in head
    else:
        with pytest.raises(DeliveryError, match="certificate") as caught:
            asyncio.run(send())
        assert caught.value.blame is Blame.TEMPORARY
