"""One series through the tests of quality, in batches of any size."""

from collections.abc import Iterable, Sequence

import numpy as np

from core.model import Columns, Flag, FloatColumn, IntColumn, Series
from core.quality import FLAG_OF, Codes, Limits
from ingest.quality.check import check
from ingest.quality.settings import QualitySettings
from ingest.quality.state import State
from ingest.quality.table import QUALITY_TESTS

SERIES = Series(index=0, device="d", parameter="generic", site="s", kind="k", district="p")


def codes(
    values: Iterable[float],
    at: IntColumn,
    limits: Limits,
    *,
    received: IntColumn | None = None,
    cuts: Sequence[int] = (),
) -> Codes:
    """What the tests say of each reading once all have come: measured at `at`, µs and rising, and
    received then or as said.
    """
    value = np.array(list(values), np.float64)
    zeros = np.zeros(len(value), np.int64)
    columns = Columns(
        series=zeros,
        measured_at=at,
        received_at=at if received is None else received,
        value=value,
        flag=zeros.astype(np.uint8),
        tests=zeros.astype(np.uint32),
        late=zeros.astype(np.bool_),
    )
    settings, state = QualitySettings.of([SERIES], [limits]), State(1)
    tests = columns.tests
    for start, end in zip([0, *cuts], [*cuts, len(value)], strict=True):
        checked = check(columns.take(slice(start, end)), state, settings)
        state.accept(checked.moved)
        tests[start:end] = checked.columns.tests
        for revision in checked.revisions:
            tests[np.searchsorted(at, revision.measured_at)] = revision.tests
    return tests


def flags(
    test: str,
    values: FloatColumn,
    at: IntColumn,
    limits: Limits,
    *,
    received: IntColumn | None = None,
) -> list[int]:
    """The flag that one test alone gives each reading; 9 where there is none, which live never
    comes.
    """
    there = ~np.isnan(values)
    came = received[there] if received is not None else None
    said = codes(values[there], at[there], limits, received=came)
    found = np.full(len(values), Flag.MISSING, np.uint8)
    found[there] = FLAG_OF[said >> np.uint32(2 * QUALITY_TESTS[test].place) & np.uint32(3)]
    flags: list[int] = found.tolist()
    return flags
