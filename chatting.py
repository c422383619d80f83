"""The chat on LINE, as the composition root joins it."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx

from alerts.notify.line_api import LineApi, checked_url
from alerts.notify.line_chat import ChatDesk
from alerts.outbox import Write
from core.model import Action, Transition
from core.settings import Settings
from serving import keep

if TYPE_CHECKING:
    from app import System

HTTP_SECONDS = 10.0


async def start(
    stack: AsyncExitStack, system: "System", write: Write, clock: Callable[[], int]
) -> ChatDesk | None:
    """Answer users of LINE until the stack unwinds; None where LINE is not set up for that.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    settings = system.settings
    if not is_set_up(settings):
        return None

    async def act(action: Action) -> Transition | None:
        return await write(lambda _: system.by_people.act(action))

    http = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
    token = settings.line_token.get_secret_value()
    desk = ChatDesk(
        secret=settings.line_secret.get_secret_value(),
        api=LineApi(checked_url(settings.line_url), token, http),
        readers=system.readers,
        write=write,
        act=act,
        rules=system.rules.facts,
        zone=system.city.registry.zone,
        clock=clock,
    )
    await keep(stack, desk.run())
    return desk


def is_set_up(settings: Settings) -> bool:
    """Whether there is a channel to talk by."""
    return bool(settings.line_token.get_secret_value() and settings.line_secret.get_secret_value())
