"""How far LINE's messages of the month go: what is sent, what waits, what goes by mail.

Each severity has a share of the month's messages, so that what is critical finds some left. Pure.
"""

from collections.abc import Mapping
from datetime import time
from enum import Enum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from core.alerts import Severity
from core.notices import LineMonth
from core.times import DAY, from_micros, to_micros

DIGEST_AT = time(18)  # where somebody has no time of their own
SHARES: Mapping[Severity, float] = MappingProxyType(
    {Severity.INFO: 0.6, Severity.WARNING: 0.8, Severity.CRITICAL: 1.0}
)


class Course(Enum):
    """What becomes of a message to somebody who is told by LINE."""

    SEND = "send"
    DIGEST = "digest"  # it waits for the one message of the day
    EMAIL = "email"  # by mail, or with the digest where somebody has none


def forecast(month: LineMonth, zone: ZoneInfo) -> int:
    """How many messages the whole month takes if it goes on like this; the first day counts whole,
    so that its first messages alarm nobody.

    >>> at = 1_794_787_200_000_000  # half of November is over
    >>> forecast(LineMonth(limit=300, used=100, at=at), ZoneInfo("UTC"))
    200
    """
    there = from_micros(month.at).astimezone(zone)
    start = there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    gone = max(month.at - to_micros(start), DAY)
    return round(month.used * (to_micros(end) - to_micros(start)) / gone)


def course(month: LineMonth | None, severity: Severity, zone: ZoneInfo) -> Course:
    """What becomes of a message of that severity; nothing is held back where nothing is known.

    What is not critical goes by digest from when the month would take more than its share, and by
    mail once that is spent.
    """
    if month is None or month.limit is None:
        return Course.SEND
    share = month.limit * SHARES[severity]
    if month.used >= share:
        return Course.EMAIL
    if severity is not Severity.CRITICAL and forecast(month, zone) > share:
        return Course.DIGEST
    return Course.SEND


def courses(month: LineMonth | None, now: int, zone: ZoneInfo) -> Mapping[Severity, Course]:
    """The same for each severity at `now`, µs; what was said of another month counts no more."""
    if month is not None and _month_of(month.at, zone) != _month_of(now, zone):
        month = None
    return {severity: course(month, severity, zone) for severity in Severity}


def _month_of(at: int, zone: ZoneInfo) -> tuple[int, int]:
    there = from_micros(at).astimezone(zone)
    return there.year, there.month
