"""A gateway that sends too much: nothing of it is lost, and nobody else notices."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.messages import Message
from core.times import SECOND, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

RATE, BURST = 10, 30  # messages a second, and at once
WINDOW = 60  # messages that a sensible gateway sends beyond its receipts


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    burst = BURST / RATE
    with small_world(
        tmp_path, gateway_messages_per_second=RATE, gateway_burst_seconds=burst
    ) as made:
        yield made


class Sender:
    """A gateway that counts, and remembers what it was told."""

    def __init__(self, world: World, gateway: str, device: str) -> None:
        self.world, self.gateway, self.device = world, gateway, device
        self.sent = self.through = 0

    def send(self, messages: int) -> None:
        """So many in one batch."""
        batch = []
        for _ in range(messages):
            self.sent += 1
            self.world.now += 1
            body = {"epoch": "b7", "seq": self.sent, "device": self.device}
            body |= {"time": iso(self.world.now), "values": {"fill_level": 1.0}}
            topic = f"andaman/v1/{self.gateway}/up/readings"
            batch.append(Message(topic.encode(), json.dumps(body).encode(), self.world.now, 1))
        self.world.system.pipeline.settle(batch)


def deliver(world: World, *senders: Sender) -> None:
    """The receipts that are due."""
    for topic, payload in world.system.pipeline.receipts.due(world.now):
        for sender in senders:
            if f"/{sender.gateway}/" in topic:
                sender.through = json.loads(payload)["through"]


def test_a_flood_is_stored_at_once_and_its_receipts_come_at_the_rate(world: World) -> None:
    flood, quiet = Sender(world, "gw", "bin-1"), Sender(world, "other", "bin-2")
    flood.send(BURST)
    deliver(world, flood)
    assert flood.through == BURST
    for _ in range(5):
        flood.send(RATE)
    quiet.send(1)
    assert world.counters()["stored"] == 2 * BURST + 2 * RATE + 1
    for second in range(1, 6):
        world.at(f"00:00:{second + 1:02}")  # microseconds too early at the second itself
        deliver(world, flood, quiet)
        assert flood.through == BURST + second * RATE
        assert quiet.through == 1


def test_a_gateway_that_waits_for_receipts_is_slowed_to_its_rate(world: World) -> None:
    sender = Sender(world, "gw", "bin-1")
    for second in range(1, 61):
        world.at(f"00:{second // 60:02}:{second % 60:02}")
        deliver(world, sender)
        sender.send(WINDOW - (sender.sent - sender.through))
    assert 55 * RATE < sender.sent <= 60 * RATE + BURST + WINDOW


def test_no_receipt_waits_for_more_than_ten_seconds(world: World) -> None:
    sender = Sender(world, "gw", "bin-1")
    sender.send(5000)
    world.at("00:00:09")
    deliver(world, sender)
    assert sender.through == 0
    world.at("00:00:11")
    deliver(world, sender)
    assert sender.through == 5000


def test_a_push_above_the_rate_is_asked_to_come_again(world: World) -> None:
    desk = DeskOf(world)
    body = json.dumps({"device": "bin-1", "values": {"fill_level": 1.0}}).encode()
    Sender(world, "gw", "bin-1").send(BURST + 3 * RATE)
    refused = desk.push(body)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.json()["type"] == "/docs#too-many"
    stored = world.counters()["received"]
    world.now = MIDNIGHT + 4 * SECOND
    assert desk.push(body).status_code == 200
    assert world.counters()["received"] == stored + 1


def test_a_gateway_shows_how_it_stands_to_its_rate(world: World) -> None:
    desk = DeskOf(world)
    Sender(world, "gw", "bin-1").send(BURST + 20)
    flood, quiet = (gateway["limit"] for gateway in desk.get("/v1/gateways")["items"])
    assert (flood["messages_per_second"], flood["beyond"]) == (RATE, 20)
    assert flood["wait_seconds"] == pytest.approx(2, abs=0.01)
    assert (quiet["beyond"], quiet["wait_seconds"]) == (0, 0)
    metrics = desk.http.get("/metrics", headers={"Authorization": f"Bearer {desk.admin}"}).text
    assert 'andaman_gateway_throttled_messages_total{gateway="gw"} 20.0' in metrics
    assert 'andaman_gateway_throttle_seconds{gateway="other"} 0.0' in metrics
