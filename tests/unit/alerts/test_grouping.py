"""Which alerts are told together, and when: told as Alertmanager tells its own tests, at a time
this comes in, between these times that goes out.
"""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.grouping import MANY, Groups, Happened, Telling, keys, take_in, tell
from alerts.routing import Receiver, Route, Routes
from core.alerts import Mark, Reason, Severity, State
from core.muting import Labels
from core.notices import Told
from core.times import MINUTE, SECOND

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
ROOT = Route(
    key="",
    receiver="officers",
    group_by=("site",),
    group_wait=30 * SECOND,
    group_interval=5 * MINUTE,
    repeat_interval=60 * MINUTE,
)
URGENT = replace(
    ROOT, key="/urgent", matchers=('severity="critical"',), group_wait=0, group_interval=MINUTE
)


def routes(*children: Route, pace: int = 0, **root: Any) -> Routes:
    receivers = {
        name: Receiver(name=name, pace=pace) for name in ("officers", "night", "head", "signs")
    }
    return Routes(root=replace(ROOT, **root, routes=children), receivers=receivers)


class City:
    """Groups of alerts on a clock of their own, which begins at 0 s; what is said is kept."""

    def __init__(self, known: Routes | None = None) -> None:
        self.routes = known or routes(URGENT)
        self.groups: Groups = {}
        self.said: list[tuple[float, Telling]] = []
        self.muted: set[str] = set()
        self._now = 0
        self._free_at: dict[str, int] = {}

    def at(self, time: str) -> "City":
        """Let the time come, M:SS."""
        until = _micros(time)
        while (due := self._due()) is not None and due <= until:
            self._now = max(self._now, due)
            self._tell()
        self._now = until
        return self

    def push(self, *alerts: str, **how: Any) -> "City":
        """These fire: "patong:a" is alert a at Patong."""
        return self.happen([happened(alert, self._now, **how) for alert in alerts])

    def resolve(self, *alerts: str, **how: Any) -> "City":
        how = {"reason": Reason.BACK_IN_RANGE, "after": State.RESOLVED} | how
        return self.push(*alerts, before=State.FIRING, **how)

    def happen(self, some: Sequence[Happened]) -> "City":
        """In one commit, and what is due at once is told with it."""
        alerts = {one.told.alert for one in some}
        wanted = keys(self.routes, some)
        held = {
            key: group
            for key, group in self.groups.items()
            if key in wanted or alerts & group.members.keys()
        }
        self.groups = {**self.groups, **take_in(held, self.routes, some, self._now)}
        return self._tell()

    def expect(self, since: str, until: str, *what: str) -> "City":
        """Between these times exactly this is said: "first a b" names reason and alerts, in order;
        those that are over have a minus.
        """
        self.at(until)
        said = [_words(t) for at, t in self.said if _micros(since) <= at < _micros(until)]
        assert said == list(what)
        return self

    def _tell(self) -> "City":
        groups, tellings = tell(
            self.groups,
            self.routes,
            self._free_at,
            lambda told, _shelved: told.alert in self.muted,
            self._now,
        )
        self.groups = {key: group for key, group in groups.items() if group.members}
        self._free_at |= {telling.receiver: telling.free_at for telling in tellings}
        self.said += [(self._now, telling) for telling in tellings]
        return self

    def _due(self) -> int | None:
        return min((g.due_at for g in self.groups.values() if g.due_at is not None), default=None)


def happened(
    alert: str,
    at: int = 0,
    severity: Severity = WARNING,
    *,
    before: State | None = None,
    after: State = State.FIRING,
    reason: Reason = Reason.FIRST_BREACH,
    marks: tuple[Mark, ...] = (),
    level: str = "",
) -> Happened:
    site, _, name = alert.partition(":")
    told = Told(
        alert=name,
        rule="r",
        version="1",
        rule_name={},
        state=after,
        severity=severity,
        reason=reason,
        at=at,
        since=0,
        subject=f"{site}-1/ph",
        value=1.0,
        site=site,
    )
    labels = Labels(alert=name, rule="r", severity=severity, site=site)
    return Happened(told=told, before=before, labels=labels, marks=marks, level=level)


def _micros(time: str) -> int:
    minutes, seconds = map(int, re.fullmatch(r"(\d+):(\d\d)", time).groups())  # type: ignore[union-attr]
    return (minutes * 60 + seconds) * SECOND


def _words(telling: Telling) -> str:
    over = (f"{'-' if told.state is State.RESOLVED else ''}{told.alert}" for told in telling.alerts)
    return " ".join((str(telling.reason), *over))


