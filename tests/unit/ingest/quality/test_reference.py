"""The tests that look back against slow, obvious ones that look at the whole past each time."""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from core.quality import Limits
from core.times import HOUR, MINUTE, SECOND
from ingest.quality.table import QUALITY_TESTS
from tests.unit.ingest.quality.stream import T0, Came, series_of, sites_of, stream

LIMITS = Limits(
    spike=2.0,
    spike_fail=5.0,
    rate=0.05,
    noise_factor=2.0,
    reach=5400.0,
    flat_tolerance=0.4,
    flat_suspect=1800.0,
    flat_fail=5400.0,
    attenuated=6.0,
    neighbour_difference=1.5,
    neighbour_km=5.0,
)
REACH = 5400 * SECOND
WINDOW = 3 * HOUR
NONE, GOOD, SUSPECT, FAIL = range(4)
MOVES: list[list[float]] = [[0, 0.1, -0.1, 0.3], [0, 0, 0, 3, -3, 9, -9], [1, -1, 2]]


class Read(NamedTuple):
    """A reading of a series."""

    at: int
    value: float


@st.composite
def readings(draw: st.DrawFn, *, most: int = 60) -> list[Read]:
    """A series that wanders, leaps, stays and falls silent."""
    gaps = draw(st.sampled_from([[5], [20, 20, 20, 60], [60], [7, 30, 50, 95, 400]]))
    moves = draw(st.sampled_from(MOVES))
    at, value, found = T0, 10.0, []
    for _ in range(draw(st.integers(1, most))):
        at += draw(st.sampled_from(gaps)) * MINUTE
        value = round(value + draw(st.sampled_from(moves)), 1)
        found.append(Read(at, value))
    return found


def beyond(found: float | None, most: float | None) -> int:
    return NONE if found is None or most is None else SUSPECT if found > most else GOOD


