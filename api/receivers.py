"""`/v1/receivers`: who is told of alerts, by the file, and a test of whether it reaches them."""

from fastapi import APIRouter, Request
from pydantic import Field

from alerts.planning import plain
from alerts.routing import Receiver
from api.context import ApiContext, Context, patiently
from api.deliveries import ChannelName, shown
from api.problems import ApiError
from api.shapes import Answer, Id, example
from core.notices import NoticeReason
from storage import notices
from storage.changes import note
from storage.ledger import Ledger

router = APIRouter(prefix="/receivers", tags=["Notifications"])

_ADDRESS = {"channel": "email", "address": "o…@example.org", "language": "en", "set_up": True}
_RECEIVER = {"name": "operations", "addresses": [_ADDRESS], "subscribers": False}


class Address(Answer):
    """One way to a receiver."""

    model_config = example(_ADDRESS)

    channel: ChannelName
    address: str = Field(description="Only as much of it as tells addresses apart.")
    language: str
    set_up: bool = Field(description="Whether the channel has what it needs; else nothing is sent.")


class ReceiverAnswer(Answer):
    """A name of notify.yaml, and whom it stands for."""

    model_config = example(_RECEIVER)

    name: str
    addresses: list[Address]
    subscribers: bool = Field(description="Whether it stands for all who subscribed as well.")


class Receivers(Answer):
    """All of them, in the order of the file."""

    model_config = example({"items": [_RECEIVER]})

    items: list[ReceiverAnswer]


class TestSent(Answer):
    """A message that says that it is a test is on its way."""

    model_config = example({"notice": "5f0c9a52-6d8e-4a57-9a56-0f9b1c2d3e4f", "deliveries": 2})

    notice: str = Field(description="/v1/deliveries?notice= shows what becomes of it.")
    deliveries: int


@router.get("")
def list_receivers(context: Context) -> Receivers:
    """Who is told of alerts."""
    telephone = context.telephone
    found = telephone.routes.receivers.values() if telephone else ()
    return Receivers(items=[_answer(context, receiver) for receiver in found])


@router.post("/{receiver}/test", status_code=202)
async def test_receiver(context: Context, request: Request, receiver: Id) -> TestSent:
    """Send a test to the addresses of a receiver; subscribers get none."""
    telephone, key = context.telephone, request.state.caller.key
    known = telephone.routes.receivers.get(receiver) if telephone else None
    if telephone is None or known is None:
        words = "There is no receiver of this name, or no channel is set up; see /v1/receivers."
        raise ApiError("not-found", words)
    at = context.clock()
    planned = plain(telephone, known, NoticeReason.TEST, at)
    if planned is None:
        words = "None of its addresses is of a channel that is set up; see /v1/receivers."
        raise ApiError("conflict", words)

    def keep(ledger: Ledger) -> None:
        with ledger.transaction() as connection:
            notices.keep(connection, planned)
            note(connection, at, key, "receiver-tested", receiver)

    await patiently(context, context.write(keep))
    context.wake()
    (notice,) = planned.notices
    count = sum(len(parcel.deliveries) for parcel in notice.parcels)
    return TestSent(notice=notice.notice.id, deliveries=count)


def _answer(context: ApiContext, receiver: Receiver) -> ReceiverAnswer:
    ready = context.telephone.channels if context.telephone else frozenset()
    return ReceiverAnswer.model_validate(
        {
            "name": receiver.name,
            "addresses": [
                {
                    "channel": channel.value,
                    "address": shown(channel, recipient.address),
                    "language": recipient.language,
                    "set_up": channel in ready,
                }
                for channel, recipient in receiver.addresses
            ],
            "subscribers": receiver.subscribers,
        }
    )
