"""Hop 8: parcels that are due are claimed, sent, and what came of it is recorded.

A parcel is claimed with a lease before it is sent, and its id, which every try shows to the server,
was stored before that: whoever is killed between sending and recording sends the same again, and a
server that knows the id takes it as the same. `Outbox` serves one channel, so a server that hangs
holds up no other; a parcel waits for earlier ones to the same address only.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine

from alerts.fallback import NO_OTHER_WAY, Fallback
from alerts.notify.table import Notifier
from core.errors import Blame, DeliveryError, StorageError
from core.notices import Channel, Parcel, Sent
from core.subscribers import without_addresses
from core.times import HOUR, MINUTE, SECOND
from storage import outbox as table
from storage.digests import Bounds, collapse
from storage.ledger import Ledger
from storage.outbox import Claim

log = logging.getLogger(__name__)

Result = TypeVar("Result")

AT_ONCE = 8  # parcels under way
SEND_SECONDS = 120.0
LEASE = 3 * MINUTE
LIVES = 6 * HOUR
KEY_LIFE = 23 * HOUR  # LINE remembers the id of a try for 24
POLL_SECONDS = 1.0
LAST_SECONDS = 1.0  # that whoever ends us leaves to what is under way
FIRST_WAIT, LONGEST_WAIT = 2 * SECOND, 10 * MINUTE
LONGEST_ASKED = HOUR  # so long a server may ask us to wait
LONGEST_REST = MINUTE  # that a server that fails is left alone
PAUSE = MINUTE  # until credentials that were refused are tried again
FAILURES = 3  # parcels in a row that a server does not take before it is left alone


class Write(Protocol):
    """Runs a change on the thread that owns the ledger; raises StorageError when it fails."""

    def __call__(self, change: Callable[[Ledger], Result], /) -> Awaitable[Result]: ...


def backoff(parcel: str, attempt: int) -> int:
    """How long to wait after so many tries, µs: twice as long each time, and somewhat more, by what
    the parcel is called.

    >>> backoff("a", 1) == backoff("a", 1), 2_000_000 <= backoff("a", 1) <= 3_000_000
    (True, True)
    """
    wait = min(FIRST_WAIT << min(attempt - 1, 20), LONGEST_WAIT)
    jitter = random.Random(f"{parcel} {attempt}").random()  # noqa: S311  nothing to guess here
    return round(wait * (1 + jitter / 2))


@dataclass(slots=True)
class Circuit:
    """Whether a server is to be left alone: `until` when, µs, and in whose words."""

    until: int = 0
    words: str = ""
    paused: bool = False
    failures: int = 0

    def room(self, now: int, most: int) -> int:
        """How many parcels may be tried now: one, to see whether it is back, after a failure."""
        if now < self.until:
            return 0
        return 1 if self.failures >= FAILURES or self.paused else most

    def well(self) -> None:
        """It took one."""
        self.until, self.words, self.paused, self.failures = 0, "", False, 0

    def failed(self, words: str, now: int, asked: int) -> None:
        """It did not take one that it might take later; it may have asked for some time, µs."""
        self.words = words
        if now < self.until:  # this one was under way when the rest began: no longer rest for that
            self.until = max(self.until, now + asked)
            return
        self.failures += 1
        if self.failures >= FAILURES:
            wait = min(FIRST_WAIT << min(self.failures - FAILURES, 10), LONGEST_REST)
            self.until = max(self.until, now + max(wait, asked))

    def pause(self, words: str, until: int) -> None:
        """It will take nothing until somebody has changed something."""
        self.words, self.until, self.paused = words, until, True


class Outbox:
    """Sends what is due on one channel; `run` goes on until it is cancelled.

    `readers` are asked whether there is anything; `write` changes the ledger; `clock` is µs UTC.
    What waits for longer than it `lives`, µs, is told in a digest. `sent` is told of each parcel
    that was taken, with the seconds since its notice was made; `fallback` knows other ways.
    """

    def __init__(  # noqa: PLR0913  each is a seam
        self,
        channel: Channel,
        notifier: Notifier,
        *,
        readers: Engine,
        write: Write,
        clock: Callable[[], int],
        lives: int = LIVES,
        sent: Callable[[Channel, float], None] = lambda _channel, _seconds: None,
        fallback: Fallback = NO_OTHER_WAY,
        sender: str = "andaman",
    ) -> None:
        self.channel = channel
        self.circuit = Circuit()
        self._notifier = notifier
        self._readers = readers
        self._write = write
        self._clock = clock
        self._lives = lives
        self._sent = sent
        self._fallback = fallback
        self._sender = sender
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something may be due; to be called on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Send what is due, and whatever comes to be due."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._woken.clear()
                try:
                    found = await self._claim(AT_ONCE - len(under_way))
                except StorageError as error:
                    log.warning("what is to be sent by %s waits: %s", self.channel, error)
                    found = []
                under_way |= {asyncio.create_task(self._deliver(parcel)) for parcel in found}
                under_way = await self._rest(under_way)
        finally:
            if under_way:  # what a server takes just now is better recorded than sent again
                await asyncio.wait(under_way, timeout=LAST_SECONDS)
            for task in under_way:
                task.cancel()

    async def run_once(self) -> int:
        """Try what is due now, each parcel once; how many there were."""
        found = await self._claim(AT_ONCE)
        await asyncio.gather(*(self._deliver(parcel) for parcel in found))
        return len(found)

    async def _rest(self, under_way: "set[asyncio.Task[None]]") -> "set[asyncio.Task[None]]":
        """Until somebody wakes us, or one of these is done; those that are not."""
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait(
            {woken, *under_way}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
        for task in [task for task in under_way if task.done()]:
            under_way.discard(task)
            if task.exception() is not None:
                log.error("a parcel could not be handled", exc_info=task.exception())
        return under_way

    async def _claim(self, most: int) -> list[Parcel]:
        now = self._clock()
        most = min(most, self.circuit.room(now, AT_ONCE))
        if most <= 0 or not await asyncio.to_thread(self._anything_due, now):
            return []
        bounds = Bounds(older_than=now - self._lives, tried_before=now - KEY_LIFE)

        def claim(connection: Connection) -> list[Parcel]:
            collapse(connection, self.channel, now, bounds)
            mine = Claim(sender=self._sender, until=now + LEASE)
            return table.claim(connection, self.channel, mine, now, most=most)

        return await self._change(claim)

    def _anything_due(self, now: int) -> bool:
        with self._readers.connect() as connection:
            return table.anything_due(connection, self.channel, now)

    async def _deliver(self, parcel: Parcel) -> None:
        """One try."""
        try:
            sent = await self._try(parcel)
        except DeliveryError as error:
            await self._failed(parcel, error)
        else:
            self.circuit.well()
            now = self._clock()
            await self._record(partial(table.record_sent, parcel=parcel, sent=sent, at=now))
            self._sent(self.channel, (now - parcel.notice.made_at) / SECOND)

    async def _try(self, parcel: Parcel) -> Sent:
        try:
            return await asyncio.wait_for(self._notifier.send(parcel), SEND_SECONDS)
        except DeliveryError:
            raise
        except TimeoutError:
            words = f"no answer within {SEND_SECONDS:.0f} s"
        except Exception as error:  # a mistake of ours, or what no library should let through
            log.exception("a parcel for %s could not be sent", parcel.channel)
            words = repr(error)
        raise DeliveryError(words, Blame.TEMPORARY)

    async def _failed(self, parcel: Parcel, error: DeliveryError) -> None:
        now, words = self._clock(), without_addresses(error.words)
        if error.permanent:
            self.circuit.well()  # it answers
            if error.blame is Blame.ADDRESS and len(parcel.recipients) > 1:
                await self._record(partial(table.split, parcel=parcel))
            else:
                dead = partial(self._give_up, parcel=parcel, blame=error.blame, words=words, at=now)
                await self._record(dead)
            return
        asked = min(round((error.retry_after or 0) * SECOND), LONGEST_ASKED)
        due_at = now + max(backoff(parcel.id, parcel.attempt), asked)
        if error.alone:
            self.circuit.well()
        elif error.blame is Blame.TEMPORARY:
            self.circuit.failed(words, now, asked)
        else:
            self.circuit.pause(words, now + max(asked, PAUSE))
            due_at = now

        def put_off(connection: Connection) -> None:
            table.record_failed(connection, parcel, self._sender, words, due_at)
            if error.blame is Blame.QUOTA:
                self._fallback.spent(connection, self.channel, now)

        await self._record(put_off)

    def _give_up(
        self, connection: Connection, parcel: Parcel, blame: Blame, words: str, at: int
    ) -> None:
        table.record_dead(connection, parcel, words, at)
        if blame is Blame.ADDRESS:
            self._fallback.unreachable(connection, parcel, words, at)

    async def _record(self, change: Callable[[Connection], object]) -> None:
        """Write down what came of a try: until the ledger takes it, for it cannot be tried again
        before.
        """
        while True:
            try:
                await self._change(change)
            except StorageError as error:
                log.warning("what came of a message is not recorded yet: %s", error)
                await asyncio.sleep(POLL_SECONDS)
            else:
                return

    async def _change(self, change: Callable[[Connection], Result]) -> Result:
        def within(ledger: Ledger) -> Result:
            with ledger.transaction() as connection:
                return change(connection)

        return await self._write(within)
