"""What a subscriber is told, and when: quiet hours, digests, mutes, and nothing lost by any."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.subscribing import Telling, Timing, next_digest, wants, ways, when
from core.alerts import Reason, Severity, State
from core.notices import Channel, NoticeReason, Told
from core.subscribers import (
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from core.times import DAY, HOUR, from_micros, to_micros

BANGKOK = ZoneInfo("Asia/Bangkok")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NIGHT = Preferences(quiet=(time(22), time(7)))
LUNCH = Preferences(quiet=(time(12), time(13, 30)))
MORNING = Preferences(digest=time(8))
INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
FIRST, RESOLVED = NoticeReason.FIRST, NoticeReason.RESOLVED


def at(text: str, zone: ZoneInfo = BANGKOK) -> int:
    """A local time as µs."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=zone))


def later(text: str) -> Telling:
    return Telling(Timing.LATER, at(text))


def digest(text: str) -> Telling:
    return Telling(Timing.DIGEST, at(text))


NOW = Telling(Timing.NOW, -1)  # at the very moment
MUTED = at("2026-11-23T15:00")


@pytest.mark.parametrize(
    ("preferences", "severity", "reason", "moment", "expected"),
    [
        pytest.param(Preferences(), INFO, FIRST, "2026-11-22T03:00", NOW, id="no wishes"),
        pytest.param(NIGHT, WARNING, FIRST, "2026-11-22T21:59", NOW, id="just before the night"),
        pytest.param(
            NIGHT, WARNING, FIRST, "2026-11-22T22:00", later("2026-11-23T07:00"), id="it begins"
        ),
        pytest.param(
            NIGHT, WARNING, FIRST, "2026-11-23T03:00", later("2026-11-23T07:00"), id="midnight past"
        ),
        pytest.param(NIGHT, WARNING, FIRST, "2026-11-23T07:00", NOW, id="it ends"),
        pytest.param(
            LUNCH, WARNING, FIRST, "2026-11-22T12:30", later("2026-11-22T13:30"), id="in the day"
        ),
        pytest.param(NIGHT, CRITICAL, FIRST, "2026-11-23T03:00", NOW, id="critical wakes"),
        pytest.param(
            replace(NIGHT, critical_waits=True),
            CRITICAL,
            FIRST,
            "2026-11-23T03:00",
            later("2026-11-23T07:00"),
            id="critical waits where it was asked to",
        ),
        pytest.param(
            NIGHT, CRITICAL, RESOLVED, "2026-11-23T03:00", later("2026-11-23T07:00"), id="all-clear"
        ),
        pytest.param(
            MORNING, WARNING, FIRST, "2026-11-22T07:59", digest("2026-11-22T08:00"), id="of today"
        ),
        pytest.param(
            MORNING, WARNING, FIRST, "2026-11-22T08:00", digest("2026-11-23T08:00"), id="tomorrow's"
        ),
        pytest.param(MORNING, CRITICAL, FIRST, "2026-11-22T09:00", NOW, id="critical at once"),
        pytest.param(MORNING, CRITICAL, RESOLVED, "2026-11-22T09:00", NOW, id="and its all-clear"),
        pytest.param(
            MORNING,
            WARNING,
            RESOLVED,
            "2026-11-22T09:00",
            digest("2026-11-23T08:00"),
            id="the other all-clears in the digest",
        ),
        pytest.param(
            replace(MORNING, critical_waits=True),
            CRITICAL,
            FIRST,
            "2026-11-22T09:00",
            digest("2026-11-23T08:00"),
            id="critical in the digest",
        ),
        pytest.param(
            replace(MORNING, quiet=(time(22), time(9))),
            WARNING,
            FIRST,
            "2026-11-22T23:00",
            digest("2026-11-23T08:00"),
            id="the digest's hour is one that they chose",
        ),
        pytest.param(
            Preferences(muted_until=MUTED),
            CRITICAL,
            FIRST,
            "2026-11-22T15:00",
            Telling(Timing.LATER, MUTED),
            id="muted holds everything",
        ),
        pytest.param(
            Preferences(muted_until=MUTED), WARNING, FIRST, "2026-11-23T15:00", NOW, id="mute over"
        ),
        pytest.param(
            replace(NIGHT, muted_until=at("2026-11-23T02:00")),
            WARNING,
            FIRST,
            "2026-11-22T15:00",
            later("2026-11-23T07:00"),
            id="a mute that ends in the night",
        ),
        pytest.param(
            replace(NIGHT, muted_until=at("2026-11-23T02:00")),
            CRITICAL,
            FIRST,
            "2026-11-22T15:00",
            later("2026-11-23T02:00"),
            id="critical when the mute is over",
        ),
        pytest.param(
            replace(MORNING, muted_until=at("2026-11-23T15:00")),
            WARNING,
            FIRST,
            "2026-11-22T09:00",
            digest("2026-11-24T08:00"),
            id="the digest after the mute",
        ),
        pytest.param(NIGHT, INFO, NoticeReason.TEST, "2026-11-22T23:00", NOW, id="a test"),
        pytest.param(
            Preferences(),
            INFO,
            NoticeReason.HEARTBEAT,
            "2026-11-22T09:00",
            Telling(Timing.NEVER),
            id="a heartbeat is for operators",
        ),
    ],
)
def test_when_somebody_is_told(
    preferences: Preferences,
    severity: Severity,
    reason: NoticeReason,
    moment: str,
    expected: Telling,
) -> None:
    told = when(preferences, severity, reason, at(moment), BANGKOK)
    assert told == (Telling(Timing.NOW, at(moment)) if expected is NOW else expected)


