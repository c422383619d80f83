"""The forwarder against a real InfluxDB, and against servers that answer what InfluxDB seldom does.

Time that the forwarder waits passes on a clock of the test's own.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from uuid import uuid4

import pytest

from core.errors import ConfigError
from core.registry import Series
from core.times import SECOND
from simulators.servers.influxd import InfluxServer
from storage.forwarder import Answer, ForwarderState, Kind, verdict
from storage.history import Point
from storage.influx import InfluxHistory, InfluxWriter
from storage.influx_address import InfluxAddress
from tests.outflow import Setup

T0 = 1_795_305_600 * SECOND
NONE: Mapping[str, str] = MappingProxyType({})
PH = Series(index=0, device="probe-1", parameter="ph", site="patong", kind="beach", district="x")


def line(n: int, value: str) -> bytes:
    return f"beach,device=probe-1,site=patong ph={value} {(T0 + n) * 1000}".encode()


def stored(address: InfluxAddress) -> list[Point]:
    history = InfluxHistory(address)
    try:
        return history.raw(PH, T0, T0 + SECOND, limit=100_000, flags=None)
    finally:
        history.close()


def state_of(setup: Setup) -> ForwarderState:
    return setup.forwarder.health.state


@pytest.fixture
def address(influx: InfluxServer) -> InfluxAddress:
    """A bucket of its own."""
    bucket = uuid4().hex
    influx.create_bucket(bucket)
    return InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)


@contextmanager
def forwarding(
    address: InfluxAddress, timeout_seconds: float = 10
) -> Iterator[tuple[Setup, list[int]]]:
    """A forwarder to `address`, and the sizes of its requests in lines."""
    writer = InfluxWriter(address, timeout_seconds)
    sizes: list[int] = []

    def write(lines: bytes) -> Answer:
        sizes.append(lines.count(b"\n") + 1)
        return writer(lines)

    yield Setup(write), sizes
    writer.close()


@pytest.mark.network
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        pytest.param("null", "unable to parse", id="malformed: 400, nothing stored"),
        pytest.param("5i", "field type conflict", id="type conflict: 422, the rest stored"),
    ],
)
def test_it_stores_all_but_the_one_bad_point(address: InfluxAddress, bad: str, words: str) -> None:
    lines = [line(n, f"{n}.0") for n in range(1000)]
    lines[623] = line(623, bad)
    with forwarding(address) as (setup, sizes):
        setup.outflow.put(lines)
        setup.forward_all()
    assert len(sizes) <= 2 * math.log2(1000) + 1
    assert [p.value for p in stored(address)] == [float(n) for n in range(1000) if n != 623]
    ((rejected, said),) = setup.outflow.rejected
    assert rejected == lines[623]
    assert words in said
    assert setup.outflow.rows == []


@pytest.mark.network
def test_it_overwrites_a_point_that_is_sent_again(address: InfluxAddress) -> None:
    with forwarding(address) as (setup, _):
        for _ in range(2):
            setup.outflow.put([line(0, "8.1"), line(1, "8.2")])
            setup.forward_all()
    assert stored(address) == [Point(T0, 8.1, 1), Point(T0 + 1, 8.2, 1)]


@pytest.mark.network
def test_it_pauses_with_a_wrong_token_and_never_tells_it(
    address: InfluxAddress, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "canary-of-a-secret"
    wrong = InfluxAddress(url=address.url, org=address.org, bucket=address.bucket, token=secret)
    with forwarding(wrong) as (setup, _):
        setup.outflow.put([line(0, "8.1")])
        setup.forward_all()
    health = setup.forwarder.health
    assert health.state is ForwarderState.PAUSED
    assert health.last_error.startswith("401 unauthorized access; check ANDAMAN_INFLUX_TOKEN")
    assert setup.outflow.rows
    assert secret not in caplog.text + repr(wrong) + repr(health)


@pytest.mark.network
def test_it_pauses_with_a_token_that_may_not_write(
    influx: InfluxServer, address: InfluxAddress
) -> None:
    org = influx.call("GET", f"/api/v2/orgs?org={influx.org}")["orgs"][0]["id"]
    may = {"action": "read", "resource": {"type": "buckets", "orgID": org}}
    body = {"orgID": org, "permissions": [may]}
    token = influx.call("POST", "/api/v2/authorizations", body)["token"]
    reader = InfluxAddress(url=address.url, org=address.org, bucket=address.bucket, token=token)
    with forwarding(reader) as (setup, _):
        setup.outflow.put([line(0, "8.1")])
        setup.forward_all()
    assert state_of(setup) is ForwarderState.PAUSED
    assert "may not write" in setup.forwarder.health.last_error
    assert setup.outflow.rows


@pytest.mark.network
def test_it_goes_on_when_the_missing_bucket_is_made(influx: InfluxServer) -> None:
    bucket = uuid4().hex
    address = InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)
    with forwarding(address) as (setup, _):
        setup.outflow.put([line(0, "8.1")])
        setup.forward_all()
        assert state_of(setup) is ForwarderState.PAUSED
        assert "ANDAMAN_INFLUX_BUCKET" in setup.forwarder.health.last_error
        influx.create_bucket(bucket)
        setup.wait()
        setup.forward_all()
    assert state_of(setup) is ForwarderState.OK
    assert stored(address) == [Point(T0, 8.1, 1)]


@pytest.mark.network
def test_it_keeps_points_while_the_server_is_down(
    influx: InfluxServer, address: InfluxAddress
) -> None:
    with forwarding(address) as (setup, sizes):
        setup.outflow.put([line(0, "8.0")])
        setup.forward_all()
        influx.stop()
        for n in range(1, 4):
            setup.outflow.put([line(n, f"8.{n}")])
            setup.forward_all()
            setup.wait()
        assert state_of(setup) is ForwarderState.WAITING
        assert sizes == [1, 1, 2, 3]
        influx.start()
        setup.forward_all()
    assert [p.value for p in stored(address)] == [8.0, 8.1, 8.2, 8.3]
    assert state_of(setup) is ForwarderState.OK
    assert setup.outflow.rows == []


class Stub(ThreadingHTTPServer):
    """Answers writes as `answer` says; `asked` counts them."""

    daemon_threads = True

    def __init__(self, answer: "Callable[[Handler, bytes], None]") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked = 0

    @property
    def address(self) -> InfluxAddress:
        return InfluxAddress(
            url=f"http://127.0.0.1:{self.server_port}", org="o", bucket="b", token="t"
        )


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        self.server.asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answer(self, body)

    def say(self, status: int, body: bytes = b"", headers: Mapping[str, str] = NONE) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: a test's output is its failures."""


