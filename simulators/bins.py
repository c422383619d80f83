"""How bins fill and are emptied: pure functions of place and time, with rounds instead of memory.

Time is cut into rounds of some half days that belong to the bin; in one of them the crew comes.
What people bring until then is drawn for each round, and spread over it by the hours and weekdays
on which people come. Times between collections are those of a real city
(docs/reference/simulated-coast.md); levels are lower, since there most bins ran full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance, bell, smooth
from simulators.clock import UTC_OFFSET, season_of
from simulators.events import Event, EventKind, Happenings
from simulators.sky import Sky

EMPTY_MM, FULL_MM = 1150, 230  # from the sensor in the lid down to the floor, and to a full load
SHIFT = DAY // 2  # the crew comes around five in the morning or in the afternoon
USUAL = 44.0  # % that a round of ordinary length brings
AFTER_EMPTYING = 2.0  # % that stays or falls in at once
SETTLING, SETTLED = 8 * HOUR, 0.12  # after so long waste lies so much lower
RUSH = 60.0  # % an hour of an overflow of strength 1
FIRE = 170.0  # °C above the ordinary
WARMTH = 3.0  # °C that a full load makes as it rots
UPRIGHT, LYING = 1.5, 86.0  # degrees

# Days of the year on which the streets are full: around New Year, and Songkran in April.
FESTIVE = ((0, 2), (101, 105), (361, 366))

# After these the crew empties the bin when they are over, and not before.
CREW_COMES_LATER = (
    EventKind.BIN_FIRE,
    EventKind.MISSED_COLLECTION,
    EventKind.OVERFLOW,
    EventKind.TIPPED_BIN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who fills a bin: `rounds` in shifts, `busy` hours (local hour, width), more on weekends."""

    rounds: tuple[int, ...]
    busy: tuple[tuple[float, float], ...]
    weekend: float


# The first of these words in a bin's id decides; without any it stands in a street.
PLACES = {
    "market": Place(rounds=(2, 3), busy=((7, 1.5), (17.5, 2.5)), weekend=1.15),
    "beach": Place(rounds=(4, 5), busy=((15.5, 3.0),), weekend=1.3),
    "pier": Place(rounds=(4, 6), busy=((9, 1.5), (16, 1.5)), weekend=1.1),
    "park": Place(rounds=(10, 14), busy=((7, 1.5), (18, 2.0)), weekend=1.4),
    "road": Place(rounds=(4,), busy=((12, 3.5), (20, 3.0)), weekend=0.9),
}


