"""The channels by which people are reached, and what each needs.

A notifier makes one try and says how it went; when to try, and when to give up, is the business of
`alerts.outbox`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import Engine

from alerts.notify import email, line, mqtt, webhook
from alerts.notify.mqtt import Publish
from alerts.routing import Routes
from core.links import Links
from core.notices import Channel, Parcel, Sent
from core.settings import Settings


class Notifier(Protocol):
    """Sends parcels of one channel."""

    async def send(self, parcel: Parcel) -> Sent:
        """Hand the parcel to the server, once; many may be under way at the same time.

        Raises:
            DeliveryError: the server did not take it, or it is not known whether it did.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What notifiers are made of. `guarded` is for addresses that others chose, `publish` for the
    broker; `links` are those that are sent to people; `readers` are asked what the ledger knows;
    `zone` is the city's.
    """

    settings: Settings
    routes: Routes
    zone: ZoneInfo
    http: httpx.AsyncClient
    guarded: httpx.AsyncClient
    publish: Publish
    links: Links
    readers: Engine
    clock: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEntry:
    """A channel: whether it is set up, and its notifier."""

    is_set_up: Callable[[Settings], bool]
    make: Callable[[Means], Notifier]


# One line for each channel, in the order of the alphabet.
NOTIFIERS: Mapping[Channel, ChannelEntry] = MappingProxyType(
    {
        Channel.EMAIL: ChannelEntry(is_set_up=email.is_set_up, make=email.notifier),
        Channel.LINE: ChannelEntry(is_set_up=line.is_set_up, make=line.notifier),
        Channel.MQTT: ChannelEntry(is_set_up=mqtt.is_set_up, make=mqtt.notifier),
        Channel.WEBHOOK: ChannelEntry(is_set_up=webhook.is_set_up, make=webhook.notifier),
    }
)
