"""Our tests beside those of ioos_qc 3, on regular series: the same flags, or a difference by name.

docs/reference/quality-and-ioos-qc.md tells each difference; `test_it_differs_…` shows it. ioos_qc
has an environment of its own: `make oracle`.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.faults import Track
from core.quality import FLAG_OF, Climate, Limits
from core.readings import FloatColumn, IntColumn
from core.times import HOUR, MINUTE, SECOND
from ingest.quality.table import QUALITY_TESTS
from tests.real import DATA, longest_regular, needs_data, real_tracks
from tests.unit.ingest.quality.stream import Came, stream

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


def flags(
    test: str,
    values: FloatColumn,
    at: IntColumn,
    limits: Limits,
    *,
    received: IntColumn | None = None,
) -> list[int]:
    """The flag that one test of ours alone gives each reading, once all have come; 9 where there is
    none, which live never comes.
    """
    came = zip(
        *(c.tolist() for c in (at if received is None else received, at, values)), strict=True
    )
    judged = stream(limits)
    judged.settle([Came(then, 0, when, value) for then, when, value in came if isfinite(value)])
    place = 2 * QUALITY_TESTS[test].place
    said = {
        when: int(FLAG_OF[tests >> place & 3]) for (_, when), (*_, tests) in judged.stored.items()
    }
    return [said.get(when, 9) for when in at.tolist()]


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


# --- what is the same ---

SUSPECT, FAIL = 3, 4
WIDE = (-1e9, 1e9)
SPAN = (5.0, 15.0)


def gross_range(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    low, high = SPAN
    limits = Limits(sensor_span=(low - 5, high + 5), user_span=SPAN)
    theirs = qartod.gross_range_test(values, (low - 5, high + 5), SPAN)
    return flags("gross_range", values, at, limits), plain(theirs)


def climatology(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """By month: all hours, of UTC; a month of which nothing is said is not evaluated by either."""
    hours = frozenset(range(24))
    seasons = [((1, 6), (5.0, 15.0)), ((10, 12), (8.0, 12.0))]
    limits = Limits(
        climatology=tuple(
            Climate(months=frozenset(range(first, last + 1)), hours=hours, span=span)
            for (first, last), span in seasons
        )
    )
    config = [{"tspan": months, "vspan": span, "period": "month"} for months, span in seasons]
    theirs = qartod.climatology_test(config, values, times(at), np.zeros(len(values)))
    return flags("climatology", values, at, limits), plain(theirs)


def spike(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """All but the newest reading."""
    limits = Limits(spike=2.05, spike_fail=10.05)
    theirs = qartod.spike_test(values, 2.05, 10.05, method="differential")
    return flags("spike", values, at, limits)[:-1], plain(theirs)[:-1]


def rate_of_change(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """All but the first reading."""
    theirs = qartod.rate_of_change_test(values, times(at), 0.123 / 60)
    ours = flags("rate_of_change", values, at, Limits(rate=0.123))
    return ours[1:], plain(theirs)[1:]


def flat_line(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """From the first change on. Values are a tenth apart, so both tolerances mean `equal`."""
    every = int(at[1] - at[0]) // SECOND
    limits = Limits(flat_tolerance=0.03, flat_suspect=2 * every, flat_fail=4 * every)
    theirs = qartod.flat_line_test(values, times(at), 2 * every, 4 * every, 0.05)
    start = int(np.argmax(values != values[0])) or len(values)
    return flags("flat_line", values, at, limits)[start:], plain(theirs)[start:]


def attenuated_signal(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """The range over the eight windows of three hours before that of the reading."""
    window = at // (3 * HOUR)
    expected = []
    for row in range(len(values)):
        rows = (window >= window[row] - 8) & (window < window[row])
        if len(set(window[rows].tolist())) < 7 or rows.sum() < 16:
            expected.append(2)
            continue
        theirs = qartod.attenuated_signal_test(
            values[rows], times(at[rows]), 1.05, 0, check_type="range"
        )
        expected.append(int(theirs[0]))
    return flags("attenuated_signal", values, at, Limits(attenuated=1.05)), expected


def gap(values: FloatColumn, at: IntColumn) -> tuple[list[int], list[int]]:
    """All but the first reading; what they fail, we suspect."""
    theirs = plain(qartod.time_gap_test(times(at), 2))
    ours = flags("timing", values, at, Limits(gap=7200.0))
    return ours[1:], [SUSPECT if flag == FAIL else flag for flag in theirs[1:]]


SAME = {
    "attenuated_signal": attenuated_signal,
    "climatology": climatology,
    "flat_line": flat_line,
    "gap": gap,
    "gross_range": gross_range,
    "rate_of_change": rate_of_change,
    "spike": spike,
}
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
    """Rounded to tenths, so that tolerances mean the same."""
    ours, theirs = test(np.round(track.value, 1), track.measured_at)
    assert ours == theirs


@given(st.lists(st.integers(1, 600), min_size=3, max_size=40))
@settings(deadline=None)
def test_it_finds_the_same_gaps(minutes: list[int]) -> None:
    at = START + MINUTE * np.cumsum(minutes)
    ours, theirs = gap(np.zeros(len(at)), at)
    assert ours == theirs


@given(st.lists(st.integers(-600, 600), min_size=3, max_size=40))
@settings(deadline=None)
def test_it_finds_the_same_late_readings(minutes: list[int]) -> None:
    """What they fail, we suspect."""
    at = regular(len(minutes))
    received = at + MINUTE * np.array(minutes)
    theirs = [
        int(qartod.data_reception_test(times(at[[row]]), 6, str(times(received)[row]))[0])
        for row in range(len(at))
    ]
    ours = flags("timing", np.zeros(len(at)), at, Limits(late=6 * 3600.0), received=received)
    assert ours == [SUSPECT if flag == FAIL else flag for flag in theirs]


# --- what differs, as the page tells ---


def test_it_differs_on_the_newest_reading_of_a_spike_test() -> None:
    """They have no opinion; we suspect at once, and say the final word with the next reading."""
    values, limits = np.array([1.0, 1.0, 9.0]), Limits(spike=2.0)
    assert plain(qartod.spike_test(values, 2.0, method="differential")) == [2, 1, 2]
    assert flags("spike", values, regular(3), limits) == [2, 1, 3]
    stays, returns = np.append(values, 9.0), np.append(values, 1.0)
    assert flags("spike", stays, regular(4), limits) == [2, 1, 1, 1]
    assert flags("spike", returns, regular(4), limits)[:3] == [2, 1, 3]


def test_it_differs_from_their_average_method_which_flags_the_neighbours_too() -> None:
    values = np.array([1.0, 1.0, 9.0, 1.0, 1.0])
    assert plain(qartod.spike_test(values, 2, 5)) == [2, 3, 4, 3, 2]
    ours = flags("spike", values, regular(5), Limits(spike=2.0, spike_fail=5.0))
    assert ours == [2, 1, 4, 1, 1]


def test_it_differs_on_the_reading_after_a_spike_since_the_spike_is_no_base() -> None:
    values, limits = np.array([1.0, 1.0, 9.0, 1.0, 1.0]), Limits(spike=2.0, rate=0.1)
    assert plain(qartod.rate_of_change_test(values, times(regular(5)), 2 / 3600)) == [1, 1, 3, 3, 1]
    ours = flags("rate_of_change", values, regular(5), replace(limits, rate=2 / 60))
    assert ours == [2, 1, 3, 1, 1]


def test_it_differs_on_the_first_reading_of_which_no_rate_is_known() -> None:
    values = np.array([1.0, 1.0, 1.0])
    assert plain(qartod.rate_of_change_test(values, times(regular(3)), 1.0)) == [1, 1, 1]
    assert flags("rate_of_change", values, regular(3), Limits(rate=1.0)) == [2, 1, 1]


def test_it_differs_on_a_step_within_the_spike_limit_which_is_no_change() -> None:
    """A sensor that moves in tenths is not fast for it, however short the time."""
    values, at = np.array([20.0, 20.0, 20.1]), regular(3, MINUTE)
    assert plain(qartod.rate_of_change_test(values, times(at), 0.03 / 60)) == [1, 1, 3]
    assert flags("rate_of_change", values, at, Limits(spike=1.5, rate=0.03)) == [2, 1, 1]


def test_it_differs_on_two_readings_of_one_time() -> None:
    """Theirs divides by nothing; to us the second is a duplicate or a conflict, not judged."""
    values, at = np.array([1.0, 5.0]), times(np.array([START, START]))
    with np.errstate(divide="ignore"):
        assert plain(qartod.rate_of_change_test(values, at, 1.0)) == [1, 3]


def test_it_differs_on_the_first_run_whose_beginning_nobody_saw() -> None:
    values = np.array([1.0, 1.0, 2.0, 2.0])
    limits = Limits(flat_tolerance=0.03, flat_suspect=7200.0, flat_fail=14400.0)
    assert plain(qartod.flat_line_test(values, times(regular(4)), 7200, 14400, 0.05)) == [
        1,
        1,
        1,
        1,
    ]
    assert flags("flat_line", values, regular(4), limits) == [2, 2, 1, 1]


def test_it_differs_on_a_flat_line_with_a_gap_which_they_count_in_readings() -> None:
    """Half an hour of one value each side of a gap of a day is no run of a day, nor of an hour."""
    at = np.concatenate([regular(40, MINUTE), regular(40, MINUTE) + 24 * HOUR])
    values = np.concatenate([np.arange(10.0), np.full(70, 5.0)])
    limits = Limits(flat_tolerance=0.03, flat_suspect=3600.0, flat_fail=7200.0)
    theirs = plain(qartod.flat_line_test(values, times(at), 3600, 7200, 0.05))
    assert SUSPECT in theirs
    assert SUSPECT not in flags("flat_line", values, at, limits)


def test_it_differs_on_a_flat_line_whose_readings_come_less_often() -> None:
    """Their count of readings follows from the median interval, ours is true time."""
    at = np.concatenate([regular(60, MINUTE), START + 2 * HOUR + regular(7) - START])
    values = np.concatenate([np.arange(60.0), np.full(7, 5.0)])
    limits = Limits(flat_tolerance=0.03, flat_suspect=3 * 3600.0, flat_fail=5 * 3600.0)
    assert set(plain(qartod.flat_line_test(values, times(at), 3 * 3600, 5 * 3600, 0.05))) == {1}
    assert flags("flat_line", values, at, limits)[-7:] == [1, 1, 1, 3, 3, 4, 4]


def test_it_differs_on_attenuation_by_whole_windows() -> None:
    """Theirs slides with each reading; ours says of all readings of three hours the same."""
    values = np.where(np.arange(60) < 20, 5.0 * (np.arange(60) % 2), 1.0)
    at = regular(60)
    theirs = plain(
        qartod.attenuated_signal_test(
            values, times(at), 1.0, 0, test_period=86400, min_obs=24, check_type="range"
        )
    )
    ours = flags("attenuated_signal", values, at, Limits(attenuated=1.0))
    assert abs(theirs.index(SUSPECT) - ours.index(SUSPECT)) <= 3
    assert {len(set(ours[n : n + 3])) for n in range(0, 60, 3)} == {1}


def test_it_differs_on_a_missing_value_that_their_climatology_calls_good() -> None:
    values, hours = np.array([10.0, np.nan]), frozenset(range(24))
    climate = Climate(months=frozenset({11}), hours=hours, span=SPAN)
    config = [{"tspan": (11, 11), "vspan": SPAN, "period": "month"}]
    at = regular(2)
    assert plain(qartod.climatology_test(config, values, times(at), np.zeros(2))) == [1, 1]
    assert flags("climatology", values, at, Limits(climatology=(climate,))) == [1, 9]


def test_it_differs_on_missing_values_which_to_us_are_no_readings() -> None:
    """A missing value between two hides the spike from them."""
    values = np.array([1.0, 1.0, np.nan, 9.0, 1.0])
    assert plain(qartod.spike_test(values, 2.0, method="differential")) == [2, 2, 9, 2, 2]
    ours = flags("spike", values, regular(5), Limits(spike=2.0))
    assert ours == [2, 1, 9, 3, 1]
