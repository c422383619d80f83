"""`/v1/latest`: the newest reading of each series."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import ApiContext, Context
from api.shapes import Answer, AskedLongPage, Id, Page, Time, cut, example, position_of
from core.times import iso
from storage import queries
from storage.queries import LatestFilter, LatestRow

router = APIRouter(tags=["Readings"])


class Latest(Answer):
    """The newest reading of a series, whatever its flag."""

    model_config = example(
        {
            "device": "patong-probe-1",
            "parameter": "turbidity",
            "site": "patong-beach",
            "measured_at": "2026-11-22T01:00:00Z",
            "received_at": "2026-11-22T01:00:00.250000Z",
            "value": 3.1,
            "unit": "[NTU]",
            "flag": 3,
            "tests": {"spike": "suspect"},
        }
    )

    device: str
    parameter: str
    site: str
    measured_at: Time
    received_at: Time
    value: float
    unit: str
    flag: int = Field(description="1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")
    tests: dict[str, str] = Field(description="The tests that found fault, and how bad.")


class LatestReadings(Page[Latest]):
    """Newest readings by device and parameter."""


class AskedLatest(AskedLongPage):
    """Of which series."""

    site: Id | None = Field(None, description="Only at this site.")
    device: Id | None = Field(None, description="Only of this device.")
    parameter: Id | None = Field(None, description="Only of this parameter.")
    kind: Id | None = Field(None, description="Only at sites of this kind.")


@router.get("/latest")
def list_latest(context: Context, asked: Annotated[AskedLatest, Query()]) -> LatestReadings:
    """What every series read last."""
    chosen = LatestFilter(
        site=asked.site, device=asked.device, parameter=asked.parameter, kind=asked.kind
    )
    device, parameter = position_of(asked.cursor, str, str) or ("", "")
    with queries.snapshot(context.readers) as connection:
        found = queries.latest(connection, chosen, after=(device, parameter), limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.device, row.parameter))
    return LatestReadings(items=[_latest(context, row) for row in rows], next=following)


def _latest(context: ApiContext, row: LatestRow) -> Latest:
    return Latest(
        device=row.device,
        parameter=row.parameter,
        site=row.site,
        measured_at=iso(row.measured_at),
        received_at=iso(row.received_at),
        value=row.value,
        unit=context.unit_of(row.parameter),
        flag=row.flag,
        tests=dict(context.objections(row.tests)),
    )
