"""Notices to LINE, with all that LINE, or the way to it, can do wrong.

The server is the stand-in, over real sockets.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from alerts.notify.line import Line as LineNotifier
from alerts.notify.line_api import LineApi, Usage, checked_url, refusal
from core.errors import Blame, ConfigError, DeliveryError
from core.notices import Channel, Parcel, Recipient
from simulators.stand_ins.line import Line
from simulators.stand_ins.line_platform import Fault, Platform
from tests.notices import parcel

TOKEN = "a-very-secret-channel-access-token"
USER, OTHER = "U" + "1" * 32, "U" + "2" * 32
HELLO = {"type": "text", "text": "สวัสดี"}


class Post:
    """The stand-in, and our way to it."""

    def __init__(self, platform: Platform, url: str) -> None:
        self.line = platform
        self.url = url
        self.token = TOKEN
        self.message: dict[str, Any] = HELLO
        self.seconds = 5.0

    def send(self, *to: str, key: str | None = None) -> str:
        """What LINE calls the request."""
        what = _parcel(key or str(uuid4()), to)

        async def within(api: LineApi) -> str:
            return (await LineNotifier(api, lambda _: self.message).send(what)).reference

        return str(asyncio.run(self._with(within)))

    def ask(self, what: Any) -> Any:
        return asyncio.run(self._with(what))

    async def _with(self, what: Any) -> Any:
        async with httpx.AsyncClient(timeout=self.seconds) as http:
            return await what(LineApi(self.url, self.token, http))

    def refused(self, *to: str, fault: Fault | None = None, key: str | None = None) -> Any:
        """How it fails while LINE does this wrong."""
        self.line.faults = {fault: 1.0} if fault else {}
        with pytest.raises(DeliveryError) as caught:
            self.send(*(to or (USER,)), key=key)
        assert TOKEN not in str(caught.value) + repr(caught.value.__cause__)
        return caught.value

    @property
    def got(self) -> list[tuple[str, str]]:
        return [(each.to, each.how) for each in self.line.received]


def _parcel(key: str, to: Sequence[str]) -> Parcel:
    recipients = tuple(Recipient(address, "th") for address in to)
    return replace(parcel(Channel.LINE, to[0]), id=key, recipients=recipients)


@pytest.fixture
def post() -> Iterator[Post]:
    platform = Platform(token=TOKEN, secret="s", clock=lambda: 1000.0)
    with Line(platform) as server:
        yield Post(platform, server.url)


def test_one_is_pushed_to_and_many_at_once(post: Post) -> None:
    assert post.send(USER)
    assert post.send(USER, OTHER)
    assert post.got == [(USER, "push"), (USER, "multicast"), (OTHER, "multicast")]
    assert post.line.received[0].messages == [HELLO]
    assert post.line.requests == 2


def test_the_key_is_the_parcels_and_a_repeat_counts_as_sent(post: Post) -> None:
    key = str(uuid4())
    assert post.send(USER, key=key) == post.send(USER, key=key)
    assert [(each.to, each.key) for each in post.line.received] == [(USER, key)]


@pytest.mark.parametrize(
    ("fault", "blame", "arrived"),
    [
        pytest.param(Fault.ERROR, Blame.TEMPORARY, 0, id="500"),
        pytest.param(Fault.ACCEPT_ERROR, Blame.TEMPORARY, 1, id="taken, then 500"),
        pytest.param(Fault.ACCEPT_HANG, Blame.TEMPORARY, 1, id="taken, no answer"),
        pytest.param(Fault.HANG, Blame.TEMPORARY, 0, id="no answer"),
        pytest.param(Fault.RATE, Blame.TEMPORARY, 0, id="too many at once"),
        pytest.param(Fault.REVOKED, Blame.CREDENTIALS, 0, id="token revoked"),
        pytest.param(Fault.FORBIDDEN, Blame.CREDENTIALS, 0, id="forbidden"),
        pytest.param(Fault.REDIRECT, Blame.CREDENTIALS, 0, id="sent elsewhere"),
    ],
)
def test_what_fails_is_told_apart_and_arrives_once_when_it_is_tried_again(
    post: Post, fault: Fault, blame: Blame, arrived: int
) -> None:
    post.seconds = 0.5
    key = str(uuid4())
    assert post.refused(fault=fault, key=key).blame is blame
    assert len(post.got) == arrived
    post.line.faults = {}
    post.seconds = 5.0
    post.send(USER, key=key)
    assert post.got == [(USER, "push")]


@pytest.mark.parametrize("fault", [Fault.ENDLESS, Fault.GARBAGE])
def test_what_was_taken_is_sent_whatever_else_the_answer_says(post: Post, fault: Fault) -> None:
    post.line.faults = {fault: 1.0}
    post.send(USER)
    assert post.got == [(USER, "push")]


def test_the_end_of_the_month_is_no_haste(post: Post) -> None:
    post.line.quota = 1
    error = post.refused(USER, OTHER)
    assert (error.blame, error.permanent) == (Blame.QUOTA, False)
    assert error.words == "429 You have reached your monthly limit."
    assert post.send(USER)


def test_an_unknown_user_is_the_address_fault_alone(post: Post) -> None:
    post.line.unknown = {OTHER}
    assert post.refused(USER, OTHER).blame is Blame.ADDRESS
    assert post.send(USER)


def test_what_is_no_address_is_not_even_sent(post: Post) -> None:
    assert post.refused("somchai").blame is Blame.ADDRESS
    assert post.line.requests == 0


def test_a_message_that_line_does_not_take_is_the_messages_fault(post: Post) -> None:
    post.message = {"type": "text", "text": "ก" * 5001}
    error = post.refused(USER)
    assert error.blame is Blame.CONTENT
    assert "messages[0].text" in error.words


def test_nobody_listening_is_temporary(post: Post) -> None:
    post.url = "http://127.0.0.1:9"
    assert post.refused(USER).blame is Blame.TEMPORARY


def test_the_month_is_read(post: Post) -> None:
    async def usage(api: LineApi) -> Usage:
        return await api.usage()

    assert post.ask(usage) == Usage(None, 0)
    post.line.quota, post.line.used = 300, 42
    assert post.ask(usage) == Usage(300, 42)
    post.line.faults = {Fault.GARBAGE: 1.0}
    with pytest.raises(DeliveryError) as caught:
        post.ask(usage)
    assert caught.value.blame is Blame.TEMPORARY


def test_an_event_is_replied_to_for_nothing(post: Post) -> None:
    event = post.line.write(USER, "status")

    async def reply(api: LineApi) -> None:
        await api.reply(event["replyToken"], [HELLO])

    post.ask(reply)
    assert (post.got, post.line.used) == ([(USER, "reply")], 0)
    with pytest.raises(DeliveryError, match="Invalid reply token"):
        post.ask(reply)


def test_the_token_is_in_no_log(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post.send(USER)
        post.refused(fault=Fault.REVOKED)
    assert TOKEN not in caplog.text


def test_an_echoed_token_is_cut_out() -> None:
    error = refusal(401, b'{"message": "bad token: abc123"}', {}, secret="abc123")
    assert error.words == "401 bad token: …"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "502", id="nothing"),
        pytest.param(b"<html>", "502", id="no JSON"),
        pytest.param(b"[1]", "502", id="no object"),
        pytest.param(b"[" * 60_000, "502", id="very deep"),
        pytest.param(b'{"message": {"a": 1}, "details": 3}', "502", id="of wrong types"),
        pytest.param(b'{"message": "' + b"a" * 999 + b'"}', "502 " + "a" * 200, id="long"),
    ],
)
def test_words_that_cannot_be_read_are_left_out(body: bytes, words: str) -> None:
    assert refusal(502, body, {}).words == words


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param({"retry-after": "120"}, 120.0, id="seconds"),
        pytest.param({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, id="date"),
        pytest.param({"retry-after": "9" * 400}, None, id="for ever"),
        pytest.param({}, None, id="none"),
    ],
)
def test_it_hears_how_long_to_wait(header: dict[str, str], seconds: float | None) -> None:
    assert refusal(429, b"{}", header).retry_after == seconds


def test_the_token_leaves_this_machine_encrypted_only() -> None:
    assert checked_url("https://api.line.me/") == "https://api.line.me"
    assert checked_url("http://127.0.0.1:8081") == "http://127.0.0.1:8081"
    for wrong in ("http://api.line.me", "ftp://api.line.me", "", "https://"):
        with pytest.raises(ConfigError, match="ANDAMAN_LINE_URL"):
            checked_url(wrong)
