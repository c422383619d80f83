"""Whatever arrives: it is quarantined with a reason, costs little, and stops nothing."""

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.messages import Message
from core.times import SECOND
from ingest.gather import gather
from simulators.judge.hostile import GOOD, TOPIC, Hostile, corpus
from tests.world import World, small_world

CORPUS = list(corpus())
MOST_SECONDS = 0.05  # of the processor, for one message and its transaction
MOST_BYTES = 20 * 2**20
OF_THE_LAST = """
    SELECT reason, items FROM quarantine
    WHERE received_at = (SELECT max(received_at) FROM quarantine)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with small_world(folder) as made:
        unit = b',"units":{"pm25":"mg/m3"}}'
        made.send(GOOD[:-1] + unit)  # the first conversion loads the table of units
        yield made.at("00:01")


def settle(world: World, topic: bytes, payload: bytes) -> float:
    """Let a message through the whole pipeline; how long it took the processor, seconds."""
    world.now += SECOND
    began = time.thread_time()
    world.system.pipeline.settle_one(Message(topic, payload, world.now, qos=1))
    return time.thread_time() - began


def test_there_are_enough_of_them_and_no_two_are_the_same() -> None:
    assert len(CORPUS) >= 300
    assert len({h.name for h in CORPUS}) == len(CORPUS)
    assert len({(h.topic, h.payload) for h in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
def test_it_is_quarantined_with_a_reason_and_the_next_good_one_is_stored(
    world: World, hostile: Hostile
) -> None:
    before = world.counters()
    seconds = settle(world, hostile.topic, hostile.payload)
    after = world.counters()
    kept = world.rows(OF_THE_LAST)
    refused = sum(items for _, items in kept)
    assert {reason for reason, _ in kept}.isdisjoint({"internal-error"})
    assert after["stored"] == before["stored"]
    assert after["quarantined"] == before["quarantined"] + refused > before["quarantined"]

    good = GOOD.replace(b'"time"', b'"at"')  # no time: now
    settle(world, TOPIC, good)
    counted = world.counters()
    assert counted["stored"] == after["stored"] + 1
    total = counted["stored"] + counted["duplicate"] + counted["quarantined"]
    assert counted["received"] == total
    if seconds >= MOST_SECONDS:  # a pass of the garbage collector, say: it must not come each time
        seconds = min(settle(world, hostile.topic, hostile.payload) for _ in range(3))
    assert seconds < MOST_SECONDS


def test_none_of_them_takes_much_memory(world: World) -> None:
    pipeline = world.system.pipeline
    greedy = []
    tracemalloc.start()
    try:
        for hostile in CORPUS:
            message = Message(hostile.topic, hostile.payload, world.now)
            tracemalloc.reset_peak()
            start, _ = tracemalloc.get_traced_memory()
            gather([message], pipeline.registry, pipeline.sources)
            _, peak = tracemalloc.get_traced_memory()
            if peak - start > MOST_BYTES:
                greedy.append((hostile.name, peak - start))
    finally:
        tracemalloc.stop()
    assert greedy == []


def test_all_of_them_in_one_batch_stop_none_of_the_good_ones(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        messages = []
        for number, hostile in enumerate(CORPUS):
            at = world.now + 2 * number + 1
            good = GOOD.replace(b'"time"', b'"at"')
            messages += [
                Message(hostile.topic, hostile.payload, at),
                Message(TOPIC, good, at + 1),
            ]
        settled = world.system.pipeline.settle(messages)
        assert settled.stored == len(CORPUS)
        assert {refused.message for refused in settled.refused} == set(range(0, 2 * len(CORPUS), 2))
