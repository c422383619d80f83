"""What is expected of readings at a place, and what officers say of them."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import StorageError
from core.quality import rollup
from core.times import MINUTE, iso
from ingest.quality.table import objections
from tests.desk import DeskOf
from tests.world import CONFIGURATION, MIDNIGHT, World, small_world
from verifying import Past

PROFILES = """
profiles:
  - id: probe
    quality: {ph: {user_span: [6, 9]}, salinity: {user_span: [20, 36]}}
"""
SITES = CONFIGURATION["sites.yaml"].replace(
    "longitude: 98.2955, district: kathu}",
    """longitude: 98.2955, district: kathu, quality: {
     ph: {user_span: [7.5, 8.5], spike: null, spike_fail: null, rate: null},
     salinity: {spike: null, spike_fail: null, rate: null}}}""",
)
DEVICES = CONFIGURATION["devices.yaml"].replace(
    "site: patong, since: 2026-01-01", "site: patong, since: 2026-01-01, model: probe"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path, influx_url="http://127.0.0.1:9") as made:
        yield made.at("00:05")


def configure(world: World, **files: str) -> None:
    """Other files take effect with the next start."""
    for name, text in files.items():
        path = world.system.settings.config_dir / f"{name.replace('_', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    world.restart()


def flags(world: World) -> list[int]:
    """Of every reading, in order of time."""
    query = "SELECT flag FROM readings ORDER BY measured_at, series"
    return [flag for (flag,) in world.rows(query)]


def test_a_site_goes_before_a_profile_and_a_profile_before_the_catalogue(world: World) -> None:
    world.publish("patong-1", ph=8.8, salinity=18.0)
    configure(world, profiles_probe=PROFILES, sites=SITES, devices=DEVICES)
    world.at("00:10").publish("patong-1", ph=8.8, salinity=18.0)
    world.at("00:15").publish("patong-1", ph=8.4, salinity=25.0)
    assert flags(world) == [1, 1, 3, 3, 1, 1]


# --- flags of officers ---


def minute(number: float) -> str:
    """So many minutes after midnight, as the API takes it."""
    return iso(MIDNIGHT + round(number * MINUTE))


def day(world: World, until: int, *, since: int = 5, **values: float) -> World:
    """A report each minute, from minute `since` to before `until`, which it is afterwards."""
    for number in range(since, until):
        pass_until(world, number)
        at = MIDNIGHT + number * MINUTE
        world.publish("patong-1", measured=at, gateway="gw", **(values or {"ph": 8.1}))
    return pass_until(world, until)


def pass_until(world: World, number: int) -> World:
    return world if world.now > MIDNIGHT + number * MINUTE else world.at(f"00:{number:02}")


def put(world: World, first: float, last: float, flag: int, **more: Any) -> int:
    """An officer flags what was measured from one minute to before another; the flag's id."""
    body = {"device": "patong-1", "from": minute(first), "to": minute(last), "flag": flag}
    response = DeskOf(world).post("/v1/quality/flags", body | {"note": "weed"} | more)
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def undo(world: World, flag: int) -> None:
    assert DeskOf(world).delete(f"/v1/quality/flags/{flag}").status_code == 200


def revisions(world: World) -> list[Any]:
    """Each change of a flag."""
    query = "SELECT flag_before, flag, cause, reference FROM revisions WHERE flag <> flag_before"
    return [tuple(row) for row in world.rows(f"{query} ORDER BY id")]


def forwarded(world: World) -> list[str]:
    """The lines for InfluxDB, the newest last, without what is the same in all."""
    text = b"\n".join(lines for (lines,) in world.rows("SELECT lines FROM outflow ORDER BY id"))
    return [line.split(" ")[1] for line in text.decode().splitlines()]


