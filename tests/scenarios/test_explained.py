"""An alert tells why it is there: its readings, its neighbours, the rain, the standard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.times import SECOND, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, small_world

SITES = """
timezone: Asia/Bangkok
sites:
  - {id: patong, kind: beach, name: {en: Patong, th: ป่าตอง}, latitude: 7.8965,
     longitude: 98.2955, district: kathu,
     quality: {turbidity: {spike: null, spike_fail: null, rate: null}}}
  - {id: karon, kind: beach, name: {en: Karon, th: กะรน}, latitude: 7.8465,
     longitude: 98.2945, district: mueang}
  - {id: mai-khao, kind: beach, name: {en: Mai Khao, th: ไม้ขาว}, latitude: 8.133,
     longitude: 98.299, district: thalang}
"""
DEVICES = """
gateways:
  - {id: gw, name: {en: Gateway, th: เกตเวย์}}
devices:
  - {id: patong-1, gateway: gw, site: patong, since: 2026-01-01}
  - {id: karon-1, gateway: gw, site: karon, since: 2026-01-01}
  - {id: karon-2, gateway: gw, site: karon, since: 2026-01-01}
  - {id: mai-khao-1, gateway: gw, site: mai-khao, since: 2026-01-01}
"""
NEWEST = (
    "The last 2 readings lay between 3 NTU and 61.5 NTU, the newest is 61.5 NTU "
    "(22 Nov 2026 07:05)."
)
RULES = """
rules:
  - {id: foul, kind: threshold, name: {en: Foul, th: เน่า}, parameter: turbidity,
     above: {warning: notice-turbid, critical: 100}, clear: 15, source: Ours.}
  - {id: sour, kind: threshold, name: {en: Sour, th: เปรี้ยว}, parameter: ph, below: {info: 7}}
  - {id: murky, kind: threshold, name: {en: Murky, th: ขุ่น}, parameter: turbidity,
     above: {info: 20}, shadow: true}
"""
NOTICE = """
limits:
  - {id: notice-turbid, parameter: turbidity, value: 25, title: {en: At most, th: ไม่เกิน},
     source: A notice, date: "2017", verified: false}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    folder = tmp_path / "config"
    (folder / "standards").mkdir(parents=True)
    (folder / "standards" / "notice.yaml").write_text(NOTICE, encoding="utf-8")
    with small_world(tmp_path, {"sites": SITES, "devices": DEVICES, "rules": RULES}) as world:
        yield DeskOf(world)


def why(desk: DeskOf, rule: str) -> Any:
    (alert,) = desk.get(f"/v1/alerts?rule={rule}")["items"]
    return desk.get(f"/v1/alerts/{alert['id']}")["explanation"]


def test_an_alert_is_explained(desk: DeskOf) -> None:
    desk.world.publish("patong-1", turbidity=3.0)
    desk.world.at("00:04").publish("karon-1", ph=6.5, rain=12.0).publish("karon-2", turbidity=4.1)
    desk.world.publish("mai-khao-1", turbidity=5.0, rain=1.0)
    desk.world.at("00:05").publish("patong-1", turbidity=61.5)
    desk.world.at("01:05")
    work = {"device": "patong-1", "work": "cleaning", "from": "2026-11-21T23:00:00Z"}
    work |= {"to": "2026-11-21T23:30:00Z", "note": "algae", "by": "Somchai"}
    assert desk.post("/v1/service-log", work).status_code == 201
    explained = why(desk, "foul")
    assert explained["text"]["en"].splitlines()[1:] == [
        "Turbidity of patong-1 at Patong was 61.5 NTU, 36.5 NTU above the limit of 25 NTU.",
        "It began at 22 Nov 2026 07:05 and has lasted 1 h.",
        "It can end at 15 NTU or less.",
        "It is unclear whether it is the place or the sensor.",
        NEWEST,
        "The quality tests object to none of them.",
        "karon-2 at Karon, 5.6 km away, reads 4.1 NTU (22 Nov 2026 07:04).",
        "Rain at Karon, 5.6 km away: 12 mm/h (22 Nov 2026 07:04).",
        "Work on patong-1: cleaning, from 22 Nov 2026 06:00.",
        "Also at Karon: Sour, info, since 22 Nov 2026 07:04.",
        "The limit is At most, 25 NTU: A notice (2017).",
        "About the limit: Ours.",
        explained["text"]["en"].splitlines()[-1],
    ]
    assert [point["value"] for point in explained["recent"]] == [3.0, 61.5]
    assert [near["device"] for near in explained["neighbours"]] == ["karon-2"], "the near ones"
    assert explained["standards"][0]["id"] == "notice-turbid"
    for address in explained["links"].values():
        assert desk.get(address), address


def test_a_standard_is_named_only_where_it_is_the_level(desk: DeskOf) -> None:
    desk.world.at("00:05").publish("patong-1", turbidity=120.0)
    assert why(desk, "foul")["standards"] == []


def test_many_readings_are_thinned_and_the_newest_stays(desk: DeskOf) -> None:
    desk.world.at("00:05")
    for second in range(200):
        measured = MIDNIGHT + second * SECOND
        desk.world.publish("patong-1", turbidity=float(second), measured=measured)
    points = why(desk, "foul")["recent"]
    assert len(points) <= 48
    assert points[-1]["measured_at"] == iso(MIDNIGHT + 199 * SECOND)
    assert points == sorted(points, key=lambda point: point["measured_at"])


def test_what_is_over_is_explained_as_it_was(desk: DeskOf) -> None:
    desk.world.at("00:05").publish("patong-1", turbidity=61.5)
    desk.world.at("00:10").publish("patong-1", turbidity=3.0)
    desk.world.at("09:00").publish("karon-1", ph=6.5)
    lines = why(desk, "foul")["text"]["en"].splitlines()
    assert lines[0] == "Foul: warning, over."
    assert "It began at 22 Nov 2026 07:05 and lasted 5 min." in lines
    assert not [line for line in lines if line.startswith("Also")], "that came later"


def test_rules_on_trial_are_no_news_to_others(desk: DeskOf) -> None:
    desk.world.at("00:05").publish("patong-1", turbidity=61.5, ph=6.5)
    assert desk.get("/v1/alerts?rule=murky&shadow=true")["items"]
    assert [other["rule"] for other in why(desk, "foul")["alerts"]] == ["sour"]


def test_an_alert_about_the_system_has_no_place(desk: DeskOf) -> None:
    for seq in (1, 3):
        body = f'{{"epoch": "a", "seq": {seq}, "device": "patong-1", "values": {{"ph": 8}}}}'
        desk.world.send(body.encode())
    desk.world.at("00:05")
    explained = why(desk, "gateway-gap")
    assert "1 messages of the gateway gw have not come" in explained["text"]["en"]
    assert explained["neighbours"] == explained["recent"] == []
