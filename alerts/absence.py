"""Rules about silence: devices that report no more, gateways that are gone.

A device is heard by each reading that is newer than what its series had; a gateway with its
devices, and by its status. For most of them nothing has to be done but to remember when: the
moment when the silence will breach is compared for all of them at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from alerts.cases import Case, Draft, Memory
from alerts.kinds.missing import Missing, spans
from alerts.lifecycle import GRACE, Change, Sample, step
from alerts.rules import Rule
from core.alerts import Severity
from core.readings import BoolColumn, Columns, IntColumn
from core.registry import Series, Status, Unit

NEVER = np.iinfo(np.int64).max // 2
GATEWAY = "gateway/{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """One case of silence: who is listened to (a number), how often it should report, and after how
    much silence which level is breached (µs).
    """

    case: Case
    who: int
    interval: int
    spans: Mapping[Severity, int]

    def next_breach(self, heard: int, after: int) -> int:
        """When silence since `heard` breaches the next level after a moment."""
        dues = (heard + span + GRACE for span in self.spans.values())
        return min((due for due in dues if due > after), default=NEVER)

    @property
    def least(self) -> int:
        """The silence that breaches the mildest level."""
        return min(self.spans.values()) + GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Signs of life as columns, sorted by `who` and moment; `gone` is a gateway's last will."""

    who: IntColumn
    moment: IntColumn
    gone: BoolColumn


