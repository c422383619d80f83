"""Hop 7: the ledger's outflow goes to InfluxDB, oldest first, and is removed after 204.

`verdict` decides from the server's answer alone; `Forwarder` acts on it. Points are idempotent, so
whenever it is not certain that they were stored they are sent again. The readings' way does not
wait for any of this.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from threading import Thread
from typing import NamedTuple

from storage.outflow import Outflow, OutflowRow

log = logging.getLogger(__name__)

MOST_POINTS = 5000
POLL_SECONDS = 0.2
FIRST_WAIT_SECONDS = 1
LONGEST_BACKOFF_SECONDS = 30
LONGEST_WAIT_SECONDS = 600
PAUSE_SECONDS = 40


class Answer(NamedTuple):
    """What came back for a write; status 0 when nothing did, `body` then says why."""

    status: int
    headers: Mapping[str, str]
    body: str


class Kind(StrEnum):
    """What an answer asks for."""

    STORED = "stored"
    SPLIT = "split"  # some line is bad: find it
    HALVE = "halve"  # too much at once
    WAIT = "wait"  # the server is away or busy
    PAUSE = "pause"  # a person has to change something


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` for people; `seconds` where the server said how long to wait."""

    kind: Kind
    words: str = ""
    seconds: float | None = None


class ForwarderState(StrEnum):
    """What health shows."""

    OFF = "off"
    OK = "ok"
    WAITING = "waiting"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderHealth:
    """`points_sent` and `rejected` count since the start; without InfluxDB the default stands."""

    state: ForwarderState = ForwarderState.OFF
    last_error: str = ""
    points_sent: int = 0
    rejected: int = 0


