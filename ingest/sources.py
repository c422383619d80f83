"""Who speaks which dialect on which topic: `config/sources.yaml`.

A source is a topic filter, a dialect and the gateway that its readings count for: a gateway by its
name, or the topic level that `{gateway}` stands for in the filter.

What is pushed over HTTP has a topic too, so that it can be quarantined and tried again like any
message: `$http/{gateway}/{dialect}`, and behind it what the request says of its topic or its
sensor. No broker delivers such a topic to us: filters here cannot begin with `$`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from core.configuration import Configuration, Duration, GatewayId, Id, Located, Strict, read
from core.errors import ConfigError, DecodeError
from core.messages import Refusal
from core.times import DAY, MINUTE
from ingest.dialects import table

GATEWAY_LEVEL = "{gateway}"
PUSHED = "$http/"
MAX_AGE = 30 * DAY
MAX_AHEAD = 5 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One topic filter and how its messages are read; `zone` is for times that state none.

    A reading that is older than `max_age` (µs) when it comes, or further ahead than `max_ahead`, is
    refused.
    """

    id: str
    topic: str
    dialect: str
    gateway: str
    zone: ZoneInfo | None
    max_age: int
    max_ahead: int

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return self.topic.replace(GATEWAY_LEVEL, "+")


class SourceEntry(Strict):
    """One source of `sources.yaml`."""

    id: Id
    topic: Annotated[str, Field(min_length=1, max_length=256)]
    dialect: str
    gateway: GatewayId | None = None
    timezone: str | None = None
    max_age: Duration = MAX_AGE
    max_ahead: Duration = MAX_AHEAD


class SourcesFile(Strict):
    """`config/sources.yaml`."""

    sources: Annotated[list[SourceEntry], Field(min_length=1)]


class Sources:
    """Finds the source of a topic; the first whose filter matches, in the order of the file."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.all = tuple(sources)
        self._patterns = [(source, source.topic.split("/")) for source in self.all]
        self.of = lru_cache(8192)(self._find)  # topics repeat

    def _find(self, topic: bytes) -> tuple[Source, str]:
        """The source of `topic` and the gateway that its readings count for.

        Raises:
            DecodeError: no source takes it.
        """
        try:
            levels = topic.decode("utf-8").split("/")
        except UnicodeDecodeError as error:
            raise DecodeError(Refusal.UNKNOWN_TOPIC, "the topic is not UTF-8") from error
        if levels[0] == "$http":
            return self._pushed(levels)
        for source, pattern in self._patterns:
            if _matches(pattern, levels):
                if source.gateway:
                    return source, source.gateway
                return source, levels[pattern.index(GATEWAY_LEVEL)]
        raise DecodeError(Refusal.UNKNOWN_TOPIC, "no source in sources.yaml takes this topic")

    def _pushed(self, levels: Sequence[str]) -> tuple[Source, str]:
        """The source of a push; zone and bounds are those of the first source in the file with the
        same dialect and gateway, where there is one.
        """
        if len(levels) < 3 or levels[2] not in table.DIALECTS:
            raise DecodeError(Refusal.UNKNOWN_TOPIC, f"{PUSHED}{{gateway}}/{{dialect}} is due")
        _, gateway, dialect, *_ = levels
        like = [s for s in self.all if s.dialect == dialect and s.gateway in {"", gateway}]
        topic = f"{PUSHED}{GATEWAY_LEVEL}/{dialect}/#"
        known = replace(like[0] if like else NATIVE, id=f"http-{dialect}", topic=topic)
        return replace(known, dialect=dialect, gateway=""), gateway


def pushed_topic(gateway: str, dialect: str, about: str = "") -> bytes:
    """The topic of a push; `about` is the topic, or the sensor, that the request names."""
    return f"{PUSHED}{gateway}/{dialect}{'/' if about else ''}{about}".encode()


def about(topic: str) -> str:
    """What a pushed topic says beyond gateway and dialect.

    >>> about(pushed_topic("gw", "tasmota", "tele/x/SENSOR").decode())
    'tele/x/SENSOR'
    """
    return topic.split("/", 3)[3] if topic.count("/") >= 3 else ""


def _matches(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    """MQTT 3.1.1 §4.7: `+` is one level, `#` all that follow, neither begins to match a `$`."""
    if levels[0].startswith("$") and pattern[0] in {"+", "#"}:
        return False
    for position, part in enumerate(pattern):
        if part == "#":
            return True
        if position >= len(levels):
            return False
        if part not in {"+", GATEWAY_LEVEL, levels[position]}:
            return False
    return len(levels) == len(pattern)


NATIVE = Source(
    id="native",
    topic="andaman/v1/{gateway}/up/readings",
    dialect="native",
    gateway="",
    zone=None,
    max_age=MAX_AGE,
    max_ahead=MAX_AHEAD,
)


def load(folder: Path, configuration: Configuration) -> Sources:
    """The sources of `folder`/sources.yaml; without the file, the native one alone.

    Raises:
        ConfigError: with every mistake, its line and what to write instead.
    """
    path = folder / "sources.yaml"
    if not path.exists():
        return Sources([NATIVE])
    file = read(path, SourcesFile)
    problems = list(_problems(file, configuration.gateways))
    if problems:
        raise ConfigError(problems)
    return Sources([_source(entry) for entry in file.content.sources])


def _problems(file: Located[SourcesFile], gateways: Mapping[str, object]) -> Iterable[str]:
    seen: set[str] = set()
    for number, entry in enumerate(file.content.sources):
        if entry.id in seen:
            yield file.problem(("sources", number, "id"), f"two sources are called {entry.id}")
        seen.add(entry.id)
        for key, text in _entry_problems(entry, gateways):
            yield file.problem(("sources", number, key), text)


def _entry_problems(
    entry: SourceEntry, gateways: Mapping[str, object]
) -> Iterable[tuple[str, str]]:
    levels = entry.topic.split("/")
    if "#" in levels[:-1] or any(set("+#") & set(level) and len(level) > 1 for level in levels):
        yield "topic", f"{entry.topic} is no MQTT filter; + and # stand alone, # at the end"
    if set(" *>") & set(entry.topic):
        yield "topic", "a space, * or > is not heard through every broker; leave it out"
    if set("+#{$") & set(levels[0][:1]):
        yield "topic", "begin with a word; topics of every beginning are nobody's own"
    elif levels[:2] == ["andaman", "v1"] and levels[2:3] != [GATEWAY_LEVEL]:
        yield "topic", "below andaman/v1/ write {gateway}: each gateway has its own topics there"
    if entry.dialect not in table.DIALECTS:
        yield "dialect", f"{entry.dialect} is not known; write one of {', '.join(table.DIALECTS)}"
    if (entry.gateway is None) == (GATEWAY_LEVEL not in levels):
        yield "topic", "write either gateway:, or {gateway} as a level of the topic"
    if entry.gateway is not None and entry.gateway not in gateways:
        yield "gateway", f"{entry.gateway} is not in devices.yaml; add it or correct the name"
    if entry.timezone is not None and entry.timezone not in available_timezones():
        yield "timezone", f"{entry.timezone} is no time zone; write one such as Asia/Bangkok"


def _source(entry: SourceEntry) -> Source:
    return Source(
        id=entry.id,
        topic=entry.topic,
        dialect=entry.dialect,
        gateway=entry.gateway or "",
        zone=ZoneInfo(entry.timezone) if entry.timezone else None,
        max_age=entry.max_age,
        max_ahead=entry.max_ahead,
    )
