"""`/v1/quality/daily`: how complete and how good the readings of each device were on each day."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import ApiContext, Context
from api.problems import bad_parameter
from api.shapes import Answer, AskedLongPage, Id, Page, cursor_of, example, position_of
from core.readings import Flag
from core.times import SECOND, from_micros, to_micros
from storage import daily, queries
from storage.daily import Day, DeviceDays

router = APIRouter(tags=["Quality"])

DEFAULT_DAYS = 7
MOST_DAYS = 31
EARLIEST = date(1970, 1, 2)


class FlagShares(Answer):
    """The share of each flag among the readings, 0 to 1."""

    model_config = example({"good": 0.97, "not_evaluated": 0.0, "suspect": 0.02, "fail": 0.01})

    good: float
    not_evaluated: float
    suspect: float
    fail: float


class DeviceDay(Answer):
    """One device on one day."""

    model_config = example(
        {
            "device": "patong-probe-1",
            "site": "patong-beach",
            "day": "2026-11-21",
            "interval": 300.0,
            "expected": 288,
            "received": 280,
            "completeness": 0.9722,
            "uptime": 0.9896,
            "longest_gap": 1800.0,
            "readings": 1960,
            "flags": {"good": 0.97, "not_evaluated": 0.0, "suspect": 0.02, "fail": 0.01},
        }
    )

    device: str
    site: str
    day: str = Field(description="In the city's time zone; today as far as it is over.")
    interval: float | None = Field(
        description="How often a report is due, in seconds, by the profile of the device's model."
    )
    expected: int | None = Field(description="Reports that were due; null without an interval.")
    received: int = Field(
        description="Reports that came: the readings of the parameter that came most often."
    )
    completeness: float | None = Field(description="Received by expected, at most 1.")
    uptime: float | None = Field(
        description="Share of the day in which the last report was no older than three intervals."
    )
    longest_gap: float = Field(description="The longest time without a report, in seconds.")
    readings: int
    flags: FlagShares | None = Field(description="Null where there are no readings.")


class DeviceDayList(Page[DeviceDay]):
    """Days by device."""


class AskedDays(AskedLongPage):
    """Which days, of which devices."""

    device: Id | None = Field(None, description="Only this device.")
    first: date | None = Field(
        None, ge=EARLIEST, alias="from", description="The first day; default six days before `to`."
    )
    last: date | None = Field(
        None, ge=EARLIEST, alias="to", description="The last day; default today."
    )


@router.get("/quality/daily")
def list_device_days(context: Context, asked: Annotated[AskedDays, Query()]) -> DeviceDayList:
    """Completeness, uptime and flags of each device on each day, of up to 31 days."""
    borders = _borders(context, asked)
    days = len(borders) - 1
    (after,) = position_of(asked.cursor, str) or ("",)
    most = max(1, asked.limit // days)
    with queries.snapshot(context.readers) as connection:
        found = daily.device_days(
            connection,
            borders,
            context.intervals,
            device=asked.device,
            after=after,
            limit=most + 1,
        )
    if asked.device is not None and not found:
        raise bad_parameter("device", "is not known; /v1/devices lists them")
    items = [_told(context, one, day) for one in found[:most] for day in one.days]
    more = len(found) > most
    return DeviceDayList(items=items, next=cursor_of(found[most - 1].device) if more else None)


def _borders(context: ApiContext, asked: AskedDays) -> list[int]:
    """When each day begins, µs, and when the last one ends, or the present."""
    now = context.clock()
    today = from_micros(now - 1).astimezone(context.zone).date()
    last = min(asked.last or today, today)
    first = asked.first or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > today:
        raise bad_parameter("from", "is in the future")
    if first > last:
        raise bad_parameter("from", "should not be after to, which is today where it is not given")
    if (last - first).days >= MOST_DAYS:
        raise bad_parameter("from", f"is more than {MOST_DAYS} days before to; ask for less")
    days = [first + timedelta(days=n) for n in range((last - first).days + 2)]
    return [min(now, _midnight(context, day)) for day in days]


def _midnight(context: ApiContext, day: date) -> int:
    return to_micros(datetime.combine(day, time(), context.zone))


def _told(context: ApiContext, one: DeviceDays, day: Day) -> DeviceDay:
    complete = None if not day.expected else min(1.0, day.received / day.expected)
    return DeviceDay(
        device=one.device,
        site=one.site,
        day=from_micros(day.start).astimezone(context.zone).date().isoformat(),
        interval=one.interval / SECOND or None,
        expected=day.expected,
        received=day.received,
        completeness=None if complete is None else round(complete, 4),
        uptime=None if day.up is None else round(day.up, 4),
        longest_gap=day.gap / SECOND,
        readings=day.readings,
        flags=_shares(day) if day.readings else None,
    )


def _shares(day: Day) -> FlagShares:
    share = {flag: round(count / day.readings, 4) for flag, count in day.flags.items()}
    return FlagShares(
        good=share[Flag.GOOD],
        not_evaluated=share[Flag.NOT_EVALUATED],
        suspect=share[Flag.SUSPECT],
        fail=share[Flag.FAIL],
    )
