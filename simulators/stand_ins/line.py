"""LINE's server to talk to: it sends nothing to anybody, remembers, and does wrong what it is told.

    python -m simulators.stand_ins.line --token-file FILE --secret-file FILE [--port 8081]
                                        [--quota 300] [--webhook URL]

`Line` serves a platform on the loopback, in a thread. Who runs it as a process of its own reads
what users received at `/control/received`, says what goes wrong by `/control/faults`, and makes a
user follow, write or tap by `/control/events`.
"""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.requests import Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from simulators.stand_ins.line_platform import REFUSALS, Answer, Fault, Platform

_LOOPBACK = "127.0.0.1"


def served(platform: Platform, webhook: str = "") -> FastAPI:
    """The platform on the wire; `webhook` is where events go."""

    async def api(request: Request) -> Response:
        fault = platform.strike()
        if fault is Fault.HANG:
            await asyncio.sleep(600)
        if fault is Fault.REDIRECT:
            return Response(status_code=307, headers={"Location": "http://127.0.0.1:9/elsewhere"})
        if fault in REFUSALS:
            status, words = REFUSALS[fault]
            return JSONResponse({"message": words}, status)
        headers, raw = request.headers, await request.body()
        answer = platform.handle(request.method, request.url.path, headers, raw)
        if fault is not None and answer.status == 200:
            return await _spoiled(fault, answer)
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    async def received(_request: Request) -> Response:
        return JSONResponse([asdict(each) for each in platform.received])

    async def faults(request: Request) -> Response:
        shares = await request.json()
        platform.faults = {Fault(name): float(share) for name, share in shares.items()}
        return JSONResponse(shares)

    async def events(request: Request) -> Response:
        """`{"user", "do": follow | unfollow | write | tap, "with": text or data}`."""
        asked = await request.json()
        what = [asked["with"]] if "with" in asked else []
        body, headers = platform.signed(getattr(platform, asked["do"])(asked["user"], *what))
        try:
            async with httpx.AsyncClient(timeout=10) as client:
                answer = await client.post(webhook, content=body, headers=headers)
        except httpx.HTTPError as error:
            return JSONResponse({"message": f"{webhook or 'no webhook'}: {error}"}, 502)
        return JSONResponse({"status": answer.status_code})

    app = FastAPI(openapi_url=None)
    app.add_api_route("/v2/bot/{path:path}", api, methods=["GET", "POST"])
    app.add_api_route("/control/received", received)
    app.add_api_route("/control/faults", faults, methods=["PUT"])
    app.add_api_route("/control/events", events, methods=["POST"])
    return app


async def _spoiled(fault: Fault, answer: Answer) -> Response:
    """The answer to a request that was taken, gone wrong."""
    match fault:
        case Fault.ACCEPT_ERROR:
            return JSONResponse({"message": "Internal Server Error"}, 500)
        case Fault.ACCEPT_HANG:
            await asyncio.sleep(600)
        case Fault.ENDLESS:
            return StreamingResponse(_endless(), media_type="application/json")
        case Fault.GARBAGE:
            return Response("<html>\xff", media_type="application/json")
        case _:
            await asyncio.sleep(2)
    return JSONResponse(answer.body, answer.status, dict(answer.headers))


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536
        await asyncio.sleep(0)


class Line:
    """Serves a platform on a free port of the loopback while it is entered, in a thread."""

    def __init__(self, platform: Platform, port: int = 0, webhook: str = "") -> None:
        self.platform = platform
        config = uvicorn.Config(
            served(platform, webhook),
            host=_LOOPBACK,
            port=port,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=0,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""

    def __enter__(self) -> "Line":
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise OSError("the stand-in could not listen")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://{_LOOPBACK}:{port}"
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)


def main() -> None:
    """Run as a process of its own until it is ended."""
    parser = argparse.ArgumentParser(description="LINE's server to talk to")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--quota", type=int)
    parser.add_argument("--webhook", default="")
    asked = parser.parse_args()
    token, secret = (
        file.read_text(encoding="utf-8").strip() for file in (asked.token_file, asked.secret_file)
    )
    platform = Platform(token=token, secret=secret, clock=time.time, quota=asked.quota)
    with Line(platform, asked.port, asked.webhook) as line:
        print(json.dumps({"url": line.url}), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
