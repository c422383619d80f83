"""`/v1/sites`: the places, and how each of them stands."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import Context
from api.problems import ApiError
from api.shapes import Answer, AskedLongPage, Id, Names, Page, Time, cut, example, position_of
from core.model import HOUR, iso
from storage import queries
from storage.queries import SiteRow

FRESH = 3 * HOUR
"""A site whose newest good reading is older says nothing about the present."""

SiteState = Literal["ok", "info", "warning", "critical", "unknown"]

router = APIRouter(tags=["Places and devices"])


class Site(Answer):
    """A place that people know."""

    model_config = example(
        {
            "id": "patong-beach",
            "kind": "beach",
            "name": {"en": "Patong Beach", "th": "หาดป่าตอง"},
            "latitude": 7.8965,
            "longitude": 98.2955,
            "district": "kathu/patong",
            "owner": "Patong Municipality",
            "state": "warning",
            "open_alerts": 1,
            "newest": "2026-11-22T01:00:00Z",
        }
    )

    id: str
    kind: str
    name: Names
    latitude: float = Field(description="WGS 84, degrees.")
    longitude: float = Field(description="WGS 84, degrees.")
    district: str
    owner: str
    state: SiteState = Field(
        description="The worst severity that fires here; else ok, when a good reading came in the "
        "last 3 h; else unknown."
    )
    open_alerts: int = Field(description="Alerts that are pending or firing.")
    newest: Time | None = Field(description="Time of the newest reading.")


class Sites(Page[Site]):
    """Sites by id."""


@router.get("/sites")
def list_sites(context: Context, asked: Annotated[AskedLongPage, Query()]) -> Sites:
    """All sites with their state."""
    (after,) = position_of(asked.cursor, str) or ("",)
    with queries.snapshot(context.readers) as connection:
        rows = queries.sites(connection, after=after, limit=asked.limit + 1)
    rows_here, following = cut(rows, asked.limit, lambda row: (row.id,))
    now = context.clock()
    return Sites(items=[_site(row, now) for row in rows_here], next=following)


@router.get("/sites/{site}")
def get_site(context: Context, site: Id) -> Site:
    """One site with its state."""
    with queries.snapshot(context.readers) as connection:
        rows = queries.sites(connection, site=site)
    if not rows:
        raise ApiError("not-found", "There is no site with this id; /v1/sites lists them.")
    return _site(rows[0], context.clock())


def _site(row: SiteRow, now: int) -> Site:
    return Site(
        id=row.id,
        kind=row.kind,
        name=Names(en=row.name_en, th=row.name_th),
        latitude=row.latitude,
        longitude=row.longitude,
        district=row.district,
        owner=row.owner,
        state=_state(row, now),
        open_alerts=row.open_alerts,
        newest=None if row.newest is None else iso(row.newest),
    )


def _state(row: SiteRow, now: int) -> SiteState:
    if row.worst is not None:
        return cast(SiteState, row.worst.label)
    fresh = row.newest_good is not None and now - row.newest_good <= FRESH
    return "ok" if fresh else "unknown"
