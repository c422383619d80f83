"""Reads the YAML of `config/`; each mistake becomes one line with file, line and what to write.

Files are read here and nowhere else. `read` checks one file against a pydantic model, `load` joins
sites, gateways and devices; rules are checked by `alerts.rules`, which calls `read` as well.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from core.errors import ConfigError
from core.registry import GATEWAY_PATTERN, ID_PATTERN, AutoApprove, Device, Gateway, Placement, Site
from core.times import DAY, HOUR, MINUTE, SECOND, to_micros

Id = Annotated[str, Field(pattern=ID_PATTERN)]
GatewayId = Annotated[str, Field(pattern=GATEWAY_PATTERN)]
Place = tuple[str | int, ...]


def micros(text: object) -> object:
    """A duration as µs: `30s`, `5m`, `2h`, `1d`, or 0.

    >>> micros("5m")
    300000000
    """
    if text == 0:
        return 0
    found = re.fullmatch(r"(\d{1,6})([smhd])", str(text))
    if found is None:
        raise ValueError("write a duration such as 30s, 5m, 2h or 1d")
    return int(found[1]) * {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}[found[2]]


def duration(length: int) -> str:
    """A duration in micro as it is written.

    >>> duration(300_000_000)
    '5m'
    """
    units = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
    return next(
        (f"{length // one}{name}" for name, one in units if length and not length % one), "0"
    )


def zone(name: object) -> ZoneInfo:
    """A time zone by its name.

    >>> zone("Asia/Bangkok").key
    'Asia/Bangkok'
    """
    if name not in available_timezones():
        raise ValueError("write a time zone such as Asia/Bangkok")
    return ZoneInfo(str(name))


def moment(value: object) -> object:
    """A day or an aware time as µs; a day begins at 00:00 UTC.

    >>> moment(date(1970, 1, 2))
    86400000000
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("write a zone, as in 2026-05-04T08:00:00+07:00")
        return to_micros(value)
    if isinstance(value, date):
        return to_micros(datetime.combine(value, time(), UTC))
    raise ValueError("write a day such as 2026-05-04, or a time with its zone, without quotes")


Duration = Annotated[
    int, BeforeValidator(micros), PlainSerializer(duration, when_used="json-unless-none")
]
Moment = Annotated[int, BeforeValidator(moment)]
Zone = Annotated[ZoneInfo, BeforeValidator(zone)]
UTC_ZONE = ZoneInfo("UTC")


class Strict(BaseModel):
    """A border model: unknown keys are mistakes, values are never guessed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,  # a ZoneInfo
    )


class Name(Strict):
    """A name in the two languages of the public."""

    en: str = Field(min_length=1)
    th: str = Field(min_length=1)


class SiteFacts(Strict):
    """What is to be said of every place."""

    id: Id
    kind: str = Field(pattern=r"^[a-z][a-z_]{0,31}$")
    name: Name
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    district: str = Field(min_length=1)
    owner: str = ""


class SiteEntry(SiteFacts):
    """One place of `sites.yaml`."""

    quality: dict[str, Any] = Field(default_factory=dict)  # `core.overrides` reads it


class SitesFile(Strict):
    """`config/sites.yaml`; by `timezone` days and hours of the city are told, by `country`
    its public holidays.
    """

    timezone: Zone = UTC_ZONE
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    seasons: dict[str, Any] = Field(default_factory=dict)  # `core.overrides` reads them
    sites: list[SiteEntry]


class AutoApproveEntry(Strict):
    """Which devices a gateway may bring by itself."""

    prefix: Id
    site: Id
    model: str = ""
    devices_per_day: int = Field(default=50, ge=1)


class GatewayEntry(Strict):
    """One gateway of `devices.yaml`: a topic level and a broker user, so neither dot nor colon."""

    id: GatewayId
    name: Name
    messages_per_second: float | None = Field(default=None, gt=0, le=1_000_000)
    series_per_day: int | None = Field(default=None, ge=0)
    auto_approve: AutoApproveEntry | None = None


class MoveEntry(Strict):
    """One move of a device."""

    site: Id
    since: Moment


class DeviceEntry(Strict):
    """One device of `devices.yaml`."""

    id: Id
    gateway: GatewayId
    site: Id
    since: Moment
    moves: list[MoveEntry] = Field(default_factory=list)
    model: str = ""
    address: str = Field(default="", max_length=64)


class DevicesFile(Strict):
    """`config/devices.yaml`."""

    gateways: list[GatewayEntry]
    devices: list[DeviceEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The registry as its files state it, each mapping by id, and the city's time zone."""

    sites: Mapping[str, Site]
    gateways: Mapping[str, Gateway]
    devices: Mapping[str, Device]
    zone: ZoneInfo = UTC_ZONE
    country: str = ""


