"""A small picture of a series out of Flex boxes: a bar for each stretch of time, and the limit.

It needs no address on the internet that LINE could fetch an image from. Pure.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.notices import Told
from core.readings import Flag
from core.surroundings import Reading

HEIGHT = 56  # px
BARS = 24
_LEAST = 2  # px, of the lowest bar
_PLAIN, _LIMIT = "#9AA6B2", "#1F1F1F"
_SCALES = {"above": max, "below": min}


class _Frame(NamedTuple):
    """What the lowest and the highest pixel stand for."""

    low: float
    high: float

    def pixels(self, value: float) -> int:
        """How high a value is."""
        share = (value - self.low) / (self.high - self.low)
        return round(_LEAST + share * (HEIGHT - _LEAST))


def picture(told: Told, colour: str, bars: int = BARS) -> dict[str, Any] | None:
    """A box with the readings behind an alert; those beyond its limit are in `colour`. None where
    there are too few to see anything.

    Where a stretch has several readings, the one nearest to trouble stands for it.
    """
    readings = [r for r in told.recent if _drawn(r)]
    if len(readings) < 2 or readings[0].at == readings[-1].at:
        return None
    values = _thinned(readings, bars, told.side)
    frame = _frame([v for v in values if v is not None], told.level)
    contents = [_bar(value, frame, told, colour) for value in values]
    if told.level is not None:
        contents.append(_line(frame.pixels(told.level)))
    return {
        "type": "box",
        "layout": "horizontal",
        "height": f"{HEIGHT}px",
        "alignItems": "flex-end",
        "spacing": "1px",
        "margin": "lg",
        "contents": contents,
    }


def _drawn(reading: Reading) -> bool:
    return reading.flag not in {Flag.FAIL, Flag.MISSING} and math.isfinite(reading.value)


def _thinned(readings: Sequence[Reading], bars: int, side: str) -> list[float | None]:
    """One value for each stretch of time, None where nothing was read."""
    start, end = readings[0].at, readings[-1].at
    stretches: list[list[float]] = [[] for _ in range(bars)]
    for reading in readings:
        stretches[min((reading.at - start) * bars // (end - start), bars - 1)].append(reading.value)
    worst = _SCALES.get(side, max)
    return [worst(values) if values else None for values in stretches]


def _frame(values: Sequence[float], level: float | None) -> _Frame:
    """All that is drawn, and a little room below the lowest."""
    drawn = [*values, *([] if level is None else [level])]
    low, high = min(drawn), max(drawn)
    span = high - low or abs(high) or 1.0
    return _Frame(low - span / 10, high + (0 if high > low else span / 10))


def _bar(value: float | None, frame: _Frame, told: Told, colour: str) -> dict[str, Any]:
    bar: dict[str, Any] = {"type": "box", "layout": "vertical", "contents": [], "flex": 1}
    if value is None:
        return bar | {"height": "1px"}
    beyond = told.level is not None and (
        value > told.level if told.side == "above" else value < told.level
    )
    shade = colour if beyond and told.side else _PLAIN
    return bar | {"height": f"{frame.pixels(value)}px", "backgroundColor": shade}


def _line(height: int) -> dict[str, Any]:
    """Where the limit is."""
    return {
        "type": "box",
        "layout": "vertical",
        "contents": [],
        "position": "absolute",
        "offsetBottom": f"{height}px",
        "offsetStart": "0px",
        "offsetEnd": "0px",
        "height": "1px",
        "backgroundColor": _LIMIT,
    }
