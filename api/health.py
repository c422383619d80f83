"""`/health/live` and `/health/ready`: for those who restart it and those who route to it."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.auth import Standing, identify
from api.context import ApiContext, Check, Context, SystemStatus
from api.shapes import Answer, example

__all__ = ["Check", "SystemStatus", "live", "ready", "router"]

router = APIRouter(prefix="/health", tags=["System"])


class Live(Answer):
    """The process answers."""

    status: Literal["live"]


class CheckWords(Answer):
    """One thing that must be well."""

    ok: bool
    words: str


class Ready(Answer):
    """Whether every part is well; which, is told to those with a key."""

    model_config = example(
        {
            "status": "ready",
            "checks": {"broker": {"ok": True, "words": "connected for 3 h"}},
        }
    )

    status: Literal["ready", "not-ready"]
    checks: dict[str, CheckWords] | None = Field(None, description="Only with a key.")


@router.get("/live")
def live() -> Live:
    """200 as long as the process answers; asks nothing of any part."""
    return Live(status="live")


@router.get("/ready", response_model_exclude_none=True, responses={503: {"model": Ready}})
def ready(context: Context, request: Request, response: Response) -> Ready:
    """200 when every part is well, else 503 with the same body."""
    checks = context.status().checks
    well = all(check.ok for check in checks.values())
    response.status_code = 200 if well else 503
    return Ready(
        status="ready" if well else "not-ready",
        checks={name: CheckWords(ok=c.ok, words=c.words) for name, c in sorted(checks.items())}
        if _may_know(context, request)
        else None,
    )


def _may_know(context: ApiContext, request: Request) -> bool:
    caller = identify(context, request.headers.get("authorization", ""))
    return caller is not None and caller.standing >= Standing.VIEWER
