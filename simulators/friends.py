"""People who hear of the simulated city by LINE: what they choose, and what they are told."""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from simulators.stand_ins.line_platform import Platform


class Friend(NamedTuple):
    """Somebody with an account in LINE, and what they write to us one after the other."""

    name: str
    user: str
    writes: Sequence[str]


FRIENDS = (
    Friend("Malee", "U" + "a1" * 16, ("ไทย", "หาดป่าตอง", "สถานีตรวจวัดอากาศเมืองภูเก็ต")),
    Friend("Nok", "U" + "b2" * 16, ("English", "Everything")),
)


class Told(NamedTuple):
    """What somebody's screen showed, at a moment on this machine's clock."""

    at: str
    name: str
    text: str


def platform() -> Platform:
    """LINE without a month's end, with secrets of its own."""
    return Platform(token=secrets.token_hex(16), secret=secrets.token_hex(16), clock=time.time)


async def join(line: Platform, api_url: str) -> None:
    """All of them add us as a friend and choose.

    Raises:
        httpx.HTTPError: the webhook is not there.
    """
    async with httpx.AsyncClient(base_url=api_url, timeout=10) as client:
        for friend in FRIENDS:
            events = [line.follow(friend.user)]
            events += [line.write(friend.user, text) for text in friend.writes]
            body, headers = line.signed(*events)
            answer = await client.post("/line/webhook", content=body, headers=headers)
            answer.raise_for_status()


def told(line: Platform) -> list[Told]:
    """What all of them were told of alerts, the oldest first."""
    names = {friend.user: friend.name for friend in FRIENDS}
    return [
        Told(time.strftime("%H:%M:%S", time.localtime(each.at)), names[each.to], _shown(message))
        for each in list(line.received)
        for message in each.messages
        if each.how != "reply" and each.to in names
    ]


def _shown(message: Mapping[str, Any]) -> str:
    text: str = message.get("altText") or message.get("text") or ""
    return text.partition("\n")[0]
