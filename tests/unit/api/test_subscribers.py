"""`/v1/subscribers`: kept by officers, personal data short in lists and gone when deleted."""

from typing import Any

import pytest

from core.access import Role
from core.notices import Channel
from core.times import DAY, MINUTE, iso
from storage import joining, subscribers
from tests.people import USER
from tests.service import NOW, Service

ASKED: dict[str, Any] = {
    "name": "Somchai",
    "email": "Somchai@Example.com",
    "language": "en",
    "subscriptions": [{"scope": "site", "target": "bay", "severity": "critical"}],
    "quiet": {"from": "22:00", "until": "06:30"},
    "consent": True,
}


def send(
    served: Service, method: str, path: str, body: Any = None, role: Role = Role.OFFICER
) -> Any:
    headers = served.headers(role)
    return served.http.request(method, f"/v1/subscribers{path}", json=body, headers=headers)


def made(served: Service, **changes: Any) -> Any:
    response = send(served, "POST", "", ASKED | changes)
    assert response.status_code == 201, response.text
    return response.json()


def test_an_officer_puts_somebody_down(served: Service) -> None:
    one = made(served)
    assert one == {
        "id": one["id"],
        "name": "Somchai",
        "language": "en",
        "state": "active",
        "contacts": [
            {
                "channel": "email",
                "address": "somchai@example.com",
                "state": "active",
                "since": iso(NOW),
                "words": "",
            }
        ],
        "subscriptions": [{"scope": "site", "target": "bay", "severity": "critical"}],
        "quiet": {"from": "22:00", "until": "06:30"},
        "digest": None,
        "digest_empty": False,
        "critical_waits": False,
        "muted_until": None,
        "first": "line",
        "consent": {"at": iso(NOW), "way": "officer", "text": "2026-11-22"},
        "officer": None,
        "made_at": iso(NOW),
        "stopped_at": None,
    }
    assert served.get(f"/v1/subscribers/{one['id']}", Role.OFFICER) == one


def test_a_list_shows_no_whole_address(served: Service) -> None:
    made(served, line=USER)
    (one,) = served.get("/v1/subscribers", Role.OFFICER)["items"]
    assert [c["address"] for c in one["contacts"]] == ["s…@example.com", "U4af…"]


def test_a_list_comes_in_pages_and_by_state(served: Service) -> None:
    for number in range(3):
        made(served, email=f"{number}@example.com")
    stopped = made(served, email="x@example.com")["id"]
    send(served, "PATCH", f"/{stopped}", {"stopped": True})
    assert [len(page) for page in served.pages("/v1/subscribers", limit=3)] == [3, 1]
    found = served.get("/v1/subscribers", Role.OFFICER, state="stopped")["items"]
    assert [one["id"] for one in found] == [stopped]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param({"consent": False}, "consent", "should be True", id="no consent"),
        pytest.param({"email": "somchai"}, "email", "such as somchai@", id="no address"),
        pytest.param(
            {"email": "a@b.th\r\nBcc: c@d.th"}, "email", "such as somchai@", id="a second header"
        ),
        pytest.param({"email": f"{'a' * 65}@b.th"}, "email", "such as somchai@", id="too long"),
        pytest.param({"line": "@somchai"}, "line", "should match", id="no user id"),
        pytest.param({"language": "de"}, "language", "'en' or 'th'", id="language"),
        pytest.param(
            {"quiet": {"from": "22:00", "until": "24:00"}}, "quiet.until", "06:30", id="no time"
        ),
        pytest.param(
            {"quiet": {"from": "22:00", "until": "22:00"}}, "quiet", "should differ", id="no night"
        ),
        pytest.param({"digest": "8"}, "digest", "06:30", id="no digest"),
        pytest.param(
            {"subscriptions": [{"scope": "site", "target": "atlantis"}]},
            "subscriptions.0.target",
            "is no site of ours",
            id="no site",
        ),
        pytest.param(
            {"subscriptions": [{"scope": "district", "target": "kat"}]},
            "subscriptions.0.target",
            "is no district of ours",
            id="half a district",
        ),
        pytest.param(
            {"subscriptions": [{"scope": "site"}]}, "subscriptions.0", "name a site", id="nothing"
        ),
        pytest.param(
            {"subscriptions": [{"scope": "all"}, {"scope": "all", "severity": "info"}]},
            "subscriptions",
            "names something twice",
            id="twice",
        ),
        pytest.param({"role": "admin"}, "role", "is not known here", id="unknown"),
    ],
)
def test_it_says_what_is_wrong(
    served: Service, change: dict[str, Any], field: str, words: str
) -> None:
    problem = send(served, "POST", "", ASKED | change).json()
    assert (problem["status"], problem["field"]) == (400, field), problem
    assert words in problem["detail"]
    assert served.get("/v1/subscribers", Role.OFFICER)["items"] == []


