"""How right rules were, and what would make them better."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.backtest import Firing
from alerts.feedback import Suggestion, Tried, candidates, months, suggest
from alerts.standards import Limit
from core.times import DAY, HOUR
from core.verdicts import Label
from storage.alert_labels import Found
from tests.world import MIDNIGHT

TRUE, FALSE, SENSOR, TEST = Label.TRUE, Label.FALSE, Label.SENSOR, Label.TEST
TURBID: dict[str, Any] = {
    "id": "turbid",
    "kind": "threshold",
    "parameter": "turbidity",
    "above": {"warning": 25.0, "critical": 100.0},
    "clear": 15.0,
    "for": "10m",
}
LIMIT = Limit.model_validate(
    {
        "id": "law",
        "parameter": "turbidity",
        "value": 25.0,
        "title": {"en": "At most", "th": "ไม่เกิน"},
        "source": "A notice",
        "date": "2017",
        "verified": False,
    }
)


def found(day: int, label: Label | None, rule: str = "turbid") -> Found:
    start = MIDNIGHT + day * DAY
    return Found(f"{rule}-{day}", rule, "probe/turbidity", start, start + HOUR, label)


def test_precision_is_by_rule_and_month_of_the_city() -> None:
    alerts = [found(0, TRUE), found(1, TRUE), found(2, FALSE), found(3, SENSOR), found(4, TEST)]
    alerts += [found(5, None), found(20, TEST), found(0, None, "other")]
    said = [(one.month, one.rule, one.alerts, one.precision) for one in months(alerts, BANGKOK)]
    assert said == [
        ("2026-12", "turbid", 1, None),
        ("2026-11", "other", 1, None),
        ("2026-11", "turbid", 6, 0.5),
    ]


BANGKOK = ZoneInfo("Asia/Bangkok")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"above": {"warning": 25.0}}, {"above": {"warning": 26.0}}, id="a level"),
        pytest.param({"above": None, "below": {"warning": 4.0}, "clear": 4.5},
                     {"below": {"warning": 3.95}}, id="a level below"),
        pytest.param({}, {"for": "20m"}, id="a duration"),
        pytest.param({"for": "0"}, {"for": "10m"}, id="no duration yet"),
        pytest.param({"kind": "count", "times": {"info": 4}, "of": 6}, {"times": {"info": 5}},
                     id="how often"),
        pytest.param({"kind": "anomaly", "sensitivity": "high"}, {"sensitivity": "normal"},
                     id="a sensitivity"),
    ],
)  # fmt: skip
def test_it_tries_what_makes_a_rule_fire_less(changed: dict[str, Any], expected: Any) -> None:
    assert expected in list(candidates(TURBID | changed, []))


def test_it_moves_no_level_of_a_standard_and_none_beyond_a_worse_one() -> None:
    assert all("above" not in one for one in candidates(TURBID, [LIMIT]))
    close = TURBID | {"above": {"warning": 25.0, "critical": 26.5}}
    assert [one["above"]["warning"] for one in candidates(close, []) if "above" in one] == [26.0]


LABELLED = [*(found(day, TRUE) for day in range(3)), *(found(day, FALSE) for day in range(3, 7))]


def history(days: Mapping[str, Sequence[int]]) -> Any:
    """A backtest in which a rule with that `for` fires on these days; any other as it is now."""

    def backtest(bodies: Sequence[Mapping[str, Any]]) -> list[Firing]:
        return [
            Firing(one["id"], "probe/turbidity", start, start + HOUR, open=False)
            for one in bodies
            for day in days.get(one["for"], range(7))
            for start in [MIDNIGHT + day * DAY]
        ]

    return backtest


def test_it_suggests_what_fires_less_in_vain_and_loses_no_true_alert() -> None:
    backtest = history({"20m": [0, 1, 2, 3], "30m": [0, 1, 2, 3], "1h": [0, 1]})
    said = suggest("turbid", TURBID, LABELLED, [], backtest)
    assert said == Suggestion(
        rule="turbid",
        true=3,
        wrong=4,
        now=Tried(7, 3, 4),
        change={"for": "20m"},
        then=Tried(4, 3, 1),
    )
    assert said.said("en") == (
        "With for: 20m it would have fired in vain 1 times instead of 4, and for 3 of the 3 true "
        "alerts."
    )
    assert "for: 20m" in said.said("th")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        pytest.param(LABELLED[:5], "3 alerts were found true and 2 were not; at least 3", id="few"),
        pytest.param(LABELLED, "Nothing that was tried would fire less often", id="nothing better"),
    ],
)
def test_it_suggests_nothing_without_reason(labels: list[Found], words: str) -> None:
    said = suggest("turbid", TURBID, labels, [], history({}))
    assert said.change is None
    assert said.said("en").startswith(words)
