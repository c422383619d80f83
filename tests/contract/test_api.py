"""What the API answers is what its OpenAPI document says, for every GET and for every problem."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.access import Role
from core.alerts import Severity, State
from core.messages import Quarantined, Refusal
from core.times import iso
from storage import subscribers
from tests.people import SOMEBODY
from tests.service import NOW, Service, ago, change, service

TYPES: Mapping[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
CHECKED = {
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "prefixItems",
    "properties",
    "required",
    "type",
}
ANNOTATIONS = {"default", "description", "example", "examples", "title"}
# One address for each route that is described with parameters.
FILLED = {
    "/v1/deliveries/{delivery}": [],
    "/v1/notices/{notice}": [],
    "/v1/alerts/{alert}": ["/v1/alerts/f", "/v1/alerts/r"],
    "/v1/devices/{device}": ["/v1/devices/buoy"],
    "/v1/maintenance/{window}": ["/v1/maintenance/w"],
    "/v1/quality/reviews/{review}": ["/v1/quality/reviews/1"],
    "/v1/quarantine/{entry}": ["/v1/quarantine/1"],
    "/v1/series/{device}/{parameter}": [
        "/v1/series/buoy/turbidity",
        "/v1/series/buoy/turbidity?every=1h",
    ],
    "/v1/rules/{rule}": ["/v1/rules/beach-turbid"],
    "/v1/silences/{silence}": ["/v1/silences/1"],
    "/v1/sites/{site}": ["/v1/sites/bay", "/v1/sites/corner"],
    "/v1/subscribers/{subscriber}": ["/v1/subscribers/s1"],
    "/v1/subscribers/{subscriber}/export": ["/v1/subscribers/s1/export"],
    "/v1/subscribers/{subscriber}/subscriptions": ["/v1/subscribers/s1/subscriptions"],
}


def misfits(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    """Where `value` is not what `schema` says (the part of JSON Schema that we use)."""
    unknown = set(schema) - CHECKED - ANNOTATIONS
    assert not unknown, f"this check does not know {unknown}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        yield from misfits(value, root["components"]["schemas"][name], root)
        return
    if "anyOf" in schema:
        tried = [list(misfits(value, choice, root)) for choice in schema["anyOf"]]
        if all(tried):
            yield f"{value!r} is none of {tried}"
        return
    if not _is(value, schema.get("type")):
        yield f"{value!r} is no {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not in {schema['enum']}"
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        yield f"{value!r} has no zone"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get(
        "maximum", value
    ):
        yield f"{value!r} is out of range"
    if isinstance(value, dict):
        yield from _object_misfits(value, schema, root)
    if isinstance(value, list):
        yield from _array_misfits(value, schema, root)


def _is(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _object_misfits(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{name} is missing" for name in schema.get("required", []) if name not in value)
    others = schema.get("additionalProperties", True)
    for name, part in value.items():
        if name in known:
            yield from (f"{name}: {misfit}" for misfit in misfits(part, known[name], root))
        elif others is False:
            yield f"{name} is not described"
        elif isinstance(others, dict):
            yield from (f"{name}: {misfit}" for misfit in misfits(part, others, root))


def _array_misfits(
    value: list[Any], schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{len(value)} items"
    described = schema.get("prefixItems") or [schema["items"]] * len(value)
    for item, part in zip(value, described, strict=True):
        yield from misfits(item, part, root)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A ledger in which there is something to show of everything."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    refusal = Quarantined(
        received_at=NOW,
        gateway="gw",
        topic="t",
        reason=Refusal.NOT_JSON,
        detail="",
        payload=b"{",
    )
    stranger = replace(refusal, reason=Refusal.UNKNOWN_DEVICE, device="buoy-9")
    with service(folder) as made:
        _mute(made)
        made.store(
            *[(series, ago(minutes), 12.5, 1) for series in (0, 1, 2) for minutes in (5, 90)],
            quarantined=[refusal, stranger],
            transitions=[
                change("f", State.FIRING, ago(20)),
                change("r", State.PENDING, ago(60), severity=Severity.CRITICAL, rule="gone"),
                change("r", State.FIRING, ago(50), before=State.PENDING, rule="gone"),
                change("r", State.RESOLVED, ago(40), before=State.FIRING, rule="gone"),
            ],
        )
        said = {"device": "buoy", "from": iso(ago(99)), "to": iso(ago(9)), "note": "weed"}
        for path, more in (
            ("/v1/quality/flags", {"flag": 4}),
            ("/v1/service-log", {"work": "cleaning", "by": "Nok"}),
        ):
            answer = made.http.post(path, json=said | more, headers=made.headers(Role.OFFICER))
            assert answer.status_code == 201, answer.text
        tested = made.http.post("/v1/receivers/office/test", headers=made.headers(Role.OFFICER))
        assert tested.status_code == 202, tested.text
        subscribers.add(made.ledger, SOMEBODY, by="k1", at=NOW)
        yield made


def _mute(made: Service) -> None:
    what = {"matchers": ["kind=beach"], "reason": "dredging"}
    window = {"id": "w", "days": ["mon"], "from": "22:00", "to": "02:00"}
    for path, body in (("silences", what | {"lasts": "2h"}), ("maintenance", what | window)):
        headers = made.headers(Role.OFFICER)
        assert made.http.post(f"/v1/{path}", json=body, headers=headers).status_code == 201


@pytest.fixture(scope="module")
def document(served: Service) -> dict[str, Any]:
    found: dict[str, Any] = served.http.get("/openapi.json").json()
    return found


def operations(document: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_get_answers_with_what_is_described(
    served: Service, document: dict[str, Any]
) -> None:
    for method, path, operation in operations(document):
        if method != "get":
            continue
        for address in FILLED.get(path, [path]):
            response = served.http.get(address, headers=served.headers(Role.ADMIN))
            assert response.status_code == 200, (address, response.text)
            content = operation["responses"]["200"]["content"]
            media_type = response.headers["content-type"].split(";")[0]
            body = response.json() if media_type.endswith("json") else response.text
            assert list(misfits(body, content[media_type]["schema"], document)) == [], address
            if isinstance(body, dict) and "items" in body:
                assert body["items"], f"{address} shows nothing, so nothing was checked"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        pytest.param("/v1/keys", {"role": "officer", "owner": "console"}, id="key"),
        pytest.param("/v1/subscribers", {"email": "b@example.com", "consent": True}, id="person"),
        pytest.param(
            "/v1/silences", {"matchers": ["site=x"], "reason": "r", "lasts": "1h"}, id="silence"
        ),
        pytest.param(
            "/v1/maintenance",
            {"id": "x", "matchers": ["site=x"], "reason": "r", "month_days": [1, "last"]}
            | {"from": "22:00", "to": "24:00"},
            id="window",
        ),
    ],
)
def test_what_is_made_is_as_described(
    served: Service, document: dict[str, Any], path: str, asked: dict[str, Any]
) -> None:
    response = served.http.post(path, json=asked, headers=served.headers(Role.ADMIN))
    described = document["paths"][path]["post"]["responses"]["201"]
    schema = described["content"]["application/json"]["schema"]
    assert list(misfits(response.json(), schema, document)) == []


@pytest.mark.parametrize(
    ("method", "template", "address", "role", "status"),
    [
        pytest.param("get", "/v1/sites", "/v1/sites", None, 401, id="no key"),
        pytest.param("get", "/v1/keys", "/v1/keys", Role.VIEWER, 403, id="a viewer"),
        pytest.param("get", "/v1/sites/{site}", "/v1/sites/x", Role.VIEWER, 404, id="no site"),
        pytest.param("get", "/v1/latest", "/v1/latest?limit=0", Role.VIEWER, 400, id="limit"),
        pytest.param("delete", "/v1/keys/{key}", "/v1/keys/x", Role.ADMIN, 404, id="no key there"),
        pytest.param("post", "/v1/keys", "/v1/keys", Role.ADMIN, 400, id="no body"),
        pytest.param("post", "/v1/readings", "/v1/readings", Role.VIEWER, 403, id="no gateway"),
        pytest.param("post", "/v1/silences", "/v1/silences", Role.VIEWER, 403, id="no officer"),
        pytest.param("post", "/v1/silences", "/v1/silences", Role.OFFICER, 400, id="no silence"),
        pytest.param(
            "post",
            "/v1/silences/{silence}/expire",
            "/v1/silences/99/expire",
            Role.OFFICER,
            400,
            id="no body to end a silence",
        ),
        pytest.param(
            "delete",
            "/v1/maintenance/{window}",
            "/v1/maintenance/no",
            Role.OFFICER,
            404,
            id="no window",
        ),
        pytest.param(
            "post",
            "/v1/readings",
            "/v1/readings?dialect=morse",
            Role.GATEWAY,
            400,
            id="no such dialect",
        ),
    ],
)
def test_a_problem_is_as_described(
    served: Service,
    document: dict[str, Any],
    method: str,
    template: str,
    address: str,
    role: Role | None,
    status: int,
) -> None:
    headers = {} if role is None else served.headers(role)
    response = served.http.request(method, address, headers=headers)
    assert response.status_code == status
    described = document["paths"][template][method]["responses"][str(status)]
    schema = described["content"][response.headers["content-type"]]["schema"]
    assert list(misfits(response.json(), schema, document)) == []


def test_every_operation_is_described_with_an_example(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation["description"], path
        assert "422" not in operation["responses"], path
        for status, answer in operation["responses"].items():
            if not status.startswith("2") or status == "204":
                continue
            for media_type, content in answer["content"].items():
                if media_type == "application/json":
                    found = list(misfits(content["example"], content["schema"], document))
                    assert found == [], (method, path)


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter["in"] == "path" or parameter["description"], (path, parameter)


def test_everything_under_v1_asks_for_a_key(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        assert ("security" in operation) is not path.startswith(("/health", "/line"))


def test_names_are_snake_case(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        for name in schema.get("properties", {}):
            assert re.fullmatch("[a-z][a-z0-9_]*", name)


@pytest.mark.parametrize(
    ("value", "schema", "fits"),
    [
        pytest.param(1, {"type": "integer"}, True, id="integer"),
        pytest.param(True, {"type": "integer"}, False, id="a boolean is no integer"),
        pytest.param(1, {"type": "number"}, True, id="an integer is a number"),
        pytest.param("1", {"type": "number"}, False, id="text is no number"),
        pytest.param(None, {"anyOf": [{"type": "string"}, {"type": "null"}]}, True, id="null"),
        pytest.param({}, {"type": "object", "required": ["a"]}, False, id="missing"),
        pytest.param(
            {"b": 1}, {"type": "object", "additionalProperties": False}, False, id="too much"
        ),
        pytest.param([1, "2"], {"type": "array", "items": {"type": "integer"}}, False, id="item"),
        pytest.param("now", {"type": "string", "enum": ["then"]}, False, id="enum"),
        pytest.param(32, {"type": "integer", "maximum": 31}, False, id="range"),
    ],
)
def test_this_file_can_tell_what_fits(value: Any, schema: dict[str, Any], fits: bool) -> None:
    assert (not list(misfits(value, schema, {}))) is fits
