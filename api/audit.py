"""`/v1/audit`: what was changed by hand, and by whom."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.context import Context
from api.shapes import Answer, AskedPage, Page, Time, cut, example, position_of
from core.times import iso
from storage import audit, queries

router = APIRouter(tags=["Keys"])


class Line(Answer):
    """One change."""

    model_config = example(
        {
            "id": 41,
            "at": "2026-11-22T01:00:00Z",
            "key": "k3x9a2mq",
            "owner": "Nok",
            "action": "quarantine-discarded",
            "subject": "1207",
            "detail": "test message",
        }
    )

    id: int
    at: Time
    key: str = Field(description="Id of the key; local is the command line on the machine.")
    owner: str | None = Field(description="Whose key it is; null for the command line.")
    action: str = Field(description="key-made, flag-put, quarantine-stored and the like.")
    subject: str = Field(description="What was changed: the id of a key, a flag or an entry.")
    detail: str


class Lines(Page[Line]):
    """Changes, the newest first."""


@router.get("/audit")
def list_audit(context: Context, asked: Annotated[AskedPage, Query()]) -> Lines:
    """Who changed what by hand."""
    (before,) = position_of(asked.cursor, int) or (None,)
    with queries.snapshot(context.readers) as connection:
        found = audit.lines(connection, before=before, limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.id,))
    items = [
        Line(
            id=row.id,
            at=iso(row.at),
            key=row.key,
            owner=row.owner,
            action=row.action,
            subject=row.subject,
            detail=row.detail,
        )
        for row in rows
    ]
    return Lines(items=items, next=following)
