"""Is it the place or the sensor: what is judged, who hears of it, and what it mutes."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.messages import Message
from core.notices import Channel
from core.times import DAY, MINUTE, iso
from storage import refill
from tests.desk import DeskOf
from tests.postman import Post, Server, channels
from tests.world import MIDNIGHT, small_world
from verifying import Past

SITES = """
sites:
  - {id: patong, kind: air, name: {en: Patong, th: ป่าตอง}, latitude: 7.90, longitude: 98.30,
     district: kathu}
  - {id: kathu, kind: air, name: {en: Kathu, th: กะทู้}, latitude: 7.91, longitude: 98.35,
     district: kathu}
  - {id: town, kind: air, name: {en: Town, th: เมือง}, latitude: 7.88, longitude: 98.39,
     district: mueang}
"""
DEVICES = """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
devices:
  - {id: patong-1, gateway: gw, site: patong, since: 2026-01-01}
  - {id: kathu-1, gateway: gw, site: kathu, since: 2026-01-01}
  - {id: town-1, gateway: gw, site: town, since: 2026-01-01}
"""
RULES = """
rules:
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25,
     above: {warning: 37.5}, clear: 30, for: 5m, clear_for: 5m}
  - {id: in-doubt, kind: fault, name: {en: In doubt, th: น่าสงสัย}, times: {info: 3}, of: 12,
     clear: 0}
  - {id: gateway-silent, kind: missing, name: {en: Silent, th: เงียบ}, of: gateway, every: 10m,
     above: {warning: 3}}
"""
JOINT = """
  - {id: haze-wide, kind: composite, name: {en: Haze everywhere, th: ฝุ่นหลายพื้นที่}, of: [haze],
     need: 2, over: city}
  - {id: high-and-in-doubt, kind: composite, name: {en: Both, th: ทั้งสอง}, of: [haze, in-doubt],
     need: all, over: site}
"""
NOTIFY = """
receivers:
  - {name: officers, pace: 0, line: [{to: U1, language: en}]}
  - {name: technicians, pace: 0, email: [{to: fix@example.org, language: th}]}
route:
  receiver: officers
  group_by: [site]
  group_wait: 30s
  group_interval: 1m
  routes:
    - {matchers: ['verdict="sensor-fault"'], receiver: technicians}
    - {matchers: ['rule="in-doubt"'], receiver: technicians}
"""
TOPIC = b"andaman/v1/gw/up/readings"
STEP = 10 * MINUTE
STATIONS = ("patong-1", "kathu-1", "town-1")


def usual(at: int) -> dict[str, float]:
    """What an ordinary day reads at any of the stations."""
    wave = math.sin(at / STEP * 1.7) + 3 * math.sin(at / DAY * math.tau)
    return {"pm25": 14 + wave, "pm10": 25 + 1.5 * wave, "co": 0.4 + 0.02 * wave}


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Three stations after four ordinary days, and whom they have told."""
    with after_four_days(tmp_path, RULES) as made:
        yield made


@pytest.fixture
def joint(tmp_path: Path) -> Iterator[Post]:
    """The same with composites."""
    with after_four_days(tmp_path, RULES + JOINT) as made:
        yield made


@contextmanager
def after_four_days(folder: Path, rules: str) -> Iterator[Post]:
    files = {"sites": SITES, "devices": DEVICES, "rules": rules, "notify": NOTIFY}
    servers = {"line": Server(), "email": Server()}
    nobody = "http://127.0.0.1:9"  # an InfluxDB that takes nothing
    with small_world(folder, files, channels(**servers), influx_url=nobody) as world:
        times = range(MIDNIGHT - 4 * DAY, MIDNIGHT, STEP)
        came = range(MIDNIGHT, MIDNIGHT + 3 * len(times))
        past = [_reported(station, at, usual(at)) for at in times for station in STATIONS]
        world.system.pipeline.settle(
            [Message(TOPIC, body, at, qos=1) for at, body in zip(came, past, strict=True)]
        )
        world.now += MINUTE
        yield Post(world, **servers)


def _reported(station: str, at: int, values: dict[str, float]) -> bytes:
    return json.dumps({"device": station, "time": iso(at), "values": values}).encode()


