"""What the keys of a device model mean: `config/profiles/*.yaml`, one entry for each model.

A profile says which parameter a key is and in which unit the device gives it, which keys carry
nothing that we keep, which codec reads the raw payload, and how often to expect a reading. A device
whose model has no profile speaks the catalogue's own words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import Field

from core.catalogue import CATALOGUE
from core.configuration import Duration, Id, Located, Strict, read
from core.errors import ConfigError
from core.overrides import LimitsEntry, Overrides, overrides_of, problems_of
from ingest.codecs.table import CODECS
from ingest.units import UnknownUnitError, conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One key of a device: its parameter, the unit it comes in where nothing else is said, and
    values that stand for `no reading`.
    """

    parameter: str
    unit: str
    missing: frozenset[float] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One device model; `interval` in µs, 0 when none is expected; `quality` is what it changes of
    the catalogue's limits.
    """

    id: str
    codec: str = ""
    interval: int = 0
    channels: Mapping[str, Channel] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    quality: Overrides = field(default_factory=dict)
    plain: bool = field(init=False)  # whether the device speaks the catalogue's own words

    def __post_init__(self) -> None:
        speaks_plainly = not (self.codec or self.channels or self.ignored)
        object.__setattr__(self, "plain", speaks_plainly)


class ChannelEntry(Strict):
    """One key under `keys:`."""

    parameter: str
    unit: str | None = None
    missing: list[float] = Field(default_factory=list)


class ProfileEntry(Strict):
    """One model."""

    id: Id
    codec: str = ""
    interval: Duration = 0
    keys: dict[str, ChannelEntry] = Field(default_factory=dict)
    ignore: list[str] = Field(default_factory=list)
    quality: dict[str, LimitsEntry] = Field(default_factory=dict)


class ProfilesFile(Strict):
    """One file of `config/profiles/`."""

    profiles: list[ProfileEntry]


NO_PROFILE = Profile(id="")


def load(folder: Path) -> Mapping[str, Profile]:
    """Every profile of `folder`/profiles/*.yaml by device model.

    Raises:
        ConfigError: with every mistake, its file and line.
    """
    profiles: dict[str, Profile] = {}
    problems: list[str] = []
    for path in sorted((folder / "profiles").glob("*.yaml")):
        try:
            file = read(path, ProfilesFile)
        except ConfigError as error:
            problems += error.problems
            continue
        found = list(_problems(file, profiles))
        problems += found
        if not found:
            entries = enumerate(file.content.profiles)
            profiles |= {entry.id: _profile(file, n, entry) for n, entry in entries}
    if problems:
        raise ConfigError(problems)
    return MappingProxyType(profiles)


def _problems(file: Located[ProfilesFile], known: Mapping[str, Profile]) -> Iterable[str]:
    seen = set(known)
    for number, entry in enumerate(file.content.profiles):
        here = ("profiles", number)
        if entry.id in seen:
            yield file.problem((*here, "id"), f"two profiles are called {entry.id}; rename one")
        seen.add(entry.id)
        if entry.codec and entry.codec not in CODECS:
            text = f"{entry.codec} is no codec; write one of {', '.join(CODECS)}"
            yield file.problem((*here, "codec"), text)
        for key, channel in entry.keys.items():
            parameter = CATALOGUE.get(channel.parameter)
            if parameter is None:
                text = f"parameter {channel.parameter} is not in the catalogue"
                yield file.problem((*here, "keys", key, "parameter"), text)
            elif channel.unit is not None:
                try:
                    conversion(channel.unit, parameter.unit, parameter.key)
                except UnknownUnitError as error:
                    yield file.problem((*here, "keys", key, "unit"), f"{error}; use UCUM")
        yield from problems_of(file, (*here, "quality"), entry.quality, {})


def _profile(file: Located[ProfilesFile], number: int, entry: ProfileEntry) -> Profile:
    here = ("profiles", number, "quality")
    return Profile(
        id=entry.id,
        codec=entry.codec,
        interval=entry.interval,
        channels={key: _channel(channel) for key, channel in entry.keys.items()},
        ignored=frozenset(entry.ignore),
        quality=overrides_of(file, here, entry.quality, {}),
    )


def _channel(entry: ChannelEntry) -> Channel:
    return Channel(
        parameter=entry.parameter,
        unit=entry.unit or CATALOGUE[entry.parameter].unit,
        missing=frozenset(entry.missing),
    )
