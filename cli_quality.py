"""`andaman check --explain`: the limits of quality of one series, and where each comes from."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from rich.markup import escape
from rich.table import Table

from core.catalogue import CATALOGUE
from core.overrides import FIELDS, Effective
from core.quality import Climate

_SECONDS = frozenset({"reach", "flat_suspect", "flat_fail", "ahead", "late", "gap"})
_UNITS: Mapping[str, str] = {"rate": "{unit}/min", "noise_factor": "", "neighbour_km": "km"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def explained(effective: Effective, parameter: str) -> Table:
    """A table: setting, value with its unit, where it comes from."""
    unit = CATALOGUE[parameter].unit
    table = Table("setting", "value", "from")
    for name in FIELDS:
        value = getattr(effective.limits, name)
        table.add_row(name, escape(shown(name, value, unit)), escape(effective.origin[name]))
    return table


def shown(name: str, value: Any, unit: str) -> str:
    """A field of `Limits` for people.

    >>> shown("flat_fail", 21600.0, "Cel"), shown("user_span", (20.0, 36.0), "Cel")
    ('6h', '20 to 36 Cel')
    >>> shown("rate", 0.5, "Cel"), shown("spike", None, "Cel")
    ('0.5 Cel/min', 'off')
    """
    match value:
        case None | ():
            return "off"
        case (Climate(), *_):
            return "\n".join(_climate(climate, unit) for climate in value)
        case tuple() if name == "sentinels":
            return ", ".join(f"{number:.10g}" for number in value)
        case (low, high):
            return f"{low:g} to {high:g} {unit}"
        case _ if name in _SECONDS:
            return _duration(value)
        case _:
            return f"{value:g} {_UNITS.get(name, '{unit}').format(unit=unit)}".strip()


def _duration(seconds: float) -> str:
    for length, letter in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % length == 0:
            return f"{seconds / length:g}{letter}"
    return f"{seconds:g}s"


def _climate(climate: Climate, unit: str) -> str:
    low, high = climate.span
    when = []
    if len(climate.months) < 12:
        first, last = _ends(climate.months, 1, 12)
        when.append(f"{_MONTHS[first - 1]} to {_MONTHS[last - 1]}")
    if len(climate.hours) < 24:
        first, last = _ends(climate.hours, 0, 24)
        when.append(f"{first:02}:00 to {last:02}:59")
    return f"{', '.join(when) or 'always'}: {low:g} to {high:g} {unit}"


def _ends(numbers: AbstractSet[int], least: int, count: int) -> tuple[int, int]:
    """The first and the last of numbers that follow each other around a clock."""
    first = next(n for n in sorted(numbers) if (n - least - 1) % count + least not in numbers)
    return first, (first - least + len(numbers) - 1) % count + least
