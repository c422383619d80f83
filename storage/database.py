"""Opens the ledger's database: one writer that also checkpoints, any number of readers.

SQLite before 3.51.3 can corrupt a WAL that two connections write or checkpoint at once, so the
folder's lock lets one process write, and readers are opened read-only.
"""

import fcntl
import logging
import os
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from core.errors import StartError
from storage import notify_schema

log = logging.getLogger(__name__)

FILE_NAME = "ledger.db"
MIGRATIONS = Path(__file__).parent / "migrations"
METADATA = notify_schema.notices.metadata  # of all tables, those of `schema` included
_REVISION = re.compile(r'^(revision|down_revision) = "(.*)"$', re.MULTILINE)
# As Alembic makes it: a new ledger is made whole and needs none of the steps that led here.
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
_WRITER_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -65536",
    "PRAGMA busy_timeout = 5000",
)


class FolderLock:
    """Held by the one process that writes in a data folder; the kernel drops it on any death."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            StartError: another process holds it, or the folder cannot be written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartError(
                f"{folder}: cannot be written ({error.strerror}); "
                "set ANDAMAN_DATA_DIR or --data to a folder of your own"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StartError(
                f"{folder}: another Andaman runs on this folder; stop it or choose another folder"
            ) from error

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._file)


def open_writer(folder: Path) -> Connection:
    """The one writing connection, with the schema brought up to date.

    Raises:
        StartError: the file cannot be opened, is no database, or is newer than this program.
    """
    path = folder / FILE_NAME
    engine = create_engine(
        "sqlite://",  # a path in an URL would be another one if it holds ?, # or %
        creator=lambda: _prepared(path),
        poolclass=StaticPool,
    )
    event.listen(engine, "begin", _begin_immediate)
    try:
        connection = engine.connect()
        _migrate(connection)
    except (LookupError, SQLAlchemyError, sqlite3.Error) as error:
        engine.dispose()
        if isinstance(error, LookupError):
            words = "was written by a newer Andaman; install that one, or restore a backup"
        else:
            words = f"{getattr(error, 'orig', None) or error}; free space or restore a backup"
        raise StartError(f"{path}: {words}") from error
    log.info("ledger %s open, SQLite %s", path, sqlite3.sqlite_version)
    return connection


def open_readers(folder: Path) -> Engine:
    """A pool of read-only connections to a ledger that a writer has already opened once."""
    address = f"file:{quote(str(folder / FILE_NAME))}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, timeout=5, check_same_thread=False, uri=True),
        poolclass=QueuePool,
        pool_size=8,
    )
    event.listen(engine, "connect", _prepare_reader)
    return engine


def _prepared(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.isolation_level = None  # we say BEGIN ourselves
    try:
        for pragma in _WRITER_PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_reader(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    """Bring the schema up to date. Raises LookupError when it is not of ours."""
    with connection.begin():
        tables, newest = inspect(connection).get_table_names(), newest_revision()
        if not tables:
            METADATA.create_all(connection)
            _VERSION.create(connection)
            connection.execute(insert(_VERSION), {"version_num": newest})
            return
        if _VERSION.name in tables and connection.scalar(select(_VERSION)) == newest:
            return
        from alembic import command  # noqa: PLC0415  a start that has nothing to do is quicker
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LookupError("our migrations do not lead there") from error


def newest_revision() -> str:
    """The migration that no other one follows."""
    texts = [path.read_text(encoding="utf-8") for path in MIGRATIONS.glob("versions/v*.py")]
    found = [dict(_REVISION.findall(text)) for text in texts]
    (newest,) = {one["revision"] for one in found} - {one.get("down_revision") for one in found}
    return str(newest)
