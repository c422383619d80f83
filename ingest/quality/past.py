"""What is known of the series before each row of a sequence, worked out when it is asked for."""

from functools import cached_property

import numpy as np

from core.model import IntColumn
from ingest.quality.neighbours import Hours
from ingest.quality.runs import Runs
from ingest.quality.sequence import Sequence
from ingest.quality.state import Records, State
from ingest.quality.steps import Steps
from ingest.quality.windows import Windows


class Past:
    """The past of the rows of a sequence."""

    def __init__(self, sequence: Sequence, state: State) -> None:
        self.sequence = sequence
        self._state = state

    @cached_property
    def hours(self) -> Hours:
        """Hours and neighbours."""
        return Hours.of(self.sequence, self._state)

    @cached_property
    def runs(self) -> Runs:
        """Flat runs."""
        return Runs.of(self.sequence)

    @cached_property
    def steps(self) -> Steps:
        """Steps from the readings before."""
        return Steps.of(self.sequence)

    @cached_property
    def windows(self) -> Windows:
        """Noise and spread."""
        return Windows.of(self.sequence, self._state.windows)

    @property
    def noisy(self) -> bool:
        """Whether any series asks for its noise."""
        return "noise_factor" in self.sequence.view.settings.uses

    def tails(self) -> Records:
        """What is to be remembered of each start's series, but for `tests` and `flag`."""
        sequence, ends = self.sequence, self.sequence.ends
        columns, uses = sequence.view.columns, sequence.view.settings.uses
        tails = sequence.tails.copy()
        tails["at"], tails["value"] = columns.measured_at[ends], columns.value[ends]
        tails["previous_at"] = sequence.previous_at[ends]
        tails["previous"] = sequence.previous[ends]
        tails["base_at"], tails["base"] = self.steps.base_at[ends], self.steps.base[ends]
        if "flat_tolerance" in uses:
            tails["run"] = self.runs.opened[:, ends].T
        if uses & {"attenuated", "noise_factor"}:
            for name in ("count", "low", "high", "steps", "moved"):
                tails[name] = self.windows.present[name]
        if "neighbours" in uses:
            tails["hour_count"], tails["hour_sum"] = self.hours.count, self.hours.total
        return tails

    def closed(self) -> tuple[IntColumn, Records]:
        """The series that closed a window or an hour, and what is to be remembered of them."""
        uses, closers = self.sequence.view.settings.uses, list[Windows | Hours]()
        if uses & {"attenuated", "noise_factor"}:
            closers.append(self.windows)
        if "neighbours" in uses:
            closers.append(self.hours)
        moved = np.unique(np.concatenate([np.empty(0, np.int64), *(c.moved for c in closers)]))
        series = self.sequence.series[moved]
        records = self._state.windows[series]
        for closer in closers:
            closer.write(records, np.searchsorted(moved, closer.moved))
        return series, records
