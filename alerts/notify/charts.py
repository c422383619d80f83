"""A small picture of a series: the line, the limit, the readings that the quality tests object to.

It holds no words but numbers and times of day, so it is the same in every language. Pure, and the
same bytes for the same facts.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageFont

from core.alerts import Severity, State
from core.notices import Told
from core.readings import Flag
from core.surroundings import Reading
from core.times import HOUR, from_micros

WIDTH, HEIGHT = 560, 180  # as a mail shows it
_SCALE = 2  # pixels for each, for sharp screens
_FINE = 2  # drawn so much larger and then reduced, for smooth lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 24
_FONT = 12
_WHITE, _INK, _FAINT = "#ffffff", "#5b6770", "#e4e8eb"
_LINE, _BAD = "#1f6f8b", "#9aa5ad"
_LIMIT = {Severity.INFO: "#2b6cb0", Severity.WARNING: "#c77700", Severity.CRITICAL: "#c02626"}


class _Subject(NamedTuple):
    """All that the picture depends on."""

    readings: tuple[Reading, ...]
    level: float | None
    side: str
    colour: str
    firing: bool
    zone: ZoneInfo


class _Box(NamedTuple):
    """What of time (µs) and value the picture shows."""

    start: int
    end: int
    low: float
    high: float


def chart(told: Told, zone: ZoneInfo) -> bytes | None:
    """A PNG of `told.recent`; None where there are too few readings to see anything."""
    if len(told.recent) < 2 or told.recent[0].at == told.recent[-1].at:
        return None
    firing, colour = told.state is State.FIRING, _LIMIT[told.severity]
    return _drawn(_Subject(told.recent, told.level, told.side, colour, firing, zone))


@lru_cache(maxsize=64)  # a notice goes to many people, and a picture takes 60 ms
def _drawn(subject: _Subject) -> bytes:
    box = _box(subject.readings, subject.level)
    canvas = _Canvas(box)
    canvas.values(_ticks(box.low, box.high))
    canvas.times(subject.zone)
    if subject.level is not None:
        canvas.limit(subject.level, subject.side, subject.colour)
    canvas.series(subject.readings)
    good = [reading for reading in subject.readings if _good(reading)]
    if good and subject.firing:
        canvas.dot(good[-1], subject.colour)
    return canvas.png()


def _good(reading: Reading) -> bool:
    return reading.flag in {Flag.GOOD, Flag.NOT_EVALUATED}


def _box(readings: Sequence[Reading], level: float | None) -> _Box:
    """The limit and the readings that nobody objects to, with some air around them."""
    shown = [reading.value for reading in readings if _good(reading)]
    values = shown or [reading.value for reading in readings]
    if level is not None:
        values = [*values, level]
    low, high = min(values), max(values)
    air = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    bottom = 0.0 if low == 0 else low - air
    return _Box(readings[0].at, readings[-1].at, bottom, high + air)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, four to eight of them.

    >>> _ticks(0.0, 47.0), _ticks(28.97, 30.2)
    ([0.0, 10.0, 20.0, 30.0, 40.0], [29.0, 29.2, 29.4, 29.6, 29.8, 30.0, 30.2])
    """
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * k for k in (1, 2, 5, 10)), key=lambda step: abs(step - rough))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(step * k, 12) for k in range(first, last + 1)]


class _Canvas:
    """Draws in the units of the picture: time to the right, value upwards."""

    def __init__(self, box: _Box) -> None:
        self._box = box
        size = (WIDTH * _SCALE * _FINE, HEIGHT * _SCALE * _FINE)
        self._image = Image.new("RGB", size, _WHITE)
        self._draw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(_px(_FONT))

    def values(self, ticks: Sequence[float]) -> None:
        """Lines across, with their numbers."""
        digits = max((len(f"{tick:.10g}".partition(".")[2]) for tick in ticks), default=0)
        for tick in ticks:
            y = self._y(tick)
            self._draw.line([(_px(_LEFT), y), (_px(WIDTH - _RIGHT), y)], _FAINT, _px(1))
            words = f"{tick:.{digits}f}".replace("-", "\N{MINUS SIGN}")
            self._text((_px(_LEFT - 8), y), words, "rm")

    def times(self, zone: ZoneInfo) -> None:
        """Times of day below, on the city's clock; days where it is more than two."""
        start, end = self._box.start, self._box.end
        form = "%H:%M" if end - start <= 48 * HOUR else "%d.%m."
        for k, anchor in ((0, "lb"), (1, "mb"), (2, "mb"), (3, "mb"), (4, "rb")):
            at = start + (end - start) * k // 4
            words = f"{from_micros(at).astimezone(zone):{form}}"
            self._text((self._x(at), _px(HEIGHT - 4)), words, anchor)

    def limit(self, level: float, side: str, colour: str) -> None:
        """A broken line, and a shade over what lies beyond it."""
        y, left, right = self._y(level), _px(_LEFT), _px(WIDTH - _RIGHT)
        if side:
            beyond = (_px(_TOP), y) if side == "above" else (y, _px(HEIGHT - _BOTTOM))
            area = (int(left), int(beyond[0]), int(right), int(beyond[1]))
            if area[3] > area[1]:
                part = self._image.crop(area)
                tint = Image.new("RGB", part.size, colour)
                self._image.paste(Image.blend(part, tint, 0.08), area)
        dash, gap = _px(8), _px(5)
        x = left
        while x < right:
            self._draw.line([(x, y), (min(x + dash, right), y)], colour, _px(1.5))
            x += dash + gap

    def series(self, readings: Sequence[Reading]) -> None:
        """The line through what is good; what is not stands apart, as a ring."""
        line = [(self._x(r.at), self._y(r.value)) for r in readings if _good(r)]
        if len(line) > 1:
            self._draw.line(line, _LINE, _px(2), joint="curve")
        for reading in readings:
            if not _good(reading):
                self._ring(reading)

    def dot(self, reading: Reading, colour: str) -> None:
        """The newest one."""
        x, y, r = self._x(reading.at), self._y(reading.value), _px(4)
        self._draw.ellipse((x - r, y - r, x + r, y + r), colour, _WHITE, _px(1))

    def png(self) -> bytes:
        """The picture, reduced to few colours: it travels in each mail."""
        small = self._image.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.BOX)
        into = BytesIO()
        small.quantize(64).save(into, "PNG", optimize=True)
        return into.getvalue()

    def _ring(self, reading: Reading) -> None:
        x, y, r = self._x(reading.at), self._y(reading.value), _px(3)
        self._draw.ellipse((x - r, y - r, x + r, y + r), _WHITE, _BAD, _px(1.5))

    def _text(self, at: tuple[float, float], words: str, anchor: str) -> None:
        self._draw.text(at, words, _INK, self._font, anchor)

    def _x(self, at: int) -> float:
        share = (at - self._box.start) / (self._box.end - self._box.start)
        return _px(_LEFT) + share * _px(WIDTH - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._box.low) / (self._box.high - self._box.low)
        share = min(max(share, 0.0), 1.0)  # an absurd reading stands at the edge
        return _px(HEIGHT - _BOTTOM) - share * _px(HEIGHT - _TOP - _BOTTOM)


def _px(length: float) -> int:
    return round(length * _SCALE * _FINE)
