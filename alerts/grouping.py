"""Which alerts are told together, and when: what happens goes into groups, groups become due.

A group is made of the alerts of one route that share the labels of its `group_by`. Alertmanager's
words mean the same here: the first message of a group comes `group_wait` after the first alert,
news not before `group_interval` after the last message, and what still fires is repeated after
`repeat_interval`. What is worse than all that was told goes at once. An alert that is over before
anybody was told of it is not told at all; one that is held back is told when nothing holds it any
more. All groups of a receiver that are due are told in one message. Pure; times in µs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alerts.routing import Route, Routes, label
from core.alerts import BY_VERDICT, Mark, Reason, Severity, State
from core.groups import Group, Member
from core.muting import Labels
from core.notices import NoticeReason, Told
from core.times import MINUTE

AGAIN = MINUTE  # what is held back is looked at so often
MANY = 20  # a message of more alerts is followed by no other for the group_interval

_ORDER = (
    NoticeReason.ESCALATION,
    NoticeReason.WORSENED,
    NoticeReason.FIRST,
    NoticeReason.NEW,
    NoticeReason.REPEAT,
    NoticeReason.RESOLVED,
)
_AT_ONCE = (NoticeReason.ESCALATION, NoticeReason.WORSENED)
_SILENT = frozenset((Mark.SHADOW, Mark.FOLDED))
Groups = Mapping[str, Group]


class Happened(NamedTuple):
    """A transition: the alert as it stands then, what it is about, its marks, and the level of
    escalation that it reached.
    """

    told: Told
    before: State | None
    labels: Labels
    marks: Sequence[Mark] = ()
    level: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What one receiver is told at a moment: news and reminders, the worst first."""

    receiver: str
    reason: NoticeReason
    group: str
    labels: Mapping[str, str]
    alerts: tuple[Told, ...]
    news_at: int
    free_at: int
    level: str = ""


def take_in(groups: Groups, routes: Routes, happened: Sequence[Happened], now: int) -> Groups:
    """The groups after these, which were recorded at `now`; `groups` holds those in which their
    alerts are, and those that `keys` names.
    """
    draft = _Draft(groups, routes, now)
    for one in happened:
        if not _SILENT.intersection(one.marks):
            draft.take(one)
    return draft.groups()


def keys(routes: Routes, happened: Sequence[Happened]) -> set[str]:
    """The groups that these may come into."""
    return {
        _key(route, one.labels)
        for one in happened
        if one.told.state is State.FIRING
        for route in _routes(routes, one)
    }


def tell(
    groups: Groups,
    routes: Routes,
    free_at: Mapping[str, int],
    muted: Callable[[Told, bool], bool],
    now: int,
) -> tuple[Groups, list[Telling]]:
    """What is to be told at `now`, a message for each receiver at the most, and the groups then.
    `free_at` says from when on a receiver may be told more; `muted` whether something holds an
    alert back, which may be shelved.
    """
    found, parts = dict(groups), dict[tuple[str, str], list[_Part]]()
    for key, group in groups.items():
        if group.due_at is None or group.due_at > now:
            continue
        free = free_at.get(group.receiver, 0)
        if free > now:
            found[key] = replace(group, due_at=free)
            continue
        route = routes.named(group.route)
        found[key], part = _of_group(group, route, muted, now)
        if part is not None:
            parts.setdefault((group.receiver, group.level), []).append(part)
    return found, [_joined(some, routes, now) for some in parts.values()]


class _Part(NamedTuple):
    """What is to be told of one group."""

    group: Group
    route: Route
    reason: NoticeReason
    told: Sequence[Member]


