"""`/v1/maintenance`: recurring windows in which alerts are expected, of the file and the API."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from alerts.maintenance import DayName, MonthDay, WindowEntry, following, opening
from api.context import ApiContext, Context, patiently
from api.problems import ApiError
from api.shapes import (
    MOST,
    Answer,
    AskedLongPage,
    Id,
    Page,
    Time,
    cut,
    example,
    position_of,
)
from api.silences import HELD, HeldTransition, told
from core.muting import Mute, MuteKind
from core.times import iso
from storage import held_back, labels, maintenance, queries
from storage.maintenance import WindowRow

router = APIRouter(tags=["Silences"])

_ASKED: dict[str, Any] = {
    "id": "patong-cleaning",
    "reason": "the probes are cleaned",
    "matchers": ['site="patong-beach"'],
    "days": ["mon", "thu"],
    "from": "22:00",
    "to": "02:00",
}
_WINDOW = _ASKED | {
    "everything": False,
    "month_days": [],
    "by": None,
    "opens_at": "2026-11-23T15:00:00Z",
    "closes_at": "2026-11-23T19:00:00Z",
    "open": False,
    "held_back": 1,
}


class Window(Answer):
    """A maintenance window: which alerts, when, and the opening that is or comes next."""

    model_config = example(_WINDOW)

    id: str
    reason: str
    everything: bool
    matchers: list[str]
    days: list[DayName]
    month_days: list[MonthDay]
    begins: str = Field(alias="from", description="By the city's clock.")
    ends: str = Field(alias="to", description="By the city's clock; else of the next day.")
    by: str | None = Field(description="Who made it by the API; null where it is of a file.")
    open: bool
    opens_at: Time = Field(description="Of the present opening, else of the next.")
    closes_at: Time
    held_back: int = Field(description="How many transitions it held back.")


class Windows(Page[Window]):
    """Windows by id."""


class WindowStory(Window):
    """A window with what it held back, the last thousand at the most, the newest first."""

    model_config = example(_WINDOW | {"transitions": [HELD]})

    transitions: list[HeldTransition]


class AskedWindow(WindowEntry):
    """A window to make."""

    model_config = WindowEntry.model_config | example(_ASKED)


@router.get("/maintenance")
def list_windows(context: Context, asked: Annotated[AskedLongPage, Query()]) -> Windows:
    """Maintenance windows by id."""
    (after,) = position_of(asked.cursor, str) or ("",)
    shown = _known(context)
    found = [shown[name] for name in sorted(shown) if name > after]
    rows, more = cut(found[: asked.limit + 1], asked.limit, lambda row: (row["id"],))
    return Windows(items=[Window(**row) for row in rows], next=more)


@router.get("/maintenance/{window}")
def get_window(context: Context, window: Id) -> WindowStory:
    """One window and what it held back."""
    mute = Mute(MuteKind.MAINTENANCE, window)
    with queries.snapshot(context.readers) as connection:
        shown = _shown(context, connection)
        transitions = held_back.held_back(connection, mute, limit=MOST)
    if window not in shown:
        raise _no_window()
    return WindowStory(**shown[window], transitions=[told(t) for t in transitions])


@router.post("/maintenance", status_code=201)
async def create_window(context: Context, asked: AskedWindow, request: Request) -> Window:
    """Make a window; it holds back from its next opening on, or at once where it is open."""
    now, caller = context.clock(), request.state.caller
    row = WindowRow(
        id=asked.id, body=asked.model_dump_json(by_alias=True), by=caller.owner, made_at=now
    )
    taken = ApiError("conflict", f"There is a window called {asked.id}; choose another id.")
    if asked.id in _known(context):
        raise taken
    change = context.write(lambda ledger: maintenance.add_window(ledger, row, made_by=caller.key))
    if not await patiently(context, change):
        raise taken
    return Window(**_known(context)[asked.id])


@router.delete("/maintenance/{window}", status_code=204)
async def remove_window(context: Context, window: Id, request: Request) -> None:
    """Remove a window that the API made; those of the file are removed there."""
    now, by = context.clock(), request.state.caller.key
    change = context.write(lambda ledger: maintenance.remove_window(ledger, window, by=by, at=now))
    if await patiently(context, change):
        return
    if window in _known(context):
        raise ApiError("conflict", "This window is in maintenance.yaml; remove it there.")
    raise _no_window()


def _known(context: ApiContext) -> Mapping[str, dict[str, Any]]:
    with queries.snapshot(context.readers) as connection:
        return _shown(context, connection)


def _shown(context: ApiContext, connection: Connection) -> Mapping[str, dict[str, Any]]:
    """Every window by its id, as it is shown."""
    now = context.clock()
    standing = context.standing(connection, now, labels.places(connection))
    makers = {row.id: row.by for row in maintenance.windows(connection)}
    counts = held_back.counts(connection, MuteKind.MAINTENANCE)
    found: dict[str, dict[str, Any]] = {}
    for window in standing.windows:
        now_open = opening(window, now, standing.zone)
        which = now_open or following(window, now, standing.zone)
        found[window.id] = window.model_dump(by_alias=True) | {
            "by": makers.get(window.id),
            "open": now_open is not None,
            "opens_at": iso(which.start),
            "closes_at": iso(which.end),
            "held_back": counts.get(window.id, 0),
        }
    return found


def _no_window() -> ApiError:
    return ApiError("not-found", "There is no window with this id; /v1/maintenance lists them.")
