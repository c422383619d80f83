"""Tests that look at one reading alone."""

from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np

from core.quality import FLAG_OF
from core.readings import IntColumn
from core.times import DAY, HOUR, SECOND
from ingest.quality.settings import CLOSE
from ingest.quality.view import FAIL, GOOD, NOT_EVALUATED, SUSPECT, Verdicts, View


def climatology(view: View) -> Verdicts:
    """SUSPECT beyond what this month and hour of the day bring at this place."""
    columns, settings = view.columns, view.settings
    month, hour = _local(columns.measured_at, settings.zone)
    number = settings.climate[columns.series]
    low, high = settings.climates[:, number, month, hour]
    value = columns.value
    verdicts: Verdicts = (~np.isnan(low)).astype(np.uint8)
    verdicts[(value < low) | (value > high)] = SUSPECT
    return verdicts


def gross_range(view: View) -> Verdicts:
    """FAIL beyond what the sensor can read, SUSPECT beyond what can be here."""
    value = view.columns.value
    low, high = view["sensor_span_low"], view["sensor_span_high"]
    least, most = view["user_span_low"], view["user_span_high"]
    verdicts = (~(np.isnan(low) & np.isnan(least))).astype(np.uint8)
    verdicts[(value < least) | (value > most)] = SUSPECT
    verdicts[(value < low) | (value > high)] = FAIL
    return verdicts


def sentinel(view: View) -> Verdicts:
    """FAIL for a number that stands for `no reading`."""
    value, sentinels = view.columns.value, view.settings.sentinels
    lowest, highest = view["sentinel_low"], view["sentinel_high"]
    verdicts = (~np.isnan(lowest)).astype(np.uint8)
    rows = ((value >= lowest) & (value <= highest)).nonzero()[0]
    if len(rows):
        listed = sentinels[view.columns.series[rows]]
        off = np.abs(listed - value[rows, np.newaxis])
        verdicts[rows[(off <= CLOSE * np.abs(listed)).any(axis=1)]] = FAIL
    return verdicts


def service(view: View) -> Verdicts:
    """The flag of a window of the service log that the reading was measured in."""
    columns = view.columns
    verdicts = np.zeros(len(columns), np.uint8)
    first, last = columns.measured_at.min(), columns.measured_at.max()
    starts, ends = view.settings.service_times
    for place in np.flatnonzero((starts <= last) & (ends > first)).tolist():
        window = view.settings.service[place]
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
    verdicts[(age < -ahead) | (age > late)] = SUSPECT
    if view.since is not None:
        verdicts[(view.since <= gap) & (verdicts == NOT_EVALUATED)] = GOOD
        verdicts[view.since > gap] = SUSPECT
    return verdicts


def _local(at: IntColumn, zone: tzinfo) -> tuple[Any, Any]:
    """Month (0 to 11) and hour on the clocks of a zone: of each, or of all together."""
    hours = at // HOUR
    first = int(hours[0])
    if (hours == first).all():
        moment = datetime.fromtimestamp(first * (HOUR // SECOND), UTC).astimezone(zone)
        if moment.minute == 0:  # else the hour of the clock changes within ours
            return moment.month - 1, moment.hour
    hours, which = np.unique(hours, return_inverse=True)
    offsets = np.array([_offset(hour, zone) for hour in hours.tolist()], np.int64)
    local = at + offsets[which]
    months = local.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    return months, local % DAY // HOUR


def _offset(hour: int, zone: tzinfo) -> int:
    """µs that the zone is ahead of UTC in that hour since 1970."""
    moment = datetime.fromtimestamp(hour * (HOUR // SECOND), UTC)
    ahead = moment.astimezone(zone).utcoffset()
    return round(ahead.total_seconds() * SECOND) if ahead else 0
