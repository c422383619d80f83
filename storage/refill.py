"""Fills an InfluxDB that was added, or replaced, from the ledger: readings first, then revisions,
since what it has of an earlier time may still show a flag that is good by now; then transitions.

It goes on where it stopped, in the ledger's own order, and writes nothing but the outflow.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, func, select, tuple_

from core.alerts import Mark, Reason, Severity, State, Transition
from core.readings import Columns, Revision
from core.registry import Series
from core.verdicts import Judged
from storage import schema
from storage.ledger import Ledger
from storage.lines import LineParts, encode_readings, encode_revisions, encode_transitions
from storage.quality import columns_from
from storage.verdicts import verdicts

CHUNK = 5000
_FACT = "refill"


def begin(ledger: Ledger, target: str) -> None:
    """Note what an InfluxDB that is new to the ledger has to be told of: the readings that are
    there by now. What comes from now on is forwarded as it comes; without a `target` it is not, and
    whatever InfluxDB comes next needs the past again.

    Call it before anything is settled.
    """
    if json.loads(ledger.meta(_FACT) or "{}").get("target", "") != target:
        ((newest,),) = ledger.read(select(func.max(schema.readings.c.measured_at)))
        done = {
            "target": target,
            "reading": [-(2**62), -1],
            "until": newest or 0,
            "revision": 0,
            "transition": 0,
            "complete": False,
        }
        ledger.set_meta({_FACT: json.dumps(done)})


def refill(ledger: Ledger, series: Sequence[Series]) -> bool:
    """Append the next chunk of what `begin` noted to the outflow; False when all is there.

    Call it on the ledger's thread.

    Raises:
        StorageError: nothing was appended.
    """
    done = json.loads(ledger.meta(_FACT) or "{}")
    if done["complete"]:
        return False
    columns, revised = _readings_after(ledger, done["reading"], done.get("until", 2**62)), []
    if not len(columns):
        revised = _revisions_after(ledger, done.get("revision", 0))
    if len(columns):
        points, lines = encode_readings(columns, LineParts.of(series))
        done["reading"] = [int(columns.measured_at[-1]), int(columns.series[-1])]
    elif revised:
        points, lines = encode_revisions((r for _, r in revised), LineParts.of(series))
        done["revision"] = revised[-1][0]
    else:
        found = _transitions_after(ledger, done["transition"])
        points, lines = encode_transitions((t for _, t in found), _judged(ledger, found))
        done["transition"] = found[-1][0] if found else done["transition"]
        done["complete"] = not found
    ledger.add_outflow(points, lines, {_FACT: json.dumps(done)})
    return not done["complete"]


def waiting(readers: Engine) -> int:
    """How many rows of outflow wait, so that a refill does not run ahead of InfluxDB."""
    with readers.connect() as connection:
        return connection.execute(select(func.count()).select_from(schema.outflow)).scalar_one()


def _readings_after(ledger: Ledger, place: list[int], until: int) -> Columns:
    c = schema.readings.c
    statement = (
        select(c.series, c.measured_at, c.received_at, c.value, c.flag, c.tests)
        .where(tuple_(c.measured_at, c.series) > tuple_(*place), c.measured_at <= until)
        .order_by(c.measured_at, c.series)
        .limit(CHUNK)
    )
    return columns_from(ledger.read(statement))


def _revisions_after(ledger: Ledger, number: int) -> list[tuple[int, Revision]]:
    table = schema.revisions
    statement = select(table).where(table.c.id > number).order_by(table.c.id).limit(CHUNK)
    return [(row.id, Revision(*row[1:])) for row in ledger.read(statement)]


def _transitions_after(ledger: Ledger, number: int) -> list[tuple[int, Transition]]:
    table = schema.transitions
    statement = select(table).where(table.c.id > number).order_by(table.c.id).limit(CHUNK)
    return [
        (
            row.id,
            Transition(
                alert=row.alert,
                rule=row.rule,
                version=row.version,
                subject=row.subject,
                site=row.site,
                before=State(row.before) if row.before else None,
                after=State(row.after),
                severity=Severity(row.severity),
                reason=Reason(row.reason),
                at=row.at,
                value=row.value,
                marks=tuple(Mark(mark) for mark in row.marks.split()),
            ),
        )
        for row in ledger.read(statement)
    ]


def _judged(ledger: Ledger, found: Sequence[tuple[int, Transition]]) -> Mapping[str, Judged]:
    """What their alerts are judged to be by now."""
    with ledger.transaction() as connection:
        return verdicts(connection, {transition.alert for _, transition in found})