@pytest.mark.parametrize(
    ("zone", "moment", "ends"),
    [
        pytest.param(NEW_YORK, "2026-03-07T23:00", "2026-03-08T07:00", id="a night of 8 hours"),
        pytest.param(NEW_YORK, "2026-10-31T23:00", "2026-11-01T07:00", id="a night of 10 hours"),
        pytest.param(LORD_HOWE, "2026-04-04T23:00", "2026-04-05T07:00", id="half an hour more"),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall(zone: ZoneInfo, moment: str, ends: str) -> None:
    told = when(NIGHT, WARNING, FIRST, at(moment, zone), zone)
    assert told == Telling(Timing.LATER, at(ends, zone))


@pytest.mark.parametrize("zone", [BANGKOK, NEW_YORK, LORD_HOWE], ids=str)
@pytest.mark.parametrize("clock", [time(0), time(1, 30), time(2, 15), time(8)], ids=str)
def test_there_is_one_digest_on_each_day_of_a_year(zone: ZoneInfo, clock: time) -> None:
    moment, days = at("2026-01-01T12:00", zone), list[date]()
    while len(days) < 365:
        moment = next_digest(clock, moment, zone)
        days.append(from_micros(moment).astimezone(zone).date())
    assert days == [days[0] + timedelta(n) for n in range(365)]


PEACE = st.none() | st.tuples(st.times(), st.times()).filter(lambda quiet: quiet[0] != quiet[1])
MOMENTS = st.integers(at("2026-01-01T00:00"), at("2027-01-01T00:00"))


@given(
    preferences=st.builds(
        Preferences,
        quiet=PEACE,
        digest=st.none() | st.times(),
        digest_empty=st.booleans(),
        critical_waits=st.booleans(),
        muted_until=st.none() | MOMENTS,
        first=st.sampled_from([Channel.LINE, Channel.EMAIL]),
    ),
    severity=st.sampled_from(Severity),
    reason=st.sampled_from([r for r in NoticeReason if r is not NoticeReason.HEARTBEAT]),
    moment=MOMENTS,
    zone=st.sampled_from([BANGKOK, NEW_YORK, LORD_HOWE]),
)
def test_no_preference_loses_an_alert(
    preferences: Preferences, severity: Severity, reason: NoticeReason, moment: int, zone: ZoneInfo
) -> None:
    timing, told_at = when(preferences, severity, reason, moment, zone)
    held_until = max(moment, preferences.muted_until or moment)
    assert timing is not Timing.NEVER
    assert told_at >= moment
    assert (timing is Timing.NOW) == (told_at == moment)
    assert told_at <= held_until + DAY + HOUR  # the longest day has 25 hours
    again = when(preferences, severity, reason, told_at, zone)
    if timing is not Timing.DIGEST:  # what comes at its time is not put off once more
        assert again == Telling(Timing.NOW, told_at)


def told(**changes: Any) -> Told:
    """An alert at Patong beach."""
    facts: dict[str, Any] = {
        "alert": "a",
        "rule": "beach-turbid",
        "version": "v1",
        "rule_name": {},
        "state": State.FIRING,
        "severity": WARNING,
        "reason": Reason.FIRST_BREACH,
        "at": 0,
        "since": 0,
        "subject": "buoy/turbidity",
        "value": 61.5,
        "site": "patong",
        "kind": "beach",
        "district": "kathu/patong",
    }
    return Told(**facts | changes)


DISTRICT = told(site="", kind="", district="kathu", subject="district/kathu")


@pytest.mark.parametrize(
    ("subscription", "alert", "expected"),
    [
        pytest.param(Subscription(scope=Scope.ALL), told(), True, id="all"),
        pytest.param(Subscription(scope=Scope.SITE, target="patong"), told(), True, id="a site"),
        pytest.param(Subscription(scope=Scope.SITE, target="karon"), told(), False, id="another"),
        pytest.param(Subscription(scope=Scope.KIND, target="beach"), told(), True, id="a kind"),
        pytest.param(Subscription(scope=Scope.KIND, target="air"), told(), False, id="not a kind"),
        pytest.param(
            Subscription(scope=Scope.DISTRICT, target="kathu/patong"), told(), True, id="a tambon"
        ),
        pytest.param(
            Subscription(scope=Scope.DISTRICT, target="kathu"), told(), True, id="its amphoe"
        ),
        pytest.param(
            Subscription(scope=Scope.DISTRICT, target="kat"), told(), False, id="half a name"
        ),
        pytest.param(
            Subscription(scope=Scope.DISTRICT, target="kathu/patong"),
            DISTRICT,
            True,
            id="an alert about the amphoe is about its tambon",
        ),
        pytest.param(
            Subscription(scope=Scope.DISTRICT, target="kathu/patong"),
            told(district="kathu", site="kathu-lab"),
            False,
            id="one of a site in the amphoe is not",
        ),
        pytest.param(
            Subscription(scope=Scope.SITE, target="patong"), told(site=""), False, id="no site"
        ),
        pytest.param(
            Subscription(scope=Scope.SITE, target="karon"),
            told(subject="storm", site="", kind="", district=""),
            True,
            id="a storm is about every place",
        ),
        pytest.param(
            Subscription(scope=Scope.ALL, least=CRITICAL), told(), False, id="not bad enough"
        ),
        pytest.param(
            Subscription(scope=Scope.ALL, least=CRITICAL),
            told(severity=CRITICAL),
            True,
            id="bad enough",
        ),
    ],
)
def test_what_somebody_wants_to_hear(
    subscription: Subscription, alert: Told, expected: bool
) -> None:
    assert wants([subscription], alert) is expected
    assert wants([], alert) is False


def reached(channel: Channel, state: SubscriberState = SubscriberState.ACTIVE) -> Contact:
    return Contact(channel=channel, address=f"by {channel}", state=state, since=0)


LINE, MAIL = reached(Channel.LINE), reached(Channel.EMAIL)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param({"contacts": (MAIL, LINE)}, [LINE, MAIL], id="LINE first"),
        pytest.param(
            {"contacts": (LINE, MAIL), "preferences": Preferences(first=Channel.EMAIL)},
            [MAIL, LINE],
            id="mail first by choice",
        ),
        pytest.param(
            {"contacts": (reached(Channel.LINE, SubscriberState.BLOCKED), MAIL)},
            [MAIL],
            id="blocked",
        ),
        pytest.param(
            {"contacts": (reached(Channel.EMAIL, SubscriberState.UNCONFIRMED),)}, [], id="not yet"
        ),
        pytest.param({"contacts": (LINE, MAIL), "stopped_at": 7}, [], id="stopped"),
        pytest.param({}, [], id="nobody"),
    ],
)
def test_how_somebody_is_reached(one: dict[str, Any], expected: list[Contact]) -> None:
    assert ways(Subscriber(id="s1", made_at=0, **one)) == expected