def goes_on(post: Post, minutes: int, changed: Mapping[str, Mapping[str, float]]) -> None:
    """Readings come as they are measured, every ten minutes; some are others than usual."""
    world = post.world
    until = world.now + minutes * MINUTE
    while world.now + STEP <= until:
        _pass(post, (world.now // STEP + 1) * STEP)
        for station in STATIONS:
            values = usual(world.now) | dict(changed.get(station, {}))
            world.send(_reported(station, world.now, values))
        _pass(post, world.now + 2 * MINUTE)


def _pass(post: Post, until: int) -> None:
    world = post.world
    while world.now < until:
        world.now = min(world.now + MINUTE, until)
        world.system.pipeline.tick(world.now)
    post.send()


def shown(desk: DeskOf, rule: str, subject: str) -> dict[str, Any]:
    """The one alert of that rule at that subject, whole."""
    (found,) = (a for a in desk.get(f"/v1/alerts?rule={rule}")["items"] if a["subject"] == subject)
    alert: dict[str, Any] = desk.get(f"/v1/alerts/{found['id']}")
    return alert


def reasons(alert: Mapping[str, Any]) -> list[str]:
    return [transition["reason"] for transition in alert["transitions"]]


def told(post: Post, channel: Channel) -> list[tuple[str, str]]:
    """(reason, what) of each message by a channel, in order."""
    server = post.servers[channel]
    return [(reason, what) for _, reason, what in server.said()]


HAZE = {"pm25": 62.0, "pm10": 95.0, "co": 1.6}
ALONE = {"pm25": 45.0}


def test_an_event_that_neighbours_see_is_told_and_rises_in_severity(post: Post) -> None:
    desk = DeskOf(post.world)
    goes_on(post, 60, {"patong-1": HAZE, "kathu-1": HAZE})
    alert = shown(desk, "haze", "patong-1/pm25")
    verdict = alert["verdict"]
    assert (verdict["kind"], verdict["cause"], verdict["confirmed"]) == ("event", None, True)
    assert {
        "en": "Kathu, 5.6 km away, sees the same.",
        "th": "กะทู้ ซึ่งห่าง 5.6 กม. ตรวจพบเช่นเดียวกัน",
    } in (verdict["evidence"])
    assert alert["severity"] == "critical"
    assert reasons(alert) == ["first-breach", "held", "confirmed"]
    assert "Kathu, 5.6 km away, sees the same." in alert["explanation"]["text"]["en"]
    said = " ".join(what for _, what in told(post, Channel.LINE))
    assert "haze@kathu-1:critical" in said
    assert "haze@patong-1:critical" in said
    assert told(post, Channel.EMAIL) == []
    goes_on(post, 30, {})
    over = told(post, Channel.LINE)[-1]
    assert over == ("resolved", "haze@kathu-1:over haze@patong-1:over")
    assert shown(desk, "haze", "patong-1/pm25")["severity"] == "critical"


def test_a_station_alone_whose_other_channels_stay_is_a_fault_for_technicians(post: Post) -> None:
    desk = DeskOf(post.world)
    goes_on(post, 60, {"patong-1": ALONE})
    alert = shown(desk, "haze", "patong-1/pm25")
    assert alert["verdict"]["kind"] == "sensor-fault"
    assert alert["severity"] == "warning"
    assert told(post, Channel.LINE) == []
    assert told(post, Channel.EMAIL) == [("first", "haze@patong-1:warning")]


def is_stuck_then_to_and_fro(post: Post) -> None:
    """A sensor that first stays at one value, and then swings."""
    goes_on(post, 180, {"patong-1": ALONE})
    for _ in range(10):
        goes_on(post, 10, {"patong-1": {"pm25": 110.0}})
        goes_on(post, 10, {"patong-1": ALONE})


def test_who_was_told_of_an_event_hears_that_it_was_the_sensor(post: Post) -> None:
    desk = DeskOf(post.world)
    goes_on(post, 30, {"patong-1": HAZE})
    assert told(post, Channel.LINE) == [("first", "haze@patong-1:warning")]
    is_stuck_then_to_and_fro(post)
    assert reasons(shown(desk, "haze", "patong-1/pm25")) == ["first-breach", "held", "judged"]
    assert told(post, Channel.LINE)[-1] == ("resolved", "haze@patong-1:over")
    assert told(post, Channel.EMAIL)[0] == ("first", "haze@patong-1:warning")


def test_influxdb_hears_of_each_verdict_and_of_the_last_one_when_it_is_filled_again(
    post: Post,
) -> None:
    goes_on(post, 30, {"patong-1": HAZE})
    is_stuck_then_to_and_fro(post)
    ledger = post.world.system.ledger
    told = [("held", "event"), ("judged", "stuck"), ("judged", "spike")]
    assert forwarded(post) == told  # the other cause concerns nobody, and is no transition
    with ledger.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM outflow")
    refill.begin(ledger, "another")
    while refill.refill(ledger, post.world.system.pipeline.registry.series):
        pass
    again = ("first-breach", "held", "judged")
    assert forwarded(post) == [(reason, "spike") for reason in again]


def forwarded(post: Post) -> list[tuple[str, str]]:
    """What InfluxDB is to be told of haze: (reason, verdict or cause of the fault)."""
    rows = post.world.rows("SELECT lines FROM outflow ORDER BY id")
    lines = b"\n".join(row.lines for row in rows).decode()
    found = re.findall(
        r'^alert,.*rule=haze.*reason="(.+?)".*verdict="(.+?)",cause="(.*?)"', lines, re.M
    )
    return [(reason, cause or kind) for reason, kind, cause in found]


def test_flagged_readings_that_are_a_fault_mute_what_is_said_of_their_series(post: Post) -> None:
    desk = DeskOf(post.world)
    goes_on(post, 400, {"patong-1": {"pm25": 41.0}})
    flagged = shown(desk, "in-doubt", "patong-1/pm25")
    assert (flagged["verdict"]["kind"], flagged["verdict"]["cause"]) == ("sensor-fault", "stuck")
    haze = shown(desk, "haze", "patong-1/pm25")
    assert {"kind": "inhibition", "id": flagged["id"]} in haze["muted_by"]


def test_a_composite_is_what_the_alerts_that_it_counts_are(joint: Post) -> None:
    desk = DeskOf(joint.world)
    goes_on(joint, 60, {"patong-1": HAZE, "kathu-1": HAZE})
    wide = shown(desk, "haze-wide", "city")
    assert (wide["verdict"]["kind"], wide["verdict"]["confirmed"]) == ("event", False)
    assert wide["severity"] == "warning"
    said = [one["en"] for one in wide["verdict"]["evidence"]]
    assert said[0] == "Of the 2 alerts that it counts, 2 are events and 0 are sensors."
    assert {one.partition(":")[0] for one in said[1:]} == {"Haze, Patong", "Haze, Kathu"}
    assert said[1] in wide["explanation"]["text"]["en"]


def test_a_composite_of_faults_is_the_technicians_business(joint: Post) -> None:
    goes_on(joint, 400, {"patong-1": {"pm25": 41.0}})
    both = shown(DeskOf(joint.world), "high-and-in-doubt", "site/patong")
    assert (both["verdict"]["kind"], both["verdict"]["cause"]) == ("sensor-fault", "stuck")
    assert not any("high-and" in what for _, what in told(joint, Channel.LINE))
    assert any("high-and" in what for _, what in told(joint, Channel.EMAIL))


def test_of_a_silent_gateway_nothing_is_said_but_that_it_is_not_the_place(post: Post) -> None:
    goes_on(post, 20, {})
    _pass(post, post.world.now + 60 * MINUTE)
    alert = shown(DeskOf(post.world), "gateway-silent", "gateway/gw")
    assert alert["verdict"]["kind"] == "unclear"
    said = alert["verdict"]["evidence"][0]["en"]
    assert said == "The gateway of 3 devices says nothing: its power or the network, not the place."


def test_a_restart_changes_no_verdict_and_a_replay_no_transition(post: Post) -> None:
    world = post.world
    goes_on(post, 60, {"patong-1": HAZE, "kathu-1": HAZE})
    query = "SELECT id, verdict, verdict_body, judge_at, severity FROM alerts ORDER BY id"
    before = world.rows(query)
    assert [row.verdict for row in before] == ["event", "event"]
    world.restart()
    world.pass_to(world.now + 1)
    assert world.rows(query) == before
    past = Past(world.system.settings.data_dir, world.system.settings.lateness_minutes * MINUTE)
    assert past.replayed(1000)[0] == past.recorded()
    past.close()


def test_a_site_does_not_look_worse_for_a_fault_of_its_sensor(post: Post) -> None:
    desk = DeskOf(post.world)
    goes_on(post, 30, {"patong-1": ALONE})
    assert desk.get("/v1/sites/patong")["state"] == "ok"
    goes_on(post, 60, {"kathu-1": HAZE, "town-1": HAZE})
    assert desk.get("/v1/sites/kathu")["state"] == "critical"