FileModel = TypeVar("FileModel", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Located(Generic[FileModel]):
    """A checked file that still knows the line of each of its parts."""

    path: Path
    content: FileModel
    lines: Mapping[Place, int]

    def where(self, place: Place) -> str:
        """The file and the line of the nearest known part."""
        return f"{self.path}:{_line(self.lines, place)}"

    def problem(self, place: Place, text: str) -> str:
        """One line for `ConfigError`: where, and the text."""
        return f"{self.where(place)}: {text}"


def read(path: Path, model: type[FileModel]) -> Located[FileModel]:
    """The file at `path` as `model`.

    Raises:
        ConfigError: it cannot be read, is no YAML, or does not fit the model.
    """
    lines: dict[Place, int] = {}
    try:
        node = _compose(path.read_text(encoding="utf-8"))
        raw = _plain(node, (), lines, path) if node is not None else {}
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}; create it"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8; save it as UTF-8"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: is not YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}:1: is not YAML: {error}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}:1: is nested too deep, or refers to itself"]) from error
    try:
        return Located(path, model.model_validate(raw), lines)
    except ValidationError as error:
        problems = [_sentence(path, lines, dict(e)) for e in error.errors()]
        raise ConfigError(problems) from error


def load(folder: Path) -> Configuration:
    """Sites, gateways and devices of `folder`, checked one by one and against each other.

    Raises:
        ConfigError: with every mistake of both files.
    """
    sites, devices = _read_all(folder)
    problems = [
        *_repeated(sites, "sites", [s.id for s in sites.content.sites]),
        *_repeated(devices, "gateways", [g.id for g in devices.content.gateways]),
        *_repeated(devices, "devices", [d.id for d in devices.content.devices]),
        *_dangling(sites.content, devices),
        *_disordered_moves(devices),
        *_shared_addresses(devices),
    ]
    if problems:
        raise ConfigError(problems)
    return Configuration(
        sites={s.id: Site(**s.model_dump(exclude={"quality"})) for s in sites.content.sites},
        gateways={g.id: _gateway(g) for g in devices.content.gateways},
        devices={d.id: _device(d) for d in devices.content.devices},
        zone=sites.content.timezone,
        country=sites.content.country,
    )


def _read_all(folder: Path) -> tuple[Located[SitesFile], Located[DevicesFile]]:
    problems: list[str] = []
    found: dict[str, Located[Any]] = {}
    for name, model in (("sites.yaml", SitesFile), ("devices.yaml", DevicesFile)):
        try:
            found[name] = read(folder / name, model)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found["sites.yaml"], found["devices.yaml"]


def _gateway(entry: GatewayEntry) -> Gateway:
    auto = entry.auto_approve
    return Gateway(
        id=entry.id,
        name=entry.name.model_dump(),
        messages_per_second=entry.messages_per_second,
        series_per_day=entry.series_per_day,
        auto_approve=AutoApprove(**auto.model_dump()) if auto else None,
    )


def _device(entry: DeviceEntry) -> Device:
    return Device(
        id=entry.id,
        gateway=entry.gateway,
        placements=(
            Placement(entry.since, entry.site),
            *(Placement(move.since, move.site) for move in entry.moves),
        ),
        model=entry.model,
        address=entry.address,
    )


