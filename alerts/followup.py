"""What follows from transitions: what holds each of them back, who is told, and who is told next.

It is asked between the engine's outcome and the commit, on the thread that owns the ledger, and
looks at the ledger as it is then; so it remembers nothing that a restart could lose.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts.escalation import LadderEntry, escalate, ladder_of
from alerts.inquiry import Inquiry
from alerts.maintenance import WindowEntry
from alerts.muting import Relations, Standing, by_site, mutes
from alerts.personal import empty_digests
from alerts.planning import Recorded, Telephone, plan
from core.alerts import Mark, Reason, Severity, State, Transition
from core.errors import StorageError
from core.groups import Planned
from core.muting import Consequences, Escalation, Labels, Mute
from core.notices import Told
from core.readings import Columns
from core.times import MINUTE
from core.verdicts import Judged, VerdictKind
from storage import escalations, labels, maintenance, notices, notify_groups, silences, verdicts
from storage.courses import courses
from storage.labels import Places
from storage.ledger import Ledger

log = logging.getLogger(__name__)

LONGEST_REST = MINUTE  # what officers changed meanwhile is seen so late by the tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangements:
    """What the files say: windows by the clock of `zone`, how rules relate, whom to tell next."""

    zone: ZoneInfo
    windows: Sequence[WindowEntry] = ()
    ladders: Sequence[LadderEntry] = ()
    inquiry: Inquiry | None = None  # where nothing is judged
    relations: Relations = field(default_factory=Relations)
    telephone: Telephone | None = None  # where nobody is to be told anything


class FollowUp:
    """What follows from transitions; `arrangements` are replaced whole when files are read anew,
    `wake` is called when something is there to be sent. `failing` says why nobody is told, where
    our own code fails on it.
    """

    def __init__(self, ledger: Ledger, arrangements: Arrangements) -> None:
        self.arrangements = arrangements
        self.wake: Callable[[], None] = lambda: None
        self.failing = ""
        self._look_at = 0  # a tick before it asks the ledger nothing
        self._ledger = ledger

    def of(
        self, transitions: Sequence[Transition], at: int, fresh: Columns | None = None
    ) -> Consequences:
        """What follows from these, which are committed together at `at`, µs, with the readings
        `fresh`.

        All of them count as done: whether the inhibitor or the muted comes first is no matter.
        """
        if not transitions:
            return Consequences()
        self._look_at = 0
        with self._ledger.transaction() as connection:
            places = labels.places(connection)
            before = self.standing(connection, at, places)
            about = {t.alert for t in transitions}
            known = courses(connection, about)
            since = {alert: course.since for alert, course in known.items()}
            reached = {alert: course.escalation for alert, course in known.items()}
            inquiry, judged = self.arrangements.inquiry, dict[str, Judged]()
            if inquiry is not None:
                judged = inquiry.opened(connection, places, transitions, since, at, fresh)
            words = {alert: course.judged for alert, course in known.items() if course.judged}
            words |= judged
            told = [places.labels(t.alert, t, _word(words.get(t.alert))) for t in transitions]
            now = replace(before, firing=_firing(before.firing.values(), transitions, told))
            held = [mutes(alert, now) for alert in told]
            recorded = Recorded(
                transitions=transitions,
                labels=told,
                since=since,
                verdicts=words,
            )
            return Consequences(
                mutes=held,
                escalations=self._escalations(reached, transitions, told, at),
                verdicts=judged,
                planned=self._planned(connection, recorded, held, now, places),
            )

    def on_tick(self, now: int) -> Sequence[Transition]:
        """Tell of silences that end; escalate what nobody has acknowledged in time; judge again."""
        if now < self._look_at:
            return ()
        coming = [now + LONGEST_REST, silences.announce_ends(self._ledger, now)]
        with self._ledger.transaction() as connection:
            found = self._overdue(connection, now)
            if self.arrangements.inquiry is not None:
                found += self.arrangements.inquiry.reviewed(connection, now)
            planned = self._due(connection, now)
            coming += [
                escalations.next_due(connection),
                notify_groups.next_due(connection),
                verdicts.next_due(connection),
            ]
        self._look_at = min(at for at in coming if at is not None)
        if planned.notices:
            self.wake()
        return found

    def committed(self, consequences: Consequences) -> None:
        """What `of` found is in the ledger."""
        if consequences.planned.notices:
            self.wake()

    def standing(self, connection: Connection, at: int, places: Places) -> Standing:
        """All that may hold back at `at`, µs, as the ledger is."""
        made = [_entry(window.body) for window in maintenance.windows(connection)]
        firing = labels.firing(connection, places)
        return Standing(
            at=at,
            zone=self.arrangements.zone,
            silences=silences.silences_in_force(connection, at),
            windows=[*self.arrangements.windows, *made],
            firing=by_site(firing),
            relations=self.arrangements.relations,
        )

    def _planned(
        self,
        connection: Connection,
        recorded: Recorded,
        held: Sequence[tuple[Mute, ...]],
        standing: Standing,
        places: Places,
    ) -> Planned:
        """What people are to be told because of these."""
        telephone = self.arrangements.telephone
        if telephone is None:
            return Planned()
        known = {alert.alert: bool(by) for alert, by in zip(recorded.labels, held, strict=True)}
        muted = partial(_is_muted, known, standing, places)
        return self._plan(connection, telephone, recorded, muted, standing.at)

    def _due(self, connection: Connection, now: int) -> Planned:
        """Plan what was to wait until now."""
        telephone, due_at = self.arrangements.telephone, notify_groups.next_due(connection)
        if telephone is None:
            return Planned()
        planned = Planned()
        if due_at is not None and due_at <= now:
            places = labels.places(connection)
            muted = partial(_is_muted, {}, self.standing(connection, now, places), places)
            planned = self._plan(connection, telephone, Recorded(), muted, now)
        nothing = empty_digests(connection, self.arrangements.zone, telephone.channels, now)
        planned = replace(planned, notices=[*planned.notices, *nothing])
        notices.keep(connection, planned)
        return planned

    def _plan(
        self,
        connection: Connection,
        telephone: Telephone,
        recorded: Recorded,
        muted: Callable[[Told, bool], bool],
        now: int,
    ) -> Planned:
        """What to tell. A mistake of ours must stop no reading: what is to be told is kept then,
        and tried again by the tick.
        """
        for tells in (True, False):
            try:
                planned = plan(connection, telephone, recorded, muted, now, tells=tells)
            except (SQLAlchemyError, sqlite3.Error, StorageError):
                raise
            except Exception as error:
                if not self.failing:
                    log.exception("what to tell people cannot be planned")
                self.failing = repr(error)
            else:
                self.failing = "" if tells else self.failing
                return planned
        return Planned()

    def _overdue(self, connection: Connection, now: int) -> list[Transition]:
        """What is to be escalated; what no ladder is meant for any more is so no longer."""
        places, found = labels.places(connection), list[Transition]()
        for alert in escalations.overdue(connection, now):
            ladder = self._ladder(places.labels(alert.alert, alert, alert.verdict))
            level = alert.escalation.level
            if ladder is None or level >= len(ladder.levels):
                ended = {alert.alert: Escalation(level)}
                escalations.keep_escalations(connection, ended)
            else:
                evidence = {"escalation": level + 1, "to": ladder.levels[level].name}
                at = alert.escalation.due_at or 0
                found.append(alert.goes_on(Reason.ESCALATED, at, evidence))
        return found

    def _escalations(
        self,
        known: dict[str, Escalation],
        transitions: Sequence[Transition],
        told: Sequence[Labels],
        at: int,
    ) -> Mapping[str, Escalation]:
        for transition, alert in zip(transitions, told, strict=True):
            before = known.get(alert.alert, Escalation())
            known[alert.alert] = escalate(before, transition, self._ladder(alert), at)
        return known

    def _ladder(self, alert: Labels) -> LadderEntry | None:
        if alert.verdict == VerdictKind.SENSOR_FAULT:  # for technicians, at their leisure
            return None
        return ladder_of(self.arrangements.ladders, alert.severity, alert.kind)


class _About(NamedTuple):
    """What labels are made of."""

    rule: str
    subject: str
    site: str
    severity: Severity
    marks: tuple[Mark, ...]


def _is_muted(
    known: Mapping[str, bool], standing: Standing, places: Places, told: Told, shelved: bool
) -> bool:
    """Whether something holds back what would be told of an alert; for some that is `known`."""
    if told.alert in known:
        return known[told.alert]
    marks = (Mark.SHELVED,) if shelved else ()
    about = _About(told.rule, told.subject, told.site, told.severity, marks)
    word = told.verdict.kind if told.verdict is not None else ""
    return bool(mutes(places.labels(told.alert, about, word), standing))


def _firing(
    before: Iterable[Sequence[Labels]], transitions: Sequence[Transition], told: Sequence[Labels]
) -> Mapping[str, Sequence[Labels]]:
    """Who may mute others once these are done."""
    firing = {alert.alert: alert for alerts in before for alert in alerts}
    for transition, alert in zip(transitions, told, strict=True):
        firing.pop(alert.alert, None)
        if transition.after is State.FIRING and labels.mutes_others(
            transition.subject, transition.marks
        ):
            firing[alert.alert] = alert
    return by_site(firing.values())


def _word(judged: Judged | None) -> str:
    return judged.verdict.kind if judged is not None and judged.verdict is not None else ""


@lru_cache(maxsize=256)
def _entry(body: str) -> WindowEntry:
    return WindowEntry.model_validate_json(body)
