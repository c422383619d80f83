"""How a series is learned: from one reading a slot, robustly, forgetting exponentially.

What is *usual* is learned by hour of the day, more so by hour of a working day or of a day off, and
at beaches by phase of the tide. The *forecast* remembers besides how far the series was off what
is usual, as far as it has shown that this lasts. No reading moves a centre by more than a part of
the spread, and a spread by more than itself: so they stay near medians, and an event does not
teach itself. Of what is rarer than once a month little is learned, unless it has stayed for a week.
"""

from typing import Any, Generic, NamedTuple

import numpy as np

from alerts.anomaly.arithmetic import Arithmetic, N
from alerts.anomaly.layout import (
    BOUND,
    CENTRE,
    COVARIANCE,
    EPISODE,
    ERROR,
    EXCESS,
    FALLING,
    FAST,
    LEVEL,
    RISING,
    SEEN,
    SEEN_BY_HOUR,
    SLOT,
    SLOW,
    SPREAD,
    UNREST,
    USUAL_UNREST,
    VARIANCE,
    Learned,
)
from core.readings import IntColumn

LEAST_SEEN = 48  # slots, not quite two days: before, nothing is said
YOUNG = 24  # slots in which spreads are taken as they come
FORGET_CELL = 0.04  # what is known of an hour is forgotten in 25 days
FORGET = 0.002  # what is known of the whole in 500 slots, 3 weeks
OVER_WEEK, OVER_HOURS, OVER_DAY, OVER_WEEKS = 1 / 168, 1 / 8, 1 / 10, 1 / 336  # slots
SLACK = 0.5  # spreads that the sums forgive each slot
FULL = 30.0  # spreads; the sums hold no more
FAR = 3.0  # spreads; nothing moves the level by more
FAR_OFF = 5.0  # spreads; nothing counts as further off when a spread is learned
STILL = 0.2  # of the least spread is no movement
MEMORY = 0.95  # of a level, at most, from slot to slot
FORGET_BOUND = 0.005
LASTING = 0.1  # of a tail is learned from symptoms that last: their slots are not many cases
APART = 12.0  # slots without anything rare end an episode
ONE_IN = 40  # slots exceed the bound of a symptom
RARE = 4.9  # mean excesses beyond its bound a symptom is rarer than once a month (`rarity.py`)
LEAST_EXCESS = 0.1
TIMID = 0.1  # of what is usual is learned from what is rare
STAYS = 2.0  # spreads; what was off by more for a week is no event that ends


class View(NamedTuple, Generic[N]):
    """What is known about a reading before it is learned from: what is usual then and what was
    forecast, and the spreads about both.
    """

    usual: N
    spread: N
    forecast: N
    error: N


def view(of: Arithmetic[N], cells: Any, whole: Any, gap: N, floor: N) -> View[N]:
    """`cells` are those of the reading's time, in the order of `calendar.cells`; `gap` is how many
    slots ago the series was learned from.
    """
    hourly, daily, tidal, spread, error, n_hour, n_day, n_tide = cells
    usual = whole[CENTRE] + (hourly - whole[CENTRE]) * (n_hour / (n_hour + 0.3))
    usual = usual + (daily - usual) * (n_day / (n_day + 1.5))
    usual = usual + tidal * (n_tide / (n_tide + 5.0))
    known = n_hour / (n_hour + 4.0)
    spread = of.most(whole[SPREAD] + (spread - whole[SPREAD]) * known, floor)
    error = of.most(whole[ERROR] + (error - whole[ERROR]) * known, floor)
    memory = whole[COVARIANCE] / of.most(whole[VARIANCE], 1e-12)
    lost = 1.0 - of.least(of.most(memory, 0.0), MEMORY)
    lasting = of.most(1.0 - lost * gap, 0.0)
    wider = error * of.root(of.most(gap, 1.0))
    error = of.least(wider, of.most(spread, error))
    return View(usual, spread, usual + lasting * whole[LEVEL], error)


