"""A ledger's outflow in memory, and a forwarder on a clock that tests move."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Event

from core.errors import StorageError
from storage.forwarder import Answer, Forwarder
from storage.outflow import OutflowRow


class MemoryOutflow:
    """Rows, and the points that were refused for good; a fault that is set is raised."""

    def __init__(self) -> None:
        self.rows: list[OutflowRow] = []
        self.rejected: list[tuple[bytes, str]] = []
        self.read_fault: Exception | None = None
        self.write_fault: Exception | None = None
        self.removed = Event()
        self._last = 0

    def put(self, lines: Iterable[bytes]) -> None:
        """Append the points of one batch."""
        points = list(lines)
        self._last += 1
        self.rows.append(OutflowRow(self._last, len(points), b"\n".join(points)))

    def read(self, after: int, most_points: int) -> list[OutflowRow]:
        """As the ledger's reader does it."""
        if self.read_fault:
            raise self.read_fault
        found: list[OutflowRow] = []
        for row in self.rows:
            if row.id > after and (not found or row.points <= most_points):
                found.append(row)
                most_points -= row.points
        return found

    def outflow_done(self, through: int) -> None:
        if self.write_fault:
            raise self.write_fault
        self.removed.set()
        self.rows = [row for row in self.rows if row.id > through]

    def outflow_rejected(self, line: bytes, words: str, at: int) -> None:
        assert at == 0
        self.rejected.append((line, words))


class Setup:
    """A forwarder that reads `outflow`; `now` is its monotonic clock in seconds."""

    def __init__(self, write: Callable[[bytes], Answer]) -> None:
        self.now = 1000.0
        self.outflow = MemoryOutflow()
        self.forwarder = Forwarder(
            write=write,
            outflow=self.outflow.read,
            ledger=self.outflow,
            submit=submit_here,
            clock=lambda: 0,
            monotonic=lambda: self.now,
            jitter=lambda: 0.5,
        )

    def forward_all(self) -> None:
        """Steps until there is nothing to do at this moment."""
        while self.forwarder.run_once():
            pass

    def wait(self) -> float:
        """Let the time pass that the forwarder wants to wait; how long that was."""
        seconds = self.forwarder.wait_seconds
        self.now += seconds
        return seconds


def submit_here(work: Callable[[], None]) -> "Future[None]":
    """Like the pipeline's `submit`, but at once and on this thread."""
    done: Future[None] = Future()
    try:
        work()
    except StorageError as error:
        done.set_exception(error)
    else:
        done.set_result(None)
    return done
