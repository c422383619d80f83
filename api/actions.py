"""What officers do to an alert: `/v1/alerts/{alert}/acknowledge` and the like.

The same again, with nothing in between, changes nothing and answers as before.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from alerts.by_hand import REASONS, said
from api.alerts import Alert, present
from api.auth import Caller
from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.shapes import Asked, AskedDuration, AskedTime, Id, example
from core.alerts import Action, ActionKind, State
from core.times import DAY
from storage import queries

router = APIRouter(tags=["Alerts"])

LONGEST_SHELF = 31 * DAY
_NOT_OPEN = "The alert is over; an officer may reopen it."
_REFUSALS: Mapping[ActionKind, str] = MappingProxyType(
    {
        ActionKind.REOPEN: "It ended too long ago, or the place has been quiet since; a new alert "
        "will tell of what comes.",
        ActionKind.UNSHELVE: "The alert is not shelved.",
    }
)


class AskedNote(Asked):
    """What there is to say about it."""

    model_config = Asked.model_config | example({"note": "on my way"})

    note: str = Field("", max_length=500)


class AskedReason(Asked):
    """Why, or what there is to say."""

    model_config = Asked.model_config | example({"note": "the probe was in the mud"})

    note: str = Field(min_length=1, max_length=500)


class AskedAssignment(AskedNote):
    """To whom it is given."""

    model_config = Asked.model_config | example({"to": "Somchai", "note": "please look"})

    to: str = Field(min_length=1, max_length=100)


class AskedShelf(AskedReason):
    """Until when nobody is told of it, or for how long: one of the two."""

    model_config = Asked.model_config | example({"lasts": "2h", "note": "the boat is in the way"})

    until: AskedTime | None = None
    lasts: AskedDuration | None = None


@router.post("/alerts/{alert}/acknowledge")
async def acknowledge_alert(
    context: Context, alert: Id, asked: AskedNote, request: Request
) -> Alert:
    """Somebody has seen it: it is not escalated, until it gets worse."""
    return await _act(context, request, ActionKind.ACKNOWLEDGE, alert, note=asked.note)


@router.post("/alerts/{alert}/assign")
async def assign_alert(
    context: Context, alert: Id, asked: AskedAssignment, request: Request
) -> Alert:
    """Give it to somebody."""
    return await _act(context, request, ActionKind.ASSIGN, alert, note=asked.note, to=asked.to)


@router.post("/alerts/{alert}/comment")
async def comment_alert(context: Context, alert: Id, asked: AskedReason, request: Request) -> Alert:
    """Say something about it."""
    return await _act(context, request, ActionKind.COMMENT, alert, note=asked.note)


@router.post("/alerts/{alert}/reopen")
async def reopen_alert(context: Context, alert: Id, asked: AskedReason, request: Request) -> Alert:
    """It is not over after all."""
    return await _act(context, request, ActionKind.REOPEN, alert, note=asked.note)


@router.post("/alerts/{alert}/resolve")
async def resolve_alert(context: Context, alert: Id, asked: AskedReason, request: Request) -> Alert:
    """End it by hand: nothing more of this place until it was quiet once, or gets worse."""
    return await _act(context, request, ActionKind.RESOLVE, alert, note=asked.note)


@router.post("/alerts/{alert}/shelve")
async def shelve_alert(context: Context, alert: Id, asked: AskedShelf, request: Request) -> Alert:
    """Tell nobody of it for a while; it lives on."""
    until = _until(asked, context.clock())
    return await _act(context, request, ActionKind.SHELVE, alert, note=asked.note, until=until)


@router.post("/alerts/{alert}/unshelve")
async def unshelve_alert(context: Context, alert: Id, asked: AskedNote, request: Request) -> Alert:
    """Tell of it again."""
    return await _act(context, request, ActionKind.UNSHELVE, alert, note=asked.note)


async def _act(
    context: ApiContext, request: Request, kind: ActionKind, alert: str, **told: Any
) -> Alert:
    caller: Caller = request.state.caller
    action = Action(kind=kind, alert=alert, by=caller.owner, key=caller.key, **told)
    if not _done_already(context, action):
        done = await patiently(context, context.act(action))
        if done is None:
            raise _refusal(context, action)
    return present(context, alert)


def _done_already(context: ApiContext, action: Action) -> bool:
    """Whether the last thing that happened to the alert was just this."""
    with queries.snapshot(context.readers) as connection:
        changes = queries.transitions(connection, action.alert, limit=1)
    return any(
        change.reason == REASONS[action.kind] and change.evidence == said(action)
        for change in changes
    )


def _refusal(context: ApiContext, action: Action) -> ApiError:
    with queries.snapshot(context.readers) as connection:
        row = queries.alert(connection, action.alert)
    if row is None:
        return ApiError("not-found", "There is no alert with this id; /v1/alerts lists them.")
    reopens, over = action.kind is ActionKind.REOPEN, row.state == State.RESOLVED
    if reopens is not over:
        return ApiError("conflict", "The alert is open." if reopens else _NOT_OPEN)
    return ApiError("conflict", _REFUSALS.get(action.kind, _NOT_OPEN))


def _until(asked: AskedShelf, now: int) -> int:
    if (asked.until is None) == (asked.lasts is None):
        raise bad_parameter("until", "say either until when, or for how long: lasts")
    until = now + (asked.lasts or 0) if asked.until is None else asked.until
    field = "lasts" if asked.until is None else "until"
    if not now < until <= now + LONGEST_SHELF:
        raise bad_parameter(field, "should be in the future, at most 31 days ahead")
    return until
