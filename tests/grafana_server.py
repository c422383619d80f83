"""A stand-in for Grafana's HTTP API: folders, dashboards, their versions, tokens, refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

EDITOR, VIEWER = "token-of-an-editor", "token-of-a-viewer"


class GrafanaServer:
    """What it holds; a test may change any of it. `prefix` is a path that it is served below."""

    def __init__(self, version: str = "12.4.0", prefix: str = "") -> None:
        self.version, self.prefix = version, prefix
        self.folders: dict[str, str] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.places: dict[str, str] = {}
        self.provisioned: set[str] = set()
        self.race: set[str] = set()  # uids that somebody saves just before we do
        self.broken: tuple[int, str] | None = None
        self.requests: list[tuple[str, str]] = []
        self.url = ""

    def newest(self, uid: str) -> dict[str, Any]:
        """The content of a dashboard."""
        content: dict[str, Any] = self.versions[uid][-1]["data"]
        return content

    def edit(self, uid: str, title: str, message: str = "") -> None:
        """What a person does in the browser."""
        self.keep(self.newest(uid) | {"title": title}, message)

    def answer(  # noqa: PLR0911  one for each address
        self, method: str, path: str, token: str, body: Any
    ) -> tuple[int, Any]:
        """As Grafana answers."""
        self.requests.append((method, path))
        if self.broken:
            return self.broken
        if not path.startswith(f"{self.prefix}/api/"):
            return 404, "<html>no such page</html>"
        match path.removeprefix(f"{self.prefix}/api").strip("/").split("/"):
            case ["health"]:
                return 200, {"database": "ok", "version": self.version}
            case _ if token not in (EDITOR, VIEWER):
                return 401, {"message": "Invalid API key"}
            case _ if method != "GET" and token == VIEWER:
                return 403, {"message": "You'll need additional permissions: dashboards:create"}
            case ["folders"] if method == "POST":
                self.folders[body["uid"]] = body["title"]
                return 200, {"uid": body["uid"], "title": body["title"]}
            case ["folders", uid]:
                return (200, {"uid": uid}) if uid in self.folders else (404, {"message": "none"})
            case ["dashboards", "uid", uid, *rest] if uid in self.versions:
                return 200, self._versions(uid) if rest else self._dashboard(uid)
            case ["dashboards", "db"]:
                return self._save(body)
            case _:
                return 404, {"message": "Dashboard not found"}

    def _dashboard(self, uid: str) -> Any:
        meta = {"folderUid": self.places.get(uid, ""), "provisioned": uid in self.provisioned}
        return {"dashboard": self.newest(uid), "meta": meta}

    def _versions(self, uid: str) -> Any:
        listed = [{"version": v["version"], "message": v["message"]} for v in self.versions[uid]]
        return {"continueToken": "", "versions": listed[::-1]}

    def _save(self, body: Any) -> tuple[int, Any]:
        dashboard = body["dashboard"]
        uid = dashboard["uid"]
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if uid in self.race and uid in self.versions:
            self.edit(uid, "Somebody was quicker")
        known = self.versions.get(uid)
        if known and not body["overwrite"] and dashboard["version"] != known[-1]["version"]:
            words = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": words}
        self.keep(dashboard, body["message"])
        self.places[uid] = body["folderUid"]
        return 200, {"status": "success", "uid": uid}

    def keep(self, dashboard: dict[str, Any], message: str) -> None:
        """Another version."""
        versions = self.versions.setdefault(dashboard["uid"], [])
        number = len(versions) + 1
        data = dashboard | {"id": 7, "version": number}
        versions.append({"version": number, "message": message, "data": data})


@contextmanager
def serving(grafana: GrafanaServer) -> Iterator[GrafanaServer]:
    """Serve it on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, answer = grafana.answer(self.command, self.path, token, body)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    grafana.url = f"http://127.0.0.1:{server.server_address[1]}{grafana.prefix}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
