"""Revisions and what the tests of quality remember, as the ledger keeps them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import StorageError
from core.messages import Counts
from core.readings import Cause, Flag, Revision
from storage import schema
from storage.ledger import Batch, Ledger
from storage.quality import on_arrival
from tests.service import NOW, SERIES, columns

SUSPECT = Revision(0, NOW, NOW + 9, Flag.GOOD, Flag.SUSPECT, 1, 2, Cause.NEXT_READING)
GOOD = Revision(0, NOW, NOW + 10, Flag.SUSPECT, Flag.GOOD, 2, 1, Cause.OFFICER, reference=7)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    rows = ((0, NOW, 30.0, Flag.GOOD), (0, NOW + 1, 31.0, Flag.GOOD), (2, NOW, 9.0, Flag.FAIL))
    made.commit(batch(*rows, new_series=SERIES))
    yield made
    made.close()


def batch(*rows: tuple[int, int, float, int], **more: Any) -> Batch:
    held = columns(rows)
    held = replace(held, tests=held.flag.astype(np.uint32))
    more |= {"newest": held.newest()}
    return Batch(recorded_at=NOW, columns=held, counts=Counts(), **more)


def flags(ledger: Ledger, table: Any = schema.readings) -> list[tuple[int, int]]:
    c = table.c
    found = ledger.read(select(c.flag, c.tests).order_by(c.series, c.measured_at))
    return [tuple(row) for row in found]


def test_a_revision_changes_the_reading_and_leaves_a_row(ledger: Ledger) -> None:
    ledger.commit(batch(revisions=[SUSPECT]))
    assert flags(ledger) == [(3, 2), (1, 1), (4, 4)]
    assert flags(ledger, schema.latest) == [(1, 1), (4, 4)]
    ledger.commit(batch(revisions=[GOOD]))
    assert flags(ledger) == [(1, 1), (1, 1), (4, 4)]
    rows = ledger.read(select(schema.revisions).order_by(schema.revisions.c.id))
    assert [tuple(row[1:]) for row in rows] == [tuple(SUSPECT), tuple(GOOD)]


def test_the_newest_reading_shows_its_revised_flag(ledger: Ledger) -> None:
    ledger.commit(batch(revisions=[SUSPECT._replace(measured_at=NOW + 1)]))
    assert flags(ledger, schema.latest) == [(3, 2), (4, 4)]


def test_it_remembers_the_flag_on_arrival(ledger: Ledger) -> None:
    ledger.commit(batch(revisions=[SUSPECT._replace(measured_at=NOW + 1), SUSPECT, GOOD]))
    readings = schema.readings
    asked = select(on_arrival(readings), on_arrival(readings, "tests"))
    found = ledger.read(asked.order_by(readings.c.series, readings.c.measured_at))
    assert [tuple(row) for row in found] == [(1, 1), (1, 1), (4, 4)]
    assert [row[4] for row in ledger.latest()] == [1, 4]


def test_a_reading_of_this_batch_can_be_revised_in_it(ledger: Ledger) -> None:
    ledger.commit(batch((0, NOW + 5, 1.0, 1), revisions=[SUSPECT._replace(measured_at=NOW + 5)]))
    assert flags(ledger) == [(1, 1), (1, 1), (3, 2), (4, 4)]


def test_it_keeps_what_the_tests_remember(ledger: Ledger) -> None:
    assert ledger.quality_memory("1") == ([], [])
    ledger.commit(batch((0, NOW + 5, 1.0, 1), tails={0: b"a", 2: b"b"}, windows={0: b"w"}))
    assert ledger.quality_memory("1") == ([(0, b"a"), (2, b"b")], [(0, b"w")])
    ledger.commit(batch(tails={2: b"c"}, windows={0: b"x", 2: b"y"}))
    assert ledger.quality_memory("1") == ([(0, b"a"), (2, b"c")], [(0, b"x"), (2, b"y")])


def test_what_was_kept_in_another_layout_is_forgotten(ledger: Ledger) -> None:
    ledger.quality_memory("1")
    ledger.commit(batch(tails={2: b"c"}, windows={0: b"x"}))
    assert ledger.quality_memory("2") == ([], [])
    assert ledger.quality_memory("2") == ([], [])


def test_nothing_of_a_batch_is_stored_when_a_revision_fails(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fault BEFORE INSERT ON revisions "
            "BEGIN SELECT RAISE(ABORT, 'out of order'); END"
        )
    with pytest.raises(StorageError, match="out of order"):
        ledger.commit(batch(revisions=[SUSPECT], tails={0: b"a"}))
    assert flags(ledger) == [(1, 1), (1, 1), (4, 4)]