Script = Callable[[City], object]
each_script = pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            lambda c: (
                c.push("patong:a").at("0:10").push("patong:b"),
                c.expect("0:00", "0:30").expect("0:30", "0:31", "first a b"),
                c.expect("0:31", "59:00"),
            ),
            id="the first message comes group_wait after the first alert",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("1:00").push("patong:b"),
                c.expect("0:31", "5:30").expect("5:30", "5:31", "new-in-group b"),
            ),
            id="news comes group_interval after the last message",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("20:00").push("patong:b"),
                c.expect("0:31", "20:30").expect("20:30", "20:31", "new-in-group b"),
            ),
            id="after a long time news wait for each other as the first do",
        ),
        pytest.param(
            lambda c: c.push("patong:a", severity=CRITICAL).expect("0:00", "0:01", "first a"),
            id="a route that does not wait tells at once",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("1:00"),
                c.push("patong:a", severity=CRITICAL, before=State.FIRING, reason=Reason.WORSENED),
                c.expect("1:00", "1:01", "severity-up a"),
                c.expect("1:01", "50:00"),
            ),
            id="what gets worse goes at once and leaves its former group",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a", severity=CRITICAL).at("0:10").push("kata:b").at("0:20"),
                c.push("patong:c", severity=CRITICAL),
                c.expect("0:20", "0:40").expect("0:40", "0:41", "first b"),
                c.expect("0:41", "1:00").expect("1:00", "1:01", "new-in-group c"),
            ),
            id="groups do not wait for each other",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("0:20").resolve("patong:a"),
                c.expect("0:00", "59:00"),
            ),
            id="what is over before it was told is not told",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("2:00").resolve("patong:a"),
                c.expect("0:31", "5:30").expect("5:30", "5:31", "resolved -a"),
                c.expect("5:31", "200:00"),
            ),
            id="the all-clear is news like any other and ends it",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("2:00").resolve("patong:a"),
                c.at("3:00").push("patong:a", before=State.RESOLVED, reason=Reason.REOPENED),
                c.expect("0:31", "59:00"),
            ),
            id="an end that nobody heard of and that was none is not told",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").expect("0:31", "60:30").expect("60:30", "60:31", "repeat a"),
                c.expect("60:31", "120:30").expect("120:30", "120:31", "repeat a"),
            ),
            id="what still fires is repeated",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a", "patong:b").at("10:00"),
                c.push("patong:a", before=State.FIRING, reason=Reason.ACKNOWLEDGED),
                c.expect("0:31", "60:30").expect("60:30", "60:31", "repeat b"),
            ),
            id="but not what somebody has acknowledged",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("10:00"),
                c.push("patong:a", before=State.FIRING, reason=Reason.ACKNOWLEDGED).at("11:00"),
                c.push("patong:a", severity=CRITICAL, before=State.FIRING, reason=Reason.WORSENED),
                c.expect("11:00", "11:01", "severity-up a").expect("71:00", "71:01", "repeat a"),
            ),
            id="an acknowledgement ends when the alert gets worse",
        ),
        pytest.param(
            lambda c: (
                c.muted.add("a"),
                c.push("patong:a", "patong:b").expect("0:00", "20:00", "first b"),
                c.muted.clear(),
                c.expect("20:00", "21:00", "new-in-group a"),
            ),
            id="what is held back is told when nothing holds it any more",
        ),
        pytest.param(
            lambda c: (
                c.muted.add("a"),
                c.push("patong:a").at("20:00").resolve("patong:a"),
                c.muted.clear(),
                c.expect("0:00", "59:00"),
            ),
            id="but not when it is over by then",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a", marks=(Mark.SHADOW,)).push("patong:b", marks=(Mark.FOLDED,)),
                c.expect("0:00", "59:00"),
            ),
            id="rules on trial and what a storm has folded say nothing",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("1:00"),
                *(
                    c.push("patong:a", before=State.FIRING, reason=reason)
                    for reason in (Reason.COMMENTED, Reason.DATA_STOPPED, Reason.EASED)
                ),
                c.expect("0:31", "59:00"),
            ),
            id="what officers say and what data do is no news",
        ),
        pytest.param(
            lambda c: (
                c.push("patong:a").at("15:00"),
                c.push(
                    "patong:a", before=State.FIRING, reason=Reason.ESCALATED, level="head"
                ).expect("15:00", "15:01", "escalation a"),
                c.at("16:00").resolve("patong:a"),
                c.expect("16:00", "25:00", "resolved -a", "resolved -a"),
            ),
            id="an escalation goes at once, and the all-clear follows it",
        ),
    ],
)


@each_script
def test_it_tells_when_it_is_time(script: Script) -> None:
    script(City())


def test_an_escalation_is_told_to_the_level_alone() -> None:
    city = City().push("patong:a").at("15:00")
    city.push("patong:a", before=State.FIRING, reason=Reason.ESCALATED, level="head")
    assert [(t.receiver, t.level) for _, t in city.said] == [("officers", ""), ("head", "head")]


