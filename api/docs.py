"""What the API says of itself: `/openapi.json`, and `/docs`, a page that needs no other server."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute

from api.auth import ROUTES, Standing, roles_from
from api.problems import KINDS, MEDIA_TYPE, Problem

router = APIRouter(include_in_schema=False)

_INTRODUCTION = (
    "What Andaman has measured and judged. Times are ISO 8601 in UTC. Lists answer `items` and "
    "`next`; give `next` as `cursor` for the following page. Errors are problems (RFC 9457) whose "
    "`detail` says what to do next."
)
_CALL = 'curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/v1/sites'
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{border-top:1px solid #ccc;padding-top:1rem}pre{background:#f4f4f4;padding:.8rem;"
    "overflow:auto}td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The documentation as one page."""
    body = "".join(_page(request.app.openapi()))
    return HTMLResponse(body, headers={"Content-Security-Policy": _POLICY})


def describe(routes: list[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document: what FastAPI finds, with our problems, roles and examples."""
    schema = get_openapi(
        title="Andaman",
        version="1",
        summary="Sea, air and bins",
        description=_INTRODUCTION,
        routes=routes,
    )
    components = schema["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for model in components["schemas"].values():
        if "examples" in model:  # FastAPI leaves out what is null
            nulls = dict.fromkeys(model.get("required", ()))
            model["examples"] = [nulls | value for value in model["examples"]]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "gateway": {"type": "http", "scheme": "basic", "description": "Its id and its key."},
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            least = ROUTES[f"{method.upper()} {path}"]
            _complete(operation, least, components["schemas"])
    return schema


def _complete(operation: dict[str, Any], least: Standing, schemas: Mapping[str, Any]) -> None:
    responses = operation["responses"]
    kinds = ["internal", "unavailable"]
    if responses.pop("422", None):
        kinds.append("bad-parameter")
    if least > Standing.ANYONE:
        kinds += ["no-key", "not-allowed"]
        operation["security"] = [{"key": []}]
        if least is Standing.GATEWAY:
            operation["security"].append({"gateway": []})
        operation["description"] += f"\n\nNeeds a key with the role {roles_from(least)}."
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        kinds.append("not-found")
    for answer in (*responses.values(), operation.get("requestBody", {})):
        for content in answer.get("content", {}).values():
            content["example"] = _example(content["schema"], schemas)
    reference = {"$ref": "#/components/schemas/Problem"}
    for status, title in (KINDS[kind] for kind in kinds):
        problem = {"description": title, "content": {MEDIA_TYPE: {"schema": reference}}}
        responses.setdefault(str(int(status)), problem)


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """A value that fits, put together from the examples of the schema's parts."""
    match schema:
        case {"$ref": reference}:
            value = _example(schemas[reference.rsplit("/", 1)[1]], schemas)
        case {"examples": [value, *_]} | {"const": value}:
            pass
        case {"anyOf": [first, *others]}:
            value = None if {"type": "null"} in others else _example(first, schemas)
        case {"type": "object", "properties": parts}:
            value = {name: _example(part, schemas) for name, part in parts.items()}
        case {"type": "array", "items": item}:
            value = [_example(item, schemas)]
        case _:
            value = None
    return value


def _page(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>Andaman</title>"
    yield f"<style>{_STYLE}</style><h1>Andaman</h1><p>{_words(schema['info']['description'])}</p>"
    yield f"<pre>{escape(_CALL)}</pre>"
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"<h2>{method.upper()} {escape(path)}</h2>"
            for paragraph in operation["description"].split("\n\n"):
                yield f"<p>{_words(paragraph)}</p>"
            yield from _parameters(operation.get("parameters", []))
            yield from _examples("Send", operation.get("requestBody", {}))
            for status, answer in operation["responses"].items():
                yield from _examples(status, answer)
    yield "<h2>Problems</h2><table>"
    for kind, (status, title) in KINDS.items():
        yield f'<tr id="{kind}"><td>{kind}<td>{int(status)}<td>{escape(title)}'
    yield "</table></html>"


def _parameters(parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield "<table>"
    for parameter in parameters:
        words = parameter.get("description") or "in the address"
        yield f"<tr><td><code>{escape(parameter['name'])}</code><td>{_words(words)}"
    yield "</table>"


def _examples(title: str, body: Mapping[str, Any]) -> Iterator[str]:
    for content in body.get("content", {}).values():
        if content.get("example") is not None:
            example = json.dumps(content["example"], ensure_ascii=False, indent=2)
            yield f"<p>{title}</p><pre>{escape(example)}</pre>"


def _words(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
