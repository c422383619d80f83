"""Puts the API together: routes, the doorkeeper before them, and a shield around everything."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import (
    actions,
    alerts,
    audit,
    backtest,
    bounces,
    credentials,
    daily,
    deliveries,
    devices,
    docs,
    feedback,
    flags,
    gateways,
    health,
    history,
    imports,
    keys,
    latest,
    line,
    maintenance,
    metrics,
    notices,
    parameters,
    public,
    quarantine,
    readings,
    receivers,
    reviews,
    rules,
    series,
    service_log,
    silences,
    sites,
    stats,
    strangers,
    subscribers,
)
from api.auth import Doorkeeper
from api.budget import Doors
from api.context import ApiContext, Check, SystemStatus, Write
from api.problems import ApiError, answer

__all__ = ["ApiContext", "Check", "SystemStatus", "Write", "create_app"]

BODY_LIMIT = 256 * 1024
_RESOURCES = (
    actions,
    alerts,
    audit,
    backtest,
    bounces,
    credentials,
    daily,
    deliveries,
    devices,
    feedback,
    flags,
    gateways,
    history,
    imports,
    keys,
    latest,
    maintenance,
    notices,
    parameters,
    quarantine,
    readings,
    receivers,
    reviews,
    rules,
    series,
    service_log,
    silences,
    sites,
    stats,
    strangers,
    subscribers,
)
_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Api(FastAPI):
    """FastAPI with our own description of itself."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = docs.describe(self.routes)
        return self.openapi_schema


def create_app(context: ApiContext) -> FastAPI:
    """The API over what `context` hands in."""
    app = Api(
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = context
    app.state.doors = Doors()
    app.state.metrics = metrics.registry_of(context)
    v1 = APIRouter(prefix="/v1")
    for resource in _RESOURCES:
        v1.include_router(resource.router)
    v1.include_router(line.v1)
    outside = (health.router, line.router, metrics.router, docs.router, public.router)
    for router in (v1, *outside, notices.pages):
        app.include_router(router)
    for expected in (HTTPException, RequestValidationError):
        app.add_exception_handler(expected, _answer)
    refusals = metrics.refusals(app.state.metrics)
    app.add_middleware(Doorkeeper, context=context, refusals=refusals)
    app.add_middleware(Shield)  # the last one added is the outermost
    return app


class Shield:
    """Security headers on every answer, a limit for every body, a problem for every error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            _refuse_length(Headers(scope=scope).get("content-length"))
            await self._app(scope, _limited(receive), send_guarded)
        except Exception as error:  # the outermost place: whatever it is, it is answered
            if started:
                raise
            await answer(error)(scope, receive, send_guarded)


def _limited(receive: Receive) -> Receive:
    """`receive` that refuses a body once it is too large, whatever its header said."""
    size = 0

    async def receive_some() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT:
            raise _too_large()
        return message

    return receive_some


def _refuse_length(declared: str | None) -> None:
    if declared is not None and declared.isdecimal() and int(declared[:20]) > BODY_LIMIT:
        raise _too_large()


def _too_large() -> ApiError:
    return ApiError("too-large", "Send at most 256 kB in one request.")


async def _answer(_request: Request, error: Exception) -> Response:
    return answer(error)
