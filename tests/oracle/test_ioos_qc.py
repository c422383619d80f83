"""Our tests beside those of ioos_qc 3, on regular series: the same flags, or a difference by name.

docs/reference/quality-and-ioos-qc.md tells each difference; `test_it_differs_…` shows it. ioos_qc
has an environment of its own: `make oracle`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.faults import Track
from core.model import HOUR, MINUTE, FloatColumn, IntColumn
from core.quality import Limits
from tests.judged import flags
from tests.real import DATA, longest_regular, needs_data, real_tracks

qartod: Any = pytest.importorskip(
    "ioos_qc.qartod", reason="ioos_qc is not in this environment; make oracle has one"
)
pytestmark = pytest.mark.filterwarnings("default")  # those of a library that is not ours

START = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z


def regular(count: int, every: int = HOUR) -> IntColumn:
    """So many moments, one each so many µs."""
    return START + every * np.arange(count)


def times(at: IntColumn) -> Any:
    return at.astype("datetime64[us]").astype("datetime64[ns]")


def plain(found: Any) -> list[int]:
    return [int(flag) for flag in found]


@st.composite
def series(draw: st.DrawFn, *, missing: bool = False, least: int = 3) -> tuple[FloatColumn, int]:
    """A regular series and its interval in µs: it wanders, stays, leaps and comes back."""
    every = draw(st.sampled_from([MINUTE, 5 * MINUTE, HOUR]))
    steps = st.sampled_from([0.0, 0.0, 0.0, 0.1, -0.1, 0.5, -0.5, 3.0, -3.0, 20.0, -20.0])
    moves = draw(st.lists(steps, min_size=least, max_size=80))
    values = np.round(10 + np.cumsum(moves), 1)
    if missing:
        gone = draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
        values[np.array(gone)] = np.nan
    return values, every


@functools.cache
def tracks() -> Sequence[Track]:
    return [longest_regular(track) for track in real_tracks()]


real = pytest.mark.parametrize(
    "track",
    [pytest.param(track, id=f"{track.device}, {track.parameter}") for track in tracks()]
    if DATA.is_dir()
    else [pytest.param(None, marks=needs_data, id="no data")],
)

Compared = Callable[[FloatColumn, IntColumn], tuple[list[int], list[int]]]


# --- gross range ---


def gross_range(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    low, high = 5.0, 15.0
    limits = Limits(sensor_span=(low - 5, high + 5), user_span=(low, high))
    theirs = qartod.gross_range_test(values, (low - 5, high + 5), (low, high))
    return flags("gross_range", values, at, limits), plain(theirs)


SAME = {"gross_range": gross_range}

same = pytest.mark.parametrize("test", SAME.values(), ids=SAME)


@same
@given(data=st.data())
@settings(deadline=None)
def test_it_gives_the_same_flags_on_random_series(test: Compared, data: st.DataObject) -> None:
    values, every = data.draw(series(missing=test is gross_range))
    ours, theirs = test(values, regular(len(values), every))
    assert ours == theirs


@same
@real
def test_it_gives_the_same_flags_on_real_series(test: Compared, track: Track) -> None:
    ours, theirs = test(track.value, track.measured_at)
    assert ours == theirs
