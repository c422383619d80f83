"""A real InfluxDB 2: an `influxd` child process on a loopback port."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ORG = "andaman"
BUCKET = "andaman"
TOKEN = "token-of-a-test-server"
START_SECONDS = 30
STOP_SECONDS = 10
FLAGS = ("--reporting-disabled", "--ui-disabled", "--no-tasks", "--log-level", "error")


class InfluxServer:
    """One influxd with its store in `folder`; the port stays the same over restarts."""

    def __init__(self, executable: str, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.org, self.bucket, self.token = ORG, BUCKET, TOKEN
        self._executable = executable
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise RuntimeError("influxd is stopped")
        return self._process.pid

    def start(self) -> None:
        """Return when the server answers."""
        command = [
            self._executable,
            f"--http-bind-address={self.url.removeprefix('http://')}",
            f"--bolt-path={self._folder / 'influxd.bolt'}",
            f"--engine-path={self._folder / 'engine'}",
            *FLAGS,
        ]
        with (self._folder / "influxd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "influxd.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"influxd did not start:\n{words[-2000:]}")
            time.sleep(0.05)

    def set_up(self, token: str = TOKEN, password: str = "for-one-test") -> None:
        """Create user, organisation, bucket and the token that may do everything."""
        body = {"username": "test", "password": password, "org": ORG, "bucket": BUCKET}
        self.call("POST", "/api/v2/setup", {**body, "token": token})
        self.token = token

    def stop(self) -> None:
        """End the process; what it acknowledged stays in the folder."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop, then start on the same port and store."""
        self.stop()
        self.start()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request of the management API, answered as JSON (None when empty)."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.loads(response.read() or b"null")

    def create_bucket(self, name: str) -> str:
        """An empty bucket, so that tests do not see each other's points; its id."""
        org = self.call("GET", f"/api/v2/orgs?org={ORG}")["orgs"][0]["id"]
        bucket = self.call("POST", "/api/v2/buckets", {"orgID": org, "name": name})
        return str(bucket["id"])

    def _answers(self) -> bool:
        try:
            self.call("GET", "/health")
        except OSError:
            return False
        return True


def find_influxd() -> str | None:
    """Path of the executable, None where PATH has none."""
    return shutil.which("influxd")


@contextmanager
def running_influxd(folder: Path) -> Iterator[InfluxServer]:
    """A server that is set up and answers; it is stopped at the end whatever happens."""
    executable = find_influxd()
    if executable is None:
        raise FileNotFoundError("influxd is not on PATH")
    server = InfluxServer(executable, folder)
    try:
        server.start()
        server.set_up()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
