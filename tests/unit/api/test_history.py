"""What happened to alerts, as a list and as tables that a spreadsheet may open."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from api.shapes import MOST
from core.alerts import Severity, State
from core.times import iso
from tests.service import Service, ago, change

PENDING, FIRING, RESOLVED = State.PENDING, State.FIRING, State.RESOLVED


@pytest.fixture
def told(served: Service) -> Service:
    served.store(
        transitions=[
            change("f", PENDING, ago(20)),
            change("f", FIRING, ago(15), before=PENDING),
            change(
                "c", FIRING, ago(10), severity=Severity.CRITICAL, rule="bin-full", site="corner"
            ),
            change("f", RESOLVED, ago(5), before=FIRING),
        ]
    )
    return served


def table(served: Service, path: str, **asked: str) -> list[dict[str, str]]:
    response = served.http.get(path, params=asked, headers=served.headers())
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["content-disposition"]
    assert response.content.startswith(b"\xef\xbb\xbf"), "spreadsheets ask for it"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["resolved", "firing", "firing", "pending"], id="all, the last first"),
        pytest.param({"alert": "c"}, ["firing"], id="alert"),
        pytest.param({"site": "corner"}, ["firing"], id="site"),
        pytest.param({"rule": "bin-full"}, ["firing"], id="rule"),
        pytest.param({"severity": "critical"}, ["firing"], id="severity"),
        pytest.param({"since": iso(ago(10))}, ["resolved", "firing"], id="since"),
        pytest.param({"until": iso(ago(15))}, ["pending"], id="until"),
        pytest.param({"site": "nowhere"}, [], id="none"),
    ],
)
def test_transitions_are_listed_and_exported_alike(
    told: Service, asked: dict[str, Any], expected: list[str]
) -> None:
    assert [t["after"] for t in told.get("/v1/transitions", **asked)["items"]] == expected
    assert [t["after"] for t in table(told, "/v1/transitions.csv", **asked)] == expected


def test_pages_make_up_the_whole(told: Service) -> None:
    pages = told.pages("/v1/transitions", limit=3)
    assert [len(page) for page in pages] == [3, 1]
    assert [t for page in pages for t in page] == told.get("/v1/transitions")["items"]


def test_a_table_of_many_pages_is_whole(served: Service) -> None:
    many = range(MOST + 5)
    served.store(transitions=[change(f"a{n:04}", FIRING, ago(n // 3)) for n in many])
    for path, name in (("transitions", "alert"), ("alerts", "id")):
        found = [row[name] for row in table(served, f"/v1/{path}.csv")]
        assert sorted(found) == [f"a{n:04}" for n in many]


def test_alerts_are_exported_as_they_are_listed(told: Service) -> None:
    (row,) = table(told, "/v1/alerts.csv", state="resolved")
    (alert,) = told.get("/v1/alerts", state="resolved")["items"]
    shared = row.keys() & alert.keys() - {"value"}
    assert {name: row[name] for name in shared} == {name: alert[name] for name in shared}
    assert float(row["value"]) == alert["value"]
    assert row["name_th"] == alert["name"]["th"]


def test_nothing_is_taken_for_a_formula(served: Service) -> None:
    evil = replace(
        change("=1+1", FIRING, ago(5)),
        subject="@SUM(A1)",
        value=-1.5,
        evidence={"by": "-2+3", "note": '=cmd|"/c calc"!A1, and "more"\nof it'},
    )
    served.store(transitions=[evil])
    (row,) = table(served, "/v1/transitions.csv")
    assert (row["alert"], row["subject"], row["by"]) == ("'=1+1", "'@SUM(A1)", "'-2+3")
    assert row["note"].startswith("'=cmd|")
    assert row["value"] == "-1.5", "a number stays a number"


def test_a_table_has_no_pages(told: Service) -> None:
    assert told.refused("/v1/alerts.csv", limit="5")["field"] == "limit"
