"""`/v1/sites.csv` and `/v1/devices.csv`: the registry as files, out and in, whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query, Request
from pydantic import Field, ValidationError
from sqlalchemy import Connection
from starlette.responses import StreamingResponse

from api.context import ApiContext, Context, enrolled
from api.devices import AskedDevice
from api.problems import invalid
from api.shapes import Answer, Asked, example
from api.sheets import RESPONSES, Cell, sheet
from api.uploads import Line, read
from core import registry as nouns
from core.configuration import Configuration, SiteFacts
from core.errors import RegistryError
from core.registry import Placement
from core.times import iso
from storage import queries, registry

SITE_COLUMNS = ("id", "kind", "name_en", "name_th", "latitude", "longitude", "district")
DEVICE_COLUMNS = ("id", "gateway", "site")
SITE_FREE, DEVICE_FREE = ("owner",), ("since", "model", "address")

router = APIRouter(tags=["Places and devices"])

_OF_DEVICE: Sequence[str] = ("gateway", "model", "address")

Done = Literal["added", "changed", "same", "refused"]
Take: TypeAlias = Callable[[Connection, Mapping[str, str]], Done]
_LINE = {
    "line": 3,
    "id": "pier",
    "done": "refused",
    "field": "latitude",
    "detail": "latitude: should be less than or equal to 90",
}


class LineReport(Answer):
    """What became of one line; `detail` says why it is refused, and what to write instead."""

    model_config = example(_LINE)

    line: int
    id: str
    done: Done
    field: str | None
    detail: str


class ImportReport(Answer):
    """What became of a file: when one line is refused, nothing of it is stored."""

    model_config = example(
        {"stored": False, "added": 0, "changed": 0, "same": 0, "refused": 1, "lines": [_LINE]}
    )

    stored: bool = Field(description="False in a dry run, and when a line is refused.")
    added: int
    changed: int
    same: int
    refused: int
    lines: list[LineReport]


class AskedImport(Asked):
    """How to take it."""

    dry_run: bool = Field(False, description="Only report what would become of it.")


class _TakenBackError(Exception):
    """Nothing of it is stored."""


_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("/sites.csv", response_class=StreamingResponse, responses=RESPONSES)
def export_sites(context: Context) -> StreamingResponse:
    """All sites as CSV, in the form that a POST to this address takes."""
    columns = (*SITE_COLUMNS, *SITE_FREE)
    sites = _known(context).sites
    rows = [registry.site_values(sites[name]) for name in sorted(sites)]
    return sheet("sites", columns, [[[row[name] for name in columns] for row in rows]])


@router.get("/devices.csv", response_class=StreamingResponse, responses=RESPONSES)
def export_devices(context: Context) -> StreamingResponse:
    """All devices as CSV, in the form that a POST to this address takes: one that has moved has a
    line for each place, in order of time.
    """
    devices = _known(context).devices
    rows: list[list[Cell]] = [
        [d.id, d.gateway, stood.site, iso(stood.since), d.model, d.address]
        for _, d in sorted(devices.items())
        for stood in d.placements
    ]
    return sheet("devices", (*DEVICE_COLUMNS, *DEVICE_FREE), [rows])


@router.post("/sites.csv", openapi_extra=_BODY)
async def import_sites(
    context: Context, asked: Annotated[AskedImport, Query()], request: Request
) -> ImportReport:
    """Add the sites of a CSV file and change those that are there."""
    lines = read(await request.body(), SITE_COLUMNS, SITE_FREE)
    take = partial(_take_site, by=request.state.caller.key, at=context.clock())
    return await _import(context, lines, take, dry_run=asked.dry_run)


@router.post("/devices.csv", openapi_extra=_BODY)
async def import_devices(
    context: Context, asked: Annotated[AskedImport, Query()], request: Request
) -> ImportReport:
    """Add the devices of a CSV file, change those that are there, and move them."""
    lines = read(await request.body(), DEVICE_COLUMNS, DEVICE_FREE)
    take = partial(_take_device, by=request.state.caller.key, at=context.clock())
    return await _import(context, lines, take, dry_run=asked.dry_run)


async def _import(
    context: ApiContext, lines: Sequence[Line], take: Take, *, dry_run: bool
) -> ImportReport:
    reports: list[LineReport] = []

    def change(connection: Connection) -> None:
        reports.extend(_taken(connection, line, take) for line in lines)
        if dry_run or any(report.done == "refused" for report in reports):
            raise _TakenBackError

    stored = True
    try:
        await enrolled(context, change)
    except _TakenBackError:
        stored = False
    sums = {
        done: sum(report.done == done for report in reports)
        for done in ("added", "changed", "same", "refused")
    }
    return ImportReport(stored=stored, **sums, lines=reports)


def _taken(connection: Connection, line: Line, take: Take) -> LineReport:
    done: Done = "refused"
    field, detail = None, line.problem
    if not line.problem:
        try:
            done = take(connection, line.cells)
        except ValidationError as error:
            problem = invalid(error.errors()[0])
            field, detail = _column(problem.field), str(problem.detail)
        except RegistryError as error:
            field, detail = error.field, str(error)
    return LineReport(
        line=line.number, id=line.cells.get("id", ""), done=done, field=field, detail=detail
    )


def _column(field: str | None) -> str | None:
    return None if field is None else field.replace("name.", "name_")


def _take_site(connection: Connection, cells: Mapping[str, str], *, by: str, at: int) -> Done:
    plain = {name: cell for name, cell in cells.items() if not name.startswith("name_")}
    name = {"en": cells["name_en"], "th": cells["name_th"]}
    facts = SiteFacts.model_validate_strings(plain | {"name": name})
    site = nouns.Site(**facts.model_dump())
    if not registry.has_site(connection, site.id):
        registry.add_site(connection, site, by=by, at=at)
        return "added"
    wanted = {k: v for k, v in registry.site_values(site).items() if k in cells}
    changed = registry.change_site(connection, site.id, wanted, by=by, at=at)
    return "changed" if changed else "same"


def _take_device(connection: Connection, cells: Mapping[str, str], *, by: str, at: int) -> Done:
    given = {name: cell for name, cell in cells.items() if name != "since" or cell}
    asked = AskedDevice.model_validate(given)
    stands = registry.stands(connection, asked.id)
    since = asked.since if asked.since is not None else at
    if stands is None:
        facts = asked.model_dump(exclude={"site", "since"})
        made = nouns.Device(**facts, placements=(Placement(since, asked.site),))
        registry.add_device(connection, made, by=by, at=at)
        return "added"
    wanted = {name: given[name] for name in _OF_DEVICE if name in given}
    changed = registry.change_device(connection, asked.id, wanted, by=by, at=at)
    if asked.since is not None or asked.site != stands:
        place = Placement(since, asked.site)
        changed |= registry.move_device(connection, asked.id, place, by=by, at=at)
    return "changed" if changed else "same"


def _known(context: ApiContext) -> Configuration:
    with queries.snapshot(context.readers) as connection:
        return registry.known(connection)