def test_each_route_that_goes_on_tells_its_own_receiver() -> None:
    signs = replace(ROOT, key="/signs", receiver="signs", goes_on=True, matchers=('site="patong"',))
    city = City(routes(signs, replace(ROOT, key="/rest"))).push("patong:a", "kata:b").at("1:00")
    assert {(t.receiver, _words(t)) for _, t in city.said} == {
        ("signs", "first a"),
        ("officers", "first a b"),
    }


def test_groups_that_are_due_together_come_in_one_message() -> None:
    city = City().push("patong:a", "kata:b", "kata:c").at("1:00")
    ((_, telling),) = city.said
    assert (_words(telling), telling.group, dict(telling.labels)) == (
        "first a b c",
        "officers",
        {},
    )


def test_a_receiver_is_left_alone_for_its_pace() -> None:
    city = City(routes(URGENT, pace=3 * SECOND))
    city.push("patong:a", severity=CRITICAL).at("0:01").push("kata:b", severity=CRITICAL)
    city.push("karon:c", severity=CRITICAL)
    city.expect("0:00", "0:03", "first a").expect("0:03", "0:04", "first b c")


def test_a_storm_is_one_message_in_each_window_and_names_all() -> None:
    city = City(routes(URGENT, pace=3 * SECOND))
    alerts = [f"site-{n}:{n}" for n in range(5 * MANY)]
    for start in range(0, len(alerts), MANY + 1):
        city.push(*alerts[start : start + MANY + 1], severity=CRITICAL)
    city.at("10:00").resolve(*alerts, severity=CRITICAL).at("20:00")
    assert [(at // SECOND, len(t.alerts)) for at, t in city.said[:2]] == [
        (0, MANY + 1),
        (60, 4 * MANY - 1),
    ]
    named = [told.alert for _, t in city.said for told in t.alerts if told.state is State.FIRING]
    assert sorted(named) == sorted(str(n) for n in range(5 * MANY))
    assert [(str(t.reason), len(t.alerts)) for _, t in city.said[2:]] == [("resolved", 5 * MANY)]


# --- how transitions are cut into commits ---


def changes(seed: int, count: int) -> list[Happened]:
    """What may happen to some alerts, in an order in which it may."""
    chance, found = random.Random(seed), list[Happened]()
    states: dict[str, State] = {}
    worst: dict[str, Severity] = {}
    for _ in range(count):
        alert = f"{chance.choice(['patong', 'kata'])}:{chance.choice('abc')}"
        name = f"{alert}{alert[0]}"
        before = states.get(name)
        if before is not State.FIRING:
            worst[name], states[name] = chance.choice([WARNING, CRITICAL]), State.FIRING
            reason = Reason.REOPENED if before else Reason.FIRST_BREACH
            found.append(happened(name, 0, worst[name], before=before, reason=reason))
        elif chance.random() < 0.3 and worst[name] < CRITICAL:
            worst[name] = CRITICAL
            how: dict[str, Any] = {"before": State.FIRING, "reason": Reason.WORSENED}
            found.append(happened(name, 0, CRITICAL, **how))
        else:
            states[name] = State.RESOLVED
            how = {"before": State.FIRING, "after": State.RESOLVED, "reason": Reason.BACK_IN_RANGE}
            found.append(happened(name, 0, worst[name], **how))
    return found


def in_the_end(happened: Iterable[Told]) -> dict[str, Severity]:
    """What fires in the end, and how bad it was last."""
    found = {told.alert: told for told in happened}
    return {name: t.severity for name, t in found.items() if t.state is State.FIRING}


def heard(city: City) -> dict[str, Severity]:
    """What whoever was told all of it believes to fire, and how bad."""
    return in_the_end(told for _, telling in city.said for told in telling.alerts)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 25), cuts=st.sets(st.integers(1, 24)))
def test_how_transitions_are_cut_into_commits_changes_nothing_in_the_end(
    seed: int, count: int, cuts: set[int]
) -> None:
    script = changes(seed, count)
    whole, parts = City().happen(script), City()
    bounds = sorted({0, *(cut for cut in cuts if cut < count), count})
    for start, end in pairwise(bounds):
        parts.happen(script[start:end])
    truth = in_the_end(one.told for one in script)
    for city in (whole.at("59:00"), parts.at("59:00")):
        assert heard(city).keys() == truth.keys()
        assert all(said >= truth[alert] for alert, said in heard(city).items())


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 25))
def test_nobody_is_told_of_an_end_before_the_beginning(seed: int, count: int) -> None:
    city, known = City(), set[str]()
    for number, one in enumerate(changes(seed, count)):
        city.at(f"{number}:00").happen([one])
    city.at("200:00")
    for _, telling in city.said:
        for told in telling.alerts:
            if told.state is State.FIRING:
                known.add(told.alert)
            else:
                assert told.alert in known
                known.discard(told.alert)
