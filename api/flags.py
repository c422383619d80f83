"""`/v1/quality/flags`: an officer's flag on what a device reported in a range, and its undoing."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from api.context import ApiContext, Context, patiently
from api.problems import ApiError
from api.reviews import From, Note, Parameters, To, check_device, check_past
from api.shapes import (
    Answer,
    Asked,
    AskedPage,
    AskedTime,
    Id,
    Page,
    Time,
    cut,
    example,
    position_of,
)
from core.annotations import Annotation
from core.readings import Flag
from core.times import iso
from storage import annotations, queries
from storage.annotations import AnnotationRow

router = APIRouter(tags=["Quality"])

FlagId = Annotated[int, Path(ge=1, le=2**53)]
FlagValue = Literal[1, 3, 4]
_ASKED = {
    "device": "patong-probe-1",
    "parameters": ["turbidity"],
    "from": "2026-11-20T17:00:00Z",
    "to": "2026-11-21T17:00:00Z",
    "flag": 4,
    "note": "the optics were covered by weed",
}
_MADE = {
    "id": 7,
    "made_at": "2026-11-22T01:00:00Z",
    "made_by": "k3x9a2mq",
    "undone_at": None,
    "undone_by": None,
}


class OfficersFlag(Answer):
    """A flag on the readings of a range; of two, the one that was made later counts."""

    model_config = example(_MADE | _ASKED)

    id: int
    device: str
    parameters: list[str] = Field(description="Empty for all.")
    start: From
    end: To
    flag: FlagValue
    note: str
    made_at: Time
    made_by: str = Field(description="Id of the key.")
    undone_at: Time | None = Field(description="Null while it is in force.")
    undone_by: str | None


class OfficersFlags(Page[OfficersFlag]):
    """Flags of officers, the newest first."""


class AskedFlag(Asked):
    """The flag to put, from `from` up to, not with, `to`."""

    model_config = Asked.model_config | example(_ASKED)

    device: Id
    parameters: Parameters = Field(default_factory=list)
    start: AskedTime = Field(alias="from")
    end: AskedTime = Field(alias="to")
    flag: FlagValue = Field(description="1 good, 3 suspect, 4 fail.")
    note: Note


class AskedFlags(AskedPage):
    """Which flags."""

    device: Id | None = Field(None, description="Only those on this device.")
    state: Literal["in-force", "undone", "all"] = Field(
        "in-force", description="Whether they are in force, undone, or all."
    )


@router.get("/quality/flags")
def list_flags(context: Context, asked: Annotated[AskedFlags, Query()]) -> OfficersFlags:
    """What officers say of readings."""
    (before,) = position_of(asked.cursor, int) or (None,)
    undone = None if asked.state == "all" else asked.state == "undone"
    with queries.snapshot(context.readers) as connection:
        found = annotations.annotations(
            connection, device=asked.device, undone=undone, before=before, limit=asked.limit + 1
        )
    rows, following = cut(found, asked.limit, lambda row: (row.annotation.id,))
    return OfficersFlags(items=[_told(row) for row in rows], next=following)


@router.post("/quality/flags", status_code=201)
async def put_flag(context: Context, asked: AskedFlag, request: Request) -> OfficersFlag:
    """Flag the readings of a range. Values stay, what the tests said stays; readings that come late
    into the range get the flag as well. It goes on in the background: see /v1/quality/reviews.
    """
    by, now = request.state.caller.key, context.clock()
    check_past(asked.start, asked.end, now)
    check_device(context, asked.device, asked.parameters)
    said = Annotation(
        id=0,
        device=asked.device,
        parameters=tuple(asked.parameters),
        start=asked.start,
        end=asked.end,
        flag=Flag(asked.flag),
    )
    change = context.amend(
        lambda connection: annotations.annotate(connection, said, words=asked.note, by=by, at=now)
    )
    return _flag(context, await patiently(context, change))


@router.delete("/quality/flags/{flag}")
async def undo_flag(context: Context, flag: FlagId, request: Request) -> OfficersFlag:
    """Undo a flag: its readings get back what the tests say, and what other flags in force say."""
    by, now = request.state.caller.key, context.clock()
    change = context.amend(lambda connection: annotations.undo(connection, flag, by=by, at=now))
    if not await patiently(context, change):
        _flag(context, flag)
        raise ApiError("conflict", "This flag was undone already; nothing was changed.")
    return _flag(context, flag)


def _flag(context: ApiContext, identifier: int) -> OfficersFlag:
    with queries.snapshot(context.readers) as connection:
        found = annotations.annotations(connection, identifier=identifier)
    if not found:
        raise ApiError("not-found", "There is no such flag; /v1/quality/flags lists them.")
    return _told(found[0])


def _told(row: AnnotationRow) -> OfficersFlag:
    said = row.annotation
    return OfficersFlag(
        id=said.id,
        device=said.device,
        parameters=list(said.parameters),
        start=iso(said.start),
        end=iso(said.end),
        flag=cast(FlagValue, int(said.flag)),
        note=row.note,
        made_at=iso(row.made_at),
        made_by=row.made_by,
        undone_at=None if row.undone_at is None else iso(row.undone_at),
        undone_by=row.undone_by,
    )
