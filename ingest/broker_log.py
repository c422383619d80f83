"""A broker's log as it grows, over rotations."""

import os
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

_MOST_BYTES = 1_000_000  # read at once: what a flood writes beyond it is left out


class BrokerLog:
    """The lines that are added to a log from now on.

    A log that is moved away and begun anew is followed; one that is not there yet is waited for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BufferedReader | None = None
        self._rest = b""
        self._open(at_end=True)

    def lines(self) -> list[str]:
        """The whole lines that came since the last time."""
        data = self._read()
        if self._replaced():
            self._open(at_end=False)
            data += self._read()
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, *, at_end: bool) -> None:
        self.close()
        with suppress(OSError):
            self._file = self._path.open("rb")
            self._file.seek(0, os.SEEK_END if at_end else os.SEEK_SET)

    def _read(self) -> bytes:
        if self._file is None:
            return b""
        data = self._file.read(_MOST_BYTES)
        if len(data) == _MOST_BYTES:
            self._file.seek(0, os.SEEK_END)
        return data

    def _replaced(self) -> bool:
        """Whether another file, or a shorter one, is at its place now."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        if self._file is None:
            return True
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino) or (
            there.st_size < self._file.tell()
        )
