"""Times as tables write them: ISO 8601 and its looser kin, dates with slashes, epochs.

A block of cells that all look alike, as those of one file do, is read by numpy; any other cell by
itself. Both give the microseconds of `ingest.dialects.times`: UTC, an hour that a zone repeats in
autumn taken as its first pass. Nothing is guessed: which of 3/4/2016 is the month, the other dates
of the file must tell.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import IntColumn
from core.times import DAY
from ingest.dialects.times import epoch_micros, iso_micros

UNREADABLE = int(np.iinfo(np.int64).min)  # in place of a time that is none

_CLOCK = (
    r"(?:[Tt ,]+(?P<hour>\d{1,2})"
    r"(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})[-/. ](?P<day>\d{1,2})" + _CLOCK)
_YEAR_LAST = re.compile(r"(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\2(?P<year>\d{4})" + _CLOCK)
_EPOCH = re.compile(r"\d{9,19}(?:\.\d+)?")
# What numpy reads, and what may follow it.
_PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?")
_OFFSET = re.compile(r"[Zz]|[+-]\d{2}:?\d{2}")


class Order(StrEnum):
    """What comes first in a date whose year is last."""

    DAY = "day"
    MONTH = "month"
    UNKNOWN = "unknown"


def order_of(texts: Iterable[str]) -> Order:
    """What the first date among them that leaves no choice says.

    >>> order_of(["03/04/2016 08:00", "03/13/2016 08:00"])
    <Order.MONTH: 'month'>
    """
    for text in texts:
        match = _YEAR_LAST.fullmatch(text.strip())
        if match and int(match["one"]) > 12:
            return Order.DAY
        if match and int(match["two"]) > 12:
            return Order.MONTH
    return Order.UNKNOWN


class ZonelessError(ValueError):
    """A time names no zone, and no zone is given for those that do not."""


class Clock:
    """Reads the times of one file."""

    def __init__(self, zone: ZoneInfo | None, order: Callable[[], Order]) -> None:
        """`zone` is that of times that name none; `order` is asked once, if need be."""
        self._zone = zone
        self._find_order = order
        self._known: dict[str, tuple[int, str]] = {}

    @cached_property
    def _order(self) -> Order:
        return self._find_order()

    def micros(self, cells: Sequence[str]) -> tuple[IntColumn, Mapping[int, str]]:
        """Each cell's time in µs, `UNREADABLE` where it is none; of those the reason by its place.

        Raises:
            ZonelessError: there is a time whose zone nobody names.
        """
        alike = _alike(cells)
        if alike is None:
            times = np.full(len(cells), UNREADABLE)
        else:
            local, offset = alike
            times = local - self._ahead(local, offset)
        words = {}
        for place in np.flatnonzero(times < 0).tolist():
            times[place], why = self._one(cells[place])
            if why:
                words[place] = why
        return times, words

    def _ahead(self, local: IntColumn, offset: str) -> IntColumn:
        """How far these times are ahead of UTC; so far that none remains where clocks change."""
        if offset:
            return np.array(DAY - iso_micros(f"1970-01-02T00:00{offset}"))
        zone = self._zone
        if zone is None:
            raise ZonelessError(str(local[0].astype("datetime64[us]")))
        days, which = np.unique(local // DAY, return_inverse=True)
        return np.array([_offset(day, zone) for day in days.tolist()], np.int64)[which]

    def _one(self, cell: str) -> tuple[int, str]:
        if cell not in self._known:
            try:
                self._known[cell] = self._read(cell.strip()), ""
            except DecodeError as error:
                self._known[cell] = UNREADABLE, error.detail
        return self._known[cell]

    def _read(self, text: str) -> int:
        if _EPOCH.fullmatch(text):
            return epoch_micros(float(text) if "." in text else int(text))
        if match := _YEAR_FIRST.fullmatch(text):
            return self._micros(match, match["month"], match["day"])
        if match := _YEAR_LAST.fullmatch(text):
            if self._order is Order.UNKNOWN:
                raise _invalid(f"{text}: no date of the file tells the month from the day")
            one, two = match["one"], match["two"]
            return self._micros(match, *((one, two) if self._order is Order.MONTH else (two, one)))
        raise _invalid(f"{text:.40} is no time" if text else "there is no time")

    def _micros(self, match: re.Match[str], month: str, day: str) -> int:
        if not match["offset"] and self._zone is None:
            raise ZonelessError(match[0])
        date = f"{match['year']}-{month:0>2}-{day:0>2}"
        clock = f"{_hour(match):02}:{match['minute'] or '00'}:{match['second'] or '00'}"
        part, offset = match["part"] or "0", match["offset"] or ""
        return iso_micros(f"{date}T{clock}.{part}{offset}", self._zone)


def _hour(match: re.Match[str]) -> int:
    """The hour of the day, whichever clock says it."""
    hour = int(match["hour"] or 0)
    if not match["half"]:
        return hour
    if not 1 <= hour <= 12:
        raise _invalid(f"{match[0]}: a clock of two halves has no hour {hour}")
    return hour % 12 + (12 if match["half"].lower() == "pm" else 0)


def _alike(cells: Sequence[str]) -> tuple[IntColumn, str] | None:
    """What clocks show in cells that are all written in one plain way, in µs, and the offset that
    they all name; None when they are not.
    """
    plain = _PLAIN.match(cells[0]) if cells else None
    offset = cells[0][plain.end() :] if plain else ""
    if plain is None or not _OFFSET.fullmatch(offset or "Z"):
        return None
    texts = np.array(cells)
    codes = texts.view(np.uint32).reshape(len(cells), -1)
    digits = (codes >= ord("0")) & (codes <= ord("9"))
    fixed = ~digits[0]
    fixed[plain.end() :] = True
    if (digits != digits[0]).any() or (codes[:, fixed] != codes[0, fixed]).any():
        return None
    try:
        shown = texts.astype(f"<U{plain.end()}").astype("datetime64[us]")
        return shown.astype(np.int64), offset
    except ValueError:  # the 30th of February, say: one by one, it will be found
        return None


def _offset(day: int, zone: ZoneInfo) -> int:
    """How far the zone is ahead of UTC on that day, counted from 1970; beyond all reach where its
    clocks change.
    """
    start = datetime(1970, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - what its clocks show
    offset, following = (zone.utcoffset(start + timedelta(days=n)) for n in (0, 1))
    if offset is None or offset != following:
        return -UNREADABLE // 2
    return offset // timedelta(microseconds=1)


def _invalid(words: str) -> DecodeError:
    return DecodeError(Refusal.TIME_INVALID, words)
