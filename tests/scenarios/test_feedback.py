"""Officers say what alerts were; rules are measured by it, and nothing changes by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.times import MINUTE
from tests.desk import DeskOf
from tests.world import small_world

LABELS = ("true", "false", "true", "sensor", "true", "false", "test")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    """Seven episodes of haze: those that are true lasted half an hour, the others eight minutes."""
    with small_world(tmp_path) as world:
        for label in LABELS:
            for minute in range(60):
                hazy = minute < (30 if label == "true" else 8)
                world.now += MINUTE
                world.system.pipeline.tick(world.now)
                world.publish("air-1", pm25=50.0 if hazy else 10.0)
        made = DeskOf(world)
        for label, alert in zip(LABELS, _oldest_first(made), strict=True):
            answer = made.post(f"/v1/alerts/{alert}/label", {"label": label, "note": "seen"})
            assert answer.json()["label"]["label"] == label
        yield made


def _oldest_first(desk: DeskOf) -> list[str]:
    return [alert["id"] for alert in desk.get("/v1/alerts?rule=haze")["items"]][::-1]


def test_a_label_is_kept_and_audited_and_the_last_word_counts(desk: DeskOf) -> None:
    alert = _oldest_first(desk)[0]
    desk.post(f"/v1/alerts/{alert}/label", {"label": "true", "note": "seen"})  # the same again
    answer = desk.post(f"/v1/alerts/{alert}/label", {"label": "sensor", "note": "weed"})
    assert {"label": "sensor", "by": "someone", "note": "weed"}.items() <= answer.json()[
        "label"
    ].items()
    audit = [one for one in desk.get("/v1/audit")["items"] if one["subject"] == alert]
    assert [(one["action"], one["detail"]) for one in audit] == [
        ("alert-found-sensor", "weed"),
        ("alert-found-true", "seen"),
    ]
    assert desk.post("/v1/alerts/nobody/label", {"label": "true"}).status_code == 404
    assert desk.post(f"/v1/alerts/{alert}/label", {"label": "so-so"}).status_code == 400


def test_precision_is_told_by_rule_and_month(desk: DeskOf) -> None:
    (row,) = desk.get("/v1/precision?rule=haze")["items"]
    assert row == {
        "rule": "haze",
        "month": "2026-11",
        "alerts": 7,
        "true": 3,
        "false": 2,
        "sensor": 1,
        "test": 1,
        "unlabelled": 0,
        "precision": 0.5,
    }
    assert desk.get("/v1/precision?from=2026-11-01&to=2026-11-22")["items"] == []


def test_a_suggestion_stands_on_a_backtest_and_changes_nothing(desk: DeskOf) -> None:
    before = desk.get("/v1/rules/haze")
    said = desk.post("/v1/rules/haze/suggest", {"from": "2026-11-21"}).json()
    assert (said["now"], said["change"], said["then"]) == (
        {"firings": 7, "true": 3, "wrong": 3},
        {"for": "10m"},
        {"firings": 3, "true": 3, "wrong": 0},
    )
    assert desk.get("/v1/rules/haze") == before
    assert desk.post("/v1/rules/nobody/suggest", {}).status_code == 404
    few = desk.post("/v1/rules/bin-full/suggest", {"from": "2026-11-21"}).json()
    assert (few["now"], few["change"]) == (None, None)
