"""All tests over a batch: flags as of arrival, revisions of what came before, the state after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.model import Columns, Flag, Revision
from core.quality import rollups
from ingest.quality.settings import QualitySettings
from ingest.quality.state import Moved, State
from ingest.quality.table import QUALITY_TESTS
from ingest.quality.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A batch with its flags as they were when it came. `revisions` are in order of what caused
    them; `moved` becomes official with the commit (`State.accept`).
    """

    columns: Columns
    revisions: Sequence[Revision]
    moved: Moved


def check(columns: Columns, state: State, settings: QualitySettings) -> Checked:
    """Judge a batch: sorted by series and arrival, where `received_at` is the same within a message
    and rises from one to the next.

    Pure and total. How the stream is cut into batches changes nothing.
    """
    view = View.of(columns, settings)
    tests = np.zeros(len(columns), np.uint32)
    for test in QUALITY_TESTS.values():
        tests |= test.judge(view).astype(np.uint32) << np.uint32(2 * test.place)
    flag = rollups(tests)
    missing = np.isnan(columns.value)
    flag[missing], tests[missing] = Flag.MISSING, 0
    checked = replace(columns, flag=flag, tests=tests)
    return Checked(columns=checked, revisions=(), moved=_moved(checked, state))


def _moved(columns: Columns, state: State) -> Moved:
    series = np.unique(columns.series)
    newest = columns.newest()
    at = state.measured_at[series]
    at[np.searchsorted(series, columns.series[newest])] = columns.measured_at[newest]
    none = np.empty(0, np.int64)
    return Moved(
        series=series,
        measured_at=at,
        tails=state.tails[series],
        windowed=none,
        windows=state.windows[none],
    )
