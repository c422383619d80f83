"""The store of record: all of a batch or nothing, one writer, and a schema by migrations."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import OperationalError

from alerts.cases import alert_id
from alerts.engine import Engine as Rules
from core.access import Role
from core.alerts import Reason, State
from core.errors import StartError, StorageError
from core.messages import Counts, Quarantined, Refusal
from core.quality import Verdict, rollup
from core.readings import Flag
from storage import schema
from storage.database import FILE_NAME, MIGRATIONS, newest_revision, open_readers
from storage.ledger import Batch, Ledger
from tests.service import CITY, NOW, SERIES, change, columns

KEY = ("beach-turbid", "buoy/turbidity")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "data")
    yield made
    made.close()


def batch(*rows: tuple[int, int, float, int], **more: Any) -> Batch:
    """A batch of (series, measured_at, value, flag) of `SERIES`."""
    held = columns(rows)
    counts = more.pop("counts", Counts(received=len(held), stored=len(held)))
    return Batch(recorded_at=NOW, columns=held, counts=counts, newest=held.newest(), **more)


def rows(ledger: Ledger, table: Any, *names: str) -> list[tuple[Any, ...]]:
    """What a table holds, those columns of it."""
    found = select(*(table.c[name] for name in names)).order_by(table.c[names[0]])
    return [tuple(row) for row in ledger.read(found)]


def contents(ledger: Ledger) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: ledger.read(select(func.count()).select_from(table))[0][0]
        for name, table in schema.metadata.tables.items()
    }


FULL = batch(
    (0, NOW, 30.0, Flag.GOOD),
    (0, NOW + 1, 31.0, Flag.GOOD),
    (2, NOW, 9999.0, Flag.FAIL),
    new_series=SERIES,
    quarantined=[
        Quarantined(
            received_at=NOW,
            gateway="gw",
            topic="t",
            reason=Refusal.NOT_JSON,
            detail="d",
            payload=b"{",
            items=2,
        )
    ],
    transitions=[change("a", State.FIRING, NOW)],
    states={KEY: "{}"},
    points=1,
    lines=b"line",
    resumed=(NOW - 1, NOW),
    ticked_at=NOW + 1,
    counts=Counts(received=5, stored=3, quarantined=2),
)


def test_it_stores_all_of_a_batch(ledger: Ledger) -> None:
    ledger.commit(FULL)
    assert rows(
        ledger, schema.readings, "measured_at", "series", "value", "flag", "received_at"
    ) == [
        (NOW, 0, 30.0, 1, NOW + 500_000),
        (NOW, 2, 9999.0, 4, NOW + 500_000),
        (NOW + 1, 0, 31.0, 1, NOW + 500_001),
    ]
    assert ledger.series() == [(s.index, s.device, s.parameter) for s in SERIES]
    assert ledger.latest() == [
        (0, NOW + 1, NOW + 500_001, 31.0, 1),
        (2, NOW, NOW + 500_000, 9999.0, 4),
    ]
    assert ledger.states() == {KEY: "{}"}
    assert rows(ledger, schema.quarantine, "reason", "items", "size", "payload") == [
        ("not-json", 2, 1, b"{")
    ]
    assert rows(ledger, schema.outflow, "points", "lines") == [(1, b"line")]
    assert rows(ledger, schema.resumptions, "at") == [(NOW,)]
    assert rows(ledger, schema.ticks, "at") == [(NOW + 1,)]
    assert dict(rows(ledger, schema.counters, "name", "value")) == {
        "received": 5,
        "stored": 3,
        "quarantined": 2,
        "quarantined.not-json": 2,
        "transitions.firing": 1,
    }


@pytest.mark.parametrize("table", ["counters", "engine_state", "outflow", "quarantine", "ticks"])
def test_it_stores_nothing_of_a_batch_when_one_part_of_it_fails(table: str, ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER fault BEFORE INSERT ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'out of order'); END"
        )
    before = contents(ledger)
    with pytest.raises(StorageError, match="out of order"):
        ledger.commit(FULL)
    assert contents(ledger) == before
    with ledger.transaction() as connection:
        connection.exec_driver_sql("DROP TRIGGER fault")
    ledger.commit(FULL)
    assert contents(ledger)["readings"] == 3


def test_the_first_value_of_a_reading_stays(ledger: Ledger) -> None:
    ledger.commit(FULL)
    again = batch((0, NOW, 99.0, Flag.GOOD), (0, NOW + 2, 32.0, Flag.GOOD))
    ledger.commit(replace(again, newest=np.empty(0, np.int64)))
    assert ledger.values_at([(NOW, 0), (NOW + 2, 0), (NOW + 3, 0)]) == {
        (NOW, 0): 30.0,
        (NOW + 2, 0): 32.0,
    }
    counted = dict(rows(ledger, schema.counters, "name", "value"))
    assert (counted["received"], counted["stored"], counted["duplicate"]) == (7, 4, 1)


def test_it_finds_any_number_of_values_at_once(ledger: Ledger) -> None:
    many = [(0, NOW + n, float(n), Flag.GOOD) for n in range(1000)]
    ledger.commit(batch(*many, new_series=SERIES))
    assert len(ledger.values_at([(NOW + n, 0) for n in range(-500, 1500)])) == 1000


def test_it_forgets_a_state_that_is_over(ledger: Ledger) -> None:
    ledger.commit(FULL)
    ledger.commit(batch(states={KEY: '{"more": 1}', ("r", "s"): "{}"}))
    assert ledger.states() == {KEY: '{"more": 1}', ("r", "s"): "{}"}
    ledger.commit(batch(states={KEY: None}))
    assert ledger.states() == {("r", "s"): "{}"}


def test_an_alert_is_what_its_transitions_made_of_it(ledger: Ledger) -> None:
    steps = [
        (State.PENDING, None, 0),
        (State.FIRING, State.PENDING, 5),
        (State.FIRING, State.FIRING, 7),
        (State.RESOLVED, State.FIRING, 9),
    ]
    for after, before, seconds in steps:
        ledger.commit(batch(transitions=[change("a", after, NOW + seconds, before=before)]))
    names = ("id", "state", "started_at", "fired_at", "resolved_at", "changed_at")
    assert rows(ledger, schema.alerts, *names) == [
        ("a", "resolved", NOW, NOW + 5, NOW + 9, NOW + 9)
    ]
    assert rows(ledger, schema.transitions, "id", "before", "after", "recorded_at") == [
        (1, None, "pending", NOW),
        (2, "pending", "firing", NOW),
        (3, "firing", "firing", NOW),
        (4, "firing", "resolved", NOW),
    ]


def test_it_cuts_a_payload_that_is_larger_than_any_message_may_be(ledger: Ledger) -> None:
    refused = replace(FULL.quarantined[0], payload=b"x" * 70_000)
    ledger.commit(batch(quarantined=[refused]))
    ((size, payload),) = rows(ledger, schema.quarantine, "size", "payload")
    assert (size, len(payload)) == (70_000, 4096)


def test_the_registry_is_what_the_files_say(ledger: Ledger) -> None:
    ledger.register(CITY)
    ledger.register(CITY)
    assert [row[0] for row in rows(ledger, schema.sites, "id")] == sorted(CITY.sites)
    ledger.register(replace(CITY, devices={}))
    assert rows(ledger, schema.devices, "id") == []
    assert rows(ledger, schema.gateways, "id", "name_th") == [("gw", "ตะวันตก")]


def test_a_key_is_in_force_until_it_is_revoked(ledger: Ledger) -> None:
    ledger.add_key("k1", "digest", Role.OFFICER, "Somchai", NOW)
    assert ledger.revoke_key("k1", NOW + 1)
    assert not ledger.revoke_key("k1", NOW + 2)
    assert not ledger.revoke_key("k2", NOW)
    assert rows(ledger, schema.keys, "id", "hash", "role", "created_at", "revoked_at") == [
        ("k1", "digest", "officer", NOW, NOW + 1)
    ]


def test_it_keeps_facts_about_itself(ledger: Ledger) -> None:
    assert ledger.meta("refill") is None
    ledger.set_meta({"refill": "1", "other": "2"})
    ledger.add_outflow(2, b"a\nb", {"refill": "3"})
    assert (ledger.meta("refill"), ledger.meta("other")) == ("3", "2")
    assert rows(ledger, schema.outflow, "points", "lines") == [(2, b"a\nb")]


def test_numbers_of_the_outflow_are_never_used_again(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.add_outflow(1, b"a", {})
        ((number,),) = rows(ledger, schema.outflow, "id")
        ledger.outflow_rejected(b"a", "bad line", NOW)
        ledger.outflow_done(number)
    assert number == 2
    assert rows(ledger, schema.rejected_points, "line", "words") == [(b"a", "bad line")] * 2


def test_migrations_lead_to_the_schema_that_a_new_ledger_has(
    tmp_path: Path, ledger: Ledger
) -> None:
    older = migrated(tmp_path / "older.db", "head")
    with older.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        led_there = tables(connection), versions(connection)
    older.dispose()
    with ledger.transaction() as connection:
        assert (tables(connection), versions(connection)) == led_there
    assert led_there[0]["readings"] == (True, False)


def test_readings_of_an_older_ledger_keep_what_their_only_test_said(tmp_path: Path) -> None:
    older = migrated(tmp_path / FILE_NAME, "0004")
    with older.begin() as connection:
        for at, (flag, objected) in enumerate(((1, 0), (4, 1))):
            connection.exec_driver_sql(
                "INSERT INTO readings VALUES (?, 0, 1.0, ?, ?, 0)", (at, flag, objected)
            )
    older.dispose()
    ledger = Ledger(tmp_path)
    found = rows(ledger, schema.readings, "measured_at", "flag", "tests")
    assert found == [(0, 1, Verdict.GOOD), (1, 4, Verdict.FAIL)]
    assert {rollup(tests) == flag for _, flag, tests in found} == {True}
    ledger.close()


def test_entries_of_an_older_ledger_learn_their_device(tmp_path: Path) -> None:
    details = ["probe-9 is not in devices.yaml", "probe-1 belongs to another gateway", "empty"]
    older = migrated(tmp_path / FILE_NAME, "0004")
    with older.begin() as connection:
        for detail in details:
            connection.exec_driver_sql(
                "INSERT INTO quarantine (received_at, gateway, topic, reason, detail, items, size, "
                "payload) VALUES (0, 'gw', 't', 'not-json', ?, 1, 1, 'x')",
                (detail,),
            )
    older.dispose()
    ledger = Ledger(tmp_path)
    assert [row[1] for row in rows(ledger, schema.quarantine, "id", "device")] == [
        "probe-9",
        "probe-1",
        None,
    ]
    ledger.close()


def test_an_alert_about_the_system_of_an_older_ledger_goes_on(tmp_path: Path) -> None:
    older = migrated(tmp_path / FILE_NAME, "0017")
    with older.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO engine_state VALUES ('gateway-gap', 'gateway/gw', '{\"since\": 5}')"
        )
    older.dispose()
    ledger = Ledger(tmp_path)
    engine = Rules([], lateness=0)
    engine.restore(ledger.states(), [])
    (mended,) = engine.on_gaps({}, 9).transitions
    assert mended.alert == alert_id("gateway-gap", "gateway/gw", 5)
    assert (mended.after, mended.reason) == (State.RESOLVED, Reason.BACK_IN_RANGE)
    ledger.close()


def migrated(path: Path, revision: str) -> Engine:
    """A database to which the migrations have been done, up to a revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def versions(connection: Any) -> list[Any]:
    """What Alembic knows of a database."""
    return list(connection.exec_driver_sql("SELECT * FROM alembic_version"))


