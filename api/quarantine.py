"""`/v1/quarantine`: what was refused, with its bytes; try it again, or close it with a note."""

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, model_validator

from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.readings import PAYLOAD_LIMIT, Outcome, outcome_of
from api.reasons import WORDS
from api.shapes import (
    Answer,
    Asked,
    AskedPage,
    AskedTime,
    Cursor,
    Names,
    Page,
    Time,
    cursor_of,
    cut,
    example,
    position_of,
)
from core.messages import Refusal, Settled
from core.times import iso
from storage import quarantine, queries
from storage.quarantine import Entry, EntryFilter, Held

router = APIRouter(tags=["Quarantine"])

EntryId = Annotated[int, Path(ge=1, le=2**53)]
Note = Annotated[str, Field(max_length=500)]
State = Literal["waiting", "resolved", "all"]
_ENTRY = {
    "id": 1207,
    "received_at": "2026-11-22T01:00:00Z",
    "gateway": "gw-patong",
    "device": "patong-probe-9",
    "topic": "andaman/v1/gw-patong/up/readings",
    "reason": "unknown-device",
    "words": {"en": "The device is not registered.", "th": "อุปกรณ์นี้ยังไม่ได้ลงทะเบียน"},
    "detail": "patong-probe-9 is not in devices.yaml",
    "items": 2,
    "size": 64,
    "resolution": None,
    "resolved_at": None,
    "resolved_by": None,
    "note": None,
}
_BYTES = {"payload": "eyJkZXZpY2UiOiAifQ==", "text": '{"device": "}', "whole": True, "edited": None}


class Refused(Answer):
    """Items of one message that were refused for one reason, those of each device apart."""

    model_config = example(_ENTRY)

    id: int
    received_at: Time
    gateway: str = Field(description="Empty where the topic names none.")
    device: str | None = Field(description="As it was named; null where that is not known.")
    topic: str
    reason: str
    words: Names = Field(description="The reason in a sentence.")
    detail: str
    items: int = Field(description="How many items of the message.")
    size: int = Field(description="Bytes of the message.")
    resolution: Literal["stored", "edited", "discarded"] | None = Field(
        description="What became of it; null while it waits."
    )
    resolved_at: Time | None
    resolved_by: str | None = Field(description="Id of the key.")
    note: str | None


class RefusedList(Page[Refused]):
    """Entries, the newest first."""


class RefusedMessage(Refused):
    """An entry with the message's bytes."""

    model_config = example(_ENTRY | _BYTES)

    payload: str = Field(description="The bytes as they came, in base64.")
    text: str | None = Field(description="The same as text, where it is UTF-8.")
    whole: bool = Field(description="False where the message was too large to be kept whole.")
    edited: str | None = Field(description="The bytes that were stored instead, in base64.")


class AskedEntries(AskedPage):
    """Which entries."""

    reason: Refusal | None = Field(None, description="Only those with this reason.")
    gateway: str | None = Field(None, max_length=64, description="Only those of this gateway.")
    device: str | None = Field(None, max_length=64, description="Only those of this device.")
    since: AskedTime | None = Field(None, description="Only what came at this time or later.")
    until: AskedTime | None = Field(None, description="Only what came before this time.")
    state: State = Field("waiting", description="Whether they wait, are resolved, or all.")


class AskedRetry(Asked):
    """How to try again: as it came, or with another payload, as text or in base64."""

    model_config = Asked.model_config | example({"note": "device registered"})

    note: Note = ""
    text: str | None = Field(None, max_length=PAYLOAD_LIMIT)
    payload: str | None = Field(None, max_length=2 * PAYLOAD_LIMIT)

    @model_validator(mode="after")
    def _one_of_both(self) -> "AskedRetry":
        if self.text is not None and self.payload is not None:
            raise ValueError("send text or payload, not both")
        return self


class AskedReplay(Asked):
    """What to try again; at most `limit` entries in one call."""

    model_config = Asked.model_config | example({"reason": "unknown-device", "limit": 100})

    reason: Refusal | None = None
    gateway: str | None = Field(None, max_length=64)
    device: str | None = Field(None, max_length=64)
    since: AskedTime | None = None
    until: AskedTime | None = None
    note: Note = ""
    limit: int = Field(100, ge=1, le=1000)
    cursor: Cursor = None


class AskedDiscard(Asked):
    """Why nothing of it is to be stored."""

    model_config = Asked.model_config | example({"note": "test message"})

    note: str = Field(min_length=1, max_length=500)


class Replayed(Answer):
    """What became of the items; go on with `next` until it is null."""

    model_config = example({"entries": 3, "stored": 12, "duplicate": 1, "refused": 2, "next": None})

    entries: int = Field(description="Entries that were tried.")
    stored: int
    duplicate: int
    refused: int = Field(description="Items that are still refused.")
    next: str | None


