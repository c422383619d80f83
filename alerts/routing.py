"""Routes: which alerts are told to whom, and how they are gathered; in Alertmanager's words. Pure.

`config/notify.yaml` is a tree of routes: an alert goes to the deepest one whose matchers all fit,
and to the next fitting one beside it where that says `continue`. What a route does not say, it has
from the one above it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from alerts import matchers
from alerts.notify.addresses import is_address
from alerts.rule_entries import WhenEntry
from alerts.rule_meaning import schedule
from alerts.schedules import Schedule
from core.alerts import Severity
from core.configuration import Duration, Id, Located, Place, Strict, read
from core.errors import ConfigError
from core.languages import Language
from core.muting import Labels
from core.notices import Channel, Recipient
from core.times import HOUR, MINUTE, SECOND

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = 30 * SECOND, 5 * MINUTE, 4 * HOUR
Wait = Annotated[Duration, Field(ge=0)]
Lasting = Annotated[Duration, Field(gt=0)]


class AddressEntry(Strict):
    """One address: a mail address, or the id of a LINE user, group or room."""

    to: str = Field(min_length=1, max_length=320)
    language: Language = "th"


class MailEntry(AddressEntry):
    """One mail address."""

    @field_validator("to")
    @classmethod
    def _can_be_mailed(cls, to: str) -> str:
        if not is_address(to):
            raise ValueError(f"{to} is no mail address; write name@your.domain")
        return to


class WebhookEntry(Strict):
    """One URL; `secret` is the name of the file, in ANDAMAN_SECRETS_DIR, that holds what its
    messages are signed with.
    """

    url: str = Field(pattern=r"^https?://\S+$", max_length=2000)
    secret: str = Field(default="", pattern=r"^[a-z][a-z0-9_]*$|^$")
    language: Language = "en"

    @field_validator("url")
    @classmethod
    def _holds_no_password(cls, url: str) -> str:
        if "@" in urlsplit(url).netloc:
            raise ValueError("holds a user or a password; take them out, and name a secret")
        return url


class ReceiverEntry(Strict):
    """Whom one name stands for; it is told nothing more for `pace` after a message."""

    name: Id
    pace: Wait = 2 * SECOND
    email: list[MailEntry] = Field(default_factory=list)
    line: list[AddressEntry] = Field(default_factory=list)
    webhook: list[WebhookEntry] = Field(default_factory=list)
    mqtt: bool = False
    subscribers: bool = False


class TimeIntervalEntry(WhenEntry):
    """A span of time with a name, in the words of a rule's `when`."""

    name: Id


class RouteEntry(Strict):
    """One route; what is left out is as in the route above."""

    receiver: Id | None = None
    matchers: list[str] = Field(default_factory=list)
    group_by: list[str] | None = None
    group_wait: Wait | None = None
    group_interval: Lasting | None = None
    repeat_interval: Lasting | None = None
    continue_: bool = Field(False, alias="continue")
    mute_time_intervals: list[Id] = Field(default_factory=list)
    active_time_intervals: list[Id] = Field(default_factory=list)
    routes: list["RouteEntry"] = Field(default_factory=list)

    @field_validator("matchers")
    @classmethod
    def _can_match(cls, texts: list[str]) -> list[str]:
        for text in texts:
            matchers.matcher(text)
        return texts

    @field_validator("group_by")
    @classmethod
    def _known(cls, labels: list[str] | None) -> list[str] | None:
        for label in labels or ():
            if label not in matchers.LABELS:
                raise ValueError(f"{label} is no label; write some of {', '.join(matchers.LABELS)}")
        return labels


