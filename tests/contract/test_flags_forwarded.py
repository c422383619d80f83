"""A flag that changes is overwritten in a real InfluxDB, also when it becomes good again."""

import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from core.times import MINUTE, iso
from simulators.servers.influxd import InfluxServer
from storage.forwarder import Forwarder
from storage.influx import InfluxHistory, InfluxWriter
from storage.influx_address import InfluxAddress
from storage.outflow import read_outflow
from tests.desk import DeskOf
from tests.outflow import submit_here
from tests.world import MIDNIGHT, World, small_world

pytestmark = pytest.mark.network


class Forwarded:
    """A world, and what InfluxDB has of the probe's pH."""

    def __init__(self, world: World, address: InfluxAddress) -> None:
        self.world = world
        self._writer, self._history = InfluxWriter(address), InfluxHistory(address)
        self._forwarder = Forwarder(
            write=self._writer,
            outflow=partial(read_outflow, world.system.readers),
            ledger=world.system.ledger,
            submit=submit_here,
            clock=world.clock,
            monotonic=time.monotonic,
            jitter=random.random,
        )

    def flags(self) -> list[int]:
        """The flags there, after all that waits was sent."""
        self.world.review()
        while self._forwarder.run_once():
            pass
        (series,) = self.world.system.pipeline.registry.series
        found = self._history.raw(series, MIDNIGHT, self.world.now, limit=100, flags=None)
        return [point.flag for point in found]

    def close(self) -> None:
        self._writer.close()
        self._history.close()


@pytest.fixture
def forwarded(influx: InfluxServer, tmp_path: Path) -> Iterator[Forwarded]:
    bucket = uuid4().hex
    influx.create_bucket(bucket)
    address = InfluxAddress(url=influx.url, org=influx.org, bucket=bucket, token=influx.token)
    with small_world(tmp_path, influx_url=influx.url) as world:
        for number in range(5):
            world.at(f"00:0{number}").publish(
                "patong-1", measured=MIDNIGHT + number * MINUTE, gateway="gw", ph=8.1
            )
        made = Forwarded(world.at("00:06"), address)
        yield made
        made.close()


def test_influxdb_has_the_flag_of_now(forwarded: Forwarded) -> None:
    desk = DeskOf(forwarded.world)
    assert forwarded.flags() == [1, 1, 1, 1, 1]
    said = {
        "device": "patong-1",
        "from": iso(MIDNIGHT + MINUTE),
        "to": iso(MIDNIGHT + 3 * MINUTE),
        "note": "weed",
    }
    flag = desk.post("/v1/quality/flags", said | {"flag": 4}).json()["id"]
    assert forwarded.flags() == [1, 4, 4, 1, 1]
    work = said | {"to": iso(MIDNIGHT + 5 * MINUTE), "work": "cleaning", "by": "Nok"}
    entry = desk.post("/v1/service-log", work).json()["id"]
    assert forwarded.flags() == [1, 4, 4, 3, 3]
    desk.delete(f"/v1/quality/flags/{flag}")
    assert forwarded.flags() == [1, 3, 3, 3, 3]
    desk.delete(f"/v1/service-log/{entry}")
    assert forwarded.flags() == [1, 1, 1, 1, 1]
