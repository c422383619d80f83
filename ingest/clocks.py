"""How far the clocks of devices are off, by what they sent lately. Measured, never corrected.

The offset of a reading is when it was received minus when it was measured: positive where the clock
is behind, negative where it is ahead. Being late is only ever more positive, so of each device and
minute the least offset counts: of a burst of buffered readings that is the newest. Of the last
`KEPT` such minutes the median is the clock's offset, and how far they are apart from it tells a
wrong clock (always the same) from a gateway that hands in what it kept (ever other).

Readings that are refused for their time count too: a clock that is far off has no others.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.readings import FloatColumn, IntColumn
from core.registry import Clock, Series
from core.times import MINUTE, SECOND
from ingest.gather import Rows

KEPT = 15  # minutes with a reading, of each device
LEAST = 5  # of them before anything is said
STEADY_SECONDS = 15.0  # more on its way than this, and it is no clock


class Clocks:
    """What was heard lately of each device. One thread notes, any may look.

    It begins anew with each start: `LEAST` minutes with a reading are soon there.
    """

    def __init__(self, tolerated: float) -> None:
        """A clock is wrong when it is steadily off by more than `tolerated` seconds."""
        self._tolerated = tolerated
        self._looked = 0  # the minute of the last look
        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._device: IntColumn = np.empty(0, np.int64)  # of each series
        self._offset: FloatColumn = np.empty((0, KEPT))  # seconds, by device; NaN where none yet
        self._minute: IntColumn = np.empty((0, KEPT), np.int64)  # of the same, since 1970
        self._count: IntColumn = np.empty(0, np.int64)  # minutes so far, by device

    def note(self, rows: Rows, received_at: IntColumn, series: Sequence[Series]) -> None:
        """The rows of a batch, whose messages were received then (µs). A message without a time is
        of the moment when it came; it says nothing. Of what a message tells of a device the last
        counts: items are in order of time.
        """
        self._grow(series)
        message, told, measured_at = rows.whole()
        device = self._device[told]
        change = (message[1:] != message[:-1]) | (device[1:] != device[:-1])
        last = np.flatnonzero(np.append(change, len(message) > 0))
        device, came = device[last], received_at[message[last]]
        offset, minute = came - measured_at[last], came // MINUTE
        for one in np.unique(minute):  # hardly ever more than one
            chosen = (minute == one) & (offset != 0)
            if chosen.any():
                self._take(int(one), device[chosen], offset[chosen] / SECOND)

    def _take(self, minute: int, device: IntColumn, offset: FloatColumn) -> None:
        order = np.argsort(device, kind="stable")
        device = device[order]
        first = np.flatnonzero(np.append(True, device[1:] != device[:-1]))
        device, least = device[first], np.minimum.reduceat(offset[order], first)
        fresh = self._minute[device, (self._count[device] - 1) % KEPT] < minute
        self._count[device] += fresh
        slot = (self._count[device] - 1) % KEPT
        before = np.where(fresh, np.inf, self._offset[device, slot])
        self._offset[device, slot] = np.minimum(before, least)
        self._minute[device[fresh], slot[fresh]] = minute

    def all(self) -> dict[str, Clock]:
        """The clock of each device that was heard in enough minutes."""
        known = np.flatnonzero(self._count >= LEAST)
        count = np.minimum(self._count[known], KEPT)
        median = _median(self._offset[known], count)
        spread = _median(np.abs(self._offset[known] - median[:, np.newaxis]), count)
        since = np.sort(self._minute[known], axis=1)[np.arange(len(known)), -count]
        columns = [column.tolist() for column in (known, median, spread, count, since)]
        return {
            self._names[device]: Clock(
                offset=middle,
                spread=apart,
                samples=samples,
                since=start * MINUTE,
                steady=apart <= STEADY_SECONDS,
            )
            for device, middle, apart, samples, start in zip(*columns, strict=True)
        }

    def due(self, now: int, devices: Iterable[str]) -> tuple[dict[str, float], set[str]] | None:
        """Once a minute: the offsets (s) of the clocks that are wrong, and those of the `devices`
        of which too little was heard.
        """
        if now // MINUTE == self._looked:
            return None
        self._looked, clocks = now // MINUTE, self.all()
        return wrong(clocks, self._tolerated), {name for name in devices if name not in clocks}

    def _grow(self, series: Sequence[Series]) -> None:
        if len(series) == len(self._device):
            return
        for one in series[len(self._device) :]:
            if one.device not in self._index:
                self._index[one.device] = len(self._names)
                self._names.append(one.device)
        self._device = np.array([self._index[s.device] for s in series], np.int64)
        more = len(self._names) - len(self._count)
        self._offset = np.concatenate([self._offset, np.full((more, KEPT), np.nan)])
        self._minute = np.concatenate([self._minute, np.zeros((more, KEPT), np.int64)])
        self._count = np.concatenate([self._count, np.zeros(more, np.int64)])


def wrong(clocks: Mapping[str, Clock], tolerated: float) -> dict[str, float]:
    """The offsets (s) of the clocks that are steadily off by more than `tolerated` seconds."""
    return {
        device: clock.offset
        for device, clock in clocks.items()
        if clock.steady and abs(clock.offset) > tolerated
    }


def _median(rows: FloatColumn, count: IntColumn) -> FloatColumn:
    """The (lower) median of the first `count` of each row; the rest of it is NaN."""
    middle: FloatColumn = np.sort(rows, axis=1)[np.arange(len(rows)), (count - 1) // 2]
    return middle
