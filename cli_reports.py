"""What rules would have done, as a table for the terminal."""

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from alerts.backtest import Report
from core.times import SECOND


def table_of(reports: Sequence[Report]) -> Table:
    """A row for each rule; the columns about labels only where there are some."""
    table = Table("rule", box=box.SIMPLE_HEAD, pad_edge=False)
    labelled = any(one.agreement for one in reports)
    for name in ("fired", "a week", "median", "longest"):
        table.add_column(name, justify="right")
    for name in ("precision", "recall", "delay") if labelled else ():
        table.add_column(name, justify="right")
    for one in reports:
        cells = [f"{one.firings:,}", f"{one.per_week:.1f}", lasting(one.median)]
        cells.append(lasting(one.longest))
        if one.agreement is not None:
            cells += [share(one.agreement.precision), share(one.agreement.recall)]
            cells.append(lasting(one.agreement.delay))
        table.add_row(escape(one.rule), *cells)
    return table


def lasting(micros: int | None) -> str:
    """A time in µs as people read it.

    >>> lasting(90 * 60 * SECOND)
    '1:30:00'
    """
    if micros is None:
        return ""
    minutes, seconds = divmod(round(micros / SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def share(part: float | None) -> str:
    """A part of one in percent.

    >>> share(0.953), share(None)
    ('95%', '')
    """
    return "" if part is None else f"{part:.0%}"
