import asyncio
import logging
import math
import threading
from collections.abc import Iterable, Sequence

import pytest

from core.errors import StorageError
from storage.forwarder import (
    Answer,
    ForwarderHealth,
    ForwarderState,
    Kind,
    Verdict,
    verdict,
)
from tests.outflow import Setup

INVALID = '{"code": "invalid", "message": "unable to parse"}'
CONFLICT = '{"code": "unprocessable entity", "message": "field type conflict"}'
DATE = {"Date": "Sun, 22 Nov 2026 08:00:00 GMT"}


class FakeInflux:
    """Stores lines; refuses a request with a bad one as InfluxDB 2 does."""

    def __init__(self, bad: Iterable[bytes] = (), status: int = 400, most: int = 10**9) -> None:
        self.bad = set(bad)
        self.status = status
        self.most = most
        self.stored: set[bytes] = set()
        self.sizes: list[int] = []
        self.troubles: list[Answer] = []

    def __call__(self, body: bytes) -> Answer:
        lines = body.split(b"\n")
        self.sizes.append(len(lines))
        if self.troubles:
            return self.troubles.pop(0)
        if len(lines) > self.most:
            return Answer(413, {}, "")
        bad = self.bad.intersection(lines)
        if not bad or self.status == 422:
            self.stored |= set(lines) - bad
        words = INVALID if self.status == 400 else CONFLICT
        return Answer(self.status, {}, words) if bad else Answer(204, {}, "")


def lines_of(count: int) -> list[bytes]:
    return [b"beach x=%d" % n for n in range(count)]


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        pytest.param(204, {}, "", Verdict(Kind.STORED), id="stored"),
        pytest.param(400, {}, INVALID, Verdict(Kind.SPLIT, "unable to parse"), id="bad line"),
        pytest.param(422, {}, CONFLICT, Verdict(Kind.SPLIT, "field type conflict"), id="conflict"),
        pytest.param(413, {}, "", Verdict(Kind.HALVE, "413 "), id="too much"),
        pytest.param(0, {}, "refused", Verdict(Kind.WAIT, "refused"), id="no answer"),
        pytest.param(429, {}, "slow", Verdict(Kind.WAIT, "429 slow"), id="too many"),
        pytest.param(
            503, {"retry-after": "7"}, "", Verdict(Kind.WAIT, "503 ", 7), id="asked to wait"
        ),
        pytest.param(500, {}, "no\njson", Verdict(Kind.WAIT, "500 no json"), id="broken"),
    ],
)
def test_it_judges_an_answer(
    status: int, headers: dict[str, str], body: str, expected: Verdict
) -> None:
    assert verdict(status, headers, body) == expected


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        pytest.param(401, "", "ANDAMAN_INFLUX_TOKEN: it is not known", id="unknown token"),
        pytest.param(403, "", "ANDAMAN_INFLUX_TOKEN: it may not write", id="weak token"),
        pytest.param(404, "", "ANDAMAN_INFLUX_ORG and ANDAMAN_INFLUX_BUCKET", id="no bucket"),
        pytest.param(400, "plain HTTP to HTTPS port", "ANDAMAN_INFLUX_URL", id="a proxy's 400"),
        pytest.param(422, '["code"]', "ANDAMAN_INFLUX_URL", id="another program's 422"),
        pytest.param(200, "<html>", "ANDAMAN_INFLUX_URL", id="a web page"),
        pytest.param(307, "", "ANDAMAN_INFLUX_URL", id="a redirect"),
        pytest.param(405, "", "ANDAMAN_INFLUX_URL", id="method not allowed"),
    ],
)
def test_it_pauses_and_names_the_setting(status: int, body: str, advice: str) -> None:
    found = verdict(status, {}, body)
    assert found.kind is Kind.PAUSE
    assert advice in found.words


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="missing"),
        pytest.param({"Retry-After": "17"}, 17, id="seconds"),
        pytest.param({"Retry-After": "0"}, 1, id="at once means in a second"),
        pytest.param({"Retry-After": "1000000000"}, 600, id="absurd"),
        pytest.param({"Retry-After": "9" * 400}, 600, id="beyond a float"),
        pytest.param({"Retry-After": "-5"}, None, id="negative"),
        pytest.param({"Retry-After": "nan"}, None, id="no number"),
        pytest.param({"Retry-After": "١٢"}, None, id="digits of another script"),
        pytest.param(
            DATE | {"Retry-After": "Sun, 22 Nov 2026 08:00:30 GMT"}, 30, id="date after Date"
        ),
        pytest.param(
            DATE | {"Retry-After": "Sun, 22 Nov 2026 07:00:00 GMT"}, None, id="date in the past"
        ),
        pytest.param(DATE | {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 600, id="far date"),
        pytest.param({"Retry-After": "Sun, 22 Nov 2026 08:00:30 GMT"}, None, id="date, no Date"),
        pytest.param(DATE | {"Retry-After": "soon"}, None, id="no date"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_it_reads_retry_after(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert verdict(status, headers, "").seconds == seconds


def test_it_sends_the_oldest_rows_together_and_removes_them() -> None:
    server = FakeInflux()
    setup = Setup(server)
    for start in range(0, 12, 3):
        setup.outflow.put(lines_of(12)[start : start + 3])
    setup.forward_all()
    assert server.sizes == [12]
    assert server.stored == set(lines_of(12))
    assert setup.outflow.rows == []
    assert setup.forwarder.health == ForwarderHealth(state=ForwarderState.OK, points_sent=12)


def test_it_finds_out_at_the_start_that_the_server_is_away_and_when_it_is_there() -> None:
    answers = [Answer(0, {}, "refused"), Answer(204, {}, "")]
    asked: list[bytes] = []

    def write(lines: bytes) -> Answer:
        asked.append(lines)
        return answers.pop(0)

    setup = Setup(write)
    setup.forwarder.run_once()
    assert setup.forwarder.health.state is ForwarderState.WAITING
    setup.now += 60
    setup.forwarder.run_once()
    setup.forwarder.run_once()
    assert setup.forwarder.health == ForwarderHealth(state=ForwarderState.OK)
    assert asked == [b"", b""]


def test_it_sends_at_most_5000_points_at_once() -> None:
    server = FakeInflux()
    setup = Setup(server)
    for start in range(0, 12_000, 500):
        setup.outflow.put(lines_of(12_000)[start : start + 500])
    setup.forward_all()
    assert server.sizes == [5000, 5000, 2000]


def settle(bad: Sequence[int], count: int, status: int) -> tuple[Setup, FakeInflux]:
    lines = lines_of(count)
    server = FakeInflux((lines[n] for n in bad), status)
    setup = Setup(server)
    setup.outflow.put(lines)
    setup.forward_all()
    assert server.stored == set(lines) - server.bad
    assert {line for line, _ in setup.outflow.rejected} == server.bad
    assert len(setup.outflow.rejected) == len(server.bad)
    assert setup.outflow.rows == []
    return setup, server


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 10, 64, 100])
def test_it_finds_one_bad_line_wherever_it_is(count: int, status: int) -> None:
    for bad in range(count):
        _, server = settle([bad], count, status)
        assert len(server.sizes) <= 2 * math.log2(count) + 1


@pytest.mark.parametrize("bad", [0, 1, 399, 400, 1999, 2000, 4998, 4999])
def test_it_finds_one_bad_line_among_5000(bad: int) -> None:
    setup, server = settle([bad], 5000, 400)
    assert len(server.sizes) <= 2 * math.log2(5000) + 1
    assert setup.outflow.rejected == [(b"beach x=%d" % bad, "unable to parse")]
    assert setup.forwarder.health == ForwarderHealth(
        state=ForwarderState.OK, points_sent=4999, rejected=1
    )


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "bad", [[0, 99], [3, 4, 5], [98, 99], range(0, 100, 7), range(100)], ids=str
)
def test_it_finds_every_bad_line(bad: Sequence[int], status: int) -> None:
    settle(bad, 100, status)


