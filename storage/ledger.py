"""The store of record: one batch is one transaction, fsynced before anything is acknowledged.

`Ledger` is the only writer and is called from the pipeline thread alone.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError

from core.access import Role
from core.alerts import Action, Transition
from core.annotations import Review
from core.configuration import Configuration
from core.errors import StorageError
from core.messages import Counter, Counts, Progress, Quarantined, Range
from core.muting import Consequences
from core.readings import Columns, IntColumn, Revision
from core.registry import Device, Series, Status, Unit
from storage import gateways, notices, outflow, registry, schema
from storage.changes import Resolution, advance_review, note, putting, resolve, step_counters
from storage.database import FolderLock, open_writer
from storage.escalations import keep_escalations
from storage.held_back import keep_held_back
from storage.quality import (
    forget,
    keep_memory,
    memory,
    on_arrival,
    readings_within,
    revise,
)
from storage.registration import register
from storage.statuses import current, keep_statuses
from storage.transitions import keep_action, record
from storage.units import units
from storage.verdicts import keep_verdicts

PAYLOAD_LIMIT = 65_536
_INSERT_READINGS = (
    "INSERT INTO readings (measured_at, series, value, flag, tests, received_at) "
    "VALUES {} ON CONFLICT DO NOTHING"
)
_UPSERT_LATEST = (
    "INSERT INTO latest (series, measured_at, received_at, value, flag, tests) "
    "VALUES {} ON CONFLICT (series) DO UPDATE SET "
    "measured_at = excluded.measured_at, received_at = excluded.received_at, "
    "value = excluded.value, flag = excluded.flag, tests = excluded.tests"
)
_UPSERT_STATE = (
    "INSERT INTO engine_state (rule, subject, body) VALUES (?, ?, ?) "
    "ON CONFLICT (rule, subject) DO UPDATE SET body = excluded.body"
)
_FORGET_STATE = "DELETE FROM engine_state WHERE rule = ? AND subject = ?"
_LOOKUP_CHUNK = 400
_ROWS_AT_ONCE = 50
_HEARD = "heard"
_QUALITY = "quality_layout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction stores.

    `newest` holds the rows of `columns` that are their series' newest; `states` the engine's
    changed memory as JSON, None where it forgot; `lines` line protocol for the forwarder;
    `resumed` says since when nothing could be heard until when, `ticked_at` is when the clock
    alone changed something, `acted` what an officer did and when: a replay has to repeat them.
    `heard_at` is the moment up to which everything is settled. `tails` and `windows` are what the
    tests of quality remember, by series.
    """

    recorded_at: int
    columns: Columns
    counts: Counts
    newest: IntColumn = field(default_factory=lambda: np.empty(0, np.int64))
    new_series: Sequence[Series] = ()
    new_devices: Sequence[Device] = ()
    quarantined: Sequence[Quarantined] = ()
    transitions: Sequence[Transition] = ()
    states: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    points: int = 0
    lines: bytes = b""
    resumed: tuple[int, int] | None = None
    ticked_at: int | None = None
    acted: tuple[Action, int] | None = None
    heard_at: int = 0
    progress: Mapping[Counter, Progress] = field(default_factory=dict)
    resolution: Resolution | None = None
    review: Review | None = None
    statuses: Sequence[Status] = ()
    revisions: Sequence[Revision] = ()
    tails: Mapping[int, bytes] = field(default_factory=dict)
    windows: Mapping[int, bytes] = field(default_factory=dict)
    consequences: Consequences = field(default_factory=Consequences)


