"""Rules change while the system runs: what is open ends once, and the rest goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.times import iso
from tests.desk import DeskOf
from tests.world import CONFIGURATION, small_world

RULES = CONFIGURATION["rules.yaml"]
NOISE: dict[str, Any] = {
    "id": "noise",
    "kind": "threshold",
    "name": {"en": "Noise", "th": "เสียง"},
    "parameter": "noise",
    "above": {"info": 70},
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    """A small city before its API; a bin is full, and haze has begun."""
    with small_world(tmp_path) as world:
        world.at("00:01").publish("bin-1", fill_level=85.0).publish("air-1", pm25=60.0)
        yield DeskOf(world)


def write(desk: DeskOf, text: str) -> None:
    folder = desk.world.system.settings.config_dir
    (folder / "rules" / "rules.yaml").write_text(text, encoding="utf-8")


def reload(desk: DeskOf) -> list[str]:
    desk.world.now += 1
    response = desk.post("/v1/rules/reload", None)
    assert response.status_code == 200, response.text
    return [one["rule"] for one in response.json()["changed"]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(RULES.replace("warning: 80", "warning: 82"), "rule-changed", id="edited"),
        pytest.param(RULES.replace("id: bin-full", "id: bin-new"), "rule-removed", id="removed"),
    ],
)
def test_an_alert_of_a_rule_that_is_another_now_ends_once(
    text: str, reason: str, desk: DeskOf
) -> None:
    before = desk.world.transitions()
    write(desk, text)
    assert "bin-full" in reload(desk)
    assert desk.world.transitions() == [*before, ("bin-full", "resolved", reason)]
    assert reload(desk) == []
    desk.world.at("00:02").restart().at("00:03")
    assert desk.world.transitions()[len(before) + 1 :] == []


def test_alerts_go_on_where_an_older_ledger_does_not_know_what_rules_meant(desk: DeskOf) -> None:
    world = desk.world
    before = world.transitions()
    with world.system.ledger.transaction() as connection:
        connection.exec_driver_sql("UPDATE rule_versions SET meaning = ''")
        connection.exec_driver_sql("UPDATE units SET at = 0, interval = 0")
    world.restart().at("00:02")
    assert world.transitions() == before
    world.publish("bin-1", fill_level=10.0)
    assert world.transitions()[-1] == ("bin-full", "resolved", "back-in-range")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(RULES.replace("warning: 80", "warning: 82"), "rule-changed", id="edited"),
        pytest.param(RULES.replace("id: bin-full", "id: bin-new"), "rule-removed", id="removed"),
    ],
)
def test_what_was_edited_while_it_did_not_run_ends_at_the_start(
    text: str, reason: str, desk: DeskOf
) -> None:
    before = desk.world.transitions()
    write(desk, text)
    desk.world.at("00:04").restart()
    assert desk.world.transitions() == [*before, ("bin-full", "resolved", reason)]
    story = DeskOf(desk.world).get("/v1/rules/bin-full")
    (ended,) = desk.world.rows("SELECT at FROM transitions ORDER BY id DESC LIMIT 1")
    assert story["versions"][0]["since"] == iso(ended.at), "the moment is the same"
    desk.world.at("00:09:15")  # what nobody heard does not count
    assert desk.world.transitions()[len(before) + 1 :] == [("haze", "firing", "held")]


def test_timers_of_the_others_go_on(desk: DeskOf) -> None:
    desk.world.at("00:04")
    write(desk, RULES.replace("warning: 80", "warning: 82"))
    reload(desk)
    desk.world.at("00:05:59")
    assert ("haze", "firing", "held") not in desk.world.transitions()
    assert desk.world.at("00:06:15").transitions()[-1] == ("haze", "firing", "held")


def test_another_name_or_place_in_the_file_changes_nothing(desk: DeskOf) -> None:
    before = desk.world.transitions()
    write(desk, "# A remark.\n" + RULES.replace("en: Full", "en: Brimful"))
    assert reload(desk) == []
    assert desk.world.transitions() == before
    assert desk.get("/v1/alerts?rule=bin-full")["items"][0]["name"]["en"] == "Brimful"


def test_a_broken_file_changes_nothing_and_says_why(desk: DeskOf) -> None:
    before = desk.world.transitions()
    write(desk, RULES.replace("clear: 60", "clear: 90").replace("id: haze", "id: hazy"))
    response = desk.post("/v1/rules/reload", None)
    assert response.status_code == 409
    assert "rules.yaml:4: clear 90 is beyond the mildest level" in response.json()["detail"]
    with pytest.raises(ConfigError):
        desk.world.system.rules.reload("signal")
    assert desk.world.transitions() == before
    assert "haze" in [rule["id"] for rule in desk.get("/v1/rules")["items"]]


def test_every_version_is_kept_and_alerts_point_to_theirs(desk: DeskOf) -> None:
    (alert,) = desk.get("/v1/alerts?rule=bin-full")["items"]
    write(desk, RULES.replace("warning: 80", "warning: 82"))
    reload(desk)
    story = desk.get("/v1/rules/bin-full")
    assert [one["by"] for one in story["versions"]] == [story["versions"][0]["by"], "files"]
    assert story["versions"][1]["version"] == alert["version"] != story["version"]
    assert "warning: 80" in story["versions"][1]["text"]
    assert story["where"] == "rules/rules.yaml:3"
    write(desk, "rules: []\n")
    reload(desk)
    gone = desk.get("/v1/rules/bin-full")
    assert (gone["version"], gone["versions"][0]["version"]) == (None, None)


def test_a_rule_of_the_api_is_made_edited_disabled_and_enabled(desk: DeskOf) -> None:
    made = desk.post("/v1/rules", {"rule": NOISE})
    assert made.status_code == 201, made.text
    desk.world.at("00:02").publish("air-1", noise=75.0)
    assert desk.world.transitions()[-1] == ("noise", "firing", "first-breach")
    assert desk.put("/v1/rules/noise", {"rule": NOISE | {"above": {"info": 72}}}).is_success
    assert desk.world.transitions()[-1] == ("noise", "resolved", "rule-changed")
    desk.world.at("00:03").publish("air-1", noise=75.0).restart()
    assert desk.get("/v1/alerts?rule=noise&state=firing")["items"]
    assert desk.post("/v1/rules/noise/disable", None).json()["version"] is None
    assert desk.world.transitions()[-1] == ("noise", "resolved", "rule-removed")
    assert desk.post("/v1/rules/noise/enable", None).json()["version"] is not None
    actions = [
        line["action"] for line in desk.get("/v1/audit")["items"] if "rule" in line["action"]
    ]
    assert actions == ["rule-enable", "rule-disable", "rule-edit", "rule-create"]


def test_a_rule_of_the_api_is_deleted_and_what_it_said_stays(desk: DeskOf) -> None:
    assert desk.post("/v1/rules", {"rule": NOISE}).status_code == 201
    desk.world.at("00:02").publish("air-1", noise=75.0)
    assert desk.delete("/v1/rules/noise").status_code == 204
    assert desk.world.transitions()[-1] == ("noise", "resolved", "rule-removed")
    told = desk.world.transitions()
    desk.world.at("00:03").publish("air-1", noise=76.0).restart().at("00:04")
    assert desk.world.transitions() == told
    desk = DeskOf(desk.world)
    assert "noise" not in [rule["id"] for rule in desk.get("/v1/rules")["items"]]
    story = desk.get("/v1/rules/noise")
    assert [one["version"] is None for one in story["versions"]] == [True, False]
    (line,) = [one for one in desk.get("/v1/audit")["items"] if one["action"] == "rule-delete"]
    assert (line["subject"], line["key"]) == ("noise", story["versions"][0]["by"])
    assert desk.delete("/v1/rules/noise").status_code == 404
    assert desk.post("/v1/rules", {"rule": NOISE}).status_code == 201


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param("haze", "rules.yaml:5; edit the file", id="of a file"),
        pytest.param("noise", "the rule both needs it", id="another one needs it"),
    ],
)
def test_what_cannot_be_deleted_stays(rule: str, words: str, desk: DeskOf) -> None:
    names = NOISE["name"]
    both = {"id": "both", "kind": "composite", "name": names, "of": ["noise", "haze"], "need": 2}
    desk.post("/v1/rules", {"rule": NOISE})
    assert desk.post("/v1/rules", {"rule": both}).status_code == 201
    before = desk.get("/v1/rules"), desk.get("/v1/audit")
    response = desk.delete(f"/v1/rules/{rule}")
    assert (response.status_code, words in response.json()["detail"]) == (409, True)
    assert (desk.get("/v1/rules"), desk.get("/v1/audit")) == before


def test_a_file_that_names_a_rule_of_the_api_is_refused_and_wins_at_a_start(desk: DeskOf) -> None:
    assert desk.post("/v1/rules", {"rule": NOISE}).status_code == 201
    desk.world.at("00:02").publish("air-1", noise=75.0)
    own = "  - {id: noise, kind: threshold, name: {en: N, th: น}, parameter: noise, "
    write(desk, RULES + own + "above: {info: 72}}\n")
    before = desk.world.transitions()
    response = desk.post("/v1/rules/reload", None)
    assert response.status_code == 409
    assert "rules.yaml:9: the API made a rule noise before; delete" in response.json()["detail"]
    assert desk.world.transitions() == before
    desk.world.at("00:03").restart()
    assert desk.world.transitions() == [*before, ("noise", "resolved", "rule-changed")]
    desk = DeskOf(desk.world)
    assert desk.get("/v1/rules/noise")["where"] == "rules/rules.yaml:9"
    assert reload(desk) == []


@pytest.mark.parametrize(
    ("method", "path", "rule", "status", "words"),
    [
        pytest.param(
            "post",
            "",
            NOISE | {"id": "haze"},
            409,
            "rule of this name (rules/rules.yaml:5)",
            id="taken",
        ),
        pytest.param("post", "", NOISE | {"abve": 3}, 400, "rule.abve", id="a key"),
        pytest.param("post", "", NOISE | {"parameter": "din"}, 400, "not in the catal", id="what"),
        pytest.param("put", "/haze", NOISE | {"id": "haze"}, 409, "rules.yaml:5", id="of a file"),
        pytest.param("put", "/noise", NOISE, 404, "/v1/rules lists", id="not there"),
    ],
)
def test_what_cannot_be_changes_nothing(
    method: str, path: str, rule: dict[str, Any], status: int, words: str, desk: DeskOf
) -> None:
    before = desk.get("/v1/rules"), desk.get("/v1/audit")
    response = getattr(desk, method)(f"/v1/rules{path}", {"rule": rule})
    assert (response.status_code, words in response.json()["detail"]) == (status, True)
    assert (desk.get("/v1/rules"), desk.get("/v1/audit")) == before
