"""The engine beside the reference model: the same inputs, cut into batches at random, and after
each batch the same transitions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from alerts.engine import Engine
from alerts.rule_entries import RuleEntry
from alerts.rule_files import rule_of
from alerts.rules import Rule
from core.alerts import Action, ActionKind, Outcome, Transition
from core.configuration import Configuration
from core.readings import Columns
from core.registry import Former, Series, Status, Unit
from core.times import DAY, HOUR, MINUTE, SECOND
from tests.reference.asked import Entry
from tests.reference.case import Said
from tests.reference.model import Heard, Model, Place
from tests.reference.rules import POOL, variants, with_operands

T0 = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z, a Sunday, 07:00 in Bangkok
LATENESS = 15 * MINUTE
ZONE = ZoneInfo("Asia/Bangkok")
CITY = Configuration(sites={}, gateways={}, devices={}, zone=ZONE, country="TH")

SITES = {"lane": ("bin", "kathu"), "pier": ("bin", "kathu"), "town": ("air", "mueang")}
PARAMETERS = ("fill_level", "pm25")
PLACES = [
    Place("a", "g1", "lane", "bin", "kathu", 5 * MINUTE, 0),
    Place("b", "g1", "lane", "bin", "kathu", 0, 0),
    Place("c", "g1", "pier", "bin", "kathu", 5 * MINUTE, T0 + 20 * MINUTE),
    Place("d", "g2", "town", "air", "mueang", 10 * MINUTE, 0),
]
GAPS = [1000, SECOND, 10 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 20 * MINUTE, 2 * HOUR]
LAGS = [0, 0, 0, SECOND, MINUTE, 6 * MINUTE, 20 * MINUTE]
JUMPS = [0, 0, 0, 2 * HOUR, -2 * HOUR, 400 * DAY, -400 * DAY]  # of a device's clock
VALUES = [0.0, 10.0, 60.0, 60.0, 70.0, 75.0, 80.0, 81.0, 90.0, 90.0, 95.0, 96.0, 100.0]
FLAGS = [1, 1, 1, 1, 2, 3, 4]

gaps = st.sampled_from(GAPS)
values = st.sampled_from(VALUES)


@dataclass
class Memory:
    """What a ledger would keep."""

    states: dict[tuple[str, str], str] = field(default_factory=dict)
    latest: dict[int, tuple[int, int, int, float, int]] = field(default_factory=dict)
    resumptions: list[tuple[int, int]] = field(default_factory=list)
    statuses: dict[str, Status] = field(default_factory=dict)


def meant(entries: Sequence[Entry]) -> list[Rule]:
    """The engine's rules."""
    return [rule_of(RuleEntry.model_validate(entry), CITY, {}) for entry in entries]


