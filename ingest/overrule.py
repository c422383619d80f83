"""An officer's word counts for more than the tests': annotations put on the flags of readings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.annotations import FLAG_OF, Annotation, Service
from core.catalogue import CATALOGUE
from core.readings import IntColumn, Revision
from core.registry import Series
from ingest.quality.check import Checked
from ingest.quality.settings import ServiceWindow

Flags = NDArray[np.uint8]
_HEALTH = frozenset(key for key, p in CATALOGUE.items() if p.group == "health")
FOREVER = int(np.iinfo(np.int64).max)


class Overrule:
    """The annotations in force; of two that concern a reading, the later one counts."""

    def __init__(self, annotations: Sequence[Annotation], series: Sequence[Series]) -> None:
        """`annotations` in the order in which they were made."""
        of = by_device(series)
        self._each = [(a, _chosen(of.get(a.device, ()), a.parameters)) for a in annotations]
        self._start = np.array([a.start for a in annotations], np.int64)
        self._end = np.array([a.end for a in annotations], np.int64)

    def flags(self, series: IntColumn, measured_at: IntColumn, flag: Flags) -> Flags:
        """The flags of these readings, given those by the tests."""
        if not len(series):
            return flag
        first, last = measured_at.min(), measured_at.max()
        for place in np.flatnonzero((self._start <= last) & (self._end > first)):
            annotation, mine = self._each[place]
            within = (measured_at >= annotation.start) & (measured_at < annotation.end)
            flag = np.where(within & np.isin(series, mine), np.uint8(annotation.flag), flag)
        return flag

    def applied(self, checked: Checked) -> Checked:
        """A batch as officers see it; what is remembered of it stays what the tests said."""
        columns = checked.columns
        flag = self.flags(columns.series, columns.measured_at, columns.flag)
        if flag is columns.flag and not checked.revisions:
            return checked
        revisions = [self._revision(r) for r in checked.revisions]
        return replace(checked, columns=replace(columns, flag=flag), revisions=revisions)

    def _revision(self, r: Revision) -> Revision:
        """A reading that an officer spoke of keeps its flag, whatever the tests say now."""
        series, at = np.array([r.series]), np.array([r.measured_at])
        before, now = (
            int(self.flags(series, at, np.array([flag], np.uint8))[0])
            for flag in (r.flag_before, r.flag)
        )
        return r._replace(flag_before=before, flag=now)


def windows(log: Sequence[Service], series: Sequence[Series]) -> list[ServiceWindow]:
    """The service log by series. What a device says of itself, such as its battery, is true whoever
    works on it.
    """
    of = by_device(series)
    return [
        ServiceWindow(
            s.index, entry.start, FOREVER if entry.end is None else entry.end, FLAG_OF[entry.work]
        )
        for entry in log
        for s in of.get(entry.device, ())
        if s.parameter not in _HEALTH
    ]


def series_of(series: Sequence[Series], device: str, parameters: Sequence[str]) -> IntColumn:
    """The numbers of a device's series: of these parameters, or of all."""
    return _chosen([s for s in series if s.device == device], parameters)


def by_device(series: Sequence[Series]) -> Mapping[str, Sequence[Series]]:
    """The series of each device."""
    found: dict[str, list[Series]] = {}
    for s in series:
        found.setdefault(s.device, []).append(s)
    return found


def _chosen(mine: Sequence[Series], parameters: Sequence[str]) -> IntColumn:
    chosen = [s.index for s in mine if not parameters or s.parameter in parameters]
    return np.array(chosen, np.int64)
