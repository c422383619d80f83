"""The YAML of a rule, as it is written; what it means is in `alerts/rules.py`."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from core.alerts import Severity
from core.configuration import Duration, Id, Name, Strict
from core.readings import Flag
from core.times import HOUR

SEVERITIES: Mapping[str, Severity] = {severity.label: severity for severity in sorted(Severity)}
FLAGS: Mapping[str, Flag] = {flag.name.lower().replace("_", "-"): flag for flag in Flag}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
MONTH_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"


def _several(value: object) -> object:
    """One of them is a list of one."""
    return [value] if isinstance(value, str) else value


def _range(value: Any) -> object:
    both = value if isinstance(value, list) and len(value) == 2 else [value]
    if not all(type(one) in {int, float} and math.isfinite(one) for one in both):
        raise ValueError("write a number or, beside outside:, [low, high]")
    return [float(one) for one in both] if isinstance(value, list) else value


def _operands(value: object) -> object:
    if type(value) is int or (isinstance(value, str) and value in {"device", "gateway"}):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise ValueError("write a number of readings, a list of rules, device or gateway")


def _need(value: object) -> object:
    named = isinstance(value, str) and value in {"all", "any"}
    if named or (type(value) is int and value >= 1):
        return value
    raise ValueError("write all, any, or a number from 1 on")


# A number in the catalogue's unit, or the id of a limit in `config/standards/`.
Level = float | Id
Pair = Annotated[list[Level], Field(min_length=2, max_length=2)]
FlagName = Literal["good", "not-evaluated", "suspect", "fail"]
SeverityName = Literal["info", "warning", "critical"]
Hours = Annotated[str, Field(pattern=f"^{CLOCK}-{CLOCK}$")]


class SelectEntry(Strict):
    """`select:` of a rule."""

    kinds: list[str] = Field(default_factory=list)
    sites: list[str] = Field(default_factory=list)
    devices: list[str] = Field(default_factory=list)


class FlapEntry(Strict):
    """`flap:` of a rule."""

    times: int = Field(default=4, ge=2, le=100)
    within: Duration = Field(default=HOUR, gt=0)


class WhenEntry(Strict):
    """`when:` of a rule."""

    hours: Annotated[list[Hours], BeforeValidator(_several)] = Field(default_factory=list)
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default_factory=list
    )
    season: Annotated[str, Field(pattern=rf"^{MONTH_DAY}\.\.{MONTH_DAY}$")] | None = None
    holidays: Literal["only", "except"] | None = None


class BreachEntry(Strict):
    """`breach:` of a rule that counts."""

    above: Level | None = None
    below: Level | None = None
    outside: Pair | None = None


class TermsEntry(Strict):
    """What a rule asks for; `overrides:` may say it anew for a site."""

    above: dict[SeverityName, Level] | None = None
    below: dict[SeverityName, Level] | None = None
    outside: dict[SeverityName, Pair] | None = None
    clear: Annotated[float | list[float], BeforeValidator(_range)] | None = None
    hold: Duration = Field(0, alias="for")
    clear_hold: Duration = Field(0, alias="clear_for")


class RuleEntry(TermsEntry):
    """One rule of a file."""

    id: Id
    kind: Literal[
        "anomaly", "composite", "count", "fault", "missing", "neighbours", "rate", "threshold"
    ]
    name: Name
    parameter: str | None = None
    select: SelectEntry = SelectEntry()
    per: Literal["minute", "hour"] | None = None
    window: Duration | None = None
    sensitivity: dict[SeverityName, Literal["low", "normal", "high"]] | None = None
    apart: dict[SeverityName, Annotated[float, Field(gt=0)]] | None = None
    breach: BreachEntry | None = None
    times: dict[SeverityName, Annotated[int, Field(ge=1, le=1000)]] | None = None
    of: Annotated[int | list[str] | str, BeforeValidator(_operands)] | None = None
    within: Duration | None = None
    every: Duration | None = None
    need: Annotated[int | str, BeforeValidator(_need)] | None = None
    over: Literal["device", "site", "district", "city"] | None = None
    severity: SeverityName | None = None
    overrides: dict[str, TermsEntry] = Field(default_factory=dict)
    when: WhenEntry | None = None
    flags: list[FlagName] = Field(["good", "not-evaluated"], min_length=1)
    stale_after: Duration | None = None
    flap: FlapEntry = FlapEntry()
    storm: int = Field(default=50, ge=1)
    shadow: bool = False
    inhibited_by: list[Id] = Field(default_factory=list)
    source: str = ""


class RulesFile(Strict):
    """A file of `config/rules/`."""

    rules: list[RuleEntry]


# The keys that only some kinds have: those they need, and those they may have besides.
SIDED = ("above", "below", "outside", "clear")
READINGS = ("select", "flags", "stale_after")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "anomaly": ("parameter", "sensitivity"),
    "composite": ("of", "need"),
    "count": ("parameter", "breach", "times"),
    "fault": ("times",),
    "missing": ("above",),
    "neighbours": ("apart",),
    "rate": ("parameter", "per", "window"),
    "threshold": ("parameter",),
}
MAY: Mapping[str, tuple[str, ...]] = {
    "anomaly": ("select", "stale_after"),
    "composite": ("over", "severity"),
    "count": (*READINGS, "of", "within", "clear"),
    "fault": ("select", "stale_after", "parameter", "of", "within", "clear"),
    "missing": ("of", "every", "select"),
    "neighbours": ("parameter", "select", "stale_after"),
    "rate": (*READINGS, *SIDED),
    "threshold": (*READINGS, *SIDED),
}
EVERY_KIND = frozenset(
    ("id", "kind", "name", "source", "shadow", "storm", "flap", "when", "overrides", "hold")
) | {"clear_hold", "inhibited_by"}
