"""Notices by LINE: pushed to one, multicast to many."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from alerts.notify.line_api import LineApi, checked_url, is_address
from alerts.notify.line_flex import Buttons, message
from alerts.speaking import Speaker
from core.errors import Blame, DeliveryError
from core.notices import Parcel, Sent
from core.settings import Settings
from storage import subscribers

if TYPE_CHECKING:
    from alerts.notify.table import Means


class Line:
    """Sends what `write` makes of a parcel; its id is the key by which LINE takes it once."""

    def __init__(self, api: LineApi, write: Callable[[Parcel], Mapping[str, Any]]) -> None:
        self._api = api
        self._write = write

    async def send(self, parcel: Parcel) -> Sent:
        """Hand the message over.

        Raises:
            DeliveryError: LINE has not said that it took it.
        """
        addresses = [recipient.address for recipient in parcel.recipients]
        if not all(map(is_address, addresses)):
            raise DeliveryError("that is no id of a user, group or room of LINE", Blame.ADDRESS)
        message = await asyncio.to_thread(self._write, parcel)
        return Sent(await self._api.send(addresses, [message], parcel.id))


def is_set_up(settings: Settings) -> bool:
    """Whether there is a channel to send by."""
    return bool(settings.line_token.get_secret_value())


def notifier(means: "Means") -> Line:
    """What sends by LINE.

    Raises:
        ConfigError: a setting that cannot be used.
    """
    settings = means.settings
    url, token = checked_url(settings.line_url), settings.line_token.get_secret_value()
    api = LineApi(url, token, means.http)

    def write(parcel: Parcel) -> dict[str, Any]:
        with means.readers.connect() as connection:
            officers = subscribers.officers(connection)
        return written(parcel, means.zone, settings.public_url, officers)

    return Line(api, write)


def written(
    parcel: Parcel, zone: ZoneInfo, public_url: str, officers: Collection[str] = ()
) -> dict[str, Any]:
    """The message, with the buttons that are for all of its recipients: officers, and whoever
    notify.yaml names, act on alerts; subscribers may ask for quiet.
    """
    notice, subscribed = parcel.notice, [r.subscriber for r in parcel.recipients if r.subscriber]
    buttons = Buttons(
        page=f"{public_url.rstrip('/')}/n/{notice.token}" if public_url and notice.token else "",
        acknowledge=all(identifier in officers for identifier in subscribed),
        mute=len(subscribed) == len(parcel.recipients),
    )
    return message(notice, Speaker(parcel.language, zone), buttons)
