"""What the words of a rule mean: levels, schedules, and what a site has for itself."""

from collections.abc import Mapping
from datetime import time
from typing import TypeVar
from zoneinfo import ZoneInfo

from alerts.kinds.anomaly import CLEARS, SENSITIVITIES
from alerts.kinds.neighbours import CLOSE
from alerts.levels import Span, above, below
from alerts.rule_entries import (
    SEVERITIES,
    WEEKDAYS,
    BreachEntry,
    Level,
    RuleEntry,
    TermsEntry,
    WhenEntry,
)
from alerts.schedules import ALL_DAY, Day, Schedule
from alerts.standards import Limit
from core.alerts import Severity

Limits = Mapping[str, Limit]
Written = TypeVar("Written", bound=TermsEntry)
SIDES = ("above", "below", "outside")


def number(level: Level, limits: Limits) -> float:
    """A level as a number in the catalogue's unit."""
    return limits[level].value if isinstance(level, str) else level


def named_limits(entry: RuleEntry) -> list[tuple[tuple[str, ...], str]]:
    """The limits that levels name, each with its place in the entry."""
    found: list[tuple[tuple[str, ...], str]] = []
    for side in SIDES:
        for severity, level in (getattr(entry, side) or {}).items():
            found += [((side, severity), name) for name in _names(level)]
        if entry.breach is not None:
            found += [(("breach", side), name) for name in _names(getattr(entry.breach, side))]
    return found


def in_numbers(terms: Written, limits: Limits) -> Written:
    """The same with numbers where levels name limits: so it means the same whatever those say."""
    changed = {
        side: {severity: _in_numbers(level, limits) for severity, level in written.items()}
        for side in SIDES
        if (written := getattr(terms, side))
    }
    return terms.model_copy(update=changed)


def resolved(entry: RuleEntry, limits: Limits) -> RuleEntry:
    """A whole rule in numbers."""
    own = {site: in_numbers(terms, limits) for site, terms in entry.overrides.items()}
    changed: dict[str, object] = {"overrides": own} if own else {}
    if (breach := entry.breach) is not None:
        sides = {side: getattr(breach, side) for side in breach.model_fields_set}
        numbers = {side: _in_numbers(level, limits) for side, level in sides.items()}
        changed["breach"] = breach.model_copy(update=numbers)
    return in_numbers(entry, limits).model_copy(update=changed)


def _in_numbers(level: Level | list[Level] | None, limits: Limits) -> float | list[float] | None:
    if level is None:
        return None
    if isinstance(level, list):
        return [number(one, limits) for one in level]
    return number(level, limits)


def _names(level: Level | list[Level] | None) -> list[str]:
    return [one for one in (level if isinstance(level, list) else [level]) if isinstance(one, str)]


def spans(entry: RuleEntry, limits: Limits) -> dict[Severity, Span]:
    """Where all is right, for each severity that the entry names."""
    if entry.kind == "anomaly":
        asked = (entry.sensitivity or {}).items()
        return {SEVERITIES[s]: _either_way(SENSITIVITIES[word].months) for s, word in asked}
    if entry.kind == "neighbours":
        return {SEVERITIES[s]: _either_way(spreads) for s, spreads in (entry.apart or {}).items()}
    if entry.kind == "composite":
        return {SEVERITIES[entry.severity or "warning"]: above(needed(entry) - 1)}
    if entry.kind in {"count", "fault"}:
        return {SEVERITIES[s]: above(times - 1) for s, times in (entry.times or {}).items()}
    return {
        severity: span(side, written[name], limits)
        for name, severity in SEVERITIES.items()
        for side in SIDES
        if name in (written := getattr(entry, side) or {})
    }


def counted_span(entry: RuleEntry, limits: Limits) -> Span:
    """Out of which span a reading of a `count` counts."""
    breach = entry.breach or BreachEntry()
    side = next((side for side in SIDES if getattr(breach, side) is not None), "above")
    return span(side, getattr(breach, side), limits)


def span(side: str, level: Level | list[Level], limits: Limits) -> Span:
    """A level on one side, or a pair of them, as a span."""
    if isinstance(level, list):
        low, high = level
        return Span(number(low, limits), number(high, limits))
    return (above if side == "above" else below)(number(level, limits))


def clear(entry: RuleEntry, mildest: Span) -> Span:
    """Where an alert may end; left out, that is the mildest span."""
    written = entry.clear
    if entry.kind == "anomaly":
        return _either_way(mildest.high * CLEARS)
    if entry.kind == "neighbours":
        return _either_way(mildest.high * CLOSE)
    if written is None:
        return mildest
    if isinstance(written, list):
        low, high = written
        return Span(low, high)
    return (above if entry.below is None else below)(written)


def _either_way(most: float) -> Span:
    return Span(-most, most)


def needed(entry: RuleEntry) -> int:
    """How many operands, or sites, a composite needs."""
    operands = entry.of if isinstance(entry.of, list) else []
    named = {"all": len(operands), "any": 1, None: 1}
    return entry.need if isinstance(entry.need, int) else named[entry.need]


def overridden(entry: RuleEntry, own: TermsEntry) -> RuleEntry:
    """The rule with what one of its sites has for itself."""
    changed = {name: getattr(own, name) for name in own.model_fields_set}
    if any(side in changed for side in SIDES):
        changed = dict.fromkeys(SIDES) | changed
    return entry.model_copy(update=changed)


def schedule(entry: WhenEntry, zone: ZoneInfo, country: str) -> Schedule:
    """When the rule is in force."""
    hours = [tuple(map(time.fromisoformat, text.split("-"))) for text in entry.hours]
    days = [WEEKDAYS.index(day) for day in entry.days]
    return Schedule(
        zone=zone,
        hours=tuple((start, end) for start, end in hours) or ALL_DAY,
        days=frozenset(days or range(7)),
        season=_season(entry.season) if entry.season else None,
        holidays=entry.holidays or "",
        country=country,
    )


def _season(text: str) -> tuple[Day, Day]:
    first, last = (Day(*map(int, part.split("-"))) for part in text.split(".."))
    return first, last
