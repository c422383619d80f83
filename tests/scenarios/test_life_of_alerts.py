"""Scripted days of alerts through the production wiring: silence, schedules, storms, officers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.alerts import Action, ActionKind
from core.times import MINUTE
from tests.every_kind import RULES
from tests.world import World, small_world
from verifying import Past

ONE = "  - {{id: {id}, name: {{en: N, th: น}}, {rest}}}\n"


def rules(**each: str) -> dict[str, str]:
    """A file of rules: id → the rest of the rule."""
    return {"rules": "rules:\n" + "".join(ONE.format(id=k, rest=v) for k, v in each.items())}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def told(world: World, rule: str) -> list[tuple[str, str, str]]:
    query = "SELECT subject, after, reason FROM transitions WHERE rule = ? ORDER BY id"
    with world.system.readers.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, (rule,))]


def act(world: World, kind: ActionKind, **more: int | str) -> bool:
    ((alert,),) = world.rows("SELECT id FROM alerts ORDER BY started_at DESC LIMIT 1")
    action = Action(kind=kind, alert=alert, by="nok", note="why", **more)  # type: ignore[arg-type]
    return world.system.by_people.act(action) is not None


def replays(world: World) -> bool:
    """Whether a fresh engine says the same of what is stored."""
    folders = world.system.settings
    past = Past(folders.data_dir, folders.lateness_minutes * MINUTE)
    try:
        return past.replayed(chunk=3)[0] == past.recorded()
    finally:
        past.close()


SILENT = rules(silent="kind: missing, every: 10m, above: {warning: 3}, select: {devices: [bin-1]}")


def test_a_device_that_never_spoke_is_missed_over_restarts_that_are_not_its_fault(
    folder: Path,
) -> None:
    with small_world(folder, SILENT) as world:
        for minute in range(5, 30, 5):
            world.at(f"00:{minute:02}").publish("air-1", pm25=10.0).restart()
        world.at("00:30")
        assert told(world, "silent") == []
        world.at("00:31")
        assert told(world, "silent") == [("bin-1", "firing", "first-breach")]
        world.publish("bin-1", fill_level=10.0)
        assert told(world, "silent")[1:] == [("bin-1", "resolved", "back-in-range")]
        assert replays(world)


def test_a_night_in_which_we_heard_nothing_makes_nobody_silent(folder: Path) -> None:
    with small_world(folder, SILENT) as world:
        world.at("00:05").publish("bin-1", fill_level=10.0)
        world.system.pipeline.disconnected()
        world.at("08:00")
        world.system.pipeline.connected(world.now)
        world.at("08:20").publish("bin-1", fill_level=10.0)
        assert told(world, "silent") == []


def test_a_gateway_that_says_goodbye_is_missed_after_a_while(folder: Path) -> None:
    gone = rules(gone="kind: missing, of: gateway, every: 1h, above: {warning: 3}, for: 2m")
    with small_world(folder, gone) as world:
        world.at("00:05").publish("bin-1", fill_level=10.0)
        world.send(b'{"online": false}', topic="andaman/v1/gw/up/status").at("00:08")
        assert told(world, "gone") == [
            ("gateway/gw", "pending", "first-breach"),
            ("gateway/gw", "firing", "held"),
        ]
        world.send(b'{"online": true}', topic="andaman/v1/gw/up/status")
        assert told(world, "gone")[2:] == [("gateway/gw", "resolved", "back-in-range")]
        assert replays(world)


def test_lost_connectivity_ends_no_alert_and_says_so(folder: Path) -> None:
    full = "kind: threshold, parameter: fill_level, above: {warning: 80}, stale_after: 30m"
    with small_world(folder, rules(full=full)) as world:
        world.at("00:05").publish("bin-1", fill_level=90.0).at("05:00")
        assert told(world, "full")[1:] == [("bin-1/fill_level", "firing", "data-stopped")]
        assert world.rows("SELECT state, marks FROM alerts") == [("firing", "stale")]
        world.publish("bin-1", fill_level=91.0)
        assert told(world, "full")[2:] == [("bin-1/fill_level", "firing", "data-back")]
        assert world.rows("SELECT state, marks FROM alerts") == [("firing", "")]


def test_an_officers_work_is_kept_and_replayed(folder: Path) -> None:
    with small_world(folder) as world:
        world.at("00:05").publish("bin-1", fill_level=90.0)
        assert act(world, ActionKind.ACKNOWLEDGE)
        assert act(world, ActionKind.ASSIGN, to="noi")
        assert act(world, ActionKind.SHELVE, until=world.now + 10 * MINUTE)
        shown = "SELECT acknowledged_by, assigned_to, marks, shelved_until IS NULL FROM alerts"
        assert world.rows(shown) == [("nok", "noi", "shelved", 0)]
        world.at("00:16")
        assert world.rows(shown) == [("nok", "noi", "", 1)]
        assert act(world, ActionKind.RESOLVE)
        world.restart().publish("bin-1", fill_level=91.0)
        assert not act(world, ActionKind.RESOLVE)
        assert act(world, ActionKind.REOPEN)
        assert [reason for _, _, reason in world.transitions()] == [
            *("first-breach", "acknowledged", "assigned", "shelved", "unshelved", "by-hand"),
            "reopened",
        ]
        assert world.rows("SELECT COUNT(*) FROM actions") == [(5,)]
        assert world.rows("SELECT state, resolved_at FROM alerts") == [("firing", None)]
        assert replays(world)


def test_a_day_of_every_kind_is_the_same_again(folder: Path) -> None:
    with small_world(folder, {"rules": RULES}) as world:
        for hour in range(1, 4):
            for minute in range(0, 60, 6):
                world.at(f"{hour:02}:{minute:02}")
                world.publish("air-1", pm25=20.0 + 7 * (minute % 12) + 5 * hour)
                world.publish("bin-1", fill_level=70.0 + 5 * (minute % 7))
                if minute % 24 == 0:
                    world.publish("patong-1", dissolved_oxygen=2.0 + hour)
        kinds = {rule for rule, _, _ in world.transitions()}
        assert {"haze-grows", "often-full", "silent", "something", "haze-at-night"} <= kinds
        assert replays(world)
