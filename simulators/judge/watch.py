"""Watches Andaman's process: what it takes of the machine, and what its command line shows."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from simulators.processes import Andaman, EndedError, children

EVERY = 0.5  # seconds
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Look(NamedTuple):
    """What one process held at a moment (monotonic seconds)."""

    at: float
    pid: int
    memory: float  # MB, resident
    handles: int
    threads: int


class Watch:
    """Looks again and again while it is entered."""

    def __init__(self, andaman: Andaman, secrets: set[str]) -> None:
        self.looks: list[Look] = []
        self.lines: set[bytes] = set()  # command lines that were seen
        self.secrets = secrets
        self._andaman = andaman
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Once."""
        with suppress(OSError, EndedError, IndexError, ValueError):
            pid = self._andaman.pid
            place = Path(f"/proc/{pid}")
            for each in (pid, *children(pid)):
                self.lines.add(Path(f"/proc/{each}/cmdline").read_bytes())
            pages = int((place / "statm").read_text(encoding="ascii").split()[1])
            look = Look(
                at=time.monotonic(),
                pid=pid,
                memory=pages * _PAGE_MB,
                handles=sum(1 for _ in (place / "fd").iterdir()),
                threads=sum(1 for _ in (place / "task").iterdir()),
            )
            self.looks.append(look)
