"""Sockets, tasks and files of a running system: small tools of the composition root."""

import asyncio
import errno
import json
import os
import socket
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from core.errors import StartError
from core.settings import Settings

LOCAL_FILE = "local.json"
LEAVE_SECONDS = 2.0  # a task may take this long to end


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The API's socket, bound before broker and threads: a port in use is told at once."""
    place = (settings.api_host, settings.api_port)
    try:
        door = socket.create_server(place, backlog=512)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        words = f"port {place[1]} on {place[0]} cannot be used ({reason})"
        advice = "set ANDAMAN_API_PORT to a free one, or to 0"
        if error.errno != errno.EADDRINUSE:
            advice = "check ANDAMAN_API_HOST and ANDAMAN_API_PORT"
        raise StartError(f"{words}; {advice}") from error
    with door:
        yield door


class _Server(uvicorn.Server):
    """uvicorn, but for signals: those are the business of whoever runs the system."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    stack: AsyncExitStack, api: FastAPI, door: socket.socket, trusted_proxies: str
) -> None:
    """The API on the socket until the stack unwinds; it is up when this returns."""
    config = uvicorn.Config(
        api,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        forwarded_allow_ips=trusted_proxies,
    )
    server = _Server(config)

    def leave() -> None:
        server.should_exit = True

    task = await keep(stack, server.serve(sockets=[door]), leave)
    up = asyncio.create_task(server.up.wait())
    await asyncio.wait((task, up), return_when=asyncio.FIRST_COMPLETED)
    up.cancel()


async def keep(
    stack: AsyncExitStack, work: Coroutine[Any, Any, None], leave: Callable[[], None] | None = None
) -> "asyncio.Task[None]":
    """Run `work` until the stack unwinds; `leave` asks it to end, else it is cancelled."""
    task = asyncio.create_task(work)

    async def end() -> None:
        if leave is None:
            task.cancel()
        else:
            leave()
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(task, LEAVE_SECONDS)

    stack.push_async_callback(end)
    return task


@contextmanager
def local_file(folder: Path, content: Mapping[str, str]) -> Iterator[None]:
    """`local.json`: how the command line on this machine reaches the system that runs here."""
    path = folder / LOCAL_FILE
    write_private(path, json.dumps(content))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file at one stroke, readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
