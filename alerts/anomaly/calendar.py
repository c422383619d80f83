"""Which of what was learned goes with a time: hour of the day, kind of day, phase of the tide.

A *slot* of 55 minutes is what is learned from once: its first reading. Slots are not hours, so
that over days every minute of an hour is seen, and hourly readings have a slot each.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from holidays import country_holidays
from holidays.holiday_base import HolidayBase

from alerts.anomaly.layout import (
    BY_DAY,
    BY_HOUR,
    BY_TIDE,
    ERROR_BY_HOUR,
    HOURS,
    PHASES,
    SEEN_BY_DAY,
    SEEN_BY_HOUR,
    SEEN_BY_TIDE,
    SPREAD_BY_HOUR,
)
from core.readings import IntColumn
from core.times import DAY, MINUTE, from_micros

SLOT_LENGTH = 55 * MINUTE
SLOTS_A_MONTH = 30 * DAY / SLOT_LENGTH
TIDE = 44_714_164_000  # µs between two high waters that the moon alone makes (M2)
QUARTER = 15 * MINUTE  # every time zone is off UTC by so many of them


class Times(NamedTuple):
    """Of each reading: slot, hour of the day, whether the day is a day off, phase of the tide."""

    slot: IntColumn
    hour: IntColumn
    off: IntColumn
    phase: IntColumn

    def take(self, rows: IntColumn) -> "Times":
        """Of these readings alone."""
        return Times(*(column[rows] for column in self))

    def cells(self) -> IntColumn:
        """Where in a row what goes with each stands: values of hour, of day and of tide, two
        spreads, and how often each of the three was seen.
        """
        day = self.hour + HOURS * self.off
        found: IntColumn = np.stack(
            [
                self.hour + BY_HOUR,
                day + BY_DAY,
                self.phase + BY_TIDE,
                self.hour + SPREAD_BY_HOUR,
                self.hour + ERROR_BY_HOUR,
                self.hour + SEEN_BY_HOUR,
                day + SEEN_BY_DAY,
                self.phase + SEEN_BY_TIDE,
            ]
        )
        return found


@dataclass(frozen=True, slots=True)
class Clock:
    """By whose time and holidays people go; `country` may be unknown."""

    zone: ZoneInfo
    country: str = ""

    def times(self, at: IntColumn) -> Times:
        """What goes with these times (µs)."""
        quarters, place = np.unique(at // QUARTER, return_inverse=True)
        known = [_local(self, quarter) for quarter in quarters.tolist()]
        hour, off = np.array(known, np.int64).reshape(-1, 2)[place].T
        return Times(at // SLOT_LENGTH, hour, off, at % TIDE * PHASES // TIDE)


@lru_cache(maxsize=1 << 16)
def _local(clock: Clock, quarter: int) -> tuple[int, bool]:
    there = from_micros(quarter * QUARTER).astimezone(clock.zone)
    return there.hour, _is_off(clock.country, there.date())


@lru_cache(maxsize=4096)
def _is_off(country: str, day: date) -> bool:
    return day.weekday() >= 5 or (bool(country) and day in _holidays(country))


@lru_cache(maxsize=16)
def _holidays(country: str) -> HolidayBase:
    return country_holidays(country)
