"""The stored past through the engine again: what the rules said then, or what others would say.

The engine is a pure function of what came to it, and the ledger keeps all of that: the readings
with the moment when each was received, the moments when hearing resumed, and the ticks that changed
something (a tick that changed nothing may be left out). In that order, with the same rules, they
bring about the same transitions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace as changed

import numpy as np

from alerts.engine import Engine
from core.model import BoolColumn, Columns, IntColumn, Outcome, Series, Transition


def replay(
    engine: Engine,
    series: Sequence[Series],
    past: Iterable[Columns],
    *,
    resumptions: Iterable[int] = (),
    ticks: Iterable[int] = (),
) -> Iterator[Transition]:
    """The transitions that the past brings about in a fresh `engine`.

    `past` comes in chunks of any size, its rows in order of `received_at` and, within one message,
    of `measured_at`; `late` is found out here. `resumptions` and `ticks` are µs: what was received
    at the moment of a resumption came after it, what was received at that of a tick before it.
    """
    engine.add_series(series)
    newest = np.full(len(series), np.iinfo(np.int64).min)
    moments = sorted([(at, False) for at in resumptions] + [(at, True) for at in ticks])
    for chunk in past:
        rest = chunk
        while len(rest):
            place = _place(rest, *moments[0]) if moments else len(rest)
            batch = _batch(rest.take(slice(place)), newest)
            yield from _accepted(engine, engine.on_batch(batch))
            rest = rest.take(slice(place, None))
            if len(rest):
                yield from _let_pass(engine, *moments.pop(0))
    for moment in moments:
        yield from _let_pass(engine, *moment)


def _place(columns: Columns, at: int, is_tick: bool) -> int:
    """How many rows came before that moment."""
    return int(np.searchsorted(columns.received_at, at, "right" if is_tick else "left"))


def _let_pass(engine: Engine, at: int, is_tick: bool) -> Sequence[Transition]:
    return _accepted(engine, engine.on_tick(at) if is_tick else engine.on_resume(at))


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
