"""A fault proxy: it stands before a server, and does to connections what it is told.

`THROUGH` hands on what comes. The other ways are faults of networks and of what sits in them;
`ANSWER` speaks for an HTTP server that is in trouble.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


class Way(StrEnum):
    """What becomes of a connection."""

    THROUGH = "through"
    REFUSE = "refuse"  # nobody listens
    RESET = "reset"  # RST as soon as something is said
    SWALLOW = "swallow"  # taken, and never a word: a black hole
    SLOW = "slow"  # each piece half a second late
    DRIP = "drip"  # the answer byte by byte
    CUT = "cut"  # the request arrives; the connection ends in the middle of the answer
    ANSWER = "answer"  # the server is not asked: every request gets the same answer


class Proxy:
    """Listens on a port of the loopback, the same for as long as it lives."""

    def __init__(self, port: int, target: Callable[[], int]) -> None:
        """`target` is asked for the server's port at each connection."""
        self.port = port
        self._target = target
        self._way = Way.THROUGH
        self._said = b""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.connections = 0

    async def behave(self, way: Way, said: bytes = b"") -> None:
        """From now on, also for connections that are open: those are cut. `said` is an answer."""
        self._way, self._said = way, said
        for writer in list(self._open):
            writer.transport.abort()
        if way is Way.REFUSE:
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, EOFError):
                await self._treat(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._way:
            case Way.RESET:
                await reader.read(1)
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            case Way.SWALLOW:
                while await reader.read(_CHUNK):
                    pass
            case Way.ANSWER:
                await _answered(reader, writer, self._said)
            case _:
                await self._joined(reader, writer)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target())
        self._open.add(back)
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(_piped(reader, back, Way.THROUGH)),
                    asyncio.create_task(_piped(there, writer, self._way)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._open.discard(back)
            back.transport.abort()


async def _piped(source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
    """Hand on what comes, in its way, until one side ends."""
    with suppress(OSError):
        while piece := await source.read(1 if way is Way.DRIP else _CHUNK):
            if way in {Way.SLOW, Way.DRIP}:
                await asyncio.sleep(0.5 if way is Way.SLOW else 0.02)
            sink.write(piece[: len(piece) // 2] if way is Way.CUT else piece)
            await sink.drain()
            if way is Way.CUT:
                return


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes
) -> None:
    """Take one request after the other, and say the same to each."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        sizes = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        if b"transfer-encoding: chunked" in lines:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            await reader.readexactly(sum(sizes))
        writer.write(said)
        await writer.drain()


def http(status: int, reason: str, body: str = "", **headers: str) -> bytes:
    """An answer of a server in trouble.

    >>> http(429, "Too Many Requests", retry_after="1").splitlines()[:2]
    [b'HTTP/1.1 429 Too Many Requests', b'Retry-After: 1']
    """
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    named |= {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
    head = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in named.items())]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()
