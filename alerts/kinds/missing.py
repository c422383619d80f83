"""`missing`: silence of a device or a gateway, in units of the interval in which it should report.

Silence is measured by reception, in listening time: nothing counts in which we could not hear.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.levels import Levels
from core.alerts import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """`of` is device or gateway; `every` the expected interval (µs) where no profile tells it."""

    of: str = "device"
    every: int = 0


def spans(levels: Levels, interval: int) -> Mapping[Severity, int]:
    """After how much silence (µs) each severity is breached, the mildest first.

    >>> from alerts.levels import above
    >>> spans(Levels(spans={Severity.WARNING: above(3.0)}, clear=above(3.0)), 1000)
    {<Severity.WARNING: 2>: 3000}
    """
    return {s: round(levels.spans[s].high * interval) for s in sorted(levels.spans)}
