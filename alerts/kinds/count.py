"""`count`: how many of the last readings, or of those of the last minutes, are out of a span."""

from dataclasses import dataclass
from typing import NamedTuple

from alerts.levels import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Readings outside of `span` among the last `of`, or less than `within` (µs of event time) old,
    the present one included; the one that is not asked for is 0. `most` bounds what is remembered.
    """

    span: Span
    most: int
    of: int = 0
    within: int = 0


class Breaches(NamedTuple):
    """What is remembered: how many readings were seen since the first of `marks`, and of each that
    was out of the span its number or, with `within`, its time.
    """

    seen: int
    marks: tuple[int, ...]


def observe(
    kind: Count, before: Breaches | None, at: int, value: float
) -> tuple[Breaches | None, int]:
    """What is remembered after a reading, None where that is nothing, and how many there are now.

    >>> three = Count(span=Span(0, 10), most=3, of=4)
    >>> memory, counts = None, []
    >>> for value in (11, 5, 12, 13, 14, 0, 0, 0, 0):
    ...     memory, count = observe(three, memory, 0, value)
    ...     counts.append(count)
    >>> counts
    [1, 1, 2, 3, 3, 3, 2, 1, 0]
    """
    seen, marks = before or Breaches(0, ())
    seen += 1
    mark, oldest = (seen, seen - kind.of) if kind.of else (at, at - kind.within)
    marks = tuple(m for m in marks if m > oldest)
    if not kind.span.holds(value):
        marks = (*marks, mark)[-kind.most :]
    return (Breaches(seen, marks) if marks else None), len(marks)
