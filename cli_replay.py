"""`andaman replay`: history from a file, judged as if it came now."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

import replaying
from alerts.backtest import Label, Report, firings, labels_of, reports
from cli_reports import table_of
from cli_told import told
from core.errors import ConfigError
from core.readings import Flag
from core.times import from_micros
from ingest import sheet
from ingest.quality.table import objections
from ingest.sheet import Channel, Layout, Sheet
from replaying import Replayed

UNREADABLE_CELLS = 3  # exit code
SHOWN_SERIES = 40

commands = typer.Typer(name="andaman", add_completion=False, pretty_exceptions_enable=False)


@commands.callback()
def _andaman() -> None:
    """Watches the sea, the air and the waste bins of a coastal city."""


@commands.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header; it may be gzipped.")],
    *,
    time: Annotated[
        list[str], typer.Option(help="Column of the time; more than one are read together.")
    ],
    channels: Annotated[
        list[str],
        typer.Option("--map", help="COLUMN=parameter:unit@device; unit and device are optional."),
    ],
    device: Annotated[
        str | None, typer.Option(help="Column of the device, or the name of the only one.")
    ] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of times that name none.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Judge by the rules of this file or folder too.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV or JSON of what was truly wrong, to compare with.")
    ] = None,
) -> None:
    """Show which flags readings of the past get, and what rules say, as JSON lines.

    The lines are in order of time; a table on stderr sums them up. It exits with 1 when nothing
    could be replayed, and with 3 when some cells could not be read.

    Example: andaman replay beach.csv --time Measured --device Beach --map 'Temp=water_temperature'
    """
    with told():
        truth = _labels(labels)
        layout = Layout(time=time, device=device, channels=_channels(channels), zone=_zone(tz))
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
            with _bar(bars, "reading", file.stat().st_size if file.is_file() else None) as done:
                read = sheet.read(file, layout, done)
            with _bar(bars, "judging", len(read.value)) as done:
                replayed = replaying.replay(read, rules, done)
            with _bar(bars, "writing", None):
                for piece in replaying.lines(replayed):
                    typer.echo(piece, nl=False)
        for problem in read.problems:
            typer.echo(problem, err=True)
        console.print(_table(replayed, file))
        if replayed.rules and len(replayed.columns):
            console.print(table_of(_reports(replayed, truth)))
        console.print(_closing(replayed, read))
        raise typer.Exit(UNREADABLE_CELLS if read.unreadable else 0)


def main() -> None:
    """The console script, for this command alone."""
    commands()


def _reports(replayed: Replayed, labels: Sequence[Label] | None) -> list[Report]:
    """What each rule would have done from the first reading to the last."""
    start, end = (int(at) for at in replayed.columns.measured_at[[0, -1]])
    found = firings(replayed.transitions, end)
    return reports(replayed.rules, found, start, end, labels)


def _labels(file: Path | None) -> list[Label] | None:
    """Raises ConfigError: it cannot be read."""
    if file is None:
        return None
    try:
        return labels_of(file.name, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: cannot be read as text: {error}"]) from error


def _channels(texts: list[str]) -> list[Channel]:
    """What --map says.

    Raises:
        ConfigError: with every mistake.
    """
    channels, problems = [], []
    for text in texts:
        try:
            channels.append(Channel.of(text))
        except ConfigError as error:
            problems += [f"--map {problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return channels


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError([f"--tz {name} is no zone; write one such as Asia/Bangkok"]) from error


@contextmanager
def _bar(bars: Progress, words: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar that takes how much is done."""
    task = bars.add_task(words, total=total)
    yield lambda done: bars.update(task, completed=done)
    bars.update(task, total=1, completed=1)


def _table(replayed: Replayed, file: Path) -> Table:
    """What flags each series got, the most suspicious first."""
    series, columns = replayed.series, replayed.columns
    counts = np.zeros((len(series), 10), np.int64)
    np.add.at(counts, (columns.series, columns.flag), 1)
    bad = counts[:, Flag.SUSPECT] + counts[:, Flag.FAIL]
    table = Table(
        title=escape(str(file)), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.caption = " · ".join(f"{flag:d} {flag.name.lower().replace('_', ' ')}" for flag in Flag)
    table.add_column("device\nparameter", overflow="fold", min_width=17)
    for name in ("readings", *(f"flag\n{flag:d}" for flag in Flag)):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("tests that\nobjected", overflow="fold", min_width=20)
    shown = np.argsort(-bad / np.maximum(counts.sum(axis=1), 1), kind="stable")[:SHOWN_SERIES]
    for index in shown.tolist():
        figures = [counts[index].sum(), *(counts[index, flag] for flag in Flag)]
        table.add_row(
            f"{escape(series[index].device)}\n{series[index].parameter}",
            *(f"{figure:,}" for figure in figures),
            _objections(columns.tests[columns.series == index]),
        )
    if len(series) > SHOWN_SERIES:
        table.caption += f"\nand {len(series) - SHOWN_SERIES:,} more series"
    return table


def _objections(tests: NDArray[np.uint32]) -> str:
    """How often each test objected, the most frequent first."""
    sums: Counter[str] = Counter()
    for code, times in zip(*np.unique(tests, return_counts=True), strict=True):
        sums.update(dict.fromkeys(objections(int(code)), int(times)))
    return "\n".join(f"{name} {times:,}" for name, times in sums.most_common())


def _closing(replayed: Replayed, read: Sheet) -> str:
    columns = replayed.columns
    words = [f"{len(columns):,} readings of {len(replayed.series):,} series"]
    if len(columns):
        start, end = (from_micros(int(at)) for at in columns.measured_at[[0, -1]])
        words[0] += f", {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    sums = {
        "duplicates": replayed.duplicate.sum(),
        "in conflict": replayed.conflict.sum(),
        "changes of alerts": len(replayed.transitions),
        "cells that cannot be read": read.unreadable,
    }
    return "; ".join([*words, *(f"{count:,} {name}" for name, count in sums.items() if count)])
