"""What a subscriber is told of an alert, and when. Pure.

No preference loses an alert: whatever somebody wants to hear is told now, later or in a digest.
"""

from collections.abc import Sequence
from datetime import time, timedelta
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.schedules import Schedule, day_of, moment_of
from core.alerts import STORM, Severity
from core.notices import Channel, NoticeReason, Told
from core.subscribers import (
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)

_CHANNELS = (Channel.LINE, Channel.EMAIL)  # by which people can be reached


class Timing(Enum):
    """When somebody is told."""

    NOW = "now"
    LATER = "later"  # when quiet hours or a mute are over
    DIGEST = "digest"  # with all else of the day
    NEVER = "never"  # it is nothing for subscribers


class Telling(NamedTuple):
    """When, and the moment, µs; 0 for never."""

    timing: Timing
    at: int = 0


def when(
    preferences: Preferences, severity: Severity, reason: NoticeReason, at: int, zone: ZoneInfo
) -> Telling:
    """When somebody hears of a notice of that severity that is due at `at`.

    A mute, which they set themselves and which ends soon, holds everything; then the digest and the
    quiet hours hold what does not break through. Critical alerts do, unless they said otherwise;
    their all-clear does not wait for the digest either, but wakes nobody. What a digest takes in
    does not wait for the end of quiet hours.
    """
    if reason is NoticeReason.HEARTBEAT:
        return Telling(Timing.NEVER)
    if reason in {NoticeReason.CONFIRM, NoticeReason.TEST}:
        return Telling(Timing.NOW, at)
    start = max(at, preferences.muted_until or at)
    breaks = severity is Severity.CRITICAL and not preferences.critical_waits
    if preferences.digest is not None and not breaks:
        return Telling(Timing.DIGEST, next_digest(preferences.digest, start, zone))
    wakes = breaks and reason is not NoticeReason.RESOLVED
    due = start if wakes else _after_quiet(preferences.quiet, start, zone)
    return Telling(Timing.NOW if due == at else Timing.LATER, due)


def next_digest(clock: time, after: int, zone: ZoneInfo) -> int:
    """The first moment after `after` at which it is `clock` there: one on each day, whatever is
    done to the clocks on it.
    """
    day = day_of(after, zone)
    found = moment_of(day, clock, zone)
    return found if found > after else moment_of(day + timedelta(days=1), clock, zone)


def last_digest(clock: time, at: int, zone: ZoneInfo) -> int:
    """The newest moment up to `at` at which it was `clock` there."""
    day = day_of(at, zone)
    found = moment_of(day, clock, zone)
    return found if found <= at else moment_of(day - timedelta(days=1), clock, zone)


def wants(subscriptions: Sequence[Subscription], told: Told) -> bool:
    """Whether any of them is about the alert, which fires.

    The alert of a storm stands for alerts of many places, so it is about every place.
    """
    return any(
        told.severity >= subscription.least and _is_about(subscription, told)
        for subscription in subscriptions
    )


def ways(subscriber: Subscriber) -> list[Contact]:
    """How to reach them, the best first: the channel of their choice, and what to fall back on."""
    if subscriber.state is not SubscriberState.ACTIVE:
        return []
    first = subscriber.preferences.first
    order = (first, *(channel for channel in _CHANNELS if channel is not first))
    known = (subscriber.contact(channel) for channel in order)
    return [c for c in known if c is not None and c.state is SubscriberState.ACTIVE]


def _is_about(subscription: Subscription, told: Told) -> bool:
    if told.subject == STORM:
        return True
    match subscription.scope:
        case Scope.ALL:
            return True
        case Scope.SITE:
            return told.site == subscription.target
        case Scope.KIND:
            return told.kind == subscription.target
        case Scope.DISTRICT:
            mine, theirs = f"{subscription.target}/", f"{told.district}/"
            whole_district = told.district and not told.site  # it is about all that lies in it
            return theirs.startswith(mine) or bool(whole_district and mine.startswith(theirs))


def _after_quiet(quiet: tuple[time, time] | None, at: int, zone: ZoneInfo) -> int:
    """`at`, or the end of the quiet hours in which it lies."""
    if quiet is None:
        return at
    return Schedule(zone=zone, hours=(quiet,)).closes(at) or at
