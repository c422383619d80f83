"""Stored readings judged again by the settings of now, in order of measurement, a little at a time.

It begins with an empty memory so long before the range that the tests remember by then what they
would have. A reading is concluded when nothing that follows can revise it any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np
from sqlalchemy import Connection

from core.annotations import Review
from core.quality import Codes
from core.readings import Columns, Revision
from core.registry import Series
from core.times import DAY, SECOND
from ingest.overrule import Overrule, series_of
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.single import timing
from ingest.quality.state import State
from ingest.quality.table import QUALITY_TESTS
from ingest.quality.view import View
from ingest.review import columns_from, conclude, whole_moments, with_verdicts
from storage.reviews import StoredReading, stored

WARM_UP = 3 * DAY  # longer than any test looks back
SLICE = DAY  # of event time in one step, and
CHUNK = 5000  # readings at most: live messages wait meanwhile

SettingsOf = Callable[[Sequence[Series]], QualitySettings]

TIMING = QUALITY_TESTS["timing"].place
_CAME = 3 << 2 * TIMING  # its bits in a code


class Reprocess:
    """One review on its way. What it has concluded is in the ledger; the rest is forgotten when the
    process ends, and made again.
    """

    def __init__(self, review: Review, all_of: QualitySettings, settings_of: SettingsOf) -> None:
        """Settings of all series, and what gives those of some, numbered anew."""
        series = all_of.series
        whole = series_of(series, review.device, ())
        beside = all_of.beside[whole]
        self._context = np.union1d(whole, beside[beside >= 0])
        chosen = [replace(series[i], index=n) for n, i in enumerate(self._context.tolist())]
        self._settings, self._state = settings_of(chosen), State(len(chosen))
        self._mine = series_of(series, review.device, review.parameters)
        self._reach = round(max((x.reach for x in self._settings.limits), default=0) * SECOND)
        self._at = review.through - WARM_UP
        self._open: dict[tuple[int, int], tuple[StoredReading, int]] = {}

    def step(
        self, connection: Connection, review: Review, overrule: Overrule, now: int
    ) -> tuple[Review, list[Revision]]:
        """The review after the next step, and what it changes."""
        until = min(self._at + SLICE, review.end + self._reach)
        rows = stored(connection, self._context.tolist(), self._at, until, CHUNK)
        rows, self._at = whole_moments(rows, CHUNK, until)
        self._judge(sorted(rows, key=attrgetter("series", "measured_at")), review)
        through = min(max(self._at - self._reach, review.through), review.end)
        done = sorted(key for key in self._open if key[1] < through)
        concluded = [self._open.pop(key) for key in done]
        tests = np.array([code for _, code in concluded], np.uint32)
        columns = columns_from([reading for reading, _ in concluded])
        return conclude(replace(review, through=through), columns, tests, overrule, now)

    def _judge(self, rows: Sequence[StoredReading], review: Review) -> None:
        """Judge readings, those of one series in order; those of the review stay open."""
        if not rows:
            return
        tests, revisions = self._tests(columns_from(rows))
        for row, code in zip(rows, tests.tolist(), strict=True):
            if row.series in self._mine and review.through <= row.measured_at < review.end:
                self._open[row.series, row.measured_at] = row, code
        for revision in revisions:
            key = int(self._context[revision.series]), revision.measured_at
            if key in self._open:
                row, code = self._open[key]
                self._open[key] = row, revision.tests & ~_CAME | code & _CAME

    def _tests(self, columns: Columns) -> tuple[Codes, Sequence[Revision]]:
        """What the tests say of these readings and revise of earlier ones, as if each had come when
        it was measured; only how it really came is judged as it was.
        """
        here = replace(columns, series=np.searchsorted(self._context, columns.series))
        came = timing(View.of(here, self._settings, self._state.measured_at))
        in_time = replace(here, received_at=here.measured_at)
        checked = check(in_time, self._state, self._settings)
        self._state.accept(checked.moved)
        return with_verdicts(checked.columns.tests, TIMING, came), checked.revisions
