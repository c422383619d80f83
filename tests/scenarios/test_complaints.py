"""What users of other systems complain about in rules and alerts, each as a scripted day of
ours; the number is that of our list of them.

| # | complaint | test |
|---|---|---|
| 7 | "latest" is what came last, not what is newest | `test_07_…` |
| 8 | alert times mix the clocks of device and server | `test_08_…` |
| 9 | no hysteresis, so alerts flap | `test_09_…` |
| 10 | cannot clear after "quiet for T" without messages; no OR | `test_10_…` |
| 11 | durations are wrong; with a schedule they never fire | `test_11_…` |
| 12 | an alert is made anew at each update | `test_12_…` |
| 13 | dead-man checks: silent, dead after a restart, too many | `test_13_…` |
| 14 | lost data "resolve" an alert, which then fires anew | `test_14_…` |
| 15 | sparse data go to and fro between data and no data | `test_15_…` |
| 16 | a firing alert cannot be acknowledged until it clears | `test_16_…` |
| 18 | silences end unseen; who, why, and what did they hide? | `test_18_…` |
| 19 | a rule cannot be tried on history first | `test_19_…` |
| 22 | nobody is told when data stop, or of what cannot be true | `test_22_…` |
| 25 | flat lines break on duplicates and gaps | `test_25_…` |
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.times import HOUR, MINUTE, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

RULES = """
rules:
  - {id: full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80, critical: 95}, clear: 60, stale_after: 30m}
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 5m, clear_for: 5m}
  - {id: haze-at-night, kind: threshold, name: {en: Night, th: กลางคืน}, parameter: pm25,
     above: {info: 30}, for: 15m, when: {hours: "02:00-04:00"}}
  - {id: silent, kind: missing, name: {en: Silent, th: เงียบ}, every: 10m, above: {warning: 3},
     select: {devices: [bin-1, bin-2]}}
  - {id: sparse, kind: missing, name: {en: Sparse, th: นาน}, every: 6h, above: {warning: 2},
     select: {devices: [patong-1]}}
  - {id: any-trouble, kind: composite, name: {en: Trouble, th: มีปัญหา}, of: [full, haze],
     need: any, over: city}