class AbsenceJudge:
    """Runs the rules about silence. Moments are in listening time, µs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [rule for rule in rules if isinstance(rule.kind, Missing)]
        self._series: list[str] = []
        self._numbers: dict[str, int] = {}  # of devices and, with their prefix, gateways
        self._gateway_of = np.empty(0, np.int64)
        self._of_series = np.empty(0, np.int64)
        self._ears: dict[Case, int] = {}
        self._listening: list[Ear] = []
        self._who = self._least = self._due = np.empty(0, np.int64)
        self._live = np.empty(0, np.bool_)
        self.heard = np.empty(0, np.int64)

    def add(self, series: Sequence[Series]) -> None:
        """Take notice of more series; their indices go on from the last."""
        self._series += [s.device for s in series]
        self._number()

    def attend(self, units: Sequence[Unit], heard: Mapping[str, int], begins: int) -> list[Case]:
        """Listen to these devices and their gateways, and to no others; `heard` is when each was
        heard last, or begins to be listened to. A silence that breached before the moment `begins`
        breaches then. The cases.
        """
        gateways = dict.fromkeys(unit.gateway for unit in units)
        names = [unit.device for unit in units] + [GATEWAY.format(name) for name in gateways]
        self._numbers = {name: number for number, name in enumerate(names)}
        self._gateway_of = np.array(
            [self._numbers[GATEWAY.format(unit.gateway)] for unit in units], np.int64
        )
        self.heard = np.array([heard.get(name, 0) for name in names], np.int64)
        self._listening = [ear for rule in self._rules for ear in self._ears_of(rule, units)]
        self._ears = {ear.case: number for number, ear in enumerate(self._listening)}
        self._who = np.array([ear.who for ear in self._listening], np.int64)
        self._least = np.array([ear.least for ear in self._listening], np.int64)
        self._due = np.maximum(self.heard[self._who] + self._least, begins)
        self._live = np.zeros(len(self._listening), np.bool_)
        self._number()
        return list(self._ears)

    def restore(self, case: Case, memory: Memory) -> None:
        """Take up what is remembered of a case, if it is one of ours."""
        number, watch = self._ears.get(case), memory.watches.get(case)
        if number is not None:
            ear, heard = self._listening[number], int(self.heard[self._who[number]])
            after = heard if watch is None else max(heard, watch.heard_at)
            self._due[number] = ear.next_breach(heard, after)
        self.accept([case], memory)

    def resume(self, moment: int, deafness: int, *, first: bool) -> None:
        """Nothing was heard since a moment, for so long; before the `first` one, never. Whoever was
        registered after that moment is listened to from its registration, or the end of deafness.
        """
        later = self.heard > moment
        shifted = np.where(later, np.maximum(self.heard - deafness, moment), self.heard)
        if first:
            shifted = np.maximum(shifted, moment)
        self._due = self._due + (shifted - self.heard)[self._who]
        self.heard = shifted

    def accept(self, cases: Iterable[Case], memory: Memory) -> None:
        """So these cases are remembered now."""
        for case in cases:
            number, watch = self._ears.get(case), memory.watches.get(case)
            if number is not None:
                self._live[number] = watch is not None and not watch.idle

    def last_heard(self) -> dict[str, int]:
        """When each device and gateway was heard last."""
        return {name: int(self.heard[number]) for name, number in self._numbers.items()}

    def judge(
        self,
        columns: Columns,
        heard: IntColumn,
        statuses: Sequence[tuple[int, Status]],
        deaf: int,
        draft: Draft,
        until: int,
    ) -> None:
        """Hear a batch, and let silence go on until a moment; `heard` is when each row came,
        `statuses` have their moments; by `deaf` the clock is ahead of listening time.
        """
        signs = self._signs(columns, heard, statuses)
        after, longest, gone = self.heard.copy(), np.zeros(len(self.heard), np.int64), set[int]()
        if len(signs.who):
            first = np.append(True, signs.who[1:] != signs.who[:-1])
            before = np.where(first, self.heard[signs.who], np.roll(signs.moment, 1))
            np.maximum.at(longest, signs.who, signs.moment - before)
            np.maximum.at(after, signs.who, signs.moment)
            gone = set(signs.who[signs.gone].tolist())
        came = after[self._who] > self.heard[self._who]
        due = np.where(came, after[self._who] + self._least, self._due)
        busy = (came & self._live) | (longest[self._who] >= self._least) | (due <= until)
        busy |= np.isin(self._who, list(gone))
        for number in np.flatnonzero(busy).tolist():
            judge = partial(self._listen, number, signs, deaf, draft, until, due)
            draft.try_out(self._listening[number].case, judge)

        def hear() -> None:
            self.heard, self._due = after, due

        draft.then.append(hear)

    def _listen(
        self, number: int, signs: Heard, deaf: int, draft: Draft, until: int, due: IntColumn
    ) -> None:
        """Judge one case exactly; when it breaches next goes into `due`."""
        ear = self._listening[number]
        start, end = np.searchsorted(signs.who, [ear.who, ear.who + 1])
        moments, gone = signs.moment[start:end].tolist(), signs.gone[start:end].tolist()
        heard, coming = int(self.heard[ear.who]), int(self._due[number])
        watch, changes = draft.watch(ear.case), list[Change]()
        for moment, left in [*zip(moments, gone, strict=True), (until, None)]:
            while coming <= moment:
                silence = Sample(coming + deaf, coming, (coming - heard) / ear.interval)
                watch, more = step(watch, ear.case.terms, silence)
                changes += more
                coming = ear.next_breach(heard, coming)
            if left is None:
                break
            if left or (watch is not None and not watch.idle):
                value = ear.least / ear.interval if left else 0.0
                watch, more = step(watch, ear.case.terms, Sample(moment + deaf, moment, value))
                changes += more
            heard, coming = moment, ear.next_breach(moment, moment)
        draft.keep(ear.case, watch, changes)
        due[number] = coming

    def _signs(
        self, columns: Columns, heard: IntColumn, statuses: Sequence[tuple[int, Status]]
    ) -> Heard:
        rows = np.flatnonzero(~columns.late)
        device = self._of_series[columns.series[rows]]
        rows, device = rows[device >= 0], device[device >= 0]
        known = [(GATEWAY.format(s.gateway), moment, not s.online) for moment, s in statuses]
        told = [(self._numbers[n], moment, gone) for n, moment, gone in known if n in self._numbers]
        said = np.array(told, np.int64).reshape(-1, 3)
        who = np.concatenate([device, self._gateway_of[device], said[:, 0]])
        moment = np.concatenate([heard[rows], heard[rows], said[:, 1]])
        gone = np.concatenate([np.zeros(2 * len(rows), np.int64), said[:, 2]]) > 0
        order = np.lexsort((moment, who))
        return Heard(who=who[order], moment=moment[order], gone=gone[order])

    def _number(self) -> None:
        """Who each series belongs to; -1 where nobody is listened to."""
        self._of_series = np.array([self._numbers.get(d, -1) for d in self._series], np.int64)

    def _ears_of(self, rule: Rule, units: Sequence[Unit]) -> list[Ear]:
        if not isinstance(rule.kind, Missing):
            return []
        chosen = [
            u for u in units if rule.selection.takes(kind=u.kind, site=u.site, device=u.device)
        ]
        every = rule.kind.every
        if rule.kind.of == "device":
            named = [(u.device, u.device, u.site, u.interval or every) for u in chosen]
        else:
            named = []
            for gateway in dict.fromkeys(u.gateway for u in chosen):
                known = [u.interval for u in units if u.gateway == gateway and u.interval]
                named.append((GATEWAY.format(gateway), "", "", min(known, default=every)))
        return [
            Ear(
                case=Case(rule=rule, subject=name, site=site, device=device, terms=rule.at(site)),
                who=self._numbers[name],
                interval=interval,
                spans=spans(rule.at(site).levels, interval),
            )
            for name, device, site, interval in named
            if interval
        ]
