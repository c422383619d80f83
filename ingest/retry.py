"""A quarantined message is tried again: what that does to its entries and to the counters. Pure.

Received stays what it was, since nothing new came. What is stored now leaves the quarantine
(`released`), and so does what turns out to be a duplicate:

    received = stored + duplicate + quarantined - released

Of the items that the message had stored when it came, the retry finds duplicates again: they were
counted then. A message that could not be decoded counted as one item; when it now proves to hold
more, the difference was received as well.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from core.messages import Counts, Message, Quarantined, Refusal, Settled
from storage.changes import Resolution
from storage.quarantine import Held

_About: TypeAlias = tuple[Refusal, str | None]  # reason and device


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

    `refused` is what is refused now, by reason and device; an entry for which both stay waits on.
    """
    waiting: dict[_About, Held] = {}
    growth: dict[_About, int] = {}
    for entry in entries:
        waiting.setdefault(_about(entry), entry)
        growth[_about(entry)] = growth.get(_about(entry), 0) - entry.items
    for now in refused:
        growth[_about(now)] = growth.get(_about(now), 0) + now.items
    gone = max(0, -sum(growth.values()) - settled.stored)
    duplicate = min(gone, settled.duplicate)
    grown = {about: step for about, step in growth.items() if step > 0}
    released = _less({a: -step for a, step in growth.items() if step < 0}, gone - duplicate)
    counts = Counts(
        received=settled.stored + duplicate + sum(grown.values()) - sum(released.values()),
        stored=settled.stored,
        duplicate=duplicate,
        quarantined=sum(grown.values()),
    )
    kept = {waiting[_about(q)].id: (q.items, q.detail) for q in refused if _about(q) in waiting}
    steps = Counter(released=sum(released.values()))
    for (reason, _), step in released.items():
        steps[f"released.{reason}"] += step
    for about, step in grown.items():
        if about in waiting:
            steps[f"quarantined.{about[0]}"] += step
    change = Resolution(
        resolved=[entry.id for entry in entries if entry.id not in kept],
        kept=kept,
        steps=steps,
        by=by,
        note=note,
        edited=edited,
    )
    return counts, change, [q for q in refused if _about(q) not in waiting]


def _about(entry: Held | Quarantined) -> _About:
    return entry.reason, entry.device


def _less(steps: Mapping[_About, int], left_out: int) -> dict[_About, int]:
    """The steps without `left_out` of them: items that are in the message no more (an edit took
    them out, or a profile now ignores them) stay counted as quarantined.
    """
    found: dict[_About, int] = {}
    for about, step in steps.items():
        less = min(step, left_out)
        left_out -= less
        found[about] = step - less
    return found
