"""Sound readings in order, each beside the one before it, across the edges of the batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.readings import BoolColumn, FloatColumn, IntColumn
from ingest.quality.state import Records, State, taken
from ingest.quality.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """The rows of `view` are sound: they came in order, and no test fails one by itself.

    `starts` are the first rows of their series, `ends` the last; `series` and `tails` are those of
    the starts. `near` is where the reading before is not out of reach.
    """

    view: View
    starts: IntColumn
    ends: IntColumn
    series: IntColumn
    tails: Records
    previous_at: IntColumn
    previous: FloatColumn
    near: BoolColumn

    @staticmethod
    def of(view: View, state: State) -> "Sequence":
        """The rows after what the state remembers."""
        columns = view.columns
        starts = starts_of(columns.series)
        series = columns.series[starts]
        tails = taken(state.tails, series)
        previous_at = shifted(columns.measured_at, starts, tails["at"])
        return Sequence(
            view=view,
            starts=starts,
            ends=ends_of(columns.series),
            series=series,
            tails=tails,
            previous_at=previous_at,
            previous=shifted(columns.value, starts, tails["value"]),
            near=columns.measured_at - previous_at <= view["reach"],
        )

    def __len__(self) -> int:
        return len(self.previous)

    def before(self, column: NDArray[Any], first: NDArray[Any]) -> NDArray[Any]:
        """Of each row what `column` says of the row before; `first` of the row before the start."""
        return shifted(column, self.starts, first)


def starts_of(column: IntColumn) -> IntColumn:
    """Of a sorted column that is not empty, the rows where it changes, the first among them."""
    changes = np.empty(len(column), np.bool_)
    changes[0] = True
    np.not_equal(column[1:], column[:-1], out=changes[1:])
    return changes.nonzero()[0]


def ends_of(column: IntColumn) -> IntColumn:
    """The rows before those, and the last one."""
    changes = np.empty(len(column), np.bool_)
    changes[-1] = True
    np.not_equal(column[1:], column[:-1], out=changes[:-1])
    return changes.nonzero()[0]


def lengths(first: IntColumn, end: int) -> IntColumn:
    """How many rows each part has that begins at `first`, where the last one ends at `end`."""
    found = np.empty(len(first), np.int64)
    found[-1] = end
    found[:-1] = first[1:]
    return found - first


def parted(first: IntColumn, starts: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Parts begin at `first`, series at `starts`: the part that each series begins with, and of
    each part the place of its series among the starts.
    """
    places = np.arange(len(starts))
    if len(first) == len(starts):
        return places, places
    opening = np.searchsorted(first, starts)
    return opening, places.repeat(lengths(opening, len(first)))


def distinct(column: IntColumn) -> IntColumn:
    """The values of a sorted column, each once."""
    return column[starts_of(column)] if len(column) else column


def shifted(column: NDArray[Any], starts: IntColumn, first: NDArray[Any]) -> NDArray[Any]:
    """`column` one row down, with `first` at the starts."""
    found = np.empty_like(column)
    found[..., 1:] = column[..., :-1]
    found[..., starts] = first
    return found


def last_marked(marks: BoolColumn) -> IntColumn:
    """Of each row the last marked row up to it, where each start is marked."""
    return np.maximum.accumulate(np.where(marks, np.arange(marks.shape[-1]), 0), axis=-1)
