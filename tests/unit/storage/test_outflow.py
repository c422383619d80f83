from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from storage import schema
from storage.database import open_readers
from storage.ledger import Ledger
from storage.outflow import OutflowRow, read_outflow


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def readers(ledger: Ledger) -> Iterator[Engine]:
    readers = open_readers(ledger.folder)
    yield readers
    readers.dispose()


def ids(rows: list[OutflowRow]) -> list[int]:
    return [row.id for row in rows]


def test_it_reads_the_oldest_rows_up_to_so_many_points(ledger: Ledger, readers: Engine) -> None:
    for points in (3, 4, 5, 1):
        ledger.add_outflow(points, b"lines of %d" % points, {})
    assert read_outflow(readers, 0, 7) == [
        OutflowRow(1, 3, b"lines of 3"),
        OutflowRow(2, 4, b"lines of 4"),
    ]
    assert ids(read_outflow(readers, 2, 100)) == [3, 4]


def test_it_reads_a_row_that_alone_is_too_much(ledger: Ledger, readers: Engine) -> None:
    ledger.add_outflow(900, b"many", {})
    ledger.add_outflow(1, b"one", {})
    assert ids(read_outflow(readers, 0, 500)) == [1]


def test_it_reads_nothing_when_nothing_waits(readers: Engine) -> None:
    assert read_outflow(readers, 0, 500) == []


def test_it_never_uses_an_id_again(ledger: Ledger, readers: Engine) -> None:
    ledger.add_outflow(1, b"a", {})
    ledger.add_outflow(1, b"b", {})
    ledger.outflow_done(2)
    ledger.add_outflow(1, b"c", {})
    assert ids(read_outflow(readers, 2, 500)) == [3]


def test_it_keeps_a_refused_point_with_the_words(ledger: Ledger, readers: Engine) -> None:
    ledger.outflow_rejected(b"beach x=null 1", "invalid number", 17)
    with readers.connect() as connection:
        (row,) = connection.execute(select(schema.rejected_points)).all()
    assert (row.rejected_at, row.line, row.words) == (17, b"beach x=null 1", "invalid number")
