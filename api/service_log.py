"""`/v1/service-log`: work on devices; what they report meanwhile is flagged."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import AliasChoices, Field

from api.context import ApiContext, Context, patiently
from api.problems import ApiError
from api.reviews import From, Note, check_device, check_range
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
from core.annotations import Service, Work
from core.times import iso
from storage import queries, service_log
from storage.service_log import ServiceRow

router = APIRouter(tags=["Quality"])

EntryId = Annotated[int, Path(ge=1, le=2**53)]
_ASKED = {
    "device": "patong-probe-1",
    "work": "cleaning",
    "from": "2026-11-22T01:00:00Z",
    "to": "2026-11-22T02:00:00Z",
    "note": "optics and anode",
    "by": "Somchai",
}
_MADE = {
    "id": 31,
    "made_at": "2026-11-22T02:05:00Z",
    "made_by": "k3x9a2mq",
    "removed_at": None,
    "removed_by": None,
}


class ServiceEntry(Answer):
    """Work on a device."""

    model_config = example(_MADE | _ASKED)

    id: int
    device: str
    work: str = Field(description="calibration, cleaning, deployment or retrieval.")
    start: From
    end: Time | None = Field(
        validation_alias=AliasChoices("to", "end"),
        serialization_alias="to",
        description="Null while it goes on.",
    )
    note: str
    by: str = Field(description="Who did it.")
    made_at: Time
    made_by: str = Field(description="Id of the key that wrote it down.")
    removed_at: Time | None = Field(description="Null while the entry counts.")
    removed_by: str | None


class ServiceLog(Page[ServiceEntry]):
    """The service log, the newest entry first."""


class AskedEntry(Asked):
    """Work to write down; it may be over, go on, or be planned."""

    model_config = Asked.model_config | example(_ASKED)

    device: Id
    work: Work = Field(description="calibration, cleaning, deployment or retrieval.")
    start: AskedTime = Field(alias="from")
    end: AskedTime | None = Field(None, alias="to", description="None while it goes on.")
    note: Note
    by: str = Field(min_length=1, max_length=100, description="Who does it.")


class AskedEnd(Asked):
    """When it was over."""

    model_config = Asked.model_config | example({"to": "2026-11-22T02:00:00Z"})

    end: AskedTime = Field(alias="to")


class AskedLog(AskedPage):
    """Which entries."""

    device: Id | None = Field(None, description="Only those of this device.")


@router.get("/service-log")
def list_service_log(context: Context, asked: Annotated[AskedLog, Query()]) -> ServiceLog:
    """Work on devices, entries that were taken out too."""
    (before,) = position_of(asked.cursor, int) or (None,)
    with queries.snapshot(context.readers) as connection:
        found = service_log.entries(
            connection, device=asked.device, before=before, limit=asked.limit + 1
        )
    rows, following = cut(found, asked.limit, lambda row: (row.service.id,))
    return ServiceLog(items=[_told(row) for row in rows], next=following)


@router.post("/service-log", status_code=201)
async def log_service(context: Context, asked: AskedEntry, request: Request) -> ServiceEntry:
    """Write down work on a device: what it reported, or will report, meanwhile is flagged."""
    by, now = request.state.caller.key, context.clock()
    check_range(asked.start, max(now, asked.start + 1) if asked.end is None else asked.end)
    check_device(context, asked.device)
    service = Service(id=0, device=asked.device, work=asked.work, start=asked.start, end=asked.end)
    change = context.amend(
        lambda connection: service_log.log_service(
            connection, service, words=asked.note, person=asked.by, by=by, at=now
        )
    )
    return _told(_row(context, await patiently(context, change)))


@router.post("/service-log/{entry}/end")
async def end_service(
    context: Context, entry: EntryId, asked: AskedEnd, request: Request
) -> ServiceEntry:
    """Say when work was over that was still going on."""
    by, now = request.state.caller.key, context.clock()
    check_range(_row(context, entry).service.start, asked.end)
    change = context.amend(lambda c: service_log.end_service(c, entry, asked.end, by=by, at=now))
    if not await patiently(context, change):
        raise ApiError("conflict", "This work is over, or was taken out; nothing was changed.")
    return _told(_row(context, entry))


@router.delete("/service-log/{entry}")
async def remove_service(context: Context, entry: EntryId, request: Request) -> ServiceEntry:
    """Take out an entry that was wrong: its readings get back what the tests say."""
    by, now = request.state.caller.key, context.clock()
    change = context.amend(lambda c: service_log.remove_service(c, entry, by=by, at=now))
    if not await patiently(context, change):
        _row(context, entry)
        raise ApiError("conflict", "This entry was taken out already; nothing was changed.")
    return _told(_row(context, entry))


def _row(context: ApiContext, identifier: int) -> ServiceRow:
    with queries.snapshot(context.readers) as connection:
        found = service_log.entries(connection, identifier=identifier)
    if not found:
        raise ApiError("not-found", "There is no such entry; /v1/service-log lists them.")
    return found[0]


def _told(row: ServiceRow) -> ServiceEntry:
    service = row.service
    return ServiceEntry(
        id=service.id,
        device=service.device,
        work=service.work.value,
        start=iso(service.start),
        end=None if service.end is None else iso(service.end),
        note=row.note,
        by=row.person,
        made_at=iso(row.made_at),
        made_by=row.made_by,
        removed_at=None if row.removed_at is None else iso(row.removed_at),
        removed_by=row.removed_by,
    )