class NotifyFile(Strict):
    """`config/notify.yaml`."""

    receivers: list[ReceiverEntry]
    route: RouteEntry
    time_intervals: list[TimeIntervalEntry] = Field(default_factory=list)
    operations: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Whom one name stands for: addresses by channel, and perhaps the subscribers; `secrets` are
    names of files by URL.
    """

    name: str
    pace: int
    addresses: Sequence[tuple[Channel, Recipient]] = ()
    subscribers: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where alerts go, durations in µs; `key` is its place in the tree, told by matchers. It says
    nothing while one of `mutes` is open, nor while there are `actives` and none is.
    """

    key: str
    receiver: str
    matchers: Sequence[str] = ()
    group_by: Sequence[str] = ()
    group_wait: int = GROUP_WAIT
    group_interval: int = GROUP_INTERVAL
    repeat_interval: int = REPEAT_INTERVAL
    goes_on: bool = False
    mutes: Sequence[Schedule] = ()
    actives: Sequence[Schedule] = ()
    routes: Sequence["Route"] = ()
    level: str = ""

    def silent(self, at: int) -> bool:
        """Whether the clock holds back what this route would say at `at`, µs."""
        asleep = any(one.closes(at) is not None for one in self.mutes)
        awake = not self.actives or any(one.closes(at) is not None for one in self.actives)
        return asleep or not awake

    def labels(self, labels: Labels) -> dict[str, str]:
        """What the alerts of a group have in common."""
        return {name: label(labels, name) for name in self.group_by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The tree from its root, and the receivers by name; `operations` is the one that is told how
    the system itself is. A level of escalation has a route of its own.
    """

    root: Route
    receivers: Mapping[str, Receiver]
    operations: str | None = None

    def of(self, labels: Labels) -> list[Route]:
        """The routes that an alert takes."""
        return _taken(self.root, labels)

    def level(self, name: str) -> Route:
        """The route to whoever stands behind a level of escalation: told at once."""
        return Route(
            key=f"escalation/{name}",
            receiver=name,
            group_by=("site",),
            group_wait=0,
            group_interval=self.root.group_interval,
            repeat_interval=self.root.repeat_interval,
            level=name,
        )

    def named(self, key: str) -> Route:
        """The route with that key; where the file has it no longer, the root stands in."""
        if key.startswith("escalation/"):
            return self.level(key.removeprefix("escalation/"))
        return next((route for route in _all(self.root) if route.key == key), self.root)


def label(labels: Labels, name: str) -> str:
    """One label as a word."""
    found = getattr(labels, name)
    return found.label if isinstance(found, Severity) else str(found)


def load(folder: Path, zone: ZoneInfo, country: str, levels: Iterable[str] = ()) -> Routes | None:
    """The routes of `folder`/notify.yaml; None where there is no such file. Each of `levels` of
    escalation needs a receiver of its name.

    Raises:
        ConfigError: with every mistake and its line.
    """
    path = folder / "notify.yaml"
    if not path.exists():
        return None
    file = read(path, NotifyFile)
    if problems := list(_problems(file, levels)):
        raise ConfigError(problems)
    content = file.content
    times = {t.name: schedule(t, zone, country) for t in content.time_intervals}
    return Routes(
        root=_route(content.route, None, times),
        receivers=MappingProxyType({r.name: _receiver(r) for r in content.receivers}),
        operations=content.operations,
    )


def _taken(route: Route, labels: Labels) -> list[Route]:
    found: list[Route] = []
    for child in route.routes:
        if matchers.fit(child.matchers, labels):
            found += _taken(child, labels)
            if not child.goes_on:
                break
    return found or [route]


def _all(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _all(child)


def _route(entry: RouteEntry, above: Route | None, times: Mapping[str, Schedule]) -> Route:
    usual = above or Route(key="", receiver=entry.receiver or "")
    said = {
        name: value
        for name in ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
        if (value := getattr(entry, name)) is not None
    }
    had = {name: getattr(usual, name) for name in _INHERITED}
    key = f"{usual.key}/{','.join(entry.matchers)}>{entry.receiver or ''}" if above else ""
    route = Route(
        key=key,
        matchers=tuple(entry.matchers),
        goes_on=entry.continue_,
        mutes=[times[name] for name in entry.mute_time_intervals],
        actives=[times[name] for name in entry.active_time_intervals],
        **had | said,
    )
    below = tuple(_route(child, route, times) for child in entry.routes)
    return Route(**{name: getattr(route, name) for name in _FIELDS} | {"routes": below})


_INHERITED = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
_FIELDS = ("key", "matchers", "goes_on", "mutes", "actives", *_INHERITED)


def _receiver(entry: ReceiverEntry) -> Receiver:
    addresses = [
        *((Channel.EMAIL, Recipient(one.to, one.language)) for one in entry.email),
        *((Channel.LINE, Recipient(one.to, one.language)) for one in entry.line),
        *((Channel.WEBHOOK, Recipient(one.url, one.language)) for one in entry.webhook),
        *([(Channel.MQTT, Recipient("alerts", "en"))] if entry.mqtt else []),
    ]
    return Receiver(
        name=entry.name,
        pace=entry.pace,
        addresses=tuple(dict.fromkeys(addresses)),
        subscribers=entry.subscribers,
        secrets={one.url: one.secret for one in entry.webhook if one.secret},
    )


def _problems(file: Located[NotifyFile], levels: Iterable[str]) -> Iterator[str]:
    content = file.content
    known = {receiver.name for receiver in content.receivers}
    yield from _repeated(file, "receivers", [r.name for r in content.receivers])
    yield from _repeated(file, "time_intervals", [t.name for t in content.time_intervals])
    if content.route.receiver is None:
        yield file.problem(("route",), "the first route needs a receiver")
    if content.route.matchers:
        yield file.problem(("route", "matchers"), "the first route takes every alert; remove them")
    times = {interval.name for interval in content.time_intervals}
    yield from _dangling(file, content.route, ("route",), known, times)
    if content.operations is not None and content.operations not in known:
        yield file.problem(("operations",), _no_receiver(content.operations))
    for level in dict.fromkeys(levels):
        if level not in known:
            words = f"escalation.yaml names the level {level}; add a receiver of that name"
            yield file.problem(("receivers",), words)


def _dangling(
    file: Located[NotifyFile], route: RouteEntry, place: Place, known: set[str], times: set[str]
) -> Iterator[str]:
    if route.receiver is not None and route.receiver not in known:
        yield file.problem((*place, "receiver"), _no_receiver(route.receiver))
    lists: tuple[Literal["mute_time_intervals", "active_time_intervals"], ...]
    lists = ("mute_time_intervals", "active_time_intervals")
    for name in lists:
        for number, interval in enumerate(getattr(route, name)):
            if interval not in times:
                words = f"{interval} is not under time_intervals; add it or correct the name"
                yield file.problem((*place, name, number), words)
    for number, child in enumerate(route.routes):
        yield from _dangling(file, child, (*place, "routes", number), known, times)


def _repeated(file: Located[NotifyFile], part: str, names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield file.problem((part, number, "name"), f"{name} is there twice; rename one")


def _no_receiver(name: str) -> str:
    return f"{name} is not under receivers; add it or correct the name"