def test_it_halves_what_is_too_large_and_remembers() -> None:
    server = FakeInflux(most=300)
    setup = Setup(server)
    for start in range(0, 2000, 100):
        setup.outflow.put(lines_of(2000)[start : start + 100])
    setup.forward_all()
    assert server.stored == set(lines_of(2000))
    assert setup.outflow.rejected == []
    assert sum(size > 300 for size in server.sizes) <= 7  # 2000, 2 × 1000, 4 × 500


def test_it_keeps_a_single_point_that_is_too_large_apart() -> None:
    server = FakeInflux(most=0)
    setup = Setup(server)
    setup.outflow.put([b"beach x=1"])
    setup.forward_all()
    assert setup.outflow.rejected == [(b"beach x=1", "413 ")]


def test_it_backs_off_longer_and_longer_and_drops_nothing() -> None:
    server = FakeInflux()
    server.troubles = [Answer(0, {}, "connection refused")] * 8
    setup = Setup(server)
    setup.outflow.put(lines_of(3))
    waits = []
    for _ in range(8):
        setup.forward_all()
        assert setup.forwarder.health.state is ForwarderState.WAITING
        assert setup.forwarder.health.last_error == "connection refused"
        waits.append(setup.wait())
    assert waits == [1.25, 2.5, 5, 10, 20, 37.5, 37.5, 37.5]
    setup.forward_all()
    assert server.stored == set(lines_of(3))
    assert setup.forwarder.health == ForwarderHealth(state=ForwarderState.OK, points_sent=3)


