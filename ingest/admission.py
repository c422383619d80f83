"""What a gateway may bring by itself: new series, and where its `auto_approve` says so new devices.

Both are counted by gateway and UTC day. What is beyond is quarantined with `quota` and can be tried
again on another day, so that a gateway which makes up names fills neither ledger nor InfluxDB.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.registry import ID_PATTERN, Device, Gateway, Placement
from core.times import DAY

Begun = Callable[[int], tuple[Mapping[str, int], Mapping[str, int]]]


class Quota:
    """Counts what each gateway brought on one day."""

    def __init__(self, day: int = 0, taken: Mapping[str, int] | None = None) -> None:
        """So many were `taken` by each gateway on `day`, counted from 1970."""
        self._day = day
        self._taken = Counter(taken or {})

    def take(self, gateway: str, at: int, most: int) -> bool:
        """One more at that moment, µs; False when the gateway has had `most` that day.

        >>> quota = Quota()
        >>> quota.take("gw", 0, 1), quota.take("gw", 1, 1), quota.take("gw", DAY, 1)
        (True, False, True)
        """
        if at // DAY > self._day:
            self._day, self._taken = at // DAY, Counter()
        if self._taken[gateway] >= most:
            return False
        self._taken[gateway] += 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The terms, and what has been taken of them; `series_per_day` is the usual number."""

    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    series_per_day: int = 1000
    series: Quota = field(default_factory=Quota)
    devices: Quota = field(default_factory=Quota)

    @staticmethod
    def of(
        gateways: Mapping[str, Gateway], series_per_day: int, begun: Begun, at: int
    ) -> "Admission":
        """The terms at `at` µs; `begun` tells what each gateway has begun since a moment: series,
        and devices.
        """
        series, devices = begun(at // DAY * DAY)
        return Admission(
            gateways=gateways,
            series_per_day=series_per_day,
            series=Quota(at // DAY, series),
            devices=Quota(at // DAY, devices),
        )

    def admits_series(self, gateway: str, at: int) -> bool:
        """Whether one more series of the gateway may be born now; it is counted."""
        own = self.gateways[gateway].series_per_day if gateway in self.gateways else None
        return self.series.take(gateway, at, self.series_per_day if own is None else own)

    def welcomes(self, named: str, gateway: str) -> bool:
        """Whether a device that nobody registered may be approved by the name it has."""
        terms = self.gateways[gateway].auto_approve if gateway in self.gateways else None
        fits = terms is not None and named.startswith(terms.prefix)
        return fits and re.fullmatch(ID_PATTERN, named) is not None

    def approve(self, named: str, gateway: str, at: int) -> Device | None:
        """The device that is welcome, made by the gateway's terms; None beyond its quota."""
        terms = self.gateways[gateway].auto_approve
        if terms is None or not self.devices.take(gateway, at, terms.devices_per_day):
            return None
        return Device(
            id=named,
            gateway=gateway,
            placements=(Placement(at, terms.site),),
            model=terms.model,
        )
