"""An InfluxDB that is added or replaced gets the past, in order, once, and goes on where it was."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.alerts import State
from core.errors import StorageError
from core.messages import Counts
from core.readings import Cause, Flag, Revision
from storage import schema
from storage.database import open_readers
from storage.ledger import Batch, Ledger
from storage.quality import revise
from storage.refill import CHUNK, begin, refill, waiting
from tests.service import NOW, SERIES, change, columns

TARGET = "http://127.0.0.1:8086 andaman andaman"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.close()


def store(ledger: Ledger, *rows: tuple[int, int, float, int], alerts: int = 0) -> None:
    """A batch that nobody forwarded."""
    held = columns(rows)
    known = {index for index, _, _ in ledger.series()}
    ledger.commit(
        Batch(
            recorded_at=NOW,
            columns=held,
            counts=Counts(received=len(held), stored=len(held)),
            new_series=[s for s in SERIES if s.index not in known],
            transitions=[change(f"a{n}", State.FIRING, NOW + n) for n in range(alerts)],
        )
    )


def refill_all(ledger: Ledger, target: str = TARGET) -> list[list[bytes]]:
    """The lines of each chunk of a new run, until all is there."""
    begin(ledger, target)
    return all_chunks(ledger)


def all_chunks(ledger: Ledger) -> list[list[bytes]]:
    """The lines of each chunk, until all is there."""
    for _ in range(10):
        if not refill(ledger, SERIES):
            break
    table = schema.outflow
    rows = ledger.read(select(table.c.points, table.c.lines).order_by(table.c.id))
    chunks = [bytes(lines).split(b"\n") for _, lines in rows]
    assert [len(chunk) for chunk in chunks] == [points for points, _ in rows]
    with ledger.transaction() as connection:
        connection.execute(table.delete())
    return chunks


def times(chunk: list[bytes]) -> list[int]:
    """The timestamps of lines, in µs."""
    return [int(line.rsplit(b" ", 1)[1]) // 1000 for line in chunk]


def test_there_is_nothing_to_do_for_a_ledger_without_a_past(ledger: Ledger) -> None:
    assert refill_all(ledger) == []


def test_it_tells_readings_with_their_flags_first_and_transitions_after_them(
    ledger: Ledger,
) -> None:
    store(ledger, (0, NOW, 61.5, Flag.GOOD), (2, NOW + 1, 9999.0, Flag.FAIL), alerts=2)
    readings, transitions = refill_all(ledger)
    assert readings == [
        b"beach,device=buoy,site=bay turbidity=61.5 %d" % (NOW * 1000),
        b"air,device=mast,site=hill pm25=9999.0,pm25_flag=4i %d" % ((NOW + 1) * 1000),
    ]
    assert times(transitions) == [NOW, NOW + 1]
    assert all(line.startswith(b"alert,rule=beach-turbid,") for line in transitions)


def test_it_goes_in_chunks_and_leaves_nothing_out_between_them(ledger: Ledger) -> None:
    count = CHUNK + 7
    # Two series at each time, so that a chunk ends between them.
    rows = [(n % 2, NOW + n // 2, float(n), Flag.GOOD) for n in range(2 * count)]
    store(ledger, *rows)
    chunks = refill_all(ledger)
    assert len(chunks) == 3
    fields = [
        field for chunk in chunks for line in chunk for field in line.split(b" ")[1].split(b",")
    ]
    assert sorted(float(field.split(b"=")[1]) for field in fields) == [
        float(n) for n in range(2 * count)
    ]
    assert [at for chunk in chunks for at in times(chunk)] != []


def test_it_goes_on_where_it_stopped_and_then_is_done(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    store(first, *[(0, NOW + n, 1.0, Flag.GOOD) for n in range(CHUNK + 1)])
    begin(first, TARGET)
    assert refill(first, SERIES)
    first.close()
    second = Ledger(tmp_path)
    assert [len(chunk) for chunk in refill_all(second)] == [CHUNK, 1]
    assert refill_all(second) == []
    second.close()


def test_what_came_meanwhile_is_the_forwarders_business(ledger: Ledger) -> None:
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    assert len(refill_all(ledger)) == 1
    store(ledger, (0, NOW + 1, 1.0, Flag.GOOD))
    assert refill_all(ledger) == []


def test_what_comes_before_the_first_chunk_is_told_once_as_well(ledger: Ledger) -> None:
    begin(ledger, TARGET)
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    assert all_chunks(ledger) == []
    begin(ledger, "another")
    store(ledger, (0, NOW + 1, 1.0, Flag.GOOD))
    assert [times(chunk) for chunk in all_chunks(ledger)] == [[NOW]]


def test_another_influxdb_gets_everything_again(ledger: Ledger) -> None:
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    before = refill_all(ledger)
    assert refill_all(ledger, "http://127.0.0.1:8086 andaman another") == before
    assert refill_all(ledger) == before


def test_an_influxdb_that_was_away_for_a_run_gets_everything_again(ledger: Ledger) -> None:
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    refill_all(ledger)
    begin(ledger, "")
    store(ledger, (0, NOW + 1, 1.0, Flag.GOOD))
    assert [len(chunk) for chunk in refill_all(ledger)] == [2]


def test_a_chunk_that_cannot_be_stored_is_not_counted_as_done(ledger: Ledger) -> None:
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    begin(ledger, TARGET)
    with ledger.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fault BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(StorageError, match="full"):
        refill(ledger, SERIES)
    with ledger.transaction() as connection:
        connection.exec_driver_sql("DROP TRIGGER fault")
    assert [len(chunk) for chunk in refill_all(ledger)] == [1]


def test_it_knows_how_much_waits(ledger: Ledger) -> None:
    readers = open_readers(ledger.folder)
    assert waiting(readers) == 0
    store(ledger, (0, NOW, 1.0, Flag.GOOD))
    begin(ledger, TARGET)
    refill(ledger, SERIES)
    assert waiting(readers) == 1
    assert json.loads(ledger.meta("refill") or "")["complete"] is False
    readers.dispose()


def test_a_flag_that_was_revised_overwrites_whatever_influx_has_of_it(ledger: Ledger) -> None:
    store(ledger, (0, NOW, 30.0, Flag.SUSPECT), (0, NOW + 1, 31.0, Flag.GOOD))
    revision = Revision(0, NOW, NOW + 9, Flag.SUSPECT, Flag.GOOD, 2, 1, Cause.NEXT_READING)
    with ledger.transaction() as connection:
        revise(connection, [revision])
    readings, revisions = refill_all(ledger)[:2]
    assert b"turbidity_flag" not in b"".join(readings)
    assert revisions == [b"beach,device=buoy,site=bay turbidity_flag=1i %d" % (NOW * 1000)]