def _repeated(file: Located[Any], key: str, ids: Sequence[str]) -> Iterable[str]:
    first: dict[str, int] = {}
    for position, identifier in enumerate(ids):
        if identifier in first:
            line = _line(file.lines, (key, first[identifier]))
            text = f"{identifier} is already on line {line}; give it an id of its own"
            yield file.problem((key, position, "id"), text)
        first.setdefault(identifier, position)


def _shared_addresses(devices: Located[DevicesFile]) -> Iterable[str]:
    owners: dict[str, str] = {}
    for position, device in enumerate(devices.content.devices):
        owner = owners.setdefault(device.address.lower(), device.id)
        if device.address and owner != device.id:
            text = f"{device.address} is the address of {owner} already; correct one of them"
            yield devices.problem(("devices", position, "address"), text)


def _dangling(sites: SitesFile, devices: Located[DevicesFile]) -> Iterable[str]:
    known_sites = {s.id for s in sites.sites}
    known_gateways = {g.id for g in devices.content.gateways}
    for position, gateway in enumerate(devices.content.gateways):
        auto = gateway.auto_approve
        if auto is not None and auto.site not in known_sites:
            text = f"site {auto.site} is not in sites.yaml; add it there or correct the name"
            yield devices.problem(("gateways", position, "auto_approve", "site"), text)
    for position, device in enumerate(devices.content.devices):
        here: Place = ("devices", position)
        stood = [(here, device.site)]
        stood += [((*here, "moves", n), move.site) for n, move in enumerate(device.moves)]
        for place, site in stood:
            if site not in known_sites:
                text = f"site {site} is not in sites.yaml; add it there or correct the name"
                yield devices.problem((*place, "site"), text)
        if device.gateway not in known_gateways:
            text = f"gateway {device.gateway} is not under gateways; add it or correct the name"
            yield devices.problem(("devices", position, "gateway"), text)


def _disordered_moves(devices: Located[DevicesFile]) -> Iterable[str]:
    for position, device in enumerate(devices.content.devices):
        before = device.since
        for number, move in enumerate(device.moves):
            if move.since <= before:
                text = "is not after the time before it; list moves in order, behind since"
                yield devices.problem(("devices", position, "moves", number, "since"), text)
            before = move.since


def _compose(text: str) -> Any:
    try:
        return yaml.compose(text, Loader=_QUICK_LOADER)
    except yaml.YAMLError:  # the other one says it in the same words on every machine
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], path: Path) -> Any:
    """The node as plain Python, noting the line of each part on the way."""
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                line = key_node.start_mark.line + 1
                raise ConfigError([f"{path}:{line}: {key} is written twice; keep one"])
            result[key] = _plain(value_node, (*place, key), lines, path)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*place, i), lines, path) for i, item in enumerate(node.value)]
    try:
        return _SCALARS.construct_object(node)
    except ValueError as error:  # the 30th of February, say
        raise ConfigError([f"{path}:{lines[place]}: {node.value}: {error}"]) from error


_QUICK_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = yaml.SafeLoader("")
_LONGEST_QUOTE = 80


def _line(lines: Mapping[Place, int], place: Place) -> int:
    while place not in lines and place:
        place = place[:-1]
    return lines.get(place, 1)


def _sentence(path: Path, lines: Mapping[Place, int], error: dict[str, Any]) -> str:
    place: Place = tuple(error["loc"])
    what = ".".join(str(part) for part in place) or "the file"
    line = _line(lines, place)
    match error["type"]:
        case "missing":
            return f"{path}:{line}: {what} is missing; write {place[-1]}: …"
        case "extra_forbidden":
            return f"{path}:{line}: {what} is not known here; remove it or correct the name"
        case _:
            given = repr(error["input"])
            given = given if len(given) <= _LONGEST_QUOTE else f"{given[:_LONGEST_QUOTE]}…"
            words = error["msg"].removeprefix("Value error, ")  # one of ours
            return f"{path}:{line}: {what}: {words}, not {given}"
