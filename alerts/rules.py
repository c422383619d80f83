"""What a rule is: whom it watches, what it asks for at each place, and its kind's own settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from alerts.kinds.anomaly import Anomaly
from alerts.kinds.composite import Composite
from alerts.kinds.count import Count
from alerts.kinds.fault import Fault
from alerts.kinds.missing import Missing
from alerts.kinds.neighbours import ALONE, Neighbours
from alerts.kinds.rate import Rate
from alerts.kinds.threshold import Threshold
from alerts.levels import Levels
from alerts.schedules import Schedule
from core.readings import Flag
from core.registry import Series
from core.times import HOUR, MINUTE

Kind = Anomaly | Composite | Count | Fault | Missing | Neighbours | Rate | Threshold

# A kind that comes later has its line here: index (of a site).
RULE_KINDS: Mapping[str, type[Kind]] = MappingProxyType(
    {
        "anomaly": Anomaly,
        "composite": Composite,
        "count": Count,
        "fault": Fault,
        "missing": Missing,
        "neighbours": Neighbours,
        "rate": Rate,
        "threshold": Threshold,
    }
)

STALE_INTERVALS = 3
STALE_LEAST = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which places a rule watches: empty means any; what is given must all match."""

    kinds: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()

    def takes(self, *, kind: str, site: str, device: str) -> bool:
        """Whether this place is watched."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.sites or site in self.sites)
            and (not self.devices or device in self.devices)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a rule asks for at one subject; durations in µs.

    An alert that would end in range for the `flap_times`-th time within `flap_within` stays.
    `stale_after` is None where no silence makes an alert stale.
    """

    levels: Levels
    hold: int = 0
    clear_hold: int = 0
    flap_times: int = 4
    flap_within: int = HOUR
    stale_after: int | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `parameter` is empty where it looks at no readings, or at all; `terms` are those of
    every site that `overrides` does not name; `storm` is how many alerts may fire before more are
    folded; alerts of the rules in `inhibited_by` mute its own; `stale_after` is None where expected
    intervals decide.
    """

    id: str
    version: str
    name: Mapping[str, str]
    kind: Kind
    terms: Terms
    parameter: str = ""
    selection: Selection = Selection()
    overrides: Mapping[str, Terms] = field(default_factory=dict)
    flags: frozenset[Flag] = frozenset({Flag.GOOD, Flag.NOT_EVALUATED})
    stale_after: int | None = None
    storm: int = 50
    shadow: bool = False
    inhibited_by: frozenset[str] = frozenset()
    source: str = ""

    @property
    def kind_name(self) -> str:
        """What files call its kind."""
        return next(name for name, kind in RULE_KINDS.items() if type(self.kind) is kind)

    def at(self, site: str) -> Terms:
        """What it asks for at a site."""
        return self.overrides.get(site, self.terms)

    def watches(self, series: Series) -> bool:
        """Whether it looks at the readings of this series, whose device is registered."""
        return (
            bool(series.site)
            and not (isinstance(self.kind, Neighbours) and series.parameter in ALONE)
            and (self.parameter or series.parameter) == series.parameter
            and self.selection.takes(kind=series.kind, site=series.site, device=series.device)
        )

    def stale(self, interval: int) -> int | None:
        """After how much silence an alert about a series goes stale; `interval` is how often a
        reading is expected, 0 where nobody knows.
        """
        if self.stale_after is not None or not interval:
            return self.stale_after
        return max(STALE_INTERVALS * interval, STALE_LEAST)
