"""What the files of a city say that dashboards draw: the levels of rules, the bands of an index."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.languages import Language

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where a rule begins to call a value wrong: `side` is "above" or "below" the value, in the
    catalogue's unit. Without `kinds` it holds at places of every kind.
    """

    parameter: str
    kinds: frozenset[str]
    severity: str
    side: str
    value: float
    rule: Names
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A step of an index, up to and with a value; None for the last one."""

    up_to: float | None
    name: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """The steps of an index for one parameter, lowest first."""

    title: Names
    source: str
    steps: tuple[Band, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it; `pm25` is for the mean over 24 hours, days are those of `zone`."""

    levels: tuple[Level, ...]
    pm25: Bands
    zone: str

    def of(self, parameter: str, kind: str) -> list[Level]:
        """The levels for a parameter at places of that kind, lowest first."""
        found = [
            level
            for level in self.levels
            if level.parameter == parameter and (not level.kinds or kind in level.kinds)
        ]
        return sorted(found, key=lambda level: level.value)


@dataclass(frozen=True, slots=True)
class Words:
    """Says everything in one language."""

    language: Language

    def __call__(self, english: str, thai: str) -> str:
        """One of the two."""
        return english if self.language == "en" else thai

    def name(self, names: Names) -> str:
        """A name in that language."""
        return names[self.language]
