"""Errors as problems (RFC 9457): words that say what to do next; no traceback, no key, no echo."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.errors import StorageError

log = logging.getLogger(__name__)

_LONGEST_NAME = 40  # of ours; a longer one may be a key that went astray
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

KINDS: Mapping[str, tuple[HTTPStatus, str]] = {
    "bad-parameter": (HTTPStatus.BAD_REQUEST, "A parameter is wrong"),
    "conflict": (HTTPStatus.CONFLICT, "It does not fit what is there"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "Andaman made a mistake"),
    "no-key": (HTTPStatus.UNAUTHORIZED, "A key is needed"),
    "not-allowed": (HTTPStatus.FORBIDDEN, "The key may not do this"),
    "not-found": (HTTPStatus.NOT_FOUND, "There is nothing here"),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "too-many": (HTTPStatus.TOO_MANY_REQUESTS, "Too many messages"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "Andaman cannot answer now"),
    "wrong-method": (HTTPStatus.METHOD_NOT_ALLOWED, "The method is wrong"),
}
_KIND_OF_STATUS = {int(status): kind for kind, (status, _) in KINDS.items()}


class Problem(BaseModel):
    """What went wrong. `field` names the parameter, where it was one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/docs#bad-parameter",
                    "title": "A parameter is wrong",
                    "status": 400,
                    "detail": "limit: should be less than or equal to 1000",
                    "field": "limit",
                }
            ]
        }
    )

    type: str = Field(description="Address of the problem's description.")
    title: str
    status: int
    detail: str = Field(description="What to do next.")
    field: str | None = Field(None, description="The parameter that is wrong.")


class ApiError(HTTPException):
    """Raised by endpoints; `kind` is one of `KINDS`, `detail` says what to do next."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(KINDS[kind][0], detail, headers)
        self.kind = kind
        self.field = field


def bad_parameter(field: str, words: str) -> ApiError:
    """400: `words` about `field`."""
    return ApiError("bad-parameter", f"{field}: {words}", field=field)


def answer(error: Exception) -> Response:
    """The response for any error; one that nobody expected is logged, not told."""
    problem = _expected(error)
    if problem is None:
        log.error("a request failed", exc_info=error)
        problem = ApiError("internal", "Try again; if it stays, tell an operator when it happened.")
    status, title = KINDS[problem.kind]
    body = Problem(
        type=f"/docs#{problem.kind}",
        title=title,
        status=status,
        detail=problem.detail,
        field=problem.field,
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def _expected(error: Exception) -> ApiError | None:
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return invalid(error.errors()[0])
        case StorageError() | SQLAlchemyError():
            log.warning("a request could not be answered: %s", getattr(error, "orig", error))
            words = "The store does not answer; try again in a few seconds, see /health/ready."
            return ApiError("unavailable", words, headers={"Retry-After": str(RETRY_SECONDS)})
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST) | UnicodeEncodeError():
            return bad_parameter("body", "cannot be read; correct it")
        case HTTPException():
            kind = _KIND_OF_STATUS.get(error.status_code, "internal")
            return ApiError(kind, f"{error.detail}; see /docs.", headers=error.headers)
        case _:
            return None


def invalid(error: Mapping[str, Any]) -> ApiError:
    """What pydantic found wrong, without the value: it may be a secret in the wrong place."""
    where = [str(part) for part in error["loc"] if part not in {"query", "path", "body"}]
    field = ".".join(where) or "body"
    if len(field) > _LONGEST_NAME:
        field = "parameter"
    match error["type"]:
        case "missing":
            return bad_parameter(field, "is missing; add it")
        case "extra_forbidden":
            return bad_parameter(field, "is not known here; remove it or correct the name")
        case "json_invalid":
            return bad_parameter("body", "is no JSON; correct it")
        case "string_pattern_mismatch":
            return bad_parameter(field, f"should match {error['ctx']['pattern']}")
        case "value_error":
            return bad_parameter(field, str(error["ctx"]["error"]))
        case _:
            words = error["msg"].removeprefix("Input ").removeprefix("String ")
            return bad_parameter(field, words[:1].lower() + words[1:])
