"""Hops 2 to 6: one batch, one transaction, then ack.

    messages ─ gather ─▶ rows ─ arrange ─▶ columns ─ quality.check ─▶ engine.on_batch
                 │                 │                                        │
                 └── quarantine ───┴────────▶ ledger.commit ◀───────────────┘
                                                   │
                                              acknowledge

A batch that fails in the ledger changed nothing here either: it can be settled again whole.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from core.configuration import Configuration
from core.errors import DecodeError
from core.model import (
    DAY,
    MINUTE,
    Columns,
    Counts,
    IntColumn,
    Message,
    Outcome,
    Quarantined,
    Reading,
    Refusal,
    Series,
)
from core.settings import Settings
from ingest.decode import decode, gateway_of
from ingest.quality import QualitySettings, Tails, check
from ingest.registry import Registry
from storage.ledger import Batch, Ledger
from storage.lines import LineParts, encode_readings, encode_transitions

log = logging.getLogger(__name__)

_gateway_of = lru_cache(4096)(gateway_of)
_EMPTY = np.empty(0, np.int64)


class Judge(Protocol):
    """What the pipeline asks of the rule engine (`alerts.engine.Engine`)."""

    def add_series(self, series: Sequence[Series]) -> None: ...
    def on_batch(self, columns: Columns) -> Outcome: ...
    def on_tick(self, now: int) -> Outcome: ...
    def on_resume(self, at: int) -> Outcome: ...
    def accept(self, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class Rows:
    """The readings of a batch as they came, one entry in each list; `source` is the message."""

    source: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    measured_at: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Refusals:
    """What is refused, grouped by message and reason: the first detail, and how many items."""

    messages: Sequence[Message]
    found: dict[tuple[int, Refusal], tuple[str, int]] = field(default_factory=dict)

    def add(self, source: int, reason: Refusal, detail: str) -> None:
        """Refuse one item of the message `source`."""
        first, items = self.found.get((source, reason), (detail, 0))
        self.found[source, reason] = (first, items + 1)

    def quarantined(self) -> list[Quarantined]:
        """One entry for each message and reason, in order of arrival."""
        return [
            _quarantined(self.messages[source], reason, detail, items)
            for (source, reason), (detail, items) in sorted(self.found.items())
        ]


class Pipeline:
    """Settles messages; called from one thread only, which owns the ledger."""

    def __init__(
        self,
        configuration: Configuration,
        settings: Settings,
        ledger: Ledger,
        engine: Judge,
        *,
        clock: Callable[[], int],
    ) -> None:
        """`clock` stamps what is recorded, µs UTC."""
        self.registry = Registry(configuration, ledger.series())
        self._max_age = settings.max_age_days * DAY
        self._max_ahead = settings.max_ahead_minutes * MINUTE
        self._forwards = bool(settings.influx_url)
        self._ledger = ledger
        self._engine = engine
        self._clock = clock
        self._hearing = False
        self._resuming: int | None = None  # since then we hear, but the ledger has not taken it yet
        self._heard = 0  # received_at of the last message, or the last tick that changed something
        newest = {row[0]: row[1] for row in ledger.latest()}
        self._tails = Tails.of(len(self.registry.series), newest)
        self._spans = QualitySettings.of(self.registry.series)
        self._parts = LineParts.of(self.registry.series)
        engine.add_series(self.registry.series)

    def settle(self, messages: Sequence[Message]) -> None:
        """Store what the messages say, judge it, and keep what was refused, in one transaction.

        Raises:
            StorageError: nothing was stored; call again with the same messages.
        """
        self._resume()
        refusals = Refusals(messages)
        rows = self._gather(messages, refusals)
        self._grow()
        received_at = self._in_order(np.array([m.received_at for m in messages], np.int64))
        columns, duplicates = self._arrange(rows, received_at, refusals)
        columns = check(columns, self._spans)
        outcome = self._engine.on_batch(columns)
        quarantined = refusals.quarantined()
        refused = sum(q.items for q in quarantined)
        counts = Counts(
            received=len(columns) + duplicates + refused,
            stored=len(columns),
            duplicate=duplicates,
            quarantined=refused,
        )
        self._commit(columns, counts, quarantined, outcome)
        self._heard = int(received_at.max(initial=self._heard))

    def quarantine(self, message: Message, detail: str) -> None:
        """Keep a message that no code of ours could settle, so that it stops no other."""
        refused = _quarantined(message, Refusal.INTERNAL_ERROR, detail, 1)
        counts = Counts(received=1, quarantined=1)
        self._commit(_columns(), counts, [refused], self._nothing())

    def tick(self, now: int) -> None:
        """Let time pass for the rules, but only while we can hear: our deafness proves nothing."""
        self._resume()
        if self._hearing:
            outcome = self._engine.on_tick(now)
            if outcome.transitions or outcome.states:
                self._commit(_columns(), Counts(), [], outcome, ticked_at=now)
                self._heard = max(self._heard, now)

    def connected(self, at: int) -> None:
        """The broker's session is up: silence counts from here."""
        self._resuming = at
        self._resume()

    def disconnected(self) -> None:
        """The broker is gone: what we do not hear proves nothing."""
        self._hearing, self._resuming = False, None

    def _resume(self) -> None:
        """Before anything else happens: when the ledger refuses, whatever comes next tries again."""
        at = self._resuming
        if at is not None:
            self._commit(_columns(), Counts(), [], self._engine.on_resume(at), resumed_at=at)
            self._hearing, self._resuming = True, None

    def _gather(self, messages: Sequence[Message], refusals: Refusals) -> Rows:
        rows = Rows()
        devices = self.registry.devices
        for source, message in enumerate(messages):
            try:
                gateway = _gateway_of(message.topic)
                readings = decode(message)
            except DecodeError as error:
                refusals.add(source, error.reason, error.detail)
                continue
            for reading in readings:
                device, parameter, measured_at, value, unit = reading
                known = devices.get(device)
                series = known.series.get(parameter) if known is not None else None
                if series is None or known is None or known.gateway != gateway or unit is not None:
                    series = self._place(reading, gateway, source, refusals)
                    if series is None:
                        continue
                rows.source.append(source)
                rows.series.append(series)
                rows.measured_at.append(measured_at)
                rows.value.append(value)
        return rows

    def _place(self, reading: Reading, gateway: str, source: int, refusals: Refusals) -> int | None:
        """The series of a reading off the beaten track, or None when it is refused."""
        refusal = self.registry.refuse(reading, gateway)
        if refusal is not None:
            refusals.add(source, *refusal)
            return None
        found = self.registry.devices[reading.device].series.get(reading.parameter)
        return self.registry.bear(reading.device, reading.parameter) if found is None else found

    def _in_order(self, stamps: IntColumn) -> IntColumn:
        """When the messages were received; after the last tick, whose time can be ahead of a
        message that waited: a replay goes by what is stored.
        """
        return np.maximum(stamps, self._heard + 1 + np.arange(len(stamps)))

    def _grow(self) -> None:
        """Make room for series that were born in this batch."""
        count = len(self._tails.measured_at)
        born = self.registry.series[count:]
        if born:
            self._tails = self._tails.grown(len(self.registry.series))
            self._spans = QualitySettings.of(self.registry.series)
            self._parts = LineParts.of(self.registry.series)
            self._engine.add_series(born)

    def _arrange(
        self, rows: Rows, received_at: IntColumn, refusals: Refusals
    ) -> tuple[Columns, int]:
        """The rows to store, sorted by series and arrival, and how many were duplicates."""
        source = np.array(rows.source, np.int64)
        measured_at = np.array(rows.measured_at, np.int64)
        columns = replace(
            _columns(len(source)),
            series=np.array(rows.series, np.int64),
            measured_at=measured_at,
            received_at=received_at[source],
            value=np.array(rows.value, np.float64),
        )
        kept = self._in_time(columns, source, refusals)
        kept = kept[np.argsort(columns.series[kept], kind="stable")]
        columns, source = columns.take(kept), source[kept]
        disordered = _not_after(columns, self._tails)
        if not len(disordered):
            return columns, 0
        return self._sift(columns, source, disordered, refusals)

    def _in_time(self, columns: Columns, source: IntColumn, refusals: Refusals) -> IntColumn:
        age = columns.received_at - columns.measured_at
        for row in np.flatnonzero(age > self._max_age):
            detail = f"more than {self._max_age // DAY} days old"
            refusals.add(int(source[row]), Refusal.TIME_TOO_OLD, detail)
        for row in np.flatnonzero(-age > self._max_ahead):
            detail = f"more than {self._max_ahead // MINUTE} minutes ahead"
            refusals.add(int(source[row]), Refusal.TIME_IN_FUTURE, detail)
        return np.flatnonzero((age <= self._max_age) & (-age <= self._max_ahead))

    def _sift(
        self, columns: Columns, source: IntColumn, disordered: IntColumn, refusals: Refusals
    ) -> tuple[Columns, int]:
        """The slow, exact way for series whose readings did not come in order: find duplicates,
        conflicts and late readings one by one.
        """
        newest = {int(s): int(self._tails.measured_at[s]) for s in disordered}
        rows = np.flatnonzero(np.isin(columns.series, disordered)).tolist()
        keys = {r: (int(columns.measured_at[r]), int(columns.series[r])) for r in rows}
        old = [(at, series) for at, series in keys.values() if at <= newest[series]]
        seen = self._ledger.values_at(old)
        late = columns.late.copy()
        keep = np.ones(len(columns), np.bool_)
        duplicates = 0
        for row in rows:
            at, series = key = keys[row]
            value = float(columns.value[row])
            if key not in seen:
                seen[key] = value
                late[row] = at <= newest[series]
                newest[series] = max(at, newest[series])
                continue
            keep[row] = False
            if seen[key] == value:
                duplicates += 1
            else:
                detail = f"{seen[key]!r} is stored for that time, {value!r} came"
                refusals.add(int(source[row]), Refusal.CONFLICT, detail)
        return replace(columns, late=late).take(np.flatnonzero(keep)), duplicates

    def _commit(
        self,
        columns: Columns,
        counts: Counts,
        quarantined: Sequence[Quarantined],
        outcome: Outcome,
        *,
        resumed_at: int | None = None,
        ticked_at: int | None = None,
    ) -> None:
        born, newest = tuple(self.registry.newborn), columns.newest()
        points, lines = 0, b""
        if self._forwards:
            points, lines = encode_readings(columns, self._parts)
            told, more = encode_transitions(outcome.transitions)
            points, lines = points + told, b"\n".join(filter(None, (lines, more)))
        batch = Batch(
            recorded_at=self._clock(),
            columns=columns,
            newest=newest,
            new_series=born,
            quarantined=quarantined,
            transitions=outcome.transitions,
            states=outcome.states,
            counts=counts,
            points=points,
            lines=lines,
            resumed_at=resumed_at,
            ticked_at=ticked_at,
        )
        self._ledger.commit(batch)
        self.registry.committed(born)
        self._tails = self._tails.moved(columns, newest)
        self._engine.accept(outcome)

    def _nothing(self) -> Outcome:
        return self._engine.on_batch(_columns())


def _columns(count: int = 0) -> Columns:
    zeros = np.zeros(count, np.int64)
    return Columns(
        series=zeros,
        measured_at=zeros,
        received_at=zeros,
        value=np.zeros(count),
        flag=np.zeros(count, np.uint8),
        tests=np.zeros(count, np.uint32),
        late=np.zeros(count, np.bool_),
    )


def _not_after(columns: Columns, tails: Tails) -> IntColumn:
    """The series with a reading that is not newer than the one before it."""
    series, at = columns.series, columns.measured_at
    before = tails.measured_at[series]
    same = series[1:] == series[:-1]
    before[1:][same] = at[:-1][same]
    return np.unique(series[at <= before])


def _quarantined(message: Message, reason: Refusal, detail: str, items: int) -> Quarantined:
    topic = message.topic.decode("utf-8", "replace")
    try:
        gateway = _gateway_of(message.topic)
    except DecodeError:
        gateway = ""
    return Quarantined(
        received_at=message.received_at,
        gateway=gateway,
        topic=topic,
        reason=reason,
        detail=detail,
        payload=message.payload,
        items=items,
    )
