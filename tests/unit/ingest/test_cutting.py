"""How the stream is cut into batches, and when ticks fall between them, changes nothing.

A tick before hearing resumes is another matter: what it said cannot be found out later, so it is
recorded, and `tests/scenarios/test_replay.py` repeats it.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.operations import OPERATIONS
from core.messages import Message
from core.times import MINUTE
from tests.arrivals import arrivals
from tests.every_kind import RULES
from tests.world import CONFIGURATION, World, small_world


def final(world: World) -> dict[str, list[Any]]:
    """Everything that the ledger says of readings, but for when it was recorded. Alerts about the
    system itself go by what is known at each tick, and so do verdicts.
    """
    return {
        "readings": world.rows(
            "SELECT device, parameter, measured_at, value, flag, tests, r.received_at "
            "FROM readings r JOIN series s ON s.id = r.series ORDER BY 1, 2, 3"
        ),
        "revisions": world.rows("SELECT * FROM revisions ORDER BY id"),
        "latest": world.rows(
            "SELECT device, parameter, measured_at, value, flag "
            "FROM latest l JOIN series s ON s.id = l.series ORDER BY 1, 2"
        ),
        "counters": world.rows("SELECT * FROM counters WHERE name NOT LIKE 'transi%' ORDER BY 1"),
        "quarantine": world.rows("SELECT reason, items, payload FROM quarantine ORDER BY id"),
        "state": of_readings(world, "SELECT * FROM engine_state ORDER BY rule, subject"),
        "transitions": of_readings(
            world,
            "SELECT rule, alert, before, after, reason, severity, at, value, evidence "
            "FROM transitions WHERE reason NOT IN ('confirmed', 'judged') ORDER BY id",
        ),
        "alerts": of_readings(
            world,
            "SELECT rule, id, state, severity, started_at, fired_at, resolved_at, value "
            "FROM alerts ORDER BY id",
        ),
    }


def of_readings(world: World, query: str) -> list[Any]:
    """The rows whose first column is a rule that judges readings."""
    return [row for row in world.rows(query) if row[0] not in OPERATIONS]


@dataclass(frozen=True)
class Run:
    """Where batches end, where ticks come, where hearing resumes, and whether by a new process;
    `rules` are others than the world's.
    """

    cuts: frozenset[int]
    resumes: frozenset[int] = frozenset()
    ticks: frozenset[int] = frozenset()
    restarts: bool = False
    rules: str = CONFIGURATION["rules.yaml"]

    def over(self, messages: list[Message]) -> dict[str, list[Any]]:
        files = {"rules": self.rules}
        with tempfile.TemporaryDirectory() as folder, small_world(Path(folder), files) as world:
            batch: list[Message] = []
            for number, message in enumerate(messages):
                batch.append(message)
                world.now = message.received_at
                last = number + 1 == len(messages)
                if number in self.cuts | self.resumes or last:
                    world.system.pipeline.settle(batch)
                    batch = []
                if number in self.resumes:
                    if self.restarts:
                        world.reopen()
                    world.system.pipeline.connected(message.received_at + 1)
                if number in self.cuts & self.ticks and not last:
                    world.system.pipeline.tick(messages[number + 1].received_at - 1)
            world.system.pipeline.tick(messages[-1].received_at + 24 * 60 * MINUTE)
            return final(world)


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(CONFIGURATION["rules.yaml"], id="thresholds"),
        pytest.param(RULES, id="every kind"),
    ],
)
@settings(max_examples=15, deadline=None)
@given(arrivals(), st.data())
def test_it_changes_nothing_how_the_stream_is_cut(
    rules: str, messages: list[Message], data: Any
) -> None:
    places = st.frozensets(st.integers(0, len(messages) - 1))
    everywhere = frozenset(range(len(messages)))
    run = Run(everywhere, rules=rules)
    cuts, ticks = data.draw(places, label="cuts"), data.draw(places, label="ticks")
    assert replace(run, cuts=cuts, ticks=ticks).over(messages) == run.over(messages)
    resumes = data.draw(places, label="resumes")
    one_by_one = replace(run, resumes=resumes).over(messages)
    again = replace(run, cuts=cuts, resumes=resumes, restarts=True)
    assert again.over(messages) == one_by_one
