"""What counts as too much or too little: the rules of `config/rules.yaml` and their pure tests.

Words: a value *breaches* beyond the level of a severity, strictly; it is *clear* on the safe side
of the clear level, the level itself included; between the two an alert stays (hysteresis).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from alerts import standards
from alerts.standards import Limit
from core.catalogue import CATALOGUE
from core.configuration import Configuration, Duration, Id, Located, Name, Place, Strict, read
from core.errors import ConfigError
from core.model import Series, Severity

Limits = Mapping[str, Limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which series a rule watches: empty means any; what is given must all match."""

    kinds: frozenset[str]
    sites: frozenset[str]
    devices: frozenset[str]

    def takes(self, series: Series) -> bool:
        """Whether this series is watched."""
        return (
            (not self.kinds or series.kind in self.kinds)
            and (not self.sites or series.site in self.sites)
            and (not self.devices or series.device in self.devices)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Breach beyond a level: `sign` +1 watches above, -1 below.

    `levels` and `clear` are in the catalogue's unit; `hold` and `clear_hold` are µs.
    """

    id: str
    version: str
    name: Mapping[str, str]
    parameter: str
    selection: Selection
    sign: int
    levels: Mapping[Severity, float]
    clear: float
    hold: int
    clear_hold: int
    source: str

    @property
    def lowest(self) -> float:
        """The level of the mildest severity."""
        return self.levels[min(self.levels)]


RULE_KINDS: Mapping[str, type[Threshold]] = {
    "threshold": Threshold,
}


def watches(rule: Threshold, series: Series) -> bool:
    """Whether the rule looks at this series."""
    known = bool(series.site)  # its device is still in the configuration
    return known and rule.parameter == series.parameter and rule.selection.takes(series)


def breached(rule: Threshold, value: float) -> Severity | None:
    """The worst severity whose level `value` is beyond; None when it is beyond none."""
    beyond = [s for s, level in rule.levels.items() if rule.sign * value > rule.sign * level]
    return max(beyond, default=None)


def is_clear(rule: Threshold, value: float) -> bool:
    """Whether `value` is back at the clear level or on its safe side."""
    return rule.sign * value <= rule.sign * rule.clear


def eased(rule: Threshold, value: float, severity: Severity) -> Severity:
    """The severity that is left once `value` has come back: a level is left with the same margin
    with which the alert clears, so that a value that dances on a level changes nothing.
    """
    margin = rule.sign * (rule.lowest - rule.clear)
    held = [
        s
        for s, level in rule.levels.items()
        if s <= severity and rule.sign * value > rule.sign * level - margin
    ]
    return max(held, default=min(rule.levels))


# A number in the catalogue's unit, or the id of a limit in `config/standards/`.
Level = float | Id
Levels = dict[Literal["info", "warning", "critical"], Level]


class SelectEntry(Strict):
    """`select:` of a rule."""

    kinds: list[str] = Field(default_factory=list)
    sites: list[str] = Field(default_factory=list)
    devices: list[str] = Field(default_factory=list)


class RuleEntry(Strict):
    """One rule of `rules.yaml`."""

    id: Id
    kind: Literal["threshold"]
    name: Name
    parameter: str
    select: SelectEntry = SelectEntry()
    above: Levels | None = None
    below: Levels | None = None
    clear: float | None = None
    hold: Duration = Field(0, alias="for")
    clear_hold: Duration = Field(0, alias="clear_for")
    source: str = ""


class RulesFile(Strict):
    """`config/rules.yaml`."""

    rules: list[RuleEntry]


def load(folder: Path, configuration: Configuration) -> tuple[Threshold, ...]:
    """The rules of `folder`/rules.yaml.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    return load_file(folder / "rules.yaml", configuration)


def load_file(path: Path, configuration: Configuration | None) -> tuple[Threshold, ...]:
    """The rules of one file, with the standards beside it; without a configuration nobody knows
    whether what they select is there.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    limits = standards.load(path.parent)
    file = read(path, RulesFile)
    problems = list(_problems(file, configuration, limits))
    if problems:
        raise ConfigError(problems)
    return tuple(_rule(entry, limits) for entry in file.content.rules)


def _problems(
    file: Located[RulesFile], configuration: Configuration | None, limits: Limits
) -> Iterable[str]:
    seen: set[str] = set()
    for number, entry in enumerate(file.content.rules):
        here: Place = ("rules", number)
        if entry.id in seen:
            yield file.problem((*here, "id"), f"two rules are called {entry.id}; rename one")
        seen.add(entry.id)
        if entry.parameter not in CATALOGUE:
            text = f"parameter {entry.parameter} is not in the catalogue; see docs/parameters.md"
            yield file.problem((*here, "parameter"), text)
        strange = list(_limit_problems(file, here, entry, limits))
        yield from strange or _level_problems(file, here, entry, limits)
        if configuration is not None:
            yield from _selection_problems(file, (*here, "select"), entry.select, configuration)


def _limit_problems(
    file: Located[RulesFile], here: Place, entry: RuleEntry, limits: Limits
) -> Iterable[str]:
    for side in ("above", "below"):
        for severity, level in (getattr(entry, side) or {}).items():
            if not isinstance(level, str):
                continue
            limit = limits.get(level)
            if limit is None:
                text = f"{level} is no limit in standards/; correct it or write a number"
                yield file.problem((*here, side, severity), text)
            elif limit.parameter != entry.parameter:
                text = f"{level} is a limit of {limit.parameter}, not of {entry.parameter}"
                yield file.problem((*here, side, severity), text)


def _level_problems(
    file: Located[RulesFile], here: Place, entry: RuleEntry, limits: Limits
) -> Iterable[str]:
    if bool(entry.above) == bool(entry.below):
        yield file.problem(here, "write either above: or below:, with a level for each severity")
        return
    side, sign = ("above", 1) if entry.above else ("below", -1)
    levels = _levels(entry, limits)
    ordered = [sign * levels[severity] for severity in sorted(levels)]
    if ordered != sorted(set(ordered)):
        text = "a worse severity needs a level further out"
        yield file.problem((*here, side), text)
    if entry.clear is not None and sign * entry.clear > ordered[0]:
        word = "at most" if sign > 0 else "at least"
        text = (
            f"clear {entry.clear:g} is beyond the mildest level; write {word} {sign * ordered[0]:g}"
        )
        yield file.problem((*here, "clear"), text)


def _selection_problems(
    file: Located[RulesFile], here: Place, select: SelectEntry, configuration: Configuration
) -> Iterable[str]:
    known = {
        "kinds": {site.kind for site in configuration.sites.values()},
        "sites": set(configuration.sites),
        "devices": set(configuration.devices),
    }
    for key, choices in known.items():
        for number, word in enumerate(getattr(select, key)):
            if word not in choices:
                text = f"{word} is none of the {key} in sites.yaml and devices.yaml; correct it"
                yield file.problem((*here, key, number), text)


def _levels(entry: RuleEntry, limits: Limits) -> dict[Severity, float]:
    return {
        Severity[severity.upper()]: limits[level].value if isinstance(level, str) else level
        for severity, level in (entry.above or entry.below or {}).items()
    }


def _source(entry: RuleEntry, limits: Limits) -> str:
    """What stands behind the levels: the standards that they name, and the rule's own words."""
    named = [limits[v] for v in (entry.above or entry.below or {}).values() if isinstance(v, str)]
    cited = [f"{limit.source} ({limit.date})" for limit in named]
    return " ".join([*cited, entry.source]).strip()


def _rule(entry: RuleEntry, limits: Limits) -> Threshold:
    levels = _levels(entry, limits)
    text = entry.model_dump_json(exclude={"name", "source"}) + repr(levels)
    return Threshold(
        id=entry.id,
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
        name=entry.name.model_dump(),
        parameter=entry.parameter,
        selection=Selection(
            kinds=frozenset(entry.select.kinds),
            sites=frozenset(entry.select.sites),
            devices=frozenset(entry.select.devices),
        ),
        sign=1 if entry.above else -1,
        levels=levels,
        clear=levels[min(levels)] if entry.clear is None else entry.clear,
        hold=entry.hold,
        clear_hold=entry.clear_hold,
        source=_source(entry, limits),
    )
