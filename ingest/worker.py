"""The pipeline thread: gathers batches, settles them, acknowledges; runs what others hand it.

Order is kept: a function handed over runs after every message that came before it, so what a tick
is told of the time is never ahead of a message that it has not seen.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from core.errors import StorageError
from core.messages import Message
from ingest.pipeline import Pipeline

log = logging.getLogger(__name__)

Result = TypeVar("Result")
RETRY_SECONDS = 1.0
_IDLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """A function for the pipeline thread, and where its result goes."""

    call: Callable[[], Any]
    future: "Future[Any]"

    def run(self) -> None:
        """Call it; what it raises goes to the one who asked."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.call())
        except BaseException as error:  # noqa: BLE001 - handed to who waits
            self.future.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHealth:
    """`failing` holds the ledger's words while it refuses a batch, else it is empty."""

    alive: bool
    failing: str
    backlog: int


class Worker:
    """Owns the pipeline from `start` to `stop`."""

    def __init__(
        self,
        pipeline: Pipeline,
        acknowledge: Callable[[Sequence[Message]], None],
        *,
        most: int,
        wait_seconds: float,
        settled: Callable[[float], None] = lambda _: None,
    ) -> None:
        """A batch is what came within `wait_seconds` of its first message, `most` at the most;
        `settled` is told how long each took.
        """
        self.messages = 0  # settled since the start
        self._pipeline = pipeline
        self._acknowledge = acknowledge
        self._most = most
        self._wait = wait_seconds
        self._settled = settled
        self._inbox: SimpleQueue[Message | Job] = SimpleQueue()
        self._stopping = threading.Event()
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    def start(self) -> None:
        """Begin to settle."""
        self._thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """Settle what is in hand and end; what the ledger refuses stays unacknowledged."""
        self._stopping.set()
        self.submit(lambda: None)  # wakes it
        self._thread.join(seconds)

    def deliver(self, message: Message) -> None:
        """Take a message; never blocks, never raises."""
        self._inbox.put(message)

    def submit(self, call: Callable[[], Result]) -> "Future[Result]":
        """Run `call` on the pipeline thread between two batches."""
        future: Future[Result] = Future()
        self._inbox.put(Job(call, future))
        return future

    def backlog(self) -> int:
        """How many messages and functions wait."""
        return self._inbox.qsize()

    @property
    def health(self) -> WorkerHealth:
        """For readiness and metrics."""
        return WorkerHealth(
            alive=self._thread.is_alive(), failing=self._failing, backlog=self.backlog()
        )

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._inbox.empty()):
            messages, job = self._collect()
            if messages and not self._settle(messages):
                return
            if job is not None:
                job.run()

    def _collect(self) -> tuple[list[Message], Job | None]:
        """A batch, and the function that ended it, if one did."""
        messages: list[Message] = []
        deadline = time.monotonic() + _IDLE_SECONDS
        while len(messages) < self._most:
            try:
                item = self._inbox.get_nowait()
            except Empty:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                try:
                    item = self._inbox.get(timeout=left)
                except Empty:
                    break
            if isinstance(item, Job):
                return messages, item
            if not messages:
                deadline = time.monotonic() + self._wait
            messages.append(item)
        return messages, None

    def _settle(self, messages: Sequence[Message]) -> bool:
        """Settle and acknowledge; again until the ledger takes it. False: stopped before it did."""
        began = time.monotonic()
        parts = [messages]
        while parts:
            try:
                self._settle_last(parts)
            except Exception as error:  # noqa: BLE001 - this thread outlives whatever happens
                self._report(str(error) or repr(error))
                if self._stopping.wait(RETRY_SECONDS):
                    return False
            else:
                self._report("")
        try:
            self._acknowledge(messages)
        except Exception:  # they come again, as duplicates
            log.exception("%d messages were stored but not acknowledged", len(messages))
        self.messages += len(messages)
        self._settled(time.monotonic() - began)
        return True

    def _settle_last(self, parts: list[Sequence[Message]]) -> None:
        """Settle the last part; if our own code fails on it, halve it to find the message that did
        it, and keep that one in quarantine.
        """
        part = parts[-1]
        try:
            self._pipeline.settle(part)
        except StorageError:
            raise
        except Exception as error:
            log.exception("a batch of %d messages could not be settled", len(part))
            half = len(part) // 2
            if half:
                parts[-1:] = [part[half:], part[:half]]
                return
            self._pipeline.quarantine(part[0], repr(error))
        parts.pop()

    def _report(self, failing: str) -> None:
        if failing and not self._failing:
            log.error("the ledger refuses a batch, nothing is acknowledged: %s", failing)
        elif self._failing and not failing:
            log.warning("the ledger takes batches again")
        self._failing = failing
