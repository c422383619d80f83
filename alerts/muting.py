"""What holds an alert's messages back: a silence, a maintenance window, an inhibitor, the shelf.

Muting touches no alert: it fires, is recorded and shown as ever. `mutes` says what holds one back
at a moment; it is asked when a transition is committed, when an alert is shown, and by whoever is
about to tell people of it. Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from alerts import maintenance, matchers
from alerts.kinds.fault import Fault
from alerts.kinds.missing import Missing
from alerts.kinds.neighbours import Neighbours
from alerts.maintenance import WindowEntry
from alerts.rules import Rule
from core.alerts import Severity
from core.muting import Labels, Mute, MuteKind, Silence
from core.verdicts import VerdictKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What muting has to know of rules: `inhibited_by` names the rules whose alerts mute those of a
    rule, `missing` are those about data that do not come, `faults` those about how a sensor reads.
    """

    inhibited_by: Mapping[str, frozenset[str]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    faults: frozenset[str] = frozenset()

    @staticmethod
    def of(rules: Sequence[Rule]) -> "Relations":
        """How these rules relate."""
        return Relations(
            inhibited_by={rule.id: rule.inhibited_by for rule in rules if rule.inhibited_by},
            missing=frozenset(rule.id for rule in rules if isinstance(rule.kind, Missing)),
            faults=frozenset(r.id for r in rules if isinstance(r.kind, Fault | Neighbours)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that may hold back at the moment `at` (µs): silences, windows, and alerts that fire, by
    their site.
    """

    at: int
    zone: ZoneInfo
    silences: Sequence[Silence] = ()
    windows: Sequence[WindowEntry] = ()
    firing: Mapping[str, Sequence[Labels]] = field(default_factory=dict)
    relations: Relations = Relations()


def by_site(firing: Iterable[Labels]) -> Mapping[str, Sequence[Labels]]:
    """Alerts by their sites: in a storm each has few others to be compared with."""
    found: dict[str, list[Labels]] = {}
    for alert in firing:
        found.setdefault(alert.site, []).append(alert)
    return found


def mutes(labels: Labels, standing: Standing) -> tuple[Mute, ...]:
    """Everything that holds an alert with these labels back, in the order of `MuteKind`."""
    found = [
        *(Mute(MuteKind.INHIBITION, other) for other in _inhibitors(labels, standing)),
        *(Mute(MuteKind.MAINTENANCE, window.id) for window in _open_windows(labels, standing)),
        *(Mute(MuteKind.SILENCE, s.id) for s in _silences(labels, standing)),
    ]
    if labels.shelved:
        found.append(Mute(MuteKind.SHELF, labels.alert))
    return tuple(sorted(found))


def _critical(inhibitor: Labels, muted: Labels, _: Relations) -> bool:
    """What is critical mutes what is milder about the same parameter of the same site."""
    return (
        inhibitor.severity is Severity.CRITICAL > muted.severity
        and bool(muted.site and muted.parameter)
        and (inhibitor.site, inhibitor.parameter) == (muted.site, muted.parameter)
    )


def _fault(inhibitor: Labels, muted: Labels, relations: Relations) -> bool:
    """A sensor that is at fault mutes what rules say of its series, but for what is an event."""
    return (
        inhibitor.rule in relations.faults
        and inhibitor.verdict == VerdictKind.SENSOR_FAULT
        and muted.rule not in relations.faults
        and muted.verdict != VerdictKind.EVENT
        and bool(muted.parameter)
        and (inhibitor.device, inhibitor.parameter) == (muted.device, muted.parameter)
    )


def _gateway(inhibitor: Labels, muted: Labels, relations: Relations) -> bool:
    """A gateway that is not heard mutes that its devices are not."""
    rules = {inhibitor.rule, muted.rule}
    silent = rules <= relations.missing and not inhibitor.device and bool(muted.device)
    return silent and inhibitor.gateway == muted.gateway != ""


def _rule(inhibitor: Labels, muted: Labels, relations: Relations) -> bool:
    """A rule that names others is muted by them at the same site or gateway, or in the district."""
    named = inhibitor.rule in relations.inhibited_by.get(muted.rule, ())
    return named and _covers(inhibitor, muted)


# Each a way in which one alert that fires mutes another.
INHIBITIONS: Mapping[str, Callable[[Labels, Labels, Relations], bool]] = MappingProxyType(
    {
        "critical": _critical,
        "fault": _fault,
        "gateway": _gateway,
        "rule": _rule,
    }
)


def _covers(inhibitor: Labels, muted: Labels) -> bool:
    """Whether the inhibitor speaks of the place of the muted: of its site, where it has one, else
    of its gateway, its district, or the whole city.
    """
    if inhibitor.site:
        return inhibitor.site == muted.site
    if inhibitor.gateway:
        return inhibitor.gateway == muted.gateway
    return inhibitor.district in ("", muted.district)


def _inhibitors(labels: Labels, standing: Standing) -> Iterable[str]:
    here = standing.firing.get(labels.site, ())
    elsewhere = standing.firing.get("", ()) if labels.site else ()
    for other in (*here, *elsewhere):  # an inhibitor speaks of the same site, or of none
        if other.alert != labels.alert and any(
            inhibits(other, labels, standing.relations) for inhibits in INHIBITIONS.values()
        ):
            yield other.alert


def _open_windows(labels: Labels, standing: Standing) -> Iterable[WindowEntry]:
    return (w for w in standing.windows if maintenance.holds(w, labels, standing.at, standing.zone))


def _silences(labels: Labels, standing: Standing) -> Iterable[Silence]:
    for silence in standing.silences:
        in_force = silence.starts_at <= standing.at < silence.ends_at
        if in_force and matchers.fit(silence.matchers, labels):
            yield silence