def test_an_officer_flags_a_range_and_nothing_else(world: World) -> None:
    day(world, 15)
    flag = put(world, 7, 10, 4)
    assert flags(world.review()) == [1, 1, 4, 4, 4, 1, 1, 1, 1, 1]
    assert revisions(world) == [(1, 4, "officer", flag)] * 3
    assert forwarded(world)[-3:] == ["ph_flag=4i"] * 3


def test_what_the_tests_said_and_the_values_stay(world: World) -> None:
    day(world, 10)
    before = world.rows("SELECT value, tests FROM readings")
    put(world, 5, 9, 3)
    assert world.review().rows("SELECT value, tests FROM readings") == before


def test_undoing_gives_back_what_the_tests_said(world: World) -> None:
    day(world, 8)
    day(world, 10, since=8, ph=14.5)
    flag = put(world, 5, 10, 3)
    assert flags(world.review()) == [3, 3, 3, 3, 3]
    undo(world, flag)
    assert flags(world.review()) == [1, 1, 1, 4, 4]
    assert forwarded(world)[-5:] == ["ph_flag=1i"] * 3 + ["ph_flag=4i"] * 2


def test_the_later_of_two_flags_counts_until_it_is_undone(world: World) -> None:
    day(world, 12)
    first, second = put(world, 5, 10, 4), put(world, 8, 12, 3)
    assert flags(world.review()) == [4, 4, 4, 3, 3, 3, 3]
    undo(world, second)
    assert flags(world.review()) == [4, 4, 4, 4, 4, 1, 1]
    third = put(world, 6, 7, 1)
    undo(world, first)
    assert flags(world.review()) == [1, 1, 1, 1, 1, 1, 1]
    undo(world, third)
    assert flags(world.review()) == [1, 1, 1, 1, 1, 1, 1]


def test_only_the_parameters_that_are_named_are_flagged(world: World) -> None:
    day(world, 7, ph=8.1, salinity=33.0, turbidity=2.0)
    put(world, 5, 7, 3, parameters=["salinity", "ph"])
    found = world.review().rows(
        "SELECT parameter, flag FROM readings JOIN series ON id = series GROUP BY parameter, flag"
    )
    assert sorted(map(tuple, found)) == [("ph", 3), ("salinity", 3), ("turbidity", 1)]


def test_the_newest_reading_shows_its_flag_at_once(world: World) -> None:
    day(world, 8)
    flag = put(world, 5, 7.5, 4)
    assert world.review().rows("SELECT flag FROM latest") == [(4,)]
    undo(world, flag)
    assert world.review().rows("SELECT flag FROM latest") == [(1,)]


def test_a_reading_that_comes_late_into_the_range_is_flagged_as_it_comes(world: World) -> None:
    day(world, 8)
    flag = put(world, 5, 7.8, 4)
    world.review().publish("patong-1", measured=MIDNIGHT + 5 * MINUTE + 1, ph=8.0)
    assert flags(world) == [4, 4, 4, 4]
    assert forwarded(world)[-1] == "ph=8.0,ph_flag=4i"
    undo(world, flag)
    assert flags(world.review()) == [1, 1, 1, 1]


def test_a_flag_survives_a_restart_and_is_put_on_later_ones_too(world: World) -> None:
    day(world, 8)
    put(world, 5, 7.8, 4)
    world.restart()
    assert flags(world.review()) == [4, 4, 4]
    world.restart().publish("patong-1", measured=MIDNIGHT + 5 * MINUTE + 1, ph=8.0)
    assert flags(world) == [4, 4, 4, 4]


def test_flags_do_not_reach_back_into_the_life_of_alerts(world: World, tmp_path: Path) -> None:
    day(world, 8, dissolved_oxygen=1.0)
    put(world, 5, 7.5, 4)
    day(world.review(), 9, since=8, dissolved_oxygen=9.0)
    world.restart()
    day(world, 10, since=9, dissolved_oxygen=9.0)
    assert [after for _, after, _ in world.transitions()] == ["firing", "resolved"]
    past = Past(tmp_path / "data", 60 * MINUTE)
    assert past.replayed(3)[0] == past.recorded()
    past.close()


