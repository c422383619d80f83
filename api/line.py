"""`/line/webhook`: what users of LINE do, told by LINE."""

from fastapi import APIRouter, Request

from alerts.notify.line_chat import ForgedError
from api.context import Context, patiently
from api.problems import ApiError
from api.shapes import Answer, example

router = APIRouter(prefix="/line", tags=["LINE"])


class Noted(Answer):
    """It is kept and will be handled."""

    model_config = example({})


@router.post("/webhook")
async def line_webhook(context: Context, request: Request) -> Noted:
    """LINE calls this; each event is kept before it is answered. Others get nowhere: LINE signs."""
    if context.chat is None:
        raise ApiError("not-found", "LINE is not set up: ANDAMAN_LINE_TOKEN and _SECRET are due.")
    signature = request.headers.get("x-line-signature", "")
    try:
        await patiently(context, context.chat.take(await request.body(), signature))
    except ForgedError:
        raise ApiError("no-key", "The signature is not LINE's.") from None
    return Noted()
