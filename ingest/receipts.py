"""What a gateway may forget: receipts over its own counter, and the gaps in it. Pure.

A gateway counts its messages from 1 in each `epoch`. `through` is the highest number up to which we
have settled every one; a number that is missing holds it back, so the gateway keeps what we did not
get and sends it again. A gap that nobody has filled for `PATIENCE` is written off: it is told as
`missing`, and `through` passes it, so a gateway that lost a message itself is not held up for ever.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from core.messages import Counter, Progress, Range, Refusal
from core.times import MINUTE, SECOND
from ingest.gather import Gathered
from ingest.limits import MOST_WAIT

PATIENCE = 10 * MINUTE
GAP_TOLD = 30 * SECOND  # brokers deliver again what was on its way; longer, and an officer is told
EVERY = SECOND  # between two receipts to one gateway
MOST_REJECTED = 500  # of them in one receipt: the newest
MOST_RANGES = 1000  # of numbers ahead of a gap; beyond it the oldest gap is written off at once
NOT_HELD: Mapping[str, int] = MappingProxyType({})


def settle(progress: Progress, numbers: Iterable[int], at: int) -> Progress:
    """The progress once `numbers` are settled at `at` (µs); numbers that are known change nothing.

    >>> settle(Progress(), [1, 2, 4], 0).through
    2
    """
    fresh = sorted({n for n in numbers if n > progress.through})
    if not fresh:
        return progress
    whole = len(fresh) == fresh[-1] - fresh[0] + 1  # without a gap, as nearly always
    added = [(fresh[0], fresh[-1])] if whole else zip(fresh, fresh, strict=True)
    ranges = _merged([*progress.ahead, *added])
    through = progress.through
    if ranges[0].first <= through + 1:
        through, ranges = ranges[0].last, ranges[1:]
    same_gap = through == progress.through and progress.gap_since is not None
    since = (progress.gap_since if same_gap else at) if ranges else None
    settled = replace(progress, through=through, ahead=tuple(ranges), gap_since=since)
    while len(settled.ahead) > MOST_RANGES:
        settled = _write_off(settled, at)
    return settled


def give_up(progress: Progress, now: int) -> tuple[Progress, Range | None]:
    """Write off the first gap when it has waited for `PATIENCE`; the gap, if it was."""
    if progress.gap_since is None or now - progress.gap_since < PATIENCE:
        return progress, None
    return _write_off(progress, now), progress.gaps[0]


def _write_off(progress: Progress, now: int) -> Progress:
    gap, following = progress.gaps[0], progress.ahead[0]
    rest = progress.ahead[1:]
    return replace(
        progress,
        through=following.last,
        ahead=rest,
        gap_since=now if rest else None,
        lost=progress.lost + gap.last - gap.first + 1,
    )


@dataclass(frozen=True, slots=True)
class Rejected:
    """Messages that were settled without being stored whole, and why; most often a single one."""

    numbers: Range
    reason: Refusal


def count(
    progress: Mapping[Counter, Progress], gathered: Gathered, at: int
) -> tuple[dict[Counter, Progress], dict[Counter, list[Rejected]]]:
    """The counters that a batch moves, settled at `at`, and what it rejects of each."""
    numbers: dict[Counter, list[int]] = {}
    for message, (epoch, seq) in gathered.numbers.items():
        numbers.setdefault((gathered.gateways[message], epoch), []).append(seq)
    rejected: dict[Counter, list[Rejected]] = {}
    for message, reason in dict.fromkeys(key[:2] for key in gathered.refusals.found):
        if message in gathered.numbers:
            epoch, seq = gathered.numbers[message]
            counter = (gathered.gateways[message], epoch)
            rejected.setdefault(counter, []).append(Rejected(Range(seq, seq), reason))
    moved = {c: settle(progress.get(c, Progress()), seqs, at) for c, seqs in numbers.items()}
    return moved, rejected


def written_off(
    progress: Mapping[Counter, Progress], now: int
) -> tuple[dict[Counter, Progress], dict[Counter, list[Rejected]]]:
    """The same for gaps that have waited long enough at `now`."""
    moved: dict[Counter, Progress] = {}
    missing: dict[Counter, list[Rejected]] = {}
    for counter, before in progress.items():
        after, gap = give_up(before, now)
        if gap is not None:
            moved[counter] = after
            missing[counter] = [Rejected(gap, Refusal.MISSING)]
    return moved, missing


def overdue(progress: Mapping[Counter, Progress], now: int) -> dict[str, int]:
    """How many messages of each gateway have been missing for `GAP_TOLD`."""
    found: dict[str, int] = {}
    for (gateway, _), counted in progress.items():
        if counted.gap_since is not None and now - counted.gap_since >= GAP_TOLD:
            absent = sum(last - first + 1 for first, last in counted.gaps)
            found[gateway] = found.get(gateway, 0) + absent
    return found


@dataclass(slots=True)
class _Pending:
    """What one gateway is yet to be told, by epoch; what of it has to wait, oldest first, until
    when; and when the gateway was told last (µs).
    """

    epochs: dict[str, tuple[Progress, list[Rejected]]] = field(default_factory=dict)
    held: deque[tuple[int, str, Progress, Sequence[Rejected]]] = field(default_factory=deque)
    told_at: int = -(2**62)

    def ripen(self, now: int) -> None:
        """What had to wait until `now` at the most may be told; what would wait for longer than any
        has to, since the clock was set back, may as well.
        """
        while self.held and not now < self.held[0][0] <= now + MOST_WAIT:
            _, epoch, progress, rejected = self.held.popleft()
            _, before = self.epochs.get(epoch, (progress, []))
            self.epochs[epoch] = (progress, [*before, *rejected][-MOST_REJECTED:])


class Desk:
    """Collects what gateways are to be told, and says when it is due: at most once a second each.

    Used from the pipeline thread, after the commit.
    """

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}

    def note(
        self,
        progress: Mapping[Counter, Progress],
        rejected: Mapping[Counter, Sequence[Rejected]],
        held: Mapping[str, int] = NOT_HELD,
    ) -> None:
        """These counters moved, or were heard again; a gateway in `held` is told then (µs), not
        earlier.
        """
        for (gateway, epoch), now in progress.items():
            pending = self._pending.setdefault(gateway, _Pending())
            fresh = rejected.get((gateway, epoch), ())
            pending.held.append((held.get(gateway, 0), epoch, now, fresh))

    def due(self, now: int) -> list[tuple[str, bytes]]:
        """(topic, payload) of every receipt that may go out at `now`; each is given once."""
        found: list[tuple[str, bytes]] = []
        for gateway, pending in self._pending.items():
            pending.ripen(now)
            if pending.epochs and not 0 <= now - pending.told_at < EVERY:  # it may be set back
                topic = f"andaman/v1/{gateway}/down/receipt"
                found += [(topic, _receipt(epoch, *what)) for epoch, what in pending.epochs.items()]
                pending.epochs, pending.told_at = {}, now
        return found


def _receipt(epoch: str, progress: Progress, rejected: Sequence[Rejected]) -> bytes:
    body = {"epoch": epoch, "through": progress.through, "rejected": [_entry(r) for r in rejected]}
    return json.dumps(body).encode()


def _entry(rejected: Rejected) -> dict[str, Any]:
    first, last = rejected.numbers
    more = {"through": last} if last > first else {}
    return {"seq": first, **more, "reason": rejected.reason.value}


def _merged(ranges: Iterable[tuple[int, int]]) -> list[Range]:
    (begin, end), *others = sorted(ranges)
    merged: list[Range] = []
    for first, last in others:
        if first > end + 1:
            merged.append(Range(begin, end))
            begin = first
        end = max(end, last)
    return [*merged, Range(begin, end)]
