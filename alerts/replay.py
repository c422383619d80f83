"""The stored past through the engine again: what the rules said then, or what others would say.

The engine is a pure function of what came to it, and the ledger keeps all of that: the readings
with the moment when each was received, and the moments of everything else (resumptions, ticks
that changed something, what was said of gateways, what officers did, since when rules and devices
were what they were). In that order they bring about the same transitions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace as changed
from typing import NamedTuple

import numpy as np

from alerts.engine import Engine
from alerts.rules import Rule
from core.alerts import Action, Outcome, Transition
from core.readings import BoolColumn, Columns, IntColumn, no_columns
from core.registry import Series, Status, Unit


class Moment(NamedTuple):
    """Something other than a reading, after the readings that were received at that time (µs)."""

    at: int
    happen: Callable[[Engine], Outcome]


def resumption(since: int, at: int) -> Moment:
    """Nothing could be heard from `since` until `at`."""
    return Moment(at, lambda engine: engine.on_resume(since, at))


def tick(at: int) -> Moment:
    """The clock alone changed something."""
    return Moment(at, lambda engine: engine.on_tick(at))


def said(status: Status) -> Moment:
    """What was said of a gateway."""
    return Moment(status.at, lambda engine: engine.on_batch(no_columns(), [status]))


def done(action: Action, at: int) -> Moment:
    """What an officer did."""
    return Moment(at, lambda engine: engine.on_action(action, at))


def became(
    at: int,
    rules: Sequence[Rule] | None,
    series: Sequence[Series],
    units: Sequence[Unit] | None,
) -> Moment:
    """From then on these were the rules and the devices, where series stood; None: as before."""
    return Moment(at, lambda engine: engine.on_change(at, rules=rules, moved=series, units=units))


def replay(
    engine: Engine,
    series: Sequence[Series],
    past: Iterable[Columns],
    moments: Iterable[Moment] = (),
) -> Iterator[Transition]:
    """The transitions that the past brings about in a fresh `engine`, which knows already the
    rules and devices that no moment brings.

    `past` comes in chunks of any size, its rows in order of `received_at` and, within one message,
    of `measured_at`; `late` is found out here.
    """
    engine.add_series(series)
    newest = np.full(len(series), np.iinfo(np.int64).min)
    waiting = sorted(moments, key=lambda moment: moment.at)
    waiting.reverse()
    for chunk in past:
        rest = chunk
        while len(rest):
            place = len(rest)
            if waiting:
                place = int(np.searchsorted(rest.received_at, waiting[-1].at, "right"))
            batch = _batch(rest.take(slice(place)), newest)
            yield from _accepted(engine, engine.on_batch(batch))
            rest = rest.take(slice(place, None))
            if len(rest):
                yield from _accepted(engine, waiting.pop().happen(engine))
    while waiting:
        yield from _accepted(engine, waiting.pop().happen(engine))


def _accepted(engine: Engine, outcome: Outcome) -> Sequence[Transition]:
    engine.accept(outcome)
    return outcome.transitions


def _batch(columns: Columns, newest: IntColumn) -> Columns:
    """The rows as the engine takes them; `newest`, the time of each series' newest, moves on."""
    columns = columns.take(np.argsort(columns.series, kind="stable"))
    columns = changed(columns, late=_late(columns, newest))
    rows = columns.newest()
    newest[columns.series[rows]] = columns.measured_at[rows]
    return columns


def _late(columns: Columns, newest: IntColumn) -> BoolColumn:
    """Which rows, sorted by series, are not newer than what their series already had."""
    late = columns.measured_at <= newest[columns.series]
    # A key that grows with time and, whatever the time, from each series to the next: its running
    # maximum is the newest so far of the same series.
    _, rank = np.unique(columns.measured_at, return_inverse=True)
    key = columns.series * len(columns) + rank
    late[1:] |= key[1:] <= np.maximum.accumulate(key)[:-1]
    return late
