"""Who gets in: keys, roles, and a table that must name every route."""

import logging
from base64 import b64encode

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.auth import ROUTES, Standing, hash_of, new_key
from api.server import create_app
from core.access import Role
from tests.service import LOCAL_KEY, Service

READ = {"viewer", "officer", "admin"}
OPEN = {"none", "bad", "revoked", "gateway", *READ}
# Who may pass; written out here once more, so that a slip in the table shows.
EXPECTED = {
    "GET /docs": OPEN,
    "GET /health/live": OPEN,
    "POST /line/webhook": OPEN,
    "GET /health/ready": OPEN,
    "GET /metrics": READ,
    "GET /openapi.json": OPEN,
    "GET /public/confirm/{token}": OPEN,
    "POST /public/confirm/{token}": OPEN,
    "GET /public/subscribe": OPEN,
    "POST /public/subscriptions": OPEN,
    "GET /u/{token}": OPEN,
    "POST /u/{token}": OPEN,
    "GET /v1/alerts": READ,
    "GET /v1/alerts.csv": READ,
    "GET /v1/alerts/{alert}": READ,
    "POST /v1/alerts/{alert}/acknowledge": {"officer", "admin"},
    "POST /v1/alerts/{alert}/assign": {"officer", "admin"},
    "POST /v1/alerts/{alert}/comment": {"officer", "admin"},
    "POST /v1/alerts/{alert}/label": {"officer", "admin"},
    "POST /v1/alerts/{alert}/reopen": {"officer", "admin"},
    "POST /v1/alerts/{alert}/resolve": {"officer", "admin"},
    "POST /v1/alerts/{alert}/shelve": {"officer", "admin"},
    "POST /v1/alerts/{alert}/unshelve": {"officer", "admin"},
    "GET /v1/audit": {"admin"},
    "GET /n/{token}": OPEN,
    "GET /v1/deliveries": READ,
    "GET /v1/deliveries/{delivery}": READ,
    "POST /v1/deliveries/{delivery}/retry": {"officer", "admin"},
    "GET /v1/notices": READ,
    "GET /v1/notices/{notice}": READ,
    "GET /v1/receivers": READ,
    "POST /v1/receivers/{receiver}/test": {"officer", "admin"},
    "GET /v1/devices": READ,
    "POST /v1/devices": {"admin"},
    "GET /v1/devices.csv": READ,
    "POST /v1/devices.csv": {"admin"},
    "PATCH /v1/devices/{device}": {"admin"},
    "POST /v1/devices/{device}/moves": {"admin"},
    "GET /v1/devices/{device}": READ,
    "GET /v1/gateways": READ,
    "POST /v1/gateways": {"admin"},
    "POST /v1/gateways/{gateway}/revoke": {"admin"},
    "POST /v1/gateways/{gateway}/rotate": {"admin"},
    "GET /v1/keys": {"admin"},
    "POST /v1/keys": {"admin"},
    "DELETE /v1/keys/{key}": {"admin"},
    "GET /v1/latest": READ,
    "GET /v1/line": READ,
    "GET /v1/maintenance": READ,
    "POST /v1/maintenance": {"officer", "admin"},
    "GET /v1/maintenance/{window}": READ,
    "DELETE /v1/maintenance/{window}": {"officer", "admin"},
    "GET /v1/parameters": READ,
    "GET /v1/precision": READ,
    "GET /v1/quality/daily": READ,
    "GET /v1/quality/flags": READ,
    "POST /v1/quality/flags": {"officer", "admin"},
    "DELETE /v1/quality/flags/{flag}": {"officer", "admin"},
    "POST /v1/quality/reprocess": {"officer", "admin"},
    "GET /v1/quality/reviews": READ,
    "GET /v1/quality/reviews/{review}": READ,
    "GET /v1/quarantine": {"officer", "admin"},
    "GET /v1/quarantine/{entry}": {"officer", "admin"},
    "POST /v1/quarantine/{entry}/discard": {"admin"},
    "POST /v1/quarantine/{entry}/retry": {"admin"},
    "POST /v1/quarantine/replay": {"admin"},
    "POST /v1/readings": {"gateway", "admin"},
    "GET /v1/series/{device}/{parameter}": READ,
    "GET /v1/service-log": READ,
    "POST /v1/service-log": {"officer", "admin"},
    "DELETE /v1/service-log/{entry}": {"officer", "admin"},
    "POST /v1/service-log/{entry}/end": {"officer", "admin"},
    "GET /v1/rules": READ,
    "POST /v1/rules": {"admin"},
    "POST /v1/rules/backtest": {"officer", "admin"},
    "POST /v1/rules/reload": {"admin"},
    "DELETE /v1/rules/{rule}": {"admin"},
    "GET /v1/rules/{rule}": READ,
    "PUT /v1/rules/{rule}": {"admin"},
    "POST /v1/rules/{rule}/disable": {"officer", "admin"},
    "POST /v1/rules/{rule}/enable": {"officer", "admin"},
    "POST /v1/rules/{rule}/suggest": {"officer", "admin"},
    "GET /v1/silences": READ,
    "POST /v1/silences": {"officer", "admin"},
    "GET /v1/silences/{silence}": READ,
    "POST /v1/silences/{silence}/expire": {"officer", "admin"},
    "GET /v1/sites": READ,
    "POST /v1/sites": {"admin"},
    "GET /v1/sites.csv": READ,
    "POST /v1/sites.csv": {"admin"},
    "GET /v1/sites/{site}": READ,
    "PATCH /v1/sites/{site}": {"admin"},
    "GET /v1/stats": READ,
    "POST /v1/bounces": {"officer", "admin"},
    "GET /v1/subscribers": {"officer", "admin"},
    "POST /v1/subscribers": {"officer", "admin"},
    "GET /v1/subscribers/{subscriber}": {"officer", "admin"},
    "PATCH /v1/subscribers/{subscriber}": {"officer", "admin"},
    "DELETE /v1/subscribers/{subscriber}": {"admin"},
    "POST /v1/subscribers/{subscriber}/code": {"officer", "admin"},
    "GET /v1/subscribers/{subscriber}/export": {"officer", "admin"},
    "POST /v1/subscribers/{subscriber}/test": {"officer", "admin"},
    "GET /v1/subscribers/{subscriber}/subscriptions": {"officer", "admin"},
    "PUT /v1/subscribers/{subscriber}/subscriptions": {"officer", "admin"},
    "GET /v1/transitions": READ,
    "GET /v1/transitions.csv": READ,
    "GET /v1/unknown-devices": {"officer", "admin"},
    "POST /v1/unknown-devices/approve": {"admin"},
}
CALLERS = ["none", "bad", "revoked", "gateway", "viewer", "officer", "admin"]