# --- the service log ---


def log(world: World, first: float, last: float | None, work: str = "cleaning") -> int:
    """Somebody works on the probe from one minute to before another; the entry's id."""
    body = {"device": "patong-1", "work": work, "from": minute(first), "note": "x", "by": "Nok"}
    body |= {} if last is None else {"to": minute(last)}
    response = DeskOf(world).post("/v1/service-log", body)
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


@pytest.mark.parametrize(
    ("work", "flag"),
    [("calibration", 4), ("cleaning", 3), ("deployment", 3), ("retrieval", 4)],
)
def test_work_in_the_past_flags_what_is_stored(world: World, work: str, flag: int) -> None:
    entry = log(day(world, 12), 7, 10, work)
    assert flags(world.review()) == [1, 1, flag, flag, flag, 1, 1]
    assert revisions(world) == [(1, flag, "service", entry)] * 3
    tests = world.rows("SELECT flag, tests FROM readings")
    assert [rollup(code) for _, code in tests] == [f for f, _ in tests]


def test_work_that_goes_on_flags_what_comes_until_it_is_over(world: World) -> None:
    entry = log(day(world, 8), 6, None)
    day(world.review(), 12, since=8)
    assert flags(world) == [1, 3, 3, 3, 3, 3, 3]
    world.restart()
    path = f"/v1/service-log/{entry}/end"
    assert DeskOf(world).post(path, {"to": minute(10)}).json()["to"] == minute(10)
    day(world.review(), 13, since=12)
    assert flags(world) == [1, 3, 3, 3, 3, 1, 1, 1]
    assert DeskOf(world).post(path, {"to": minute(11)}).status_code == 409


def test_work_that_is_planned_flags_what_comes_then(world: World) -> None:
    log(day(world, 7), 9, 11)
    day(world.review(), 13, since=7)
    assert flags(world) == [1, 1, 1, 1, 3, 3, 1, 1]
    assert revisions(world) == []


def test_an_entry_that_was_wrong_is_taken_out(world: World) -> None:
    entry = log(day(world, 8), 5, None)
    day(world.review(), 10, since=8)
    assert DeskOf(world).delete(f"/v1/service-log/{entry}").status_code == 200
    assert flags(day(world.review(), 11, since=10)) == [1] * 6
    assert DeskOf(world).delete(f"/v1/service-log/{entry}").status_code == 409
    (shown,) = DeskOf(world).get("/v1/service-log")["items"]
    assert shown["removed_at"] is not None


def test_of_two_works_at_once_the_worse_counts(world: World) -> None:
    first = log(day(world, 10), 5, 10, "cleaning")
    log(world, 7, 8, "calibration")
    assert flags(world.review()) == [3, 3, 4, 3, 3]
    DeskOf(world).delete(f"/v1/service-log/{first}")
    assert flags(world.review()) == [1, 1, 4, 1, 1]


def test_an_officer_has_the_last_word_on_what_the_service_log_says(world: World) -> None:
    log(day(world, 8), 5, None, "retrieval")
    flag = put(world, 6, 7.5, 1)
    assert flags(world.review()) == [4, 1, 1]
    undo(world, flag)
    assert flags(world.review()) == [4, 4, 4]


def test_what_a_device_says_of_itself_is_true_whoever_works_on_it(world: World) -> None:
    log(world, 5, None, "retrieval")
    world.publish("patong-1", ph=8.0, battery_level=80.0, rssi=-70.0)
    assert sorted(flags(world)) == [1, 1, 4]


def test_readings_under_service_raise_no_alert(world: World) -> None:
    log(world, 5, None, "calibration")
    day(world, 8, dissolved_oxygen=0.5)
    assert world.transitions() == []


# --- judged again ---


