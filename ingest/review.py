"""Stored readings are looked at again, a little at a time: their flags become what the tests said,
with the service log as it is now, and with what officers say.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from core.annotations import Review
from core.quality import Codes, rollups
from core.readings import Columns, Revision
from core.times import DAY
from ingest.overrule import Overrule, series_of
from ingest.quality.settings import QualitySettings
from ingest.quality.single import service
from ingest.quality.state import NEVER, Moved, State
from ingest.quality.table import QUALITY_TESTS
from ingest.quality.view import Verdicts, View
from storage.reviews import StoredReading, stored

SLICE = DAY  # of event time that is looked at in one step, and
CHUNK = 2000  # readings at most: live messages wait meanwhile

SERVICE = QUALITY_TESTS["service"].place


def look_again(
    connection: Connection,
    review: Review,
    settings: QualitySettings,
    overrule: Overrule,
    now: int,
) -> tuple[Review, list[Revision]]:
    """The next step of a review: how far it has come after it, and what it changes."""
    mine = series_of(settings.series, review.device, review.parameters).tolist()
    until = min(review.end, review.through + SLICE)
    rows = stored(connection, mine, review.through, until, CHUNK)
    rows, until = whole_moments(rows, CHUNK, until)
    columns = columns_from(rows)
    tests = columns.tests
    if rows:
        said = service(View.of(columns, settings, np.full(len(settings.series), NEVER)))
        tests = with_verdicts(tests, SERVICE, said)
    return conclude(replace(review, through=until), columns, tests, overrule, now)


def whole_moments(
    rows: list[StoredReading], most: int, until: int
) -> tuple[list[StoredReading], int]:
    """Rows in order of time, which go up to `until` or are the first `most` of those: without the
    last moment, if there may be more readings of it; and up to where they go.
    """
    if len(rows) < most:
        return rows, until
    last = rows[-1].measured_at
    return [row for row in rows if row.measured_at < last], last


def with_verdicts(tests: Codes, place: int, verdicts: Verdicts) -> Codes:
    """Codes in which the test at that place says something else."""
    bits = np.uint32(2 * place)
    return tests & ~(np.uint32(3) << bits) | verdicts.astype(np.uint32) << bits


def conclude(
    review: Review, columns: Columns, tests: Codes, overrule: Overrule, now: int
) -> tuple[Review, list[Revision]]:
    """The readings of `columns` get these tests: the review that counts them, and the changes."""
    flag = overrule.flags(columns.series, columns.measured_at, rollups(tests))
    changed = np.flatnonzero((flag != columns.flag) | (tests != columns.tests)).tolist()
    revisions = [
        Revision(
            series=int(columns.series[row]),
            measured_at=int(columns.measured_at[row]),
            revised_at=now,
            flag_before=int(columns.flag[row]),
            flag=int(flag[row]),
            tests_before=int(columns.tests[row]),
            tests=int(tests[row]),
            cause=review.cause,
            reference=review.id if review.reference is None else review.reference,
        )
        for row in changed
    ]
    changes = Counter(dict(review.changes))
    changes.update((r.flag_before, r.flag) for r in revisions if r.flag_before != r.flag)
    counted = replace(review, readings=review.readings + len(columns), changes=changes)
    return counted, [] if review.preview else revisions


def remembered(state: State, revisions: Sequence[Revision]) -> Moved:
    """How revisions move the state: it remembers what the tests said of each newest reading."""
    newest = {r.series: r for r in revisions if state.tails["at"][r.series] == r.measured_at}
    series = np.array(sorted(newest), np.int64)
    tails = state.tails[series]
    tails["tests"] = [newest[n].tests for n in series.tolist()]
    none = np.empty(0, np.int64)
    return Moved(
        series=series,
        measured_at=state.measured_at[series],
        tails=tails,
        windowed=none,
        windows=state.windows[none],
    )


def columns_from(rows: Sequence[StoredReading]) -> Columns:
    """Stored readings as columns, sorted by series and, within one, as they are given."""
    at, series, received_at, value, flag, tests = zip(*rows, strict=True) if rows else [()] * 6
    columns = Columns(
        series=np.array(series, np.int64),
        measured_at=np.array(at, np.int64),
        received_at=np.array(received_at, np.int64),
        value=np.array(value, np.float64),
        flag=np.array(flag, np.uint8),
        tests=np.array(tests, np.uint32),
        late=np.zeros(len(rows), np.bool_),
    )
    return columns.take(np.argsort(columns.series, kind="stable"))