def waste_bin(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """What an ultrasonic sensor in the lid reads; `fill_level` follows from `distance`."""
    span = EMPTY_MM - FULL_MM
    level = np.clip(fill_level(site, times, chance, happenings), 0, 100)
    echo = level + 0.3 * chance.normals(times, "echo", site.id)
    distance = np.round(EMPTY_MM - span * np.clip(echo, 0, 100) / 100)
    in_the_sun = chance.between(4, 13, "sun", site.id) * sky.sunlight / 1000
    fire = happenings.felt(EventKind.BIN_FIRE, site, times)
    tilt = np.full(len(times), UPRIGHT + chance.between(-1, 2, "ground", site.id))
    for event in happenings.at(site, EventKind.TIPPED_BIN):
        tilt[_during(event, times)] = LYING
    return {
        "fill_level": 100 * (EMPTY_MM - distance) / span,
        "distance": distance,
        "bin_temperature": sky.temperature + in_the_sun + WARMTH * level / 100 + FIRE * fire,
        "tilt": tilt,
    }


def fill_level(site: Site, times: IntColumn, chance: Chance, happenings: Happenings) -> FloatColumn:
    """% of the bin that is full, from its last collection on; more than 100 where it runs over."""
    events = happenings.at(site, *CREW_COMES_LATER)
    level = AFTER_EMPTYING + _settled(_emptied(site, times, chance, events), times, site, chance)
    for event in events:
        during = _during(event, times)
        passed = times[during] - event.start
        if event.kind is EventKind.OVERFLOW:
            level[during] += event.strength * RUSH * passed / HOUR
        elif event.kind is EventKind.BIN_FIRE:
            level[during] *= 1 - 0.8 * smooth(passed / (40 * MINUTE))
        elif event.kind is EventKind.TIPPED_BIN:
            level[during] *= 0.1  # most of it lies in the street
    return level


def collections_between(start: int, end: int, site: Site, chance: Chance) -> IntColumn:
    """When the bin is emptied on ordinary days."""
    first, last = _round(np.array([start, end]), site, chance).tolist()
    return _collection(np.arange(first + 1, last + 1), site, chance)


def _during(event: Event, times: IntColumn) -> slice:
    first, last = np.searchsorted(times, [event.start, event.end]).tolist()
    return slice(first, last)


def _emptied(site: Site, times: IntColumn, chance: Chance, events: Sequence[Event]) -> IntColumn:
    """When the bin was last emptied before each time."""
    # What held when each event began stands in front, since an event keeps it until its end.
    asked = np.concatenate([np.array([e.start for e in events], np.int64), times])
    emptied = _collection(_round(asked, site, chance), site, chance)
    for number, event in enumerate(events):
        held = (asked >= event.start) & (asked < event.end)
        emptied[held] = emptied[number]
        emptied = np.where(asked >= event.end, np.maximum(emptied, event.end), emptied)
    return emptied[len(events) :]


def _round(times: IntColumn, site: Site, chance: Chance) -> IntColumn:
    """The number of the round whose collection was the last before each time."""
    number = (times + UTC_OFFSET - 5 * HOUR) // (_shifts(site, chance) * SHIFT) + 1
    for _ in range(3):
        number = number - (_collection(number, site, chance) > times)
    return number


def _collection(numbers: IntColumn, site: Site, chance: Chance) -> IntColumn:
    """When the crew comes in each round."""
    shifts = _shifts(site, chance)
    turn = np.floor(shifts * chance.uniforms(numbers, "turn", site.id))
    late = 100 * MINUTE * np.clip(chance.normals(numbers, "late", site.id), -2, 2)
    first = 5 * HOUR - UTC_OFFSET
    return first + numbers * (shifts * SHIFT) + (turn * SHIFT + late).astype(np.int64)


def _shifts(site: Site, chance: Chance) -> int:
    rounds = _place(site).rounds
    return rounds[int(chance.uniform("round", site.id) * len(rounds))]


def _place(site: Site) -> Place:
    return next((place for word, place in PLACES.items() if word in site.id), PLACES["road"])


def _settled(emptied: IntColumn, times: IntColumn, site: Site, chance: Chance) -> FloatColumn:
    """% that people brought since, the older part of it settled under its own weight."""
    moments = np.concatenate([emptied, np.maximum(emptied, times - SETTLING), times])
    before, old, now = np.split(_brought(moments, site, chance), 3)
    level: FloatColumn = (now - before - SETTLED * (old - before)) / 1e6
    return level


def _brought(times: IntColumn, site: Site, chance: Chance) -> IntColumn:
    """Millionths of a % that people brought until each time; differences do not depend on `times`,
    which a sum of fractions would not achieve.
    """
    number = _round(times, site, chance)
    rounds = np.arange(number.min(), number.max() + 2)
    collected = _collection(rounds, site, chance)
    visits = _visits(collected, _place(site))
    length = np.diff(collected) / (_shifts(site, chance) * SHIFT)
    # In longer rounds people bring more, but they do not come more often because the crew does.
    each = USUAL * length**0.5 * _season(collected[:-1])
    each *= chance.between(0.9, 1.1, "usual", site.id)
    each *= 0.88 + 0.24 * chance.uniforms(rounds[:-1], "crowd", site.id)
    amounts = np.round(1e6 * each).astype(np.int64)
    index = number - rounds[0]
    part = (_visits(times, _place(site)) - visits[index]) / np.diff(visits)[index]
    whole = np.concatenate([[0], np.cumsum(amounts)])[index]
    brought: IntColumn = whole + np.round(part * amounts[index]).astype(np.int64)
    return brought


def _season(times: IntColumn) -> FloatColumn:
    """Tourists come from November to April, and everybody at the feasts."""
    season = season_of(times)
    festive = np.zeros(len(times), bool)
    for first, last in FESTIVE:
        festive |= (season >= first / 366) & (season < (last + 1) / 366)
    return 1 + 0.08 * np.cos(2 * np.pi * (season - 0.08)) + 0.15 * festive


def _visits(times: IntColumn, place: Place) -> FloatColumn:
    """Busyness summed since a Monday of 1969; the mean is 1 an hour."""
    weeks, rest = np.divmod(times + UTC_OFFSET + 3 * DAY, 7 * DAY)
    within: FloatColumn = np.interp(rest / HOUR, np.arange(169), _week(place))
    return weeks * 168 + within


@lru_cache(maxsize=16)
def _week(place: Place) -> FloatColumn:
    """Busyness summed from Monday's midnight to each hour of the week, 168 in all."""
    hours = np.arange(0.5, 24)
    busy = np.full(24, 0.15)
    for middle, width in place.busy:
        busy += bell(hours - middle, width)
    week = np.concatenate([busy] * 5 + [place.weekend * busy] * 2)
    return np.concatenate([[0.0], np.cumsum(week) * (168 / week.sum())])