class Both(RuleBasedStateMachine):
    """The engine and the model, and what a ledger keeps of the engine."""

    @initialize(names=st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=3, unique=True))
    def begin(self, names: list[str]) -> None:
        self.now = T0
        self.entries = with_operands(names)
        self.places = {place.device: place for place in PLACES}
        self.former: dict[str, tuple[Former, ...]] = {}
        self.stored: set[tuple[str, str, int]] = set()
        self.waiting: list[tuple[int, list[Heard]]] = []
        self.told_of: list[Status] = []
        self.memory = Memory()
        self.told: list[Transition] = []
        self.alerts: dict[int, str] = {}  # the engine's ids by the model's numbers
        self.newest: dict[tuple[str, str], int] = {}  # the model's number
        self.model = Model(self.entries, PLACES, LATENESS, ZONE)
        self.engine = self.started()
        self.resume(T0, T0)

    # --- inputs ---

    @rule(
        device=st.sampled_from("aaabcd"),
        parameter=st.sampled_from(PARAMETERS),
        reports=st.lists(st.tuples(gaps, values), min_size=1, max_size=5),
        lag=st.sampled_from(LAGS),
        even=st.booleans(),
        flag=st.sampled_from(FLAGS),
    )
    def report(
        self,
        device: str,
        parameter: str,
        reports: list[tuple[int, float]],
        lag: int,
        even: bool,
        flag: int,
    ) -> None:
        """A device reports now and then, as late each time."""
        for gap, value in reports:
            self.now += gap
            at = (self.now - lag) // (MINUTE if even else 1) * (MINUTE if even else 1)
            self.receive([Heard(device, parameter, at, value, flag)])

    @rule(
        gap=gaps,
        device=st.sampled_from("abcd"),
        parameter=st.sampled_from(PARAMETERS),
        taken=st.lists(values, min_size=1, max_size=4),
        jump=st.sampled_from(JUMPS),
        step=st.sampled_from([SECOND, MINUTE, 20 * MINUTE]),
    )
    def message(
        self, gap: int, device: str, parameter: str, taken: list[float], jump: int, step: int
    ) -> None:
        """One message brings several readings, from a clock that may be wrong."""
        self.now += gap
        first = self.now + jump - (len(taken) - 1) * step
        self.receive(
            [Heard(device, parameter, first + n * step, v, 1) for n, v in enumerate(taken)]
        )

    def receive(self, readings: list[Heard]) -> None:
        """One message; what was stored already, or who is not registered yet, comes to nobody."""
        known = [
            one
            for one in readings
            if one[:3] not in self.stored and self.places[one.device].registered <= self.now
        ]
        self.stored |= {one[:3] for one in known}
        if known:
            self.waiting.append((self.now, known))
            self.model.receive(known, self.now)

    @rule(gap=gaps, gateway=st.sampled_from(["g1", "g2"]))
    def status(self, gap: int, gateway: str) -> None:
        """A gateway says goodbye, or is back."""
        self.now += gap
        before = self.memory.statuses.get(gateway)
        online = before is not None and not before.online
        said = Status(gateway=gateway, online=online, firmware=None, at=self.now, since=self.now)
        self.memory.statuses[gateway] = said
        self.told_of.append(said)
        self.model.hear_status(gateway, self.now, online=online)

    @rule()
    def cut(self) -> None:
        """A batch ends."""
        if self.waiting or self.told_of:
            statuses, self.told_of = self.told_of, []
            self.settle(self.engine.on_batch(self.columns(), statuses))

    @rule(gap=gaps | st.just(3 * DAY))
    def tick(self, gap: int) -> None:
        """Time passes."""
        self.cut()
        self.now += gap
        self.model.tick(self.now)
        self.settle(self.engine.on_tick(self.now))

    @rule(gap=gaps, deaf=gaps)
    def cut_off(self, gap: int, deaf: int) -> None:
        """The broker is not heard for a while."""
        self.tick(gap)
        since = self.now
        self.now += deaf
        self.resume(since, self.now)

    @rule(deaf=gaps)
    def restart(self, deaf: int) -> None:
        """A new process takes up what the ledger kept."""
        self.cut()
        since = self.now
        self.now += deaf
        self.engine = self.started()
        self.resume(since, self.now)

    @precondition(lambda self: self.newest)
    @rule(
        gap=gaps,
        kind=st.sampled_from([*ActionKind, ActionKind.REOPEN, ActionKind.RESOLVE]),
        lasts=gaps,
        data=st.data(),
    )
    def act(self, gap: int, kind: ActionKind, lasts: int, data: Any) -> None:
        """An officer does something to an alert of late, the newest of its subject."""
        self.cut()
        self.now += gap
        number = data.draw(st.sampled_from(sorted(self.newest.values())[-3:]))
        until = self.now + lasts if kind is ActionKind.SHELVE else None
        action = Action(kind=kind, alert=self.alerts[number], by="nok", until=until)
        self.model.act(kind.value, number, self.now, until)
        self.settle(self.engine.on_action(action, self.now))

    @rule(gap=gaps, data=st.data(), live=st.booleans())
    def edit(self, gap: int, data: Any, live: bool) -> None:
        """A rule is edited, removed or added, while the system runs or by a restart."""
        if not live:
            self.restart(gap)
        possible = variants(self.entries)
        self.entries = possible[data.draw(st.sampled_from(sorted(possible)))]
        self.change(gap, rules=meant(self.entries))

    def change(self, gap: int, **changed: Any) -> None:
        """What is new begins at once; the engine says so with the next tick."""
        self.cut()
        self.now += gap
        self.model.change(self.now, self.entries, tuple(self.places.values()))
        self.commit(self.engine.on_change(self.now, **changed))
        self.now += 1
        self.commit(self.engine.on_tick(self.now))
        self.compare()

    @rule(gap=gaps, device=st.sampled_from("abcd"), site=st.sampled_from(sorted(SITES)), ago=gaps)
    def move(self, gap: int, device: str, site: str, ago: int) -> None:
        """A device was carried to another site, a while ago."""
        before = self.places[device]
        if before.site != site:
            since = max(before.since + 1, self.now - ago)
            former = Former(since, before.site, before.kind)
            self.former[device] = (*self.former.get(device, ()), former)
            kind, district = SITES[site]
            after = before._replace(site=site, kind=kind, district=district, since=since)
            self.places[device] = after
            moved = [one for one in self.series() if one.device == device]
            self.change(gap, moved=moved, units=self.units())

    # --- the engine's side ---

    def started(self) -> Engine:
        engine = Engine(meant(self.entries), LATENESS)
        engine.add_series(self.series())
        engine.attend(self.units())
        if self.memory.resumptions:
            memory = self.memory
            engine.restore(
                memory.states, sorted(memory.latest.values()), memory.resumptions, memory.statuses
            )
        return engine

    def resume(self, since: int, at: int) -> None:
        self.model.resume(since, at)
        self.memory.resumptions.append((since, at))
        self.settle(self.engine.on_resume(since, at))

    def series(self) -> list[Series]:
        return [
            Series(
                index=number,
                device=place.device,
                parameter=parameter,
                site=place.site,
                kind=place.kind,
                district=place.district,
                former=self.former.get(place.device, ()),
                interval=place.interval,
            )
            for number, (place, parameter) in enumerate(
                (place, parameter) for place in self.places.values() for parameter in PARAMETERS
            )
        ]

    def units(self) -> list[Unit]:
        return [
            Unit(
                device=place.device,
                gateway=place.gateway,
                site=place.site,
                kind=place.kind,
                district=place.district,
                interval=place.interval,
                since=place.registered,
            )
            for place in self.places.values()
        ]

    def columns(self) -> Columns:
        """The messages of a batch, sorted by series; late are those not newer than what came."""
        numbers = {(one.device, one.parameter): one.index for one in self.series()}
        rows = []
        for received, readings in self.waiting:
            for reading in readings:
                series = numbers[reading.device, reading.parameter]
                newest = self.memory.latest.get(series)
                late = newest is not None and reading.measured_at <= newest[1]
                row = (series, reading.measured_at, received, reading.value, reading.flag)
                if not late:
                    self.memory.latest[series] = row
                rows.append((*row, late))
        self.waiting = []
        rows.sort(key=lambda row: row[0])
        series_, measured, received_, value, flag, late_ = (
            zip(*rows, strict=True) if rows else [()] * 6
        )
        return Columns(
            series=np.array(series_, np.int64),
            measured_at=np.array(measured, np.int64),
            received_at=np.array(received_, np.int64),
            value=np.array(value, np.float64),
            flag=np.array(flag, np.uint8),
            tests=np.zeros(len(rows), np.uint32),
            late=np.array(late_, np.bool_),
        )

    def settle(self, outcome: Outcome) -> None:
        """Commit, and compare."""
        self.commit(outcome)
        self.compare()

    def commit(self, outcome: Outcome) -> None:
        """The ledger takes it."""
        self.told += outcome.transitions
        self.engine.accept(outcome)
        for key, state in outcome.states.items():
            if state is None:
                self.memory.states.pop(key, None)
            else:
                self.memory.states[key] = state

    def compare(self) -> None:
        """What the engine told since this was last asked, and what the model says."""
        expected, self.model.said = self.model.said, []
        told, self.told = self.told, []
        found = [said(transition) for transition in told]
        assert found == [one._replace(alert=0) for one in expected]
        for transition, one in zip(told, expected, strict=True):
            assert self.alerts.setdefault(one.alert, transition.alert) == transition.alert
            self.newest[one.rule, one.subject] = one.alert
        assert len(set(self.alerts.values())) == len(self.alerts), "two alerts have one name"
        self.compared(told)

    def compared(self, told: list[Transition]) -> None:
        """These were as the model says."""


def said(t: Transition) -> Said:
    """A transition in the model's words."""
    return Said(
        rule=t.rule,
        subject=t.subject,
        site=t.site,
        alert=0,
        before=None if t.before is None else t.before.value,
        after=t.after.value,
        reason=t.reason.value,
        severity=int(t.severity),
        at=t.at,
        value=t.value,
        marks=tuple(sorted(mark.value for mark in t.marks)),
    )