@contextmanager
def stub(answer: Callable[[Handler, bytes], None]) -> Iterator[Stub]:
    with Stub(answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        pytest.param("30", (30, 45), id="seconds"),
        pytest.param("0", (1, 1.5), id="at once"),
        pytest.param("1000000000", (600, 600), id="absurd"),
        pytest.param("-3", (1, 1.5), id="negative"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", (600, 600), id="date"),
        pytest.param("", (1, 1.5), id="missing"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_it_honours_retry_after(status: int, asked: str, seconds: tuple[float, float]) -> None:
    headers = {"Retry-After": asked} if asked else {}
    with (
        stub(lambda handler, _: handler.say(status, headers=headers)) as server,
        forwarding(server.address) as (setup, _),
    ):
        setup.outflow.put([line(0, "8.1")])
        setup.forward_all()
        setup.forward_all()
        assert server.asked == 1
        assert seconds[0] <= setup.forwarder.wait_seconds <= seconds[1]
        assert setup.outflow.rows


def test_it_sends_less_at_once_to_a_server_that_takes_less() -> None:
    taken: list[bytes] = []

    def answer(handler: Handler, body: bytes) -> None:
        if len(body) > 10_000:
            handler.say(413, b"too large")
        else:
            taken.extend(body.split(b"\n"))
            handler.say(204)

    lines = [line(n, "8.1") for n in range(1000)]
    with stub(answer) as server, forwarding(server.address) as (setup, _):
        setup.outflow.put(lines)
        setup.forward_all()
    assert taken == lines
    assert setup.outflow.rejected == []


def cut(handler: Handler, body: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 20")
    handler.close_connection = True


def reset(handler: Handler, body: bytes) -> None:
    handler.connection.close()


def stay_silent(handler: Handler, body: bytes) -> None:
    handler.connection.settimeout(5)
    handler.rfile.read(1)  # until the client gives up


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda handler, _: handler.say(500), id="500"),
        pytest.param(lambda handler, _: handler.say(502, b"<html>"), id="502 of a proxy"),
        pytest.param(cut, id="cut in the answer"),
        pytest.param(reset, id="closed without an answer"),
        pytest.param(stay_silent, id="silent"),
    ],
)
def test_it_sends_again_what_was_not_confirmed(
    answer: Callable[[Handler, bytes], None],
) -> None:
    with stub(answer) as server, forwarding(server.address, 0.3) as (setup, _):
        setup.outflow.put([line(0, "8.1")])
        setup.forward_all()
        assert state_of(setup) is ForwarderState.WAITING
        assert setup.outflow.rows
        server.answer = lambda handler, _: handler.say(204)
        setup.wait()
        setup.forward_all()
        assert state_of(setup) is ForwarderState.OK
        assert (server.asked, setup.outflow.rows) == (2, [])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda handler, _: handler.say(200, b"<html>"), id="a web page"),
        pytest.param(lambda handler, _: handler.say(400, b"<html>"), id="a proxy's 400"),
        pytest.param(
            lambda handler, _: handler.say(307, headers={"Location": "/x"}), id="a redirect"
        ),
    ],
)
def test_it_drops_nothing_at_a_server_that_is_not_influxdb(
    answer: Callable[[Handler, bytes], None],
) -> None:
    with stub(answer) as server, forwarding(server.address) as (setup, _):
        setup.outflow.put([line(0, "8.1"), line(1, "8.2")])
        setup.forward_all()
        assert server.asked == 1
    assert state_of(setup) is ForwarderState.PAUSED
    assert "ANDAMAN_INFLUX_URL" in setup.forwarder.health.last_error
    assert len(setup.outflow.rows) == 1
    assert setup.outflow.rejected == []


