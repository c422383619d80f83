"""`/v1/quality/reprocess` and `/v1/quality/reviews`: stored readings are judged again, and how far
that has come.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import AliasChoices, Field

from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
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
from core.readings import Cause
from core.times import DAY, iso
from storage import queries, reviews
from storage.reviews import ReviewRow

router = APIRouter(tags=["Quality"])

LONGEST = 366 * DAY

ReviewId = Annotated[int, Path(ge=1, le=2**53)]
Note = Annotated[str, Field(min_length=1, max_length=500, description="Why.")]
Parameters = Annotated[
    list[Id], Field(max_length=100, description="Of the catalogue; none stands for all.")
]
ReviewCause = Literal["officer", "reprocess", "service"]
From = Annotated[
    Time, Field(validation_alias=AliasChoices("from", "start"), serialization_alias="from")
]
To = Annotated[Time, Field(validation_alias=AliasChoices("to", "end"), serialization_alias="to")]
_REVIEW = {
    "id": 12,
    "cause": "reprocess",
    "reference": None,
    "device": "patong-probe-1",
    "parameters": ["salinity"],
    "from": "2026-11-20T17:00:00Z",
    "to": "2026-11-21T17:00:00Z",
    "preview": True,
    "note": "new spans for the dry season",
    "state": "running",
    "done": 0.5,
    "readings": 144,
    "changes": [{"before": 1, "after": 3, "readings": 7}],
    "made_at": "2026-11-22T01:00:00Z",
    "made_by": "k3x9a2mq",
    "finished_at": None,
}


class FlagChange(Answer):
    """How many readings changed from one flag to another."""

    model_config = example({"before": 1, "after": 3, "readings": 7})

    before: int
    after: int
    readings: int


class Review(Answer):
    """Readings that are looked at again: because an officer flagged them or undid that, because of
    the service log, or to judge them by the settings of now.
    """

    model_config = example(_REVIEW)

    id: int
    cause: ReviewCause
    reference: int | None = Field(description="The flag or the entry of the service log.")
    device: str
    parameters: list[str] = Field(description="Empty for all.")
    start: From
    end: To
    preview: bool = Field(description="It counts what would change, and changes nothing.")
    note: str
    state: Literal["running", "finished"]
    done: float = Field(description="The share of the range that is done, 0 to 1.")
    readings: int = Field(description="Readings looked at so far.")
    changes: list[FlagChange]
    made_at: Time
    made_by: str = Field(description="Id of the key.")
    finished_at: Time | None


class Reviews(Page[Review]):
    """Reviews, the newest first."""


class AskedReprocess(Asked):
    """Which readings to judge again."""

    model_config = Asked.model_config | example(
        {
            "device": "patong-probe-1",
            "parameters": ["salinity"],
            "from": "2026-11-21T00:00:00+07:00",
            "to": "2026-11-22T00:00:00+07:00",
            "note": "new spans for the dry season",
            "preview": True,
        }
    )

    device: Id
    parameters: Parameters = Field(default_factory=list)
    start: AskedTime = Field(alias="from")
    end: AskedTime = Field(alias="to")
    note: Note
    preview: bool = False


@router.post("/quality/reprocess", status_code=202)
async def reprocess(context: Context, asked: AskedReprocess, request: Request) -> Review:
    """Judge the readings of a device again by the settings of now, as if all had come in order;
    with `preview` only count what would change. It goes on in the background: see its review.
    """
    by, now = request.state.caller.key, context.clock()
    check_past(asked.start, asked.end, now)
    check_device(context, asked.device, asked.parameters)
    wanted = reviews.Asked(
        cause=Cause.REPROCESS,
        device=asked.device,
        parameters=asked.parameters,
        start=asked.start,
        end=asked.end,
        note=asked.note,
        by=by,
        preview=asked.preview,
    )
    made = await patiently(context, context.amend(lambda c: reviews.reprocess(c, wanted, now)))
    return get_review(context, made)


@router.get("/quality/reviews")
def list_reviews(context: Context, asked: Annotated[AskedPage, Query()]) -> Reviews:
    """What is, or was, looked at again."""
    (before,) = position_of(asked.cursor, int) or (None,)
    with queries.snapshot(context.readers) as connection:
        found = reviews.reviews(connection, before=before, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.review.id,))
    return Reviews(items=[told(row) for row in rows], next=following)


@router.get("/quality/reviews/{review}")
def get_review(context: Context, review: ReviewId) -> Review:
    """One of them, and how far it has come."""
    with queries.snapshot(context.readers) as connection:
        found = reviews.reviews(connection, identifier=review)
    if not found:
        raise ApiError("not-found", "There is no such review; /v1/quality/reviews lists them.")
    return told(found[0])


def told(row: ReviewRow) -> Review:
    """A review as the API shows it."""
    r = row.review
    return Review(
        id=r.id,
        cause=cast(ReviewCause, r.cause.value),
        reference=r.reference,
        device=r.device,
        parameters=list(r.parameters),
        start=iso(r.start),
        end=iso(r.end),
        preview=r.preview,
        note=row.note,
        state="running" if row.finished_at is None else "finished",
        done=round((r.through - r.start) / (r.end - r.start), 4),
        readings=r.readings,
        changes=[
            FlagChange(before=before, after=after, readings=count)
            for (before, after), count in sorted(r.changes.items())
        ],
        made_at=iso(row.made_at),
        made_by=row.made_by,
        finished_at=None if row.finished_at is None else iso(row.finished_at),
    )


def check_range(start: int, end: int) -> None:
    """Raises: ApiError, when nobody can mean this range."""
    if start >= end:
        raise bad_parameter("to", "should be after from")
    if end - start > LONGEST:
        raise bad_parameter("to", "is more than 366 days after from; take one year at a time")


def check_past(start: int, end: int, now: int) -> None:
    """The same for a range in which readings are there already."""
    check_range(start, end)
    if end > now:
        raise bad_parameter("to", "is in the future; for what is to come use the service log")


def check_device(context: ApiContext, device: str, parameters: Sequence[str] = ()) -> None:
    """Raises: ApiError, when there is no such device or it has never reported a parameter."""
    with queries.snapshot(context.readers) as connection:
        reported = queries.parameters_of(connection, device)
    if reported is None:
        raise bad_parameter("device", f"{device} is not known; /v1/devices lists them")
    for parameter in parameters:
        if parameter not in reported:
            words = f"{device} has never reported {parameter}; /v1/latest shows what it reports"
            raise bad_parameter("parameters", words)
