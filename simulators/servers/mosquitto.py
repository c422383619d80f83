"""A real mosquitto: a child process on a loopback port."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 10
STOP_SECONDS = 5
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"  # sbin is no user's PATH

CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
max_inflight_messages {window}
max_queued_messages 0
persistence true
persistence_location {folder}/
autosave_interval 0
log_dest file {folder}/mosquitto.log
"""

ACL = """
user ingest
topic read andaman/v1/+/up/#
topic write andaman/v1/+/down/#
topic write andaman/v1/alerts/#
topic read tele/+/SENSOR
topic read /odd.name//#

user gw-1
topic write tele/+/SENSOR
topic write /odd.name//#

pattern write andaman/v1/%u/up/#
pattern read andaman/v1/%u/down/#
pattern read andaman/v1/alerts/#
"""


class MosquittoProcess:
    """One broker with a configuration of its own, in `folder`; it listens on `port` at least."""

    def __init__(self, folder: Path, port: int, text: str) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        # As root it would become another user, who may not read the files of tests.
        user = "user root" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(f"{text}\n{user}\n", encoding="utf-8")

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise RuntimeError("mosquitto is stopped")
        return self._process.pid

    def start(self) -> None:
        """Return when the port accepts."""
        command = [_find("mosquitto"), "-c", str(self._folder / "mosquitto.conf")]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "mosquitto.log").read_text(encoding="utf-8")
                raise RuntimeError(f"mosquitto did not start:\n{words[-2000:]}")
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the process; after SIGTERM its queues are on disk."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Mosquitto(MosquittoProcess):
    """One broker with its files in `folder`; the port stays the same over restarts."""

    def __init__(self, folder: Path, passwords: Mapping[str, str], window: int = 1000) -> None:
        """`passwords` by user: `ingest` reads what gateways send, the others are gateways."""
        (folder / "acl").write_text(ACL, encoding="utf-8")
        lines = [f"{user}:{password}\n" for user, password in passwords.items()]
        (folder / "passwords").write_text("".join(lines), encoding="utf-8")
        subprocess.run(  # hashes the file in place, so that no password is an argument
            [_find("mosquitto_passwd"), "-U", str(folder / "passwords")], check=True
        )
        for name in ("acl", "passwords"):
            (folder / name).chmod(0o600)
        port = _free_port()
        text = CONFIGURATION.format(port=port, folder=folder, window=window)
        super().__init__(folder, port, text)


def has_mosquitto() -> bool:
    """Whether both programs of mosquitto are on this machine."""
    return all(shutil.which(name, path=PLACES) for name in ("mosquitto", "mosquitto_passwd"))


@contextmanager
def running_mosquitto(
    folder: Path, passwords: Mapping[str, str], window: int = 1000
) -> Iterator[Mosquitto]:
    """A broker that accepts; it is stopped at the end whatever happens."""
    broker = Mosquitto(folder, passwords, window)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _find(name: str) -> str:
    path = shutil.which(name, path=PLACES)
    if path is None:
        raise FileNotFoundError(f"{name} is not on PATH")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
