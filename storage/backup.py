"""A copy of the ledger while it is written to, and the way back."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from core.errors import StartError
from storage.database import FILE_NAME, FolderLock, open_writer

_BESIDE = ("", "-wal", "-shm")


def backup(folder: Path, file: Path) -> int:
    """Copy the ledger of `folder`, as it is at one moment, into a new `file` that only its owner
    may read; how many bytes it has. Whoever writes there meanwhile is not held up.

    Raises:
        StartError: there is no ledger, the file exists or cannot be written.
    """
    if not (folder / FILE_NAME).exists():
        raise StartError(f"{folder} holds no ledger; name the right one with --data")
    half = file.with_name(f".{file.name}.half")
    try:
        if file.exists():
            raise StartError(f"{file} exists; name a file that does not")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        with closing(_reader(folder / FILE_NAME)) as source, closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
        _sound(half)
        half.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise StartError(f"{file}: cannot be written ({_words(error)})") from error
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
    return file.stat().st_size


def restore(folder: Path, file: Path) -> None:
    """Make the backup in `file` the ledger of `folder`, which has none yet, and bring its schema up
    to date.

    Raises:
        StartError: the file is no backup or damaged; the folder has a ledger, or Andaman runs
            there.
    """
    lock = FolderLock(folder)
    try:
        if any((folder / f"{FILE_NAME}{suffix}").exists() for suffix in _BESIDE):
            raise StartError(f"{folder} has a ledger; move it away, or restore into a new folder")
        _sound(file)
        half = folder / f".{FILE_NAME}.half"
        half.touch(mode=0o600)
        with closing(_reader(file)) as source, closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
        half.rename(folder / FILE_NAME)
        open_writer(folder).engine.dispose()
    except (OSError, sqlite3.Error) as error:
        raise StartError(f"{folder}: cannot be written ({_words(error)})") from error
    finally:
        lock.release()


def revision(folder: Path) -> str | None:
    """The version of the schema of the ledger in `folder`; None where there is no ledger.

    Raises:
        StartError: it cannot be read.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        with closing(_reader(path)) as found:
            (version,) = found.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StartError(f"{path}: cannot be read ({error})") from error
    return str(version)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)


def _sound(path: Path) -> None:
    """Raises: StartError, where it is no ledger or a damaged one."""
    try:
        with closing(_reader(path)) as found:
            (answer,) = found.execute("PRAGMA quick_check(1)").fetchone()
            found.execute("SELECT version_num FROM alembic_version")
    except sqlite3.Error as error:
        raise StartError(f"{path} is no backup of a ledger ({error})") from error
    if answer != "ok":
        raise StartError(f"{path} is damaged ({answer}); take another backup")


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
