"""What time it is in Phuket, which has no summer time."""

from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR
from simulators.chance import bell

UTC_OFFSET = 7 * HOUR
YEAR = 365.2425 * DAY


def local_hour(times: IntColumn) -> FloatColumn:
    """Hour of the day on Phuket's clocks, 0 to 24."""
    return (times + UTC_OFFSET) % DAY / HOUR


def about(hour: FloatColumn, middle: float, width: float) -> FloatColumn:
    """1 at an hour of the day, 0.61 so many hours before and after it, also over midnight."""
    return bell((hour - middle + 12) % 24 - 12, width)


def local_day(times: IntColumn) -> IntColumn:
    """Days on Phuket's calendar since a Monday."""
    return (times + UTC_OFFSET) // DAY + 3  # 1970 began on a Thursday


def season_of(times: IntColumn) -> FloatColumn:
    """The part of the year that is over, 0 to 1."""
    return times / YEAR % 1
