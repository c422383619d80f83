"""The life of one alert, `pending → firing → resolved`, as pure functions of facts and time.

Time here is event time. A `Watch` exists only while something is going on; None is the quiet state.
A value is taken to hold until the next reading says otherwise, so a duration can end between two
readings: `elapse` moves a watch to a moment, `step` judges a reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from alerts.rules import Threshold, breached, eased, is_clear
from core.model import SECOND, Reason, Severity, State, iso

# How long a timer waits for a reading that is on its way, so that the network's jitter decides
# nothing: a reading at the very end of a duration is heard before the timer speaks.
GRACE = 10 * SECOND


class Sample(NamedTuple):
    """One reading as a rule sees it; times in µs."""

    measured_at: int
    received_at: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a rule remembers of one subject during an episode; times in µs of event time.

    `since` is the first breach; `clear_since` the first clear reading of an unbroken run;
    `measured_at`, `received_at` and `value` are of the newest reading judged.
    """

    state: State
    severity: Severity
    since: int
    clear_since: int | None
    measured_at: int
    received_at: int
    value: float


class Change(NamedTuple):
    """A step of an alert's life, before it is told whose alert it is."""

    before: State | None
    after: State
    severity: Severity
    reason: Reason
    at: int
    since: int
    value: float
    evidence: Mapping[str, Any]


Step = tuple[Watch | None, list[Change]]


def step(watch: Watch | None, rule: Threshold, sample: Sample) -> Step:
    """Judge one reading, newer than any the watch has seen.

    What was due before it, by event time or by the silence that preceded it, happens first.
    """
    changes: list[Change] = []
    if watch is not None:
        silence = watch.measured_at + (sample.received_at - watch.received_at) - GRACE
        watch, changes = elapse(watch, rule, max(sample.measured_at - 1, silence))
    severity = breached(rule, sample.value)
    if watch is None:
        if severity is None:
            return None, changes
        watch, opened = _open(rule, sample, severity)
        return watch, [*changes, *opened]
    seen = replace(
        watch,
        measured_at=sample.measured_at,
        received_at=sample.received_at,
        value=sample.value,
    )
    judge = _judge_pending if watch.state is State.PENDING else _judge_firing
    after, more = judge(seen, rule, severity)
    return after, [*changes, *more]


def elapse(watch: Watch, rule: Threshold, until: int) -> Step:
    """What falls due up to and with `until`, the newest value taken to hold till then."""
    if watch.state is State.PENDING and watch.since + rule.hold <= until:
        at = watch.since + rule.hold
        fired = replace(watch, state=State.FIRING)
        return fired, [_change(watch, rule, State.FIRING, Reason.HELD, at)]
    if watch.clear_since is not None and watch.clear_since + rule.clear_hold <= until:
        at = watch.clear_since + rule.clear_hold
        return None, [_change(watch, rule, State.RESOLVED, Reason.BACK_IN_RANGE, at)]
    return watch, []


def waited(watch: Watch, now: int) -> int:
    """How far event time has come for a subject that has been silent since its newest reading."""
    return watch.measured_at + (now - watch.received_at) - GRACE


def _open(rule: Threshold, sample: Sample, severity: Severity) -> Step:
    at_once = rule.hold == 0
    watch = Watch(
        state=State.FIRING if at_once else State.PENDING,
        severity=severity,
        since=sample.measured_at,
        clear_since=None,
        measured_at=sample.measured_at,
        received_at=sample.received_at,
        value=sample.value,
    )
    change = _change(watch, rule, watch.state, Reason.FIRST_BREACH, sample.measured_at)
    return watch, [change._replace(before=None)]


def _judge_pending(watch: Watch, rule: Threshold, severity: Severity | None) -> Step:
    if severity is None:
        return None, [_change(watch, rule, State.RESOLVED, Reason.NOT_HELD, watch.measured_at)]
    watch = replace(watch, severity=severity)
    return elapse(watch, rule, watch.measured_at)


def _judge_firing(watch: Watch, rule: Threshold, severity: Severity | None) -> Step:
    if severity is not None and severity > watch.severity:
        worse = replace(watch, severity=severity, clear_since=None)
        return worse, [_change(worse, rule, State.FIRING, Reason.WORSENED, watch.measured_at)]
    if is_clear(rule, watch.value):
        since = watch.measured_at if watch.clear_since is None else watch.clear_since
        return elapse(replace(watch, clear_since=since), rule, watch.measured_at)
    watch = replace(watch, clear_since=None)
    milder = eased(rule, watch.value, watch.severity)
    if milder < watch.severity:
        watch = replace(watch, severity=milder)
        return watch, [_change(watch, rule, State.FIRING, Reason.EASED, watch.measured_at)]
    return watch, []


def _change(watch: Watch, rule: Threshold, after: State, reason: Reason, at: int) -> Change:
    evidence = {
        "level": rule.levels[watch.severity],
        "clear": rule.clear,
        "side": "above" if rule.sign > 0 else "below",
        "since": iso(watch.since),
        "seconds": round((at - watch.since) / SECOND, 3),
        "measured_at": iso(watch.measured_at),
    }
    return Change(
        watch.state, after, watch.severity, reason, at, watch.since, watch.value, evidence
    )
