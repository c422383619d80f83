"""The past as a ledger keeps it, and what the rules make of it when they see it again.

`verify` holds a ledger to what Andaman promises of it: whole, every item counted once, and no alert
that the same rules would not raise again over the same readings.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from alerts.engine import Engine
from alerts.operations import OPERATIONS
from alerts.replay import Moment, became, done, replay, resumption, said, tick
from alerts.rule_files import meant
from alerts.rules import Rule
from core.alerts import BESIDE_RULES, Action, ActionKind
from core.errors import StartError
from core.readings import Columns
from core.registry import Series, Status, Unit, placed
from core.times import iso
from storage import schema
from storage.clock import set_backs
from storage.database import open_readers
from storage.quality import columns_from, on_arrival
from storage.units import unit_of

CHUNK = 5000  # readings


class Told(NamedTuple):
    """One transition, as much of it as a record and a replay both know."""

    before: str | None
    after: str
    reason: str
    severity: int
    at: int
    value: float


Episodes = Mapping[str, list[Told]]  # by alert


class Past:
    """Reads the ledger in `data` as it is at the first look, and nothing else."""

    def __init__(self, data: Path, lateness: int) -> None:
        self._readers = open_readers(data)
        self._connection = self._readers.connect()
        self._connection.exec_driver_sql("BEGIN")  # all that follows sees one moment
        self._lateness = lateness

    def close(self) -> None:
        """Let go of the ledger."""
        self._connection.close()
        self._readers.dispose()

    def rows(self, statement: Any) -> list[Any]:
        """What a select finds."""
        return list(self._connection.execute(statement))

    def recorded(self) -> Episodes:
        """The transitions in the ledger, those of one alert in their order; not those about the
        system itself, nor those that officers' idleness or a verdict brings: no rule says them.
        """
        c = schema.transitions.c
        found: dict[str, list[Told]] = {}
        columns = (c.alert, c.before, c.after, c.reason, c.severity, c.at, c.value)
        of_readings = and_(c.rule.not_in(OPERATIONS), c.reason.not_in(BESIDE_RULES))
        for alert, *told in self.rows(select(*columns).where(of_readings).order_by(c.id)):
            found.setdefault(alert, []).append(Told(*told))
        return found

    def replayed(self, chunk: int) -> tuple[Episodes, Engine]:
        """The transitions of a fresh engine over what is stored, and that engine."""
        engine, series = Engine([], self._lateness), self._series()
        for heard, clock in set_backs(self._connection):
            engine.clock_set_back(heard, clock)
        found: dict[str, list[Told]] = {}
        for t in replay(engine, series, self._readings(chunk), self.moments()):
            told = Told(t.before, t.after, t.reason, t.severity, t.at, t.value)
            found.setdefault(t.alert, []).append(told)
        return found, engine

    def moments(self) -> list[Moment]:
        """Everything that happened beside the readings."""
        resumed, ticks = schema.resumptions.c, schema.ticks.c
        return [
            *(resumption(since, at) for since, at in self.rows(select(resumed.since, resumed.at))),
            *(tick(at) for (at,) in self.rows(select(ticks.at))),
            *(said(Status(**row._mapping)) for row in self.rows(select(schema.statuses))),
            *self._changes(),
            *(done(_action(row), row.at) for row in self.rows(select(schema.actions))),
        ]

    def _readings(self, chunk: int) -> Iterator[Columns]:
        """Every stored reading in order of arrival, with its flag as it was then."""
        c, r = schema.readings.c, schema.readings
        flag, tests = on_arrival(r), on_arrival(r, "tests")
        statement = select(c.series, c.measured_at, c.received_at, c.value, flag, tests)
        rows = self._connection.execute(statement.order_by(c.received_at, c.measured_at))
        for part in rows.partitions(chunk):
            yield columns_from(part)

    def _series(self) -> list[Series]:
        """Every series, of devices that nobody has registered yet."""
        s = schema.series.c
        stored = self.rows(select(s.id, s.device, s.parameter).order_by(s.id))
        return [
            Series(index=index, device=device, parameter=parameter, site="", kind="", district="")
            for index, device, parameter in stored
        ]

    def _changes(self) -> list[Moment]:
        """When rules or devices were others, and what they were then."""
        v, u = schema.rule_versions, schema.units
        news: dict[int, list[Any]] = {}
        for row in self.rows(select(v).order_by(v.c.id)):
            news.setdefault(row.since, []).append(row)
        for row in self.rows(select(u).order_by(u.c.at)):
            news.setdefault(row.at, []).append(row)
        rules: dict[str, Rule] = {}
        units: dict[str, Unit] = {}
        found = []
        for at, rows in sorted(news.items()):
            before = _versions(rules), dict(units)
            for row in rows:
                if hasattr(row, "rule"):
                    _put(rules, row.rule, meant(row.meaning, row.version) if row.version else None)
                else:
                    _put(units, row.device, unit_of(row) if row.site else None)
            if (_versions(rules), units) != before:  # a new name alone is no news to rules
                places = [placed(one, units.get(one.device)) for one in self._series()]
                found.append(became(at, list(rules.values()), places, list(units.values())))
        return found


def _versions(rules: Mapping[str, Rule]) -> dict[str, str]:
    return {name: rule.version for name, rule in rules.items()}


def _put(known: dict[str, Any], key: str, now: Any) -> None:
    known.pop(key, None)
    if now is not None:
        known[key] = now


def _action(row: Any) -> Action:
    return Action(
        kind=ActionKind(row.kind),
        alert=row.alert,
        by=row.by,
        note=row.note,
        until=row.until,
        to=row.to,
    )


def verify(data: Path, lateness: int) -> list[str]:
    """What is wrong with the ledger in `data`, a line each; `lateness` (µs) as the rules had it.

    Raises:
        StartError: there is none, or it cannot be read at all.
    """
    past = Past(data, lateness)
    try:
        return [*_broken(past), *_miscounted(past), *_misjudged(past)]
    except SQLAlchemyError as error:
        raise StartError(f"{data}: {getattr(error, 'orig', None) or error}") from error
    finally:
        past.close()


def _broken(past: Past) -> Iterator[str]:
    """What SQLite itself finds."""
    for (words,) in past.rows(text("PRAGMA integrity_check")):
        if words != "ok":
            yield f"the file is damaged: {words}"


def _miscounted(past: Past) -> Iterator[str]:
    """Each item ends stored, duplicate or quarantined, and what is stored is there."""
    counted = dict(past.rows(select(schema.counters.c.name, schema.counters.c.value)))
    names = ("received", "stored", "duplicate", "quarantined")
    received, stored, duplicate, quarantined = (counted.get(name, 0) for name in names)
    if received != stored + duplicate + quarantined:
        words = f"{stored} stored, {duplicate} duplicate and {quarantined} quarantined"
        yield f"{received} items were received, but {words}"
    ((there,),) = past.rows(select(func.count()).select_from(schema.readings))
    if there != stored:
        yield f"{stored} readings were counted as stored, but {there} are there"


def _misjudged(past: Past) -> Iterator[str]:
    """Where the transitions on record, and the alerts' states, are not those of a replay."""
    recorded, (replayed, _) = past.recorded(), past.replayed(CHUNK)
    for alert in dict.fromkeys([*recorded, *replayed]):
        one, other = recorded.get(alert, []), replayed.get(alert, [])
        if one != other:
            yield f"alert {alert}: on record {_said(one)}; a replay says {_said(other)}"
    a = schema.alerts.c
    for alert, state in past.rows(select(a.id, a.state).where(a.rule.not_in(OPERATIONS))):
        if alert not in recorded or recorded[alert][-1].after != state:
            yield f"alert {alert}: it stands as {state}, but not by its newest transition"


def _said(told: list[Told]) -> str:
    return ", ".join(f"{t.reason} at {iso(t.at)} ({t.value:g})" for t in told) or "nothing"
