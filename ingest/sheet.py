"""A CSV file as readings: which columns hold the time, the device and the quantities.

The file is read in blocks of rows; a block's cells become numbers together. A cell that cannot be
read is a problem with file and line and no reading; an empty one is a reading that is missing.
"""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from core.catalogue import CATALOGUE
from core.errors import ConfigError
from core.readings import FloatColumn, IntColumn
from ingest.sheet_times import UNREADABLE, Clock, Order, ZonelessError, order_of
from ingest.units import IDENTITY, Linear, UnknownUnitError, conversion

BLOCK = 20_000  # rows read at a time
SHOWN_PROBLEMS = 20  # lines of words; the others are counted
MISSING = frozenset({"", "-", "na", "n/a", "nan", "none", "null"})

Row: TypeAlias = Sequence[str]
OnProgress: TypeAlias = Callable[[int], object]


class Channel(NamedTuple):
    """A column of the file: the parameter that it holds, in which unit, and of which device;
    `device` None is the one of the row.
    """

    column: str
    parameter: str
    unit: str
    device: str | None = None

    @staticmethod
    def of(text: str) -> "Channel":
        """`COL=parameter[:unit][@device]`.

        >>> Channel.of("Water Temp=water_temperature:[degF]@probe-1").unit
        '[degF]'

        Raises:
            ConfigError: it is written otherwise, or names what the catalogue does not have.
        """
        column, equals, rest = text.rpartition("=")
        meant, _, device = rest.partition("@")
        parameter, _, unit = meant.partition(":")
        if not (equals and column and parameter):
            raise ConfigError([f"{text}: write COLUMN=parameter, as in 'PM2.5=pm25:ug/m3@roof'"])
        if parameter not in CATALOGUE:
            words = f"parameter {parameter} is not in the catalogue; see docs/parameters.md"
            raise ConfigError([f"{text}: {words}"])
        channel = Channel(column, parameter, unit or CATALOGUE[parameter].unit, device or None)
        try:
            channel.conversion()
        except UnknownUnitError as error:
            raise ConfigError([f"{text}: {error}"]) from error
        return channel

    def conversion(self) -> Linear:
        """Into the catalogue's unit.

        Raises:
            UnknownUnitError: there is no way.
        """
        return conversion(self.unit, CATALOGUE[self.parameter].unit, self.parameter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read a file: the columns that together say the time, the column or else the name of
    the device, the channels, and the zone of times that name none.
    """

    time: Sequence[str]
    device: str | None
    channels: Sequence[Channel]
    zone: ZoneInfo | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file says, in no particular order but that of each series' own rows: `series` counts
    in `names` (device, parameter), `measured_at` is µs, `value` in the catalogue's unit and NaN
    where it is missing. Of `unreadable` cells the first few have a line in `problems`.
    """

    names: Sequence[tuple[str, str]]
    series: IntColumn
    measured_at: IntColumn
    value: FloatColumn
    problems: Sequence[str]
    unreadable: int


class _Plan(NamedTuple):
    """A layout whose columns were found: their places in a row."""

    time: Sequence[int]
    device: int | None
    everywhere: str
    channels: Sequence[tuple[int, Channel]]
    width: int  # the cells that a row must have


@dataclass(slots=True)
class _Found:
    """What has been read so far."""

    path: Path
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    series: list[IntColumn] = field(default_factory=list)
    measured_at: list[IntColumn] = field(default_factory=list)
    value: list[FloatColumn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0

    def complain(self, problems: Iterable[tuple[int, str]]) -> None:
        for line, words in sorted(problems):
            self.unreadable += 1
            if len(self.problems) < SHOWN_PROBLEMS:
                self.problems.append(f"{self.path}:{line}: {words}")

    def index(self, device: str, parameter: str) -> int:
        return self.names.setdefault((device, parameter), len(self.names))

    def sheet(self) -> Sheet:
        return Sheet(
            names=list(self.names),
            series=np.concatenate([np.empty(0, np.int64), *self.series]),
            measured_at=np.concatenate([np.empty(0, np.int64), *self.measured_at]),
            value=np.concatenate([np.empty(0), *self.value]),
            problems=self.problems,
            unreadable=self.unreadable,
        )


def read(path: Path, layout: Layout, progress: OnProgress = lambda _: None) -> Sheet:
    """The readings of `path`, plain or packed by gzip; `progress` hears how many bytes are done.

    Raises:
        ConfigError: the file cannot be read, or has not what the layout names.
    """
    with _opened(path) as (text, place):
        rows = csv.reader(text, strict=True)
        plan, found = _plan(path, next(rows, []), layout), _Found(path)
        clock = Clock(layout.zone, lambda: _order(path, plan.time))
        while block := [(rows.line_num, row) for row in islice(rows, BLOCK)]:
            _take(block, plan, clock, found)
            progress(place())
        return found.sheet()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[io.TextIOWrapper, Callable[[], int]]]:
    """The text of a file, and how far into its bytes we are."""
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            data = gzip.GzipFile(fileobj=raw) if packed else raw
            with io.TextIOWrapper(data, "utf-8-sig", newline="") as text:
                yield text, raw.tell
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror or error}"]) from error
    except (EOFError, zlib.error) as error:
        raise ConfigError([f"{path}: the packed file is damaged: {error}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8; save it as UTF-8"]) from error
    except ZonelessError as error:
        words = f"the time {error} names no zone; say with --tz which it is"
        raise ConfigError([f"{path}: {words}"]) from error
    except csv.Error as error:
        raise ConfigError([f"{path}: is no CSV: {error}"]) from error