class Ledger:
    """The writing side of the ledger; every method is one transaction or a read of the writer."""

    def __init__(self, folder: Path) -> None:
        """Open `folder`, make or migrate the database.

        Raises:
            StartError: another process writes there, or it cannot be opened.
        """
        self.folder = folder
        self._lock = FolderLock(folder)
        try:
            self._connection = open_writer(folder)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Checkpoint by closing the last connection and let the next process in."""
        self._connection.close()
        self._connection.engine.dispose()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All of the block is stored, or nothing; within another transaction, with that one.

        Raises:
            StorageError: the database refused: disk full, locked, I/O error.
        """
        if self._connection.in_transaction():
            yield self._connection
            return
        try:
            with self._connection.begin():
                yield self._connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error
            raise StorageError(f"{self.folder}: {cause}") from error

    def commit(self, batch: Batch) -> None:
        """Store one batch.

        Raises:
            StorageError: nothing of the batch is stored; it may be tried again whole.
        """
        with self.transaction() as connection:
            store(connection, batch)

    def register(self, configuration: Configuration) -> Configuration:
        """Make the registry what the files say; all of it, with what was made by the API."""
        with self.transaction() as connection:
            register(connection, configuration)
            return registry.known(connection)

    def begun(self, since: int) -> tuple[dict[str, int], dict[str, int]]:
        """How many series each gateway has begun since then, and how many devices it brought."""
        with self.transaction() as connection:
            return registry.begun(connection, since)

    def series(self) -> list[tuple[int, str, str]]:
        """(index, device, parameter) of every series, by index."""
        table = schema.series
        return self.read(select(table.c.id, table.c.device, table.c.parameter).order_by(table.c.id))

    def latest(self) -> list[tuple[int, int, int, float, int]]:
        """(series, measured_at, received_at, value, flag on arrival) of each newest reading."""
        c, flag = schema.latest.c, on_arrival(schema.latest)
        return self.read(select(c.series, c.measured_at, c.received_at, c.value, flag))

    def quality_memory(self, version: str) -> tuple[list[Any], list[Any]]:
        """What the tests of quality remember: (block, bytes) of all tails, (series, bytes) of all
        windows; nothing when it was kept in another `version` of their layout.
        """
        if self.meta(_QUALITY) != version:
            with self.transaction() as connection:
                forget(connection)
                _set_meta(connection, {_QUALITY: version})
        with self.transaction() as connection:
            return memory(connection)

    def heard(self) -> int:
        """The moment up to which everything is settled, µs; 0 when nothing is."""
        return int(self.meta(_HEARD) or 0)

    def resumptions(self) -> list[tuple[int, int]]:
        """Since when nothing could be heard, and until when, each time."""
        c = schema.resumptions.c
        return [(since, at) for since, at in self.read(select(c.since, c.at).order_by(c.at))]

    def states(self) -> dict[tuple[str, str], str]:
        """What the engine remembers: (rule, subject) → JSON."""
        c = schema.engine_state.c
        return {
            (rule, subject): body
            for rule, subject, body in self.read(select(c.rule, c.subject, c.body))
        }

    def progress(self) -> dict[Counter, Progress]:
        """How far every counter is settled."""
        c = schema.progress.c
        rows = self.read(select(c.gateway, c.epoch, c.through, c.ahead, c.gap_since, c.lost))
        return {
            (gateway, epoch): Progress(
                through=through,
                ahead=tuple(Range(*pair) for pair in json.loads(ahead)),
                gap_since=since,
                lost=lost,
            )
            for gateway, epoch, through, ahead, since, lost in rows
        }

    def units(self) -> dict[str, Unit]:
        """The devices as rules see them, by their ids."""
        with self.transaction() as connection:
            return units(connection)

    def statuses(self) -> dict[str, Status]:
        """How each gateway is, as far as it ever said."""
        with self.transaction() as connection:
            return current(connection)

    def gateways(self) -> set[str]:
        """The ids of all gateways."""
        with self.transaction() as connection:
            return gateways.ids(connection)

    def values_at(self, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], float]:
        """The stored value at each (measured_at, series) that is already there."""
        c = schema.readings.c
        found: dict[tuple[int, int], float] = {}
        for start in range(0, len(keys), _LOOKUP_CHUNK):
            chunk = keys[start : start + _LOOKUP_CHUNK]
            wanted = tuple_(c.measured_at, c.series).in_(chunk)
            for at, series, value in self.read(
                select(c.measured_at, c.series, c.value).where(wanted)
            ):
                found[at, series] = value
        return found

    def readings_within(self, spans: Sequence[tuple[int, int, int]]) -> Columns:
        """The readings of each (series, from, to), µs, both included."""
        with self.transaction() as connection:
            return readings_within(connection, spans)

    def outflow_done(self, through: int) -> None:
        """Forget the outflow rows that InfluxDB has taken, up to and with `through`."""
        with self.transaction() as connection:
            connection.execute(delete(schema.outflow).where(schema.outflow.c.id <= through))

    def outflow_rejected(self, line: bytes, words: str, at: int) -> None:
        """Keep a point that InfluxDB refused, with the server's words."""
        with self.transaction() as connection:
            row = {"rejected_at": at, "line": line, "words": words[:1000]}
            connection.execute(insert(schema.rejected_points), row)

    def add_outflow(self, points: int, lines: bytes, meta: Mapping[str, str]) -> None:
        """Append points that were stored earlier, and note in `meta` how far that went."""
        with self.transaction() as connection:
            outflow.add(connection, points, lines)
            _set_meta(connection, meta)

    def meta(self, name: str) -> str | None:
        """A fact that the ledger keeps about itself."""
        found = self.read(select(schema.meta.c.value).where(schema.meta.c.name == name))
        return str(found[0][0]) if found else None

    def set_meta(self, facts: Mapping[str, str]) -> None:
        """Keep facts about the ledger itself."""
        with self.transaction() as connection:
            _set_meta(connection, facts)

    def add_key(
        self, key: str, digest: str, role: Role, owner: str, at: int, *, by: str = "andaman"
    ) -> None:
        """Keep a new key's hash, made by the key `by`."""
        row = {"id": key, "hash": digest, "role": role.value, "owner": owner, "created_at": at}
        with self.transaction() as connection:
            connection.execute(insert(schema.keys), row)
            note(connection, at, by, "key-made", key, f"{role} for {owner}")

    def revoke_key(self, key: str, at: int, *, by: str = "andaman") -> bool:
        """End a key now; False when there is no such key in force."""
        c = schema.keys.c
        with self.transaction() as connection:
            statement = update(schema.keys).where(c.id == key, c.revoked_at.is_(None))
            ended = connection.execute(statement.values(revoked_at=at)).rowcount == 1
            if ended:
                note(connection, at, by, "key-revoked", key)
            return ended

    def read(self, statement: Any) -> list[Any]:
        """The rows of a select, on the writer's own connection."""
        with self.transaction() as connection:
            return list(connection.execute(statement))


