"""History through the very functions that judge what is live: a file in, flags and alerts out.

What a file says is taken to have come in order of time, each reading at the moment of its
measurement. A reading whose time its series already had is a duplicate, and has the first one's
flag; with another value it is in conflict, and is not evaluated: the first one stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from alerts import rule_files
from alerts.engine import Engine
from alerts.rules import Rule, Selection
from core import configuration
from core.alerts import Transition
from core.configuration import Configuration
from core.readings import BoolColumn, Columns, Flag, IntColumn, Revision
from core.registry import Series
from core.times import iso
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.state import State
from ingest.quality.table import objections
from ingest.sheet import Sheet

BATCH = 100_000  # readings judged at a time, lines written at a time

OnProgress = Callable[[int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Every reading of a file in order of time, those of one moment by series, with the flags as
    they stand at the end; `duplicate` and `conflict` mark those that a ledger would not keep.
    `rules` are those that watched.
    """

    series: Sequence[Series]
    columns: Columns
    duplicate: BoolColumn
    conflict: BoolColumn
    transitions: Sequence[Transition]
    rules: Sequence[str]


def replay(
    sheet: Sheet, rules: Path | None = None, progress: OnProgress = lambda _: None
) -> Replayed:
    """Judge what a file says; `progress` hears how many readings are done.

    Raises:
        ConfigError: the rules have mistakes.
    """
    city = _city_beside(rules)
    series = _series(sheet, city)
    placed = _placed(rule_files.load_at(rules, city), series) if rules else ()
    engine = Engine(placed, 0)
    engine.add_series(series)
    columns, duplicate, conflict = _in_order(sheet)
    judged = np.flatnonzero(~(duplicate | conflict | np.isnan(columns.value)))
    flag, tests = columns.flag.copy(), columns.tests.copy()
    transitions: list[Transition] = []
    settings, state = QualitySettings.of(series), State(len(series))
    start = 0
    while start < len(judged):
        end = _end_of_moment(columns.measured_at[judged], start + BATCH)
        rows = judged[start:end]
        rows = rows[np.argsort(columns.series[rows], kind="stable")]
        checked = check(columns.take(rows), state, settings)
        state.accept(checked.moved)
        outcome = engine.on_batch(checked.columns)
        engine.accept(outcome)
        transitions += outcome.transitions
        flag[rows], tests[rows] = checked.columns.flag, checked.columns.tests
        for revision in checked.revisions:
            row = _row(columns, revision)
            flag[row], tests[row] = revision.flag, revision.tests
        progress(end)
        start = end
    first = _first(columns)
    flag[duplicate], tests[duplicate] = flag[first[duplicate]], tests[first[duplicate]]
    return Replayed(
        series=series,
        columns=replace(columns, flag=flag, tests=tests),
        duplicate=duplicate,
        conflict=conflict,
        transitions=sorted(transitions, key=lambda transition: transition.at),
        rules=[rule.id for rule in placed],
    )


class ReadingLine(msgspec.Struct, tag_field="type", tag="reading"):
    """A reading as it is printed; `tests` are those that objected, each with how bad."""

    device: str
    parameter: str
    time: str
    value: float | None
    flag: int
    tests: Mapping[str, str]


class TransitionLine(msgspec.Struct, tag_field="type", tag="transition"):
    """A change of an alert as it is printed, after the readings up to its time."""

    device: str
    parameter: str
    time: str
    rule: str
    version: str
    alert: str
    before: str | None
    after: str
    severity: str
    reason: str
    value: float
    marks: Sequence[str]
    evidence: Mapping[str, object]


def lines(replayed: Replayed) -> Iterator[bytes]:
    """All that is printed, as JSON lines in pieces of some size."""
    encode = msgspec.json.Encoder().encode_lines
    columns, changes = replayed.columns, [_transition_line(t) for t in replayed.transitions]
    at = [transition.at for transition in replayed.transitions]
    places = np.searchsorted(columns.measured_at, at, "right").tolist()
    named = {code: objections(code) for code in np.unique(columns.tests).tolist()}
    for start in range(0, len(columns), BATCH):
        batch = _reading_lines(replayed.series, columns.take(slice(start, start + BATCH)), named)
        done = 0
        while places and places[0] <= start + len(batch):
            upto = places.pop(0) - start
            yield encode(batch[done:upto])
            yield encode([changes.pop(0)])
            done = upto
        yield encode(batch[done:])