def tables(connection: Any) -> dict[str, tuple[bool, bool]]:
    """Of each table whether it has no rowid, and whether its numbers are never used again; neither
    is anything that a comparison of columns sees.
    """
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return {
        name: ("WITHOUT ROWID" in sql, "AUTOINCREMENT" in sql)
        for name, sql in found
        if name not in {"alembic_version", "sqlite_sequence"}
    }


def test_it_opens_what_it_wrote(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    first.commit(FULL)
    first.close()
    second = Ledger(tmp_path)
    assert contents(second)["readings"] == 3
    second.close()


@pytest.mark.parametrize("name", ["a b", "50%", "100%25", "what?", "#1", "ทะเล"])
def test_writer_and_readers_open_the_same_file_whatever_its_folder_is_called(
    name: str, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / name)
    ledger.commit(FULL)
    readers = open_readers(tmp_path / name)
    with readers.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.readings)).scalar() == 3
    readers.dispose()
    ledger.close()
    assert (tmp_path / name / "ledger.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_reader_sees_what_is_committed_and_writes_nothing(ledger: Ledger) -> None:
    readers = open_readers(ledger.folder)
    with readers.connect() as connection:
        for statement in (
            "INSERT INTO meta VALUES ('a', 'b')",
            "DELETE FROM readings",
            "CREATE TABLE more (x)",
        ):
            with pytest.raises(OperationalError, match="readonly"):
                connection.exec_driver_sql(statement)
    ledger.commit(FULL)
    with readers.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.readings)).scalar() == 3
    readers.dispose()


