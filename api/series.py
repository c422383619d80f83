"""`/v1/series/{device}/{parameter}`: the past of one series, raw or aggregated."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field

from api.context import ApiContext, Context
from api.devices import Place, places_of
from api.problems import ApiError, bad_parameter
from api.shapes import (
    Answer,
    AskedLongPage,
    AskedTime,
    Id,
    Time,
    cursor_of,
    cut,
    example,
    position_of,
)
from core.configuration import micros
from core.readings import Flag
from core.registry import Placement, Series
from core.times import DAY, iso
from storage import queries, registry

DEFAULT_RANGE = DAY
LONGEST_RAW = 31 * DAY
LONGEST_AGGREGATED = 366 * DAY

router = APIRouter(tags=["Readings"])


_HEAD = {
    "device": "patong-probe-1",
    "parameter": "turbidity",
    "site": "patong-beach",
    "places": [{"site": "patong-beach", "since": "2026-01-15T00:00:00Z"}],
    "unit": "[NTU]",
    "start": "2026-11-21T01:00:00Z",
    "end": "2026-11-22T01:00:00Z",
    "next": None,
}
_READING = {"measured_at": "2026-11-22T00:55:00Z", "value": 3.1, "flag": 1}
_WINDOW = {
    "start": "2026-11-22T00:00:00Z",
    "count": 12,
    "mean": 3.4,
    "minimum": 2.9,
    "maximum": 4.2,
}


class RawReading(Answer):
    """One reading."""

    model_config = example(_READING)

    measured_at: Time
    value: float
    flag: int = Field(description="1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")


class Window(Answer):
    """The readings of one window."""

    model_config = example(_WINDOW)

    start: Time
    count: int
    mean: float
    minimum: float
    maximum: float


class _History(Answer):
    """What was asked: readings from `start` up to, not with, `end`."""

    device: str
    parameter: str
    site: str = Field(description="Where it stands now.")
    places: list[Place] = Field(description="Where it stood in that time.")
    unit: str
    start: Time
    end: Time


class RawHistory(_History):
    """Readings in order of time."""

    model_config = example(_HEAD | {"items": [_READING]})

    items: list[RawReading]
    next: str | None


class AggregatedHistory(_History):
    """Windows in order of time, counted from 1970; those without a reading are left out."""

    model_config = example(_HEAD | {"every": "1h", "items": [_WINDOW]})

    every: str
    items: list[Window]
    next: str | None


def _flags(text: str) -> str:
    known = {str(int(flag)) for flag in Flag}
    if not set(text.split(",")) <= known:
        raise ValueError("should be flags with commas between them, such as 1,2")
    return text


def _length(every: str) -> int:
    return cast(int, micros(every))


def _every(text: str) -> str:
    if not _length(text):
        raise ValueError("write a duration such as 5m, 1h or 1d")
    return text


class AskedSeries(AskedLongPage):
    """Which part of the past, and how."""

    start: AskedTime | None = Field(None, description="With this; default 24 h before `end`.")
    end: AskedTime | None = Field(None, description="Without this; default now.")
    every: Annotated[str, AfterValidator(_every)] | None = Field(
        None, description="Length of the windows; none gives single readings.", examples=["1h"]
    )
    flags: Annotated[str, AfterValidator(_flags)] | None = Field(
        None, description="Only readings with these flags; none gives all.", examples=["1,2"]
    )


@router.get("/series/{device}/{parameter}")
def get_series(
    context: Context, device: Id, parameter: Id, asked: Annotated[AskedSeries, Query()]
) -> RawHistory | AggregatedHistory:
    """The past of a series: single readings of up to 31 days, or with `every` the count, mean,
    minimum and maximum of each window, of up to 366 days.
    """
    start, end = _range(asked, context.clock())
    (position,) = position_of(asked.cursor, int) or (start,)
    position = min(max(position, start), end)  # a default range moves on between two pages
    with queries.snapshot(context.readers) as connection:
        series = queries.series(connection, device, parameter)
        stood = registry.placements(connection, [device]).get(device, [])
    if series is None:
        raise ApiError("not-found", "This device has read no such parameter; see /v1/latest.")
    head = _head(context, series, stood, start, end)
    if asked.every is None:
        return _raw(context, series, asked, head, (position, end))
    return _aggregated(context, series, asked, asked.every, head, (position, end))


def _range(asked: AskedSeries, now: int) -> tuple[int, int]:
    end = now if asked.end is None else asked.end
    start = end - DEFAULT_RANGE if asked.start is None else asked.start
    if start >= end:
        raise bad_parameter("start", "should be before end, which is now where it is not given")
    if asked.every is None and end - start > LONGEST_RAW:
        words = "is more than 31 days before end; ask for less, or for windows such as every=1h"
        raise bad_parameter("start", words)
    if end - start > LONGEST_AGGREGATED:
        raise bad_parameter("start", "is more than 366 days before end; ask for one year at a time")
    return max(start, 0), end


def _raw(
    context: ApiContext,
    series: Series,
    asked: AskedSeries,
    head: Mapping[str, Any],
    span: tuple[int, int],
) -> RawHistory:
    position, end = span
    found = context.history.raw(series, position, end, limit=asked.limit + 1, flags=_wanted(asked))
    points, following = cut(found, asked.limit, lambda point: (point.measured_at + 1,))
    return RawHistory(
        **head,
        items=[
            RawReading(measured_at=iso(p.measured_at), value=p.value, flag=p.flag) for p in points
        ],
        next=following,
    )


def _aggregated(
    context: ApiContext,
    series: Series,
    asked: AskedSeries,
    every: str,
    head: Mapping[str, Any],
    span: tuple[int, int],
) -> AggregatedHistory:
    """A page is as many windows of time as `limit` says, so it may show fewer, even none."""
    position, end = span
    length = _length(every)
    until = min(end, (position // length + asked.limit) * length)
    buckets = context.history.aggregates(series, position, until, length, flags=_wanted(asked))
    return AggregatedHistory(
        **head,
        every=every,
        items=[
            Window(
                start=iso(b.start), count=b.count, mean=b.mean, minimum=b.minimum, maximum=b.maximum
            )
            for b in buckets
        ],
        next=cursor_of(until) if until < end else None,
    )


def _wanted(asked: AskedSeries) -> frozenset[int] | None:
    return None if asked.flags is None else frozenset(int(f) for f in asked.flags.split(","))


def _head(
    context: ApiContext, series: Series, stood: Sequence[Placement], start: int, end: int
) -> dict[str, Any]:
    moves = [place.since for place in stood[1:]]
    first, last = bisect_right(moves, start), bisect_left(moves, end) + 1
    return {
        "device": series.device,
        "parameter": series.parameter,
        "site": series.site,
        "places": places_of(stood[first:last]),
        "unit": context.unit_of(series.parameter),
        "start": iso(start),
        "end": iso(end),
    }
