"""Who has a server of their own, or a greylist, is waited for alone: nobody else is held up. Signs
hear how a place stands, whoever of the devices there sees it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.notify.mqtt import Mqtt, Place
from core.alerts import Severity
from core.errors import Blame, DeliveryError
from core.notices import Channel, Parcel, Sent
from storage.notices import told_to_fire
from tests.postman import Post, Server, channels
from tests.world import World, small_world

DOWN = [f"https://down-{number}.example/" for number in range(12)]  # more than are tried at once
WELL = "https://well.example/"
NOTIFY = f"""
receivers:
  - name: rooms
    pace: 0
    webhook: [{", ".join(f"{{url: '{url}'}}" for url in [*DOWN, WELL])}]
route: {{receiver: rooms, group_by: [site], group_wait: 0s, group_interval: 1m}}
"""


@pytest.fixture
def webhook() -> Server:
    return Server()


@pytest.fixture
def world(tmp_path: Path, webhook: Server) -> Iterator[World]:
    with small_world(tmp_path, {"notify": NOTIFY}, channels(webhook=webhook)) as made:
        yield made.at("00:05")


@pytest.mark.parametrize(
    ("alone", "reasons"),
    [
        pytest.param(True, ["first", "resolved"], id="each has a server of its own"),
        pytest.param(False, [], id="one server for all, which is down"),
    ],
)
def test_servers_that_are_down_for_an_hour_hold_up_nobody_else(
    world: World, webhook: Server, alone: bool, reasons: list[str]
) -> None:
    def answer(parcel: Parcel) -> None:
        if re.match("https://down-", parcel.recipients[0].address):
            raise DeliveryError("503", Blame.TEMPORARY, retry_after=3600, alone=alone)

    webhook.answer = answer
    post = Post(world, webhook=webhook)
    world.publish("bin-1", fill_level=97.0)
    post.send()
    world.publish("bin-1", fill_level=10.0)
    post.until("00:08")
    assert [reason for address, reason, _ in webhook.said() if address == WELL] == reasons


class Broker(Server):
    """What is retained, by topic."""

    def __init__(self) -> None:
        super().__init__()
        self.retained: dict[str, str] = {}
        self.world: World | None = None

    async def send(self, parcel: Parcel) -> Sent:
        await super().send(parcel)
        return await Mqtt(self._publish, self._beside, ZoneInfo("Asia/Bangkok")).send(parcel)

    def _publish(self, messages: Mapping[str, bytes]) -> None:
        for topic, body in messages.items():
            said = json.loads(body)
            self.retained[topic] = f"{said['state']} {said['severity']} {said['alerts']}".strip()

    def _beside(self, place: Place) -> Mapping[str, Severity]:
        assert self.world is not None
        with self.world.system.readers.connect() as connection:
            return told_to_fire(connection, Channel.MQTT, *place)


SIGNS = """
receivers:
  - {name: signs, pace: 0, mqtt: true}
route: {receiver: signs, group_by: [device], group_wait: 0s, group_interval: 1s}
"""


def test_a_sign_clears_when_the_last_device_there_does(tmp_path: Path) -> None:
    broker, topic = Broker(), "andaman/v1/alerts/bin/bin-full"
    with small_world(tmp_path, {"notify": SIGNS}, channels(mqtt=broker)) as world:
        broker.world = world.at("00:05")
        post, seen = Post(world, mqtt=broker), []
        for gateway, device, level in (
            ("gw", "bin-1", 97.0),
            ("other", "bin-2", 98.0),
            ("gw", "bin-1", 10.0),
            ("other", "bin-2", 10.0),
        ):
            world.publish(device, gateway=gateway, fill_level=level)
            world.pass_to(world.now + 5_000_000)
            post.send()
            seen.append(broker.retained.get(topic))
    assert seen == ["firing critical 1", "firing critical 2", "firing critical 1", "resolved  0"]
