"""Rules over the stored history, beside the system that runs: what would have fired."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import func, select

from alerts.backtest import Backtest, Label, firings, reports
from alerts.engine import Engine
from alerts.kinds.missing import Missing
from alerts.kinds.neighbours import Neighbours
from alerts.replay import replay, resumption, tick
from alerts.rules import Rule
from core.errors import BusyError, RegistryError
from core.readings import Columns
from core.registry import Series
from ingest.profiles import Profile
from ingest.registry import Registry
from ruling import RuleDesk
from storage import schema
from storage.clock import set_backs
from storage.quality import columns_from, on_arrival
from storage.registry import known

MOST_READINGS = 5_000_000
CHUNK = 20_000

_R = schema.readings.c


class Backtests:
    """One at a time, on the caller's thread: whoever writes the ledger does not wait for it."""

    def __init__(
        self,
        readers: Database,
        profiles: Mapping[str, Profile],
        desk: RuleDesk,
        lateness: int,
    ) -> None:
        self._readers = readers
        self._profiles = profiles
        self._desk = desk
        self._lateness = lateness
        self._busy = threading.Lock()

    def run(
        self,
        bodies: Sequence[Mapping[str, Any]],
        start: int,
        end: int,
        labels: Sequence[Label] | None = None,
    ) -> Backtest:
        """Judge the readings measured in [start, end), µs, by the rules in `bodies`, or by those
        that are in force. Each reading counts as heard when it was measured, with the flag that it
        had when it came.

        Raises:
            RegistryError: a rule is wrong, or the range holds too much.
            BusyError: another one runs.
        """
        if not self._busy.acquire(blocking=False):
            raise BusyError("Another backtest runs; try again when it is done.")
        try:
            return self._run(bodies, start, end, labels)
        finally:
            self._busy.release()

    def _run(
        self,
        bodies: Sequence[Mapping[str, Any]],
        start: int,
        end: int,
        labels: Sequence[Label] | None,
    ) -> Backtest:
        with self._readers.connect() as connection:
            rules = self._desk.trial(connection, bodies) if bodies else self._desk.book.rules
            s = schema.series.c
            stored = connection.execute(select(s.id, s.device, s.parameter).order_by(s.id))
            jumps = set_backs(connection)
            registry = Registry(known(connection), self._profiles, [tuple(r) for r in stored])
            within = _R.measured_at >= start, _R.measured_at < end
            count = int(connection.execute(select(func.count()).where(*within)).scalar_one())
        if count > MOST_READINGS:
            words = f"{count} readings are too many; ask for {MOST_READINGS} at the most"
            raise RegistryError("bad-parameter", "to", words)
        engine = Engine(rules, self._lateness)
        for heard, clock in jumps:
            engine.clock_set_back(heard, clock)
        engine.attend(registry.units())
        past = _readings(self._readers, start, end, _watched(rules, registry.series))
        told = replay(engine, registry.series, past, [resumption(start - 1, start - 1), tick(end)])
        found = firings(sorted(told, key=lambda transition: transition.at), end)
        return Backtest(
            readings=count,
            reports=reports([rule.id for rule in rules], found, start, end, labels),
            firings=found,
        )


def _watched(rules: Sequence[Rule], series: Sequence[Series]) -> list[int] | None:
    """The series that matter; None where all do, as signs of life."""
    if any(isinstance(rule.kind, Missing) for rule in rules):
        return None
    beside = {one.parameter for one in series for r in rules if _compares(r) and r.watches(one)}
    watched = [any(rule.watches(one) for rule in rules) for one in series]
    return [
        one.index
        for one, own in zip(series, watched, strict=True)
        if own or one.parameter in beside
    ]


def _compares(rule: Rule) -> bool:
    return isinstance(rule.kind, Neighbours)


def _readings(
    readers: Database, start: int, end: int, series: Sequence[int] | None
) -> Iterator[Columns]:
    r = schema.readings
    columns = (_R.series, _R.measured_at, _R.measured_at.label("received_at"), _R.value)
    statement = (
        select(*columns, on_arrival(r), on_arrival(r, "tests"))
        .where(_R.measured_at >= start, _R.measured_at < end)
        .order_by(_R.measured_at, _R.series)
    )
    wanted = None if series is None else set(series)
    with readers.connect() as connection:
        for part in connection.execute(statement).partitions(CHUNK):
            yield columns_from([row for row in part if wanted is None or row[0] in wanted])
