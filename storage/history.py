"""The past of a series, raw or aggregated: one Protocol, kept here by the ledger itself.

`storage.influx.InfluxHistory` answers the same; one contract test runs on both. Times are µs UTC,
ranges are [start, end).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Engine, Select, and_, func, select
from sqlalchemy.exc import SQLAlchemyError

from core.errors import StorageError
from core.registry import Series
from storage.schema import readings


@dataclass(frozen=True, slots=True)
class Point:
    """One reading: value in the catalogue's unit, flag as in `core.readings.Flag`."""

    measured_at: int
    value: float
    flag: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """The readings of one window that begins at `start`; the mean is good to some twelve digits."""

    start: int
    count: int
    mean: float
    minimum: float
    maximum: float


class History(Protocol):
    """Both methods raise StorageError when the store cannot answer; an empty range is no error."""

    def raw(
        self, series: Series, start: int, end: int, *, limit: int, flags: AbstractSet[int] | None
    ) -> list[Point]:
        """The oldest `limit` readings (at least 1) with one of `flags` (None: any), ascending."""
        ...

    def aggregates(
        self, series: Series, start: int, end: int, every: int, *, flags: AbstractSet[int] | None
    ) -> list[Bucket]:
        """Windows of `every` µs counted from 1970, ascending; those without a reading are left out.

        Readings outside [start, end) do not count, so the windows at the edges may be partial.
        """
        ...


class LedgerHistory:
    """History from the ledger: as long as the ledger keeps readings.

    Readings are keyed time first, so an answer reads the range of all series: fine for days of a
    city, slow for months; those are InfluxDB's.
    """

    def __init__(self, readers: Engine) -> None:
        self._readers = readers

    def raw(
        self, series: Series, start: int, end: int, *, limit: int, flags: AbstractSet[int] | None
    ) -> list[Point]:
        """See `History`."""
        c = readings.c
        statement = (
            select(c.measured_at, c.value, c.flag)
            .where(_within(series, start, end, flags))
            .order_by(c.measured_at)
            .limit(limit)
        )
        return [Point(at, value, flag) for at, value, flag in self._read(statement)]

    def aggregates(
        self, series: Series, start: int, end: int, every: int, *, flags: AbstractSet[int] | None
    ) -> list[Bucket]:
        """See `History`."""
        c = readings.c
        window = (c.measured_at - c.measured_at % every).label("window")
        statement = (
            select(window, func.count(), func.avg(c.value), func.min(c.value), func.max(c.value))
            .where(_within(series, start, end, flags))
            .group_by(window)
            .order_by(window)
        )
        return [
            Bucket(at, count, mean, low, high)
            for at, count, mean, low, high in self._read(statement)
        ]

    def _read(self, statement: Select[Any]) -> Sequence[Any]:
        try:
            with self._readers.connect() as connection:
                return connection.execute(statement).all()
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StorageError(f"the ledger cannot be read: {cause}") from error


def _within(
    series: Series, start: int, end: int, flags: AbstractSet[int] | None
) -> ColumnElement[bool]:
    c = readings.c
    wanted = [c.series == series.index, c.measured_at >= start, c.measured_at < end]
    if flags is not None:
        wanted.append(c.flag.in_(flags))
    return and_(*wanted)
