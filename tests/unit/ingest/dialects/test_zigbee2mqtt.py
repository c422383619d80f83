"""Zigbee2MQTT."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.times import iso
from ingest.dialects.zigbee2mqtt import zigbee2mqtt
from tests.samples import (
    RECEIVED_AT,
    devices,
    incoming,
    items,
    needs_samples,
    readings,
    sample,
    times,
)

TOPIC = "zigbee2mqtt/cellar leak"


def test_it_reads_numbers_that_are_texts_and_flags() -> None:
    message = {"battery": "100.00", "voltage": 3045, "water_leak": False, "action": ""}
    found = items(zigbee2mqtt, message, topic=TOPIC)
    assert readings(found) == {
        "battery": (100.0, None),
        "voltage": (3045.0, None),
        "water_leak": (0.0, "{flag}"),
    }
    assert devices(found) == {"cellar leak"}
    assert times(found) == {RECEIVED_AT}


@pytest.mark.parametrize(
    "last_seen",
    [
        pytest.param("2026-11-22T01:00:00.000Z", id="ISO_8601"),
        pytest.param("2026-11-22T08:00:00+07:00", id="ISO_8601_local"),
        pytest.param(1795309200000, id="epoch"),
    ],
)
def test_it_takes_the_time_when_the_device_was_last_seen(last_seen: object) -> None:
    found = items(zigbee2mqtt, {"battery": 90, "last_seen": last_seen}, topic=TOPIC)
    assert [iso(at) for at in times(found)] == ["2026-11-22T01:00:00Z"]
    assert list(readings(found)) == ["battery"]


@pytest.mark.parametrize("last_seen", [True, [], "yesterday", -1, "2026-11-22T01:00:00"])
def test_it_refuses_a_time_that_is_none(last_seen: object) -> None:
    with pytest.raises(DecodeError) as refused:
        zigbee2mqtt(incoming({"battery": 90, "last_seen": last_seen}, topic=TOPIC))
    assert refused.value.reason is Refusal.TIME_INVALID


def test_a_friendly_name_may_hold_slashes() -> None:
    assert devices(items(zigbee2mqtt, {"battery": 90}, topic="zigbee2mqtt/kata/bin/7")) == {
        "kata/bin/7"
    }


@pytest.mark.parametrize(
    "topic",
    [
        "zigbee2mqtt",
        "zigbee2mqtt/",
        "zigbee2mqtt/bridge/state",
        "zigbee2mqtt/x/availability",
        "zigbee2mqtt/x/set",
        "",
    ],
)
def test_it_refuses_topics_without_readings(topic: str) -> None:
    with pytest.raises(DecodeError) as refused:
        zigbee2mqtt(incoming({"state": "online"}, topic=topic))
    assert refused.value.reason is Refusal.UNKNOWN_TOPIC


@needs_samples
def test_it_reads_the_sample() -> None:
    message = sample("zigbee2mqtt_water_leak_2018")["message"]
    assert readings(items(zigbee2mqtt, message, topic=TOPIC)) == {
        "battery": (100.0, None),
        "voltage": (3045.0, None),
        "linkquality": (99.0, None),
        "water_leak": (0.0, "{flag}"),
    }
