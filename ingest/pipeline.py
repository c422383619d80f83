"""Hops 2 to 6: one batch, one transaction, then ack.

    messages ─ gather ─▶ rows ─ arrange ─▶ columns ─ quality.check ─▶ engine.on_batch
                 │                 │                                        │
                 └── quarantine ───┴────────▶ ledger.commit ◀───────────────┘
                                                   │
                                              acknowledge

A batch that fails in the ledger changed nothing here either: it can be settled again whole. What
people change is in `ingest/by_people.py`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from core.alerts import Outcome
from core.errors import StorageError
from core.messages import Counts, Message, Quarantined, Refusal, RefusedItem, Settled
from core.muting import Consequences
from core.overrides import Overrides
from core.quality import Limits as QualityLimits
from core.readings import Columns, IntColumn
from core.registry import Series, Status, Unit, placed
from core.times import MINUTE
from ingest.arrange import arrange, columns_of
from ingest.clocks import Clocks
from ingest.gather import Gathered, gather, quarantined
from ingest.judge import FollowUp, Judge
from ingest.limits import Limits
from ingest.overrule import Overrule, windows
from ingest.quality.check import Checked, check
from ingest.quality.layers import limits_of
from ingest.quality.settings import QualitySettings
from ingest.quality.state import VERSION, State, kept
from ingest.receipts import Desk, count, overdue, written_off
from ingest.registry import Registry
from ingest.retry import account, message_of
from ingest.reviewing import Reviewing
from ingest.sources import Sources
from ingest.status import changes
from storage.annotations import said
from storage.clock import note_set_back, set_backs
from storage.ledger import Batch, Ledger, store
from storage.lines import LineParts, encode_readings, encode_revisions, encode_transitions
from storage.quarantine import Held, of_message
from storage.units import keep_units

log = logging.getLogger(__name__)

BEHIND = 5 * MINUTE  # so far a clock may be behind what was heard

NOTHING_CHECKED = check(columns_of(), State(), QualitySettings.of([]))
NOTHING_COUNTED = Counts()


class Pipeline:
    """Settles messages; called from one thread only, which owns the ledger."""

    def __init__(  # noqa: PLR0913  every part by its name
        self,
        registry: Registry,
        sources: Sources,
        ledger: Ledger,
        engine: Judge,
        *,
        sites: Mapping[str, Overrides],
        limits: Limits,
        clocks: Clocks,
        clock: Callable[[], int],
        forwards: bool,
        follow_up: FollowUp,
    ) -> None:
        """`sites` are the limits of quality that each site changes; `clock` stamps what is
        recorded, µs UTC; `forwards` queues points for InfluxDB; `follow_up` tells what transitions
        bring with them.
        """
        self.limits = limits
        self.clocks = clocks
        self._sites = sites
        self.registry = registry
        self.sources = sources
        self._forwards = forwards
        self.ledger = ledger
        self.engine = engine
        self._follow_up = follow_up
        self.clock = clock
        self._hearing = False
        self._resuming: int | None = None  # since then we hear, but the ledger has not taken it yet
        # The moment of the last message, or of what else came. A clock that is a little behind it
        # waits, so that a replay knows what came first; one that was far ahead when we ended must
        # not hold up what comes now.
        heard, now = ledger.heard(), clock()
        self._heard = heard if heard - now <= BEHIND else now
        self._listened = self._heard  # until then we could hear
        self._set_to: int | None = None  # what the clock showed when it was set back; None: it runs
        self.state = State(len(self.registry.series))
        newest = [(row[0], row[1]) for row in ledger.latest()]
        self.state.restore(newest, *ledger.quality_memory(VERSION))
        with ledger.transaction() as connection:
            self.said = said(connection)
            for moment, showed in set_backs(connection):
                engine.clock_set_back(moment, showed)
        self.fit()
        self._progress = ledger.progress()
        self._statuses = ledger.statuses()
        self.receipts = Desk()
        units = ledger.units()
        engine.add_series([placed(one, units.get(one.device)) for one in self.registry.series])
        engine.attend(list(units.values()))

    def settle(self, messages: Sequence[Message]) -> Settled:
        """Store what the messages say, judge it, and keep what was refused, in one transaction.

        Raises:
            StorageError: nothing was stored; call again with the same messages.
        """
        self.resume()
        self.listen(messages[0].received_at if messages else 0)
        gathered = gather(messages, self.registry, self.sources)
        self._grow(messages[0].received_at if messages else 0)
        came = np.array([m.received_at for m in messages], np.int64)
        self._look_at_clock(int(came.min(initial=self._heard)))
        received_at = self._in_order(came)
        statuses = self._news(gathered, received_at)
        columns, duplicates = self._arrange(gathered, came, received_at)
        checked = self._check(columns)
        outcome = self.engine.on_batch(checked.columns, statuses)
        refused = gathered.refusals.items
        counts = Counts(
            received=len(columns) + duplicates + refused,
            stored=len(columns),
            duplicate=duplicates,
            quarantined=refused,
        )
        now = int(received_at.max(initial=self._heard))
        moved, rejected = count(self._progress, gathered, now)
        entries = gathered.quarantined()
        self.commit(
            outcome, checked, counts, entries, progress=moved, statuses=statuses, heard_at=now
        )
        self.receipts.note(moved, rejected, self.limits.take(filter(None, gathered.gateways), now))
        self.clocks.note(gathered.rows, came, self.registry.series)
        return Settled(
            stored=len(columns), duplicate=duplicates, refused=tuple(gathered.refusals.each)
        )

    def settle_one(self, message: Message) -> Settled:
        """The same for a message alone; if our own code fails on it, it is quarantined for that.

        Raises:
            StorageError: nothing was stored.
        """
        try:
            return self.settle([message])
        except StorageError:
            raise
        except Exception as error:
            log.exception("a message could not be settled")
            return self.quarantine(message, repr(error))

    def retry(
        self, entry: int, *, by: str, note: str = "", payload: bytes | None = None
    ) -> Settled | None:
        """Try the message of a quarantine entry again, as if it came now but was sent then; None
        when that entry does not wait. Other entries about the same message are settled with it.

        With another `payload` it is taken whole or not at all. `by` is who asks, `note` why.

        Raises:
            StorageError: nothing changed.
        """
        self.resume()
        entries = of_message(self.ledger, entry)
        if not entries:
            return None
        if payload is None and not entries[0].whole:
            return _refused(Refusal.TOO_LARGE, "the message was too large to be kept whole")
        try:
            return self._again(entries, by=by, note=note, payload=payload)
        except StorageError:
            raise
        except Exception as error:
            log.exception("quarantine entry %d could not be settled", entry)
            return _refused(Refusal.INTERNAL_ERROR, repr(error))

    def _again(
        self, entries: Sequence[Held], *, by: str, note: str, payload: bytes | None
    ) -> Settled:
        message = message_of(entries, payload)
        gathered = gather([message], self.registry, self.sources, self.clock())
        if gathered.statuses:
            return _refused(Refusal.WRONG_SHAPE, "a status says how it is now; discard this one")
        self._grow(self.clock())
        sent = np.array([message.received_at], np.int64)
        columns, duplicates = self._arrange(gathered, sent, sent)
        settled = Settled(
            stored=len(columns), duplicate=duplicates, refused=tuple(gathered.refusals.each)
        )
        if payload is not None and settled.refused:
            return replace(settled, stored=0, duplicate=0)
        self.listen(self.clock())
        came = self._in_order(np.array([self.clock()], np.int64))
        columns = replace(columns, received_at=np.repeat(came, len(columns)))
        checked = self._check(columns)
        entered = gathered.quarantined()
        counts, change, fresh = account(entries, entered, settled, by=by, note=note, edited=payload)
        outcome = self.engine.on_batch(checked.columns)
        self.commit(outcome, checked, counts, fresh, resolution=change, heard_at=int(came[0]))
        return settled

    def quarantine(self, message: Message, detail: str) -> Settled:
        """Keep a message that no code of ours could settle, so that it stops no other."""
        refused = quarantined(message, "", Refusal.INTERNAL_ERROR, detail, 1)
        counts = Counts(received=1, quarantined=1)
        self.commit(self.nothing(), counts=counts, refused=[refused])
        return _refused(Refusal.INTERNAL_ERROR, detail)

    def tick(self, now: int) -> None:
        """Let time pass for the rules, but only while we can hear: our deafness proves nothing."""
        self.resume()
        self._look_at_clock(now)
        if self._hearing:
            now = self._let_pass(now)
            self._report(self.engine.on_gaps(overdue(self._progress, now), now))
            found = self.clocks.due(now, self.registry.devices)
            if found is not None:
                self._report(self.engine.on_clocks(*found, now))
            moved, missing = written_off(self._progress, now)
            if moved:
                self.commit(self.nothing(), progress=moved)
                self.receipts.note(moved, missing)
        escalated = self._follow_up.on_tick(now)
        if escalated:
            self.commit(replace(self.nothing(), transitions=tuple(escalated)))

    def _let_pass(self, now: int) -> int:
        """Let timers speak until `now`, or until what is settled already: the moment."""
        now = max(now, self._heard)
        outcome = self.engine.on_tick(now)
        if outcome.transitions or outcome.states:
            self.commit(outcome, ticked_at=now, heard_at=now)
        self._listened = max(self._listened, now)
        return now

    def report(self, rule: str, found: Mapping[str, float]) -> None:
        """Of a rule about the system exactly these subjects are wrong now, by so much. As all that
        time does to rules, it waits while we cannot hear.
        """
        if self._hearing:
            now = self._let_pass(self.clock())
            self._report(self.engine.on_found(rule, found, now))

    def _report(self, outcome: Outcome) -> None:
        if outcome.transitions or outcome.states:
            self.commit(outcome)

    def connected(self, at: int) -> None:
        """The broker's session is up: silence counts from here."""
        self._resuming = max(at, self._heard + 1)
        self.resume()

    def disconnected(self) -> None:
        """The broker is gone: what we do not hear proves nothing."""
        self._hearing, self._resuming = False, None

    def resume(self) -> None:
        """Before anything else: when the ledger refuses, whatever comes next tries again."""
        if self._resuming is not None:
            self._end_deafness(self._resuming)
            self._hearing, self._resuming = True, None

    def listen(self, at: int) -> None:
        """What comes by another way while the broker cannot be heard proves nothing about the rest:
        no silence counts up to there.
        """
        if not self._hearing:
            self._end_deafness(max(at, self._heard + 1))

    def _end_deafness(self, at: int) -> None:
        since = min(max(self._listened, self._heard), at) or at
        outcome = self.engine.on_resume(since, at)
        self.commit(outcome, resumed=(since, at), heard_at=at)

    def moment(self) -> int:
        """The present, as a moment of its own."""
        return max(self.clock(), self._heard + 1)

    def _look_at_clock(self, now: int) -> None:
        """Note when it was set back: until it has caught up, stamps say nothing of lateness."""
        if now >= self._heard:
            self._set_to = None
        elif min(self._heard, self._set_to or self._heard) - now > BEHIND:
            with self.ledger.transaction() as connection:
                note_set_back(connection, self._heard, now)
            self.engine.clock_set_back(self._heard, now)
            self._set_to = now

    def _in_order(self, stamps: IntColumn) -> IntColumn:
        """When the messages were received; after the last tick, whose time can be ahead of a
        message that waited: a replay goes by what is stored.
        """
        return np.maximum(stamps, self._heard + 1 + np.arange(len(stamps)))

    def _news(self, gathered: Gathered, received_at: IntColumn) -> list[Status]:
        """What gateways say of themselves that is new; who is no gateway is refused."""
        gateways = self.ledger.gateways() if gathered.statuses else set()
        heard = []
        for number, status in gathered.statuses:
            if status.gateway in gateways:
                at = int(received_at[number])
                heard.append(replace(status, at=at, since=at))
            else:
                detail = f"no gateway is called {status.gateway}"
                gathered.refusals.add(number, None, Refusal.UNKNOWN_TOPIC, detail)
        return changes(self._statuses, heard)

    def _arrange(
        self, gathered: Gathered, came: IntColumn, received_at: IntColumn
    ) -> tuple[Columns, int]:
        newest = self.state.measured_at
        return arrange(gathered, came, received_at, newest, self.ledger.values_at)

    def _check(self, columns: Columns) -> Checked:
        """The readings with their flags, by the tests and by what officers say."""
        checked = check(columns, self.state, self._quality, self.ledger.readings_within)
        return self._overrule.applied(checked)

    def _grow(self, at: int) -> None:
        """Make room for series that were born in this batch, which begins at `at`; rules see who
        came along before they judge what he says.
        """
        count = len(self.state)
        born = self.registry.series[count:]
        if born:
            self.state.grow(len(self.registry.series))
            self.fit(() if self.registry.arrived else self._quality.limits)
            self.engine.add_series(born)
        if self.registry.arrived:
            units, now = self.registry.units(), max(self._heard + 1, at - 1)
            with self.ledger.transaction() as connection:
                committed = self.refit(connection, now, units=units)
            committed()

    def refit(
        self,
        connection: Connection,
        now: int,
        *,
        rules: Sequence[Any] | None = None,
        moved: Sequence[Series] = (),
        units: Sequence[Unit] | None = None,
    ) -> Callable[[], None]:
        """Let rules, places of series or devices be others from the moment `now` on, within a
        transaction of the caller; what to do once it is committed.
        """
        if units is not None:
            units = keep_units(connection, units, now)
        outcome = self.engine.on_change(now, rules=rules, moved=moved, units=units)
        batch = self.batch(outcome, ticked_at=now, heard_at=now)
        store(connection, batch)
        return lambda: self.accepted(batch, outcome)

    def fit(self, known: Sequence[QualityLimits] = ()) -> None:
        """Take up what the registry and people now say of the series; limits that are `known`, of
        the first series, are what they were.
        """
        series = self.registry.series
        self._quality = self._settings(series, known)
        self._overrule = Overrule(self.said.annotations, series)
        self.reviewing = Reviewing(
            self.said.reviews, self._quality, self._overrule, settings_of=self._settings
        )
        self._parts = LineParts.of(series)

    def _settings(
        self, series: Sequence[Series], known: Sequence[QualityLimits] = ()
    ) -> QualitySettings:
        """What the tests of quality go by for these series."""
        more = [limits_of(s, self.registry.devices, self._sites) for s in series[len(known) :]]
        return QualitySettings.of(
            series,
            [*known, *more],
            service=windows(self.said.log, series),
            zone=self.registry.zone,
        )

    def commit(
        self,
        outcome: Outcome,
        checked: Checked = NOTHING_CHECKED,
        counts: Counts = NOTHING_COUNTED,
        refused: Sequence[Quarantined] = (),
        **more: Any,
    ) -> None:
        """Store a batch; `more` are further fields of `Batch`."""
        batch = self.batch(outcome, checked, counts, refused, **more)
        self.ledger.commit(batch)
        self.accepted(batch, outcome, checked)

    def batch(
        self,
        outcome: Outcome,
        checked: Checked = NOTHING_CHECKED,
        counts: Counts = NOTHING_COUNTED,
        refused: Sequence[Quarantined] = (),
        **more: Any,
    ) -> Batch:
        """What `commit` would store; whoever stores it himself calls `accepted` then."""
        moved, now = checked.moved, self.clock()
        follows = self._follow_up.of(outcome.transitions, now, checked.columns)
        points, lines = self._points(checked, outcome, follows) if self._forwards else (0, b"")
        return Batch(
            recorded_at=now,
            columns=checked.columns,
            newest=checked.columns.newest(),
            new_series=tuple(self.registry.newborn),
            new_devices=tuple(self.registry.arrived),
            quarantined=refused,
            transitions=outcome.transitions,
            states=outcome.states,
            counts=counts,
            points=points,
            lines=lines,
            revisions=checked.revisions,
            tails=self.state.blocks(moved),
            windows=kept(moved),
            consequences=follows,
            **more,
        )

    def accepted(self, batch: Batch, outcome: Outcome, checked: Checked = NOTHING_CHECKED) -> None:
        """It is committed: that is what we remember now."""
        self.registry.committed(batch.new_series, batch.new_devices)
        self.state.accept(checked.moved)
        self.engine.accept(outcome)
        self._heard = max(self._heard, batch.heard_at)
        if self._hearing:
            self._listened = max(self._listened, self._heard)
        self._progress |= batch.progress
        self._statuses |= {status.gateway: status for status in batch.statuses}
        self._follow_up.committed(batch.consequences)

    def _points(
        self, checked: Checked, outcome: Outcome, follows: Consequences
    ) -> tuple[int, bytes]:
        """What InfluxDB is told, in the order in which it has to overwrite."""
        parts = (
            encode_readings(checked.columns, self._parts),
            encode_revisions(checked.revisions, self._parts),
            encode_transitions(outcome.transitions, follows.verdicts),
        )
        return sum(points for points, _ in parts), b"\n".join(lines for _, lines in parts if lines)

    def nothing(self) -> Outcome:
        """What the rules say when nothing came."""
        return self.engine.on_batch(columns_of())


def _refused(reason: Refusal, detail: str) -> Settled:
    return Settled(refused=(RefusedItem(0, None, reason, detail),))
