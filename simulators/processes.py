"""A real `andaman run`: a child process on a data folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-c", "import cli; cli.main()")
PATIENCE = 30.0  # seconds, for what takes two on an idle machine


def environment(**settings: object) -> dict[str, str]:
    """Ours, with these settings of Andaman and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANDAMAN_")}
    given = {f"ANDAMAN_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | given | {"PYTHONPATH": str(ROOT)}


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Look again and again.

    Raises:
        TimeoutError: it did not come about in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not come about in {seconds:.0f} s")
        time.sleep(0.01)


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EndedError(Exception):
    """The process that should run does not."""


class Andaman:
    """`andaman run` on `folder`/data, started and ended as often as a test likes."""

    def __init__(self, folder: Path, *, command: Sequence[str] = COMMAND, **settings: Any) -> None:
        """`command` is what `andaman` is here; `settings` are those that differ."""
        self.folder = folder
        self._command = command
        self.data = folder / "data"
        self.ready_file = folder / "ready.json"
        self._environment = environment(**({"api_port": 0, "mqtt_port": 0} | settings))
        self._log = folder / "andaman.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._under = False

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The newest one."""
        if self._process is None:
            raise EndedError("not started yet")
        return self._process

    def start(self, *under: str, **more: str) -> None:
        """Begin to start, `under` another program and with `more` in the environment; `wait_ready`
        waits.
        """
        self.ready_file.unlink(missing_ok=True)
        self._under = bool(under)
        command = [*under, *self._command, "run", "--data", str(self.data)]
        command += ["--ready-file", str(self.ready_file)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> dict[str, Any]:
        """What the ready file says once it is there."""
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise EndedError(f"it ended:\n{self.said()[-2000:]}")
        ready: dict[str, Any] = json.loads(self.ready_file.read_text(encoding="utf-8"))
        return ready

    @property
    def pid(self) -> int:
        """Of Andaman itself, also where it runs under another program."""
        return next(iter(children(self.process.pid)), 0) if self._under else self.process.pid

    def kill(self) -> None:
        """End it as a crash does."""
        if self._under and self.pid:
            os.kill(self.pid, signal.SIGKILL)  # what it runs under ends with it
        else:
            self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; its exit code, and how many seconds it took."""
        began = time.monotonic()
        os.kill(self.pid, number)
        return self.process.wait(PATIENCE), time.monotonic() - began

    def said(self) -> str:
        """The log of all its lives."""
        return self._log.read_text(encoding="utf-8")

    def ask(self, path: str, method: str = "GET") -> httpx.Response:
        """One request with the key that the data folder holds for local programs."""
        local = json.loads((self.data / "local.json").read_text(encoding="utf-8"))
        headers = {"Authorization": f"Bearer {local['key']}"}
        return httpx.request(method, local["api"] + path, headers=headers, timeout=10)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another command of `andaman` on the same data, by the same settings."""
        command = [*COMMAND, *words, "--data", str(self.data)]
        return subprocess.run(
            command,
            env=self._environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def stored(self) -> int:
        """How many readings, by its own count."""
        return int(self.ask("/v1/stats").json()["stored"])

    def gateway_secrets(self) -> dict[str, str]:
        """A new secret for each gateway, from then on the only one that is right."""
        found = [gateway["id"] for gateway in self.ask("/v1/gateways").json()["items"]]
        answers = {name: self.ask(f"/v1/gateways/{name}/rotate", "POST") for name in found}
        return {name: answer.json()["secret"] for name, answer in answers.items()}

    def broker_pid(self) -> int:
        """Of the embedded broker, which makes the file before it writes it."""
        file = self.data / "broker" / "pid"
        wait_until(lambda: file.exists() and file.read_text(encoding="ascii"))
        return int(file.read_text(encoding="ascii"))

    def end(self) -> None:
        """Whatever the test left of it."""
        if self._process is not None and self._process.poll() is None:
            self.stop()


@contextmanager
def andaman(folder: Path, **settings: Any) -> Iterator[Andaman]:
    """One that leaves nothing behind."""
    made = Andaman(folder, **settings)
    try:
        yield made
    finally:
        with suppress(subprocess.TimeoutExpired):
            made.end()
        if made.process.poll() is None:
            made.kill()


def children(pid: int) -> list[int]:
    """The processes that it started and that have not ended."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether a process has that number and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    return True