"""
Story = list[tuple[str, str, str]]  # clock, state, reason


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path, {"rules": RULES}) as made:
        yield made


@pytest.fixture
def desk(world: World) -> DeskOf:
    return DeskOf(world)


def story(world: World, rule: str, subject: str = "%") -> Story:
    """What was told of a rule: when by event time, which state, why."""
    query = (
        "SELECT at, after, reason FROM transitions WHERE rule = ? AND subject LIKE ? ORDER BY id"
    )
    with world.system.readers.connect() as connection:
        rows = list(connection.exec_driver_sql(query, (rule, subject)))
    return [(iso(at)[11:19], after, reason) for at, after, reason in rows]


def minutes(begin: int, end: int, step: int) -> Iterator[str]:
    """Clock times of the day."""
    for minute in range(begin, end, step):
        yield f"{minute // 60:02}:{minute % 60:02}"


def test_07_latest_is_the_newest_whatever_comes_last(world: World, desk: DeskOf) -> None:
    world.at("01:00").publish("bin-1", fill_level=90.0)
    world.at("01:05").publish("bin-1", measured=MIDNIGHT + 58 * MINUTE, fill_level=10.0)
    (latest,) = desk.get("/v1/latest?device=bin-1")["items"]
    assert latest["value"] == 90.0
    assert story(world, "full") == [("01:00:00", "firing", "first-breach")]


def test_08_a_batch_of_two_hours_has_the_times_at_which_it_was_measured(
    world: World, desk: DeskOf
) -> None:
    world.at("03:00")
    for minute in range(61, 180, 7):
        world.publish("bin-1", measured=MIDNIGHT + minute * MINUTE, fill_level=90.0)
    assert story(world, "full") == [("02:46:00", "firing", "first-breach")]  # not too late to tell
    (alert,) = desk.get("/v1/alerts?rule=full")["items"]
    assert alert["started_at"].startswith("2026-11-22T02:46:00")
    (told,) = [t for t in desk.get("/v1/transitions")["items"] if t["rule"] == "full"]
    assert told["at"].startswith("2026-11-22T02:46:00")
    assert told["recorded_at"].startswith("2026-11-22T03:00:00")


def test_09_a_value_that_dances_on_the_level_is_one_alert(world: World) -> None:
    for number, time in enumerate(minutes(5, 65, 2)):
        world.at(time).publish("bin-1", fill_level=79.0 + 2 * (number % 2))
    assert story(world, "full") == [("00:07:00", "firing", "first-breach")]
    world.at("01:10").publish("bin-1", fill_level=60.0)
    assert story(world, "full")[1:] == [("01:10:00", "resolved", "back-in-range")]


def test_10_it_ends_by_the_clock_and_one_of_two_rules_is_enough(world: World) -> None:
    world.at("00:10").publish("air-1", pm25=50.0).at("00:20").publish("air-1", pm25=20.0)
    world.at("00:26")  # nothing more comes
    assert story(world, "haze") == [
        ("00:10:00", "pending", "first-breach"),
        ("00:15:00", "firing", "held"),
        ("00:25:00", "resolved", "back-in-range"),
    ]
    world.publish("bin-1", fill_level=90.0)
    assert story(world, "any-trouble") == [
        ("00:15:00", "firing", "first-breach"),
        ("00:25:00", "resolved", "back-in-range"),
        ("00:26:00", "firing", "first-breach"),
    ]


def test_11_a_duration_is_exact_and_runs_within_a_schedule_without_messages(world: World) -> None:
    world.at("01:55").publish("air-1", pm25=35.0).restart().at("02:20")
    assert story(world, "haze-at-night") == [
        ("02:00:00", "pending", "first-breach"),
        ("02:15:00", "firing", "held"),
    ]
    world.at("04:01")
    assert story(world, "haze-at-night")[2:] == [("04:00:00", "resolved", "out-of-schedule")]


def test_12_a_breach_that_goes_on_is_told_once(world: World, desk: DeskOf) -> None:
    for second in range(0, 600, 2):
        world.at(f"00:{second // 60:02}:{second % 60:02}").publish("bin-1", fill_level=85.0)
    assert story(world, "full") == [("00:00:00", "firing", "first-breach")]
    assert len(desk.get("/v1/alerts?rule=full")["items"]) == 1


def test_13_silence_is_told_once_also_after_restarts_and_of_who_never_spoke(world: World) -> None:
    for time in minutes(0, 30, 5):
        world.at(time).publish("bin-1", fill_level=10.0).restart()
    world.at("05:00")
    assert story(world, "silent", "bin-2") == [("00:30:10", "firing", "first-breach")]
    assert story(world, "silent", "bin-1") == [("00:55:10", "firing", "first-breach")]
    world.restart().publish("bin-1", fill_level=10.0).at("05:10")
    assert story(world, "silent", "bin-1")[1:] == [("05:00:00", "resolved", "back-in-range")]
    assert len(story(world, "silent", "bin-2")) == 1


def test_14_lost_data_resolve_nothing_and_fire_nothing_anew(world: World) -> None:
    world.at("00:10").publish("bin-1", fill_level=90.0)
    world.system.pipeline.disconnected()
    world.at("02:00")
    world.system.pipeline.connected(world.now)
    world.at("02:29")
    assert story(world, "full") == [("00:10:00", "firing", "first-breach")]  # we were deaf
    world.at("03:00").publish("bin-1", fill_level=91.0).at("03:10")
    reasons = [(state, reason) for _, state, reason in story(world, "full")[1:]]
    assert reasons == [("firing", "data-stopped"), ("firing", "data-back")]
    assert world.rows("SELECT COUNT(*) FROM alerts WHERE rule = 'full'") == [(1,)]


def test_15_a_sparse_device_is_missed_by_its_own_interval(world: World) -> None:
    for time in minutes(10, 20 * 60, 5 * 60):
        world.at(time).publish("patong-1", dissolved_oxygen=6.0)
    world.at("20:00")
    assert story(world, "sparse") == []


def test_16_an_acknowledgement_stays_until_the_alert_ends(world: World, desk: DeskOf) -> None:
    world.at("00:05").publish("bin-1", fill_level=90.0)
    (alert,) = desk.get("/v1/alerts?rule=full")["items"]
    path = f"/v1/alerts/{alert['id']}"
    assert desk.post(f"{path}/acknowledge", {"note": "on my way"}).is_success
    world.restart().at("00:30").publish("bin-1", fill_level=92.0)
    seen = desk.get(path)
    assert (seen["state"], seen["acknowledged"]["by"]) == ("firing", "someone")
    world.at("00:40").publish("bin-1", fill_level=10.0).at("00:50").publish(
        "bin-1", fill_level=90.0
    )
    again = desk.get("/v1/alerts?rule=full&state=firing")["items"][0]
    assert (again["id"] != alert["id"], again["acknowledged"]) == (True, None)


def test_18_a_silence_says_who_why_until_when_and_what_it_hid(world: World, desk: DeskOf) -> None:
    asked = {"matchers": ['rule="full"'], "reason": "market day", "lasts": "4h"}
    made = desk.post("/v1/silences", asked).json()
    world.at("00:10").publish("bin-1", fill_level=90.0)
    (alert,) = desk.get("/v1/alerts?rule=full")["items"]
    assert [(m["kind"], m["id"]) for m in alert["muted_by"]] == [("silence", str(made["id"]))]
    world.at("04:01")
    over = desk.get(f"/v1/silences/{made['id']}")
    assert (over["reason"], over["by"], over["state"]) == ("market day", "someone", "expired")
    assert (over["held_back"] >= 1, over["transitions"][0]["rule"]) == (True, "full")
    told = [line["action"] for line in desk.get("/v1/audit")["items"]]
    assert {"silence-made", "silence-ending", "silence-ended"} <= set(told)
    assert desk.get("/v1/alerts?rule=full")["items"][0]["muted_by"] == []


def test_19_a_rule_is_tried_on_history_and_tells_nobody(world: World, desk: DeskOf) -> None:
    for number, time in enumerate(minutes(0, 60, 10)):
        world.at(time).publish("bin-1", fill_level=50.0 + 15.0 * (number % 3))
    before = world.transitions()
    trial = {
        "id": "trial",
        "kind": "threshold",
        "name": {"en": "Trial", "th": "ลอง"},
        "parameter": "fill_level",
        "above": {"info": 75},
    }
    span = {"from": iso(MIDNIGHT), "to": iso(MIDNIGHT + HOUR)}
    found = desk.post("/v1/rules/backtest", span | {"rules": [trial]}).json()
    (report,) = found["reports"]
    assert (report["rule"], report["firings"]) == ("trial", 2)
    assert [one["start"][11:16] for one in found["firings"]] == ["00:50", "00:20"]
    assert world.transitions() == before


def test_22_improbable_values_alert_nobody_and_their_end_is_missed(world: World) -> None:
    for time in minutes(0, 60, 5):
        world.at(time).publish("bin-1", fill_level=300.0)
    assert story(world, "full") == []
    assert world.rows("SELECT MIN(flag), MAX(flag) FROM readings") == [(4, 4)]
    world.at("02:00")
    assert story(world, "silent", "bin-1") == [("01:25:10", "firing", "first-breach")]


def test_25_neither_duplicates_nor_gaps_make_a_line_flat_or_a_value_last(world: World) -> None:
    world.at("00:10").publish("air-1", pm25=50.0)
    for _ in range(50):  # the same message, again and again
        world.publish("air-1", measured=MIDNIGHT + 10 * MINUTE, pm25=50.0)
    world.at("00:12").publish("air-1", pm25=20.0)
    world.at("06:00").publish(
        "air-1", pm25=20.0
    )  # a gap is no clear value that lasts, nor a flat line
    assert story(world, "haze") == [
        ("00:10:00", "pending", "first-breach"),
        ("00:12:00", "resolved", "not-held"),
    ]
    assert world.rows("SELECT COUNT(*) FROM readings") == [(3,)]
    assert world.rows("SELECT MAX(flag) FROM readings") == [(1,)]
