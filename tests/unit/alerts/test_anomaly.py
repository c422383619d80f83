"""What is unlike the series itself: learned as readings come, equal however they come."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly import lately, layout, parameters
from alerts.anomaly.calendar import SLOT_LENGTH, TIDE, Clock
from alerts.anomaly.learning import relearn
from alerts.anomaly.outlook import outlook
from alerts.anomaly.rarity import MOST_OF_A_RECORD, Rarity, Symptom
from alerts.anomaly.stream import AT_ONCE, Kinds, follow
from core.readings import FloatColumn, IntColumn
from core.times import DAY, HOUR, MINUTE, from_micros, to_micros

BANGKOK = Clock(ZoneInfo("Asia/Bangkok"), "TH")
BEGIN = 1_767_225_600_000_000  # 2026-01-01
Shape = Callable[[IntColumn, np.random.Generator], FloatColumn]


EVERY = 10 * MINUTE


def times_of(days: float, every: int = EVERY, begin: int = BEGIN) -> IntColumn:
    return np.arange(begin, begin + round(days * DAY), every)


def ordinary(at: IntColumn, chance: np.random.Generator) -> FloatColumn:
    """A day's course and noise."""
    course: FloatColumn = 28 + np.sin(at / DAY * 2 * np.pi)
    return course + chance.normal(0, 0.2, len(at))


class Known(NamedTuple):
    """All that is known of some series."""

    learned: layout.Learned
    recent: FloatColumn

    @staticmethod
    def nothing(count: int) -> "Known":
        return Known(layout.nothing(count), lately.nothing(count))

    def tobytes(self) -> bytes:
        return self.learned.tobytes() + self.recent.tobytes()


def told(
    known: Known,
    kinds: Kinds,
    series: IntColumn,
    at: IntColumn,
    value: FloatColumn,
    clock: Clock = BANGKOK,
) -> Rarity:
    """Of readings that are sorted by series."""
    recent = lately.lately(known.recent, kinds.floor, series, value, at)
    return follow(known.learned, kinds, series, recent, clock.times(at))


def judged(
    at: IntColumn, value: FloatColumn, clock: Clock = BANGKOK, *, tidal: float = 0.0
) -> Rarity:
    """One series alone, from its first reading on."""
    kinds = Kinds(np.array([0.01]), np.array([tidal]))
    return told(Known.nothing(1), kinds, np.zeros(len(at), np.int64), at, value, clock)


def alarms(found: Rarity) -> IntColumn:
    """Rarer than once a month, twice in a row, as a rule with `for` asks."""
    far = np.abs(np.nan_to_num(found.months)) > 1
    return np.flatnonzero(far[1:] & far[:-1]) + 1


def episodes(at: IntColumn, found: Rarity) -> int:
    """Alarms that have twelve hours without one before them."""
    return int((np.diff(at[alarms(found)], prepend=0) > 12 * HOUR).sum())


def test_it_says_nothing_before_it_has_seen_two_days() -> None:
    at = times_of(3)
    found = judged(at, ordinary(at, np.random.default_rng(1)))
    known = ~np.isnan(found.months)
    assert not known[at < BEGIN + 46 * SLOT_LENGTH].any()
    assert known[at > BEGIN + 49 * SLOT_LENGTH].all()


def test_an_ordinary_series_alarms_less_than_it_may() -> None:
    at = times_of(120)
    assert episodes(at, judged(at, ordinary(at, np.random.default_rng(2)))) <= 4


