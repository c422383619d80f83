"""The life of one alert, `pending → firing → resolved`, as pure functions of facts and time.

What a kind of rule looks at comes as samples: a value, measured at an event time, heard at a
moment of listening time (decision record 017). A value is taken to hold until the next one says
otherwise, so a timer can run out between two: `elapse` lets time pass up to a moment, `step`
judges a sample. All times are µs.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from alerts.rules import Terms
from core.alerts import Mark, Reason, Severity, State
from core.times import SECOND, iso

# How long a timer waits for a reading that is on its way, so that the network's jitter decides
# nothing: a reading at the very end of a duration is heard before the timer speaks.
GRACE = 10 * SECOND


class Sample(NamedTuple):
    """One value as a rule sees it; NaN says that something came of which there is no value yet."""

    measured_at: int
    heard_at: int
    value: float


class Watch(NamedTuple):
    """What a rule remembers of one subject while something goes on, and for a while after.

    `since` is the first breach, `opened` the moment when that opened the alert; `measured_at`,
    `heard_at` and `value` are of the newest sample; `clear_since` is the first clear sample of an
    unbroken run. `closes` is when the schedule ends the alert, `stood` how long the timers of a
    pending one stood still. `shelved_until` is a moment, `shelf_ends` the same by the clock.

    Resolved, it is a memory: `ends` are the ends in range that count for flapping, `ended_at` the
    moment since which it is remembered. `quiet` says that it was resolved by hand; `opens` is
    when the schedule opens for a value that breaches already.
    """

    state: State
    severity: Severity
    since: int
    measured_at: int
    heard_at: int
    value: float
    clear_since: int | None = None
    closes: int | None = None
    opens: int | None = None
    stood: int = 0
    stale: bool = False
    flapping: bool = False
    quiet: bool = False
    acknowledged: bool = False
    shelved_until: int | None = None
    shelf_ends: int = 0
    opened: int = 0
    ended_at: int = 0
    ends: tuple[int, ...] = ()

    @property
    def open(self) -> bool:
        """Whether there is an alert."""
        return self.state is not State.RESOLVED

    @property
    def idle(self) -> bool:
        """Whether only a breach can change anything."""
        return self.state is State.RESOLVED and not self.quiet and self.opens is None

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What holds beside the state."""
        told = (
            (Mark.FLAPPING, self.flapping),
            (Mark.SHELVED, self.shelved_until is not None),
            (Mark.STALE, self.stale),
        )
        return tuple(mark for mark, holds in told if holds)


class Change(NamedTuple):
    """A step of an alert's life, before it is told whose alert it is: `at` in event time, `moment`
    when it happened for us.
    """

    before: State | None
    after: State
    severity: Severity
    reason: Reason
    at: int
    moment: int
    since: int
    opened: int
    value: float
    marks: tuple[Mark, ...]
    evidence: Mapping[str, Any]


class Due(NamedTuple):
    """What time alone will bring: why, at which event time, and at which moment; without a reason
    something is forgotten.
    """

    moment: int
    at: int
    reason: Reason | None


Step = tuple[Watch | None, list[Change]]


def step(watch: Watch | None, terms: Terms, sample: Sample) -> Step:
    """Judge one sample, newer than any the watch has seen; what was due before it happens first."""
    changes: list[Change] = []
    if watch is not None:
        watch, changes = elapse(watch, terms, sample.heard_at)
    if watch is not None and watch.stale:
        watch, changes = _speak_again(watch, terms, sample, changes)
    if watch is not None and not watch.idle:
        watch, more = _catch_up(watch, terms, sample)
        changes += more
    if math.isnan(sample.value):
        return _touched(watch, sample), changes
    severity = terms.levels.breached(sample.value)
    if watch is None or not watch.open:
        watch, more = _judge_quiet(watch, terms, sample, severity)
    else:
        seen = watch._replace(
            measured_at=sample.measured_at, heard_at=sample.heard_at, value=sample.value
        )
        judge = _judge_pending if watch.state is State.PENDING else _judge_firing
        watch, more = judge(seen, terms, severity)
    return watch, [*changes, *more] if more else changes


def elapse(watch: Watch, terms: Terms, until: int) -> Step:
    """What falls due up to and with the moment `until`; the newest value holds till then."""
    left: Watch | None = watch
    changes: list[Change] = []
    while left is not None and (due := next_due(left, terms)) is not None and due.moment <= until:
        left, more = _fall_due(left, terms, due)
        changes += more
    return left, changes


