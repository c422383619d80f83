"""What a gateway may forget: receipts over its own counter, and the gaps in it. Pure.

A gateway counts its messages from 1 in each `epoch`. `through` is the highest number up to which we
have settled every one; a number that is missing holds it back, so the gateway keeps what we did not
get and sends it again. A gap that nobody has filled for `PATIENCE` is written off: it is told as
`missing`, and `through` passes it, so a gateway that lost a message itself is not held up for ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.model import MINUTE

PATIENCE = 10 * MINUTE
MOST_RANGES = 1000  # of numbers ahead of a gap; beyond it the oldest gap is written off at once


class Range(NamedTuple):
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one epoch of one gateway stands.

    `ahead` are the settled numbers beyond the first gap, sorted, apart from each other;
    `gap_since` is when that gap was first seen, µs; `lost` counts what was written off.
    """

    through: int = 0
    ahead: tuple[Range, ...] = ()
    gap_since: int | None = None
    lost: int = 0

    @property
    def gaps(self) -> tuple[Range, ...]:
        """The numbers that are missing.

        >>> Progress(through=4, ahead=(Range(7, 9), Range(12, 12))).gaps
        (Range(first=5, last=6), Range(first=10, last=11))
        """
        before = [self.through, *(r.last for r in self.ahead)]
        return tuple(
            Range(last + 1, following.first - 1)
            for last, following in zip(before, self.ahead, strict=False)
        )


def settle(progress: Progress, numbers: Iterable[int], at: int) -> Progress:
    """The progress once `numbers` are settled at `at` (µs); numbers that are known change nothing.

    >>> settle(Progress(), [1, 2, 4], 0).through
    2
    """
    fresh = sorted({n for n in numbers if n > progress.through})
    if not fresh:
        return progress
    ranges = _merged([*progress.ahead, *(Range(n, n) for n in fresh)])
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


def receipt(
    epoch: str, progress: Progress, rejected: Sequence[tuple[int, str]]
) -> Mapping[str, object]:
    """What goes to `andaman/v1/{gateway}/down/receipt`."""
    return {
        "epoch": epoch,
        "through": progress.through,
        "rejected": [{"seq": number, "reason": reason} for number, reason in rejected],
    }


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1].last + 1:
            merged[-1] = Range(merged[-1].first, max(last, merged[-1].last))
        else:
            merged.append(Range(first, last))
    return merged