EVENTS: dict[str, tuple[Callable[[FloatColumn], FloatColumn], set[Symptom]]] = {
    "a leap": (lambda v: v + 3.0, {Symptom.LEAP, Symptom.PLACE}),
    "a fall": (lambda v: v - 3.0, {Symptom.LEAP, Symptom.PLACE}),
    "a slow rise": (
        lambda v: v + np.linspace(0, 2, len(v)),
        {Symptom.PLACE, Symptom.SHIFT, Symptom.DRIFT, Symptom.SUM},
    ),
    "unrest": (
        lambda v: v + np.random.default_rng(4).normal(0, 0.9, len(v)),
        {Symptom.LEAP, Symptom.PLACE, Symptom.BURST},
    ),
    "hardly any movement": (
        lambda v: 0.02 * v + 0.98 * 28,
        {Symptom.COLLAPSE, Symptom.PLACE, Symptom.SUM},
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_it_sees_what_is_unlike_the_last_weeks(name: str) -> None:
    change, expected = EVENTS[name]
    at = times_of(45)
    value = ordinary(at, np.random.default_rng(3))
    during = at >= BEGIN + 40 * DAY
    value[during] = change(value[during])
    found = judged(at, value)
    seen = alarms(found)
    seen = seen[during[seen]]
    assert len(seen)
    assert expected & {Symptom(symptom) for symptom in found.symptom[seen].tolist()}


def test_single_readings_count_less_the_closer_they_follow_each_other() -> None:
    at = times_of(20, every=5 * MINUTE)
    value = ordinary(at, np.random.default_rng(15))
    lone, lasting = value.copy(), value.copy()
    noon = int(np.searchsorted(at, BEGIN + 18 * DAY))
    lone[noon] += 0.7
    lasting[noon : noon + 12] += 0.7
    assert not alarms(judged(at, lone)).any()
    assert alarms(judged(at, lasting)).any()


@pytest.mark.parametrize("side", [1, -1])
def test_a_reading_beyond_all_before_stands_out(side: int) -> None:
    at = times_of(30)
    chance = np.random.default_rng(16)
    bumps = np.where(chance.random(len(at)) < 0.05, chance.uniform(0, 3, len(at)), 0)
    value = side * (ordinary(at, chance) + bumps)
    value[-1] = side * (np.abs(value).max() + 0.5)
    found = judged(at, value)
    assert found.symptom[-1] == Symptom.RECORD
    assert 0.1 < side * found.months[-1] <= MOST_OF_A_RECORD
    value[-2] = value[-1]
    assert judged(at, value).symptom[-1] != Symptom.RECORD


def test_extremes_are_forgotten_over_a_year_and_not_while_nothing_is_read() -> None:
    at = np.append(times_of(2), BEGIN + 300 * DAY)
    value = np.append(np.where(np.arange(len(at) - 1) == 5, 40.0, 20.0), 20.0)
    zeros, floor = np.zeros(len(at), np.int64), np.array([0.01])
    known = lately.nothing(1)
    lately.lately(known, floor, zeros, value, at)
    assert 39 < known[0, lately.HIGHEST] < 40
    later = times_of(400, every=HOUR, begin=int(at[-1]) + HOUR)
    lately.lately(known, floor, np.zeros(len(later), np.int64), np.full(len(later), 20.0), later)
    assert 20 < known[0, lately.HIGHEST] < 30


def test_it_says_on_which_side_a_reading_is() -> None:
    at = times_of(30)
    value = ordinary(at, np.random.default_rng(5))
    value[-1] -= 5
    assert judged(at, value).months[-1] < -1
    value[-1] += 10
    assert judged(at, value).months[-1] > 1


def test_an_event_does_not_teach_itself() -> None:
    at = times_of(62)
    value = ordinary(at, np.random.default_rng(6))
    value[(at > BEGIN + 40 * DAY) & (at < BEGIN + 42 * DAY)] += 3
    again = at > BEGIN + 60 * DAY
    value[again] += 3
    found = judged(at, value)
    assert again[alarms(found)].any()
    between = (at > BEGIN + 46 * DAY) & (at < BEGIN + 60 * DAY)
    assert between[alarms(found)].mean() < 0.01


def test_a_change_that_stays_becomes_what_is_usual() -> None:
    at = times_of(150)
    value = ordinary(at, np.random.default_rng(7))
    value[at > BEGIN + 40 * DAY] += 10
    found = judged(at, value)
    assert not (at[alarms(found)] > BEGIN + 120 * DAY).any()


QUIET: dict[str, Shape] = {
    "constant": lambda at, _: np.full(len(at), 28.0),
    "zero": lambda at, _: np.zeros(len(at)),
    "almost always zero": lambda at, chance: np.where(chance.random(len(at)) < 0.002, 0.06, 0.0),
    "steps of its resolution": lambda at, chance: np.round(ordinary(at, chance)),
    "with a long gap": lambda at, chance: np.where(
        at < BEGIN + 20 * DAY, ordinary(at, chance), ordinary(at, chance) + 0.2
    ),
}


@pytest.mark.parametrize("name", QUIET)
def test_it_makes_no_storm_of_a_strange_but_quiet_series(name: str) -> None:
    at = times_of(60)
    if name == "with a long gap":
        at = at[(at < BEGIN + 20 * DAY) | (at > BEGIN + 40 * DAY)]
    assert episodes(at, judged(at, QUIET[name](at, np.random.default_rng(8)))) <= 2


@pytest.mark.parametrize("day", [pytest.param("2026-03-29", id="spring"), "2026-10-25"])
def test_no_alarm_comes_of_daylight_saving(day: str) -> None:
    change = int(np.datetime64(day, "us").astype(np.int64))
    at = times_of(60, begin=change - 40 * DAY)
    berlin = ZoneInfo("Europe/Berlin")
    offsets = [from_micros(one).astimezone(berlin).utcoffset() for one in at.tolist()]
    local = at + np.array([0 if o is None else round(o.total_seconds() * 1e6) for o in offsets])
    value = ordinary(local, np.random.default_rng(9))
    assert not (at[alarms(judged(at, value, Clock(berlin)))] >= change).any()


def test_it_learns_the_tide_where_there_is_one() -> None:
    at = times_of(90, every=HOUR)
    chance = np.random.default_rng(10)
    value = np.sin(at / TIDE * 2 * np.pi) + chance.normal(0, 0.05, len(at))
    value[-1] = -value[-1]
    quarter = int(np.argmax(np.sin(at[-24:] / TIDE * 2 * np.pi)))
    value[-24 + quarter] = -1
    with_tide = judged(at, value, tidal=1.0).months[-24 + quarter]
    without = judged(at, value).months[-24 + quarter]
    assert with_tide < -1
    assert abs(with_tide) > abs(without)


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_how_the_stream_is_cut_changes_nothing(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 99))
    chance = np.random.default_rng(seed)
    count = 40
    kinds = Kinds(np.full(count, 0.05), (np.arange(count) % 2).astype(np.float64))
    at = np.sort(chance.integers(BEGIN, BEGIN + 12 * DAY, 2_000))
    series = chance.integers(0, count, len(at))
    series[::3] = 0  # one has many more
    value = ordinary(at, chance) + np.where(chance.random(len(at)) < 0.01, 5, 0)
    cuts = data.draw(st.lists(st.integers(0, len(at)), max_size=8))
    whole, parts = Known.nothing(count), Known.nothing(count)
    expected = _months(whole, kinds, series, at, value)
    edges = [0, *sorted(cuts), len(at)]
    found = [_months(parts, kinds, series[a:b], at[a:b], value[a:b]) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(found), expected, equal_nan=True)
    assert parts.tobytes() == whole.tobytes()


def _months(
    known: Known, kinds: Kinds, series: IntColumn, at: IntColumn, value: FloatColumn
) -> FloatColumn:
    """In the order of `at`, though judged sorted by series."""
    order = np.argsort(series, kind="stable")
    found = np.empty(len(at))
    found[order] = told(known, kinds, series[order], at[order], value[order]).months
    return found


def test_each_alone_is_the_same_as_many_together() -> None:
    """Few series are learned in plain numbers, many as columns; so many slots come in parts."""
    chance, count, hours = np.random.default_rng(11), 40, 18 * 24
    at = np.tile(times_of(18, every=HOUR), count)
    series = np.repeat(np.arange(count), hours)
    value = ordinary(at, chance) * np.where(chance.random(len(at)) < 0.02, 1.3, 1.0)
    kinds = Kinds(np.full(count, 0.05), (np.arange(count) % 2).astype(np.float64))
    together, alone = Known.nothing(count), Known.nothing(count)
    assert len(at) > AT_ONCE
    found = told(together, kinds, series, at, value)
    for one in range(count):
        rows = slice(one * hours, (one + 1) * hours)
        mine = told(alone, kinds, series[rows], at[rows], value[rows])
        assert np.array_equal(mine.months, found.months[rows], equal_nan=True)
        assert np.array_equal(mine.symptom, found.symptom[rows])
    assert alone.tobytes() == together.tobytes()


def test_what_is_learned_is_small_and_is_read_as_it_was_written() -> None:
    at = times_of(5)
    known = Known.nothing(1)
    learned, kinds = known.learned, Kinds(np.array([0.05]), np.array([1.0]))
    value = ordinary(at, np.random.default_rng(12))
    told(known, kinds, np.zeros(len(at), np.int64), at, value)
    text = layout.written(learned[0])
    assert layout.read(text).tobytes() == learned[0].tobytes()
    assert learned[0].nbytes <= 4_096
    assert len(text) <= 4_096
    with pytest.raises(ValueError, match="bytes instead of"):
        layout.read(text[:-8])


def test_a_country_has_its_days_off() -> None:
    songkran = to_micros(from_micros(BEGIN).replace(month=4, day=13, hour=3))  # a Monday
    working = songkran + 7 * DAY
    assert BANGKOK.times(np.array([songkran, working])).off.tolist() == [1, 0]
    assert Clock(BANGKOK.zone).times(np.array([songkran, working])).off.tolist() == [0, 0]


@pytest.mark.parametrize("parameter", ["pm25", "water_temperature"])
def test_a_scale_can_be_undone(parameter: str) -> None:
    value = np.array([0.5, 20.0])
    scale = parameters.scaled(parameter, value)
    again = [parameters.unscaled(parameter, one) for one in scale.tolist()]
    assert again == pytest.approx(value.tolist())
    assert parameters.floor(parameter) > 0


def test_an_outlook_tells_what_is_expected_now() -> None:
    at = times_of(40)
    value = ordinary(at, np.random.default_rng(13))
    known, kinds = Known.nothing(1), Kinds(np.array([0.05]), np.array([0.0]))
    told(known, kinds, np.zeros(len(at), np.int64), at, value)
    row, recent, about = known.learned[0], known.recent[0].tolist(), ("water_temperature", BANGKOK)
    newest, last = int(at[-1]), float(value[-1])
    usual = outlook(row, recent, *about, (newest, last), 3.0)
    far = outlook(row, [], *about, (newest, last + 5), 3.0)
    assert usual is not None
    assert far is not None
    assert usual.low < value[-1] < usual.high
    assert usual.high - usual.low < 4
    assert abs(usual.months) < 3 < far.months
    assert far.symptom in {Symptom.LEAP, Symptom.PLACE}
    assert 0.8 < usual.confidence < 1
    highest = outlook(row, [newest, last, last, 25.0], *about, (newest, last), 3.0)
    assert highest is not None
    assert highest.symptom is Symptom.RECORD
    assert outlook(layout.nothing(1)[0], recent, *about, (newest, 8.0), 3.0) is None


def test_after_work_on_a_device_it_says_nothing_for_a_while_and_learns_quickly() -> None:
    at = times_of(60)
    value = ordinary(at, np.random.default_rng(14))
    value[at >= BEGIN + 40 * DAY] += 2
    known, kinds = Known.nothing(1), Kinds(np.array([0.05]), np.array([0.0]))
    before, after = at < BEGIN + 40 * DAY, at >= BEGIN + 40 * DAY
    zeros = np.zeros(len(at), np.int64)
    told(known, kinds, zeros[before], at[before], value[before])
    relearn(known.learned, np.zeros(1, np.int64))
    found = told(known, kinds, zeros[after], at[after], value[after])
    assert np.isnan(found.months[: 20 * HOUR // EVERY]).all()
    assert not len(alarms(found)[alarms(found) > 10 * DAY // EVERY])