class _Draft:
    """Groups while things happen to them."""

    def __init__(self, groups: Groups, routes: Routes, now: int) -> None:
        self._routes, self._now = routes, now
        self._groups = dict(groups)
        self._members = {key: dict(group.members) for key, group in groups.items()}
        self._due_at = {key: group.due_at for key, group in groups.items()}
        self._worst = {key: _worst(group.members.values()) for key, group in groups.items()}
        self._where: dict[str, set[str]] = {}
        for key, members in self._members.items():
            for alert in members:
                self._where.setdefault(alert, set()).add(key)

    def groups(self) -> Groups:
        """As they are by now."""
        return {
            key: replace(group, members=self._members[key], due_at=self._due_at[key])
            for key, group in self._groups.items()
        }

    def take(self, one: Happened) -> None:
        """Something happens."""
        alert, reason = one.told.alert, one.told.reason
        where = self._where.setdefault(alert, set())
        comes = one.before is not State.FIRING or reason in _ROUTED_ANEW
        if one.told.state is State.FIRING and comes:
            for route in _routes(self._routes, one):
                self._join(route, one, where)
        if reason in BY_VERDICT:
            self._leave(one, where)
        for key in sorted(where):
            group, member = self._groups[key], self._members[key][alert]
            changed = _changed(member, group, one, self._now)
            if changed is None:
                del self._members[key][alert]
                where.discard(key)
            else:
                self._members[key][alert] = changed
                route = self._routes.named(group.route)
                self._due_at[key] = self._due(key, route, changed)

    def _join(self, route: Route, one: Happened, where: set[str]) -> None:
        """Into the group of a route; out of the one where the same receiver had it."""
        key, alert = _key(route, one.labels), one.told.alert
        if key in where:
            return
        group = self._groups.setdefault(key, _empty(key, route, one.labels))
        members = self._members.setdefault(key, {})
        self._due_at.setdefault(key, None)
        reason = NoticeReason.ESCALATION if route.level else NoticeReason.FIRST
        member = Member(told=one.told, news=reason, news_at=self._now)
        for other in sorted(where):
            before = self._groups[other]
            if (before.receiver, before.level) == (group.receiver, group.level):
                member = self._members[other].pop(alert)
                where.discard(other)
        self._worst[key] = max(self._worst.get(key, 0), _worst([member]))
        members[alert] = member
        where.add(key)

    def _leave(self, one: Happened, where: set[str]) -> None:
        """Out of the groups of those whom an alert with this verdict is not for: who was told of it
        is told that it is over for them.
        """
        routes = _routes(self._routes, one)
        staying = {_key(route, one.labels) for route in routes}
        over = replace(one.told, state=State.RESOLVED)
        for key in sorted(where - staying):
            if self._groups[key].level:
                continue
            where.discard(key)
            member = self._members[key][one.told.alert]
            if member.severity is None:
                del self._members[key][one.told.alert]
                continue
            gone = replace(member, told=over, news=NoticeReason.RESOLVED, news_at=self._now)
            self._members[key][one.told.alert] = gone
            self._due_at[key] = self._due(key, self._routes.named(self._groups[key].route), gone)

    def _due(self, key: str, route: Route, member: Member) -> int | None:
        """When the group is to be looked at, now that this is a member."""
        before, told_at = self._due_at[key], self._groups[key].told_at
        if member.news is None:
            return before
        fires = member.told.state is State.FIRING
        worse = fires and member.told.severity > self._worst[key]
        at = self._now + (0 if member.news in _AT_ONCE else route.group_wait)
        if told_at is not None and not worse and member.news not in _AT_ONCE:
            at = max(at, told_at + route.group_interval)
        return at if before is None else min(at, before)


def _worst(members: Iterable[Member]) -> int:
    """As how severe any of them was told to fire; 0 when none was."""
    return max((m.severity for m in members if m.severity is not None), default=0)


def _empty(key: str, route: Route, labels: Labels) -> Group:
    return Group(
        key=key,
        route=route.key,
        receiver=route.receiver,
        labels=route.labels(labels),
        level=route.level,
    )


def _changed(member: Member, group: Group, one: Happened, now: int) -> Member | None:
    """The member after what happened; None when there is nothing to tell of it any more."""
    told, reason = one.told, one.told.reason
    member = replace(member, shelved=Mark.SHELVED in one.marks)
    if told.state is State.RESOLVED:
        if member.severity is None:
            return None
        return replace(member, told=told, news=NoticeReason.RESOLVED, news_at=now)
    if reason is Reason.ACKNOWLEDGED:
        return replace(member, acknowledged=True)
    if reason is Reason.UNSHELVED:
        return replace(member, news_at=now)
    if told.state is not State.FIRING or (one.before is State.FIRING and reason not in _SAID_ANEW):
        return member
    news = member.news if member.severity is None else None
    if member.severity is not None and told.severity > member.severity:
        news = NoticeReason.WORSENED
    if reason is Reason.ESCALATED and group.level == one.level:
        news = NoticeReason.ESCALATION
    acknowledged = member.acknowledged and reason is not Reason.WORSENED
    since = member.news_at if member.news is not None else now
    return replace(member, told=told, news=news, news_at=since, acknowledged=acknowledged)