def _reading_lines(
    series: Sequence[Series], columns: Columns, named: Mapping[int, Mapping[str, str]]
) -> list[ReadingLine]:
    values: list[float | None] = columns.value.tolist()
    for row in np.flatnonzero(np.isnan(columns.value)).tolist():
        values[row] = None
    return [
        ReadingLine(series[index].device, series[index].parameter, at, value, flag, named[code])
        for index, at, value, flag, code in zip(
            columns.series.tolist(),
            _isos(columns.measured_at),
            values,
            columns.flag.tolist(),
            columns.tests.tolist(),
            strict=True,
        )
    ]


def _isos(micros: IntColumn) -> list[str]:
    """`core.times.iso` of a column."""
    moments = micros.astype("datetime64[us]")
    whole = moments.astype("datetime64[s]")
    texts: list[str] = np.char.add(np.datetime_as_string(whole, unit="s"), "Z").tolist()
    for row in np.flatnonzero(whole != moments).tolist():
        texts[row] = iso(int(micros[row]))
    return texts


def _transition_line(transition: Transition) -> TransitionLine:
    device, _, parameter = transition.subject.rpartition("/")
    return TransitionLine(
        device=device,
        parameter=parameter,
        time=iso(transition.at),
        rule=transition.rule,
        version=transition.version,
        alert=transition.alert,
        before=transition.before,
        after=transition.after,
        severity=transition.severity.label,
        reason=transition.reason,
        value=transition.value,
        marks=transition.marks,
        evidence=transition.evidence,
    )


def _city_beside(rules: Path | None) -> Configuration | None:
    """The configuration that the rules belong to, if their folder has one.

    Raises:
        ConfigError: it has mistakes.
    """
    folder = rule_files.city_of(rules) if rules is not None else None
    if folder is None or not (folder / "devices.yaml").exists():
        return None
    return configuration.load(folder)


def _series(sheet: Sheet, city: Configuration | None) -> list[Series]:
    """The series of a file; a device that the city does not know is its own site."""
    return [_one_series(*name, index, city) for index, name in enumerate(sheet.names)]


def _one_series(device: str, parameter: str, index: int, city: Configuration | None) -> Series:
    known = city.devices.get(device) if city else None
    site = city.sites[known.site] if city and known else None
    return Series(
        index=index,
        device=device,
        parameter=parameter,
        site=site.id if site else device,
        kind=site.kind if site else "",
        district=site.district if site else "",
        position=(site.latitude, site.longitude) if site else None,
    )


def _placed(rules: Iterable[Rule], series: Sequence[Series]) -> Sequence[Rule]:
    """The rules with the devices of the file that they select, those that select none left out.

    A device that the city does not know stands wherever a rule looks, so only a rule that names
    other devices leaves it out.
    """
    placed = []
    for rule in rules:
        named = rule.selection.devices
        devices = frozenset(
            s.device
            for s in series
            if (rule.watches(s) if s.kind else not named or s.device in named)
        )
        if devices:
            chosen = Selection(kinds=frozenset(), sites=frozenset(), devices=devices)
            placed.append(replace(rule, selection=chosen))
    return placed


def _in_order(sheet: Sheet) -> tuple[Columns, BoolColumn, BoolColumn]:
    """The readings in order of time, those of one moment by series, none judged yet; and which are
    duplicates and which in conflict.
    """
    order = np.lexsort((np.isnan(sheet.value), sheet.series, sheet.measured_at))
    at, value = sheet.measured_at[order], sheet.value[order]
    columns = Columns(
        series=sheet.series[order],
        measured_at=at,
        received_at=at,
        value=value,
        flag=np.where(np.isnan(value), Flag.MISSING, Flag.NOT_EVALUATED).astype(np.uint8),
        tests=np.zeros(len(at), np.uint32),
        late=np.zeros(len(at), np.bool_),
    )
    first = _first(columns)
    again = (first != np.arange(len(at))) & ~np.isnan(value)
    same = value == value[first]
    return columns, again & same, again & ~same


def _end_of_moment(at: IntColumn, end: int) -> int:
    """Where a batch of about `end` rows may end: what came at one moment came together."""
    return int(np.searchsorted(at, at[end - 1], "right")) if end < len(at) else len(at)


def _row(columns: Columns, revision: Revision) -> int:
    """The reading that was revised: the first of its series and time."""
    start, end = np.searchsorted(
        columns.measured_at, [revision.measured_at, revision.measured_at + 1]
    )
    return int(start + np.searchsorted(columns.series[start:end], revision.series))


def _first(columns: Columns) -> IntColumn:
    """Of each row the first with its series and time."""
    rows = np.arange(len(columns))
    starts = np.ones(len(columns), np.bool_)
    starts[1:] = (np.diff(columns.series) != 0) | (np.diff(columns.measured_at) != 0)
    return np.maximum.accumulate(np.where(starts, rows, 0))
