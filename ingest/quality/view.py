"""What a test may look at: the rows of a batch, and for each row the settings of its series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.quality import Verdict
from core.readings import Columns, FloatColumn, IntColumn
from ingest.quality.settings import PLACE, QualitySettings
from ingest.quality.state import NEVER

Verdicts = NDArray[np.uint8]  # `core.quality.Verdict`, one for each row
NOT_EVALUATED, GOOD, SUSPECT, FAIL = (np.uint8(verdict) for verdict in Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Rows, and `numbers`, the settings by name (`PLACE`) and row. `since` is the time since the
    series' newest reading, µs, NaN for a late one; None where no series asks for it.
    """

    columns: Columns
    settings: QualitySettings
    numbers: FloatColumn
    since: FloatColumn | None = None

    @staticmethod
    def of(columns: Columns, settings: QualitySettings, newest: IntColumn) -> "View":
        """The view of these rows, after the `newest` times of all series."""
        numbers = settings.numbers.take(columns.series, axis=1)
        since = _since(columns, newest) if "gap" in settings.uses else None
        return View(columns=columns, settings=settings, numbers=numbers, since=since)

    def take(self, rows: IntColumn) -> "View":
        """These rows alone."""
        return View(
            columns=self.columns.take(rows),
            settings=self.settings,
            numbers=self.numbers.take(rows, axis=1),
            since=None if self.since is None else self.since[rows],
        )

    def __getitem__(self, name: str) -> FloatColumn:
        """A setting by row; NaN where it is not set."""
        found: FloatColumn = self.numbers[PLACE[name]]
        return found


def _since(columns: Columns, newest: IntColumn) -> FloatColumn:
    rows = (~columns.late).nonzero()[0]
    series, at = columns.series[rows], columns.measured_at[rows]
    before = newest[series]
    same = series[1:] == series[:-1]
    before[1:][same] = at[:-1][same]
    since = np.full(len(columns), np.nan)
    since[rows] = np.where(before == NEVER, np.nan, at - before)
    return since
