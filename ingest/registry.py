"""Which device stands where, and the number of each of its series."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from core.configuration import Configuration
from core.model import Refusal, Series
from ingest.profiles import NO_PROFILE, Profile

NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True)
class Known:
    """A registered device: where it stands, what its keys mean, and its series by parameter.

    `plain` is `series` where the device speaks the catalogue's own words, else empty.
    """

    gateway: str
    site: str
    kind: str
    district: str
    profile: Profile = NO_PROFILE
    series: dict[str, int] = field(default_factory=dict)

    @property
    def plain(self) -> Mapping[str, int]:
        """The series that a reading may take without a look at the profile."""
        return self.series if self.profile.plain else NOTHING


class Registry:
    """Finds the series of a reading; a series is born with its first reading.

    A newborn series is stored by the commit of its batch; until then `newborn` holds it, so that a
    batch that is tried again stores it still.
    """

    def __init__(
        self,
        configuration: Configuration,
        profiles: Mapping[str, Profile],
        stored: Iterable[tuple[int, str, str]],
    ) -> None:
        self.devices = {
            d.id: Known(
                d.gateway,
                d.site,
                configuration.sites[d.site].kind,
                configuration.sites[d.site].district,
                profiles.get(d.model, NO_PROFILE),
            )
            for d in configuration.devices.values()
        }
        self._addresses = {
            d.address.lower(): d.id for d in configuration.devices.values() if d.address
        }
        self.series: list[Series] = []
        self.newborn: list[Series] = []
        for _, device, parameter in stored:
            self._add(device, parameter)

    def device_of(self, named: str) -> str:
        """Our id of what the network calls `named`; networks write hexadecimal as they like."""
        return named if named in self.devices else self._addresses.get(named.lower(), named)

    def refuse(self, device: str, gateway: str) -> tuple[Refusal, str] | None:
        """Why readings of `device` cannot be taken from `gateway`; None when they can."""
        known = self.devices.get(device)
        if known is None:
            return Refusal.UNKNOWN_DEVICE, f"{device} is not in devices.yaml"
        if known.gateway != gateway:
            return Refusal.WRONG_GATEWAY, f"{device} belongs to another gateway"
        return None

    def series_of(self, device: str, parameter: str) -> int:
        """The number of a series of a known device; it is born when there is none yet."""
        found = self.devices[device].series.get(parameter)
        if found is None:
            born = self._add(device, parameter)
            self.newborn.append(born)
            found = born.index
        return found

    def committed(self, born: Sequence[Series]) -> None:
        """These series are stored now."""
        self.newborn = self.newborn[len(born) :]

    def _add(self, device: str, parameter: str) -> Series:
        known = self.devices.get(device) or Known("", "", "", "")  # gone from the configuration
        series = Series(
            index=len(self.series),
            device=device,
            parameter=parameter,
            site=known.site,
            kind=known.kind,
            district=known.district,
        )
        self.series.append(series)
        known.series[parameter] = series.index
        return series
