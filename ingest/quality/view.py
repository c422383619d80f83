"""What a test may look at: the rows of a batch, and for each row the settings of its series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model import Columns, FloatColumn
from ingest.quality.settings import PLACE, QualitySettings

Verdicts = NDArray[np.uint8]  # `core.quality.Verdict`, one for each row


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Rows, and `numbers`, the settings by name (`PLACE`) and row."""

    columns: Columns
    settings: QualitySettings
    numbers: FloatColumn

    @staticmethod
    def of(columns: Columns, settings: QualitySettings) -> "View":
        """The view of these rows."""
        numbers = settings.numbers.take(columns.series, axis=1)
        return View(columns=columns, settings=settings, numbers=numbers)

    def __getitem__(self, name: str) -> FloatColumn:
        """A setting by row; NaN where it is not set."""
        found: FloatColumn = self.numbers[PLACE[name]]
        return found
