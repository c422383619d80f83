"""What the ledger recorded is what the rules say when they see the stored past again."""

import tempfile
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.lifecycle import GRACE
from alerts.operations import SYSTEM_DISK
from core.alerts import Action, ActionKind
from core.messages import Message
from core.times import DAY, MINUTE
from tests.arrivals import LEAST_GAP, arrivals
from tests.every_kind import RULES
from tests.world import CONFIGURATION, MIDNIGHT, World, small_world
from verifying import Past


def past_of(world: World) -> Past:
    folders = world.system.settings
    return Past(folders.data_dir, folders.lateness_minutes * MINUTE)


def test_a_timer_that_spoke_before_a_deafness_speaks_again(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("00:05").publish("air-1", pm25=60.0)
        world.at("00:11").restart()
        world.at("00:12").publish("air-1", measured=MIDNIGHT + 8 * MINUTE, pm25=10.0)
        past = past_of(world)
        assert [t.reason for told in past.recorded().values() for t in told] == [
            "first-breach",
            "held",
        ]
        assert past.replayed(chunk=1)[0] == past.recorded()
        past.close()


def test_a_message_that_waited_while_a_tick_overtook_it_is_judged_after_it_again(
    tmp_path: Path,
) -> None:
    with small_world(tmp_path) as world:
        world.at("00:05").publish("air-1", pm25=60.0)
        received = MIDNIGHT + 10 * MINUTE + GRACE
        world.system.pipeline.tick(received + 1000)
        world.now = received - 1
        world.publish("air-1", measured=MIDNIGHT + 8 * MINUTE, pm25=10.0)
        past = past_of(world)
        assert past.replayed(chunk=1)[0] == past.recorded()
        past.close()


def test_a_timer_that_spoke_while_the_system_looked_at_itself_speaks_again(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("00:05").publish("air-1", pm25=60.0)
        received = MIDNIGHT + 10 * MINUTE + GRACE
        world.now = received + 1000
        world.system.pipeline.report(SYSTEM_DISK, {})
        world.now = received - 1
        world.publish("air-1", measured=MIDNIGHT + 8 * MINUTE, pm25=10.0)
        past = past_of(world)
        assert past.replayed(chunk=1)[0] == past.recorded()
        past.close()


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(CONFIGURATION["rules.yaml"], id="thresholds"),
        pytest.param(RULES, id="every kind"),
    ],
)
@settings(max_examples=20, deadline=None)
@given(arrivals(), st.data())
def test_whatever_happened_a_replay_tells_the_same(
    rules: str, messages: list[Message], data: Any
) -> None:
    places = st.frozensets(st.integers(0, len(messages) - 1))
    cuts, ticks = data.draw(places, label="cuts"), data.draw(places, label="ticks")
    losses, deaths = data.draw(places, label="losses"), data.draw(places, label="deaths")
    numbers = st.integers(0, len(messages) - 1)
    acts = data.draw(st.dictionaries(numbers, st.sampled_from(ActionKind)), label="acts")
    files = {"rules": rules}
    with tempfile.TemporaryDirectory() as folder, small_world(Path(folder), files) as world:
        live(world, messages, cuts, ticks, losses, deaths, acts)
        past = past_of(world)
        assert past.replayed(data.draw(st.integers(1, 30), label="chunk"))[0] == past.recorded()
        past.close()


def live(
    world: World,
    messages: Sequence[Message],
    cuts: Set[int],
    ticks: Set[int],
    losses: Set[int],
    deaths: Set[int],
    acts: Mapping[int, ActionKind],
) -> None:
    """Settle the messages; before `losses` the connection breaks, before `deaths` the process;
    after `acts` an officer does something to the alert that changed last.
    """
    pipeline = world.system.pipeline
    waiting: list[Message] = []
    for number, message in enumerate(messages):
        world.now = message.received_at - LEAST_GAP // 2
        if number in deaths:  # what waits was not acknowledged: it comes again
            world.reopen()
            pipeline = world.system.pipeline
            again = message.received_at - LEAST_GAP // 2
            waiting = [m._replace(received_at=again + i) for i, m in enumerate(waiting, 1)]
            pipeline.connected(again)
        elif number in losses:
            if waiting:
                pipeline.settle(waiting)
            pipeline.disconnected()
            pipeline.connected(message.received_at - LEAST_GAP // 2)
            waiting = []
        waiting.append(message)
        if number in cuts:
            pipeline.settle(waiting)
            waiting = []
            if number in acts:
                act(world, acts[number])
            if number in ticks and number + 1 < len(messages):
                pipeline.tick(messages[number + 1].received_at - LEAST_GAP + 1)
    if waiting:
        pipeline.settle(waiting)
    pipeline.tick(messages[-1].received_at + DAY)


def act(world: World, kind: ActionKind) -> None:
    """What an officer does to the alert that changed last."""
    last = world.rows("SELECT alert FROM transitions ORDER BY id DESC")
    if last:
        until = world.now + 10 * MINUTE if kind is ActionKind.SHELVE else None
        action = Action(kind=kind, alert=last[0][0], by="nok", note="why", until=until, to="noi")
        world.system.by_people.act(action)
