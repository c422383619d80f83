"""What officers silence is held back and counted, and nothing else is touched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.times import HOUR, iso
from tests.desk import DeskOf
from tests.world import CONFIGURATION, MIDNIGHT, small_world

MAINTENANCE = """
windows:
  - {id: cleaning, reason: bins are washed, matchers: ['kind="bin"'],
     days: [sun], from: "22:00", to: "02:00"}
"""
RULES = """
rules:
  - {id: bin-full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80}, clear: 60}
  - {id: a-bin-spills, kind: threshold, name: {en: Spills, th: ล้น}, parameter: fill_level,
     above: {critical: 95}, clear: 60}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    """The bins of a city that is seven hours ahead, before its API."""
    sites = "timezone: Asia/Bangkok" + CONFIGURATION["sites.yaml"]
    files = {"sites": sites, "rules": RULES, "maintenance": MAINTENANCE}
    with small_world(tmp_path, files) as world:
        yield DeskOf(world)


def silence(desk: DeskOf, **asked: Any) -> dict[str, Any]:
    body = {"matchers": ['site="bin"'], "reason": "market day", "lasts": "2h"} | asked
    response = desk.post("/v1/silences", body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def alerts(desk: DeskOf) -> dict[str, list[tuple[str, str]]]:
    """By rule, what holds its alert back now."""
    return {
        alert["rule"]: [(mute["kind"], mute["id"]) for mute in alert["muted_by"]]
        for alert in desk.get("/v1/alerts")["items"]
    }


def audit(desk: DeskOf) -> list[tuple[str, str]]:
    return [(line["action"], line["key"]) for line in desk.get("/v1/audit")["items"]][::-1]


def test_a_silence_made_before_holds_back_counts_and_lists(desk: DeskOf) -> None:
    made = silence(desk)
    desk.world.at("00:10").publish("bin-1", fill_level=85.0)
    assert desk.world.transitions() == [("bin-full", "firing", "first-breach")]
    assert alerts(desk) == {"bin-full": [("silence", "1")]}
    shown = desk.get(f"/v1/silences/{made['id']}")
    assert (shown["state"], shown["held_back"]) == ("active", 1)
    assert [t["reason"] for t in shown["transitions"]] == ["first-breach"]
    (told,) = desk.get("/v1/transitions")["items"]
    assert told["held_back"] == [{"kind": "silence", "id": "1"}]


def test_a_silence_made_after_holds_back_what_follows(desk: DeskOf) -> None:
    desk.world.at("00:10").publish("bin-1", fill_level=85.0)
    assert alerts(desk) == {"bin-full": []}
    made = silence(desk)
    assert alerts(desk) == {"bin-full": [("silence", "1")]}
    assert made["held_back"] == 0
    desk.world.at("00:20").publish("bin-1", fill_level=10.0)
    assert [t["state"] for t in desk.get("/v1/silences/1")["transitions"]] == ["resolved"]
    assert alerts(desk) == {"bin-full": []}, "what is over is held back no more"


def test_a_silence_that_has_ended_or_not_begun_holds_nothing_back(desk: DeskOf) -> None:
    silence(desk, lasts="30m")
    silence(desk, starts=iso(MIDNIGHT + 3 * HOUR))
    desk.world.at("01:00").publish("bin-1", fill_level=85.0)
    assert alerts(desk) == {"bin-full": []}
    desk.world.at("03:30")
    assert alerts(desk) == {"bin-full": [("silence", "2")]}, "the alert is still there"
    assert [s["held_back"] for s in desk.get("/v1/silences?state=all")["items"]] == [0, 0]


def test_its_end_is_announced_and_told_once_each_also_after_restarts(desk: DeskOf) -> None:
    silence(desk, lasts="4h")
    desk.world.at("02:59:59")
    assert audit(desk)[-1][0] == "silence-made"
    desk.world.at("03:00:00")
    assert audit(desk)[-1] == ("silence-ending", "andaman")
    desk.world.restart()
    assert DeskOf(desk.world).get("/v1/silences")["items"][0]["announced_at"] == iso(
        MIDNIGHT + 3 * HOUR
    )
    desk.world.at("04:00:00").restart().at("04:10")
    told = [action for action, _ in audit(DeskOf(desk.world)) if action.startswith("silence")]
    assert told == ["silence-made", "silence-ending", "silence-ended"]


def test_a_short_silence_is_announced_at_its_half(desk: DeskOf) -> None:
    silence(desk, lasts="10m")
    desk.world.at("00:04:59")
    assert audit(desk)[-1][0] == "silence-made"
    desk.world.at("00:05:00")
    assert audit(desk)[-1][0] == "silence-ending"


def test_a_silence_ends_early_by_hand(desk: DeskOf) -> None:
    silence(desk)
    desk.world.at("00:10").publish("bin-1", fill_level=85.0)
    answer = desk.post("/v1/silences/1/expire", {"note": "over"})
    assert (answer.status_code, answer.json()["state"]) == (200, "expired")
    assert alerts(desk) == {"bin-full": []}
    assert audit(desk)[-1][0] == "silence-expired"
    assert desk.post("/v1/silences/1/expire", {}).status_code == 409
    desk.world.at("03:00")
    assert audit(desk)[-1][0] == "silence-expired", "its end is told once"


def test_a_silence_outlives_a_restart(desk: DeskOf) -> None:
    silence(desk)
    desk.world.at("00:10").restart().publish("bin-1", fill_level=85.0)
    assert alerts(DeskOf(desk.world)) == {"bin-full": [("silence", "1")]}


def test_a_window_is_open_beyond_midnight_in_the_city(desk: DeskOf) -> None:
    """Sunday 22:00 in Bangkok is 15:00 UTC; it closes at 19:00."""
    desk.world.at("14:59").publish("bin-1", fill_level=85.0)
    assert alerts(desk) == {"bin-full": []}
    desk.world.at("18:59").publish("bin-1", fill_level=10.0)
    shown = desk.get("/v1/maintenance/cleaning")
    assert shown["open"]
    assert [t["state"] for t in shown["transitions"]] == ["resolved"]
    desk.world.at("19:00").publish("bin-2", gateway="other", fill_level=85.0)
    assert alerts(desk) == {"bin-full": []}
    assert desk.get("/v1/maintenance/cleaning")["held_back"] == 1


def test_a_window_can_be_made_and_removed_by_the_api(desk: DeskOf) -> None:
    body = {"id": "w", "reason": "r", "matchers": ["kind=bin"], "days": ["sun"]}
    body |= {"from": "07:00", "to": "24:00"}
    made = desk.post("/v1/maintenance", body)
    assert (made.status_code, made.json()["open"], made.json()["by"]) == (201, True, "someone")
    assert desk.post("/v1/maintenance", body).status_code == 409
    assert desk.post("/v1/maintenance", body | {"id": "cleaning"}).status_code == 409
    desk.world.at("00:10").restart().publish("bin-1", fill_level=85.0)
    desk = DeskOf(desk.world)
    assert alerts(desk) == {"bin-full": [("maintenance", "w")]}
    assert desk.delete("/v1/maintenance/w").status_code == 204
    assert alerts(desk) == {"bin-full": []}
    assert desk.delete("/v1/maintenance/w").status_code == 404
    assert desk.delete("/v1/maintenance/cleaning").status_code == 409
    made_and_removed = [a for a, _ in audit(desk) if a.startswith("maintenance")]
    assert made_and_removed == ["maintenance-made", "maintenance-removed"]


def test_critical_mutes_warning_whichever_comes_first(desk: DeskOf) -> None:
    desk.world.at("00:10").publish("bin-1", fill_level=99.0)
    critical = next(a["id"] for a in desk.get("/v1/alerts")["items"] if a["severity"] == "critical")
    assert alerts(desk) == {"a-bin-spills": [], "bin-full": [("inhibition", critical)]}
    held = "SELECT t.rule, h.kind, h.id FROM held_back h JOIN transitions t ON t.id = h.transition"
    assert desk.world.rows(held) == [("bin-full", "inhibition", critical)]
    desk.world.at("00:20").publish("bin-2", gateway="other", fill_level=85.0)
    assert alerts(desk)["bin-full"] == [("inhibition", critical)]
    desk.world.at("00:30").publish("bin-1", fill_level=10.0)
    assert alerts(desk)["bin-full"] == [], "the inhibitor is gone"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param({"matchers": []}, "matchers", id="nothing"),
        pytest.param({"matchers": ['site=~".*"']}, "matchers", id="everything unsaid"),
        pytest.param({"matchers": ["site=~(a"]}, "matchers", id="no pattern"),
        pytest.param({"reason": ""}, "reason", id="no reason"),
        pytest.param({"lasts": None}, "ends", id="no end"),
        pytest.param({"ends": "2026-11-22T09:00:00Z"}, "ends", id="two ends"),
        pytest.param({"lasts": None, "ends": "2026-11-21T09:00:00Z"}, "ends", id="past"),
        pytest.param({"lasts": "400d"}, "lasts", id="too long"),
        pytest.param({"lasts": "soon"}, "lasts", id="no duration"),
        pytest.param({"lasts": 0}, "lasts", id="no time at all"),
        pytest.param({"starts": "2026-11-22T09:00:00"}, "starts", id="no zone"),
        pytest.param({"by": "me"}, "by", id="unknown"),
    ],
)
def test_a_wrong_silence_is_refused_by_its_field(
    desk: DeskOf, asked: dict[str, Any], field: str
) -> None:
    body = {"matchers": ["site=bin"], "reason": "market day", "lasts": "2h"} | asked
    response = desk.post("/v1/silences", body)
    assert (response.status_code, response.json()["field"]) == (400, field)
    assert desk.get("/v1/silences?state=all")["items"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param({"id": "a b"}, "id", id="id"),
        pytest.param({"matchers": []}, "matchers", id="nothing"),
        pytest.param({"days": []}, "month_days", id="never"),
        pytest.param({"days": ["someday"]}, "days.0", id="no day"),
        pytest.param({"from": 22}, "from", id="no time"),
        pytest.param({"to": "22:00"}, "to", id="no length"),
        pytest.param({"zone": "UTC"}, "zone", id="unknown"),
    ],
)
def test_a_wrong_window_is_refused_by_its_field(
    desk: DeskOf, asked: dict[str, Any], field: str
) -> None:
    body = {"id": "w", "reason": "r", "matchers": ["kind=bin"], "days": ["sun"]}
    body |= {"from": "22:00", "to": "02:00"} | asked
    response = desk.post("/v1/maintenance", body)
    assert (response.status_code, response.json()["field"]) == (400, field)