def reprocess(world: World, first: float, last: float, **more: Any) -> int:
    """Somebody has what was measured in these minutes judged again; the review's id."""
    body = {"device": "patong-1", "from": minute(first), "to": minute(last), "note": "spans"}
    response = DeskOf(world).post("/v1/quality/reprocess", body | more)
    assert response.status_code == 202, response.text
    return int(response.json()["id"])


def reviewed(world: World, review: int) -> tuple[int, list[tuple[int, int, int]]]:
    """How many readings were looked at, and the changes of flags."""
    shown = DeskOf(world.review()).get(f"/v1/quality/reviews/{review}")
    assert (shown["state"], shown["done"]) == ("finished", 1.0)
    return shown["readings"], [(c["before"], c["after"], c["readings"]) for c in shown["changes"]]


EVERYTHING = CONFIGURATION["sites.yaml"].replace(
    "longitude: 98.2955, district: kathu}",
    """longitude: 98.2955, district: kathu, quality: {
     ph: {spike: 0.4, spike_fail: 2, rate: 0.05, noise_factor: 3, flat_tolerance: 0.001,
          flat_suspect: 1h, flat_fail: 2h, attenuated: 0.05, gap: 30m, user_span: [7.5, 8.5]},
     salinity: {dry: 1, spike: 3, climatology: [{hours: [6, 20], span: [30, 34]}]}}}""",
)
NARROW = SITES.replace("7.5, 8.5", "8.05, 8.5")


def test_readings_are_judged_again_by_the_settings_of_now(world: World) -> None:
    day(world, 8, ph=8.0)
    day(world, 12, since=8, ph=8.2)
    configure(world, sites=NARROW)
    assert flags(world) == [1] * 7
    review = reprocess(world, 6, 10)
    assert reviewed(world, review) == (4, [(1, 3, 2)])
    assert flags(world) == [1, 3, 3, 1, 1, 1, 1]
    assert revisions(world) == [(1, 3, "reprocess", review)] * 2
    assert forwarded(world)[-2:] == ["ph_flag=3i"] * 2


def test_a_preview_counts_and_changes_nothing(world: World) -> None:
    day(world, 8, ph=8.0)
    configure(world, sites=NARROW)
    before = world.rows("SELECT * FROM readings"), forwarded(world)
    assert reviewed(world, reprocess(world, 5, 8, preview=True)) == (3, [(1, 3, 3)])
    assert (world.rows("SELECT * FROM readings"), forwarded(world)) == before
    assert revisions(world) == []


def test_settings_that_did_not_change_change_nothing(world: World) -> None:
    day(world, 8, ph=8.0, salinity=33.0)
    day(world, 9, since=8, ph=14.5, salinity=33.0)
    day(world, 12, since=9, ph=8.0, salinity=33.0)
    assert reviewed(world, reprocess(world, 5, 12)) == (14, [])
    assert [cause for _, _, cause, _ in revisions(world) if cause == "reprocess"] == []


def test_officers_and_the_service_log_stay_in_force_when_readings_are_judged_again(
    world: World,
) -> None:
    day(world, 12, ph=8.0)
    put(world, 6, 8, 4)
    log(world, 9, 11, "calibration")
    world.review()
    configure(world, sites=NARROW)
    assert reviewed(world, reprocess(world, 5, 12)) == (7, [(1, 3, 3)])
    assert flags(world) == [3, 4, 4, 3, 4, 4, 3]


def test_it_goes_on_after_a_restart_and_counts_each_reading_once(world: World) -> None:
    day(world, 15, ph=8.0)
    configure(world, sites=NARROW)
    review = reprocess(world, 5, 15)
    for _ in range(2):
        world.system.by_people.review()
        world.restart()
    assert reviewed(world, review) == (10, [(1, 3, 10)])
    assert len(revisions(world)) == 10


