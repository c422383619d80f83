"""Alerts by MQTT, for signs and sirens: what stands now, for each site and rule, retained.

A topic says how its site stands by its rule, whoever of the devices there raised it. So what is
sent is put together when it is sent: from the notice, and from the alerts beside it that fire and
that this channel has told of.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from alerts.notify import words
from alerts.speaking import Speaker
from core.alerts import Severity, State
from core.languages import LANGUAGES
from core.notices import Channel, Parcel, Sent, Told
from core.settings import Settings
from core.times import iso
from storage.notices import told_to_fire

if TYPE_CHECKING:
    from alerts.notify.table import Means

Place: TypeAlias = tuple[str, str]  # site and rule
Publish: TypeAlias = Callable[[Mapping[str, bytes]], None]
"""Sends retained messages, by topic, and returns when the broker has them all; raises
DeliveryError. It blocks.
"""
Beside: TypeAlias = Callable[[Place], Mapping[str, Severity]]
"""What fires at a place, and people were told so by MQTT, by alert."""

_NOWHERE = "-"  # the site of an alert that has none


class Mqtt:
    """Publishes what stands at the places that a notice tells of."""

    def __init__(self, publish: Publish, beside: Beside, zone: ZoneInfo) -> None:
        self._publish = publish
        self._beside = beside
        self._zone = zone

    async def send(self, parcel: Parcel) -> Sent:
        """Hand it to the broker.

        Raises:
            DeliveryError: the broker has not said that it took it.
        """
        await asyncio.to_thread(self._send, parcel.notice.alerts)
        return Sent()

    def _send(self, alerts: Sequence[Told]) -> None:
        places: dict[Place, list[Told]] = {}
        for told in words.worst_first(alerts):
            places.setdefault((told.site, told.rule), []).append(told)
        messages = {
            topic(place): state(found, self._beside(place), self._zone)
            for place, found in places.items()
        }
        if messages:
            self._publish(messages)


def is_set_up(settings: Settings) -> bool:  # noqa: ARG001
    """There is always a broker."""
    return True


def notifier(means: "Means") -> Mqtt:
    """What publishes."""

    def beside(place: Place) -> Mapping[str, Severity]:
        with means.readers.connect() as connection:
            return told_to_fire(connection, Channel.MQTT, *place)

    return Mqtt(means.publish, beside, means.zone)


def topic(place: Place) -> str:
    """Where signs find it.

    >>> topic(("patong", "turbid-water")), topic(("", "rain"))
    ('andaman/v1/alerts/patong/turbid-water', 'andaman/v1/alerts/-/rain')
    """
    site, rule = place
    return f"andaman/v1/alerts/{site or _NOWHERE}/{rule}"


def state(told: Sequence[Told], beside: Mapping[str, Severity], zone: ZoneInfo) -> bytes:
    """How a place stands: `told` is what is new there, the worst first; `beside` all that fires,
    these among it or not.
    """
    known = {one.alert for one in told}
    firing = {one.alert: one.severity for one in told if one.state is State.FIRING}
    firing |= {alert: severity for alert, severity in beside.items() if alert not in known}
    first = told[0]
    message: dict[str, Any] = {
        "state": "firing" if firing else "resolved",
        "severity": max(firing.values()).label if firing else "",
        "alerts": len(firing),
        "site": first.site,
        "rule": first.rule,
        "at": iso(max(one.at for one in told)),
        "text": {language: _text(first, Speaker(language, zone)) for language in LANGUAGES},
    }
    if first.state is State.FIRING:
        message |= {"value": first.value, "limit": first.level, "unit": first.unit}
    return json.dumps(message, ensure_ascii=False).encode()


def _text(told: Told, speaker: Speaker) -> str:
    """What a sign may show."""
    return words.what(told, speaker)
