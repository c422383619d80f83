"""Scripted days through the production wiring, on virtual time."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.times import DAY, MINUTE
from ingest.quality.table import objections
from tests.world import MIDNIGHT, World, small_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


def test_it_fires_at_once_and_resolves_when_the_bin_is_emptied(world: World) -> None:
    world.at("00:05").publish("bin-1", fill_level=85.0)
    assert world.transitions() == [("bin-full", "firing", "first-breach")]
    world.at("00:10").publish("bin-1", fill_level=12.0)
    assert world.transitions()[1:] == [("bin-full", "resolved", "back-in-range")]


def test_it_fires_by_the_clock_when_haze_holds_and_nothing_more_comes(world: World) -> None:
    world.at("00:05").publish("air-1", pm25=60.0)
    world.at("00:10:09")
    assert world.transitions() == [("haze", "pending", "first-breach")]
    world.at("00:10:12")
    assert world.transitions()[1:] == [("haze", "firing", "held")]


def test_no_timer_runs_while_the_broker_cannot_be_heard(world: World) -> None:
    world.at("00:05").publish("air-1", pm25=60.0)
    world.system.pipeline.disconnected()
    world.at("00:14")
    world.system.pipeline.connected(world.now)
    world.at("00:18").publish("air-1", measured=MIDNIGHT + 6 * MINUTE, pm25=10.0)
    assert world.transitions() == [
        ("haze", "pending", "first-breach"),
        ("haze", "resolved", "not-held"),
    ]


def test_an_episode_survives_a_restart(world: World) -> None:
    world.at("00:05").publish("air-1", pm25=60.0)
    world.at("00:07").restart().at("00:08").publish("air-1", pm25=61.0)
    world.at("00:11").publish("air-1", pm25=62.0)
    world.restart().at("00:12").publish("air-1", pm25=20.0)
    world.at("00:18").publish("air-1", pm25=20.0)
    assert [after for _, after, _ in world.transitions()] == ["pending", "firing", "resolved"]
    assert len({row[0] for row in world.rows("SELECT alert FROM transitions")}) == 1


def test_every_item_ends_stored_duplicate_or_quarantined(world: World) -> None:
    world.at("01:00").publish("bin-1", fill_level=10.0, battery_level=90.0)
    at = world.now - 1
    world.publish("bin-1", measured=at, fill_level=10.0, battery_level=90.0)
    world.publish("bin-1", measured=at, fill_level=11.0)
    world.publish("bin-2", fill_level=10.0)
    world.publish("nobody", fill_level=10.0)
    world.publish("bin-1", colour=1.0, tilt=3.0)
    world.publish("bin-1", measured=world.now - 31 * DAY, fill_level=10.0)
    world.publish("bin-1", measured=world.now + 6 * MINUTE, fill_level=10.0)
    world.send(b"not json").send(b"", retain=True).send(b"{}")
    assert world.counters() == {"received": 14, "stored": 3, "duplicate": 2, "quarantined": 9}
    reasons = dict(world.rows("SELECT reason, SUM(items) FROM quarantine GROUP BY reason"))
    assert reasons == {
        "conflict": 1,
        "wrong-gateway": 1,
        "unknown-device": 1,
        "unknown-parameter": 1,
        "time-too-old": 1,
        "time-in-future": 1,
        "not-json": 1,
        "retained": 1,
        "wrong-shape": 1,
    }


def test_quarantine_keeps_the_raw_bytes(world: World) -> None:
    world.send(b'{"device": \xff')
    assert world.rows("SELECT payload FROM quarantine") == [(b'{"device": \xff',)]


def test_latest_is_the_newest_by_event_time(world: World) -> None:
    world.at("02:00").publish("bin-1", fill_level=30.0)
    world.publish("bin-1", measured=MIDNIGHT, fill_level=20.0)
    assert world.rows("SELECT value FROM latest") == [(30.0,)]
    assert world.counters()["stored"] == 2


def test_a_late_breach_within_the_bound_is_told_and_ended_by_the_newest_reading(
    world: World,
) -> None:
    world.at("02:00").publish("bin-1", fill_level=10.0)
    world.publish("bin-1", measured=world.now - 5 * MINUTE, fill_level=99.0)
    assert world.transitions() == [
        ("bin-full", "firing", "first-breach"),
        ("bin-full", "resolved", "back-in-range"),
    ]


def test_a_breach_later_than_the_bound_is_stored_and_tells_nobody(world: World) -> None:
    world.at("02:00").publish("bin-1", fill_level=10.0)
    world.publish("bin-1", measured=world.now - 20 * MINUTE, fill_level=99.0)
    assert world.transitions() == []
    assert world.counters()["stored"] == 2


def test_a_buffer_that_comes_hours_later_is_stored_and_tells_nobody(world: World) -> None:
    world.at("03:00")
    for minute in range(0, 60, 10):
        world.publish("bin-1", measured=MIDNIGHT + minute * MINUTE, fill_level=99.0)
    assert world.transitions() == []
    assert world.counters()["stored"] == 6


def test_a_reading_beyond_the_sensors_span_is_kept_flagged_and_raises_nothing(world: World) -> None:
    world.at("00:05").publish("bin-1", fill_level=250.0)
    ((value, flag, tests),) = world.rows("SELECT value, flag, tests FROM readings")
    assert (value, flag, objections(tests)) == (250.0, 4, {"gross_range": "fail"})
    assert world.transitions() == []


def test_an_edited_rule_ends_its_alert_once(world: World, tmp_path: Path) -> None:
    world.at("00:05").publish("bin-1", fill_level=85.0)
    rules = tmp_path / "config" / "rules" / "rules.yaml"
    rules.write_text(rules.read_text().replace("warning: 80", "warning: 82"))
    world.restart().at("00:06").restart().at("00:07")
    assert world.transitions()[1:] == [("bin-full", "resolved", "rule-changed")]
    world.publish("bin-1", fill_level=85.0)
    assert world.transitions()[2:] == [("bin-full", "firing", "first-breach")]


def counted(seq: int, **values: float) -> bytes:
    body = {"epoch": "b7", "seq": seq, "device": "bin-1", "values": values}
    return json.dumps(body).encode()


def test_a_gap_in_a_gateways_numbers_is_told_within_a_minute_and_ends_when_it_is_filled(
    world: World,
) -> None:
    world.at("00:01").send(counted(1, tilt=1.0)).send(counted(3, tilt=2.0))
    assert world.at("00:01:20").transitions() == []
    assert world.at("00:02").transitions() == [("gateway-gap", "firing", "first-breach")]
    world.restart().at("00:03").send(counted(2, tilt=3.0)).at("00:04")
    assert world.transitions()[1:] == [("gateway-gap", "resolved", "back-in-range")]


def test_a_gap_that_is_never_filled_is_written_off_and_told_to_the_gateway(world: World) -> None:
    world.at("00:01").send(counted(1, tilt=1.0)).send(counted(3, tilt=2.0))
    world.system.pipeline.receipts.due(world.now)
    world.at("00:12")
    ((_, payload),) = world.system.pipeline.receipts.due(world.now)
    assert json.loads(payload)["rejected"] == [{"seq": 2, "reason": "missing"}]
    assert world.rows("SELECT through, lost FROM progress") == [(3, 1)]
    assert world.transitions()[-1] == ("gateway-gap", "resolved", "back-in-range")


def test_a_counter_goes_on_after_a_restart(world: World) -> None:
    world.at("00:01").send(counted(1, tilt=1.0)).send(counted(2, tilt=2.0))
    world.restart().send(counted(3, tilt=3.0))
    assert world.rows("SELECT epoch, through FROM progress") == [("b7", 3)]


def test_a_message_that_was_refused_is_in_the_receipt_with_its_reason(world: World) -> None:
    world.at("00:01").send(counted(1, colour=1.0))
    ((topic, payload),) = world.system.pipeline.receipts.due(world.now)
    assert topic == "andaman/v1/gw/down/receipt"
    assert json.loads(payload) == {
        "epoch": "b7",
        "through": 1,
        "rejected": [{"seq": 1, "reason": "unknown-parameter"}],
    }
