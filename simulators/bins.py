"""How bins fill and are emptied: pure functions of place and time, with rounds instead of memory.

A bin is emptied once in each round, a whole number of half days that belongs to the bin, always
somewhat early or late. Between two collections it fills with the hours and weekdays on which people
come. The rounds are set so that the median time between collections over all bins is near 40 h, as
published for one city (40.8 h over 10,000 collections); unlike there most bins are emptied in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Site
from core.times import DAY, HOUR, MINUTE
from simulators.chance import Chance, bell, smooth
from simulators.events import Event, EventKind, Happenings
from simulators.sky import UTC_OFFSET, Sky, local_day, local_hour

EMPTY_MM, FULL_MM = 1150, 230  # from the sensor in the lid down to the floor, and to a full load
RUSH = 60.0  # % an hour of an overflow of strength 1
AFTER_EMPTYING = 2.0  # % that stays or falls in at once
FIRE = 170.0  # °C above the ordinary
UPRIGHT, LYING = 1.5, 86.0  # degrees

# After these the crew empties the bin when they are over, and not before.
CREW_COMES_LATER = (
    EventKind.BIN_FIRE,
    EventKind.MISSED_COLLECTION,
    EventKind.OVERFLOW,
    EventKind.TIPPED_BIN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Who fills a bin: `rounds` in hours, `busy` hours (local hour, width), more on weekends."""

    rounds: tuple[int, ...]
    busy: tuple[tuple[float, float], ...]
    weekend: float


# The first of these words in a bin's id decides; without any it stands in a street.
PLACES = {
    "market": Place(rounds=(24, 36, 48), busy=((7, 1.5), (17.5, 2.5)), weekend=1.15),
    "beach": Place(rounds=(36, 48, 60), busy=((15.5, 3.0),), weekend=1.15),
    "pier": Place(rounds=(48, 60), busy=((9, 1.5), (16, 1.5)), weekend=1.1),
    "park": Place(rounds=(96, 120), busy=((7, 1.5), (18, 2.0)), weekend=1.15),
    "road": Place(rounds=(36, 48), busy=((12, 3.5), (20, 3.0)), weekend=1.1),
}


def waste_bin(
    site: Site, times: IntColumn, sky: Sky, chance: Chance, happenings: Happenings
) -> dict[str, FloatColumn]:
    """What an ultrasonic sensor in the lid reads; `fill_level` follows from `distance`."""
    span = EMPTY_MM - FULL_MM
    level = fill_level(site, times, chance, happenings)
    level = level + 0.3 * chance.normals(times, "echo", site.id)
    distance = np.round(EMPTY_MM - span * np.clip(level, 0, 100) / 100)
    in_the_sun = chance.between(4, 13, "sun", site.id) * sky.sunlight / 1000
    fire = happenings.felt(EventKind.BIN_FIRE, site, times)
    tilt = np.full(len(times), UPRIGHT + chance.between(-1, 2, "ground", site.id))
    for event in happenings.at(site, EventKind.TIPPED_BIN):
        tilt[_during(event, times)] = LYING
    return {
        "fill_level": 100 * (EMPTY_MM - distance) / span,
        "distance": distance,
        "bin_temperature": sky.temperature + 1.0 + in_the_sun + FIRE * fire,
        "tilt": tilt,
    }


def fill_level(site: Site, times: IntColumn, chance: Chance, happenings: Happenings) -> FloatColumn:
    """% of the bin that is full, from its last collection on; more than 100 where it runs over."""
    events = happenings.at(site, *CREW_COMES_LATER)
    level = AFTER_EMPTYING + _brought_since(
        _emptied(site, times, chance, events), times, site, chance
    )
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


def _during(event: Event, times: IntColumn) -> slice:
    first, last = np.searchsorted(times, [event.start, event.end]).tolist()
    return slice(first, last)


def _emptied(site: Site, times: IntColumn, chance: Chance, events: Sequence[Event]) -> IntColumn:
    """When the bin was last emptied before each time."""
    # What held when each event began stands in front, since an event keeps it until its end.
    asked = np.concatenate([np.array([e.start for e in events], np.int64), times])
    emptied = _collected_before(asked, site, chance)
    for number, event in enumerate(events):
        held = (asked >= event.start) & (asked < event.end)
        emptied[held] = emptied[number]
        emptied = np.where(asked >= event.end, np.maximum(emptied, event.end), emptied)
    return emptied[len(events) :]


def _collected_before(times: IntColumn, site: Site, chance: Chance) -> IntColumn:
    """The last ordinary collection before each time."""
    length = _place(site).rounds[_choice(site, chance)] * HOUR
    # The crew comes at five in the morning or afternoon, in turns.
    turn = int(chance.uniform("turn", site.id) * length / (DAY // 2))
    first = 5 * HOUR - UTC_OFFSET + turn * (DAY // 2)

    def collected(numbers: IntColumn) -> IntColumn:
        late = 50 * MINUTE * np.clip(chance.normals(numbers, "late", site.id), -2, 2)
        return first + numbers * length + np.round(late).astype(np.int64)

    number = (times - first) // length + 1
    for _ in range(2):
        number = number - (collected(number) > times)
    return collected(number)


def _choice(site: Site, chance: Chance) -> int:
    return int(chance.uniform("round", site.id) * len(_place(site).rounds))


def _place(site: Site) -> Place:
    return next((place for word, place in PLACES.items() if word in site.id), PLACES["road"])


def _brought_since(emptied: IntColumn, times: IntColumn, site: Site, chance: Chance) -> FloatColumn:
    """% that people brought between each two moments."""
    place = _place(site)
    first, last = int(local_day(emptied.min())), int(local_day(times[-1]))
    days = np.arange(first, last + 1)
    a_day = chance.between(48, 60, "usual", site.id) * 24 / place.rounds[_choice(site, chance)]
    crowd = 0.9 + 0.2 * chance.uniforms(days, "crowd", site.id)
    weekend = np.where(days % 7 >= 5, place.weekend, 1.0) * 7 / (5 + 2 * place.weekend)
    # Whole millionths, so that it does not matter with which day the sum begins.
    each = np.round(1e6 * a_day * crowd * weekend).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(each)])

    def within(moments: IntColumn) -> FloatColumn:
        part: FloatColumn = np.interp(local_hour(moments), np.arange(25), _day(place))
        return part * each[local_day(moments) - first]

    whole = total[local_day(times) - first] - total[local_day(emptied) - first]
    brought: FloatColumn = (whole + within(times) - within(emptied)) / 1e6
    return brought


@lru_cache(maxsize=16)
def _day(place: Place) -> FloatColumn:
    """The part of a day's waste that is there at each full hour, from 0 to 1."""
    hours = np.arange(0.5, 24)
    busy = np.full(24, 0.15)
    for middle, width in place.busy:
        busy += bell(hours - middle, width)
    return np.concatenate([[0.0], np.cumsum(busy) / busy.sum()])
