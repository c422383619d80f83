"""Maintenance windows: when, again and again, alerts that match are expected. Pure.

A window opens on days of the week or of the month, at a time of the city's clock, and may last
beyond midnight. Those of `config/maintenance.yaml` and those made by the API are of one shape.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from alerts import matchers
from core.configuration import Id, Located, Strict, read
from core.errors import ConfigError
from core.muting import Labels
from core.times import from_micros, to_micros

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[DayName, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = "24:00"  # of the end of a day
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_FARTHEST = 64  # days from one 31st to the next, at the most, and some


def _clock(text: object) -> object:
    """`HH:MM`; 24:00 is the end of the day."""
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):  # YAML takes 22:00 for a number
        raise ValueError('write a time such as "22:00", in quotes')
    return text


Clock = Annotated[str, BeforeValidator(_clock)]
MonthDay = Annotated[int, Field(ge=1, le=31)] | Literal["last"]


class WindowEntry(Strict):
    """One window: `days` of the week or `month_days` (1 to 31, or last), from a time of the city's
    clock up to another; where that is no later, up to the one of the next day.
    """

    id: Id
    reason: str = Field(min_length=1, max_length=500)
    everything: bool = False
    matchers: list[str] = Field(default_factory=list, validate_default=True)
    days: list[DayName] = Field(default_factory=list)
    month_days: list[MonthDay] = Field(default_factory=list, validate_default=True)
    begins: Clock = Field(alias="from")
    ends: Clock = Field(alias="to")

    @field_validator("matchers")
    @classmethod
    def _can_match(cls, texts: list[str], info: ValidationInfo) -> list[str]:
        matchers.check(texts, everything=info.data.get("everything", False))
        return texts

    @field_validator("month_days")
    @classmethod
    def _one_of_both(cls, days: list[MonthDay], info: ValidationInfo) -> list[MonthDay]:
        if bool(days) == bool(info.data.get("days", days)):
            raise ValueError("write either days or month_days, with at least one day")
        return days

    @field_validator("ends")
    @classmethod
    def _lasts(cls, ends: str, info: ValidationInfo) -> str:
        if ends in ("00:00", info.data.get("begins")) or info.data.get("begins") == _MIDNIGHT:
            raise ValueError('a day begins at "00:00" and ends at "24:00"; let the window last')
        return ends


class MaintenanceFile(Strict):
    """`config/maintenance.yaml`."""

    windows: list[WindowEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One time that a window is open, from `start` up to, not with, `end`, µs."""

    start: int
    end: int


def load(folder: Path) -> tuple[WindowEntry, ...]:
    """The windows of `folder`/maintenance.yaml; none where there is no such file.

    Raises:
        ConfigError: with every mistake and its line.
    """
    path = folder / "maintenance.yaml"
    if not path.exists():
        return ()
    file = read(path, MaintenanceFile)
    if problems := list(_problems(file)):
        raise ConfigError(problems)
    return tuple(file.content.windows)


def opening(window: WindowEntry, at: int, zone: ZoneInfo) -> Opening | None:
    """The one that is open at `at` (µs); None when it is closed."""
    today = from_micros(at).astimezone(zone).date()
    for day in (today - timedelta(1), today):
        if _opens_on(window, day):
            found = _opening_of(window, day, zone)
            if found.start <= at < found.end:
                return found
    return None


def following(window: WindowEntry, at: int, zone: ZoneInfo) -> Opening:
    """The first that begins after `at` (µs)."""
    today = from_micros(at).astimezone(zone).date()
    days = (today + timedelta(ahead) for ahead in range(_FARTHEST))
    openings = (_opening_of(window, day, zone) for day in days if _opens_on(window, day))
    return next(found for found in openings if found.start > at)


def holds(window: WindowEntry, labels: Labels, at: int, zone: ZoneInfo) -> bool:
    """Whether the window is open and means an alert with these labels."""
    return matchers.fit(window.matchers, labels) and opening(window, at, zone) is not None


def _opens_on(window: WindowEntry, day: date) -> bool:
    if window.days:
        return DAYS[day.weekday()] in window.days
    last = monthrange(day.year, day.month)[1]
    return day.day in window.month_days or (day.day == last and "last" in window.month_days)


def _opening_of(window: WindowEntry, day: date, zone: ZoneInfo) -> Opening:
    overnight = window.ends <= window.begins
    start = _moment(day, window.begins, zone)
    return Opening(start=start, end=_moment(day + timedelta(overnight), window.ends, zone))


def _moment(day: date, clock: str, zone: ZoneInfo) -> int:
    """When the clock on the wall shows it on that day."""
    hours, minutes = map(int, clock.split(":"))
    local = datetime.combine(day, time()) + timedelta(hours=hours, minutes=minutes)
    return to_micros(local.replace(tzinfo=zone))


def _problems(file: Located[MaintenanceFile]) -> Iterable[str]:
    seen: set[str] = set()
    for number, window in enumerate(file.content.windows):
        if window.id in seen:
            text = f"two windows are called {window.id}; rename one"
            yield file.problem(("windows", number, "id"), text)
        seen.add(window.id)
