"""ThingsBoard's gateway telemetry."""

import msgspec
import pytest

from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import Refused
from ingest.dialects.thingsboard import thingsboard
from tests.samples import RECEIVED_AT, incoming, items

AT = 1_483_228_800_000_000


def test_it_reads_many_devices_and_times() -> None:
    message = {
        "Device A": [
            {"ts": 1483228800000, "values": {"temperature": 42, "mode": "x"}},
            {"ts": 1483228801000, "values": {"temperature": "43.5 °C", "radio": {"rssi": -80}}},
        ],
        "Device B": [{"values": {"open": True}}],
        "Device C": [],
    }
    assert items(thingsboard, message) == [
        Reading("Device A", "temperature", AT, 42.0),
        Reading("Device A", "temperature", AT + 1_000_000, 43.5, "Cel"),
        Reading("Device A", "radio.rssi", AT + 1_000_000, -80.0),
        Reading("Device B", "open", RECEIVED_AT, 1.0, "{flag}"),
    ]


def test_reports_come_in_order_of_time() -> None:
    reports = [{"ts": 1483228801, "values": {"x": 2}}, {"ts": 1483228800, "values": {"x": 1}}]
    assert [i.value for i in items(thingsboard, {"a": reports}) if isinstance(i, Reading)] == [1, 2]


@pytest.mark.parametrize("ts", [1483228800, 1483228800000, 1483228800000000, 1483228800000000000])
def test_it_tells_the_scales_of_time_apart(ts: int) -> None:
    assert items(thingsboard, {"a": [{"ts": ts, "values": {"x": 1}}]}) == [
        Reading("a", "x", AT, 1.0)
    ]


@pytest.mark.parametrize("ts", [-1, 10**21, 10**300, 1e300])
def test_it_refuses_a_report_that_it_cannot_place_and_takes_the_next(ts: float) -> None:
    reports = [{"ts": ts, "values": {"x": 1, "y": 2}}, {"values": {"x": 3}}]
    refused, taken = items(thingsboard, {"a": reports})
    assert refused == Refused(Refusal.TIME_INVALID, "a: a number that is no time since 1970")
    assert taken == Reading("a", "x", RECEIVED_AT, 3.0)


@pytest.mark.parametrize(
    "message",
    [
        [{"ts": 1, "values": {}}],
        {"": [{"values": {"x": 1}}]},
        {"a": {"x": 1}},
        {"a": [{"x": 1}]},
        {"a": [{"ts": "1", "values": {}}]},
        {"a": [{"ts": True, "values": {}}]},
        {"a": [{"ts": 1, "values": [1]}]},
    ],
)
def test_it_refuses_another_shape(message: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        thingsboard(incoming(message))
