"""`/v1/gateways`, the changing side: an administrator makes gateways and ends their credentials."""

import logging
import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field, field_validator

from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.shapes import Answer, Asked, example
from core.errors import BrokerError
from core.registry import GATEWAY_PATTERN, Gateway
from storage import credentials
from storage.credentials import credential_of, new_secret

log = logging.getLogger(__name__)

router = APIRouter(tags=["Places and devices"])

GatewayId = Annotated[str, Path(pattern=GATEWAY_PATTERN)]


class AskedName(Asked):
    """A name in the two languages of the public."""

    en: str = Field(min_length=1, max_length=100)
    th: str = Field(min_length=1, max_length=100)


class AskedGateway(Asked):
    """The gateway to make."""

    model_config = example({"id": "gw-kata", "name": {"en": "Kata", "th": "กะตะ"}})

    id: str = Field(description="Letters, digits, _ and -: it is a topic level and a user.")
    name: AskedName

    @field_validator("id")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(GATEWAY_PATTERN, value):
            raise ValueError(
                "should be up to 64 letters, digits, _ and -, without dot or colon: "
                "it is a level of a topic"
            )
        return value


class IssuedSecret(Answer):
    """A gateway's new secret, which is shown this once."""

    model_config = example(
        {"id": "gw-kata", "secret": "(64 hexadecimal digits, shown once)", "note": None}
    )

    id: str = Field(description="Its user name at the broker; take it as the client id as well.")
    secret: str = Field(description="Its password at the broker.")
    note: str | None = Field(description="What is left to do by hand; null: nothing.")


class Ended(Answer):
    """What a revocation ended."""

    model_config = example({"id": "gw-kata", "credential": True, "keys": 1, "note": None})

    id: str
    credential: bool = Field(description="Whether it had a credential at the broker.")
    keys: int = Field(description="How many API keys it had for pushing over HTTP.")
    note: str | None = Field(description="What is left to do by hand; null: nothing.")


@router.post("/gateways", status_code=201)
async def create_gateway(context: Context, asked: AskedGateway, request: Request) -> IssuedSecret:
    """Make a gateway that no file names; its secret is in this answer and nowhere else."""
    if asked.id in context.reserved:
        raise bad_parameter("id", "is Andaman's own user at the broker; take another one")
    gateway = Gateway(id=asked.id, name={"en": asked.name.en, "th": asked.name.th})
    secret, now, by = new_secret(), context.clock(), request.state.caller.key
    made = credential_of(gateway.id, secret)
    if not await patiently(
        context, context.write(lambda ledger: credentials.create(ledger, gateway, made, now, by=by))
    ):
        words = f"There is a gateway {asked.id} already; rotate it for a new secret."
        raise ApiError("conflict", words, field="id")
    log.info("gateway %s made by %s", gateway.id, by)
    return await _issued(context, gateway.id, secret)


@router.post("/gateways/{gateway}/rotate")
async def rotate_gateway(context: Context, gateway: GatewayId, request: Request) -> IssuedSecret:
    """Give a gateway a new secret; the old one ends at once."""
    secret, now, by = new_secret(), context.clock(), request.state.caller.key
    made = credential_of(gateway, secret)
    if not await patiently(
        context, context.write(lambda ledger: credentials.rotate(ledger, made, now, by=by))
    ):
        raise _unknown(gateway)
    log.info("gateway %s rotated by %s", gateway, by)
    return await _issued(context, gateway, secret)


@router.post("/gateways/{gateway}/revoke")
async def revoke_gateway(context: Context, gateway: GatewayId, request: Request) -> Ended:
    """End a gateway's credential and its API keys; `rotate` lets it in again."""
    now, by = context.clock(), request.state.caller.key
    ended = await patiently(
        context, context.write(lambda ledger: credentials.revoke(ledger, gateway, now, by=by))
    )
    if ended is None:
        raise _unknown(gateway)
    if not ended.credential and not ended.keys:
        raise ApiError("conflict", f"Gateway {gateway} has nothing in force; it is out already.")
    log.info("gateway %s revoked by %s", gateway, by)
    note = await _tell(context, "Until then the gateway can still connect.")
    return Ended(id=gateway, credential=ended.credential, keys=ended.keys, note=note)


async def _issued(context: ApiContext, gateway: str, secret: str) -> IssuedSecret:
    note = await _tell(context, "Rotate the gateway then for a secret that you can see.")
    return IssuedSecret(id=gateway, secret=secret, note=note)


async def _tell(context: ApiContext, consequence: str) -> str | None:
    """Have the broker follow; what is left to do by hand.

    Raises:
        ApiError: it could not be told.
    """
    try:
        return await context.admit() or None
    except BrokerError as error:
        words = f"It is stored, but the broker does not know it yet: {error}. Correct that; "
        words += f"Andaman tries again each second. {consequence}"
        raise ApiError("unavailable", words) from error


def _unknown(gateway: str) -> ApiError:
    return ApiError("not-found", f"There is no gateway {gateway}; /v1/gateways lists them.")