def store(connection: Connection, batch: Batch) -> None:
    """Store one batch within the caller's transaction."""
    registry.keep_approved(connection, batch.new_devices)
    if batch.new_series:
        fields = ("device", "parameter", "born_at")
        rows = [{"id": s.index} | _fields(s, *fields) for s in batch.new_series]
        connection.execute(insert(schema.series), rows)
    stored = _insert_readings(connection, batch.columns)
    _update_latest(connection, batch)
    revise(connection, batch.revisions)
    keep_memory(connection, batch.tails, batch.windows)
    if batch.quarantined:
        connection.execute(
            insert(schema.quarantine), [_quarantine_row(q) for q in batch.quarantined]
        )
    _save_states(connection, batch.states)
    recorded = [record(connection, t, batch.recorded_at) for t in batch.transitions]
    keep_held_back(connection, recorded, batch.consequences.mutes)
    keep_escalations(connection, batch.consequences.escalations)
    keep_verdicts(connection, batch.consequences.verdicts)
    notices.keep(connection, batch.consequences.planned)
    outflow.add(connection, batch.points, batch.lines)
    _note_moments(connection, batch)
    _keep_progress(connection, batch)
    keep_statuses(connection, batch.statuses)
    _count(connection, batch, stored)
    if batch.resolution is not None:
        resolve(connection, batch.resolution, batch.recorded_at)
    if batch.review is not None:
        advance_review(connection, batch.review, batch.recorded_at)


