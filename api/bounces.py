"""`/v1/bounces`: mail servers' hooks tell which addresses are gone."""

from fastapi import APIRouter, Request
from pydantic import Field

from api.context import Context
from api.shapes import Answer, Asked, example
from api.subscribers import written
from api.wishes import Email
from storage import subscribers

router = APIRouter(tags=["Subscribers"])


class AskedBounce(Asked):
    """A mail that came back."""

    model_config = example({"address": "malee@example.com", "words": "550 5.1.1 User unknown"})

    address: Email
    words: str = Field(default="", max_length=500, description="What the mail server says.")


class Bounced(Answer):
    """What follows from it."""

    model_config = example({"marked": True})

    marked: bool = Field(description="Whether a subscriber was reached there until now.")


@router.post("/bounces")
async def take_bounce(context: Context, asked: AskedBounce, request: Request) -> Bounced:
    """Send no more mails to a subscriber's address, until they sign up again."""
    at, by = context.clock(), request.state.caller.key
    return Bounced(
        marked=await written(
            context,
            lambda ledger: subscribers.bounced(ledger, asked.address, asked.words, by=by, at=at),
        )
    )
