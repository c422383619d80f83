"""What officers do to alerts, what it brings about, and what happens when they do nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.times import HOUR, MINUTE, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, small_world

ESCALATION = """
ladders:
  - {severity: critical, kinds: [bin],
     levels: [{name: on-duty, after: 15m}, {name: head, after: 1h}]}
  - {severity: warning, levels: [{name: on-duty, after: 2h}]}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    with small_world(tmp_path, {"escalation": ESCALATION}) as world:
        yield DeskOf(world)


def full(desk: DeskOf, level: float = 85.0) -> str:
    """The id of the alert of a bin that is so full."""
    desk.world.publish("bin-1", fill_level=level)
    (alert,) = desk.get("/v1/alerts?state=firing")["items"]
    return str(alert["id"])


def act(desk: DeskOf, alert: str, what: str, **asked: Any) -> Any:
    response = desk.post(f"/v1/alerts/{alert}/{what}", asked)
    assert response.status_code == 200, response.text
    return response.json()


def reasons(desk: DeskOf, alert: str) -> list[str]:
    return [t["reason"] for t in desk.get(f"/v1/alerts/{alert}")["transitions"]]


# --- actions ---


def test_an_alert_is_acknowledged_assigned_and_commented(desk: DeskOf) -> None:
    desk.world.at("00:10")
    alert = full(desk)
    seen = act(desk, alert, "acknowledge", note="on my way")
    assert (seen["state"], seen["acknowledged"]["by"]) == ("firing", "someone")
    assert act(desk, alert, "assign", to="Somchai")["assigned_to"] == "Somchai"
    act(desk, alert, "comment", note="a tyre")
    story = desk.get(f"/v1/alerts/{alert}")["transitions"]
    assert [t["reason"] for t in story] == ["first-breach", "acknowledged", "assigned", "commented"]
    assert story[1]["evidence"] == {"by": "someone", "note": "on my way"}
    assert story[0]["evidence"]["level"] == 80.0
    assert desk.get(f"/v1/alerts/{alert}")["evidence"]["level"] == 80.0, "it is why there is one"


def test_each_change_leaves_a_line_in_the_audit(desk: DeskOf) -> None:
    alert = full(desk)
    act(desk, alert, "acknowledge", note="on my way")
    act(desk, alert, "resolve", note="mended")
    lines = desk.get("/v1/audit")["items"]
    told = [(line["action"], line["subject"], line["detail"]) for line in lines[:2]]
    assert told == [
        ("alert-resolve", alert, "mended"),
        ("alert-acknowledge", alert, "on my way"),
    ]
    assert lines[0]["key"] == desk.admin.split("_")[1]


def test_the_same_again_changes_nothing(desk: DeskOf) -> None:
    alert = full(desk)
    for _ in range(2):
        act(desk, alert, "acknowledge", note="on my way")
    for _ in range(2):
        act(desk, alert, "comment", note="a tyre")
    for _ in range(2):
        act(desk, alert, "resolve", note="mended")
    assert reasons(desk, alert) == ["first-breach", "acknowledged", "commented", "by-hand"]


def test_what_is_resolved_by_hand_stays_quiet_until_it_gets_worse(desk: DeskOf) -> None:
    alert = full(desk)
    assert act(desk, alert, "resolve", note="mended")["state"] == "resolved"
    desk.world.at("00:10").publish("bin-1", fill_level=86.0)
    assert desk.get("/v1/alerts?state=open")["items"] == []
    desk.world.at("00:20").publish("bin-1", fill_level=97.0)
    (worse,) = desk.get("/v1/alerts?state=open")["items"]
    assert (worse["severity"], worse["id"] != alert) == ("critical", True)


def test_an_alert_is_reopened(desk: DeskOf) -> None:
    alert = full(desk)
    act(desk, alert, "resolve", note="mended")
    assert act(desk, alert, "reopen", note="it is not")["state"] == "firing"
    assert desk.post(f"/v1/alerts/{alert}/reopen", {"note": "again"}).status_code == 409


def test_a_shelved_alert_is_muted_until_its_time_also_after_a_restart(desk: DeskOf) -> None:
    alert = full(desk)
    shelved = act(desk, alert, "shelve", lasts="1h", note="the boat is in the way")
    assert shelved["shelved_until"].startswith("2026-11-22T01:00:00")
    assert shelved["muted_by"] == [{"kind": "shelf", "id": alert}]
    desk.world.at("00:30").restart()
    desk = DeskOf(desk.world)
    assert desk.get(f"/v1/alerts/{alert}")["marks"] == ["shelved"]
    desk.world.at("01:02")
    assert reasons(desk, alert)[-1] == "unshelved"
    assert desk.get(f"/v1/alerts/{alert}")["muted_by"] == []


def test_a_shelf_can_be_emptied_early(desk: DeskOf) -> None:
    alert = full(desk)
    act(desk, alert, "shelve", until=iso(MIDNIGHT + 5 * HOUR), note="r")
    assert act(desk, alert, "unshelve")["muted_by"] == []
    assert desk.post(f"/v1/alerts/{alert}/unshelve", {"note": "again"}).status_code == 409


