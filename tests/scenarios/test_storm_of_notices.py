"""A storm at very many places at once: few messages, and every alert named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.alerts import State
from core.messages import Message
from core.times import MINUTE, SECOND, iso
from tests.postman import NOTIFY, Post, Server, channels
from tests.world import World, small_world

PLACES, BATCH = 1_200, 400
SITES = "timezone: Asia/Bangkok\nsites:\n" + "".join(
    f"  - {{id: s{n}, kind: bin, name: {{en: Bin {n}, th: ถัง {n}}}, latitude: 7.9,\n"
    f"     longitude: 98.3, district: kathu/patong}}\n"
    for n in range(PLACES)
)
DEVICES = "gateways:\n  - {id: gw, name: {en: Gateway, th: เกตเวย์}}\ndevices:\n" + "".join(
    f"  - {{id: d{n}, gateway: gw, site: s{n}, since: 2026-01-01}}\n" for n in range(PLACES)
)
RULES = """
rules:
  - {id: bin-full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {critical: 95}, clear: 60, storm: 100000}
"""


@pytest.fixture
def line() -> Server:
    return Server()


@pytest.fixture
def world(tmp_path: Path, line: Server) -> Iterator[World]:
    files = {"sites": SITES, "devices": DEVICES, "rules": RULES}
    files["notify"] = NOTIFY.replace("pace: 0", "pace: 3s")
    with small_world(tmp_path, files, channels(line=line), series_per_day=10 * PLACES) as made:
        yield made.at("00:05")


def report(world: World, value: float) -> None:
    """From every place within a second, in batches as they would be cut."""
    for start in range(0, PLACES, BATCH):
        messages = []
        for number in range(start, min(start + BATCH, PLACES)):
            world.now += SECOND // PLACES
            body = {"device": f"d{number}", "time": iso(world.now), "values": {"fill_level": value}}
            topic, payload = b"andaman/v1/gw/up/readings", json.dumps(body).encode()
            messages.append(Message(topic, payload, world.now, qos=1))
        world.system.pipeline.settle(messages)


def test_each_recipient_gets_one_message_in_each_window_and_all_are_named(
    world: World, line: Server
) -> None:
    post, began = Post(world, line=line), world.now
    report(world, 99.0)
    post.send().until("00:08", every=10 * SECOND)
    report(world, 10.0)
    post.until("00:15", every=10 * SECOND)
    for person in ("U1", "U2"):
        mine = [p for p in line.parcels.values() if p.recipients[0].address == person]
        made = [(parcel.notice.made_at - began) // MINUTE for parcel in mine]
        assert made == sorted(set(made)), "two within a minute"
        assert len(mine) <= 4
        for state in (State.FIRING, State.RESOLVED):
            named = [t.alert for p in mine for t in p.notice.alerts if t.state is state]
            assert (len(named), len(set(named))) == (PLACES, PLACES)
    detailed = [sum(bool(t.recent) for t in p.notice.alerts) for p in line.parcels.values()]
    assert max(detailed) <= 5, "series are read for the worst alone"
