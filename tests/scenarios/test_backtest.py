"""What rules would have done over what is stored, against what fired live and against labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.backtest import Label, labels_of
from core.errors import ConfigError
from core.times import HOUR
from tests.desk import DeskOf
from tests.world import MIDNIGHT, small_world

TRIAL: dict[str, Any] = {
    "id": "trial",
    "kind": "threshold",
    "name": {"en": "Trial", "th": "ลอง"},
    "parameter": "fill_level",
    "above": {"warning": 90},
    "clear": 60,
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    """A bin that was full twice within an hour."""
    with small_world(tmp_path) as world:
        for minute, value in enumerate((50, 85, 95, 50, 85, 50)):
            world.at(f"00:{minute * 10:02}").publish("bin-1", fill_level=float(value))
        world.at("01:00")
        yield DeskOf(world)


def backtest(desk: DeskOf, **more: Any) -> Any:
    asked = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-22T01:00:00Z"} | more
    response = desk.post("/v1/rules/backtest", asked)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_rules_in_force_would_have_fired_as_they_did(desk: DeskOf) -> None:
    found = backtest(desk)
    full = next(one for one in found["reports"] if one["rule"] == "bin-full")
    assert (found["readings"], full["firings"], full["open"]) == (6, 2, 0)
    assert (full["median_seconds"], full["longest_seconds"]) == (900.0, 1200.0)
    assert full["per_week"] == 2 * 7 * 24
    alerts = desk.get("/v1/alerts?rule=bin-full&state=resolved")["items"]
    live = [alert["fired_at"] for alert in alerts]
    assert [one["start"][:16] for one in found["firings"]] == [at[:16] for at in live]


def test_a_rule_is_tried_against_labels_and_nothing_is_stored(desk: DeskOf) -> None:
    before = desk.world.transitions()
    labels = [
        {"subject": "bin-1", "start": "2026-11-22T00:10:00Z", "end": "2026-11-22T00:30:00Z"},
        {"subject": "bin-1", "start": "2026-11-22T00:40:00Z", "end": "2026-11-22T00:50:00Z"},
        {"subject": "bin-2", "start": "2026-11-22T00:10:00Z", "end": "2026-11-22T00:30:00Z"},
    ]
    (report,) = backtest(desk, rules=[TRIAL], labels=labels)["reports"]
    assert report["firings"] == 1
    assert report["agreement"] == {
        "labels": 3,
        "right": 1,
        "found": 1,
        "precision": 1.0,
        "recall": pytest.approx(1 / 3),
        "delay_seconds": pytest.approx(600.0, abs=0.001),
    }
    assert desk.world.transitions() == before
    assert "trial" not in [rule["id"] for rule in desk.get("/v1/rules")["items"]]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"to": "2028-11-22"}, "to", id="too long"),
        pytest.param({"to": "2026-11-21"}, "to", id="backwards"),
        pytest.param({"rules": [TRIAL | {"clear": 95}]}, "rules", id="a rule that is wrong"),
        pytest.param({"rules": [TRIAL | {"abve": 1}]}, "rule.abve", id="a key that is none"),
    ],
)
def test_what_cannot_be_tried_is_refused(more: dict[str, Any], field: str, desk: DeskOf) -> None:
    asked = {"from": "2026-11-22", "to": "2026-11-23"} | more
    response = desk.post("/v1/rules/backtest", asked)
    assert (response.status_code, response.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            "a.csv",
            "rule,subject,start,end\n,bin-1,2026-11-22T00:00Z,2026-11-22T01:00Z\n",
            id="CSV",
        ),
        pytest.param(
            "a.json",
            '[{"subject": "bin-1", "start": "2026-11-22T00:00Z", "end": "2026-11-22T01:00Z"}]',
            id="JSON",
        ),
    ],
)
def test_labels_come_as_tables_and_as_json(name: str, text: str) -> None:
    assert labels_of(name, text) == [Label("", "bin-1", MIDNIGHT, MIDNIGHT + HOUR)]
    with pytest.raises(ConfigError, match=f"{name}: row 1: write start and end"):
        labels_of(name, text.replace("00:00Z", "soon"))
