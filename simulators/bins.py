"""How bins fill and are emptied: pure functions of place and time, with rounds instead of memory.

A bin is emptied once in each round, a whole number of half days that belongs to the bin, always
somewhat early or late. Between two collections it fills with the hours and weekdays on which people
come. The rounds are set so that the median time between collections over all bins is near 40 h, as
published for one city (40.8 h over 10,000 collections); unlike there most bins are emptied in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from core.registry import Site
from core.times import DAY, HOUR, MINUTE, SECOND
from simulators.chance import Chance, bell
from simulators.events import Event, EventKind
from simulators.sky import UTC_OFFSET, Sky

EMPTY_MM, FULL_MM = 1150, 230  # from the sensor in the lid down to the floor, and to a full load
RUSH_TOP, RUSH_RATE = 97.0, 0.2125 / SECOND  # a FULL_BIN event ends at 97 %, 80 s after 80 %
AFTER_EMPTYING = 2.0  # % that stays or falls in at once


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
    site: Site, time: int, sky: Sky, chance: Chance, events: Sequence[Event]
) -> dict[str, float]:
    """What an ultrasonic sensor in the lid reads; `fill_level` follows from `distance`."""
    span = EMPTY_MM - FULL_MM
    level = fill_level(site, time, chance, events) + 0.3 * chance.normal("echo", site.id, time)
    distance = round(EMPTY_MM - span * min(100.0, max(0.0, level)) / 100)
    in_the_sun = chance.between(4, 13, "sun", site.id) * sky.sunlight / 1000
    return {
        "fill_level": 100 * (EMPTY_MM - distance) / span,
        "distance": distance,
        "bin_temperature": sky.temperature + 1.0 + in_the_sun,
    }


def fill_level(site: Site, time: int, chance: Chance, events: Sequence[Event] = ()) -> float:
    """% of the bin that is full."""
    level = _ordinary_level(site, time, chance)
    for event in events:
        if event.kind is not EventKind.FULL_BIN or event.site != site.id or time < event.start:
            continue
        if time < event.end:
            level = max(level, RUSH_TOP - RUSH_RATE * (event.end - time))
        elif _collection(site, time, chance) == _collection(site, event.end, chance):
            level += AFTER_EMPTYING - _ordinary_level(site, event.end, chance)
    return level


def _ordinary_level(site: Site, time: int, chance: Chance) -> float:
    place = _place(site)
    number, emptied = _collection(site, time, chance)
    usual = chance.between(48, 60, "usual", site.id)  # % at the end of a round
    usual *= chance.between(0.9, 1.1, "crowd", site.id, number)
    people = _visits(place, time) - _visits(place, emptied)
    return AFTER_EMPTYING + usual * people / (_round(site, chance) / HOUR)


def _collection(site: Site, time: int, chance: Chance) -> tuple[int, int]:
    """Number and time of the last collection before `time`."""
    length = _round(site, chance)
    number = (time - _first_collection(site, length, chance)) // length + 1
    while (emptied := _collected_at(site, number, chance)) > time:
        number -= 1
    return number, emptied


def _collected_at(site: Site, number: int, chance: Chance) -> int:
    length = _round(site, chance)
    late = 50 * MINUTE * max(-2.0, min(2.0, chance.normal("late", site.id, number)))
    return _first_collection(site, length, chance) + number * length + round(late)


def _first_collection(site: Site, length: int, chance: Chance) -> int:
    """The crew comes at five in the morning or afternoon, in turns."""
    turn = int(chance.uniform("turn", site.id) * length / (DAY // 2))
    return 5 * HOUR - UTC_OFFSET + turn * (DAY // 2)


def _round(site: Site, chance: Chance) -> int:
    rounds = _place(site).rounds
    return rounds[int(chance.uniform("round", site.id) * len(rounds))] * HOUR


def _place(site: Site) -> Place:
    return next((place for word, place in PLACES.items() if word in site.id), PLACES["road"])


def _visits(place: Place, time: int) -> float:
    """Busyness summed since a Monday of 1969; the mean is 1 an hour."""
    weeks, rest = divmod(time + UTC_OFFSET + 3 * DAY, 7 * DAY)
    hour, part = divmod(rest, HOUR)
    week = _week(place)
    within = week[hour] + (week[hour + 1] - week[hour]) * part / HOUR
    return weeks * 168 + within


@lru_cache(maxsize=16)
def _week(place: Place) -> tuple[float, ...]:
    """Busyness summed from Monday's midnight to each hour of the week, 168 in all."""
    hours = [
        (place.weekend if day >= 5 else 1.0)
        * (0.15 + sum(bell(hour + 0.5 - middle, width) for middle, width in place.busy))
        for day in range(7)
        for hour in range(24)
    ]
    scale = 168 / sum(hours)
    return tuple(accumulate((hour * scale for hour in hours), initial=0.0))
