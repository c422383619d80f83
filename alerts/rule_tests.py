"""Tests of rules: series in, transitions expected, from `config/rules/tests/*.yaml`.

A test runs its rule, and the rules that it looks at, in an engine of its own. Readings come at the
moment of their measurement, with the flag good where it says no other, those of one moment in the
order of the file.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field

from alerts.engine import Engine
from alerts.kinds.composite import Composite
from alerts.rule_entries import SEVERITIES, SeverityName
from alerts.rules import Rule
from core.alerts import Reason, State, Transition
from core.catalogue import CATALOGUE
from core.configuration import Duration, Id, Located, Moment, Strict, read
from core.errors import ConfigError
from core.readings import Columns, Flag
from core.registry import Series, Status, Unit
from core.times import DAY, HOUR, MINUTE, SECOND

NOON = 1_795_323_600_000_000  # 2026-11-22T12:00+07:00
MOST = 10_000  # values of one series
_VALUES = re.compile(r"(?P<value>[^\sx]+?)(?:\.\.(?P<to>[^\sx]+))?(?:x(?P<times>\d{1,5}))?")
_OFFSET = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (DAY, HOUR, MINUTE, SECOND)


def offset(text: object) -> object:
    """A time since the start, µs.

    >>> offset("1h10s") // SECOND
    3610
    """
    found = _OFFSET.fullmatch(str(text))
    if text != 0 and found is None:
        raise ValueError("write a time since the start such as 0, 90s or 1h30m")
    parts = found.groups() if found else ()
    return sum(int(part or 0) * unit for part, unit in zip(parts, _UNITS, strict=False))


def values(text: object) -> object:
    """What comes, one for each step; None where nothing does.

    >>> values("4 _x2 10..14x3")
    [4.0, None, None, 10.0, 12.0, 14.0]
    """
    found: list[float | None] = []
    for word in str(text).split():
        match = _VALUES.fullmatch(word)
        times = int(match["times"] or 1) if match else 0
        try:
            ends = (
                [_number(part) for part in (match["value"], match["to"]) if part] if match else []
            )
        except ValueError:
            ends = []
        if not ends or len(found) + times > MOST:
            raise ValueError("write up to 10,000 values as in 4 4.5x10 _x3 5..9x5")
        first, last = ends[0], ends[-1]
        if first is None or last is None:
            found += [None] * times
        else:
            found += np.linspace(first, last, times).tolist()
    return found


def _number(word: str) -> float | None:
    words = {"_": None, "offline": 0.0, "online": 1.0}
    number = words[word] if word in words else float(word)
    if number is not None and not math.isfinite(number):
        raise ValueError
    return number


Offset = Annotated[int, BeforeValidator(offset)]
Values = Annotated[list[float | None], BeforeValidator(values)]


class Expected(Strict):
    """One transition, as far as the test cares."""

    at: Offset
    state: Annotated[State, BeforeValidator(State)]
    reason: Annotated[Reason, BeforeValidator(Reason)] | None = None
    severity: SeverityName | None = None
    subject: str | None = None


class RuleTest(Strict):
    """One test."""

    name: str = Field(min_length=1)
    rule: Id
    every: Duration = Field(gt=0)
    start: Moment = NOON
    until: Offset | None = None
    series: dict[str, Values] = Field(default_factory=dict)
    flags: dict[str, Values] = Field(default_factory=dict)
    gateways: dict[str, Values] = Field(default_factory=dict)
    expect: list[Expected]


class TestsFile(Strict):
    """A file of `config/rules/tests/`."""

    tests: list[RuleTest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a test went: where it stands, and what failed, with file and line; else nothing."""

    where: str
    name: str
    rule: str
    failure: str = ""


class _Input(NamedTuple):
    """What comes at a moment: a value of a series, or of a gateway."""

    at: int
    series: int
    gateway: str
    value: float
    flag: int = Flag.GOOD


