"""A Grafana over HTTP, by grafana-api: what publishing asks of it, and its refusals in our words.

`/api` is what both Grafana 12 and 13 speak.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaAPI, GrafanaException  # type: ignore[import-untyped]
from requests import RequestException

from core.errors import StartError
from dashboards.panels import Json
from dashboards.publish import Refused, Stored

TIMEOUT_SECONDS = 10.0
OLDEST = 12
_NOT_ALLOWED = "ANDAMAN_GRAFANA_TOKEN may not do that; give its service account the role Editor"

Answer = TypeVar("Answer")


class Grafana:
    """See `dashboards.publish.Target`."""

    def __init__(self, url: str, token: str) -> None:
        """Raises: StartError, the address or the token cannot be right; nothing is sent yet."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise StartError("ANDAMAN_GRAFANA_URL cannot be used; write http://host:3000")
        if not re.fullmatch(r"[!-~]+", token):
            raise StartError(
                "ANDAMAN_GRAFANA_TOKEN is missing or no token; make a service account in Grafana "
                "with the role Editor, and put its token into the file ANDAMAN_GRAFANA_TOKEN_FILE"
            )
        path = parts.path.strip("/")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._address = url
        self._api: Any = GrafanaAPI(
            token,
            host=host,
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=TIMEOUT_SECONDS,
        )

    def greet(self) -> str:
        """Its version; empty where it keeps that to itself.

        Raises:
            StartError: nobody answers, it is no Grafana, or too old.
        """
        health = self._found(lambda: self._api.GET("/health"))
        if not isinstance(health, Mapping) or "database" not in health:
            raise StartError(f"{self._address} is no Grafana; check ANDAMAN_GRAFANA_URL")
        version = str(health.get("version", ""))
        major = re.match(r"\d+", version)
        if major and int(major[0]) < OLDEST:
            raise StartError(f"Grafana {version} is too old; version {OLDEST} or later is needed")
        return version

    def has_folder(self, uid: str) -> bool:
        """Whether there is such a folder."""
        return self._found(lambda: self._api.GET(f"/folders/{uid}")) is not None

    def make_folder(self, uid: str, title: str) -> None:
        """Make it. Raises: Refused."""
        self._ask(lambda: self._api.POST("/folders", json={"uid": uid, "title": title}))

    def dashboard(self, uid: str) -> Stored | None:
        """The dashboard as it is there, and what was said of its versions, newest first."""
        found = self._found(lambda: self._api.GET(f"/dashboards/uid/{uid}"))
        if found is None:
            return None
        listed = self._found(lambda: self._api.GET(f"/dashboards/uid/{uid}/versions")) or []
        versions = listed.get("versions", []) if isinstance(listed, Mapping) else listed
        newest = sorted(versions, key=lambda version: -int(version["version"]))
        return Stored(
            content=found["dashboard"],
            folder=str(found["meta"].get("folderUid", "")),
            provisioned=bool(found["meta"].get("provisioned")),
            messages=tuple(str(version.get("message", "")) for version in newest),
        )

    def save(self, dashboard: Json, folder: str, message: str) -> None:
        """Save it, over the version that it names and over no other. Raises: Refused."""
        body = {"dashboard": dashboard, "folderUid": folder, "message": message, "overwrite": False}
        self._ask(lambda: self._api.POST("/dashboards/db", json=body))

    def _found(self, call: Callable[[], Any]) -> Any:
        try:
            return self._ask(call)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        """The answer. Raises: StartError where no other request would fare better, else Refused."""
        try:
            return call()
        except GrafanaException as error:
            raise self._refusal(error) from error
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            words = f"{self._address} answers, but not as a Grafana; check ANDAMAN_GRAFANA_URL"
            raise StartError(words) from error
        except RequestException as error:
            kind = type(error).__name__
            words = f"Grafana at {self._address} does not answer ({kind}); is it running?"
            raise StartError(words) from error

    def _refusal(self, error: Any) -> Exception:
        status, words = int(error.status_code), _words(error.response)
        if status == 401:
            return StartError("Grafana does not know ANDAMAN_GRAFANA_TOKEN; make a new one there")
        if status == 403:
            return StartError(f"{_NOT_ALLOWED} (403 {words})")
        if status >= 500:
            return StartError(f"Grafana has trouble of its own; try again later ({status} {words})")
        return Refused(status, words)


def _words(response: object) -> str:
    told = response.get("message", "") if isinstance(response, Mapping) else response
    return " ".join(str(told).split())[:200]
