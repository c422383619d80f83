"""A Mosquitto outside, told by files whom to let in: `passwords` and `acl` in a folder of theirs.

Mosquitto reads both again on SIGHUP. It then ends the connections whose password is no longer right
and leaves the others alone. Both files are ours: what stands in them otherwise is replaced.
"""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.errors import BrokerError
from ingest.sources import GATEWAY_LEVEL, Source
from storage.credentials import Credential, pbkdf2_of

_MODE = 0o640  # Mosquitto reads them as another user, by the folder's group
_PROGRAM = "mosquitto"


class Mosquitto:
    """Its two files, and its process where a file tells its number."""

    def __init__(
        self,
        folder: Path,
        *,
        username: str,
        password: str,
        sources: Sequence[Source],
        pid_file: Path | None = None,
    ) -> None:
        """`username` and `password` are Andaman's own; without `pid_file` somebody else has to
        send the SIGHUP.
        """
        self._folder = folder
        self._own = f"{username}:{pbkdf2_of(password)}"
        self._acl = "\n".join(access(username, sources)) + "\n"
        self._pid_file = pid_file
        self._username = username

    def admit(self, credentials: Sequence[Credential]) -> None:
        """Write both files, `passwords` last, and have Mosquitto read them.

        Raises:
            BrokerError: a file cannot be written, or the process cannot be told.
        """
        others = (c for c in credentials if c.gateway != self._username)
        lines = [self._own, *(f"{c.gateway}:{c.pbkdf2}" for c in others)]
        self._write("acl", self._acl)
        self._write("passwords", "\n".join(lines) + "\n")
        if self._pid_file is not None:
            _tell(self._pid_file)

    def _write(self, name: str, text: str) -> None:
        """Replace the file as a whole."""
        path = self._folder / name
        new = self._folder / f".{name}.new"
        try:
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w") as file:
                os.fchmod(file.fileno(), _MODE)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise BrokerError(f"{path}: cannot be written ({error.strerror})") from error


def access(username: str, sources: Iterable[Source]) -> Iterator[str]:
    """The lines of the ACL file: Andaman reads what sources and gateways say and writes to them; a
    gateway writes below its own name and on the topics of its sources, and reads alerts.
    """
    found = list(sources)
    yield f"user {username}"
    for topic in dict.fromkeys(["andaman/v1/+/up/#", *(source.filter for source in found)]):
        yield f"topic read {topic}"
    yield "topic write andaman/v1/+/down/#"
    yield "topic write andaman/v1/alerts/#"
    for gateway in dict.fromkeys(source.gateway for source in found if source.gateway):
        yield f"\nuser {gateway}"
        yield from (f"topic write {s.topic}" for s in found if s.gateway == gateway)
    yield "\npattern write andaman/v1/%u/up/#"
    yield "pattern read andaman/v1/%u/down/#"
    yield "pattern read andaman/v1/alerts/#"
    for source in found:
        if not source.gateway:
            yield f"pattern write {source.topic.replace(GATEWAY_LEVEL, '%u')}"


def _tell(pid_file: Path) -> None:
    """Send SIGHUP to the Mosquitto whose number the file holds."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        program = Path(f"/proc/{pid}/comm")  # only Linux has it
        if program.exists() and program.read_text(encoding="utf-8").strip() != _PROGRAM:
            raise BrokerError(f"{pid_file}: process {pid} is no Mosquitto; is it running?")
        os.kill(pid, signal.SIGHUP)
    except ValueError as error:
        raise BrokerError(f"{pid_file}: holds no process number") from error
    except OSError as error:
        raise BrokerError(f"{pid_file}: Mosquitto cannot be told ({error.strerror})") from error
