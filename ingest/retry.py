"""A quarantined message is tried again: what that does to its entries and to the counters. Pure.

Received stays what it was, since nothing new came. What is stored now leaves the quarantine
(`released`), and so does what turns out to be a duplicate:

    received = stored + duplicate + quarantined - released

Of the items that the message had stored when it came, the retry finds duplicates again: they were
counted then. A message that could not be decoded counted as one item; when it now proves to hold
more, the difference was received as well.
"""

from collections.abc import Mapping, Sequence

from core.model import Counts, Message, Quarantined, Refusal, Settled
from storage.changes import Resolution
from storage.quarantine import Held


def message_of(entries: Sequence[Held], payload: bytes | None) -> Message:
    """The message as it came, or with another payload; retained if it was refused for that."""
    first = entries[0]
    return Message(
        first.topic.encode("utf-8", "replace"),
        first.payload if payload is None else payload,
        first.received_at,
        retain=any(entry.reason is Refusal.RETAINED for entry in entries),
    )


def account(
    entries: Sequence[Held],
    refused: Sequence[Quarantined],
    settled: Settled,
    *,
    by: str,
    note: str,
    edited: bytes | None,
) -> tuple[Counts, Resolution, list[Quarantined]]:
    """The batch's counts, what becomes of the entries, and those that are new.

    `refused` is what is refused now, by reason; an entry whose reason stays waits on.
    """
    waiting: dict[Refusal, Held] = {}
    growth: dict[Refusal, int] = {}
    for entry in entries:
        waiting.setdefault(entry.reason, entry)
        growth[entry.reason] = growth.get(entry.reason, 0) - entry.items
    for now in refused:
        growth[now.reason] = growth.get(now.reason, 0) + now.items
    gone = max(0, -sum(growth.values()) - settled.stored)
    duplicate = min(gone, settled.duplicate)
    grown = {reason: step for reason, step in growth.items() if step > 0}
    released = _less({r: -step for r, step in growth.items() if step < 0}, gone - duplicate)
    counts = Counts(
        received=settled.stored + duplicate + sum(grown.values()) - sum(released.values()),
        stored=settled.stored,
        duplicate=duplicate,
        quarantined=sum(grown.values()),
    )
    kept = {waiting[q.reason].id: (q.items, q.detail) for q in refused if q.reason in waiting}
    steps = {f"released.{reason}": step for reason, step in released.items()}
    steps |= {f"quarantined.{r}": step for r, step in grown.items() if r in waiting}
    change = Resolution(
        resolved=[entry.id for entry in entries if entry.id not in kept],
        kept=kept,
        steps=steps | {"released": sum(released.values())},
        by=by,
        note=note,
        edited=edited,
    )
    return counts, change, [q for q in refused if q.reason not in waiting]


def _less(steps: Mapping[Refusal, int], left_out: int) -> dict[Refusal, int]:
    """The steps without `left_out` of them: items that are in the message no more (an edit took
    them out, or a profile now ignores them) stay counted as quarantined.
    """
    found: dict[Refusal, int] = {}
    for reason, step in steps.items():
        less = min(step, left_out)
        left_out -= less
        found[reason] = step - less
    return found
