"""Sites and devices by API: what is taken, what is refused and in which words, and the audit."""

import json
from typing import Any

import pytest

from core.access import Role
from core.times import iso
from tests.service import NOW, Service

SITE = {
    "id": "pier",
    "kind": "pier",
    "name": {"en": "Pier", "th": "ท่าเรือ"},
    "latitude": -7.5,
    "longitude": 98,
    "district": "mueang",
}
DEVICE = {"id": "buoy-9", "gateway": "gw", "site": "pier"}


def send(served: Service, method: str, path: str, body: Any) -> Any:
    headers = served.headers(Role.ADMIN) | {"Content-Type": "application/json"}
    return served.http.request(method, path, content=json.dumps(body), headers=headers)


def test_what_is_added_is_answered_and_listed(served: Service) -> None:
    made = send(served, "POST", "/v1/sites", SITE)
    assert made.status_code == 201
    assert made.json() == SITE | {
        "owner": "",
        "origin": "api",
        "state": "unknown",
        "open_alerts": 0,
        "newest": None,
    }
    made = send(served, "POST", "/v1/devices", DEVICE | {"since": "2026-11-20"})
    assert made.status_code == 201
    place = {"site": "pier", "since": "2026-11-20T00:00:00Z"}
    assert made.json() == DEVICE | place | {
        "model": "",
        "address": "",
        "places": [place],
        "origin": "api",
        "newest": None,
        "clock": None,
    }
    moved = send(served, "POST", "/v1/devices/buoy-9/moves", {"site": "bay"}).json()
    assert moved["places"] == [place, {"site": "bay", "since": iso(NOW)}]
    assert moved in served.get("/v1/devices", site="bay")["items"]
    changed = send(served, "PATCH", "/v1/devices/buoy-9", {"address": "70B3"}).json()
    assert changed == moved | {"address": "70B3"}
    changed = send(served, "PATCH", "/v1/sites/pier", {"name": {"en": "P", "th": "ท"}})
    assert changed.json() == served.get("/v1/sites/pier")
    assert changed.json()["name"] == {"en": "P", "th": "ท"}


def test_each_change_is_in_the_audit(served: Service) -> None:
    send(served, "POST", "/v1/sites", SITE)
    send(served, "POST", "/v1/devices", DEVICE)
    send(served, "PATCH", "/v1/sites/pier", {"owner": "Town"})
    send(served, "PATCH", "/v1/sites/pier", {"owner": "Town"})  # nothing changes
    send(served, "PATCH", "/v1/devices/buoy-9", {"model": "m", "address": "a"})
    send(served, "POST", "/v1/devices/buoy-9/moves", {"site": "bay"})
    lines = served.get("/v1/audit", Role.ADMIN)["items"]
    told = [(line["action"], line["subject"], line["detail"]) for line in lines]
    assert told[:5] == [
        ("device-moved", "buoy-9", f"pier -> bay since {iso(NOW)}"),
        ("device-changed", "buoy-9", "model, address"),
        ("site-changed", "pier", "owner"),
        ("device-added", "buoy-9", "gw, pier"),
        ("site-added", "pier", ""),
    ]
    assert {line["key"] for line in lines[:5]} == {served.keys[Role.ADMIN].split("_")[1]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        pytest.param("POST", "/v1/sites", SITE | {"id": "bay"}, 409, "id", id="a site twice"),
        pytest.param("POST", "/v1/sites", SITE | {"id": "a b"}, 400, "id", id="no id"),
        pytest.param("POST", "/v1/sites", SITE | {"kind": "Pier"}, 400, "kind", id="kind"),
        pytest.param("POST", "/v1/sites", SITE | {"latitude": 91}, 400, "latitude", id="north"),
        pytest.param("POST", "/v1/sites", SITE | {"latitude": "7"}, 400, "latitude", id="text"),
        pytest.param("POST", "/v1/sites", SITE | {"latitude": True}, 400, "latitude", id="true"),
        pytest.param("POST", "/v1/sites", SITE | {"name": {"en": "P"}}, 400, "name.th", id="Thai"),
        pytest.param("POST", "/v1/sites", SITE | {"colour": 1}, 400, "colour", id="unknown"),
        pytest.param("POST", "/v1/sites", SITE | {"owner": "\ud800"}, 400, "body", id="half"),
        pytest.param("POST", "/v1/sites", [], 400, "body", id="no object"),
        pytest.param("PATCH", "/v1/sites/bay", {"owner": "x"}, 409, "id", id="a file's site"),
        pytest.param("PATCH", "/v1/sites/gone", {"owner": "x"}, 404, "id", id="no site"),
        pytest.param("PATCH", "/v1/sites/bay", {"kind": "x"}, 400, "kind", id="its kind"),
        pytest.param("POST", "/v1/devices", DEVICE, 400, "site", id="no site there"),
        pytest.param("POST", "/v1/devices", DEVICE | {"id": "mast"}, 409, "id", id="twice"),
        pytest.param(
            "POST",
            "/v1/devices",
            DEVICE | {"site": "bay", "since": "2026-02-30"},
            400,
            "since",
            id="no such day",
        ),
        pytest.param(
            "POST",
            "/v1/devices",
            DEVICE | {"site": "bay", "since": "2026-02-01T00:00:00"},
            400,
            "since",
            id="no zone",
        ),
        pytest.param(
            "POST", "/v1/devices", DEVICE | {"gateway": "a.b"}, 400, "gateway", id="gateway"
        ),
        pytest.param(
            "POST", "/v1/devices", DEVICE | {"address": "x" * 65}, 400, "address", id="too long"
        ),
        pytest.param("PATCH", "/v1/devices/mast", {"model": "x"}, 409, "id", id="file's device"),
        pytest.param("PATCH", "/v1/devices/gone", {"model": "x"}, 404, "id", id="no device"),
        pytest.param("PATCH", "/v1/devices/mast", {"site": "bay"}, 400, "site", id="no move"),
        pytest.param("POST", "/v1/devices/mast/moves", {"site": "bay"}, 409, "id", id="by file"),
        pytest.param("POST", "/v1/devices/gone/moves", {"site": "bay"}, 404, "id", id="nobody's"),
        pytest.param("POST", "/v1/devices/mast/moves", {}, 400, "site", id="a move to where"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    served: Service, method: str, path: str, body: Any, status: int, field: str
) -> None:
    response = send(served, method, path, body)
    assert (response.status_code, response.json()["field"]) == (status, field)
    assert served.get("/v1/audit", Role.ADMIN)["items"][0]["action"] == "key-made"
