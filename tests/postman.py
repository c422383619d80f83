"""A channel whose server is in the test's hand, and the outbox of a world on virtual time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from alerts.fallback import Fallback
from alerts.notify.table import ChannelEntry, Notifier
from alerts.outbox import Outbox
from core.alerts import State
from core.errors import DeliveryError
from core.notices import Channel, Parcel, Sent
from core.times import MINUTE
from storage.ledger import Ledger
from tests.world import World

Result = TypeVar("Result")

# notify.yaml for the world's two officers; bins are told at once, the rest waits.
NOTIFY = """
operations: office
receivers:
  - {name: officers, pace: 0, line: [{to: U1, language: th}, {to: U2, language: en}]}
  - {name: office, pace: 0, email: [{to: office@example.org, language: en}]}
  - {name: head, pace: 0, email: [{to: head@example.org, language: th}]}
route:
  receiver: officers
  group_by: [site]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - {matchers: ['severity="critical"'], group_wait: 0s, group_interval: 1m, repeat_interval: 1h}
"""


class Server:
    """What a real server would do: `answer` may raise DeliveryError; a parcel whose id it knows it
    has already.
    """

    def __init__(self) -> None:
        self.parcels: dict[str, Parcel] = {}
        self.tries: list[Parcel] = []
        self.answer: Callable[[Parcel], None] = lambda _: None

    async def send(self, parcel: Parcel) -> Sent:
        self.tries.append(parcel)
        self.answer(parcel)
        self.parcels.setdefault(parcel.id, parcel)
        return Sent(f"ref-{len(self.parcels)}")

    def said(self) -> list[tuple[str, str, str]]:
        """(address, reason, what) of each message for each recipient, in order."""
        return [
            (recipient.address, str(parcel.notice.reason), _summary(parcel))
            for parcel in self.parcels.values()
            for recipient in parcel.recipients
        ]


def refuse(error: DeliveryError) -> Callable[[Parcel], None]:
    """An answer that is always this."""

    def answer(_: Parcel) -> None:
        raise error

    return answer


def channels(**servers: Notifier) -> Mapping[Channel, ChannelEntry]:
    """The channels' table with these behind it."""
    return {Channel(name): _entry(server) for name, server in servers.items()}


def _entry(server: Notifier) -> ChannelEntry:
    return ChannelEntry(is_set_up=lambda _: True, make=lambda _: server)


class Post:
    """The outboxes of a world."""

    def __init__(self, world: World, **servers: Server) -> None:
        self.world = world
        self.servers = {Channel(name): server for name, server in servers.items()}
        self.outboxes = {
            name: Outbox(
                Channel(name),
                server,
                readers=world.system.readers,
                write=self._write,
                clock=world.clock,
                fallback=Fallback([Channel(name) for name in servers]),
            )
            for name, server in servers.items()
        }

    async def _write(self, change: Callable[[Ledger], Any]) -> Any:
        return change(self.world.system.ledger)

    def send(self) -> "Post":
        """All that is due now, and what that makes free."""

        async def send() -> None:
            for outbox in self.outboxes.values():
                while await outbox.run_once():
                    pass

        asyncio.run(send())
        return self

    def until(self, time: str, *, every: int = MINUTE) -> "Post":
        """Let time pass, sending on the way."""
        end = self.world.moment(time)
        while self.world.now < end:
            self.world.pass_to(min(self.world.now + every, end))
            self.send()
        return self


def _summary(parcel: Parcel) -> str:
    return " ".join(
        f"{told.rule}@{told.subject.partition('/')[0]}:{told.severity.label}"
        if told.state is State.FIRING
        else f"{told.rule}@{told.subject.partition('/')[0]}:over"
        for told in parcel.notice.alerts
    )