class Reference:
    """What each test says of the reading `n` when it came, or once `upto` had come."""

    def __init__(self, series: Sequence[Read]) -> None:
        self.series = series

    def near(self, first: int, second: int) -> bool:
        here = 0 <= first < second < len(self.series)
        return here and self.series[second].at - self.series[first].at <= REACH

    def base(self, n: int) -> Read | None:
        for earlier in range(n - 1, -1, -1):
            if self.series[n].at - self.series[earlier].at > REACH:
                return None
            if self.spike(earlier, upto=n) < SUSPECT:
                return self.series[earlier]
        return None

    def spike(self, n: int, upto: int) -> int:
        value = self.series[n].value
        if upto > n and self.near(n - 1, n) and self.near(n, n + 1):
            middle = statistics.median(read.value for read in self.series[n - 1 : n + 2])
            off = abs(value - middle)
            return FAIL if off > 5 else SUSPECT if off > 2 else GOOD
        base = self.base(n)
        return beyond(base and abs(value - base.value), 2.0)

    def rate(self, n: int) -> int:
        base, noise = self.base(n), self.noise(n)
        if base is None or noise is None:
            return NONE
        most = 0.05 * ((self.series[n].at - base.at) / MINUTE) + 2 * noise
        return beyond(abs(self.series[n].value - base.value), most)

    def day(self, n: int) -> list[list[int]]:
        """The readings of each of the eight windows before that of `n`."""
        present = self.series[n].at // WINDOW
        held = [
            [m for m in range(n) if self.series[m].at // WINDOW == present - k] for k in range(1, 9)
        ]
        return [window for window in held if window]

    def noise(self, n: int) -> float | None:
        means = []
        for window in self.day(n):
            steps = [
                abs(self.series[m].value - self.series[m - 1].value)
                for m in window
                if self.near(m - 1, m)
            ]
            if steps:
                means.append(sum(steps) / len(steps))
        return statistics.median(means) if len(means) >= 2 else None

    def attenuated(self, n: int) -> int:
        held = self.day(n)
        values = [self.series[m].value for window in held for m in window]
        if len(held) < 7 or len(values) < 16:
            return NONE
        return SUSPECT if max(values) - min(values) < 6 else GOOD

    def flat(self, n: int) -> int:
        best = (0, False)
        for shift in (0.0, 0.5):
            first = n
            while self.near(first - 1, first) and self.cell(first - 1, shift) == self.cell(
                n, shift
            ):
                first -= 1
            seen = self.near(first - 1, first)
            best = max(best, (self.series[n].at - self.series[first].at, not seen))
        length, unseen = best
        if length >= 5400 * SECOND:
            return FAIL
        return SUSPECT if length >= 1800 * SECOND else NONE if unseen else GOOD

    def cell(self, n: int, shift: float) -> int:
        return int((self.series[n].value / (2.5 * 0.4) + shift) // 1)


def verdicts(test: str, codes: Sequence[int]) -> list[int]:
    return [code >> 2 * QUALITY_TESTS[test].place & 3 for code in codes]


@settings(max_examples=60, deadline=None)
@given(readings(), st.booleans())
def test_they_say_what_a_look_at_everything_says(series: list[Read], whole: bool) -> None:
    made = stream(LIMITS)
    came = [Came(read.at, 0, read.at, read.value) for read in series]
    for batch in [came] if whole else [[each] for each in came]:
        made.settle(batch)
    reference, last = Reference(series), len(series) - 1
    arrived = [made.arrived[0, read.at][1] for read in series]
    final = [made.stored[0, read.at][2] for read in series]
    every = range(len(series))
    assert verdicts("spike", arrived) == [reference.spike(n, upto=n) for n in every]
    assert verdicts("spike", final) == [reference.spike(n, upto=last) for n in every]
    assert verdicts("rate_of_change", arrived) == [reference.rate(n) for n in every]
    assert verdicts("attenuated_signal", arrived) == [reference.attenuated(n) for n in every]
    assert verdicts("flat_line", arrived) == [reference.flat(n) for n in every]


def mean_of(reads: Sequence[Read], hour: int) -> float | None:
    values = [read.value for read in reads if read.at // HOUR == hour]
    return sum(values) / len(values) if values else None


@settings(max_examples=40, deadline=None)
@given(st.lists(readings(most=20), min_size=2, max_size=4), st.data())
def test_neighbours_say_what_a_look_at_everything_says(
    city: list[list[Read]], data: st.DataObject
) -> None:
    names = [f"s{n}" for n in range(len(city))]
    series = series_of(*["ph"] * len(city), devices=names, sites=names)
    km = {name: float(n) for n, name in enumerate(names)}
    made = stream(*[LIMITS] * len(city), series=series, sites=sites_of(**km))
    came = sorted((read.at + n, n, read) for n, reads in enumerate(city) for read in reads)
    messages = [Came(received, n, read.at, read.value) for received, n, read in came]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(messages)))) | {0, len(messages)})
    for start, end in pairwise(cuts):
        made.settle(messages[start:end])
    for number, reads in enumerate(city):
        said = verdicts("neighbours", [made.arrived[number, read.at][1] for read in reads])
        assert said == [beside(city, number, n) for n in range(len(reads))]


def beside(city: Sequence[Sequence[Read]], number: int, n: int) -> int:
    """What the neighbours say of the hour before that of the reading `n`, as the first of its hour
    came.
    """
    mine = city[number]
    hour = mine[n].at // HOUR
    first = next(read for read in mine if read.at // HOUR == hour)
    own = mean_of(mine, hour - 1)
    known = [
        [read for read in reads if read.at + other < first.at + number]
        for other, reads in enumerate(city)
        if other != number
    ]
    theirs = [mean for reads in known if (mean := last_known(reads, hour - 1)) is not None]
    if own is None or len(theirs) < 2:
        return NONE
    return SUSPECT if abs(own - statistics.median(theirs)) > 1.5 else GOOD


def last_known(reads: Sequence[Read], hour: int) -> float | None:
    """Its mean of that hour, if that is its present hour or the one that it closed last."""
    hours = sorted({read.at // HOUR for read in reads})
    return mean_of(reads, hour) if hour in hours[-2:] else None