_SAID_ANEW = (Reason.EASED, Reason.WORSENED, Reason.ESCALATED, *BY_VERDICT)
_ROUTED_ANEW = (Reason.WORSENED, Reason.ESCALATED, *BY_VERDICT)


def _of_group(
    group: Group, route: Route, muted: Callable[[Told, bool], bool], now: int
) -> tuple[Group, _Part | None]:
    """What is to be told of a group that is due, and the group then."""
    if route.silent(now):
        return replace(group, due_at=now + AGAIN), None
    told: list[Member] = []
    members, repeats = dict(group.members), _repeats(group, route, now)
    for alert, member in group.members.items():
        reminded = repeats and _nags(member)
        if (member.news is None and not reminded) or muted(member.told, member.shelved):
            continue
        told.append(member)
        if member.told.state is State.RESOLVED:
            del members[alert]
        else:
            worst = max(member.told.severity, member.severity or Severity.INFO)
            members[alert] = replace(member, news=None, severity=worst)
    after = replace(group, members=members, told_at=now if told else group.told_at)
    after = replace(after, due_at=_next_due(after, route, now))
    if not told:
        return after, None
    return after, _Part(group, route, _reason(group, told), told)


def _repeats(group: Group, route: Route, now: int) -> bool:
    return group.told_at is not None and now >= group.told_at + route.repeat_interval


def _nags(member: Member) -> bool:
    """Whether people are reminded of it."""
    return (
        member.severity is not None
        and member.told.state is State.FIRING
        and not member.acknowledged
        and not member.shelved
    )


def _next_due(group: Group, route: Route, now: int) -> int | None:
    found = [now + AGAIN for m in group.members.values() if m.news is not None][:1]
    if group.told_at is not None and any(_nags(m) for m in group.members.values()):
        found.append(max(group.told_at + route.repeat_interval, now + AGAIN))
    return min(found, default=None)


def _reason(group: Group, told: Sequence[Member]) -> NoticeReason:
    """What the news of a group have in common."""
    before = any(m.severity is not None for m in group.members.values())
    named = {m.news or NoticeReason.REPEAT for m in told}
    if before and NoticeReason.FIRST in named:
        named = (named - {NoticeReason.FIRST}) | {NoticeReason.NEW}
    return min(named, key=_ORDER.index)


def _joined(parts: Sequence[_Part], routes: Routes, now: int) -> Telling:
    """The message to a receiver about these groups."""
    first = parts[0].group
    members = sorted((m for part in parts for m in part.told), key=_worst_first)
    labels = {
        name: value
        for name, value in first.labels.items()
        if all(part.group.labels.get(name) == value for part in parts)
    }
    receiver = routes.receivers.get(first.receiver)
    rest = receiver.pace if receiver else 0
    if len(members) > MANY:
        rest = max(rest, *(part.route.group_interval for part in parts))
    return Telling(
        receiver=first.receiver,
        reason=min((part.reason for part in parts), key=_ORDER.index),
        group=first.key if len(parts) == 1 else first.receiver,
        labels=labels,
        alerts=tuple(member.told for member in members),
        news_at=min(member.news_at for member in members),
        free_at=now + rest,
        level=first.level,
    )


def _worst_first(member: Member) -> tuple[bool, int, int, str]:
    told = member.told
    return told.state is not State.FIRING, -told.severity, told.at, told.alert


def _routes(routes: Routes, one: Happened) -> list[Route]:
    return [routes.level(one.level)] if one.level else routes.of(one.labels)


def _key(route: Route, labels: Labels) -> str:
    shared = ",".join(f'{name}="{label(labels, name)}"' for name in route.group_by)
    return f"{route.key}:{{{shared}}}"
