"""`/line/webhook`: what users of LINE do, told by LINE; `/v1/line`: how its month stands."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from alerts.notify.line_budget import courses, forecast
from alerts.notify.line_chat import ForgedError
from api.context import Context, patiently
from api.problems import ApiError
from api.shapes import Answer, Time, example
from core.times import iso
from storage import line_quota, queries

router = APIRouter(prefix="/line", tags=["LINE"])
v1 = APIRouter(tags=["LINE"])

CourseName = Literal["send", "digest", "email"]
_MONTH: dict[str, Any] = {
    "limit": 300,
    "used": 100,
    "left": 200,
    "forecast": 200,
    "asked_at": "2026-11-16T00:00:00Z",
    "courses": {"info": "digest", "warning": "send", "critical": "send"},
}


class Courses(Answer):
    """What becomes of a message, by how severe it is."""

    model_config = example(_MONTH["courses"])

    info: CourseName
    warning: CourseName
    critical: CourseName


class Month(Answer):
    """How the month's messages of LINE stand."""

    model_config = example(_MONTH)

    limit: int | None = Field(description="None where there is no limit, or LINE was never asked.")
    used: int | None = Field(description="Each recipient of each message counts.")
    left: int | None
    forecast: int | None = Field(description="For the whole month, if it goes on like this.")
    asked_at: Time | None = Field(description="When LINE said so.")
    courses: Courses = Field(description="What becomes of a message to a subscriber, by severity.")


@v1.get("/line")
def line_month(context: Context) -> Month:
    """How many messages LINE lets us send this month, and what becomes of each severity."""
    with queries.snapshot(context.readers) as connection:
        month = line_quota.month(connection)
    found = courses(month, context.clock(), context.zone)
    return Month.model_validate(
        {
            "limit": month and month.limit,
            "used": month and month.used,
            "left": month and month.left,
            "forecast": month and forecast(month, context.zone),
            "asked_at": month and iso(month.at),
            "courses": {severity.label: course.value for severity, course in found.items()},
        }
    )


class Noted(Answer):
    """It is kept and will be handled."""

    model_config = example({})


@router.post("/webhook")
async def line_webhook(context: Context, request: Request) -> Noted:
    """LINE calls this; each event is kept before it is answered. Others get nowhere: LINE signs."""
    if context.chat is None:
        raise ApiError("not-found", "LINE is not set up: ANDAMAN_LINE_TOKEN and _SECRET are due.")
    signature = request.headers.get("x-line-signature", "")
    try:
        await patiently(context, context.chat.take(await request.body(), signature))
    except ForgedError:
        raise ApiError("no-key", "The signature is not LINE's.") from None
    return Noted()
