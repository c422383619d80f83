"""Keys, statistics, health, metrics and the documentation."""

import asyncio
import re
import threading
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.auth import hash_of
from api.metrics import settle_seconds
from api.server import Check, SystemStatus
from core.access import Role
from core.alerts import Severity, State
from core.errors import StorageError
from core.messages import Quarantined, Refusal
from core.times import iso
from storage.forwarder import ForwarderHealth, ForwarderState
from tests.service import NOW, SERIES, Service, change


def refused(reason: Refusal, items: int) -> Quarantined:
    return Quarantined(
        received_at=NOW,
        gateway="gw",
        topic="t",
        reason=reason,
        detail="",
        payload=b"",
        items=items,
    )


@pytest.fixture
def counted(served: Service) -> Service:
    """A ledger in which something of everything happened."""
    served.store(
        (0, NOW, 1.0, 1),
        (2, NOW, 1.0, 1),
        quarantined=[refused(Refusal.NOT_JSON, 2), refused(Refusal.CONFLICT, 1)],
        duplicate=4,
        transitions=[
            change("a", State.FIRING, NOW, severity=Severity.CRITICAL),
            change("b", State.PENDING, NOW),
        ],
        points=7,
    )
    return served


def test_stats_account_for_everything_that_was_received(counted: Service) -> None:
    assert counted.get("/v1/stats") == {
        "received": 9,
        "stored": 2,
        "duplicate": 4,
        "quarantined": 3,
        "by_reason": {"conflict": 1, "not-json": 2},
        "outflow_points": 7,
        "series": len(SERIES),
        "open_alerts": 2,
        "messages_per_second": None,
        "worker_backlog": 0,
    }


def test_stats_of_an_empty_ledger_are_zero(served: Service) -> None:
    stats = served.get("/v1/stats")
    assert {stats[kind] for kind in ("received", "stored", "duplicate", "quarantined")} == {0}


def test_stats_add_up_at_any_moment(served: Service) -> None:
    done = threading.Event()

    def commit() -> None:
        for minute in range(150):
            at = NOW + minute
            served.store((0, at, 1.0, 1), quarantined=[refused(Refusal.NOT_JSON, 2)], duplicate=1)
        done.set()

    writer = threading.Thread(target=commit)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(served.get("/v1/stats"))
    writer.join()
    for stats in seen:
        parts = stats["stored"] + stats["duplicate"] + stats["quarantined"]
        assert stats["received"] == parts
        assert stats["quarantined"] == sum(stats["by_reason"].values())
    assert len({stats["received"] for stats in seen}) > 1


def test_a_key_is_made_shown_once_used_listed_and_revoked(served: Service) -> None:
    admin = served.headers(Role.ADMIN)
    asked = {"role": "viewer", "owner": "Grafana"}
    response = served.http.post("/v1/keys", json=asked, headers=admin)
    assert response.status_code == 201
    made = response.json()
    text = made.pop("key")
    mine = {"Authorization": f"Bearer {text}"}
    assert made == asked | {"id": made["id"], "created_at": iso(NOW), "revoked_at": None}
    assert served.http.get("/v1/latest", headers=mine).status_code == 200

    listing = served.http.get("/v1/keys", headers=admin)
    assert made in listing.json()["items"]
    assert text not in listing.text
    assert hash_of(text) not in listing.text

    path = f"/v1/keys/{made['id']}"
    assert served.http.delete(path, headers=admin).status_code == 204
    assert served.http.get("/v1/latest", headers=mine).status_code == 401
    assert served.http.delete(path, headers=admin).status_code == 404
    listed = served.get("/v1/keys", Role.ADMIN)["items"]
    assert {k["id"]: k["revoked_at"] for k in listed}[made["id"]] == iso(NOW)


def test_pages_of_keys_make_up_the_whole(served: Service) -> None:
    pages = served.pages("/v1/keys", limit=3)
    assert [len(page) for page in pages] == [3, 1]
    assert {key["role"] for page in pages for key in page} == {str(role) for role in Role}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_keys_stay_as_they_are_while_the_ledger_refuses(served: Service, method: str) -> None:
    async def write(_: Any, /) -> Any:
        raise StorageError("database or disk is full")

    http = served.with_context(write=write)
    path = "/v1/keys" if method == "POST" else "/v1/keys/abcdefgh"
    body = {"role": "viewer", "owner": "x"} if method == "POST" else None
    response = http.request(method, path, json=body, headers=served.headers(Role.ADMIN))
    assert response.status_code == 503
    assert "andaman_" not in response.text