def next_due(watch: Watch, terms: Terms) -> Due | None:
    """What comes first if nothing more is heard; None when nothing ever will."""
    if watch.idle:
        return Due(watch.ended_at + terms.flap_within, watch.measured_at, None)
    found: Due | None = None
    timer = _timer(watch, terms)
    if timer is not None:
        at, reason = timer
        found = Due(watch.heard_at + (at - watch.measured_at) + GRACE, at, reason)
    lasting = watch.open or watch.opens is not None
    if terms.stale_after is not None and lasting and not watch.stale:
        moment, at = watch.heard_at + terms.stale_after, watch.measured_at + terms.stale_after
        if found is None or moment < found.moment:
            found = Due(moment, at, Reason.DATA_STOPPED if watch.open else None)
    until = watch.shelved_until
    if until is not None and (found is None or until < found.moment):
        found = Due(until, watch.shelf_ends, Reason.UNSHELVED)
    return found


def _timer(watch: Watch, terms: Terms) -> tuple[int, Reason] | None:
    """What event time brings next, and when."""
    if watch.opens is not None:
        return watch.opens, Reason.FIRST_BREACH
    found: tuple[int, Reason] | None = None
    if watch.state is State.PENDING and not watch.stale:
        found = watch.since + terms.hold + watch.stood, Reason.HELD
    elif watch.clear_since is not None and not watch.stale:
        lasting = max(terms.clear_hold, terms.flap_within // 2 if watch.flapping else 0)
        found = watch.clear_since + lasting, Reason.BACK_IN_RANGE
    if watch.closes is not None and (found is None or watch.closes <= found[0]):
        found = watch.closes, Reason.OUT_OF_SCHEDULE
    return found


def _catch_up(watch: Watch, terms: Terms, sample: Sample) -> Step:
    """What fell due by event time before the sample was measured."""
    left: Watch | None = watch
    changes: list[Change] = []
    while left is not None and not left.idle and (timer := _timer(left, terms)) is not None:
        at, reason = timer
        closing = reason is Reason.OUT_OF_SCHEDULE
        if at > sample.measured_at or (at == sample.measured_at and not closing):
            break
        left, more = _fall_due(left, terms, Due(sample.heard_at, at, reason))
        changes += more
    return left, changes


# Timers that change one thing, and what it is then.
_AFTER: Mapping[Reason, Mapping[str, Any]] = MappingProxyType(
    {
        Reason.DATA_STOPPED: {"stale": True},
        Reason.HELD: {"state": State.FIRING},
        Reason.UNSHELVED: {"shelved_until": None, "shelf_ends": 0},
    }
)


def _fall_due(watch: Watch, terms: Terms, due: Due) -> Step:
    moment, at, reason = due
    if reason is None:  # forgotten, or too old a value for the schedule that opens later
        return _remembered(watch._replace(opens=None), moment) if watch.opens else None, []
    if reason is Reason.BACK_IN_RANGE:
        return _end_in_range(watch, terms, at, moment)
    if reason is Reason.OUT_OF_SCHEDULE:
        return _end_by_schedule(watch, terms, at, moment)
    if reason is Reason.FIRST_BREACH:
        return _open(watch._replace(opens=None), terms, at, moment)
    after = watch._replace(**_AFTER[reason])
    return after, [_change(watch, after, terms, reason, at, moment)]


def _speak_again(watch: Watch, terms: Terms, sample: Sample, before: list[Change]) -> Step:
    """Data are back, unless the schedule ended the alert before the sample was measured."""
    left, changes = _catch_up(watch, terms, sample)
    if left is None or not left.stale:
        return left, [*before, *changes]
    left, more = _data_back(left, terms, sample)
    return left, [*before, *changes, *more]


def _data_back(watch: Watch, terms: Terms, sample: Sample) -> Step:
    """The timers go on from where they stood still."""
    gap = max(0, sample.measured_at - watch.measured_at - (terms.stale_after or 0))
    clear_since = None if watch.clear_since is None else watch.clear_since + gap
    back = watch._replace(
        stale=False,
        stood=watch.stood + (gap if watch.state is State.PENDING else 0),
        clear_since=clear_since,
        measured_at=sample.measured_at,
        heard_at=sample.heard_at,
        value=watch.value if math.isnan(sample.value) else sample.value,
    )
    at, moment = sample.measured_at, sample.heard_at
    return back, [_change(watch, back, terms, Reason.DATA_BACK, at, moment)]


def _touched(watch: Watch | None, sample: Sample) -> Watch | None:
    if watch is None or watch.idle or watch.quiet:
        return watch
    return watch._replace(measured_at=sample.measured_at, heard_at=sample.heard_at)


def _judge_quiet(
    watch: Watch | None, terms: Terms, sample: Sample, severity: Severity | None
) -> Step:
    """Nothing is open: begin an alert, wait for the schedule, or stay quiet."""
    if watch is not None and watch.quiet:
        if terms.levels.is_clear(sample.value):
            return _remembered(watch._replace(quiet=False), sample.heard_at), []
        if severity is None or severity <= watch.severity:
            return watch, []
    if severity is None:
        if watch is None or watch.opens is None:
            return watch, []
        return _remembered(watch._replace(opens=None), sample.heard_at), []
    begun = Watch(
        state=State.RESOLVED,
        severity=severity,
        since=sample.measured_at,
        measured_at=sample.measured_at,
        heard_at=sample.heard_at,
        value=sample.value,
        ended_at=watch.ended_at if watch else 0,
        ends=watch.ends if watch else (),
    )
    return _open(begun, terms, sample.measured_at, sample.heard_at)


def _open(watch: Watch, terms: Terms, at: int, moment: int) -> Step:
    """Begin an alert at `at`, or as soon as the schedule opens."""
    closes = terms.schedule.closes(at) if terms.schedule else None
    if terms.schedule and closes is None:
        return watch._replace(opens=terms.schedule.opens(at)), []
    state = State.PENDING if terms.hold else State.FIRING
    begun = watch._replace(state=state, since=at, opened=moment, closes=closes)
    change = _change(watch, begun, terms, Reason.FIRST_BREACH, at, moment)
    return begun, [change._replace(before=None)]


def _judge_pending(watch: Watch, terms: Terms, severity: Severity | None) -> Step:
    if severity is None:
        over = _ended(watch)
        at, moment = watch.measured_at, watch.heard_at
        change = _change(watch, over, terms, Reason.NOT_HELD, at, moment)
        return _remembered(over, moment), [change]
    return _due_now(watch._replace(severity=severity), terms)


def _judge_firing(watch: Watch, terms: Terms, severity: Severity | None) -> Step:
    at, moment = watch.measured_at, watch.heard_at
    if severity is not None and severity > watch.severity:
        worse = watch._replace(severity=severity, clear_since=None)
        return worse, [_change(watch, worse, terms, Reason.WORSENED, at, moment)]
    if severity is None and terms.levels.is_clear(watch.value):
        since = watch.measured_at if watch.clear_since is None else watch.clear_since
        return _due_now(watch._replace(clear_since=since), terms)
    left = watch._replace(clear_since=None)
    milder = terms.levels.eased(watch.value, watch.severity)
    if milder < watch.severity:
        eased = left._replace(severity=milder)
        return eased, [_change(left, eased, terms, Reason.EASED, at, moment)]
    return left, []


def _due_now(watch: Watch, terms: Terms) -> Step:
    """What the newest sample itself lets fall due."""
    left: Watch | None = watch
    changes: list[Change] = []
    while left is not None and left.open and (timer := _timer(left, terms)) is not None:
        at, reason = timer
        if at > watch.measured_at:
            break
        left, more = _fall_due(left, terms, Due(watch.heard_at, at, reason))
        changes += more
    return left, changes


def _end_in_range(watch: Watch, terms: Terms, at: int, moment: int) -> Step:
    """The alert ends, unless it has ended too often of late."""
    ends = tuple(end for end in watch.ends if at - end < terms.flap_within)
    if not watch.flapping and len(ends) + 1 >= terms.flap_times:
        held = watch._replace(flapping=True, ends=ends)
        return held, [_change(watch, held, terms, Reason.FLAPPING, at, moment)]
    over = _ended(watch)._replace(ends=(*ends, at))
    change = _change(watch, over, terms, Reason.BACK_IN_RANGE, at, moment)
    return _remembered(over, moment), [change]


def _end_by_schedule(watch: Watch, terms: Terms, at: int, moment: int) -> Step:
    """The alert ends; a value that breaches still waits for the schedule to open."""
    over = _ended(watch)
    change = _change(watch, over, terms, Reason.OUT_OF_SCHEDULE, at, moment)
    if terms.schedule is None or watch.stale or terms.levels.breached(watch.value) is None:
        return _remembered(over, moment), [change]
    severity = terms.levels.breached(watch.value) or watch.severity
    opens = terms.schedule.opens(at)
    return over._replace(severity=severity, opens=opens, ended_at=moment), [change]


def _ended(watch: Watch) -> Watch:
    return watch._replace(
        state=State.RESOLVED,
        clear_since=None,
        closes=None,
        stood=0,
        stale=False,
        flapping=False,
        acknowledged=False,
        shelved_until=None,
        shelf_ends=0,
    )


def _remembered(watch: Watch, moment: int) -> Watch | None:
    """What is kept of an alert that is over: nothing when it had no ends in range."""
    return watch._replace(ended_at=moment) if watch.ends else None


def _change(
    before: Watch, after: Watch, terms: Terms, reason: Reason, at: int, moment: int
) -> Change:
    side, level = terms.levels.beyond(after.value, after.severity)
    clear = terms.levels.clear
    evidence = {
        "level": level,
        "clear": clear.high if side == "above" else clear.low,
        "side": side,
        "since": iso(after.since),
        "seconds": round((at - after.since) / SECOND, 3),
        "measured_at": iso(after.measured_at),
    }
    return Change(
        before=before.state,
        after=after.state,
        severity=after.severity,
        reason=reason,
        at=at,
        moment=moment,
        since=after.since,
        opened=after.opened,
        value=after.value,
        marks=after.marks,
        evidence=evidence,
    )
