"""A ledger is copied while it is written to, and comes back as it was."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from core.access import Role
from core.errors import StartError
from storage.backup import backup, restore
from storage.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "data")


def owners(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as found:
        return [row[0] for row in found.execute("SELECT owner FROM keys ORDER BY id")]


def add_key(ledger: Ledger, number: int) -> None:
    ledger.add_key(f"k{number:07}", f"hash-{number}", Role.VIEWER, f"owner {number}", number)


def test_it_is_one_file_for_its_owner_alone(ledger: Ledger, tmp_path: Path) -> None:
    add_key(ledger, 1)
    file = tmp_path / "copy.db"

    size = backup(ledger.folder, file)

    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert owners(file) == ["owner 1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"]
    ledger.close()


def test_it_is_whole_while_somebody_writes(ledger: Ledger, tmp_path: Path) -> None:
    begun, ended = Event(), Event()

    def write() -> None:
        for number in range(400):
            add_key(ledger, number)
            begun.set()
        ended.set()

    writer = Thread(target=write)
    writer.start()
    begun.wait(10)
    copies: list[Path] = []
    while not ended.is_set() and len(copies) < 50:
        copies.append(tmp_path / f"copy-{len(copies)}.db")
        backup(ledger.folder, copies[-1])
    writer.join()

    for copy in copies:
        found = owners(copy)
        assert found == [f"owner {number}" for number in range(len(found))]
    ledger.close()


def test_it_comes_back_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    add_key(ledger, 1)
    backup(ledger.folder, tmp_path / "copy.db")
    add_key(ledger, 2)
    ledger.close()

    restore(tmp_path / "new", tmp_path / "copy.db")

    again = Ledger(tmp_path / "new")
    assert owners(tmp_path / "new" / "ledger.db") == ["owner 1"]
    again.close()


def test_it_overwrites_nothing(ledger: Ledger, tmp_path: Path) -> None:
    backup(ledger.folder, tmp_path / "copy.db")
    with pytest.raises(StartError, match="exists; name a file that does not"):
        backup(ledger.folder, tmp_path / "copy.db")
    with pytest.raises(StartError, match="another Andaman runs on this folder"):
        restore(ledger.folder, tmp_path / "copy.db")
    ledger.close()
    with pytest.raises(StartError, match="has a ledger; move it away"):
        restore(ledger.folder, tmp_path / "copy.db")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"no database at all, but long enough to be looked at" * 100, "is no backup"),
        pytest.param(b"", "is no backup"),
        pytest.param(None, "is no backup"),
    ],
    ids=["other-file", "empty", "missing"],
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "copy.db"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartError, match=words):
        restore(tmp_path / "new", file)
    assert not (tmp_path / "new" / "ledger.db").exists()


def test_a_damaged_backup_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(2000):
        add_key(ledger, number)
    file = tmp_path / "copy.db"
    size = backup(ledger.folder, file)
    ledger.close()
    with file.open("r+b") as damaged:
        damaged.seek(size // 2)
        damaged.write(os.urandom(40_000))
    with pytest.raises(StartError, match=r"is damaged|is no backup"):
        restore(tmp_path / "new", file)
    assert not (tmp_path / "new" / "ledger.db").exists()


def test_a_folder_without_a_ledger_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="holds no ledger"):
        backup(tmp_path, tmp_path / "copy.db")
