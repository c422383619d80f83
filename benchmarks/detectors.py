"""Our detectors over one series, and when the alerts of a rule would begin."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly import lately, layout, parameters
from alerts.anomaly.calendar import Clock
from alerts.anomaly.stream import Kinds, follow
from alerts.kinds.anomaly import CLEARS
from alerts.levels import Levels, Span
from alerts.lifecycle import Sample, step
from alerts.rules import Terms
from core.alerts import Severity, State
from core.readings import BoolColumn, FloatColumn, IntColumn
from core.times import HOUR


def months(
    at: IntColumn, value: FloatColumn, zone: str, *, floor: float, tidal: bool = False
) -> FloatColumn:
    """How rare each reading of a series is; `value` is on the scale on which it is compared."""
    kinds = Kinds(np.array([floor]), np.array([float(tidal)]))
    which = np.zeros(len(at), np.int64)
    told = lately.lately(lately.nothing(1), kinds.floor, which, value, at)
    return follow(layout.nothing(1), kinds, which, told, Clock(ZoneInfo(zone)).times(at)).months


def months_of(parameter: str, at: IntColumn, value: FloatColumn, zone: str) -> FloatColumn:
    """The same of a parameter of the catalogue."""
    scale = parameters.scaled(parameter, value)
    return months(at, scale, zone, floor=parameters.floor(parameter))


def terms(asked: float, hold: int = 0) -> Terms:
    """Those of a rule that tells what is rarer than once in so many months."""
    levels = Levels(
        spans={Severity.INFO: Span(-asked, asked)}, clear=Span(-asked * CLEARS, asked * CLEARS)
    )
    return Terms(levels=levels, hold=hold, clear_hold=HOUR)


def beginnings(at: IntColumn, value: FloatColumn, asked: Terms) -> Iterable[int]:
    """The times (µs) at which alerts begin to fire."""
    watch = None
    for measured_at, one in zip(at.tolist(), value.tolist(), strict=True):
        watch, changes = step(watch, asked, Sample(measured_at, measured_at, one))
        yield from (c.at for c in changes if c.after is State.FIRING and c.before != c.after)


def detected(at: IntColumn, value: FloatColumn, asked: Terms) -> BoolColumn:
    """Whether an alert begins at each of these times."""
    found: BoolColumn = np.isin(at, list(beginnings(at, value, asked)))
    return found