@pytest.mark.parametrize("target", ["kathu", "kathu/patong"])
def test_a_district_may_be_an_amphoe_or_a_tambon(served: Service, target: str) -> None:
    assert made(served, subscriptions=[{"scope": "district", "target": target}])


def test_a_change_leaves_the_rest(served: Service) -> None:
    one = made(served)
    muted = iso(NOW + DAY)
    changed = send(
        served, "PATCH", f"/{one['id']}", {"quiet": None, "digest": "08:00", "muted_until": muted}
    )
    assert changed.json() == one | {"quiet": None, "digest": "08:00", "muted_until": muted}
    again = send(served, "PATCH", f"/{one['id']}", {"stopped": True, "muted_until": None})
    assert (again.json()["state"], again.json()["stopped_at"]) == ("stopped", iso(NOW))
    back = send(served, "PATCH", f"/{one['id']}", {"stopped": False, "email": None})
    assert (back.json()["state"], back.json()["contacts"]) == ("unconfirmed", [])
    assert send(served, "PATCH", "/s9", {"stopped": True}).status_code == 404


def test_an_address_belongs_to_one(served: Service) -> None:
    made(served)
    problem = send(served, "POST", "", ASKED).json()
    assert (problem["status"], problem["field"]) == (409, "email")
    assert "example.com" not in problem["detail"]


def test_subscriptions_are_set_whole(served: Service) -> None:
    one = made(served)["id"]
    items = [{"scope": "all", "target": "", "severity": "info"}]
    answer = send(served, "PUT", f"/{one}/subscriptions", {"items": items})
    assert answer.json() == {"items": items}
    assert served.get(f"/v1/subscribers/{one}/subscriptions", Role.OFFICER) == {"items": items}
    wrong = [{"scope": "kind", "target": "volcano"}]
    assert send(served, "PUT", f"/{one}/subscriptions", {"items": wrong}).status_code == 400


def test_deleting_leaves_nothing_but_the_audit_of_an_id(served: Service) -> None:
    one = made(served)["id"]
    assert send(served, "DELETE", f"/{one}").status_code == 403
    assert send(served, "DELETE", f"/{one}", role=Role.ADMIN).status_code == 204
    assert send(served, "DELETE", f"/{one}", role=Role.ADMIN).status_code == 404
    lines = served.get("/v1/audit", Role.ADMIN)["items"][:2]
    assert [(x["action"], x["subject"]) for x in lines] == [
        ("subscriber-removed", one),
        ("subscriber-made", one),
    ]
    assert "example.com" not in str(lines)
    assert "Somchai" not in str(lines)


def test_an_officer_links_their_line_account_by_a_code(served: Service) -> None:
    one = made(served)["id"]
    answer = send(served, "POST", f"/{one}/code", {}).json()
    assert answer["expires_at"] == iso(NOW + 10 * MINUTE)
    assert joining.link(served.ledger, answer["code"], USER, NOW + MINUTE)
    shown = served.get(f"/v1/subscribers/{one}", Role.OFFICER)
    assert shown["officer"] == "a officer"
    assert [c["channel"] for c in shown["contacts"]] == ["email", "line"]
    with served.ledger.transaction() as connection:
        assert subscribers.by_contact(connection, Channel.LINE, USER)


def test_a_code_is_for_an_officers_key(served: Service) -> None:
    one = made(served)["id"]
    officer, viewer = (served.keys[role].split("_")[1] for role in (Role.OFFICER, Role.VIEWER))
    assert send(served, "POST", f"/{one}/code", {"key": officer}, Role.ADMIN).status_code == 201
    assert send(served, "POST", f"/{one}/code", {"key": viewer}, Role.ADMIN).status_code == 400
    assert send(served, "POST", f"/{one}/code", {"key": viewer}).status_code == 403
    assert send(served, "POST", "/s9/code", {}).status_code == 404


def test_an_address_that_bounced_is_mailed_no_more_until_it_signs_up_again(served: Service) -> None:
    one = made(served)
    told = {"address": "SOMCHAI@example.com", "words": "550 5.1.1 User unknown"}
    headers = served.headers(Role.OFFICER)

    answers = [served.http.post("/v1/bounces", json=told, headers=headers).json() for _ in "12"]

    assert answers == [{"marked": True}, {"marked": False}]
    after = send(served, "GET", f"/{one['id']}").json()
    assert after["state"] == "bounced"
    assert after["contacts"][0]["words"] == "550 5.1.1 User unknown"


def test_a_bounce_of_somebody_unknown_marks_nobody(served: Service) -> None:
    headers = served.headers(Role.OFFICER)
    response = served.http.post(
        "/v1/bounces", json={"address": "nobody@example.com"}, headers=headers
    )
    assert (response.status_code, response.json()) == (200, {"marked": False})
