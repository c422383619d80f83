"""A simulated gateway: it numbers what it sends, keeps what is not settled, and counts. Pure.

In the native dialect Andaman's receipt settles a message; a broker's acknowledgement means nothing
to the gateway. In any other that acknowledgement settles it, since nothing more ever comes. The
buffer is bounded: where it overflows, the oldest message is dropped, and counted.

Times are monotonic seconds, given by whoever owns the wire.
"""

import json
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import NamedTuple, Self

import msgspec

from simulators.dialects import ENCODERS, Manner, Said, Sample, Words, native

__all__ = ["Account", "Gateway", "Outgoing", "Sample", "account"]

MOST_KEPT = 2000  # messages that are not settled
# While receipts settle nothing, a message is sent again after so long, or after twice the time that
# the last receipt took; then after twice as long, and so on, as in TCP. Andaman may be busy, or
# away for hours, and what waits for it at the broker should not grow.
AGAIN_SECONDS, LONGEST_SECONDS = 3.0, 600.0
FIRMWARE = "simulated-1"


class Outgoing(NamedTuple):
    """A message on its way: `first` where it was not sent before."""

    seq: int
    topic: str
    body: bytes
    first: bool


@dataclass(slots=True)
class _Kept:
    topic: str
    body: bytes
    first_at: float | None = None  # when it was sent, if it was
    sent_at: float = 0.0  # when it was sent last
    waits: bool = True  # to be sent, for the first time or again


@dataclass(slots=True, kw_only=True)
class Account:
    """What became of the messages of one gateway, or of several."""

    readings: int = 0
    published: int = 0  # messages that were sent, each counted once
    acknowledged: int = 0  # of those, by the broker
    receipted: int = 0  # of those, by Andaman
    again: int = 0  # how often one was sent once more
    dropped: int = 0  # because the buffer was full
    waiting: int = 0  # not settled yet
    rejected: Counter[str] = field(default_factory=Counter)  # receipted, by the reason of a refusal

    def __add__(self, other: Self) -> "Account":
        return Account(
            readings=self.readings + other.readings,
            published=self.published + other.published,
            acknowledged=self.acknowledged + other.acknowledged,
            receipted=self.receipted + other.receipted,
            again=self.again + other.again,
            dropped=self.dropped + other.dropped,
            waiting=self.waiting + other.waiting,
            rejected=self.rejected + other.rejected,
        )


class _Refused(msgspec.Struct):
    seq: int
    reason: str
    through: int | None = None


class _Receipt(msgspec.Struct):
    epoch: str
    through: int
    rejected: list[_Refused] = []


_receipts = msgspec.json.Decoder(_Receipt)


