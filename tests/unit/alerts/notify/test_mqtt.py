"""What signs and sirens are told: how a place stands, whoever raised it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from alerts.notify.mqtt import Mqtt, Place
from core.alerts import Reason, Severity, State
from core.notices import Channel, Notice
from tests.notices import TURBID, notice, parcel, told

OVER = told(state=State.RESOLVED, reason=Reason.BACK_IN_RANGE, value=12.0)
TOPIC = "andaman/v1/alerts/patong/turbid-water"


def published(what: Notice, beside: Mapping[str, Severity] | None = None) -> dict[str, Any]:
    """By topic."""
    gone: list[Mapping[str, bytes]] = []

    def fires(_: Place) -> Mapping[str, Severity]:
        return beside or {}

    channel = Mqtt(gone.append, fires, ZoneInfo("Asia/Bangkok"))
    asyncio.run(channel.send(parcel(Channel.MQTT, "alerts", what)))
    return {topic: json.loads(body) for messages in gone for topic, body in messages.items()}


def test_it_says_how_bad_it_is_where_and_what_a_sign_may_show() -> None:
    assert published(notice()) == {
        TOPIC: {
            "state": "firing",
            "severity": "warning",
            "alerts": 1,
            "site": "patong",
            "rule": "turbid-water",
            "at": "2026-11-22T08:04:00Z",
            "text": {
                "en": "Turbid water, Patong Beach",
                "th": "น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            },
            "value": 44.6,
            "limit": 25.0,
            "unit": "[NTU]",
        }
    }


def test_a_sign_clears_when_it_is_over() -> None:
    message = published(notice(OVER))[TOPIC]

    assert (message["state"], message["severity"], message["alerts"]) == ("resolved", "", 0)


def test_it_does_not_clear_while_another_device_there_sees_it() -> None:
    still = {TURBID.alert: Severity.WARNING, "another": Severity.CRITICAL}

    message = published(notice(OVER), still)[TOPIC]

    assert (message["state"], message["severity"], message["alerts"]) == ("firing", "critical", 1)


def test_each_place_has_its_own_topic() -> None:
    rain = told(alert="r", rule="rain", site="", subject="district/Kathu")

    assert set(published(notice(TURBID, rain))) == {TOPIC, "andaman/v1/alerts/-/rain"}


def test_a_test_message_turns_no_siren_on() -> None:
    assert published(replace(notice(), alerts=())) == {}