class _NotStoredError(Exception):
    """The points stay in the ledger until the server takes them."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.words)
        self.verdict = verdict


class Forwarder:
    """Sends the outflow; `run_once` is one step, `run` goes on until it is stopped.

    `outflow(after, most_points)` reads the oldest rows past the id `after`, at least one if there
    is any; `submit` runs a function on the ledger's thread; `clock` is µs UTC, `monotonic` seconds;
    `jitter` is uniform in [0, 1).
    """

    def __init__(
        self,
        *,
        write: Callable[[bytes], Answer],
        outflow: Callable[[int, int], Sequence[OutflowRow]],
        ledger: Outflow,
        submit: Callable[[Callable[[], None]], "Future[None]"],
        clock: Callable[[], int],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._write = write
        self._outflow = outflow
        self._ledger = ledger
        self._submit = submit
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._health = ForwarderHealth(state=ForwarderState.OK)
        self._most_points = MOST_POINTS
        self._sent_through = 0
        self._removals: deque[Future[None]] = deque()
        self._greeted = False
        self._failures = 0
        self._not_before = 0.0

    @property
    def health(self) -> ForwarderHealth:
        """As of the last step; any thread may ask."""
        return self._health

    @property
    def wait_seconds(self) -> float:
        """How long the server is to be left alone yet."""
        return max(0.0, self._not_before - self._monotonic())

    async def run(self, stop: asyncio.Event) -> None:
        """Forward until `stop`; a request under way is then left to itself."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                step = _in_daemon_thread(self.run_once)
                await asyncio.wait((step, stopping), return_when=asyncio.FIRST_COMPLETED)
                if step.done() and not step.result():
                    pause = max(self.wait_seconds, POLL_SECONDS)
                    await asyncio.wait((stopping,), timeout=pause)
        finally:
            stopping.cancel()

    def run_once(self) -> bool:
        """Send the oldest points; False when there were none or the server must be waited for."""
        if self.wait_seconds:
            return False
        try:
            rows = self._outflow(self._sent_through, self._most_points)
            if not rows:
                self._greet()
                return False
            refused = self._settle(b"\n".join(row.lines for row in rows).split(b"\n"))
            self._forget(rows[-1].id, refused)
        except _NotStoredError as reason:
            self._retreat(reason.verdict)
            return False
        except Exception as error:  # noqa: BLE001 - it outlives the ledger's faults
            self._sent_through = 0  # whatever is still there goes again
            self._retreat(Verdict(Kind.WAIT, f"ledger: {error}"))
            return False
        self._advance(sum(row.points for row in rows), refused)
        return True

    def _greet(self) -> None:
        """With nothing to send, find out all the same whether the server would take it."""
        if not self._greeted or self._health.state is not ForwarderState.OK:
            self._ask([])  # InfluxDB checks token and bucket of an empty write as well
            self._advance(0, [])

    def _settle(
        self, lines: Sequence[bytes], *, known_bad: bool = False
    ) -> list[tuple[bytes, str]]:
        """Store what can be stored; the lines that InfluxDB refuses, each with its words.

        Cutting off two fifths, and not asking again about a rest that must hold the bad line,
        finds one bad line among n in at most 2·log2(n) + 1 requests.
        """
        if not known_bad or len(lines) == 1:
            verdict = self._ask(lines)
            if verdict.kind is Kind.STORED:
                return []
            if len(lines) == 1:
                return [(lines[0], verdict.words)]
            if verdict.kind is Kind.HALVE:
                half = self._most_points = len(lines) // 2
                return self._settle(lines[:half]) + self._settle(lines[half:])
        cut = max(1, len(lines) * 2 // 5)
        refused = self._settle(lines[:cut])
        return refused + self._settle(lines[cut:], known_bad=not refused)

    def _ask(self, lines: Sequence[bytes]) -> Verdict:
        found = verdict(*self._write(b"\n".join(lines)))
        if found.kind in (Kind.WAIT, Kind.PAUSE):
            raise _NotStoredError(found)
        return found

    def _forget(self, through: int, refused: Sequence[tuple[bytes, str]]) -> None:
        """Have the rows removed by the ledger's thread, behind all that waits there: the next ones
        are sent meanwhile, since those that a crash leaves behind are only sent again.
        """
        while self._removals and self._removals[0].done():
            self._removals.popleft().result()  # raises what went wrong there
        self._removals.append(self._submit(partial(self._remove, through, refused)))
        self._sent_through = through

    def _remove(self, through: int, refused: Sequence[tuple[bytes, str]]) -> None:
        for line, words in refused:
            self._ledger.outflow_rejected(line, words, self._clock())
        self._ledger.outflow_done(through)

    def _advance(self, points: int, refused: Sequence[tuple[bytes, str]]) -> None:
        self._greeted = True
        before = self._health
        if before.state is not ForwarderState.OK:
            log.info("InfluxDB takes points again")
        if refused:
            log.warning("InfluxDB refused %d points, kept: %s", len(refused), refused[0][1])
        self._failures = 0
        self._health = ForwarderHealth(
            state=ForwarderState.OK,
            points_sent=before.points_sent + points - len(refused),
            rejected=before.rejected + len(refused),
        )

    def _retreat(self, found: Verdict) -> None:
        paused = found.kind is Kind.PAUSE
        state = ForwarderState.PAUSED if paused else ForwarderState.WAITING
        if state is not self._health.state:
            log.warning("forwarding to InfluxDB waits: %s", found.words)
        self._health = replace(self._health, state=state, last_error=found.words)
        backoff = min(FIRST_WAIT_SECONDS * 2**self._failures, LONGEST_BACKOFF_SECONDS)
        self._failures = min(self._failures + 1, 10)
        seconds = PAUSE_SECONDS if paused else backoff if found.seconds is None else found.seconds
        wait = min(seconds * (1 + self._jitter() / 2), LONGEST_WAIT_SECONDS)
        self._not_before = self._monotonic() + wait


def verdict(status: int, headers: Mapping[str, str], body: str) -> Verdict:
    """What InfluxDB 2 wants, by its answer to a write.

    400 and 422 blame a line only in InfluxDB's own words: a proxy says 400 too, and then every
    point would be refused.
    """
    code, words = _explain(body)
    match status:
        case 204:
            return Verdict(Kind.STORED)
        case 400 | 422 if code:
            return Verdict(Kind.SPLIT, words)
        case 413:
            return Verdict(Kind.HALVE, f"413 {words}")
        case 0:
            return Verdict(Kind.WAIT, words)
        case _ if status == 429 or status >= 500:
            return Verdict(Kind.WAIT, f"{status} {words}", _retry_after(headers))
        case _:
            advice = _ADVICE.get(status, "ANDAMAN_INFLUX_URL: no InfluxDB 2 answers there")
            return Verdict(Kind.PAUSE, f"{status} {words}; check {advice}")


_ADVICE = {
    401: "ANDAMAN_INFLUX_TOKEN: it is not known there",
    403: "ANDAMAN_INFLUX_TOKEN: it may not write to the bucket",
    404: "ANDAMAN_INFLUX_ORG and ANDAMAN_INFLUX_BUCKET: create them or correct the names",
}


def _explain(body: str) -> tuple[str, str]:
    """InfluxDB's error code ("" when it is not InfluxDB that speaks) and its words."""
    try:
        answer = json.loads(body)
        return str(answer["code"]), str(answer["message"])[:1000]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", " ".join(body.split())[:200]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from 1 s to ten minutes; None when there is no usable `Retry-After`.

    A date is read against the server's own `Date`: nobody's clock need be right.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    asked = lower.get("retry-after", "")
    try:
        if asked.isascii() and asked.isdigit():
            seconds = float(asked)
        else:
            now = parsedate_to_datetime(lower.get("date", ""))
            seconds = (parsedate_to_datetime(asked) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    if seconds < 0:
        return None
    return min(max(seconds, FIRST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _in_daemon_thread(work: Callable[[], bool]) -> "asyncio.Future[bool]":
    """Like `asyncio.to_thread`, but a server that hangs does not hold up the end of the process."""
    done: Future[bool] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to who awaits
            done.set_exception(error)

    Thread(target=run, name="forwarder", daemon=True).start()
    return asyncio.wrap_future(done)