def test_it_does_not_wait_for_ever_for_the_ledger(served: Service) -> None:
    async def write(_: Any, /) -> Any:
        await asyncio.Event().wait()

    http = served.with_context(write=write, write_seconds=0.01)
    response = http.delete("/v1/keys/abcdefgh", headers=served.headers(Role.ADMIN))
    assert response.status_code == 503


def test_health_is_told_in_words_to_those_with_a_key(served: Service) -> None:
    assert served.http.get("/health/live").json() == {"status": "live"}
    assert served.http.get("/health/ready").json() == {"status": "ready"}
    for role, told in ((Role.VIEWER, True), (Role.GATEWAY, False)):
        answer = served.http.get("/health/ready", headers=served.headers(role)).json()
        words = {"ledger": {"ok": True, "words": "commits in 2 ms"}}
        assert answer == {"status": "ready"} | ({"checks": words} if told else {})


def test_it_is_not_ready_when_one_part_is_not(served: Service) -> None:
    def status() -> SystemStatus:
        away = Check(ok=False, words="no broker answers; start it")
        return SystemStatus(checks={"ledger": Check(ok=True, words="well"), "broker": away})

    http = served.with_context(status=status)
    response = http.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "not-ready"})
    told = http.get("/health/ready", headers=served.headers())
    assert told.status_code == 503
    assert told.json()["checks"]["broker"] == {"ok": False, "words": "no broker answers; start it"}


def metrics(http: Any, served: Service) -> dict[str, Any]:
    text = http.get("/metrics", headers=served.headers()).text
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(family: Any) -> dict[tuple[str, ...], float]:
    """Values by the labels' values, which come in the order of the labels' names."""
    return {tuple(s.labels.values()): s.value for s in family.samples}


def test_metrics_count_what_the_ledger_counts(counted: Service) -> None:
    found = metrics(counted.http, counted)
    kinds = {"received": 9, "stored": 2, "duplicate": 4, "quarantined": 3, "released": 0}
    assert samples(found["andaman_items"]) == {(k,): v for k, v in kinds.items()}
    assert samples(found["andaman_quarantined"])["not-json",] == 2
    assert samples(found["andaman_quarantined"])["too-deep",] == 0
    assert samples(found["andaman_transitions"])["firing",] == 1
    assert samples(found["andaman_open_alerts"])["critical", "firing"] == 1
    assert samples(found["andaman_open_alerts"])["info", "firing"] == 0
    assert samples(found["andaman_forwarder_backlog_points"])[()] == 7


def test_metrics_show_how_the_parts_are(served: Service) -> None:
    def status() -> SystemStatus:
        return SystemStatus(
            checks={"broker": Check(ok=False, words="away")},
            worker_backlog=12,
            listener_connected=True,
            listener_loop_age_seconds=0.5,
            forwarder=ForwarderHealth(state=ForwarderState.PAUSED, points_sent=5, rejected=1),
            ledger_bytes=4096,
        )

    seconds = settle_seconds()
    seconds.observe(0.003)
    found = metrics(served.with_context(status=status, collectors=(seconds,)), served)
    assert samples(found["andaman_check_ok"]) == {("broker",): 0}
    assert samples(found["andaman_worker_backlog"])[()] == 12
    assert samples(found["andaman_listener_connected"])[()] == 1
    assert samples(found["andaman_forwarder_state"])["paused",] == 1
    assert samples(found["andaman_forwarder_state"])["ok",] == 0
    assert samples(found["andaman_forwarder_points"]) == {("stored",): 5, ("rejected",): 1}
    assert samples(found["andaman_ledger_bytes"])[()] == 4096
    assert found["andaman_settle_seconds"].type == "histogram"


def test_every_metric_is_ours_and_documented(served: Service) -> None:
    http = served.with_context(collectors=(settle_seconds(),))
    for name, family in metrics(http, served).items():
        assert re.fullmatch("andaman_[a-z0-9_]+", name)
        assert len(family.documentation) > 10, name


def test_two_applications_in_one_process_do_not_share_metrics(served: Service) -> None:
    served.http.get("/v1/sites")
    other = metrics(served.with_context(), served)
    assert other["andaman_api_refusals"].samples == []


def test_the_documentation_is_one_page_that_needs_nothing_else(served: Service) -> None:
    page = served.http.get("/docs").text
    for path in served.http.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
