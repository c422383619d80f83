"""LINE beside the sending, as the composition root joins it: the chat, and how the month stands."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import httpx

from alerts.notify import line
from alerts.notify.line_api import LineApi, checked_url
from alerts.notify.line_chat import ChatDesk
from alerts.outbox import Write
from core.alerts import Action, Transition
from core.errors import DeliveryError, StorageError
from core.notices import LineMonth
from serving import keep
from storage import line_quota
from storage.ledger import Ledger

if TYPE_CHECKING:
    from app import System

log = logging.getLogger(__name__)

HTTP_SECONDS = 10.0
MONTH_SECONDS = 60.0


async def _ask_month(api: LineApi, write: Write, clock: Callable[[], int]) -> None:
    while True:
        try:
            usage = await api.usage()
            month = LineMonth(limit=usage.limit, used=usage.used, at=clock())
            await write(partial(_keep_month, month=month))
        except (DeliveryError, StorageError) as error:
            log.debug("LINE did not say how the month stands: %s", error)
        await asyncio.sleep(MONTH_SECONDS)


def _keep_month(ledger: Ledger, month: LineMonth) -> None:
    with ledger.transaction() as connection:
        line_quota.keep(connection, month)


async def start(
    stack: AsyncExitStack, system: "System", write: Write, clock: Callable[[], int]
) -> ChatDesk | None:
    """Ask LINE how the month stands and answer its users, until the stack unwinds; None where LINE
    is not set up for that.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    settings = system.settings
    if not line.is_set_up(settings):
        return None
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
    token = settings.line_token.get_secret_value()
    api = LineApi(checked_url(settings.line_url), token, http)
    await keep(stack, _ask_month(api, write, clock))
    secret = settings.line_secret.get_secret_value()
    if not secret:
        return None

    async def act(action: Action) -> Transition | None:
        return await write(lambda _: system.by_people.act(action))

    desk = ChatDesk(
        secret=secret,
        api=api,
        readers=system.readers,
        write=write,
        act=act,
        rules=system.rules.facts,
        zone=system.city.registry.zone,
        clock=clock,
    )
    await keep(stack, desk.run())
    return desk