@pytest.mark.parametrize(
    ("what", "asked", "words"),
    [
        pytest.param("acknowledge", {}, "over", id="acknowledge"),
        pytest.param("assign", {"to": "Somchai"}, "over", id="assign"),
        pytest.param("shelve", {"lasts": "1h", "note": "r"}, "over", id="shelve"),
        pytest.param("resolve", {"note": "r"}, "over", id="resolve"),
        pytest.param("unshelve", {}, "over", id="unshelve"),
    ],
)
def test_what_is_over_can_only_be_reopened(
    desk: DeskOf, what: str, asked: dict[str, Any], words: str
) -> None:
    alert = full(desk)
    desk.world.at("00:10").publish("bin-1", fill_level=10.0)
    response = desk.post(f"/v1/alerts/{alert}/{what}", asked)
    assert response.status_code == 409
    assert words in response.json()["detail"]


def test_what_ended_long_ago_cannot_be_reopened(desk: DeskOf) -> None:
    alert = full(desk)
    desk.world.at("00:10").publish("bin-1", fill_level=10.0).at("02:00")
    response = desk.post(f"/v1/alerts/{alert}/reopen", {"note": "r"})
    assert response.status_code == 409
    assert "too long ago" in response.json()["detail"]


@pytest.mark.parametrize(
    ("what", "asked", "field"),
    [
        pytest.param("comment", {}, "note", id="nothing said"),
        pytest.param("resolve", {"note": ""}, "note", id="no reason"),
        pytest.param("assign", {}, "to", id="to nobody"),
        pytest.param("shelve", {"note": "r"}, "until", id="no end"),
        pytest.param("shelve", {"note": "r", "lasts": "32d"}, "lasts", id="too long"),
        pytest.param(
            "shelve", {"note": "r", "until": "2026-11-21T00:00:00Z"}, "until", id="in the past"
        ),
        pytest.param("acknowledge", {"by": "me"}, "by", id="unknown"),
    ],
)
def test_a_wrong_body_is_refused_by_its_field(
    desk: DeskOf, what: str, asked: dict[str, Any], field: str
) -> None:
    response = desk.post(f"/v1/alerts/{full(desk)}/{what}", asked)
    assert (response.status_code, response.json()["field"]) == (400, field)


def test_there_must_be_an_alert(desk: DeskOf) -> None:
    assert desk.post("/v1/alerts/no/acknowledge", {}).status_code == 404


# --- escalation ---


def escalation(desk: DeskOf, alert: str) -> tuple[int, str | None, str | None]:
    shown = desk.get(f"/v1/alerts/{alert}")["escalation"]
    return shown["level"], shown["name"], shown["next"]


def test_what_nobody_acknowledges_is_escalated_level_by_level(desk: DeskOf) -> None:
    alert = full(desk, 97.0)
    began = desk.world.now
    assert escalation(desk, alert) == (0, None, "on-duty")
    due = desk.get(f"/v1/alerts/{alert}")["escalation"]["next_at"]
    assert due == iso(began + 15 * MINUTE)
    desk.world.at("00:15")
    assert escalation(desk, alert) == (0, None, "on-duty")
    desk.world.at("00:15:01")
    assert escalation(desk, alert) == (1, "on-duty", "head")
    desk.world.at("01:00:01")
    assert escalation(desk, alert) == (2, "head", None)
    desk.world.at("09:00")
    assert reasons(desk, alert) == ["first-breach", "escalated", "escalated"]
    told = desk.get(f"/v1/alerts/{alert}")["transitions"][-1]
    assert told["evidence"] == {"escalation": 2, "to": "head"}
    assert (told["before"], told["after"]) == ("firing", "firing")


def test_an_acknowledgement_ends_it(desk: DeskOf) -> None:
    alert = full(desk, 97.0)
    desk.world.at("00:10")
    act(desk, alert, "acknowledge")
    desk.world.at("02:00")
    assert reasons(desk, alert) == ["first-breach", "acknowledged"]
    assert desk.get(f"/v1/alerts/{alert}")["escalation"]["next_at"] is None


def test_what_gets_worse_than_was_acknowledged_is_escalated_anew(desk: DeskOf) -> None:
    alert = full(desk)
    act(desk, alert, "acknowledge")
    desk.world.at("00:10").publish("bin-1", fill_level=97.0).at("00:26")
    assert reasons(desk, alert) == ["first-breach", "acknowledged", "worsened", "escalated"]


def test_it_goes_on_after_restarts_and_outlives_what_was_missed(desk: DeskOf) -> None:
    alert = full(desk, 97.0)
    desk.world.at("00:10").restart().at("00:14").restart()
    desk.world.now += 2 * HOUR  # nobody is there
    desk.world.restart().at("02:15")
    assert reasons(DeskOf(desk.world), alert) == ["first-breach", "escalated", "escalated"]


def test_a_shelved_alert_is_not_escalated_until_it_is_told_of_again(desk: DeskOf) -> None:
    alert = full(desk, 97.0)
    act(desk, alert, "shelve", lasts="30m", note="r")
    desk.world.at("00:29")
    assert reasons(desk, alert) == ["first-breach", "shelved"]
    desk.world.at("00:31")
    assert reasons(desk, alert) == ["first-breach", "shelved", "unshelved", "escalated"]


def test_what_is_over_is_not_escalated(desk: DeskOf) -> None:
    alert = full(desk, 97.0)
    desk.world.at("00:10").publish("bin-1", fill_level=10.0).at("02:00")
    assert reasons(desk, alert) == ["first-breach", "back-in-range"]


def test_a_silence_holds_the_escalation_back_and_says_so(desk: DeskOf) -> None:
    full(desk, 97.0)
    body = {"matchers": ["site=bin"], "reason": "r", "lasts": "2h"}
    assert desk.post("/v1/silences", body).status_code == 201
    desk.world.at("00:20")
    (held,) = desk.get("/v1/silences/1")["transitions"]
    assert held["reason"] == "escalated"