@router.get("/quarantine")
def list_quarantine(context: Context, asked: Annotated[AskedEntries, Query()]) -> RefusedList:
    """What was refused and waits for someone, the newest first."""
    (before,) = position_of(asked.cursor, int) or (None,)
    chosen = EntryFilter(
        reason=asked.reason,
        gateway=asked.gateway,
        device=asked.device,
        since=asked.since,
        until=asked.until,
        state=asked.state,
    )
    with queries.snapshot(context.readers) as connection:
        found = quarantine.entries(connection, chosen, before=before, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.id,))
    return RefusedList(items=[Refused(**_told(row)) for row in rows], next=following)


@router.get("/quarantine/{entry}")
def get_quarantined(context: Context, entry: EntryId) -> RefusedMessage:
    """One entry with the bytes of its message."""
    with queries.snapshot(context.readers) as connection:
        held = quarantine.entry(connection, entry)
    if held is None:
        raise _no_entry()
    return RefusedMessage(
        **_told(held),
        payload=_base64(held.payload),
        text=_text(held),
        whole=held.whole,
        edited=None if held.edited is None else _base64(held.edited),
    )


@router.post("/quarantine/{entry}/retry")
async def retry_quarantined(
    context: Context, entry: EntryId, asked: AskedRetry, request: Request
) -> Outcome:
    """Try its message again, with all entries about it. Another payload is taken whole or not at
    all. What `quarantined` names is still refused.
    """
    by, payload = request.state.caller.key, _payload(asked)
    change = context.retry(entry, by=by, note=asked.note, payload=payload)
    settled = await patiently(context, change)
    if settled is None:
        raise _not_waiting(context, entry)
    return outcome_of(settled)


@router.post("/quarantine/replay")
async def replay_quarantine(context: Context, asked: AskedReplay, request: Request) -> Replayed:
    """Try again what fits and still waits, in the order in which it came."""
    (after,) = position_of(asked.cursor, int) or (0,)
    chosen = EntryFilter(
        reason=asked.reason,
        gateway=asked.gateway,
        device=asked.device,
        since=asked.since,
        until=asked.until,
    )
    by = request.state.caller.key
    return await replay(context, chosen, after=after, limit=asked.limit, by=by, note=asked.note)


async def replay(
    context: ApiContext, chosen: EntryFilter, *, after: int = 0, limit: int, by: str, note: str
) -> Replayed:
    """Try `limit` entries again, from the one that follows `after`."""
    with queries.snapshot(context.readers) as connection:
        found = quarantine.waiting_after(connection, chosen, after=after, limit=limit + 1)
    waiting, more = found[:limit], len(found) > limit
    settled: list[Settled] = []
    for entry in waiting:  # each its own transaction, so that live messages come in between
        result = await patiently(context, context.retry(entry, by=by, note=note))
        if result is not None:  # else it was settled with another entry about the same message
            settled.append(result)
    return Replayed(
        entries=len(waiting),
        stored=sum(s.stored for s in settled),
        duplicate=sum(s.duplicate for s in settled),
        refused=sum(len(s.refused) for s in settled),
        next=cursor_of(waiting[-1]) if more else None,
    )


@router.post("/quarantine/{entry}/discard", status_code=204)
async def discard_quarantined(
    context: Context, entry: EntryId, asked: AskedDiscard, request: Request
) -> None:
    """Close an entry with a note; it stays to be read, and counted as quarantined."""
    by, now = request.state.caller.key, context.clock()
    change = context.write(
        lambda ledger: quarantine.discard(ledger, entry, asked.note, by=by, at=now)
    )
    if not await patiently(context, change):
        raise _not_waiting(context, entry)


def _told(row: Entry) -> dict[str, Any]:
    english, thai = WORDS[row.reason]
    return {
        "id": row.id,
        "received_at": iso(row.received_at),
        "gateway": row.gateway,
        "device": row.device,
        "topic": row.topic,
        "reason": row.reason.value,
        "words": Names(en=english, th=thai),
        "detail": row.detail,
        "items": row.items,
        "size": row.size,
        "resolution": row.resolution,
        "resolved_at": None if row.resolved_at is None else iso(row.resolved_at),
        "resolved_by": row.resolved_by,
        "note": row.note,
    }


def _payload(asked: AskedRetry) -> bytes | None:
    if asked.text is not None:
        payload = asked.text.encode("utf-8", "surrogatepass")
    elif asked.payload is not None:
        try:
            payload = base64.b64decode(asked.payload, validate=True)
        except binascii.Error:
            raise bad_parameter("payload", "is no base64; correct it") from None
    else:
        return None
    if len(payload) > PAYLOAD_LIMIT:
        raise ApiError("too-large", "Send at most 64 KiB in one message.")
    return payload


def _base64(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def _text(held: Held) -> str | None:
    try:
        return held.payload.decode()
    except UnicodeDecodeError:
        return None


def _not_waiting(context: Context, entry: int) -> ApiError:
    with queries.snapshot(context.readers) as connection:
        held = quarantine.entry(connection, entry)
    if held is None:
        return _no_entry()
    return ApiError("conflict", "This entry is resolved; nothing was changed.")


def _no_entry() -> ApiError:
    return ApiError("not-found", "There is no such entry; /v1/quarantine lists them.")
