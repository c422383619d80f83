"""Small line plots as SVG, written by hand: short, and the same on every machine."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from core.readings import FloatColumn

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 28, 44  # margins around the axes
COLOURS = {"real": "#8a8a8a", "simulated": "#0072b2"}


class Line(NamedTuple):
    """A line of a plot; `kind` is what it shows, `real` or `simulated`."""

    kind: str
    x: FloatColumn
    y: FloatColumn


class Axis(NamedTuple):
    """What an axis says, from where to where it goes, and where it has marks."""

    title: str
    low: float
    high: float
    marks: Sequence[float]

    def part(self, values: FloatColumn) -> FloatColumn:
        """Where values lie, 0 to 1."""
        return (values - self.low) / (self.high - self.low)


def plot(x: Axis, y: Axis, lines: Iterable[Line]) -> str:
    """The picture; real lines lie below simulated ones."""
    below_first = sorted(lines, key=lambda line: line.kind)
    body = [*_frame(x, y), *_legend(), *(_polyline(line, x, y) for line in below_first)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
    style = ' font-family="sans-serif" font-size="12" fill="#333">'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([head + style, paper, *body, "</svg>", ""])


def _across(part: FloatColumn) -> FloatColumn:
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _down(part: FloatColumn) -> FloatColumn:
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def _polyline(line: Line, x: Axis, y: Axis) -> str:
    across = _across(x.part(line.x))
    down = _down(np.clip(y.part(line.y), 0, 1))
    points = " ".join(f"{a:.1f},{d:.1f}" for a, d in zip(across, down, strict=True))
    colour = COLOURS[line.kind]
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _frame(x: Axis, y: Axis) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for mark, at in zip(y.marks, _down(y.part(np.array(y.marks))), strict=True):
        yield f'<path d="M{LEFT} {at:.1f}H{right}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{mark:g}</text>'
    for mark, at in zip(x.marks, _across(x.part(np.array(x.marks))), strict=True):
        yield f'<path d="M{at:.1f} {bottom}v4" stroke="#333"/>'
        yield f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{mark:g}</text>'
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>'
    yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{x.title}</text>'
    middle = (TOP + bottom) / 2
    yield (
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
        f"{y.title}</text>"
    )


def _legend() -> Iterator[str]:
    for number, (name, colour) in enumerate(COLOURS.items()):
        left = WIDTH - RIGHT - 180 + 90 * number
        yield f'<path d="M{left} 12h20" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{left + 26}" y="16">{name}</text>'
