"""The oracle issues readings through real gateways, and knows what Andaman owes it.

It is never killed. What a receipt covers and does not reject is an obligation: it must be stored.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from core.times import MINUTE
from simulators.fleet import Fleet, Place
from simulators.gateways import Gateway, Outgoing, Sample
from simulators.judge.city import FULL, Weather, gateway_of

Key = tuple[str, str, int]  # device, parameter, measured_at
HISTORY = 5 * MINUTE  # what the devices measured before the run
BULK = 50  # samples in a message
EVERY = 0.25  # seconds between two reports
PATIENCE = 2.0  # seconds after which a reminded gateway sends again what has no receipt


class Witness(Gateway):
    """A gateway that remembers what each of its messages said, and which of them have a receipt.
    Where it is `unruly`, some messages go out twice, and some overtake others.
    """

    def __init__(self, gateway: str, chance: random.Random) -> None:
        super().__init__(gateway, epoch="judged")
        self.unruly = False
        self.messages: list[Sequence[Sample]] = []  # by number, from 1
        self.receipted: set[int] = set()
        self._chance = chance

    def take(self, samples: Sequence[Sample]) -> None:
        """Send them in one message."""
        self.messages.append(samples)
        super().take(samples)

    def next(self, at: float) -> Outgoing | None:
        """Not always the oldest."""
        if self.unruly and len(self._line) > 1:
            self._line.rotate(self._chance.randrange(len(self._line)))
        message = super().next(at)
        if message is not None and self.unruly and self._chance.random() < 0.2:
            self._send_again([message.seq])
        return message

    def receipt(self, payload: bytes | bytearray, at: float) -> None:
        """Note what it settles."""
        before = set(self._kept)
        super().receipt(payload, at)
        self.receipted |= before - self._kept.keys()

    def remind(self) -> None:
        """Have it send again soon what has no receipt."""
        self._patience = PATIENCE

    @property
    def rejected(self) -> Mapping[int, str]:
        """The reason of each message that receipts reject."""
        return self._rejected


class Issued(NamedTuple):
    """What the oracle knows: every reading that went out, and each that has a receipt, with its
    value; each message that was rejected, by gateway and number, with the reason.
    """

    readings: Mapping[Key, float]
    owed: Mapping[Key, float]
    rejected: Mapping[tuple[str, int], str]


class Oracle:
    """All gateways of the city on a thread of their own; reports go out from `start` on."""

    def __init__(
        self,
        port: int,
        passwords: Mapping[str, str],
        bins: Sequence[str],
        chance: random.Random,
    ) -> None:
        """`bins` fill up one after the other, one every second."""
        self.gateways = {name: Witness(name, chance) for name in passwords}
        self.full: list[str] = []  # the bins that said that they are full
        self._fleet = Fleet(Place("127.0.0.1", port), self.gateways.values(), passwords)
        self._weather = Weather(chance, now() - HISTORY)
        self._bins = bins
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._resting, self._over = Event(), Event()
        self._thread = Thread(target=self._run, name="oracle", daemon=True)

    def start(self) -> None:
        """Connect, and report what the devices measure."""
        self._thread.start()

    def rest(self) -> None:
        """The devices fall silent."""
        self._resting.set()

    def stop(self) -> None:
        """End everything."""
        self._over.set()
        self._thread.join()

    def issue(self, device: str, **values: float) -> None:
        """One device measures something now."""
        self.say([Sample(device, now(), values)])

    def say(self, samples: Sequence[Sample]) -> None:
        """Devices of one gateway say something in one message."""
        gateway = gateway_of(samples[0].device)
        self._asked.put(lambda: self._fleet.send(gateway, samples))

    def remind(self) -> None:
        """Have sent again soon what has no receipt."""
        for gateway in self.gateways.values():
            self._asked.put(gateway.remind)

    def promised(self) -> int:
        """How many messages have a receipt."""
        return sum(len(gateway.receipted) for gateway in self.gateways.values())

    def settled(self) -> bool:
        """Whether all that was said has a receipt."""
        return self._asked.empty() and self._fleet.settled

    def issued(self) -> Issued:
        """What became of it all, once it is over."""
        gateways = self.gateways.items()
        messages = [(g, n, said) for _, g in gateways for n, said in enumerate(g.messages, 1)]
        owed = [said for g, n, said in messages if n in g.receipted and n not in g.rejected]
        return Issued(
            readings=dict(_readings(said for _, _, said in messages)),
            owed=dict(_readings(owed)),
            rejected={(name, n): why for name, g in gateways for n, why in g.rejected.items()},
        )

    def _run(self) -> None:
        started = reported = time.monotonic()
        while not self._over.is_set():
            self._fleet.turn(0.02)
            self._answer()
            if time.monotonic() - reported > EVERY and not self._resting.is_set():
                reported = time.monotonic()
                self._report(int(reported - started))
        self._fleet.close()

    def _answer(self) -> None:
        try:
            while True:
                self._asked.get_nowait()()
        except Empty:
            return

    def _report(self, seconds: int) -> None:
        for samples in self._weather.until(now()):
            for first in range(0, len(samples), BULK):
                self._fleet.send(gateway_of(samples[0].device), samples[first : first + BULK])
        for device in self._bins[len(self.full) : seconds]:
            self._fleet.send(gateway_of(device), [Sample(device, now(), {"fill_level": FULL})])
            self.full.append(device)


def now() -> int:
    """The present, µs since 1970 UTC."""
    return time.time_ns() // 1000


def _readings(messages: Iterable[Sequence[Sample]]) -> Iterator[tuple[Key, float]]:
    for samples in messages:
        for sample in samples:
            for parameter, value in sample.values.items():
                yield (sample.device, parameter, sample.time), value