def test_what_the_ledger_refuses_is_looked_at_again(world: World) -> None:
    day(world, 15, ph=8.0)
    configure(world, sites=NARROW)
    review = reprocess(world, 5, 15)
    for _ in range(3):
        world.system.by_people.review()
    with world.system.ledger.transaction() as connection:
        refuse = "BEFORE UPDATE ON reviews BEGIN SELECT RAISE(ABORT, 'full'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER refuse {refuse}")
    for _ in range(2):
        with pytest.raises(StorageError, match="full"):
            world.system.by_people.review()
    assert flags(world) == [1] * 10
    with world.system.ledger.transaction() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse")
    assert reviewed(world, review) == (10, [(1, 3, 10)])
    assert len(revisions(world)) == 10


def test_messages_come_in_between_two_steps(world: World) -> None:
    day(world, 8, ph=8.0)
    configure(world, sites=NARROW)
    review = reprocess(world, 5, 8)
    world.system.by_people.review()
    day(world, 10, since=8, ph=8.0)
    reviewed(world, review)
    assert flags(world) == [3] * 5


def test_only_the_parameters_that_are_named_are_judged_again(world: World) -> None:
    day(world, 7, ph=8.0, turbidity=2.0)
    configure(world, sites=NARROW)
    assert reviewed(world, reprocess(world, 5, 7, parameters=["turbidity"])) == (2, [])
    assert reviewed(world, reprocess(world, 5, 7, parameters=["ph"])) == (2, [(1, 3, 2)])


def rough_days(world: World, seed: int, count: int) -> None:
    """Reports every five minutes with noise, spikes, gaps, stuck values and a dry probe."""
    chance, stuck = random.Random(seed), 0.0
    for number in range(count):
        world.now = MIDNIGHT + number * 5 * MINUTE
        if chance.random() < 0.02:
            continue
        stuck = 0.0 if chance.random() < 0.03 else stuck or float(chance.random() < 0.01)
        ph = 8.0 if stuck else 8.1 + 0.2 * math.sin(number / 40) + chance.gauss(0, 0.02)
        ph += chance.choice([0.6, 3.0, -1.0]) if chance.random() < 0.02 else 0.0
        salinity = 0.2 if 300 < number < 320 else 32 + chance.gauss(0, 0.3)
        world.publish("patong-1", measured=world.now, gateway="gw", ph=ph, salinity=salinity)


def test_what_came_in_order_is_judged_again_as_it_was_judged_at_first(world: World) -> None:
    configure(world, sites=EVERYTHING)
    rough_days(world, seed=7, count=900)
    before = world.rows("SELECT * FROM readings")
    assert {flag for *_, flag, _, _ in before} == {1, 3, 4}
    assert reviewed(world, reprocess(world, 0, 898 * 5)) == (len(before) - 4, [])
    assert world.rows("SELECT * FROM readings") == before


def test_a_spike_under_service_keeps_both_verdicts_when_it_is_cleared(world: World) -> None:
    configure(world, sites=EVERYTHING)
    day(world, 8, ph=8.1)
    day(world, 9, since=8, ph=8.9)
    log(world, 5, 8.9)
    world.review()
    assert flags(world) == [3, 3, 3, 3]
    day(world, 11, since=9, ph=8.9)  # a step that stays is no spike
    assert flags(world)[:4] == [3, 3, 3, 3]
    newest = world.rows("SELECT tests FROM readings ORDER BY measured_at")[3][0]
    assert objections(newest).keys() >= {"service"}
    assert "spike" not in objections(newest)


def test_an_officers_flag_stays_when_the_next_reading_tells_more(world: World) -> None:
    configure(world, sites=EVERYTHING)
    day(world, 8, ph=8.1)
    day(world, 9, since=8, ph=8.49)
    flag = put(world, 8, 9, 4)
    world.review()
    day(world, 10, since=9, ph=8.1)
    assert flags(world) == [1, 1, 1, 4, 1]
    undo(world, flag)
    assert flags(world.review())[3] == rollup(world.rows("SELECT tests FROM readings")[3][0])
