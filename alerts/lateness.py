"""Which readings come too late to drive a rule. Times in µs."""

from dataclasses import dataclass, field

from core.readings import BoolColumn, Columns
from core.times import MINUTE


@dataclass(slots=True)
class Lateness:
    """Later than `bound` after it was measured is too late.

    `set_back` tells when our clock was set back: what had been heard by then, and what the clock
    showed. Until it has caught up, what comes is stamped right behind that moment. How late it came
    nobody knows then, but that it came after the clock was set.
    """

    bound: int
    set_back: list[tuple[int, int]] = field(default_factory=list)

    def soon(self, columns: Columns) -> BoolColumn:
        """Which readings came soon enough."""
        received, measured = columns.received_at, columns.measured_at
        soon: BoolColumn = received - measured <= self.bound
        for heard, clock in self.set_back:
            waited = (received > heard) & (received <= heard + max(self.bound, MINUTE))
            soon = soon | (waited & (measured >= clock - self.bound))
        return soon