def symptoms(of: Arithmetic[N], whole: Any, floor: N) -> list[N]:
    """How far out a series is by what was learned last: shift, drift, sum, burst, collapse."""
    width = of.most(whole[SPREAD], floor)
    unrest, usual = of.most(whole[UNREST], floor), of.most(whole[USUAL_UNREST], floor)
    still = of.most(whole[UNREST], STILL * floor)
    return [
        abs(whole[FAST] - whole[SLOW]) / width,
        abs(whole[SLOW]) / width,
        of.most(whole[RISING], whole[FALLING]),
        unrest / usual,
        of.most(whole[USUAL_UNREST], STILL * floor) / still,
    ]


def excess(of: Arithmetic[N], size: N, bound: N) -> N:
    """How far a symptom is beyond its bound, so that heavy tails look exponential."""
    return 2.0 * (of.root(size / bound) - 1.0)


def relearn(learned: Learned, which: IntColumn) -> None:
    """After work on the devices of these rows: they may have moved, so nothing is said for almost a
    day, and what is usual follows quickly.
    """
    rows = learned[which]
    rows[:, SEEN] = np.minimum(rows[:, SEEN], YOUNG)
    rows[:, SEEN_BY_HOUR:] = np.minimum(rows[:, SEEN_BY_HOUR:], 2)
    rows[:, [LEVEL, SLOW, FAST, RISING, FALLING]] = 0
    rows[:, UNREST] = rows[:, USUAL_UNREST]
    learned[which] = rows


class Lesson(NamedTuple, Generic[N]):
    """A reading to be learned: its value and slot, the least spread that means anything, and 1
    where there is a tide, else 0.
    """

    value: N
    slot: N
    floor: N
    tidal: N


class Moves(NamedTuple, Generic[N]):
    """What moves what is known: how far the value is off what is usual, that and how far it is off
    the forecast as spreads see it, the most by which a centre moves, and how much is learned.
    """

    off: N
    off_by: N
    error_by: N
    most: N
    weight: N


def learn(of: Arithmetic[N], cells: list[N], whole: list[N], lesson: Lesson[N]) -> None:
    """One reading, or one of each series, into `cells` and `whole`."""
    value, slot = lesson.value, lesson.slot
    floor: N = lesson.floor
    seen, new = whole[SEEN], whole[SEEN] == 0
    whole[CENTRE] = of.either(new, value, whole[CENTRE])
    now = view(of, cells, whole, of.either(new, 1.0, slot - whole[SLOT]), floor)
    off, error = value - now.usual, value - now.forecast
    sizes: list[N] = [abs(error) / now.error, abs(off) / now.spread]
    known, young = seen >= LEAST_SEEN, seen < YOUNG
    lasts = abs(whole[SLOW]) > STAYS * of.most(whole[SPREAD], floor)
    event = known & _is_rare(of, whole, sizes)
    weight = of.either(lasts, 1.0, of.either(event, TIMID, 1.0))
    moves = Moves(
        off=off,
        off_by=of.either(young, abs(off), of.least(abs(off), FAR_OFF * now.spread + floor)),
        error_by=of.either(young, abs(error), of.least(abs(error), FAR_OFF * now.error + floor)),
        most=1.5 * now.spread,
        weight=weight,
    )
    _learn_cells(of, cells, value, lesson.tidal, moves)
    _learn_whole(of, whole, value, moves)
    shift = _within(of, error, FAR * now.error)
    _learn_level(of, whole, now.forecast - now.usual + shift, weight)
    _learn_slowly(of, whole, off, shift / now.error, floor)
    _learn_unrest(of, whole, of.least(abs(error), FAR_OFF * now.error))
    sizes += symptoms(of, whole, floor)
    _learn_tails(of, whole, sizes, slot)
    whole[SLOT], whole[SEEN] = slot, seen + 1.0


def _is_rare(of: Arithmetic[N], whole: list[N], sizes: list[N]) -> Any:
    beyond = [excess(of, size, whole[BOUND + number]) for number, size in enumerate(sizes)]
    return (beyond[0] > RARE * whole[EXCESS]) | (beyond[1] > RARE * whole[EXCESS + 1])


