"""Who asks for verdicts, of which alerts, and how often. The verdicts themselves are pure.

An alert is judged when it fires, with what the ledger holds by then, and again while it goes on:
after five minutes, then ever more seldom, as evidence grows more slowly than the alert. A word that
was said is taken back only for a better one.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.explanation import RuleFacts
from alerts.joint_verdict import counted, jointly, silent_gateway
from alerts.symptoms import Objections, symptoms
from alerts.verdict import Opinion, judge
from alerts.verdict_words import worded
from core.alerts import BY_VERDICT, STORM, Reason, Severity, State, Transition, device_and_parameter
from core.readings import Columns
from core.times import HOUR, MINUTE
from core.verdicts import Judged, Operand, Question, Verdict, VerdictKind
from storage import labels, outflow, verdicts
from storage.labels import Places
from storage.lines import encode_transitions
from storage.material import gather
from storage.operands import operands
from storage.verdicts import Due, body, verdict_of

log = logging.getLogger(__name__)

AT_ONCE = 30  # alerts of one commit, or one tick; the others wait for the next
SOON, LATEST = 5 * MINUTE, 6 * HOUR  # until an alert is judged again
SURER = 0.8  # to take back what was said
_COMPOSITE, _MISSING = "composite", "missing"
_JUDGES = frozenset((Reason.FIRST_BREACH, Reason.HELD, Reason.REOPENED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Asks for verdicts. `rules` tells the kind of each rule, `objections` what a reading's code of
    tests says; evidence is told by the clocks of `zone`. `forwards` tells InfluxDB what is no
    transition.
    """

    rules: Callable[[], Mapping[str, RuleFacts]]
    objections: Objections
    zone: ZoneInfo
    forwards: bool

    def asks(self, rule: str, subject: str) -> bool:
        """Whether alerts of this rule are judged: those about a device or a series, of composites,
        and of silent gateways.
        """
        by_readings = bool(device_and_parameter(subject)[0])
        by_alerts = self._facts(rule).kind in {_COMPOSITE, _MISSING}
        return subject != STORM and (by_readings or by_alerts)

    def opened(
        self,
        connection: Connection,
        places: Places,
        transitions: Sequence[Transition],
        since: Mapping[str, int],
        at: int,
        fresh: Columns | None = None,
    ) -> dict[str, Judged]:
        """What is kept of the alerts that fire with these transitions, which are committed at `at`
        with the readings `fresh`, and of those that were judged by one; `since` tells when alerts
        that are not new began. Of very many at once the later ones wait.
        """
        fires = {t.alert: t for t in transitions if begins(t) and self.asks(t.rule, t.subject)}
        asked = [
            Question(t.alert, t.subject, t.site, since.get(t.alert, t.at), t.at)
            for t in list(fires.values())[:AT_ONCE]
        ]
        said = self._by_readings(connection, asked, fires, fresh)
        said |= self._by_alerts(connection, places, asked, fires, transitions, said)
        fired = {name: first(said.get(name), t.severity, at) for name, t in fires.items()}
        return fired | judged_by(transitions, at)

    def reviewed(self, connection: Connection, now: int) -> list[Transition]:
        """What is thought otherwise by `now`, and concerns people. All else is kept, and where the
        word is another, InfluxDB told.
        """
        found = verdicts.due(connection, now, limit=AT_ONCE)
        if not found:
            return []
        asked = [
            Question(due.alert, due.subject, due.site, due.started_at, _looked_at(due, now))
            for due in found
        ]
        about = {due.alert: due for due in found}
        said = self._by_readings(connection, asked, about)
        said |= self._by_alerts(connection, labels.places(connection), asked, about)
        news, silent = list[Transition](), list[Transition]()
        kept: dict[str, Judged] = {}
        for due, question in zip(found, asked, strict=True):
            if due.alert not in said:  # for a mistake of ours; as it was, then, and for good
                kept[due.alert] = Judged(due.judged.verdict if due.judged else None, None)
                continue
            verdict, reason = news_of(due, said[due.alert])
            at = max(question.at, due.changed_at + 1)  # behind what it speaks of
            change = _changed(due, verdict, reason or Reason.JUDGED, at)
            if reason is not None:
                news.append(change)
                continue
            kept[due.alert] = Judged(verdict, _later(due.started_at, now), _raised(due))
            if _word(due.judged) != verdict.word:
                silent.append(change)
        verdicts.keep_verdicts(connection, kept)
        if self.forwards:
            outflow.add(connection, *encode_transitions(silent, kept))
        return news

    def _by_readings(
        self,
        connection: Connection,
        asked: Sequence[Question],
        about: Mapping[str, Any],
        fresh: Columns | None = None,
    ) -> dict[str, Verdict]:
        """What the alerts about devices and series come from."""
        mine = [q for q in asked if self._looks_at_readings(about[q.alert])]
        found: dict[str, Verdict] = {}
        for question, material in zip(mine, gather(connection, mine, fresh), strict=True):
            kind = self._facts(about[question.alert].rule).kind
            with _survived(question):
                seen = symptoms(question, material, kind, self.objections)
                found[question.alert] = worded(judge(seen), self.zone)
        return found

    def _by_alerts(
        self,
        connection: Connection,
        places: Places,
        asked: Sequence[Question],
        about: Mapping[str, Any],
        transitions: Sequence[Transition] = (),
        said: Mapping[str, Verdict] = MappingProxyType({}),
    ) -> dict[str, Verdict]:
        """What composites and silent gateways come from, by what is `said` of other alerts with
        these transitions, and of all others before.
        """
        mine = [q for q in asked if not self._looks_at_readings(about[q.alert])]
        of = {q.alert: self._facts(about[q.alert].rule).of for q in mine}
        names = {rule: self._facts(rule).name for some in of.values() for rule in some}
        among = operands(connection, names, transitions, said) if names else {}
        found: dict[str, Verdict] = {}
        for question in mine:
            with _survived(question):
                opinion = _of_alerts(question, of[question.alert], among.values(), places)
                found[question.alert] = worded(opinion, self.zone)
        return found

    def _looks_at_readings(self, about: Any) -> bool:
        kind = self._facts(about.rule).kind
        return bool(device_and_parameter(about.subject)[0]) and kind != _COMPOSITE

    def _facts(self, rule: str) -> RuleFacts:
        return self.rules().get(rule) or RuleFacts(name={})


