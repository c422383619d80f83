"""What is known of the series before each row of a sequence, worked out when it is asked for."""

from functools import cached_property

import numpy as np

from core.readings import IntColumn
from ingest.quality.neighbours import Hours
from ingest.quality.runs import Runs
from ingest.quality.sequence import Sequence
from ingest.quality.state import WINDOW, Records, State, taken
from ingest.quality.steps import Steps
from ingest.quality.windows import Windows

_NONE, _NOTHING = np.empty(0, np.int64), np.empty(0, WINDOW)


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

    @property
    def windowed(self) -> bool:
        """Whether any series asks for what windows tell."""
        return bool(self.sequence.view.settings.uses & {"attenuated", "noise_factor"})

    def tails(self) -> Records:
        """What is to be remembered of each start's series, but for `tests`. To be asked
        last: they are written over the tails of the sequence.
        """
        sequence, ends = self.sequence, self.sequence.ends
        columns, uses, steps = sequence.view.columns, sequence.view.settings.uses, self.steps
        found = {
            "at": columns.measured_at[ends],
            "value": columns.value[ends],
            "previous_at": sequence.previous_at[ends],
            "previous": sequence.previous[ends],
            "base_at": steps.base_at[ends],
            "base": steps.base[ends],
        }
        if "flat_tolerance" in uses:
            found["run"] = self.runs.opened[:, ends].T
        if self.windowed:
            present = self.windows.present
            found |= {name: present[name] for name in ("count", "low", "high", "steps", "moved")}
        if "neighbours" in uses:
            found |= {"hour_count": self.hours.count, "hour_sum": self.hours.total}
        tails = sequence.tails  # ours, and needed no more as they were
        for name, column in found.items():
            tails[name] = column
        return tails

    def closed(self) -> tuple[IntColumn, Records]:
        """The series that closed a window or an hour, and what is to be remembered of them."""
        closers = list[Windows | Hours]()
        if self.windowed:
            closers.append(self.windows)
        if "neighbours" in self.sequence.view.settings.uses:
            closers.append(self.hours)
        moved = closers[0].moved if len(closers) == 1 else _NONE
        if len(closers) > 1 and any(len(closer.moved) for closer in closers):
            moved = np.unique(np.concatenate([closer.moved for closer in closers]))
        if not len(moved):
            return _NONE, _NOTHING
        series = self.sequence.series[moved]
        records = taken(self._state.windows, series)
        for closer in closers:
            if len(closer.moved):
                closer.write(records, np.searchsorted(moved, closer.moved))
        return series, records
