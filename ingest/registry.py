"""Which device stands where, and the number of each of its series."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.catalogue import CATALOGUE
from core.configuration import Configuration
from core.model import Reading, Refusal, Series


@dataclass(slots=True)
class Known:
    """A registered device: its gateway, and its series by parameter."""

    gateway: str
    site: str
    kind: str
    district: str
    series: dict[str, int] = field(default_factory=dict)


class Registry:
    """Finds the series of a reading; a series is born with its first reading.

    A newborn series is stored by the commit of its batch; until then `newborn` holds it, so that a
    batch that is tried again stores it still.
    """

    def __init__(
        self, configuration: Configuration, stored: Iterable[tuple[int, str, str]]
    ) -> None:
        self.devices = {
            d.id: Known(
                d.gateway,
                d.site,
                configuration.sites[d.site].kind,
                configuration.sites[d.site].district,
            )
            for d in configuration.devices.values()
        }
        self.series: list[Series] = []
        self.newborn: list[Series] = []
        for _, device, parameter in stored:
            self._add(device, parameter)

    def refuse(self, reading: Reading, gateway: str) -> tuple[Refusal, str] | None:
        """Why `reading` cannot be taken from `gateway`; None when it can."""
        device = self.devices.get(reading.device)
        if device is None:
            return Refusal.UNKNOWN_DEVICE, f"{reading.device} is not in devices.yaml"
        if device.gateway != gateway:
            return Refusal.WRONG_GATEWAY, f"{reading.device} belongs to another gateway"
        parameter = CATALOGUE.get(reading.parameter)
        if parameter is None:
            return Refusal.UNKNOWN_PARAMETER, f"{reading.parameter} is not in the catalogue"
        if reading.unit is not None and reading.unit != parameter.unit:
            detail = f"{reading.parameter} in {reading.unit}, {parameter.unit} is due"
            return Refusal.UNKNOWN_UNIT, detail
        return None

    def bear(self, device: str, parameter: str) -> int:
        """The number of a series that has none yet; device and parameter are known."""
        series = self._add(device, parameter)
        self.newborn.append(series)
        return series.index

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
