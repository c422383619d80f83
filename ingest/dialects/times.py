"""Times as devices write them, in microseconds since 1970 UTC.

Digits beyond the microsecond are dropped, so that one moment is always one number. A time that
cannot be placed is refused with its reason in words; nothing is guessed but the scale of an epoch.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from core.errors import DecodeError
from core.messages import Refusal
from core.times import SECOND
from ingest.dialects.shape import Incoming

_ISO = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = 253_402_300_800 * SECOND  # the year 10000
# Up to here a number is of this scale: × and ÷ that make it microseconds. As seconds 10^11 is the
# year 5138; as milliseconds it is 1973, long before any reading of ours.
_SCALES = (
    (10**11, SECOND, 1),
    (10**14, 1_000, 1),
    (10**17, 1, 1),
    (10**20, 1, 1_000),
)


def measured_at(stated: str | float | None, incoming: Incoming) -> int:
    """When it was measured: as stated, or else when the message was received.

    Raises:
        DecodeError: a time is stated that cannot be placed.
    """
    if stated is None:
        return incoming.received_at
    if isinstance(stated, str):
        return iso_micros(stated, incoming.zone)
    return epoch_micros(stated)


def iso_micros(text: str, zone: ZoneInfo | None = None) -> int:
    """An ISO 8601 date and time, with up to nine decimals; without an offset it is `zone`'s.

    An hour that the zone repeats in autumn is taken as its first pass.

    >>> iso_micros("1970-01-01T07:00:01.123456789+07:00")
    1123456

    Raises:
        DecodeError: no such time, or neither the time nor the source names a zone.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        raise _invalid(f"{text:.40} is no ISO 8601 date and time")
    if match["second"] == "60":
        raise _invalid(f"{text} is a leap second, which UTC in microseconds cannot name")
    if match["hour"] == "24":
        raise _invalid(f"{text} is past the day's end: 24:00 is 00:00 of the next day")
    try:
        plain = datetime.fromisoformat(
            f"{match['date']}T{match['hour']}:{match['minute']}:{match['second'] or '00'}"
        )
        moment = plain.replace(tzinfo=_zone(match["offset"], zone))
        if moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != plain:
            raise _invalid(f"{text} was skipped by the clocks of {zone}")
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise _invalid(f"{text} is no time: {error}") from error
    return within_reach(seconds * SECOND + int((match["fraction"] or "").ljust(6, "0")[:6]))


def epoch_micros(number: float) -> int:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.

    >>> epoch_micros(1_732_262_400) == epoch_micros(1_732_262_400_000_000_000)
    True

    Raises:
        DecodeError: before 1970, or beyond all scales.
    """
    for limit, times, by in _SCALES:
        if 0 <= number < limit:
            exact = isinstance(number, int)
            return int(number) * times // by if exact else round(number * times / by)
    raise _invalid("a number that is no time since 1970")


def seconds_micros(seconds: float) -> int:
    """Seconds since 1970, whatever their size.

    Raises:
        DecodeError: before 1970 or after 9999.
    """
    if not math.isfinite(seconds * SECOND):
        raise _invalid("a number that is no time since 1970")
    return within_reach(round(seconds * SECOND))


def within_reach(micros: int) -> int:
    """The same, when it lies between 1970 and 9999.

    Raises:
        DecodeError: it does not.
    """
    if 0 <= micros < _END:
        return micros
    raise _invalid("a time before 1970 or after 9999")


def _zone(offset: str | None, zone: ZoneInfo | None) -> tzinfo:
    if offset is None:
        if zone is None:
            raise _invalid("the time names no zone, and neither does its source")
        return zone
    if offset in "Zz":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[3:].removeprefix(":") or 0)
    if hours > 14 or minutes > 59:
        raise _invalid(f"no zone is {offset} from UTC")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if offset[0] == "-" else ahead)


def _invalid(words: str) -> DecodeError:
    return DecodeError(Refusal.TIME_INVALID, words)