@pytest.mark.network
def test_it_judges_what_the_real_server_says(address: InfluxAddress) -> None:
    writer = InfluxWriter(address)
    kinds = {
        sent: verdict(*writer(sent)).kind
        for sent in (line(0, "8.1"), b"no line", line(1, "nan"), line(2, "2i"), b"")
    }
    writer.close()
    assert list(kinds.values()) == [Kind.STORED, Kind.SPLIT, Kind.SPLIT, Kind.SPLIT, Kind.STORED]


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        pytest.param({"url": "localhost:8086"}, "URL", id="no scheme"),
        pytest.param({"url": "http://user:pw@host"}, "URL", id="a password in the URL"),
        pytest.param({"org": ""}, "ORG", id="no organisation"),
        pytest.param({"bucket": 'x") |> drop('}, "BUCKET", id="Flux in the bucket"),
        pytest.param({"token": "canary\nx"}, "TOKEN", id="two lines of token"),
        pytest.param({"token": ""}, "TOKEN", id="no token"),
    ],
)
def test_it_refuses_settings_that_cannot_be_right(change: dict[str, str], setting: str) -> None:
    right = {"url": "http://127.0.0.1:8086/influx", "org": "o", "bucket": "b", "token": "canary"}
    InfluxAddress(**right)
    with pytest.raises(ConfigError, match=f"ANDAMAN_INFLUX_{setting}") as caught:
        InfluxAddress(**(right | change))
    assert "canary" not in str(caught.value)
