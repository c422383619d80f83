"""What happens at one place on top of its ordinary days: pure, like the days themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.times import MINUTE
from simulators.chance import smooth


class EventKind(StrEnum):
    """What can be scripted."""

    FULL_BIN = "full-bin"  # market day: a bin fills quickly and is emptied at the end
    HAZE = "haze"  # smoke over an air station
    PLUME = "plume"  # turbid, fresher water at a beach


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something at `site` from `start` to `end` (µs)."""

    kind: EventKind
    site: str
    start: int
    end: int

    def strength(self, time: int, *, rise: int, fall: int) -> float:
        """0 before, up within `rise` (µs) after `start`, 1 until `end`, 0 again after `fall`."""
        return smooth((time - self.start) / rise) * (1 - smooth((time - self.end) / fall))


def plume(events: Iterable[Event], site: str, time: int) -> float:
    """How much of a plume lies over `site`, 0 to 1: its front is sharp, its tail is long."""
    return max(
        (
            e.strength(time, rise=MINUTE // 2, fall=20 * MINUTE)
            for e in events
            if e.kind is EventKind.PLUME and e.site == site
        ),
        default=0.0,
    )


def haze(events: Iterable[Event], site: str, time: int) -> float:
    """How much smoke hangs over `site`: 0.5 within half a minute, then slowly up to 1."""
    return max(
        (
            0.5 * e.strength(time, rise=MINUTE // 2, fall=30 * MINUTE)
            + 0.5 * e.strength(time, rise=24 * MINUTE, fall=30 * MINUTE)
            for e in events
            if e.kind is EventKind.HAZE and e.site == site
        ),
        default=0.0,
    )
