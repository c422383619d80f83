"""Gateways come and go: what is known of it, and what that does to the counters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.messages import Message
from core.times import SECOND
from storage.statuses import MOST
from tests.world import MIDNIGHT, World, small_world

TOPIC = "andaman/v1/gw/up/status"
ROWS = "SELECT gateway, online, firmware, since FROM statuses ORDER BY at"
NOTHING = {"received": 0, "stored": 0, "duplicate": 0, "quarantined": 0}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made


def test_it_keeps_each_change_and_counts_no_item(world: World) -> None:
    world.at("00:01").send(b'{"online": true, "firmware": "1.4"}', topic=TOPIC)
    world.at("00:02").send(b'{"online": true, "firmware": "1.4"}', topic=TOPIC)
    world.at("00:03").send(b'{"online": false}', topic=TOPIC)
    assert world.rows(ROWS) == [
        ("gw", 1, "1.4", MIDNIGHT + 60 * SECOND + 1),
        ("gw", 0, "1.4", MIDNIGHT + 180 * SECOND + 1),
    ]
    assert world.counters() == NOTHING


def test_it_remembers_over_a_restart(world: World) -> None:
    world.send(b'{"online": true}', topic=TOPIC)
    world.restart().at("00:01").send(b'{"online": true}', topic=TOPIC)
    assert world.rows(ROWS) == [("gw", 1, None, MIDNIGHT + 1)]


@pytest.mark.parametrize(
    ("payload", "topic", "retain", "reason"),
    [
        pytest.param(b"online", TOPIC, False, "not-json", id="malformed"),
        pytest.param(b'{"online": "yes"}', TOPIC, False, "wrong-shape", id="of another shape"),
        pytest.param(b'{"online": true}', TOPIC, True, "retained", id="retained"),
        pytest.param(
            b'{"online": true}', TOPIC.replace("gw", "gw9"), False, "unknown-topic", id="nobody's"
        ),
    ],
)
def test_what_is_no_status_is_one_quarantined_item(
    world: World, payload: bytes, topic: str, retain: bool, reason: str
) -> None:
    world.send(payload, topic=topic, retain=retain)
    assert world.rows("SELECT reason, items FROM quarantine") == [(reason, 1)]
    assert world.counters() == NOTHING | {"received": 1, "quarantined": 1}
    assert world.rows(ROWS) == []


def test_a_status_of_the_past_cannot_be_tried_again(world: World) -> None:
    world.send(b"online", topic=TOPIC)
    before = world.counters()
    settled = world.system.pipeline.retry(1, by="k", payload=b'{"online": true}')
    assert settled is not None
    assert [refused.reason for refused in settled.refused] == ["wrong-shape"]
    assert world.rows(ROWS) == []
    assert world.counters() == before


def test_a_gateway_that_comes_and_goes_fills_no_disk(world: World) -> None:
    world.system.pipeline.settle(
        [
            Message(TOPIC.encode(), b'{"online": %s}' % state, MIDNIGHT + number)
            for number, state in enumerate([b"true", b"false"] * (MOST // 2 + 5))
        ]
    )
    world.at("00:01")
    world.send(b'{"online": true}', topic=TOPIC.replace("gw", "other"))
    counted = world.rows("SELECT gateway, count(*) FROM statuses GROUP BY gateway")
    assert counted == [("gw", MOST), ("other", 1)]