def _insert_readings(connection: Connection, columns: Columns) -> int:
    c = columns.take(np.lexsort((columns.series, columns.measured_at)))  # the key's own order
    values = c.measured_at, c.series, c.value, c.flag, c.tests, c.received_at
    return _put(connection, _INSERT_READINGS, values)


def _update_latest(connection: Connection, batch: Batch) -> None:
    c = batch.columns.take(batch.newest)
    _put(
        connection,
        _UPSERT_LATEST,
        (c.series, c.measured_at, c.received_at, c.value, c.flag, c.tests),
    )


def _put(connection: Connection, statement: str, columns: Sequence[Any]) -> int:
    """Run it with many rows at once, straight at the driver; how many it changed.

    Row by row takes twice as long, and lets go of the interpreter's lock each time.
    """
    driver: Any = connection.connection.driver_connection
    width, count, changed = len(columns), len(columns[0]), 0
    flat: list[Any] = [None] * (width * count)
    for place, column in enumerate(columns):
        flat[place::width] = column.tolist()
    row = f"({', '.join('?' * width)})"
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, count - start)
        values = flat[start * width : (start + rows) * width]
        with closing(driver.execute(statement.format(", ".join([row] * rows)), values)) as cursor:
            changed += cursor.rowcount
    return changed


def _save_states(connection: Connection, states: Mapping[tuple[str, str], str | None]) -> None:
    driver: Any = connection.connection.driver_connection
    kept = [(*key, body) for key, body in states.items() if body is not None]
    forgotten = [key for key, body in states.items() if body is None]
    for statement, rows in ((_UPSERT_STATE, kept), (_FORGET_STATE, forgotten)):
        if rows:
            driver.executemany(statement, rows).close()


def _keep_progress(connection: Connection, batch: Batch) -> None:
    rows = [
        {
            "gateway": gateway,
            "epoch": epoch,
            **_fields(progress, "through", "gap_since", "lost"),
            "ahead": json.dumps(progress.ahead),
            "heard_at": batch.recorded_at,
        }
        for (gateway, epoch), progress in batch.progress.items()
    ]
    if rows:
        connection.execute(putting(schema.progress), rows)


def _note_moments(connection: Connection, batch: Batch) -> None:
    """What a replay has to repeat beside the readings."""
    if batch.resumed is not None:
        since, at = batch.resumed
        row = {"since": since, "at": at}
        connection.execute(upsert(schema.resumptions).values(row).on_conflict_do_nothing())
    if batch.ticked_at is not None:
        row = {"at": batch.ticked_at}
        connection.execute(upsert(schema.ticks).values(row).on_conflict_do_nothing())
    if batch.acted is not None:
        keep_action(connection, *batch.acted)
    if batch.heard_at:
        _set_meta(connection, {_HEARD: str(batch.heard_at)})


def _count(connection: Connection, batch: Batch, stored: int) -> None:
    counts = batch.counts
    steps = {
        "received": counts.received,
        "stored": stored,
        "duplicate": counts.duplicate + len(batch.columns) - stored,
        "quarantined": counts.quarantined,
    }
    for refused in batch.quarantined:
        name = f"quarantined.{refused.reason}"
        steps[name] = steps.get(name, 0) + refused.items
    for transition in batch.transitions:
        name = f"transitions.{transition.after}"
        steps[name] = steps.get(name, 0) + 1
    step_counters(connection, steps)


def _quarantine_row(refused: Quarantined) -> dict[str, Any]:
    row = _fields(refused, "received_at", "gateway", "device", "topic", "detail", "items")
    payload = refused.payload
    return row | {
        "reason": refused.reason.value,
        "size": len(payload),
        "payload": payload if len(payload) <= PAYLOAD_LIMIT else payload[:4096],
    }


def _set_meta(connection: Connection, facts: Mapping[str, str]) -> None:
    rows = [{"name": name, "value": value} for name, value in facts.items()]
    if rows:
        connection.execute(putting(schema.meta), rows)


def _fields(noun: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in names}
