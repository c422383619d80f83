"""`/v1/stats`: the conservation counters, and what waits."""

from fastapi import APIRouter
from pydantic import Field

from api.context import Context
from api.shapes import Answer, example
from storage import queries
from storage.queries import Stats as Counted

router = APIRouter(tags=["System"])


class Stats(Answer):
    """received = stored + duplicate + quarantined, in every answer."""

    model_config = example(
        {
            "received": 120_450,
            "stored": 120_400,
            "duplicate": 38,
            "quarantined": 12,
            "by_reason": {"not-json": 2, "unknown-device": 10},
            "outflow_points": 0,
            "series": 214,
            "open_alerts": 3,
            "messages_per_second": 12.5,
            "worker_backlog": 0,
        }
    )

    received: int = Field(description="Items: readings, and messages that hold none.")
    stored: int
    duplicate: int
    quarantined: int = Field(description="But for those that were stored by a later try.")
    by_reason: dict[str, int] = Field(description="Quarantined items by reason.")
    outflow_points: int = Field(description="Points that InfluxDB has yet to take.")
    series: int
    open_alerts: int = Field(description="Alerts that are pending or firing.")
    messages_per_second: float | None = Field(description="Of late; null where nothing listens.")
    worker_backlog: int = Field(description="Messages that wait to be settled.")


@router.get("/stats")
def get_stats(context: Context) -> Stats:
    """What became of every item that was received."""
    with queries.snapshot(context.readers) as connection:
        counted = queries.stats(connection)
    status = context.status()
    return Stats(
        received=counted.counters.get("received", 0),
        stored=counted.counters.get("stored", 0),
        duplicate=counted.counters.get("duplicate", 0),
        quarantined=counted.counters.get("quarantined", 0) - counted.counters.get("released", 0),
        by_reason=_waiting(counted),
        outflow_points=counted.outflow_points,
        series=counted.series,
        open_alerts=sum(counted.open_alerts.values()),
        messages_per_second=status.messages_per_second,
        worker_backlog=status.worker_backlog,
    )


def by_reason(counted: Counted, what: str = "quarantined") -> dict[str, int]:
    """Items that were ever quarantined, or ever `released`, by reason."""
    return {
        name.removeprefix(f"{what}."): value
        for name, value in sorted(counted.counters.items())
        if name.startswith(f"{what}.")
    }


def _waiting(counted: Counted) -> dict[str, int]:
    """Items that are in the quarantine now, by reason: what was released is stored by now."""
    released = by_reason(counted, "released")
    return {reason: value - released.get(reason, 0) for reason, value in by_reason(counted).items()}
