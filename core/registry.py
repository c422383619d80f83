"""Sites, gateways, devices and series: where they are and how they are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
GATEWAY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place people know: a beach, an air station, a bin, a laboratory."""

    id: str
    kind: str
    name: Mapping[str, str]
    latitude: float
    longitude: float
    district: str
    owner: str = ""


class Placement(NamedTuple):
    """Where a device stands from a moment on, µs."""

    since: int
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A physical unit behind a gateway, and where it has stood, in order of time; `address` is what
    its network calls it, a LoRaWAN DevEUI say, where that is not the id; `made_at` (µs) is when it
    was added, where no file names it.
    """

    id: str
    gateway: str
    placements: tuple[Placement, ...]
    model: str = ""
    address: str = ""
    made_at: int = 0

    @property
    def site(self) -> str:
        """Where it stands."""
        return self.placements[-1].site

    @property
    def since(self) -> int:
        """Since when it stands there, µs."""
        return self.placements[-1].since


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoApprove:
    """Devices whose id begins with `prefix` are registered when they first report: at this site, as
    this model, so many a day.
    """

    prefix: str
    site: str
    model: str
    devices_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """An MQTT client with its own credential; how many messages a second it may send and how many
    series a day it may begin, where it has limits of its own, and what it may bring by itself.
    """

    id: str
    name: Mapping[str, str]
    messages_per_second: float | None = None
    series_per_day: int | None = None
    auto_approve: AutoApprove | None = None


ALWAYS = -(2**62)  # since when a device stands where it stood before anybody knew


class Former(NamedTuple):
    """Where a device stood until a moment, µs, and of which kind that site is."""

    until: int
    site: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """device × parameter, with the number that stands for it in columns and in the ledger.

    `site`, `kind` and `district` are of where the device stands; `former` of where it stood before,
    in order of time. A reading belongs to the site where it was measured; one from before the first
    place that we know of belongs to that one.
    `interval` is how often a reading is expected, µs, 0 where nobody knows; `position` the latitude
    and longitude of the site.
    """

    index: int
    device: str
    parameter: str
    site: str
    kind: str
    district: str
    former: tuple[Former, ...] = ()
    born_at: int = 0
    interval: int = 0
    position: tuple[float, float] | None = None

    @property
    def since(self) -> int:
        """Since when it stands there, µs; `ALWAYS` where it stood nowhere before."""
        return self.former[-1].until if self.former else ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A registered device as rules see it: how often it should report (µs, 0 where nobody knows),
    `since` when it has been registered, since when it has stood `here` (µs), and its `position`,
    as that of a series.
    """

    device: str
    gateway: str
    site: str
    kind: str
    district: str
    interval: int
    since: int
    here: int = ALWAYS
    position: tuple[float, float] | None = None


def placed(series: Series, unit: Unit | None) -> Series:
    """The series as rules saw it when its device was this unit, or was not registered."""
    if unit is None:
        return replace(series, site="", kind="", district="", former=(), interval=0, position=None)
    return replace(
        series,
        site=unit.site,
        kind=unit.kind,
        district=unit.district,
        former=() if unit.here == ALWAYS else (Former(unit.here, "", ""),),
        interval=unit.interval,
        position=unit.position,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was said of a gateway, by itself or by its last will, when that came (`at`, µs).

    `since` is when it came to be online, or not.
    """

    gateway: str
    online: bool
    firmware: str | None
    at: int
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How far the clock of a device is off: the median of received minus measured (s) over so many
    `samples` since `since` (µs), and the median distance from it. `steady` where that is small:
    then it is the clock, else it is a delay on the way.
    """

    offset: float
    spread: float
    samples: int
    since: int
    steady: bool


class Suggestion(NamedTuple):
    """A device model that an unknown device may be, empty for one that speaks the catalogue's own
    words; `score` from 0 to 1.
    """

    model: str
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an unknown device sends, and the models that it may be, the best first."""

    keys: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