def headers(served: Service, caller: str) -> dict[str, str]:
    if caller == "none":
        return {}
    if caller == "bad":
        return {"Authorization": f"Bearer {new_key().text}"}
    if caller == "revoked":
        key = served.new_key(Role.ADMIN)
        served.ledger.revoke_key(key.split("_")[1], 1)
        return {"Authorization": f"Bearer {key}"}
    return served.headers(Role(caller))


def routes(app: FastAPI) -> set[str]:
    """Every way into the application, however it was added."""
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        methods = (route.methods or {"ANY"}) - {"HEAD"}
        found |= {f"{method} {route.path}" for method in methods}
    return found


def test_every_route_is_in_the_expected_table(served: Service) -> None:
    app = served.http.app
    assert isinstance(app, FastAPI)
    assert routes(app) == set(EXPECTED) == set(ROUTES)


@pytest.mark.parametrize("route", sorted(EXPECTED))
def test_a_route_lets_in_whom_the_table_names(served: Service, route: str) -> None:
    method, path = route.split(" ")
    for caller in CALLERS:
        response = served.http.request(method, path, headers=headers(served, caller))
        passed = response.status_code not in {401, 403}
        assert passed is (caller in EXPECTED[route]), (caller, response.text)
        if not passed:
            known = caller in {"gateway", "viewer", "officer", "admin"}
            assert response.status_code == (403 if known else 401)


def test_it_refuses_a_route_that_the_table_does_not_name(served: Service) -> None:
    app = create_app(served.context)
    app.add_api_route("/v1/secrets", lambda: "open")
    http = TestClient(app)
    assert http.get("/v1/secrets").status_code == 401
    assert http.get("/v1/secrets", headers=served.headers(Role.ADMIN)).status_code == 404


def test_it_refuses_a_websocket(served: Service) -> None:
    with pytest.raises(WebSocketDisconnect) as refusal, served.http.websocket_connect("/v1/latest"):
        pass
    assert refusal.value.code == 1008


def test_401_says_how_to_send_a_key(served: Service) -> None:
    response = served.http.get("/v1/sites")
    assert response.headers["www-authenticate"] == "Bearer"
    assert "andaman keys create" in response.json()["detail"]