def test_one_process_at_a_time_writes_in_a_folder(ledger: Ledger) -> None:
    with pytest.raises(StartError, match="another Andaman runs on this folder; stop it or choose"):
        Ledger(ledger.folder)
    ledger.commit(FULL)


def test_a_folder_is_free_again_when_it_is_closed_or_could_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"rubbish" * 1000)
    for _ in range(2):
        with pytest.raises(StartError, match="file is not a database; free space or restore"):
            Ledger(tmp_path)
    (tmp_path / "ledger.db").unlink()
    Ledger(tmp_path).close()
    Ledger(tmp_path).close()


def test_it_does_not_touch_what_a_newer_andaman_wrote(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StartError, match="was written by a newer Andaman; install that one"):
        Ledger(tmp_path)


def test_its_folder_is_its_owners_alone(ledger: Ledger) -> None:
    assert ledger.folder.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_refuses_the_batch_and_the_next_one_after_it_is_stored(ledger: Ledger) -> None:
    ledger.commit(FULL)
    many = [(0, NOW + 10 + n, float(n), Flag.GOOD) for n in range(2000)]
    size = (ledger.folder / "ledger.db-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(
                StorageError, match=r"data: (disk I/O error|database or disk is full)"
            ):
                ledger.commit(batch(*many))
        assert contents(ledger)["readings"] == 3
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    ledger.commit(batch(*many))
    assert contents(ledger)["readings"] == 2003


def test_the_newest_migration_is_the_one_that_alembic_would_take(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()
