"""Flags of officers, the service log and reprocessing: what may be asked, and what is answered."""

from typing import Any

import pytest

from core.access import Role
from core.times import DAY, HOUR, iso
from tests.service import NOW, Service, ago

RANGE: dict[str, object] = {
    "device": "buoy",
    "from": iso(ago(90)),
    "to": iso(ago(30)),
    "note": "weed",
}
FLAG = RANGE | {"flag": 4}
WORK = RANGE | {"work": "cleaning", "by": "Nok"}
ASKED = {
    "quality/flags": FLAG,
    "quality/reprocess": RANGE,
    "service-log": WORK,
}
YEAR = iso(ago(30) - 366 * DAY)


@pytest.fixture(autouse=True)
def _readings(served: Service) -> None:
    served.store((0, ago(60), 3.0, 1), (1, ago(60), 80.0, 1), (2, ago(60), 9.0, 1))


def send(served: Service, path: str, body: Any, method: str = "POST") -> Any:
    """The response to an officer."""
    headers = served.headers(Role.OFFICER)
    return served.http.request(method, f"/v1/{path}", json=body, headers=headers)


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param({"device": "boy"}, "device", "is not known", id="unknown device"),
        pytest.param({"device": "a b"}, "device", "should match", id="no id"),
        pytest.param({"from": iso(ago(30))}, "to", "should be after from", id="an empty range"),
        pytest.param({"from": iso(ago(29))}, "to", "should be after from", id="turned around"),
        pytest.param({"from": YEAR}, "to", "more than 366 days", id="a year and more"),
        pytest.param({"from": "yesterday"}, "from", "should be a time", id="no time"),
        pytest.param({"to": "2026-11-22T00:00:00"}, "to", "has no zone", id="no zone"),
        pytest.param({"note": ""}, "note", "at least 1 character", id="an empty note"),
        pytest.param({"note": "x" * 501}, "note", "at most 500", id="a long note"),
        pytest.param({"notes": "x"}, "notes", "is not known here", id="a slip of the pen"),
    ],
)
def test_it_says_which_field_is_wrong(
    served: Service, path: str, change: Any, field: str, words: str
) -> None:
    if change.get("from") == YEAR:
        change = change | {"to": iso(ago(30) + 1)}
    response = send(served, path, ASKED[path] | change)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["field"]) == (400, field), problem
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("path", "change", "field", "words"),
    [
        pytest.param("quality/flags", {"flag": 2}, "flag", "1, 3 or 4", id="flag"),
        pytest.param("quality/flags", {"flag": "4"}, "flag", "1, 3 or 4", id="flag as text"),
        pytest.param(
            "quality/flags", {"to": iso(NOW + 1)}, "to", "in the future", id="flag in the future"
        ),
        pytest.param(
            "quality/reprocess", {"to": iso(NOW + 1)}, "to", "in the future", id="again, in future"
        ),
        pytest.param(
            "quality/flags",
            {"parameters": ["pm25"]},
            "parameters",
            "never reported pm25",
            id="pm25",
        ),
        pytest.param(
            "quality/reprocess", {"parameters": ["x"]}, "parameters", "never reported x", id="x"
        ),
        pytest.param("service-log", {"work": "repair"}, "work", "'calibration'", id="work"),
        pytest.param("service-log", {"by": ""}, "by", "at least 1", id="nobody"),
    ],
)
def test_it_says_what_each_of_them_takes(
    served: Service, path: str, change: Any, field: str, words: str
) -> None:
    problem = send(served, path, ASKED[path] | change).json()
    assert (problem["status"], problem["field"]) == (400, field), problem
    assert words in problem["detail"]


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("field", ["device", "from", "note"])
def test_it_says_what_is_missing(served: Service, path: str, field: str) -> None:
    body = {name: value for name, value in ASKED[path].items() if name != field}
    problem = send(served, path, body).json()
    assert (problem["field"], problem["detail"]) == (field, f"{field}: is missing; add it")


def test_a_flag_is_listed_undone_and_audited(served: Service) -> None:
    made = send(served, "quality/flags", FLAG | {"parameters": ["turbidity"]}).json()
    assert made.items() >= (FLAG | {"parameters": ["turbidity"], "undone_at": None}).items()
    assert served.get("/v1/quality/flags")["items"] == [made]
    assert served.get("/v1/quality/flags", Role.VIEWER, state="undone")["items"] == []
    assert served.get("/v1/quality/flags", Role.VIEWER, device="mast")["items"] == []
    path = f"quality/flags/{made['id']}"
    undone = send(served, path, None, "DELETE").json()
    assert undone["undone_at"] == iso(NOW)
    assert served.get("/v1/quality/flags", Role.VIEWER, state="undone")["items"] == [undone]
    assert send(served, path, None, "DELETE").status_code == 409
    assert send(served, "quality/flags/99", None, "DELETE").status_code == 404
    lines = served.get("/v1/audit", Role.ADMIN)["items"][:2]
    assert [(x["action"], x["owner"], x["subject"], x["detail"]) for x in lines] == [
        ("flag-undone", "a officer", "1", ""),
        ("flag-put", "a officer", "1", "weed"),
    ]


def test_each_change_asks_for_a_review(served: Service) -> None:
    send(served, "quality/flags", FLAG)
    send(served, "service-log", WORK)
    send(served, "quality/reprocess", RANGE | {"preview": True})
    found = served.get("/v1/quality/reviews")["items"]
    assert [(r["id"], r["cause"], r["reference"], r["state"], r["preview"]) for r in found] == [
        (3, "reprocess", None, "running", True),
        (2, "service", 1, "running", False),
        (1, "officer", 1, "running", False),
    ]
    assert served.get("/v1/quality/reviews/3") == found[0]
    assert served.refused("/v1/quality/reviews/9")["status"] == 404
    assert [len(page) for page in served.pages("/v1/quality/reviews", limit=2)] == [2, 1]


def test_work_goes_on_until_it_is_ended(served: Service) -> None:
    body = {name: value for name, value in WORK.items() if name != "to"}
    made = send(served, "service-log", body).json()
    assert (made["to"], made["by"], made["work"]) == (None, "Nok", "cleaning")
    path = f"service-log/{made['id']}/end"
    problem = send(served, path, {"to": iso(ago(90))}).json()
    assert (problem["field"], problem["status"]) == ("to", 400)
    assert send(served, path, {"to": iso(ago(10))}).json()["to"] == iso(ago(10))
    assert send(served, path, {"to": iso(ago(5))}).status_code == 409
    assert send(served, "service-log/9/end", {"to": iso(NOW)}).status_code == 404


def test_work_may_be_planned_but_needs_no_review_yet(served: Service) -> None:
    plan = {"from": iso(NOW + 30 * HOUR), "to": iso(NOW + 32 * HOUR)}
    assert send(served, "service-log", WORK | plan).status_code == 201
    assert served.get("/v1/quality/reviews")["items"] == []


def test_an_entry_that_was_taken_out_stays_to_be_read(served: Service) -> None:
    send(served, "service-log", WORK)
    removed = send(served, "service-log/1", None, "DELETE").json()
    assert removed["removed_at"] == iso(NOW)
    assert served.get("/v1/service-log", Role.VIEWER, device="buoy")["items"] == [removed]
    assert served.get("/v1/service-log", Role.VIEWER, device="mast")["items"] == []
    assert send(served, "service-log/1", None, "DELETE").status_code == 409
    assert send(served, "service-log/2", None, "DELETE").status_code == 404
    assert send(served, "service-log/1/end", {"to": iso(NOW)}).status_code == 409