def _learn_cells(of: Arithmetic[N], cells: list[N], value: N, tidal: N, moves: Moves[N]) -> None:
    n_hour, n_day, n_tide = cells[5:]
    weight, most = moves.weight, moves.most
    paces = [of.most(1.0 / (n + 1.0), FORGET_CELL) * weight for n in (n_hour, n_day, n_tide)]
    for cell, n in ((0, n_hour), (1, n_day)):
        moved = cells[cell] + paces[cell] * _within(of, value - cells[cell], most)
        cells[cell] = of.either(n == 0, value, moved)
    cells[2] = cells[2] + paces[2] * tidal * _within(of, moves.off, most)
    cells[3] = cells[3] + paces[0] * (moves.off_by - cells[3])
    cells[4] = cells[4] + paces[0] * (moves.error_by - cells[4])
    cells[5:] = n_hour + weight, n_day + weight, n_tide + weight * tidal


def _learn_whole(of: Arithmetic[N], whole: list[N], value: N, moves: Moves[N]) -> None:
    pace = _pace(of, whole, moves.weight)
    whole[CENTRE] = whole[CENTRE] + pace * _within(of, value - whole[CENTRE], moves.most)
    whole[SPREAD] = whole[SPREAD] + pace * (moves.off_by - whole[SPREAD])
    whole[ERROR] = whole[ERROR] + pace * (moves.error_by - whole[ERROR])


def _learn_level(of: Arithmetic[N], whole: list[N], level: N, weight: N) -> None:
    pace, before = _pace(of, whole, weight), whole[LEVEL]
    whole[COVARIANCE] = whole[COVARIANCE] + pace * (before * level - whole[COVARIANCE])
    whole[VARIANCE] = whole[VARIANCE] + pace * (before * before - whole[VARIANCE])
    whole[LEVEL] = level


def _pace(of: Arithmetic[N], whole: list[N], weight: N) -> N:
    return of.most(2.0 / (whole[SEEN] + 2.0), FORGET) * weight


def _learn_slowly(of: Arithmetic[N], whole: list[N], off: N, step: N, floor: N) -> None:
    near = _within(of, off, FAR * of.most(whole[SPREAD], floor))
    whole[SLOW] = whole[SLOW] + OVER_WEEK * (near - whole[SLOW])
    whole[FAST] = whole[FAST] + OVER_HOURS * (near - whole[FAST])
    whole[RISING] = of.least(of.most(whole[RISING] + step - SLACK, 0.0), FULL)
    whole[FALLING] = of.least(of.most(whole[FALLING] - step - SLACK, 0.0), FULL)


def _learn_unrest(of: Arithmetic[N], whole: list[N], unrest: N) -> None:
    whole[UNREST] = whole[UNREST] + OVER_DAY * (unrest - whole[UNREST])
    pace = of.most(1.0 / (whole[SEEN] + 1.0), OVER_WEEKS)
    whole[USUAL_UNREST] = whole[USUAL_UNREST] + pace * (unrest - whole[USUAL_UNREST])


def _learn_tails(of: Arithmetic[N], whole: list[N], sizes: list[N], slot: N) -> None:
    """What one in so many of each symptom exceeds, and by how much then. What is rare counts once
    in an episode, however long that lasts.
    """
    seen = whole[SEEN]
    first: N = of.either(slot - whole[EPISODE] > APART, 1.0, 0.0)
    known: N = of.either(seen >= LEAST_SEEN, 1.0, 0.0)
    for number, size in enumerate(sizes):
        bound, mean = whole[BOUND + number], whole[EXCESS + number]
        beyond = excess(of, size, bound)
        rare = beyond > RARE * mean
        counts = known * of.either(rare, first, 1.0)
        over = counts * of.either(size > bound, 1.0, 0.0)
        pace = (
            of.most(ONE_IN / (seen + 8.0 * ONE_IN), 0.02) * over * (LASTING if number > 1 else 1.0)
        )
        moved = mean + pace * (of.least(beyond, 3.0 * mean) - mean)
        whole[EXCESS + number] = of.most(moved, LEAST_EXCESS)
        pace = of.most(10.0 / (seen + 100.0), FORGET_BOUND)
        whole[BOUND + number] = bound + bound * pace * (over - counts / ONE_IN)
        whole[EPISODE] = of.either((seen >= LEAST_SEEN) & rare, slot, whole[EPISODE])


def _within(of: Arithmetic[N], number: N, most: N) -> N:
    return of.least(of.most(number, -most), most)
