"""`/v1/sites`: the places, and how each of them stands; an administrator adds and changes them."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.context import Context, enrolled
from api.problems import ApiError
from api.shapes import (
    Answer,
    Asked,
    AskedLongPage,
    Id,
    Names,
    Page,
    Time,
    cut,
    example,
    position_of,
)
from core import registry as nouns
from core.configuration import Name, SiteFacts
from core.times import HOUR, iso
from storage import queries, registry
from storage.queries import SiteRow

FRESH = 3 * HOUR
"""A site whose newest good reading is older says nothing about the present."""

SiteState = Literal["ok", "info", "warning", "critical", "unknown"]

router = APIRouter(tags=["Places and devices"])

_SITE = {
    "id": "patong-beach",
    "kind": "beach",
    "name": {"en": "Patong Beach", "th": "หาดป่าตอง"},
    "latitude": 7.8965,
    "longitude": 98.2955,
    "district": "kathu/patong",
    "owner": "Patong Municipality",
}


class Site(Answer):
    """A place that people know."""

    model_config = example(
        _SITE
        | {
            "origin": "file",
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
    origin: Literal["file", "api"] = Field(
        description="Where it is changed: in sites.yaml, or here."
    )
    state: SiteState = Field(
        description="The worst severity that fires here; else ok, when a good reading came in the "
        "last 3 h; else unknown."
    )
    open_alerts: int = Field(description="Alerts that are pending or firing.")
    newest: Time | None = Field(description="Time of the newest reading.")


class Sites(Page[Site]):
    """Sites by id."""


class AskedSite(SiteFacts):
    """A site to add."""

    model_config = SiteFacts.model_config | example(_SITE)


class AskedSiteChange(Asked):
    """What to change; the rest stays."""

    model_config = Asked.model_config | example({"owner": "Patong Municipality"})

    name: Name | None = None
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    district: str | None = Field(None, min_length=1)
    owner: str | None = None


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


@router.post("/sites", status_code=201)
async def add_site(context: Context, asked: AskedSite, request: Request) -> Site:
    """Add a site; it is there at once, and after a restart."""
    by, at = request.state.caller.key, context.clock()
    made = nouns.Site(**asked.model_dump())
    await enrolled(context, lambda connection: registry.add_site(connection, made, by=by, at=at))
    return get_site(context, asked.id)


@router.patch("/sites/{site}")
async def change_site(context: Context, site: Id, asked: AskedSiteChange, request: Request) -> Site:
    """Change a site that was added here; one of sites.yaml is changed there."""
    by, at = request.state.caller.key, context.clock()
    wanted = asked.model_dump(exclude_none=True, exclude={"name"})
    if asked.name is not None:
        wanted |= {"name_en": asked.name.en, "name_th": asked.name.th}
    await enrolled(
        context, lambda connection: registry.change_site(connection, site, wanted, by=by, at=at)
    )
    return get_site(context, site)


def _site(row: SiteRow, now: int) -> Site:
    return Site(
        id=row.id,
        kind=row.kind,
        name=Names(en=row.name_en, th=row.name_th),
        latitude=row.latitude,
        longitude=row.longitude,
        district=row.district,
        owner=row.owner,
        origin=cast(Literal["file", "api"], row.origin),
        state=state_of(row, now),
        open_alerts=row.open_alerts,
        newest=None if row.newest is None else iso(row.newest),
    )


def state_of(row: SiteRow, now: int) -> SiteState:
    """The worst severity that fires there; else whether anything good was heard lately."""
    if row.worst is not None:
        return cast(SiteState, row.worst.label)
    fresh = row.newest_good is not None and now - row.newest_good <= FRESH
    return "ok" if fresh else "unknown"
