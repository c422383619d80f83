"""The nouns of what goes on around an alert. No I/O, no clock; times in µs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.alerts import Severity
from core.annotations import Work

Names = Mapping[str, str]  # by language, en and th


class Reading(NamedTuple):
    """One reading of the alert's own series."""

    at: int
    value: float
    flag: int


class Nearby(NamedTuple):
    """The newest reading of a device so many km away."""

    site: Names
    device: str
    km: float
    at: int
    value: float
    flag: int


class Worked(NamedTuple):
    """An entry of the service log."""

    device: str
    work: Work
    start: int


class Other(NamedTuple):
    """Another alert."""

    alert: str
    rule: str
    site: Names
    severity: Severity
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What there is within `km` of an alert's site, the nearest first: who reads the same
    parameter, where it rains, which alerts fire or fired meanwhile; and what work goes on at the
    site itself.
    """

    site: Names | None = None
    km: float = 0.0
    neighbours: Sequence[Nearby] = ()
    rain: Sequence[Nearby] = ()
    rain_unit: str = ""
    works: Sequence[Worked] = ()
    others: Sequence[Other] = ()
