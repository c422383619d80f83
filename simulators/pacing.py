"""A stream of sendings through a fleet: at a pace of its own, or as fast as it is taken."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.times import SECOND
from simulators.fleet import Fleet
from simulators.sendings import Sending

_TURN_EVERY = 20  # messages, while nothing has to be waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`speed`: seconds of the stream in one of ours, None for as fast as receipts come; `rate`:
    messages a second at most.

    With a speed the world goes on whatever becomes of a message: a full buffer drops its oldest.
    Without one the stream waits until there is room.
    """

    speed: float | None = 1.0
    rate: float | None = None

    def due(self, passed: int, messages: int) -> float:
        """Seconds after its beginning at which the next message goes out: `passed` µs of the stream
        and so many `messages` came before.

        >>> Pace(speed=60, rate=10).due(60 * SECOND, 5), Pace(speed=None).due(60 * SECOND, 5)
        (1.0, 0.0)
        """
        by_speed = passed / SECOND / self.speed if self.speed else 0.0
        by_rate = messages / self.rate if self.rate else 0.0
        return max(by_speed, by_rate)


def drive(
    stream: Iterable[Sending],
    fleet: Fleet,
    pace: Pace,
    start: int,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
) -> None:
    """Let the fleet send the stream, which begins at `start` (µs), until it ends or is `stopped`;
    `progress` hears how far it is (µs).
    """
    began = time.monotonic()
    for number, sending in enumerate(stream):
        fleet.attend(began + pace.due(sending.at - start, number) - time.monotonic(), stopped)
        if pace.speed is None:
            fleet.attend(math.inf, lambda: stopped() or fleet.room(sending.gateway) > 0)  # noqa: B023
        if stopped():
            return
        fleet.send(sending.gateway, [sending.sample])
        progress(sending.at)
        if number % _TURN_EVERY == 0:
            fleet.turn(0)