class Gateway:
    """One gateway. `epoch` names this run of its counter: another run needs another one.

    `words` are those of its devices, in any dialect but the native one.
    """

    def __init__(
        self,
        gateway: str,
        *,
        epoch: str,
        manner: Manner = Manner(),  # noqa: B008  frozen
        words: Mapping[str, Words] | None = None,
    ) -> None:
        self.id = gateway
        self.epoch = epoch
        self.manner = manner
        self._words = words or {}
        self._numbers = count(1)
        self._kept: dict[int, _Kept] = {}
        self._line: deque[int] = deque()  # numbers of messages that wait to be sent
        self._moved_at = 0.0  # when a receipt last settled something
        self._patience = AGAIN_SECONDS
        self._account = Account()
        self._rejected: dict[int, str] = {}

    @property
    def room(self) -> int:
        """How many messages the buffer takes before it drops one."""
        return MOST_KEPT - len(self._kept)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be sent or to be answered."""
        return not self._kept

    @property
    def account(self) -> Account:
        """What became of its messages so far."""
        now = Account(waiting=len(self._kept), rejected=Counter(self._rejected.values()))
        return self._account + now

    def topic(self, *levels: str) -> str:
        """A topic of its own."""
        return "/".join(("andaman/v1", self.id, *levels))

    def status(self, *, online: bool) -> bytes:
        """What it says when it comes and when it goes."""
        return json.dumps({"online": online, "firmware": FIRMWARE}).encode()

    def take(self, samples: Sequence[Sample]) -> None:
        """Keep what its devices measured, to be sent: as one message in the native dialect, as one
        for each sample in any other.
        """
        for topic, body, number in self._written(samples):
            if not self.room:
                del self._kept[next(iter(self._kept))]
                self._account.dropped += 1
            self._kept[number] = _Kept(topic, body)
            self._line.append(number)
        self._account.readings += sum(len(sample.values) for sample in samples)

    def _written(self, samples: Iterable[Sample]) -> Iterator[tuple[str, bytes, int]]:
        manner = self.manner
        if manner.has_receipts:
            number = next(self._numbers)
            yield (
                manner.topic_of(self.id, ""),
                native(list(samples), self.epoch, number),
                number,
            )
            return
        for sample in samples:
            number = next(self._numbers)
            words = self._words.get(sample.device) or Words(name=sample.device)
            said = Said(sample, words, self.id, number, manner.zone)
            body = msgspec.json.encode(ENCODERS[manner.dialect](said))
            yield manner.topic_of(self.id, words.name), body, number

    def next(self, at: float) -> Outgoing | None:
        """The message to be sent now; it counts as sent."""
        while self._line:
            number = self._line.popleft()
            kept = self._kept.get(number)
            if kept is None:  # dropped or settled meanwhile
                continue
            first = kept.first_at is None
            if len(self._kept) == 1:
                self._moved_at = at  # there was nothing before that a receipt could settle
            kept.first_at = at if kept.first_at is None else kept.first_at
            kept.sent_at, kept.waits = at, False
            self._account.published += first
            self._account.again += not first
            return Outgoing(number, kept.topic, kept.body, first)
        return None

    def acknowledged(self, message: Outgoing) -> None:
        """The broker has it."""
        self._account.acknowledged += message.first
        if not self.manner.has_receipts:
            self._kept.pop(message.seq, None)

    def receipt(self, payload: bytes | bytearray, at: float) -> None:
        """Andaman has what this tells of; one of another run of the counter tells nothing.

        Raises:
            msgspec.MsgspecError: it is no receipt.
        """
        receipt = _receipts.decode(payload)
        if receipt.epoch != self.epoch:
            return
        for refused in receipt.rejected:
            numbers = range(refused.seq, (refused.through or refused.seq) + 1)
            self._rejected |= dict.fromkeys(numbers, refused.reason)
        settled = [self._kept.pop(n) for n in list(takewhile(receipt.through.__ge__, self._kept))]
        if settled:
            self._account.receipted += len(settled)
            self._moved_at = at
            # Of a message sent twice nobody knows which was answered, nor since when what came
            # after it waited for it.
            if all(kept.first_at == kept.sent_at for kept in settled):
                took = at - settled[-1].sent_at
                self._patience = min(max(AGAIN_SECONDS, 2 * took), LONGEST_SECONDS)

    def came_back(self, underway: Collection[int], at: float) -> None:
        """There is a new connection, which brings again what was `underway`: whatever else has no
        receipt may have been lost with the broker.
        """
        if self.manner.has_receipts:
            self._moved_at = at
            self._send_again(n for n in self._kept if n not in underway)

    def look(self, at: float) -> None:
        """When receipts have settled nothing for too long, send again all but the newest."""
        if not self.manner.has_receipts or at - self._moved_at < self._patience:
            return
        late = [n for n, kept in self._kept.items() if at - kept.sent_at >= self._patience / 2]
        if late:
            self._moved_at, self._patience = at, min(2 * self._patience, LONGEST_SECONDS)
            self._send_again(late)

    def _send_again(self, numbers: Iterable[int]) -> None:
        again = [number for number in numbers if not self._kept[number].waits]
        for number in again:
            self._kept[number].waits = True
        self._line.extendleft(reversed(again))


def account(gateways: Iterable[Gateway]) -> Account:
    """What became of the messages of all."""
    return sum((gateway.account for gateway in gateways), Account())
