"""`/v1/keys`: an administrator makes, lists and revokes API keys."""

import logging
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import new_key
from api.context import Context, patiently
from api.problems import ApiError
from api.shapes import Answer, Asked, AskedPage, Id, Page, Time, cut, example, position_of
from core.access import Role
from core.times import iso
from storage import queries

log = logging.getLogger(__name__)

router = APIRouter(tags=["Keys"])

RoleName = Literal["viewer", "officer", "admin", "gateway"]
_KEY = {
    "id": "k3x9a2mq",
    "role": "viewer",
    "owner": "Grafana",
    "created_at": "2026-11-22T01:00:00Z",
    "revoked_at": None,
}


class Key(Answer):
    """A key, without its secret."""

    model_config = example(_KEY)

    id: str
    role: RoleName
    owner: str = Field(description="Who uses it.")
    created_at: Time
    revoked_at: Time | None


class Keys(Page[Key]):
    """Keys in the order in which they were made."""


class CreatedKey(Key):
    """A new key with its secret, which is shown this once."""

    model_config = example(_KEY | {"key": "andaman_k3x9a2mq_(43 letters, shown once)"})

    key: str = Field(description="Send it as Authorization: Bearer KEY.")


class AskedKey(Asked):
    """The key to make."""

    model_config = example({"role": "viewer", "owner": "Grafana"})

    role: RoleName
    owner: str = Field(min_length=1, max_length=100, description="Who will use it.")


@router.get("/keys")
def list_keys(context: Context, asked: Annotated[AskedPage, Query()]) -> Keys:
    """All keys, those that were revoked too."""
    position = position_of(asked.cursor, int, str) or (-1, "")
    with queries.snapshot(context.readers) as connection:
        found = queries.keys(connection, after=(position[0], position[1]), limit=asked.limit + 1)
    rows, following = cut(found, asked.limit, lambda row: (row.created_at, row.id))
    items = [
        Key(
            id=row.id,
            role=row.role.value,
            owner=row.owner,
            created_at=iso(row.created_at),
            revoked_at=None if row.revoked_at is None else iso(row.revoked_at),
        )
        for row in rows
    ]
    return Keys(items=items, next=following)


@router.post("/keys", status_code=201)
async def create_key(context: Context, asked: AskedKey, request: Request) -> CreatedKey:
    """Make a key; its secret is in this answer and nowhere else."""
    made, now = new_key(), context.clock()
    role, by = Role(asked.role), request.state.caller.key
    change = context.write(
        lambda ledger: ledger.add_key(made.id, made.hash, role, asked.owner, now, by=by)
    )
    await patiently(context, change)
    log.info("key %s (%s) made by %s", made.id, asked.role, by)
    return CreatedKey(
        id=made.id,
        role=asked.role,
        owner=asked.owner,
        created_at=iso(now),
        revoked_at=None,
        key=made.text,
    )


@router.delete("/keys/{key}", status_code=204)
async def revoke_key(context: Context, key: Id, request: Request) -> None:
    """End a key; requests with it are refused from then on."""
    now, by = context.clock(), request.state.caller.key
    if not await patiently(
        context, context.write(lambda ledger: ledger.revoke_key(key, now, by=by))
    ):
        raise ApiError("not-found", "There is no key in force with this id; /v1/keys lists them.")
    log.info("key %s revoked by %s", key, by)
