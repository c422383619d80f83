"""Alerts: which are listed, in what order, and what one of them tells."""

from dataclasses import replace
from typing import Any

import pytest

from core.alerts import Mark, Severity, State
from core.times import iso
from tests.service import NOW, Service, ago, change

PENDING, FIRING, RESOLVED = State.PENDING, State.FIRING, State.RESOLVED


@pytest.fixture
def told(served: Service) -> Service:
    """Five episodes: w waits, f fires, c fires and is critical, r is over, u never fired."""
    served.store(
        transitions=[
            change("u", PENDING, ago(50)),
            change("u", RESOLVED, ago(49), before=PENDING),
            change("r", FIRING, ago(40), rule="bin-full", site="corner"),
            change("r", RESOLVED, ago(30), before=FIRING, rule="bin-full", site="corner"),
            change("f", PENDING, ago(20)),
            change("f", FIRING, ago(15), before=PENDING),
            change("c", FIRING, ago(10), severity=Severity.CRITICAL),
            change("w", PENDING, ago(5)),
        ]
    )
    return served


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, "wcfr", id="all but the unfired"),
        pytest.param({"state": "open"}, "wcf", id="open"),
        pytest.param({"state": "pending"}, "w", id="pending"),
        pytest.param({"state": "firing"}, "cf", id="firing"),
        pytest.param({"state": "resolved"}, "r", id="resolved"),
        pytest.param({"state": "unfired"}, "u", id="unfired"),
        pytest.param({"site": "corner"}, "r", id="site"),
        pytest.param({"rule": "beach-turbid"}, "wcf", id="rule"),
        pytest.param({"severity": "critical"}, "c", id="severity"),
        pytest.param({"since": iso(ago(20))}, "wcf", id="since"),
        pytest.param({"state": "firing", "severity": "warning"}, "f", id="two at once"),
    ],
)
def test_it_lists_those_that_are_asked_for_newest_first(
    told: Service, asked: dict[str, Any], expected: str
) -> None:
    assert "".join(item["id"] for item in told.get("/v1/alerts", **asked)["items"]) == expected


def test_pages_make_up_the_whole_even_where_starts_are_equal(served: Service) -> None:
    served.store(transitions=[change(f"a{n}", FIRING, ago(n // 3)) for n in range(8)])
    pages = served.pages("/v1/alerts", limit=2)
    assert [len(page) for page in pages] == [2, 2, 2, 2]
    assert [item for page in pages for item in page] == served.get("/v1/alerts")["items"]


def test_an_alert_tells_its_story(told: Service) -> None:
    alert = told.get("/v1/alerts/f")
    transitions, why = alert.pop("transitions"), alert.pop("explanation")
    assert alert.pop("notices") == []
    assert alert == {
        "id": "f",
        "rule": "beach-turbid",
        "version": "v1",
        "name": {"en": "Turbid water", "th": "น้ำขุ่น"},
        "subject": "buoy/turbidity",
        "device": "buoy",
        "parameter": "turbidity",
        "unit": "[NTU]",
        "site": "bay",
        "state": "firing",
        "severity": "warning",
        "started_at": iso(ago(20)),
        "fired_at": iso(ago(15)),
        "resolved_at": None,
        "changed_at": iso(ago(15)),
        "value": 61.5,
        "evidence": {"level": 25.0},
        "marks": [],
        "acknowledged": None,
        "assigned_to": None,
        "shelved_until": None,
        "escalation": {"level": 0, "name": None, "next": None, "next_at": None},
        "muted_by": [{"kind": "inhibition", "id": "c"}],
        "verdict": None,
        "label": None,
    }
    assert [(t["before"], t["after"]) for t in transitions] == [
        (None, "pending"),
        ("pending", "firing"),
    ]
    assert transitions[1]["at"] == iso(ago(15))
    assert transitions[1]["recorded_at"] == iso(NOW)
    assert why["text"]["en"].startswith("Turbid water: warning, firing.\n")


def test_an_alert_of_a_rule_that_is_gone_has_no_name(told: Service) -> None:
    assert told.get("/v1/alerts/r")["name"] is None


def test_what_is_folded_or_on_trial_is_listed_only_when_it_is_asked_for(served: Service) -> None:
    plain = change("a", FIRING, ago(5))
    marked = {"b": (Mark.FOLDED,), "c": (Mark.SHADOW, Mark.STALE), "d": (Mark.STALE,)}
    more = [replace(plain, alert=name, marks=marks) for name, marks in marked.items()]
    served.store(transitions=[plain, *more])

    def shown(**also: Any) -> str:
        return "".join(sorted(item["id"] for item in served.get("/v1/alerts", **also)["items"]))

    assert shown() == "ad"
    assert shown(folded=True) == "abd"
    assert shown(shadow=True) == "acd"
    assert shown(folded=True, shadow=True) == "abcd"
    assert served.get("/v1/sites/bay")["open_alerts"] == 3, "a trial alarms nobody"