def load(folder: Path, rules: Sequence[Rule], units: Sequence[Unit]) -> list[Located[TestsFile]]:
    """The tests of the rules in `folder`/rules.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    files, problems = list[Located[TestsFile]](), list[str]()
    for path in sorted((folder / "rules" / "tests").glob("*.yaml")):
        try:
            file = read(path, TestsFile)
        except ConfigError as error:
            problems += error.problems
            continue
        files.append(file)
        problems += _problems(file, rules, units)
    if problems:
        raise ConfigError(problems)
    return files


def run(
    files: Sequence[Located[TestsFile]], rules: Sequence[Rule], units: Sequence[Unit]
) -> Iterator[Result]:
    """Each test, as it is done."""
    by_id = {rule.id: rule for rule in rules}
    for file in files:
        for number, test in enumerate(file.content.tests):
            place = ("tests", number)
            told = transitions(test, _needed(test.rule, by_id), units)
            failure = _compared(test, [t for t in told if t.rule == test.rule])
            yield Result(
                where=file.where(place),
                name=test.name,
                rule=test.rule,
                failure=file.problem((*place, *failure[0]), failure[1]) if failure else "",
            )


def transitions(
    test: RuleTest, rules: Sequence[Rule], units: Sequence[Unit]
) -> Iterator[Transition]:
    """What the rules say about what comes."""
    engine, heard = Engine(rules, DAY), test.start
    devices = {name.partition("/")[0] for name in test.series}
    places = [u for u in units if u.device in devices or u.gateway in test.gateways]
    engine.add_series(_series(test, {unit.device: unit for unit in units}))
    engine.attend(places)
    engine.accept(engine.on_resume(heard, heard))
    for one in sorted(_inputs(test), key=itemgetter(0)):
        heard = max(one.at, heard + 1)
        readings = _columns([one] if not one.gateway else [], heard)
        outcome = engine.on_batch(readings, _statuses(one, heard))
        engine.accept(outcome)
        yield from outcome.transitions
    longest = max(map(len, (*test.series.values(), *test.gateways.values())), default=0)
    until = test.until if test.until is not None else (longest - 1) * test.every
    outcome = engine.on_tick(max(test.start + until, heard + 1))
    yield from outcome.transitions


def _problems(
    file: Located[TestsFile], rules: Sequence[Rule], units: Sequence[Unit]
) -> Iterator[str]:
    devices, gateways = {unit.device for unit in units}, {unit.gateway for unit in units}
    known = {rule.id for rule in rules}
    for number, test in enumerate(file.content.tests):
        place = ("tests", number)
        if test.rule not in known:
            yield file.problem((*place, "rule"), f"no rule is called {test.rule}; correct it")
        for name in test.series:
            device, _, parameter = name.rpartition("/")
            if device not in devices or parameter not in CATALOGUE:
                text = f"{name} is no device/parameter of the city; correct it"
                yield file.problem((*place, "series", name), text)
        for name in test.flags:
            if name not in test.series or not set(test.flags[name]) <= {*map(float, Flag), None}:
                text = (
                    "write QARTOD's flags (1 to 4, 9) of one of the series, a number for each value"
                )
                yield file.problem((*place, "flags", name), text)
        for name in test.gateways:
            if name not in gateways:
                text = f"{name} is no gateway with devices; correct it"
                yield file.problem((*place, "gateways", name), text)


def _needed(name: str, rules: Mapping[str, Rule]) -> list[Rule]:
    """The rule, and those that it looks at."""
    found: dict[str, Rule] = {}
    waiting = [name]
    while waiting:
        rule = rules[waiting.pop()]
        found[rule.id] = rule
        if isinstance(rule.kind, Composite):
            waiting += [one for one in rule.kind.of if one not in found]
    return [rule for rule in rules.values() if rule.id in found]


def _series(test: RuleTest, places: Mapping[str, Unit]) -> list[Series]:
    found = []
    for number, name in enumerate(test.series):
        device, _, parameter = name.rpartition("/")
        unit = places[device]
        found.append(
            Series(
                index=number,
                device=device,
                parameter=parameter,
                site=unit.site,
                kind=unit.kind,
                district=unit.district,
                interval=unit.interval,
                position=unit.position,
            )
        )
    return found


def _inputs(test: RuleTest) -> Iterator[_Input]:
    given = [
        (number, "", name, coming) for number, (name, coming) in enumerate(test.series.items())
    ]
    given += [(-1, gateway, "", coming) for gateway, coming in test.gateways.items()]
    for number, gateway, name, coming in given:
        flags = test.flags.get(name, [])
        for step, value in enumerate(coming):
            if value is not None:
                flag = int(flags[step] or Flag.GOOD) if step < len(flags) else Flag.GOOD
                yield _Input(test.start + step * test.every, number, gateway, value, flag)


def _columns(rows: Sequence[_Input], heard: int) -> Columns:
    return Columns(
        series=np.array([row.series for row in rows], np.int64),
        measured_at=np.array([row.at for row in rows], np.int64),
        received_at=np.full(len(rows), heard, np.int64),
        value=np.array([row.value for row in rows], np.float64),
        flag=np.array([row.flag for row in rows], np.uint8),
        tests=np.zeros(len(rows), np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )


def _statuses(one: _Input, heard: int) -> list[Status]:
    if not one.gateway:
        return []
    online = bool(one.value)
    return [Status(gateway=one.gateway, online=online, firmware=None, at=heard, since=heard)]


def _compared(
    test: RuleTest, told: Sequence[Transition]
) -> tuple[tuple[str | int, ...], str] | None:
    """The first thing that is otherwise than expected: where, and what."""
    for number, expected in enumerate(test.expect):
        if number == len(told):
            return ("expect", number), f"{_expected(expected)} did not come"
        if not _fits(expected, told[number], test.start):
            came = _told(told[number], test.start)
            return ("expect", number), f"{_expected(expected)} should come, but {came} came"
    if len(told) > len(test.expect):
        return ("expect",), f"{_told(told[len(test.expect)], test.start)} came besides"
    return None


def _fits(expected: Expected, told: Transition, start: int) -> bool:
    return (
        expected.at == (told.at - start) // SECOND * SECOND
        and expected.state is told.after
        and expected.reason in {None, told.reason}
        and (expected.severity is None or SEVERITIES[expected.severity] is told.severity)
        and expected.subject in {None, told.subject}
    )


def _expected(one: Expected) -> str:
    words = [one.state, *(w for w in (one.reason, one.severity, one.subject) if w)]
    return f"{' '.join(words)} at {shown(one.at)}"


def _told(one: Transition, start: int) -> str:
    words = (one.after, one.reason, one.severity.label, one.subject)
    return f"{' '.join(words)} at {shown((one.at - start) // SECOND * SECOND)}"


def shown(micros: int) -> str:
    """A time since the start as files have it.

    >>> shown(3610 * SECOND)
    '1h10s'
    """
    if micros < 0:
        return f"-{shown(-micros)}"
    words, rest = "", micros
    for unit, letter in zip(_UNITS, "dhms", strict=True):
        count, rest = divmod(rest, unit)
        words += f"{count}{letter}" if count else ""
    return words or "0"
