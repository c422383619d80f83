"""Takes dashboards to a Grafana that is there, and overwrites nothing but what it published itself.

What we save carries a message with the hash of what we sent; Grafana keeps it with the version.
Where the newest version has another message, somebody has edited the dashboard since.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dashboards.panels import Json

MARK = "published by andaman "
FOLDERS = {"en": "Andaman", "th": "อันดามัน"}
_OWN = ("id", "version", "uid")  # what Grafana numbers by itself, and what we looked it up by


class Refused(Exception):  # noqa: N818 - it is an answer
    """Grafana did not do it; another dashboard may fare better."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status} {words}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A dashboard in Grafana; `messages` of its versions, the newest first."""

    content: Json
    folder: str
    provisioned: bool
    messages: tuple[str, ...]


class Target(Protocol):
    """What publishing asks of a Grafana."""

    def has_folder(self, uid: str) -> bool: ...
    def make_folder(self, uid: str, title: str) -> None: ...
    def dashboard(self, uid: str) -> Stored | None: ...
    def save(self, dashboard: Json, folder: str, message: str) -> None: ...


class Outcome(StrEnum):
    """What became of a dashboard, or with a dry run would become of it."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EDITED = "edited by hand since, left alone; --force overwrites it"
    FOREIGN = "not ours, left alone; rename or delete it to get ours"
    PROVISIONED = "provisioned from files, left alone; change the files"
    REFUSED = "refused"

    @property
    def done(self) -> bool:
        """Whether Grafana now shows what it should."""
        return self in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Of one dashboard; `words` are Grafana's where it refused, `diff` what changes."""

    uid: str
    outcome: Outcome
    words: str = ""
    diff: tuple[str, ...] = ()


def publish(
    target: Target, built: Mapping[str, Json], *, force: bool = False, dry_run: bool = False
) -> Iterable[Report]:
    """Publish each, in a folder for its language; with `dry_run` only say what would happen.

    `force` overwrites what is ours and was edited since, never what is not ours.
    """
    for file, dashboard in built.items():
        language = file.partition("/")[0]
        try:
            if not dry_run:
                _make_folder(target, language)
            yield _publish(target, dashboard, _folder(language), force=force, dry_run=dry_run)
        except Refused as refused:
            yield Report(uid=dashboard["uid"], outcome=Outcome.REFUSED, words=str(refused))


def verdict(stored: Stored | None, mark: str, *, force: bool) -> Outcome:
    """What is to be done with a dashboard whose newest content has that mark."""
    if stored is None:
        return Outcome.CREATED
    if stored.provisioned:
        return Outcome.PROVISIONED
    if not any(message.startswith(MARK) for message in stored.messages):
        return Outcome.FOREIGN
    newest = stored.messages[0]
    if newest == mark:
        return Outcome.UNCHANGED
    return Outcome.UPDATED if newest.startswith(MARK) or force else Outcome.EDITED


def mark_of(dashboard: Json) -> str:
    """The message of a version: a hash of what is sent."""
    text = json.dumps(dashboard, sort_keys=True, ensure_ascii=False)
    return MARK + hashlib.sha256(text.encode()).hexdigest()[:16]


def _publish(target: Target, dashboard: Json, folder: str, *, force: bool, dry_run: bool) -> Report:
    uid, mark = dashboard["uid"], mark_of(dashboard)
    stored = target.dashboard(uid)
    outcome = verdict(stored, mark, force=force)
    diff = () if outcome is Outcome.UNCHANGED else _diff(uid, stored, dashboard)
    if not dry_run and outcome in (Outcome.CREATED, Outcome.UPDATED):
        version, place = (stored.content["version"], stored.folder) if stored else (0, folder)
        target.save(dashboard | {"version": version}, place, mark)
    return Report(uid=uid, outcome=outcome, diff=diff)


def _make_folder(target: Target, language: str) -> None:
    if not target.has_folder(_folder(language)):
        target.make_folder(_folder(language), FOLDERS[language])


def _folder(language: str) -> str:
    return f"andaman-{language}"


def _diff(uid: str, stored: Stored | None, dashboard: Json) -> tuple[str, ...]:
    there = _lines(stored.content) if stored else []
    names = (f"{uid} in Grafana", f"{uid} as built")
    return tuple(difflib.unified_diff(there, _lines(dashboard), *names, n=1, lineterm=""))


def _lines(dashboard: Json) -> list[str]:
    content = {key: value for key, value in dashboard.items() if key not in _OWN}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
