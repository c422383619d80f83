"""Every error is a problem that says what to do next, and tells nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.problems import KINDS
from core.access import Role
from core.errors import StorageError
from tests.service import NOW, Service

SERIES_PATH = "/v1/series/buoy/turbidity"


@pytest.mark.parametrize(
    ("path", "asked", "field", "words"),
    [
        pytest.param("/v1/sites", {"limit": 0}, "limit", "greater than or equal to 1", id="none"),
        pytest.param("/v1/sites", {"limit": 1001}, "limit", "or equal to 1000", id="too many"),
        pytest.param("/v1/sites", {"limit": "ten"}, "limit", "valid integer", id="no number"),
        pytest.param("/v1/sites", {"limit": "1e12"}, "limit", "valid integer", id="huge"),
        pytest.param("/v1/latest", {"sight": "bay"}, "sight", "correct the name", id="misspelt"),
        pytest.param("/v1/latest", {"site": "' OR 1=1"}, "site", "should match", id="SQL"),
        pytest.param("/v1/latest", {"site": "bay\n"}, "site", "should match", id="line end"),
        pytest.param("/v1/latest", {"site": ""}, "site", "should match", id="empty id"),
        pytest.param("/v1/sites/..%2F..%2Fetc%2Fpasswd", {}, None, "no such address", id="climb"),
        pytest.param("/v1/sites", {"cursor": "abc"}, "cursor", "`next`", id="cursor"),
        pytest.param("/v1/sites", {"cursor": "é"}, "cursor", "`next`", id="no base 64"),
        pytest.param("/v1/sites", {"cursor": "WzFd"}, "cursor", "`next`", id="cursor of a number"),
        pytest.param("/v1/sites", {"cursor": "WyJcdWQ4MDAiXQ"}, "cursor", "`next`", id="surrogate"),
        pytest.param(
            "/v1/alerts", {"cursor": "WzFlMzAsImEiXQ"}, "cursor", "`next`", id="cursor of a float"
        ),
        pytest.param(
            "/v1/alerts",
            {"cursor": "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OSwiYSJd"},
            "cursor",
            "`next`",
            id="beyond 64 bits",
        ),
        pytest.param("/v1/alerts", {"state": "on"}, "state", "'pending', 'firing'", id="state"),
        pytest.param("/v1/alerts", {"severity": "3"}, "severity", "'info', 'warning'", id="level"),
        pytest.param("/v1/alerts", {"since": "2026-11-22T01:00:00"}, "since", "no zone", id="zone"),
        pytest.param(SERIES_PATH, {"start": "yesterday"}, "start", "2026-11-22T", id="no time"),
        pytest.param(SERIES_PATH, {"start": "9999-12-31T23:59:59Z"}, "start", "2099", id="9"),
        pytest.param(SERIES_PATH, {"end": "0001-01-01T00:00:00+14:00"}, "end", "1970", id="year 1"),
        pytest.param(
            SERIES_PATH, {"start": "2026-11-23T00:00Z"}, "start", "before end", id="turned"
        ),
        pytest.param(SERIES_PATH, {"start": "2026-01-01T00:00:00Z"}, "start", "31 days", id="long"),
        pytest.param(
            SERIES_PATH,
            {"start": "2016-01-01T00:00:00Z", "every": "1d"},
            "start",
            "366 days",
            id="ten years",
        ),
        pytest.param(SERIES_PATH, {"every": "fortnight"}, "every", "5m, 2h", id="every"),
        pytest.param(SERIES_PATH, {"every": "0m"}, "every", "5m, 1h", id="no time at all"),
        pytest.param(SERIES_PATH, {"flags": "1,5"}, "flags", "such as 1,2", id="flags"),
        pytest.param(SERIES_PATH, {"flags": ""}, "flags", "such as 1,2", id="no flags"),
        pytest.param("/v1/sites/nowhere", {}, None, "/v1/sites lists them", id="no site"),
        pytest.param("/v1/alerts/none", {}, None, "/v1/alerts lists them", id="no alert"),
        pytest.param("/v1/series/buoy/pm25", {}, None, "/v1/latest", id="no series"),
        pytest.param("/v1/", {}, None, "/docs", id="no address"),
        pytest.param("/v1/sites/", {}, None, "/docs", id="a slash too many"),
        pytest.param("//v1/sites", {}, None, "/docs", id="a slash before"),
    ],
)
def test_it_says_what_to_do_next(
    served: Service, path: str, asked: dict[str, Any], field: str | None, words: str
) -> None:
    served.store((0, NOW, 1.0, 1))
    problem = served.refused(path, **asked)
    assert problem["status"] == (404 if field is None else 400)
    assert problem.get("field") == field
    assert words in problem["detail"]


def test_every_kind_of_problem_is_described_where_its_type_points(served: Service) -> None:
    page = served.http.get("/docs").text
    for kind in KINDS:
        assert f'id="{kind}"' in page


def test_a_wrong_method_names_the_right_ones(served: Service) -> None:
    response = served.http.put("/v1/keys", headers=served.headers())
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert "GET or POST" in response.json()["detail"]


def body_of(size: int) -> Iterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b" " * 300_000, id="declared"),
        pytest.param(body_of(300_000), id="in chunks"),
    ],
)
def test_it_refuses_a_body_that_is_too_large(
    served: Service, content: bytes | Iterator[bytes]
) -> None:
    mine = served.headers(Role.ADMIN) | {"Content-Type": "application/json"}
    response = served.http.post("/v1/keys", content=content, headers=mine)
    assert response.status_code == 413
    assert "256 kB" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        pytest.param(b"{", "body", "is no JSON", id="half"),
        pytest.param(b"", "body", "is missing", id="nothing"),
        pytest.param(b"[]", "body", "valid dictionary", id="a list"),
        pytest.param(b"\xff\xfe", "body", "", id="no UTF-8"),
        pytest.param(b'{"owner": "x"}', "role", "is missing; add it", id="no role"),
        pytest.param(b'{"role": "king", "owner": "x"}', "role", "'viewer'", id="no such role"),
        pytest.param(b'{"role": "viewer", "owner": ""}', "owner", "at least 1", id="nobody"),
        pytest.param(b'{"role": "viewer", "owner": 5}', "owner", "valid string", id="a number"),
        pytest.param(
            b'{"role": "viewer", "owner": "x", "id": "mine"}', "id", "not known", id="its own id"
        ),
        pytest.param(b"[" * 100_000, "body", "", id="deep"),
    ],
)
def test_it_says_what_is_wrong_with_a_body(
    served: Service, body: bytes, field: str, words: str
) -> None:
    mine = served.headers(Role.ADMIN) | {"Content-Type": "application/json"}
    response = served.http.post("/v1/keys", content=body, headers=mine)
    assert response.status_code == 400, response.text
    assert response.json()["field"] == field
    assert words in response.json()["detail"]


def broken() -> Any:
    raise RuntimeError("the secret of the house")


def test_what_nobody_expected_is_logged_and_not_told(
    served: Service, caplog: pytest.LogCaptureFixture
) -> None:
    response = served.with_context(status=broken).get("/v1/stats", headers=served.headers())
    assert response.status_code == 500
    assert response.json()["type"] == "/docs#internal"
    assert "secret of the house" not in response.text
    assert "Traceback" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret of the house" in caplog.text


class NoHistory:
    """A store that does not answer."""

    def raw(self, *_: Any, **__: Any) -> Any:
        raise StorageError("InfluxDB does not answer: refused")

    aggregates = raw


def test_a_store_that_does_not_answer_is_503(served: Service) -> None:
    served.store((0, NOW, 1.0, 1))
    http = served.with_context(history=NoHistory())
    response = http.get(SERIES_PATH, headers=served.headers())
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "/health/ready" in response.json()["detail"]


def test_a_ledger_that_cannot_be_read_is_503_and_the_process_lives(served: Service) -> None:
    served.context.readers.dispose()
    (served.ledger.folder / "ledger.db").rename(served.ledger.folder / "gone.db")
    assert served.http.get("/v1/sites", headers=served.headers()).status_code == 503
    assert served.http.get("/health/live", headers=served.headers()).status_code == 200


@pytest.mark.parametrize("path", ["/v1/sites", "/v1/nothing", "/docs", "/health/live", "/metrics"])
def test_every_answer_has_the_security_headers(served: Service, path: str) -> None:
    for sent in ({}, served.headers()):
        headers = served.http.get(path, headers=sent).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_no_other_site_may_read_our_answers(served: Service) -> None:
    sent = served.headers() | {"Origin": "https://elsewhere.example"}
    headers = served.http.get("/v1/sites", headers=sent).headers
    assert "access-control-allow-origin" not in headers


def test_test_clients_see_our_answer_to_an_error_and_not_the_error(served: Service) -> None:
    http = TestClient(served.http.app, raise_server_exceptions=True)
    assert http.get("/v1/nothing").status_code == 401
