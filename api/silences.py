"""`/v1/silences`: what officers want to hear nothing of for a while, and what that held back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, ValidationInfo, field_validator

from alerts import matchers
from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.shapes import (
    MOST,
    Answer,
    Asked,
    AskedDuration,
    AskedPage,
    AskedTime,
    Page,
    SeverityName,
    StateName,
    Time,
    cut,
    example,
    position_of,
)
from core.muting import Mute, MuteKind, Silence
from core.times import DAY, iso
from storage import held_back, queries, silences
from storage.held_back import HeldBack
from storage.silences import SilenceRow

router = APIRouter(tags=["Silences"])

LONGEST = 366 * DAY
SilenceId = Annotated[int, Path(ge=1, le=2**53)]
_SILENCE = {
    "id": 12,
    "state": "active",
    "matchers": ['site="patong-beach"', 'rule=~"beach-.*"'],
    "reason": "dredging until Friday",
    "by": "Somchai",
    "made_at": "2026-11-22T01:00:00Z",
    "starts_at": "2026-11-22T01:00:00Z",
    "ends_at": "2026-11-27T10:00:00Z",
    "announced_at": None,
    "ended_by": None,
    "held_back": 1,
}
HELD = {
    "alert": "0b0f2f0e-6a57-5a3e-9c0c-5d5a5f0f4b11",
    "rule": "beach-turbid",
    "subject": "patong-probe-1/turbidity",
    "site": "patong-beach",
    "state": "firing",
    "severity": "warning",
    "reason": "held",
    "at": "2026-11-22T00:55:00Z",
    "recorded_at": "2026-11-22T00:55:00.250000Z",
}


class HeldTransition(Answer):
    """A change of an alert that was held back."""

    model_config = example(HELD)

    alert: str
    rule: str
    subject: str
    site: str
    state: StateName
    severity: SeverityName
    reason: str
    at: Time = Field(description="In event time.")
    recorded_at: Time


class SilenceAnswer(Answer):
    """What is silent, why, by whom and until when."""

    model_config = example(_SILENCE)

    id: int
    state: Literal["pending", "active", "expired"]
    matchers: list[str] = Field(description="All of them fit what is held back.")
    reason: str
    by: str = Field(description="Owner of the key.")
    made_at: Time
    starts_at: Time
    ends_at: Time
    announced_at: Time | None = Field(description="When the audit told that it is about to end.")
    ended_by: str | None = Field(description="Id of the key that ended it early.")
    held_back: int = Field(description="How many transitions it held back.")


class Silences(Page[SilenceAnswer]):
    """Silences, the newest first."""


class SilenceStory(SilenceAnswer):
    """A silence with what it held back, the last thousand at the most, the newest first."""

    model_config = example(_SILENCE | {"transitions": [HELD]})

    transitions: list[HeldTransition]


class AskedSilences(AskedPage):
    """Which silences."""

    state: Literal["pending", "active", "expired", "all"] | None = Field(
        None, description="None gives all that are not over."
    )


class AskedSilence(Asked):
    """What to silence; it ends at `ends`, or so long after it starts as `lasts` says."""

    model_config = Asked.model_config | example(
        {"matchers": ['site="patong-beach"'], "reason": "dredging", "lasts": "2h"}
    )

    everything: bool = Field(False, description="Needed where the matchers match everything.")
    matchers: list[str]
    reason: str = Field(min_length=1, max_length=500)
    starts: AskedTime | None = Field(None, description="Default now.")
    ends: AskedTime | None = None
    lasts: AskedDuration | None = None

    @field_validator("matchers")
    @classmethod
    def _can_match(cls, texts: list[str], info: ValidationInfo) -> list[str]:
        matchers.check(texts, everything=info.data.get("everything", False))
        return texts


class AskedExpiry(Asked):
    """Why it ends early."""

    model_config = Asked.model_config | example({"note": "dredging is done"})

    note: str = Field("", max_length=500)


@router.get("/silences")
def list_silences(context: Context, asked: Annotated[AskedSilences, Query()]) -> Silences:
    """Silences, the newest first, and how much each held back."""
    (before,) = position_of(asked.cursor, int) or (None,)
    now = context.clock()
    with queries.snapshot(context.readers) as connection:
        found = silences.silences(
            connection, asked.state, now, before=before, limit=asked.limit + 1
        )
        held = held_back.counts(connection, MuteKind.SILENCE)
    rows, following = cut(found, asked.limit, lambda row: (int(row.silence.id),))
    items = [SilenceAnswer(**_silence(row, held.get(row.silence.id, 0), now)) for row in rows]
    return Silences(items=items, next=following)


@router.get("/silences/{silence}")
def get_silence(context: Context, silence: SilenceId) -> SilenceStory:
    """One silence and what it held back."""
    now = context.clock()
    with queries.snapshot(context.readers) as connection:
        row = silences.silence(connection, silence)
        mute = Mute(MuteKind.SILENCE, str(silence))
        held = held_back.counts(connection, MuteKind.SILENCE).get(mute.id, 0)
        transitions = held_back.held_back(connection, mute, limit=MOST)
    if row is None:
        raise _no_silence()
    return SilenceStory(**_silence(row, held, now), transitions=[told(t) for t in transitions])


@router.post("/silences", status_code=201)
async def create_silence(context: Context, asked: AskedSilence, request: Request) -> SilenceAnswer:
    """Hold back the messages of alerts that fit all matchers; the alerts go on."""
    now, caller = context.clock(), request.state.caller
    starts = now if asked.starts is None else asked.starts
    silence = Silence(
        id="",
        matchers=tuple(asked.matchers),
        reason=asked.reason,
        by=caller.owner,
        made_by=caller.key,
        made_at=now,
        starts_at=starts,
        ends_at=_end(asked, starts, now),
    )
    made = await patiently(
        context, context.write(lambda ledger: silences.add_silence(ledger, silence))
    )
    return _present(context, made)


@router.post("/silences/{silence}/expire")
async def expire_silence(
    context: Context, silence: SilenceId, asked: AskedExpiry, request: Request
) -> SilenceAnswer:
    """End a silence now."""
    now, by = context.clock(), request.state.caller.key
    change = context.write(
        lambda ledger: silences.expire_silence(ledger, silence, asked.note, by=by, at=now)
    )
    if not await patiently(context, change):
        with queries.snapshot(context.readers) as connection:
            known = silences.silence(connection, silence)
        raise _no_silence() if known is None else ApiError("conflict", "It has ended already.")
    return _present(context, silence)


def told(row: HeldBack) -> HeldTransition:
    """A transition that was held back, as it is shown."""
    return HeldTransition.model_validate(
        {
            "alert": row.alert,
            "rule": row.rule,
            "subject": row.subject,
            "site": row.site,
            "state": row.after.value,
            "severity": row.severity.label,
            "reason": row.reason,
            "at": iso(row.at),
            "recorded_at": iso(row.recorded_at),
        }
    )


def _end(asked: AskedSilence, starts: int, now: int) -> int:
    if (asked.ends is None) == (asked.lasts is None):
        raise bad_parameter("ends", "say either when it ends, or how long it lasts: lasts")
    end = starts + (asked.lasts or 0) if asked.ends is None else asked.ends
    field = "lasts" if asked.ends is None else "ends"
    if end <= max(starts, now):
        raise bad_parameter(field, "should be after its start and after now")
    if end - starts > LONGEST:
        raise bad_parameter(field, "should be at most 366 days after its start")
    return end


def _present(context: ApiContext, identifier: int) -> SilenceAnswer:
    with queries.snapshot(context.readers) as connection:
        row = silences.silence(connection, identifier)
        held = held_back.counts(connection, MuteKind.SILENCE).get(str(identifier), 0)
    if row is None:
        raise _no_silence()
    return SilenceAnswer(**_silence(row, held, context.clock()))


def _silence(row: SilenceRow, held: int, now: int) -> dict[str, Any]:
    silence = row.silence
    state = "active" if silence.starts_at <= now else "pending"
    return {
        "id": int(silence.id),
        "state": "expired" if silence.ends_at <= now else state,
        "matchers": list(silence.matchers),
        "reason": silence.reason,
        "by": silence.by,
        "made_at": iso(silence.made_at),
        "starts_at": iso(silence.starts_at),
        "ends_at": iso(silence.ends_at),
        "announced_at": None if row.warned_at is None else iso(row.warned_at),
        "ended_by": row.ended_by,
        "held_back": held,
    }


def _no_silence() -> ApiError:
    return ApiError("not-found", "There is no silence with this id; /v1/silences lists them.")
