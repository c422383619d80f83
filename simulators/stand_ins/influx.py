"""An InfluxDB 2 to write to: it keeps points as the real one does.

Each field and time has one value: a point that comes again overwrites itself. Where a field has had
another type before, the point is refused with 422 and the rest is stored.
"""

import gzip
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_PARTS = re.compile(rb'((?:[^" ]|"(?:[^"\\]|\\.)*")+)')  # strings hold blanks
_NUMBER = re.compile(rb"-?[0-9.]+(e[-+]?[0-9]+)?")
Point = tuple[bytes, int]  # measurement with tags, and time (ns)


class Influx:
    """Serves while it is entered, on a free port of the loopback."""

    def __init__(self) -> None:
        self.points: dict[Point, dict[str, float]] = {}
        self.conflicts: set[str] = set()  # fields that are of another type
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "Influx":
        self._thread.start()
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, lines: bytes) -> list[str]:
        """Store what can be stored; the fields of the rest."""
        refused = []
        with self._lock:
            for line in lines.splitlines():
                head, fields, time = _PARTS.findall(line)
                values = _floats(fields)
                bad = self.conflicts & set(values)
                refused += sorted(bad)
                if not bad:
                    self.points.setdefault((head, int(time)), {}).update(values)
        return refused


def _floats(fields: bytes) -> dict[str, float]:
    """The fields that are floats: all that readings are made of, but for their flags."""
    pairs = (pair.partition(b"=") for pair in fields.split(b","))
    return {name.decode(): float(v) for name, _, v in pairs if _NUMBER.fullmatch(v)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, influx: Influx) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.influx = influx

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say(200, {"status": "pass"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        refused = self.server.influx.take(body) if "/write" in self.path else []
        if refused:
            words = f'partial write: field type conflict: input field "{refused[0]}" is type float'
            self._say(422, {"code": "unprocessable entity", "message": words})
        else:
            self._say(204, None)

    def _say(self, status: int, body: Mapping[str, str] | None) -> None:
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
