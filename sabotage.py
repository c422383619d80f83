"""Composition roots that do wrong, so that the judge can be judged: each exchanges one part.

    python -m sabotage drop run --data FOLDER …

is `andaman run …` with that part. The parts and their way in are here; Andaman knows nothing of it.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import numpy as np
from sqlalchemy import func, select

import app
import cli
from alerts.notify.table import NOTIFIERS, ChannelEntry, Means, Notifier
from core.notices import Parcel, Sent
from judging import Sabotage
from storage import schema
from storage.ledger import Batch, Ledger

LATE_SECONDS = 2.5
EVERY, EVERY_TRANSITION = 10_000, 5


class Early(Ledger):
    """Says that a batch is stored, and stores it later."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._late: list[tuple[float, Batch]] = []

    def commit(self, batch: Batch) -> None:
        """Those that have waited long enough."""
        self._late.append((time.monotonic(), batch))
        while time.monotonic() - self._late[0][0] > LATE_SECONDS:
            super().commit(self._late.pop(0)[1])

    def close(self) -> None:
        """An end in good order hides it."""
        for _, batch in self._late:
            super().commit(batch)
        super().close()


class Dropping(Ledger):
    """Leaves readings out, and counts as if they had never come."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._seen = int(self.read(select(func.count()).select_from(schema.readings))[0][0])
        self._dropped: set[tuple[int, int]] = set()  # also when they come again

    def commit(self, batch: Batch) -> None:
        """All but each ten-thousandth."""
        c = batch.columns
        keys = list(zip(c.series.tolist(), c.measured_at.tolist(), strict=True))
        numbers = range(self._seen + 1, self._seen + 1 + len(keys))
        self._seen += len(keys)
        self._dropped |= {key for key, n in zip(keys, numbers, strict=True) if n % EVERY == 0}
        kept = np.array([n for n, key in enumerate(keys) if key not in self._dropped], np.int64)
        columns, lost = c.take(kept), len(keys) - len(kept)
        counts = replace(batch.counts, received=batch.counts.received - lost)
        super().commit(replace(batch, columns=columns, newest=columns.newest(), counts=counts))


class Forgetting(Ledger):
    """Leaves transitions out; people are told all the same."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._seen = 0

    def commit(self, batch: Batch) -> None:
        """Without its last transition, now and then."""
        before, self._seen = self._seen, self._seen + len(batch.transitions)
        if self._seen // EVERY_TRANSITION > before // EVERY_TRANSITION:
            batch = replace(batch, transitions=batch.transitions[:-1])
        super().commit(batch)


class Twice:
    """Sends each parcel, and sends it again as another."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def send(self, parcel: Parcel) -> Sent:
        """Twice."""
        await self._notifier.send(parcel)
        return await self._notifier.send(replace(parcel, id=str(uuid4())))


def _doubled(entry: ChannelEntry) -> ChannelEntry:
    def make(means: Means) -> Notifier:
        return Twice(entry.make(means))

    return replace(entry, make=make)


def _with_twice() -> dict[str, Any]:
    channels = {name: _doubled(entry) for name, entry in NOTIFIERS.items()}
    return {"build": partial(app.build, channels=channels)}


# What the composition root finds in place of its own.
PARTS: Mapping[Sabotage, Callable[[], dict[str, Any]]] = MappingProxyType(
    {
        Sabotage.ACK_EARLY: lambda: {"Ledger": Early},
        Sabotage.DOUBLE: _with_twice,
        Sabotage.DROP: lambda: {"Ledger": Dropping},
        Sabotage.FORGET: lambda: {"Ledger": Forgetting},
    }
)


def main() -> None:
    """The command `andaman`, but for one part."""
    vars(app).update(PARTS[Sabotage(sys.argv.pop(1))]())
    cli.main()


if __name__ == "__main__":
    main()