def test_403_names_the_role_that_is_needed(served: Service) -> None:
    problem = served.refused("/v1/keys")
    assert problem["status"] == 403
    assert problem["detail"] == "Use a key with the role admin."


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Basic {key}", id="another scheme"),
        pytest.param("{key}", id="no scheme"),
        pytest.param("Bearer {key}x", id="longer"),
        pytest.param("Bearer {key} {key}", id="twice"),
        pytest.param("Bearer andaman_{id}_", id="no secret"),
        pytest.param("Bearer andaman_{id}_" + "A" * 43, id="the id of another's key"),
        pytest.param("Bearer andaman_' OR 1=1_" + "A" * 43, id="SQL"),
        pytest.param("Bearer ", id="empty"),
    ],
)
def test_it_refuses_what_is_no_key(served: Service, header: str) -> None:
    key = served.keys[Role.VIEWER]
    text = header.format(key=key, id=key.split("_")[1])
    assert served.http.get("/v1/sites", headers={"Authorization": text}).status_code == 401


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    ("role", "user", "password", "status"),
    [
        pytest.param(Role.GATEWAY, "gw", "{key}", 200, id="its own"),
        pytest.param(Role.GATEWAY, "other", "{key}", 401, id="another gateway's name"),
        pytest.param(Role.GATEWAY, "", "{key}", 401, id="no name"),
        pytest.param(Role.GATEWAY, "gw", "{key}x", 401, id="another key"),
        pytest.param(Role.GATEWAY, "gw", "", 401, id="no key"),
        pytest.param(Role.ADMIN, "a admin", "{key}", 401, id="a key of no gateway"),
    ],
)
def test_a_gateway_pushes_by_user_and_password_too(
    served: Service, role: Role, user: str, password: str, status: int
) -> None:
    key = served.new_key(role)
    header = {"Authorization": basic(user, password.format(key=key))}
    body = {"device": "buoy", "values": {"turbidity": 1.0}}
    assert served.http.post("/v1/readings", json=body, headers=header).status_code == status


@pytest.mark.parametrize(
    "header", ["Basic", "Basic x", "Basic ====", "Basic //79", "Basic " + "A" * 4000]
)
def test_a_password_that_is_none_is_refused(served: Service, header: str) -> None:
    refused = served.http.post("/v1/readings", json={}, headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer, Basic realm="andaman"'


def test_user_and_password_open_nothing_else(served: Service) -> None:
    header = {"Authorization": basic("gw", served.new_key(Role.GATEWAY))}
    for path in ("/v1/sites", "/v1/keys", "/metrics"):
        assert served.http.get(path, headers=header).status_code == 401


def test_the_scheme_is_written_in_any_case(served: Service) -> None:
    text = f"bearer {served.keys[Role.VIEWER]}"
    assert served.http.get("/v1/sites", headers={"Authorization": text}).status_code == 200


def test_a_revoked_key_ends_with_the_next_request(served: Service) -> None:
    key = served.keys[Role.VIEWER]
    assert served.http.get("/v1/sites", headers=served.headers()).status_code == 200
    served.ledger.revoke_key(key.split("_")[1], 1)
    assert served.http.get("/v1/sites", headers=served.headers()).status_code == 401


def test_the_local_key_is_an_administrators(served: Service) -> None:
    mine = {"Authorization": f"Bearer {LOCAL_KEY}"}
    assert served.http.get("/v1/keys", headers=mine).status_code == 200
    without = served.with_context(local_key_hash=None)
    assert without.get("/v1/keys", headers=mine).status_code == 401


def test_new_keys_differ_and_keep_their_form() -> None:
    first, second = new_key(), new_key()
    assert first.text != second.text
    assert first.hash == hash_of(first.text)
    assert first.text.startswith(f"andaman_{first.id}_")
    assert len(first.id) == 8
    assert len(first.text.split("_", 2)[2]) == 43  # 256 bits in base 64


def test_a_higher_role_may_do_what_a_lower_one_may() -> None:
    ranks = [Standing.of(role) for role in (Role.GATEWAY, Role.VIEWER, Role.OFFICER, Role.ADMIN)]
    assert ranks == sorted(ranks)
    assert ranks[0] > Standing.ANYONE


def test_no_key_is_told_in_logs_or_errors(
    served: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = served.keys[Role.VIEWER]
    answers = [
        served.http.get("/v1/keys", headers=served.headers()),
        served.http.get("/v1/sites", params={key: key}, headers=served.headers()),
        served.http.get("/v1/sites", params={"cursor": key}, headers=served.headers()),
        served.http.get(f"/v1/sites/{key}", headers=served.headers()),
        served.http.get("/v1/nothing", headers={"Authorization": f"Bearer {key}0"}),
    ]
    secret = key.split("_", 2)[2]
    assert not [a.text for a in answers if secret in a.text]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpx")]
    assert not [words for words in ours if secret in words]


def test_it_counts_what_it_refuses(served: Service) -> None:
    served.http.get("/v1/sites")
    text = served.http.get("/metrics", headers=served.headers()).text
    assert 'andaman_api_refusals_total{kind="no-key"} 1.0' in text
