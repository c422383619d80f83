"""The life of the alerts of one rule at one subject, as decision record 017 tells it.

Two clocks: `at` is event time, `moment` is listening time. Both are µs; what never comes is `inf`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from tests.reference.asked import SECOND, Asked, Entry

GRACE = 10 * SECOND

QUIET_REASONS = {"acknowledge": "acknowledged", "assign": "assigned", "comment": "commented"}


class Said(NamedTuple):
    """One transition; `alert` is the number of its alert."""

    rule: str
    subject: str
    site: str
    alert: int
    before: str | None
    after: str
    reason: str
    severity: int
    at: int
    value: float
    marks: tuple[str, ...] = ()


class Due(NamedTuple):
    """What comes by itself: at a moment, timers first, those by event time in its order."""

    moment: float
    rank: int  # 0 what goes by event time, 1 falling silent, 2 a shelf, 3 a breach by silence
    at: float
    order: int  # out-of-schedule first
    what: str


@dataclass
class Case:
    """What is remembered of a rule and a subject."""

    entry: Entry
    subject: str
    site: str
    asked: Asked
    stale_after: float
    numbers: Iterator[int]
    device: str = ""
    depth: int = 0
    said: list[Said] = field(default_factory=list)

    state: str = "calm"  # or waiting for the schedule, pending, firing, quiet after work by hand
    alert: int = 0
    severity: int = 0
    since: int = 0
    stood: int = 0
    opens_at: float = inf  # the schedule, for what waits
    closes_at: float = inf  # and for what is open
    measured: int = 0
    heard: int = 0
    value: float = 0.0
    clear_since: int | None = None
    stopped: int | None = None  # since when it is stale
    flapping: bool = False
    shelved_until: int | None = None
    ends: list[int] = field(default_factory=list)  # in range
    calm_since: int = 0  # a moment
    own_end: bool = False  # the last of `ends` is that of the last alert

    # What kinds remember.
    points: list[tuple[int, float]] = field(default_factory=list)
    counted: list[tuple[int, bool]] = field(default_factory=list)
    silences: list[tuple[int, float]] = field(default_factory=list)  # to come: (moment, value)
    number: int = 0

    @property
    def is_open(self) -> bool:
        """Whether there is an alert."""
        return self.state in {"pending", "firing"}

    # --- what comes by itself ---

    def events(self) -> list[tuple[float, int, str]]:
        """What falls due by event time if nothing else comes: (at, order, what)."""
        found: list[tuple[float, int, str]] = []
        if self.state == "waiting":
            found.append((self.opens_at, 1, "opens"))
        if self.is_open:
            found.append((self.closes_at, 0, "out-of-schedule"))
        if self.stopped is None and self.state == "pending":
            found.append((self.since + self.asked.hold + self.stood, 1, "held"))
        if self.stopped is None and self.state == "firing" and self.clear_since is not None:
            found.append((self.clear_since + self.needs_clear(), 1, "back-in-range"))
        return found

    def needs_clear(self) -> int:
        """How long values must be clear."""
        if self.flapping:
            return max(self.asked.clear_hold, self.asked.flap_within // 2)
        return self.asked.clear_hold

    def due(self, deaf: int) -> list[Due]:
        """What comes by itself, and at which moment; `deaf` is all deafness so far."""
        found = [
            Due(self.heard + (at - self.measured) + GRACE, 0, at, order, what)
            for at, order, what in self.events()
        ]
        if self.state == "waiting" or (self.is_open and self.stopped is None):
            silence = self.heard + self.stale_after
            found.append(Due(silence, 1, self.measured + self.stale_after, 1, "silence"))
        if self.shelved_until is not None:
            found.append(Due(self.shelved_until - deaf, 2, self.shelved_until, 1, "unshelved"))
        for moment, _ in self.silences:
            found.append(Due(moment, 3, moment + deaf, 1, "breach"))
        return [due for due in found if due.moment != inf]

    def let_pass(self, moment: int, deaf: int) -> None:
        """What falls due up to and with this moment happens."""
        while any(due.moment <= moment for due in self.due(deaf)):
            first = min(self.due(deaf))
            self.forget(int(first.moment))
            if first.what == "silence":
                self.fall_silent(int(first.at), int(first.moment))
            elif first.what == "breach":
                when, value = self.silences.pop(0)
                self.hear(when + deaf, when, value)
            elif first.what == "unshelved":
                self.shelved_until = None
                self.say(self.state, "unshelved", int(first.at))
            else:
                self.happen(first.what, int(first.at), int(first.moment))
        self.forget(moment)

    def until(self, at: int, moment: int, *, judged: bool) -> None:
        """What falls due by event time before `at` happens; just then, once that was judged."""
        while self.events():
            when, order, what = min(self.events())
            if when > at or (when == at and order and not judged):
                return
            self.happen(what, int(when), moment)

    def happen(self, what: str, at: int, moment: int) -> None:
        """One thing of event time."""
        match what:
            case "opens":
                self.open(at)
            case "held":
                self.say("firing", "held", at)
            case "back-in-range":
                self.end_in_range(at, moment)
            case "out-of-schedule":
                silent = self.stopped is not None
                self.end("out-of-schedule", at, moment)
                if self.asked.breached(self.value) and not silent:
                    self.state, self.opens_at = "waiting", self.asked.opens(at)

    def fall_silent(self, at: int, moment: int) -> None:
        """Its series says nothing any more."""
        if self.state == "waiting":
            self.calm(moment)
            return
        self.stopped = at
        self.say(self.state, "data-stopped", at)

    # --- assessments ---

    def hear(self, at: int, moment: int, value: float | None) -> None:
        """An assessment; None is one that ends silence and has no value."""
        self.until(at, moment, judged=False)
        if self.stopped is not None:
            stood = max(0, at - self.stopped)
            if self.state == "pending":
                self.stood += stood
            elif self.clear_since is not None:
                self.clear_since += stood
            self.stopped = None
            self.value = self.value if value is None else value
            self.say(self.state, "data-back", at)
            self.until(at, moment, judged=False)
        if self.state not in {"calm", "quiet"}:
            self.measured, self.heard = at, moment
        if value is not None:
            self.judge(at, moment, value)
            self.until(at, moment, judged=True)

    def judge(self, at: int, moment: int, value: float) -> None:
        """What the levels say."""
        worst = self.asked.breached(value)
        if self.state == "quiet":
            if self.asked.is_clear(value):
                self.calm(moment)
            elif worst > self.severity:
                self.begin(at, moment, value)
        elif self.state == "pending":
            self.value = value
            if not worst:
                self.end("not-held", at, moment)
            else:
                self.severity = worst
        elif self.state == "firing":
            self.value = value
            self.judge_firing(at, value, worst)
        elif worst:
            self.begin(at, moment, value)
        elif self.state == "waiting":
            self.calm(moment)

    def judge_firing(self, at: int, value: float, worst: int) -> None:
        """It gets worse, or milder, or is clear."""
        if self.asked.is_clear(value):
            self.clear_since = at if self.clear_since is None else self.clear_since
            return
        self.clear_since = None
        eased = self.asked.eased(value, self.severity)
        if worst > self.severity:
            self.severity = worst
            self.say("firing", "worsened", at)
        elif eased < self.severity:
            self.severity = eased
            self.say("firing", "eased", at)

    def begin(self, at: int, moment: int, value: float) -> None:
        """An alert opens, or waits until it may."""
        self.measured, self.heard, self.value = at, moment, value
        if self.asked.waits(at):
            self.state, self.opens_at, self.own_end = "waiting", self.asked.opens(at), False
        else:
            self.open(at)

    def open(self, at: int) -> None:
        """An alert opens."""
        self.alert = next(self.numbers)
        self.state, self.severity = "none", self.asked.breached(self.value)
        self.since, self.stood, self.own_end = at, 0, False
        self.closes_at = self.asked.closes(at)
        self.say("pending" if self.asked.hold else "firing", "first-breach", at)

    # --- ends ---

    def end_in_range(self, at: int, moment: int) -> None:
        """It ends, unless it has done so too often."""
        self.ends = [one for one in self.ends if at - one < self.asked.flap_within]
        if not self.flapping and len(self.ends) >= self.asked.flap_times - 1:
            self.flapping = True
            self.say("firing", "flapping", at)
            return
        self.end("back-in-range", at, moment)
        self.ends.append(at)
        self.own_end = True

    def end(self, reason: str, at: int, moment: int) -> None:
        """The alert is over, whatever was marked with it."""
        self.clear_since, self.stopped, self.shelved_until = None, None, None
        self.flapping = False
        self.say("resolved", reason, at)
        self.calm(moment)

    def calm(self, moment: int) -> None:
        """Nothing goes on any more; its ends are remembered for a while from here."""
        self.state, self.calm_since = "calm", moment

    def forget(self, moment: int) -> None:
        """What ended is forgotten when nothing has gone on for so long."""
        if self.state == "calm" and moment - self.calm_since >= self.asked.flap_within:
            self.ends, self.own_end = [], False

    # --- by hand ---

    def act(self, kind: str, at: int, moment: int, until: int | None) -> None:
        """What an officer does; what does not apply has no effect."""
        if kind == "reopen":
            self.reopen(at, moment)
        elif not self.is_open:
            return
        elif kind == "resolve":
            self.end("by-hand", at, moment)
            self.state = "quiet"
        elif kind == "shelve" and until is not None:
            self.shelved_until = until
            self.say(self.state, "shelved", at)
        elif kind == "unshelve" and self.shelved_until is not None:
            self.shelved_until = None
            self.say(self.state, "unshelved", at)
        elif kind in QUIET_REASONS:
            self.say(self.state, QUIET_REASONS[kind], at)

    def reopen(self, at: int, moment: int) -> None:
        """Back to firing, as it was."""
        if self.state == "quiet" or (self.state == "calm" and self.own_end):
            if self.own_end:
                self.ends.pop()
            self.state, self.own_end = "resolved", False
            self.measured += moment - self.heard
            self.heard = moment
            closed = self.asked.waits(self.measured)
            self.closes_at = inf if closed else self.asked.closes(self.measured)
            self.say("firing", "reopened", at)

    def taken(self) -> list[Said]:
        """What was said since this was last asked."""
        said, self.said = self.said, []
        return said

    def say(self, after: str, reason: str, at: int) -> None:
        """One transition."""
        marks = {
            "flapping": self.flapping,
            "shadow": bool(self.entry.get("shadow")),
            "shelved": self.shelved_until is not None,
            "stale": self.stopped is not None,
        }
        self.said.append(
            Said(
                self.entry["id"],
                self.subject,
                self.site,
                self.alert,
                None if self.state == "none" else self.state,
                after,
                reason,
                self.severity,
                at,
                self.value,
                tuple(name for name, holds in marks.items() if holds),
            )
        )
        self.state = after