def test_everything_can_be_silenced_when_it_is_said(desk: DeskOf) -> None:
    silence(desk, matchers=[], everything=True)
    desk.world.at("00:10").publish("bin-1", fill_level=85.0)
    assert alerts(desk) == {"bin-full": [("silence", "1")]}


def test_a_gateway_that_is_gone_mutes_the_silence_of_its_devices(tmp_path: Path) -> None:
    rules = """
rules:
  - {id: device-silent, kind: missing, name: {en: Silent, th: เงียบ}, every: 5m, above: {warning: 3}}
  - {id: gateway-silent, kind: missing, of: gateway, name: {en: Gone, th: หาย}, every: 5m,
     above: {critical: 3}}
"""
    with small_world(tmp_path, {"rules": rules}) as world:
        for minute in range(0, 20, 5):
            world.at(f"00:{minute:02}").publish("bin-2", gateway="other", fill_level=10.0)
        world.publish("bin-1", fill_level=10.0).at("00:45")
        desk = DeskOf(world)
        shown = {alert["subject"]: alert for alert in desk.get("/v1/alerts")["items"]}
        for device, gateway in (("bin-1", "gw"), ("bin-2", "other")):
            inhibitor = shown[f"gateway/{gateway}"]
            held = [{"kind": "inhibition", "id": inhibitor["id"]}]
            assert (shown[device]["muted_by"], inhibitor["muted_by"]) == (held, [])
        world.publish("patong-1", ph=8.0)
        shown = {alert["subject"]: alert for alert in desk.get("/v1/alerts?state=open")["items"]}
        assert "gateway/gw" not in shown, "it is heard by another device"
        assert shown["bin-1"]["muted_by"] == []
