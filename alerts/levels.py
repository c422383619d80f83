"""Levels: where a value is all right, how bad it is beyond, and where an alert may end. Pure.

A value *breaches* a severity strictly outside of its span; it is *clear* inside the clear span,
ends included; between the two an alert stays as it is (hysteresis).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from core.alerts import Severity


class Span(NamedTuple):
    """From `low` to `high`, both included; infinite where a side has no bound."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value lies inside."""
        return self.low <= value <= self.high

    def within(self, other: "Span") -> bool:
        """Whether all of it lies inside the other."""
        return other.low <= self.low and self.high <= other.high


def above(level: float) -> Span:
    """All right up to and with the level."""
    return Span(-math.inf, level)


def below(level: float) -> Span:
    """All right down to and with the level."""
    return Span(level, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A span in which all is right for each severity, worse ones wider, and the clear span, which
    lies within all of them.
    """

    spans: Mapping[Severity, Span]
    clear: Span

    @property
    def mildest(self) -> Severity:
        """The severity that is breached first."""
        return min(self.spans)

    def breached(self, value: float) -> Severity | None:
        """The worst severity that `value` breaches; None when it breaches none."""
        worst = None
        for severity, (low, high) in self.spans.items():
            if not low <= value <= high and (worst is None or severity > worst):
                worst = severity
        return worst

    def is_clear(self, value: float) -> bool:
        """Whether an alert may end."""
        return self.clear.low <= value <= self.clear.high

    def eased(self, value: float, severity: Severity) -> Severity:
        """The severity that is left once `value` has come back: a level is left with the same
        margin with which the alert clears, so that a value that dances on a level changes nothing.
        """
        kept = [s for s in self.spans if s <= severity and not self.left(s).holds(value)]
        return max(kept, default=self.mildest)

    def left(self, severity: Severity) -> Span:
        """Where a severity is left: its span, drawn in by the margin between the mildest span and
        the clear span.
        """
        (low, high), mildest = self.spans[severity], self.spans[self.mildest]
        return Span(
            low + _margin(self.clear.low, mildest.low),
            high - _margin(mildest.high, self.clear.high),
        )

    def beyond(self, value: float, severity: Severity) -> tuple[str, float]:
        """On which side of the severity's span the value is, or to which it is closer, and the
        level there.
        """
        low, high = self.spans[severity]
        return ("above", high) if high - value < value - low else ("below", low)


def _margin(high: float, low: float) -> float:
    """How far apart they are; nothing where a side has no bound."""
    return high - low if math.isfinite(high) and math.isfinite(low) else 0.0
