"""How complete each device was on each day: one query over the readings of those days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from core.readings import Flag, IntColumn
from storage import schema

UP_FOR = 3
"""A device counts as up for so many intervals after each report."""

_ROW = np.dtype([("at", np.int64), ("series", np.int64), ("flag", np.int64)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Readings as columns of equal length, in order of `at` (µs)."""

    at: IntColumn
    series: IntColumn
    flag: IntColumn

    def take(self, rows: IntColumn | slice) -> "Heard":
        """These readings."""
        return Heard(at=self.at[rows], series=self.series[rows], flag=self.flag[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What came from a device on one day; times in µs.

    `received` counts reports: the readings of the parameter that came most often. `expected` and
    `up`, the time in which the device was up, are None where nobody said how often it reports.
    `gap` is the longest time without a report.
    """

    start: int
    expected: int | None
    received: int
    readings: int
    flags: Mapping[Flag, int]
    gap: int
    up: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDays:
    """A device, how often it should report (µs, 0 if unknown), and its days."""

    device: str
    site: str
    interval: int
    days: Sequence[Day]


def device_days(
    connection: Connection,
    borders: Sequence[int],
    intervals: Mapping[str, int],
    *,
    device: str | None = None,
    after: str = "",
    limit: int = 1,
) -> list[DeviceDays]:
    """The days of devices by id, at most `limit` of them, or of the one that is asked for.

    A day lasts from one of `borders` to the next (µs); `intervals` are by model.
    """
    d = schema.devices.c
    chosen = d.id > after if device is None else d.id == device
    found = connection.execute(
        select(d.id, d.site, d.model).where(chosen).order_by(d.id).limit(limit)
    )
    devices = [(name, site, intervals.get(model, 0)) for name, site, model in found]
    if not devices:
        return []
    earlier = UP_FOR * max(interval for _, _, interval in devices)
    names = [name for name, _, _ in devices]
    heard = _heard(connection, names, borders[0] - earlier, borders[-1])
    return [
        DeviceDays(
            device=name,
            site=site,
            interval=interval,
            days=[day(heard[name], start, end, interval) for start, end in pairwise(borders)],
        )
        for name, site, interval in devices
    ]


def day(heard: Heard, start: int, end: int, interval: int) -> Day:
    """What a device's readings say of the time from `start` to `end`; `heard` goes back so far that
    the device may have been up at `start`.
    """
    first, last = np.searchsorted(heard.at, [start, end])
    here = heard.take(slice(first, last))
    flags = np.bincount(here.flag, minlength=Flag.MISSING + 1)
    moments = np.concatenate([[start], here.at, [end]])
    return Day(
        start=start,
        expected=(end - start) // interval if interval else None,
        received=int(np.unique(here.series, return_counts=True)[1].max(initial=0)),
        readings=len(here.at),
        flags={flag: int(flags[flag]) for flag in Flag},
        gap=int(np.diff(moments).max()),
        up=_up(heard.at[:last], start, end, UP_FOR * interval) if interval else None,
    )


def _up(at: IntColumn, start: int, end: int, lasting: int) -> float:
    """The share of the time in which the last report was not older than `lasting`."""
    until = np.minimum(at + lasting, np.append(at[1:], end))
    covered = np.clip(until, start, end) - np.clip(at, start, end)
    return float(covered.sum() / (end - start))


def _heard(
    connection: Connection, devices: Sequence[str], start: int, end: int
) -> Mapping[str, Heard]:
    """The readings of each device, from `start` to before `end`."""
    s, r = schema.series.c, schema.readings.c
    mine = s.device.between(devices[0], devices[-1])
    numbers = {name: number for number, name in enumerate(devices)}
    series = connection.execute(select(s.id, s.device).where(mine)).all()
    owner = np.full(max((row.id for row in series), default=0) + 1, -1)
    for row in series:
        owner[row.id] = numbers.get(row.device, -1)  # a device that has left the configuration
    statement = (
        select(r.measured_at, r.series, r.flag)
        .where(r.measured_at >= start, r.measured_at < end, r.series.in_(select(s.id).where(mine)))
        .order_by(r.measured_at)
    )
    result: Any = connection.execute(statement)
    rows = np.fromiter(result.cursor, _ROW)  # as the driver gives them: there may be a million
    owners = owner[rows["series"]]
    order = np.argsort(owners, kind="stable")
    rows, bounds = rows[order], np.searchsorted(owners[order], np.arange(len(devices) + 1))
    return {
        name: Heard(at=rows["at"][a:b], series=rows["series"][a:b], flag=rows["flag"][a:b])
        for name, (a, b) in zip(devices, pairwise(bounds.tolist()), strict=True)
    }
