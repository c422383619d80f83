"""`/v1/readings`: a gateway pushes a message over HTTP, in any dialect.

The message goes the way of one that came over MQTT and is answered after the commit: what is
refused is quarantined, and the same again is a duplicate.
"""

import math
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import Caller, Standing
from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.shapes import Answer, Asked, example
from core.messages import Settled
from core.registry import GATEWAY_PATTERN, ID_PATTERN
from core.times import SECOND

router = APIRouter(tags=["Readings"])

PAYLOAD_LIMIT = 65_536
_GZIP = 31  # zlib's window bits for a gzip stream
_BODY = {"application/json": {"schema": {"type": "object", "examples": [
    {"device": "patong-probe-1", "time": "2026-11-22T08:00:00+07:00", "values": {"ph": 8.11}}
]}}}  # fmt: skip


class RefusedItem(Answer):
    """One item that was quarantined."""

    model_config = example(
        {"index": 1, "reason": "unknown-parameter", "detail": "acidity of patong-probe-1 is new"}
    )

    index: int | None = Field(
        description="Its place among the message's values in order of time, from 0; null when the "
        "message could not be read at all."
    )
    reason: str
    detail: str


class Outcome(Answer):
    """What became of the items of a message; all of it is on disk."""

    model_config = example({"stored": 1, "duplicate": 0, "quarantined": []})

    stored: int
    duplicate: int
    quarantined: list[RefusedItem]


class AskedPush(Asked):
    """How the body is to be read."""

    dialect: str = Field("native", description="The body's dialect.", max_length=40)
    gateway: str | None = Field(
        None, pattern=GATEWAY_PATTERN, description="The gateway that an administrator pushes for."
    )
    topic: str = Field(
        "",
        max_length=256,
        description="The MQTT topic, for dialects that name the device there.",
    )


@router.post("/readings", openapi_extra={"requestBody": {"required": True, "content": _BODY}})
async def push_readings(
    context: Context, asked: Annotated[AskedPush, Query()], request: Request
) -> Outcome:
    """Take one message of a gateway; 200 also when all of it is quarantined."""
    gateway = _gateway(request.state.caller, asked.gateway)
    wait = context.throttle(gateway).wait
    if wait:
        retry = {"Retry-After": str(math.ceil(wait / SECOND))}
        words = f"{gateway} sends faster than it may; send this again after Retry-After."
        raise ApiError("too-many", words, headers=retry)
    topic = _topic(context, gateway, asked, request.headers.get("x-sensor", ""))
    payload = await _payload(request)
    return outcome_of(await patiently(context, context.push(topic, payload)))


def outcome_of(settled: Settled) -> Outcome:
    """The answer about one message that was settled."""
    refused = sorted(settled.refused, key=lambda r: (r.item is not None, r.item or 0))
    return Outcome(
        stored=settled.stored,
        duplicate=settled.duplicate,
        quarantined=[
            RefusedItem(index=r.item, reason=r.reason.value, detail=r.detail) for r in refused
        ],
    )


def _gateway(caller: Caller, asked: str | None) -> str:
    """The gateway that the message counts for."""
    if caller.standing is Standing.ADMIN:
        if asked is None:
            raise bad_parameter("gateway", "is missing; name the gateway that you push for")
        return asked
    if not re.fullmatch(GATEWAY_PATTERN, caller.owner):
        words = "The owner of this key is no gateway's id; ask for a key whose owner is."
        raise ApiError("not-allowed", words)
    if asked not in {None, caller.owner}:
        raise ApiError("not-allowed", "This key pushes for its own gateway; leave gateway out.")
    return caller.owner


def _topic(context: ApiContext, gateway: str, asked: AskedPush, sensor: str) -> bytes:
    """Where the pipeline finds dialect, gateway and whatever else it has to know."""
    if asked.dialect not in context.dialects:
        raise bad_parameter("dialect", f"should be one of {', '.join(sorted(context.dialects))}")
    about = asked.topic
    if asked.dialect == "sensor-community":
        about = sensor
        if sensor and not re.fullmatch(ID_PATTERN, sensor):
            raise bad_parameter("X-Sensor", f"should match {ID_PATTERN}")
    return "/".join(filter(None, ("$http", gateway, asked.dialect, about))).encode()


async def _payload(request: Request) -> bytes:
    """The body, unpacked; never more than `PAYLOAD_LIMIT` of it is held."""
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            chunks: AsyncIterable[bytes] = request.stream()
        case "gzip" | "x-gzip":
            chunks = _unpacked(request.stream())
        case _:
            raise bad_parameter("Content-Encoding", "should be gzip, or left out")
    payload = bytearray()
    async for chunk in chunks:
        payload += chunk
        if len(payload) > PAYLOAD_LIMIT:
            raise ApiError("too-large", "Send at most 64 KiB in one message, unpacked.")
    return bytes(payload)


async def _unpacked(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The stream without gzip, in pieces that are small whatever they were packed from."""
    packed = zlib.decompressobj(_GZIP)
    try:
        async for chunk in chunks:
            rest = chunk
            while rest and not packed.eof:
                yield packed.decompress(rest, PAYLOAD_LIMIT + 1)
                rest = packed.unconsumed_tail
        yield packed.flush()
    except zlib.error as error:
        raise bad_parameter("body", "is no gzip; correct it or its Content-Encoding") from error
    if not packed.eof or packed.unused_data:
        raise bad_parameter("body", "is not one whole gzip stream; send it again")