@contextmanager
def _survived(question: Question) -> Iterator[None]:
    """A mistake of ours stops no reading: then nothing is said."""
    try:
        yield
    except Exception:
        log.exception("the alert %s cannot be judged", question.alert)


def _of_alerts(
    question: Question, of: Sequence[str], among: Iterable[Operand], places: Places
) -> Opinion:
    what, _, which = question.subject.partition("/")
    if what == "gateway":
        return silent_gateway(list(places.devices.values()).count(which))
    districts = {site: district for site, (_, district) in places.sites.items()}
    return jointly(counted(question.subject, of, among, districts))


def begins(transition: Transition) -> bool:
    """Whether an alert is to be judged with this transition."""
    return transition.after is State.FIRING and transition.reason in _JUDGES


def first(verdict: Verdict | None, severity: Severity, at: int) -> Judged:
    """What is kept of an alert that was judged at `at`, or is yet to be."""
    now = verdict is None or raises(verdict, severity, raised=False)
    return Judged(verdict, at if now else at + SOON)


def news_of(due: Due, verdict: Verdict) -> tuple[Verdict, Reason | None]:
    """What an alert is judged to be, once more, and why people should hear of it; None where they
    need not.
    """
    said = due.judged.verdict if due.judged is not None else None
    if said is not None and said.word != verdict.word and not _better(said, verdict):
        verdict = said
    if raises(verdict, due.severity, raised=_raised(due)):
        return verdict, Reason.CONFIRMED
    was_fault = said is not None and said.kind is VerdictKind.SENSOR_FAULT
    is_fault = verdict.kind is VerdictKind.SENSOR_FAULT
    return verdict, Reason.JUDGED if was_fault is not is_fault else None


def raises(verdict: Verdict, severity: Severity, *, raised: bool) -> bool:
    """Whether the severity is to be raised: once, for an event that neighbours confirm."""
    event = verdict.kind is VerdictKind.EVENT and verdict.confirmed
    return event and not raised and severity < Severity.CRITICAL


def _changed(due: Due, verdict: Verdict, reason: Reason, at: int) -> Transition:
    """The verdict as a transition."""
    lift = 1 if reason is Reason.CONFIRMED else 0
    evidence = {"verdict": body(verdict), "raised": bool(lift) or _raised(due)}
    return due.goes_on(reason, at, evidence, lift=lift)


def judged_by(transitions: Iterable[Transition], at: int) -> dict[str, Judged]:
    """The verdicts that these transitions are, which are committed at `at`."""
    return {
        t.alert: Judged(verdict_of(t.evidence["verdict"]), at + SOON, t.evidence["raised"])
        for t in transitions
        if t.reason in BY_VERDICT
    }


def _looked_at(due: Due, now: int) -> int:
    """Up to when its readings speak; of what has been silent since before, when that was found."""
    return now if due.measured_at is None else max(due.measured_at, due.started_at)


def _later(since: int, at: int) -> int:
    """When an alert that has gone on since then is judged again."""
    return at + min(max(SOON, (at - since) // 4), LATEST)


def _word(judged: Judged | None) -> Any:
    return judged.verdict.word if judged is not None and judged.verdict is not None else None


def _raised(due: Due) -> bool:
    return due.judged is not None and due.judged.raised


def _better(said: Verdict, now: Verdict) -> bool:
    return now.kind is not VerdictKind.UNCLEAR and (
        said.kind is VerdictKind.UNCLEAR or now.confidence >= SURER
    )
