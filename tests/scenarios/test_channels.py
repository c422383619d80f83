"""Who has a server of their own, or a greylist, is waited for alone: nobody else is held up."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Blame, DeliveryError
from core.notices import Parcel
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
