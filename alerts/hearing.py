"""Listening time: the clock without the time in which nothing could be heard."""

from collections.abc import Sequence


class Hearing:
    """Turns moments of the clock (µs) into listening time and back."""

    def __init__(self, deafness: Sequence[tuple[int, int]] = ()) -> None:
        """`deafness` are the resumptions of the past: since when nothing was heard, until when."""
        self._deafness = sorted(deafness)
        self.first = self._deafness[0][1] if self._deafness else None
        self.deaf = sum(at - since for since, at in self._deafness)

    def resumed(self, since: int, at: int) -> "Hearing":
        """After one more."""
        return Hearing([*self._deafness, (since, at)])

    def moment(self, at: int) -> int:
        """Of a moment that was not long ago: after the last resumption."""
        return at - self.deaf

    def moment_then(self, at: int) -> int:
        """Of any moment; deafness is one moment."""
        return at - sum(max(0, min(at, end) - since) for since, end in self._deafness)

    def attending(self, at: int) -> int:
        """Since when somebody registered at `at` is listened to: not before we first heard."""
        return self.moment_then(at if self.first is None else max(at, self.first))