def _plan(path: Path, header: Row, layout: Layout) -> _Plan:
    """Where the layout's columns are.

    Raises:
        ConfigError: one is not there, or is there twice.
    """
    names = [name.strip() for name in header]
    wanted = [*layout.time, *(channel.column for channel in layout.channels)]
    if layout.device in names:
        wanted.append(layout.device)
    problems = [
        f"{path}:1: has {names.count(name) or 'no'} columns {name}; it has {', '.join(names)}"
        for name in dict.fromkeys(wanted)
        if names.count(name) != 1
    ]
    homeless = [c.column for c in layout.channels if not (c.device or layout.device)]
    problems += [f"{path}: say with --device whose {column} is" for column in homeless]
    if problems:
        raise ConfigError(problems)
    return _Plan(
        [names.index(name) for name in layout.time],
        names.index(layout.device) if layout.device in names else None,
        layout.device or "",
        [(names.index(channel.column), channel) for channel in layout.channels],
        width=1 + max(names.index(name) for name in wanted),
    )


def _take(block: Sequence[tuple[int, Row]], plan: _Plan, clock: Clock, found: _Found) -> None:
    """Read the rows of one block, each with the number of its line."""
    short = [(line, row) for line, row in block if len(row) < plan.width]
    problems = [(line, "the row is cut short") for line, row in short if row]
    if short:
        block = [(line, row) for line, row in block if len(row) >= plan.width]
    rows = [row for _, row in block]
    times, words = clock.micros([" ".join(cells) for cells in _cells(rows, *plan.time)])
    devices = _devices(rows, plan)
    readable = times != UNREADABLE
    holds = np.zeros(len(rows), np.bool_)
    for place, channel in plan.channels:
        cells = [cell for (cell,) in _cells(rows, place)]
        values = _numbers(cells, channel.conversion())
        strange = np.isinf(values)
        for row in np.flatnonzero(strange).tolist():
            text = f"{channel.column}: {cells[row]:.40} is no number"
            problems.append((block[row][0], text))
        good = readable & ~strange
        found.series.append(_series(devices, channel, found)[good])
        found.measured_at.append(times[good])
        found.value.append(values[good])
        holds |= ~np.isnan(values)
    lost = np.flatnonzero(holds & ~readable).tolist()
    problems += [(block[row][0], words[row]) for row in lost]
    found.complain(problems)


def _cells(rows: Sequence[Row], *places: int) -> Iterable[Row]:
    """Of each row the cells at these places."""
    columns = [map(itemgetter(place), rows) for place in places]
    return zip(*columns, strict=True)


def _devices(rows: Sequence[Row], plan: _Plan) -> Sequence[str]:
    if plan.device is None:
        return [plan.everywhere] * len(rows)
    return [cell.strip() for (cell,) in _cells(rows, plan.device)]


def _series(devices: Sequence[str], channel: Channel, found: _Found) -> IntColumn:
    """The series of each row."""
    if channel.device:
        return np.full(len(devices), found.index(channel.device, channel.parameter), np.int64)
    places = {name: found.index(name, channel.parameter) for name in dict.fromkeys(devices)}
    return np.array([places[name] for name in devices], np.int64)


def _numbers(cells: Sequence[str], convert: Linear) -> FloatColumn:
    """The values: NaN where one is missing, infinite where it cannot be read."""
    try:
        numbers = list(map(float, cells))
        if "_" in "".join(cells):  # Python's own way to write a million
            numbers = list(map(_number, cells))
    except ValueError:
        numbers = list(map(_number, cells))
    if convert is not IDENTITY:
        numbers = [convert(number) for number in numbers]
    return np.array(numbers, np.float64)


def _number(cell: str) -> float:
    text = cell.strip().lower()
    if text in MISSING:
        return math.nan
    try:
        return math.inf if "_" in text else float(text)
    except ValueError:
        return math.inf


def _order(path: Path, time: Sequence[int]) -> Order:
    """Whether the dates of this file put the month or the day first."""
    with _opened(path) as (text, _):
        rows = (row for row in csv.reader(text) if len(row) > max(time))
        return order_of(" ".join(cells) for cells in ([row[p] for p in time] for row in rows))
