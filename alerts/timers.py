"""Which timer runs out first: a heap that forgets lazily."""

import heapq
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Timers(Generic[Key]):
    """One moment for each key."""

    def __init__(self) -> None:
        self._moments: dict[Key, int] = {}
        self._heap: list[tuple[int, int, Key]] = []
        self._number = 0  # tells entries of one moment apart, so that keys need no order

    def put(self, key: Key, moment: int | None) -> None:
        """Set a key's timer, or stop it."""
        if moment is None:
            self._moments.pop(key, None)
        elif self._moments.get(key) != moment:
            self._moments[key] = moment
            self._number += 1
            heapq.heappush(self._heap, (moment, self._number, key))

    def due(self, until: int) -> list[Key]:
        """The keys whose timers run out up to and with `until`; the timers stay set."""
        found = []
        while self._heap and self._heap[0][0] <= until:
            entry = heapq.heappop(self._heap)
            if self._moments.get(entry[2]) == entry[0]:
                found.append(entry)
        for entry in found:
            heapq.heappush(self._heap, entry)
        return list(dict.fromkeys(entry[2] for entry in found))