def test_it_starts_again_with_a_short_wait_after_a_success() -> None:
    server = FakeInflux()
    setup = Setup(server)
    for _ in range(2):
        server.troubles = [Answer(503, {}, "")]
        setup.outflow.put(lines_of(1))
        setup.forward_all()
        assert setup.wait() == 1.25
        setup.forward_all()


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        pytest.param(Answer(429, {"Retry-After": "20"}, ""), 25, id="seconds and jitter"),
        pytest.param(Answer(503, {"Retry-After": "1000000000"}, ""), 600, id="ten minutes at most"),
        pytest.param(Answer(401, {}, ""), 50, id="paused"),
    ],
)
def test_it_waits_as_long_as_the_answer_asks(answer: Answer, seconds: float) -> None:
    server = FakeInflux()
    server.troubles = [answer]
    setup = Setup(server)
    setup.outflow.put(lines_of(1))
    setup.forward_all()
    assert setup.forwarder.wait_seconds == seconds


@pytest.mark.parametrize("answer", [Answer(0, {}, ""), Answer(429, {"Retry-After": "0"}, "")])
def test_it_asks_at_most_twice_a_second_while_the_server_is_down(answer: Answer) -> None:
    server = FakeInflux()
    server.troubles = [answer] * 10_000
    setup = Setup(server)
    setup.outflow.put(lines_of(1))
    for _ in range(600):
        setup.forwarder.run_once()
        setup.now += 0.1
    assert 2 <= len(server.sizes) <= 2 * 60


def test_it_pauses_until_somebody_helps() -> None:
    server = FakeInflux()
    server.troubles = [Answer(404, {}, '{"code": "not found", "message": "bucket not found"}')] * 3
    setup = Setup(server)
    setup.outflow.put(lines_of(2))
    for _ in range(3):
        setup.forward_all()
        health = setup.forwarder.health
        assert health.state is ForwarderState.PAUSED
        assert health.last_error.startswith("404 bucket not found; check ANDAMAN_INFLUX_ORG")
        assert 30 <= setup.wait() <= 60
    assert setup.outflow.rows
    setup.forward_all()
    assert server.stored == set(lines_of(2))


def test_it_says_the_loss_once_and_the_return_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "storage.forwarder")
    server = FakeInflux()
    server.troubles = [Answer(0, {}, "connection refused")] * 5
    setup = Setup(server)
    setup.outflow.put(lines_of(1))
    for _ in range(7):
        setup.forward_all()
        setup.wait()
    assert [r.getMessage() for r in caplog.records] == [
        "forwarding to InfluxDB waits: connection refused",
        "InfluxDB takes points again",
    ]


def test_it_begins_again_when_the_server_goes_while_a_bad_line_is_sought() -> None:
    lines = lines_of(100)
    server = FakeInflux(bad=[lines[0], lines[99]])
    server.troubles = [Answer(400, {}, INVALID)] * 3 + [Answer(503, {}, "")]
    setup = Setup(server)
    setup.outflow.put(lines)
    setup.forward_all()
    assert (setup.outflow.rejected, len(setup.outflow.rows)) == ([], 1)
    setup.wait()
    setup.forward_all()
    assert [line for line, _ in setup.outflow.rejected] == [lines[0], lines[99]]
    assert server.stored == set(lines[1:99])


def test_it_sends_again_what_the_ledger_could_not_remove() -> None:
    server = FakeInflux(bad=[b"beach x=1"])
    setup = Setup(server)
    setup.outflow.write_fault = StorageError("disk full")
    for lines in (lines_of(2), [b"beach x=7"]):
        setup.outflow.put(lines)
        setup.forward_all()
    assert setup.forwarder.health.last_error == "ledger: disk full"
    assert setup.forwarder.health.state is ForwarderState.WAITING
    setup.outflow.write_fault = None
    setup.wait()
    setup.forward_all()
    assert setup.outflow.rows == []
    assert server.stored == {b"beach x=0", b"beach x=7"}
    assert {line for line, _ in setup.outflow.rejected} == {b"beach x=1"}


def test_it_outlives_an_outflow_that_cannot_be_read() -> None:
    setup = Setup(FakeInflux())
    setup.outflow.read_fault = OSError("disk I/O error")
    setup.forward_all()
    assert setup.forwarder.health.last_error == "ledger: disk I/O error"
    assert setup.forwarder.wait_seconds > 0


def run_until(setup: Setup, reached: threading.Event) -> None:
    """Run the forwarder on a real loop until `reached`, then stop it; five seconds at most."""

    async def main() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(setup.forwarder.run(stop))
        await asyncio.to_thread(reached.wait, 5)
        stop.set()
        await running

    asyncio.run(asyncio.wait_for(main(), 5))


def test_it_runs_until_it_is_stopped() -> None:
    server = FakeInflux()
    setup = Setup(server)
    setup.outflow.put(lines_of(3))
    run_until(setup, setup.outflow.removed)
    assert server.stored == set(lines_of(3))


def test_it_stops_at_once_while_a_server_hangs() -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(body: bytes) -> Answer:
        asked.set()
        release.wait(30)
        return Answer(0, {}, "time out")

    setup = Setup(hang)
    setup.outflow.put(lines_of(1))
    try:
        run_until(setup, asked)
    finally:
        release.set()
    assert setup.outflow.rows
