"""Which device stands where, and the number of each of its series."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from core.configuration import Configuration
from core.messages import Refusal
from core.registry import ALWAYS, Device, Former, Series, Site, Unit
from ingest.admission import Admission
from ingest.profiles import NO_PROFILE, Profile

NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a device stands, and where it stood before; how often it should report (µs, 0 where
    nobody knows) and since when it has been registered.
    """

    site: str = ""
    kind: str = ""
    district: str = ""
    former: tuple[Former, ...] = ()
    interval: int = 0
    registered: int = 0
    position: tuple[float, float] | None = None

    @property
    def here(self) -> int:
        """Since when it stands there, µs."""
        return self.former[-1].until if self.former else ALWAYS

    def site_at(self, moment: int) -> str:
        """Where it stood at a moment, µs."""
        return next((f.site for f in self.former if moment < f.until), self.site)


NOWHERE = Place()  # a device that has left the registry


@dataclass(slots=True)
class Known:
    """A registered device: where it stands, what its keys mean, and its series by parameter.

    `plain` is `series` where the device speaks the catalogue's own words, else empty.
    """

    gateway: str
    place: Place
    profile: Profile = NO_PROFILE
    series: dict[str, int] = field(default_factory=dict)

    @property
    def plain(self) -> Mapping[str, int]:
        """The series that a reading may take without a look at the profile."""
        return self.series if self.profile.plain else NOTHING


class Registry:
    """Finds the series of a reading; a series is born with its first reading.

    A newborn series is stored by the commit of its batch, and so is a device that its gateway may
    bring; until then `newborn` and `arrived` hold them, so that a batch that is tried again stores
    them still.
    """

    def __init__(
        self,
        configuration: Configuration,
        profiles: Mapping[str, Profile],
        stored: Iterable[tuple[int, str, str]],
        admission: Admission | None = None,
    ) -> None:
        self._profiles = profiles
        self._admission = admission or Admission()
        self.sites: Mapping[str, Site] = {}
        self.zone = configuration.zone
        self.devices: dict[str, Known] = {}
        self._addresses: dict[str, str] = {}
        self.series: list[Series] = []
        self.newborn: list[Series] = []
        self.arrived: list[Device] = []
        self.take(configuration)
        for _, device, parameter in stored:
            self._add(device, parameter, 0)

    def moved(self, configuration: Configuration) -> list[Series]:
        """The series that stand elsewhere, or at a place that is told of differently, by this
        configuration; changes nothing.
        """
        sites = configuration.sites
        places = {d.id: self._known(d, sites).place for d in configuration.devices.values()}
        now = [(series, places.get(series.device, NOWHERE)) for series in self.series]
        return [_at(series, place) for series, place in now if not _stands_at(series, place)]

    def take(self, configuration: Configuration) -> None:
        """The devices are those of this configuration from now on; series keep their numbers."""
        for series in self.moved(configuration):
            self.series[series.index] = series
        self.sites = configuration.sites
        self.zone = configuration.zone
        self.devices = {d.id: self._known(d, self.sites) for d in configuration.devices.values()}
        for series in self.series:
            if series.device in self.devices:
                self.devices[series.device].series[series.parameter] = series.index
        self._addresses = {
            d.address.lower(): d.id for d in configuration.devices.values() if d.address
        }

    def device_of(self, named: str) -> str:
        """Our id of what the network calls `named`; networks write hexadecimal as they like."""
        return named if named in self.devices else self._addresses.get(named.lower(), named)

    def refuse(self, device: str, gateway: str, at: int = 0) -> tuple[Refusal, str] | None:
        """Why readings of `device` cannot be taken from `gateway`; None when they can. One that the
        gateway may bring is registered, `at` µs.
        """
        known = self.devices.get(device)
        if known is None:
            return self._welcome(device, gateway, at)
        if known.gateway != gateway:
            return Refusal.WRONG_GATEWAY, f"{device} belongs to another gateway"
        return None

    def series_of(self, device: str, parameter: str, at: int = 0) -> int | None:
        """The number of a series of a known device; it is born (`at` µs) when there is none yet,
        but for None when its gateway has had as many as it may today.
        """
        known = self.devices[device]
        found = known.series.get(parameter)
        if found is None and self._admission.admits_series(known.gateway, at):
            born = self._add(device, parameter, at)
            self.newborn.append(born)
            return born.index
        return found

    def units(self, configuration: Configuration | None = None) -> list[Unit]:
        """The devices, or those of another configuration, as rules about silence see them."""
        if configuration is not None:
            return Registry(configuration, self._profiles, ()).units()
        return [
            Unit(
                device=device,
                gateway=known.gateway,
                site=known.place.site,
                kind=known.place.kind,
                district=known.place.district,
                interval=known.place.interval,
                since=known.place.registered,
                here=known.place.here,
                position=known.place.position,
            )
            for device, known in self.devices.items()
        ]

    def committed(self, born: Sequence[Series], arrived: Sequence[Device]) -> None:
        """These are stored now."""
        self.newborn = self.newborn[len(born) :]
        self.arrived = self.arrived[len(arrived) :]

    def _known(self, device: Device, sites: Mapping[str, Site]) -> Known:
        profile = self._profiles.get(device.model, NO_PROFILE)
        return Known(device.gateway, _place(device, sites, profile.interval), profile)

    def _welcome(self, device: str, gateway: str, at: int) -> tuple[Refusal, str] | None:
        if not self._admission.welcomes(device, gateway):
            return Refusal.UNKNOWN_DEVICE, f"{device} is not registered"
        made = self._admission.approve(device, gateway, at)
        if made is None:
            return Refusal.QUOTA, f"{gateway} may bring no more devices today; {device} is new"
        self.devices[device] = self._known(made, self.sites)
        self.arrived.append(made)
        return None

    def _add(self, device: str, parameter: str, born_at: int) -> Series:
        known = self.devices.get(device) or Known("", NOWHERE)
        series = _at(
            Series(
                index=len(self.series),
                device=device,
                parameter=parameter,
                site="",
                kind="",
                district="",
                born_at=born_at,
            ),
            known.place,
        )
        self.series.append(series)
        known.series[parameter] = series.index
        return series


def _place(device: Device, sites: Mapping[str, Site], interval: int) -> Place:
    site = sites[device.site]
    former = [
        Former(after.since, before.site, sites[before.site].kind if before.site in sites else "")
        for before, after in pairwise(device.placements)
    ]
    return Place(
        site=site.id,
        kind=site.kind,
        district=site.district,
        former=tuple(former),
        interval=interval,
        registered=max(device.placements[0].since, device.made_at),
        position=(site.latitude, site.longitude),
    )


def _stands_at(series: Series, place: Place) -> bool:
    p, s = place, series
    told = (p.site, p.kind, p.district, p.former, p.interval, p.position)
    return (s.site, s.kind, s.district, s.former, s.interval, s.position) == told


def _at(series: Series, place: Place) -> Series:
    return replace(
        series,
        site=place.site,
        kind=place.kind,
        district=place.district,
        former=place.former,
        interval=place.interval,
        position=place.position,
    )
