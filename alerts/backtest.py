"""What rules would have done: firings by rule, how long, how often, and how right. Pure."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from core.alerts import State, Transition
from core.errors import ConfigError
from core.times import DAY, to_micros

WEEK = 7 * DAY


class Label(NamedTuple):
    """Something that was truly wrong from `start` to `end`, µs; an empty `rule` or `subject` stands
    for any.
    """

    rule: str
    subject: str
    start: int
    end: int

    def meets(self, one: "Firing") -> bool:
        """Whether the alert fired about it, meanwhile."""
        return (
            self.rule in {"", one.rule}
            and (not self.subject or f"{one.subject}/".startswith(f"{self.subject}/"))
            and one.start <= self.end
            and one.end >= self.start
        )


class Firing(NamedTuple):
    """One alert while it fired, µs; one that was open ends with the range."""

    rule: str
    subject: str
    start: int
    end: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How firings agree with labels: `right` firings meet a label, `found` labels a firing; `delay`
    is the median time from the beginning of a label to the first firing, µs.
    """

    labels: int
    right: int
    found: int
    precision: float | None
    recall: float | None
    delay: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one rule would have done; durations in µs."""

    rule: str
    firings: int
    open: int
    per_week: float
    median: int
    longest: int
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What came of it: how many readings there were, what each rule did, and every firing."""

    readings: int
    reports: Sequence[Report]
    firings: Sequence[Firing]


def firings(transitions: Iterable[Transition], end: int) -> list[Firing]:
    """Every alert that fired before `end`, in the order in which they began to fire."""
    began: dict[str, Firing] = {}
    done: list[Firing] = []
    for one in transitions:
        if one.after is State.FIRING and one.alert not in began:
            began[one.alert] = Firing(one.rule, one.subject, one.at, end, open=True)
        elif one.after is State.RESOLVED and one.alert in began:
            done.append(began.pop(one.alert)._replace(end=one.at, open=False))
    return sorted([*done, *began.values()], key=lambda firing: (firing.start, firing.rule))


def reports(
    rules: Iterable[str],
    found: Sequence[Firing],
    start: int,
    end: int,
    labels: Sequence[Label] | None = None,
) -> list[Report]:
    """One for each rule; with `labels`, how right each was."""
    by_rule: Mapping[str, list[Firing]] = {rule: [] for rule in rules}
    for firing in found:
        if firing.rule in by_rule:
            by_rule[firing.rule].append(firing)
    return [_report(rule, mine, end - start, labels) for rule, mine in by_rule.items()]


def _report(
    rule: str, mine: Sequence[Firing], lasted: int, labels: Sequence[Label] | None
) -> Report:
    durations = [firing.end - firing.start for firing in mine]
    return Report(
        rule=rule,
        firings=len(mine),
        open=sum(firing.open for firing in mine),
        per_week=len(mine) * WEEK / max(lasted, 1),
        median=int(median(durations)) if durations else 0,
        longest=max(durations, default=0),
        agreement=None if labels is None else _agreement(rule, mine, labels),
    )


def _agreement(rule: str, mine: Sequence[Firing], labels: Sequence[Label]) -> Agreement:
    meant = [label for label in labels if label.rule in {"", rule}]
    right = sum(any(label.meets(firing) for label in meant) for firing in mine)
    first = [next((f for f in mine if label.meets(f)), None) for label in meant]
    delays = [
        max(f.start - label.start, 0)
        for f, label in zip(first, meant, strict=True)
        if f is not None
    ]
    return Agreement(
        labels=len(meant),
        right=right,
        found=len(delays),
        precision=right / len(mine) if mine else None,
        recall=len(delays) / len(meant) if meant else None,
        delay=int(median(delays)) if delays else None,
    )


def labels_of(name: str, text: str) -> list[Label]:
    """Labels of a CSV file with a header, or of a JSON list of objects: `start` and `end`, ISO 8601
    with a zone, and `rule` and `subject`, which may be left out.

    Raises:
        ConfigError: with each row that cannot be read.
    """
    try:
        rows: list[Any] = (
            json.loads(text) if name.endswith(".json") else list(csv.DictReader(text.splitlines()))
        )
    except ValueError as error:
        raise ConfigError([f"{name}: is no JSON: {error}"]) from error
    found, problems = list[Label](), list[str]()
    for number, row in enumerate(rows, 1):
        try:
            start, end = (_micros(row[key]) for key in ("start", "end"))
            found.append(Label(row.get("rule") or "", row.get("subject") or "", start, end))
        except (AttributeError, KeyError, TypeError, ValueError):
            problems.append(f"{name}: row {number}: write start and end, each a time with its zone")
    if problems:
        raise ConfigError(problems)
    return found


def _micros(text: str) -> int:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return to_micros(at)
