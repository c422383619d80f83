"""Time as integer microseconds since 1970 in UTC, and as people write it."""

from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return round(moment.timestamp() * SECOND)


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of `micros`.

    >>> from_micros(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    seconds, rest = divmod(micros, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def iso(micros: int) -> str:
    """ISO 8601 in UTC, as the API and evidence write it.

    >>> iso(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return from_micros(micros).isoformat().replace("+00:00", "Z")
