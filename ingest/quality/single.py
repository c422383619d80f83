"""Tests that look at one reading alone."""

from datetime import UTC, datetime, tzinfo
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.model import DAY, HOUR, SECOND, FloatColumn, IntColumn
from core.quality import FLAG_OF, Climate, Verdict
from ingest.quality.view import Verdicts, View

_CLOSE = 1e-6  # a sentinel that went through a float32 is still one


def climatology(view: View) -> Verdicts:
    """SUSPECT beyond what this month and hour of the day bring at this place."""
    columns, settings = view.columns, view.settings
    number = settings.climate[columns.series]
    verdicts = np.zeros(len(columns), np.uint8)
    for each in np.unique(number[number >= 0]).tolist():
        climates = settings.climates[each]
        rows = np.flatnonzero(number == each)
        month, hour = _local(columns.measured_at[rows], settings.zone)
        low, high = _bounds(climates)[:, month, hour]
        value = columns.value[rows]
        beyond = (value < low) | (value > high)
        found = np.where(beyond, Verdict.SUSPECT, Verdict.GOOD)
        verdicts[rows] = np.where(np.isnan(low), Verdict.NOT_EVALUATED, found)
    return verdicts


def gross_range(view: View) -> Verdicts:
    """FAIL beyond what the sensor can read, SUSPECT beyond what can be here."""
    value = view.columns.value
    low, high = view["sensor_span_low"], view["sensor_span_high"]
    least, most = view["user_span_low"], view["user_span_high"]
    verdicts = (~(np.isnan(low) & np.isnan(least))).astype(np.uint8)
    verdicts[(value < least) | (value > most)] = Verdict.SUSPECT
    verdicts[(value < low) | (value > high)] = Verdict.FAIL
    return verdicts


def sentinel(view: View) -> Verdicts:
    """FAIL for a number that stands for `no reading`."""
    sentinels = view.settings.sentinels[view.columns.series]
    off = np.abs(sentinels - view.columns.value[:, np.newaxis])
    verdicts = (~np.isnan(sentinels[:, 0])).astype(np.uint8)
    verdicts[(off <= _CLOSE * np.abs(sentinels)).any(axis=1)] = Verdict.FAIL
    return verdicts


def service(view: View) -> Verdicts:
    """The flag of a window of the service log that the reading was measured in."""
    columns = view.columns
    verdicts = np.zeros(len(columns), np.uint8)
    first, last = columns.measured_at.min(), columns.measured_at.max()
    for window in view.settings.service:
        if window.start <= last and window.end > first:
            start, end = np.searchsorted(columns.series, [window.series, window.series + 1])
            at = columns.measured_at[start:end]
            within = (at >= window.start) & (at < window.end)
            verdict = int(np.flatnonzero(window.flag == FLAG_OF)[0])
            verdicts[start:end][within] = np.maximum(verdicts[start:end][within], verdict)
    return verdicts


def timing(view: View) -> Verdicts:
    """SUSPECT when measured too long after, or before, it was received, or after the last one."""
    columns = view.columns
    age = (columns.received_at - columns.measured_at).astype(np.float64)
    ahead, late, gap = view["ahead"], view["late"], view["gap"]
    verdicts = (~(np.isnan(ahead) & np.isnan(late))).astype(np.uint8)
    verdicts[(age < -ahead) | (age > late)] = Verdict.SUSPECT
    if view.since is not None:
        verdicts[(view.since <= gap) & (verdicts == Verdict.NOT_EVALUATED)] = Verdict.GOOD
        verdicts[view.since > gap] = Verdict.SUSPECT
    return verdicts


@cache
def _bounds(climates: tuple[Climate, ...]) -> FloatColumn:
    """Least and most by month and hour; NaN where nothing is said. The last that speaks counts."""
    bounds = np.full((2, 12, 24), np.nan)
    for climate in climates:
        for month in climate.months:
            for hour in climate.hours:
                bounds[:, month - 1, hour] = climate.span
    return bounds


def _local(at: IntColumn, zone: tzinfo) -> tuple[IntColumn, IntColumn]:
    """Month (0 to 11) and hour on the clocks of a zone."""
    hours, which = np.unique(at // HOUR, return_inverse=True)
    offsets = np.array([_offset(hour, zone) for hour in hours.tolist()], np.int64)
    local = at + offsets[which]
    months: NDArray[np.int64] = (
        local.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    )
    return months, local % DAY // HOUR


def _offset(hour: int, zone: tzinfo) -> int:
    """µs that the zone is ahead of UTC in that hour since 1970."""
    moment = datetime.fromtimestamp(hour * (HOUR // SECOND), UTC)
    ahead = moment.astimezone(zone).utcoffset()
    return round(ahead.total_seconds() * SECOND) if ahead else 0
