"""When a rule is in force: hours, days, season and public holidays, in the city's time zone. Pure.

The open time of a schedule is made of *stretches*; one that lasts over midnight belongs to the
day on which it begins, and stretches that touch are one. A stretch begins at its first µs and
ends before its last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from holidays import country_holidays
from holidays.holiday_base import HolidayBase

from core.times import DAY, from_micros, to_micros

ALL_DAY = ((time(0), time(0)),)
LONGEST = 800  # days that a search goes ahead: whoever is open so long is always open


class Day(NamedTuple):
    """A day of any year."""

    month: int
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`hours` are from and until, the same time twice being a whole day; `days` counts from Monday,
    0; `season` goes from its first to its last day, over New Year if need be. `holidays` is `only`,
    `except` or empty; they are those of `country` (ISO 3166).
    """

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...] = ALL_DAY
    days: frozenset[int] = frozenset(range(7))
    season: tuple[Day, Day] | None = None
    holidays: str = ""
    country: str = "TH"

    def closes(self, at: int) -> int | None:
        """When the stretch that holds `at` ends (µs); None when it is not open then."""
        found = next((s for s in self._around(at) if s[0] <= at < s[1]), None)
        return self._end(found[1]) if found else None

    def opens(self, at: int) -> int:
        """When it is open next, `at` itself if it is then; far in the future when it never is."""
        first = day_of(at, self.zone) - timedelta(days=1)
        for number in range(LONGEST):
            for start, end in _stretches(self, first + timedelta(days=number)):
                if at < end:
                    return max(start, at)
        return at + LONGEST * DAY

    def _around(self, at: int) -> Iterable[tuple[int, int]]:
        day = day_of(at, self.zone)
        return (*_stretches(self, day), *_stretches(self, day - timedelta(days=1)))

    def _end(self, end: int) -> int:
        """`end`, or the end of what follows without a break."""
        limit = end + LONGEST * DAY
        while end < limit:
            longer = max((s[1] for s in self._around(end) if s[0] <= end < s[1]), default=end)
            if longer == end:
                break
            end = longer
        return end

    def _takes(self, day: date) -> bool:
        if day.weekday() not in self.days:
            return False
        if self.season is not None:
            first, last = self.season
            today = Day(day.month, day.day)
            inside = first <= today <= last if first <= last else today >= first or today <= last
            if not inside:
                return False
        return not self.holidays or (day in _calendar(self.country)) == (self.holidays == "only")


@lru_cache(maxsize=4096)
def _stretches(schedule: Schedule, day: date) -> tuple[tuple[int, int], ...]:
    """The stretches that begin on that day, µs."""
    if not schedule._takes(day):
        return ()
    zone, following = schedule.zone, day + timedelta(days=1)
    return tuple(
        (moment_of(day, start, zone), moment_of(day if start < end else following, end, zone))
        for start, end in schedule.hours
    )


@lru_cache(maxsize=16)
def _calendar(country: str) -> HolidayBase:
    return country_holidays(country)


def moment_of(day: date, clock: time, zone: ZoneInfo) -> int:
    """When it is `clock` on that day, µs; where clocks are put back the first time, and where they
    are put forward over it, as much later.
    """
    return to_micros(datetime.combine(day, clock, zone).astimezone(UTC))


def day_of(at: int, zone: ZoneInfo) -> date:
    """The day that it is there at `at`."""
    return from_micros(at).astimezone(zone).date()
