"""How well alerts told what was true: what was raised, how late, and called what. Pure.

An alert is about a truth when it fires while that lasts, or soon after, at a place and in a
parameter where that shows; an alert about no truth is false. By its verdict it says whether the
city or a sensor is at fault. Without a verdict it says so by what it is about: readings of the city
speak of an event; silence, clocks and batteries of a fault.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Any

from core.alerts import Mark, Severity, State, device_and_parameter
from core.catalogue import CATALOGUE
from core.times import DAY, HOUR, SECOND, iso, to_micros
from simulators.truth import Account, Nature, Truth

LINGER = 6 * HOUR  # after its end, within which an alert may still be about a truth
MONTH = 30 * DAY
SAYS = {"event": Nature.EVENT, "sensor-fault": Nature.FAULT}  # verdict → who is at fault
OF_ITSELF = ("notify-", "system-")  # rules about Andaman, neither the city nor its sensors
WIDE = frozenset({"channel", "city", "district", "storm"})  # subjects that are no single place


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert that fired at `fired_at` (µs); `says` None is an unclear verdict."""

    id: str
    rule: str
    subject: str
    fired_at: int
    says: Nature | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one truth: the alerts about it, in the order in which they fired."""

    truth: Truth
    alerts: Sequence[Alert]

    @property
    def delay(self) -> int | None:
        """µs from its beginning to the first alert; None when it was not raised."""
        return self.alerts[0].fired_at - self.truth.start if self.alerts else None

    @property
    def right(self) -> bool:
        """Whether some alert called it what it is."""
        return any(alert.says is self.truth.nature for alert in self.alerts)

    @property
    def mistaken(self) -> bool:
        """Whether it was taken for the other: an event for a fault, or a fault for an event."""
        return not self.right and any(alert.says is not None for alert in self.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a number of truths came out; `delay` is the median of those raised, in µs."""

    count: int
    raised: int
    delay: int | None
    right: int
    mistaken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came of a run; `false` are the alerts about nothing, `months` have 30 days."""

    account: Account
    outcomes: Sequence[Outcome]
    alerts: int
    false: Sequence[Alert]

    @property
    def months(self) -> float:
        """How long the run was."""
        return (self.account.end - self.account.start) / MONTH

    @property
    def false_per_sensor_month(self) -> float:
        """False alerts of each device in each month."""
        return len(self.false) / max(len(self.account.devices) * self.months, 1e-9)

    def kinds(self) -> Mapping[tuple[Nature, str], Figures]:
        """Figures of each kind, events first."""

        def key(outcome: Outcome) -> tuple[Nature, str]:
            return outcome.truth.nature, outcome.truth.kind

        in_order = sorted(self.outcomes, key=key)
        return {kind: figures(list(mine)) for kind, mine in groupby(in_order, key)}

    def total(self, nature: Nature) -> Figures:
        """Figures of all that somebody has to be told of."""
        return figures([o for o in self.outcomes if o.truth.nature is nature and is_told(o.truth)])

    def missed(self) -> Sequence[Truth]:
        """What nobody was told of."""
        return [o.truth for o in self.outcomes if is_told(o.truth) and not o.alerts]


def score(account: Account, alerts: Iterable[Alert]) -> Score:
    """Set the alerts of a run against what was true; an alert that fires again is the same one."""
    first: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda alert: (alert.fired_at, alert.id)):
        first.setdefault(alert.id, alert)
    fired = [a for a in first.values() if account.start <= a.fired_at <= account.end + LINGER]
    about: dict[str, list[Alert]] = {truth.id: [] for truth in account.truths}
    for alert in fired:
        for truth in _meant(alert, account.truths):
            about[truth.id].append(alert)
    raised = [truth for truth in account.truths if about[truth.id]]
    explained = {alert.id for mine in about.values() for alert in mine}
    explained |= {a.id for a in fired if _is_wide(a) and any(_meanwhile(a, t) for t in raised)}
    return Score(
        account=account,
        outcomes=[Outcome(truth=truth, alerts=about[truth.id]) for truth in account.truths],
        alerts=len(fired),
        false=[alert for alert in fired if alert.id not in explained],
    )


def alert_of(item: Mapping[str, Any]) -> Alert | None:
    """The alert of an item of `/v1/alerts` or of a line of a replay; None where none fired.

    An alert of a rule on trial is told to nobody, one of Andaman itself is about nothing that a
    scenario knows: they are none either.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is neither such an item nor such a line.
    """
    if "type" in item:
        fired = item["type"] == "transition" and item["after"] == State.FIRING
        return _alert(item, "alert", "time", _subject(item)) if fired else None
    fired = item["fired_at"] is not None
    return _alert(item, "id", "fired_at", item["subject"]) if fired else None


def plain(found: Score) -> dict[str, Any]:
    """The score as plain JSON."""
    account, rules = found.account, Counter(alert.rule for alert in found.false)
    return {
        "scenario": account.scenario,
        "seed": account.seed,
        "from": iso(account.start),
        "to": iso(account.end),
        "events": _plain(found.total(Nature.EVENT)),
        "faults": _plain(found.total(Nature.FAULT)),
        "kinds": [
            {"nature": nature, "kind": kind} | _plain(figures)
            for (nature, kind), figures in found.kinds().items()
        ],
        "alerts": found.alerts,
        "false_alerts": {
            "count": len(found.false),
            "sensors": len(account.devices),
            "months": round(found.months, 3),
            "per_sensor_and_month": round(found.false_per_sensor_month, 4),
            "by_rule": dict(rules.most_common()),
        },
        "missed": [truth.id for truth in found.missed()],
    }


def _plain(figures: Figures) -> dict[str, Any]:
    count = figures.count
    return {
        "count": count,
        "raised": figures.raised,
        "recall": round(figures.raised / count, 4) if count else None,
        "median_delay_seconds": None if figures.delay is None else figures.delay / SECOND,
        "called_right": figures.right,
        "taken_for_the_other": figures.mistaken,
    }


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """How these came out."""
    delays = [outcome.delay for outcome in outcomes if outcome.delay is not None]
    return Figures(
        count=len(outcomes),
        raised=len(delays),
        delay=round(median(delays)) if delays else None,
        right=sum(outcome.right for outcome in outcomes),
        mistaken=sum(outcome.mistaken for outcome in outcomes),
    )


def is_told(truth: Truth) -> bool:
    """Whether somebody has to be told of it."""
    return truth.severity != Severity.INFO.label


def _meant(alert: Alert, truths: Iterable[Truth]) -> list[Truth]:
    """What an alert is about: where both an event and a fault may be meant, what it says it is."""
    found = [truth for truth in truths if _is_about(alert, truth)]
    said = [truth for truth in found if truth.nature is alert.says]
    return said or found


def _is_about(alert: Alert, truth: Truth) -> bool:
    what, _, which = alert.subject.partition("/")
    if not _meanwhile(alert, truth):
        return False
    match what:
        case "gateway":
            return truth.details.get("gateway") == which
        case "site":
            return which in truth.sites
    device, parameter = device_and_parameter(alert.subject)
    return device in truth.devices and parameter in {"", *truth.parameters}


def _meanwhile(alert: Alert, truth: Truth) -> bool:
    return truth.start <= alert.fired_at <= truth.end + LINGER


def _is_wide(alert: Alert) -> bool:
    return alert.subject.partition("/")[0] in WIDE


def _alert(item: Mapping[str, Any], identity: str, at: str, subject: str) -> Alert | None:
    if Mark.SHADOW in item["marks"] or item["rule"].startswith(OF_ITSELF):
        return None
    verdict = item.get("verdict")
    return Alert(
        id=item[identity],
        rule=item["rule"],
        subject=subject,
        fired_at=to_micros(datetime.fromisoformat(item[at])),
        says=SAYS.get(verdict["kind"]) if verdict else _said_by(subject),
    )


def _subject(change: Mapping[str, Any]) -> str:
    """What a line of a replay is about."""
    device, parameter = change["device"], change["parameter"]
    return f"{device}/{parameter}" if device else str(parameter)


def _said_by(subject: str) -> Nature:
    """What an alert says by what it is about: a device or a gateway itself, or what one reads."""
    device, parameter = device_and_parameter(subject)
    known = CATALOGUE.get(parameter)
    of_its_health = known is not None and known.group == "health"
    of_the_sensor = subject.startswith("gateway/") or (device and not parameter) or of_its_health
    return Nature.FAULT if of_the_sensor else Nature.EVENT
