"""What is to be told, planned with the ledger at hand: who is told, of what, in which parcels.

It runs on the thread that owns the ledger, in the transaction of what it is about, and remembers
nothing between two calls.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from sqlalchemy import Connection

from alerts.audience import Audience
from alerts.explanation import RuleFacts
from alerts.grouping import Groups, Happened, Telling, keys, take_in, tell
from alerts.routing import Receiver, Routes
from core.alerts import Reason, Severity, State, Transition
from core.catalogue import CATALOGUE
from core.groups import Addressee, Group, Member, Planned, PlannedNotice, PlannedParcel
from core.muting import Labels
from core.notices import Channel, Notice, NoticeReason, Recipient, Told
from core.surroundings import Names, Reading
from core.verdicts import Judged
from storage import notices, notify_groups, subscribers, surroundings

TOGETHER = 500  # recipients of one call to LINE (Messaging API, multicast)
DETAILED = 5  # alerts of a notice that come with their series
POINTS = 48  # of such a series
_MEASURES = ("", "rate", "threshold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """What planning goes by: the routes, what there is to say of rules, who has subscribed, and the
    channels that are set up.
    """

    routes: Routes
    rules: Callable[[], Mapping[str, RuleFacts]]
    channels: frozenset[Channel]
    audience: Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Transitions that are committed together, with what their alerts are about and since when
    each goes on, where the ledger knows it, µs, and what each is judged to be.
    """

    transitions: Sequence[Transition] = ()
    labels: Sequence[Labels] = ()
    since: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, Judged] = field(default_factory=dict)


def plan(
    connection: Connection,
    telephone: Telephone,
    recorded: Recorded,
    muted: Callable[[Told, bool], bool],
    now: int,
    *,
    tells: bool = True,
) -> Planned:
    """What follows from these at `now`, µs, and from groups that are due; without `tells` they are
    told later.
    """
    routes = telephone.routes
    happened = list(_happened(recorded))
    before = notify_groups.due(connection, now)
    if happened:
        alerts = {one.told.alert for one in happened}
        before |= notify_groups.groups(connection, keys=keys(routes, happened), alerts=alerts)
    if not (before or happened):
        return Planned()
    groups = take_in(before, routes, happened, now)
    if not tells:
        return _changes(before, groups)
    due = {g.receiver for g in groups.values() if g.due_at is not None and g.due_at <= now}
    groups, tellings = tell(groups, routes, notices.free_at(connection, due), muted, now)
    planned = [
        notice for telling in tellings for notice in _notices(connection, telephone, telling, now)
    ]
    return replace(_changes(before, groups), notices=planned)


def plain(
    telephone: Telephone, receiver: Receiver, reason: NoticeReason, now: int
) -> Planned | None:
    """A notice of no alert to the addresses of a receiver: a test, or a sign of life. None where it
    has no address of a channel that is set up.
    """
    reached = [Addressee(*who, now) for who in receiver.addresses if who[0] in telephone.channels]
    if not reached:
        return None
    return Planned(notices=[without_alerts(reason, receiver.name, reached, now)])


def without_alerts(
    reason: NoticeReason, receiver: str, to: Iterable[Addressee], now: int, *, token: str = ""
) -> PlannedNotice:
    """A notice of no alert; `token` is what its link opens, where it has one."""
    notice = Notice(
        id=str(uuid4()),
        reason=reason,
        receiver=receiver,
        group=str(reason) if receiver else "",
        labels={},
        made_at=now,
        alerts=(),
        token=token or secrets.token_urlsafe(16),
    )
    return PlannedNotice(notice=notice, news_at=now, free_at=0, parcels=list(parcels(to)))


def _happened(recorded: Recorded) -> Iterator[Happened]:
    """The transitions that somebody may want to be told of."""
    since = dict(recorded.since)
    for transition, labels in zip(recorded.transitions, recorded.labels, strict=True):
        began = since.setdefault(transition.alert, transition.at)
        if State.FIRING in (transition.before, transition.after):
            level = transition.evidence.get("to", "")
            yield Happened(
                told=_told(transition, labels, began, recorded.verdicts.get(transition.alert)),
                before=transition.before,
                labels=labels,
                marks=transition.marks,
                level=level if transition.reason is Reason.ESCALATED else "",
            )


def _told(transition: Transition, labels: Labels, since: int, judged: Judged | None) -> Told:
    """The alert, without what is looked up when it is told."""
    evidence = transition.evidence
    whole = {"level", "side"} <= evidence.keys()
    return Told(
        alert=transition.alert,
        rule=transition.rule,
        version=transition.version,
        rule_name={},
        state=transition.after,
        severity=_severity(transition, judged),
        reason=transition.reason,
        at=transition.at,
        since=since,
        subject=transition.subject,
        value=transition.value,
        level=evidence["level"] if whole else None,
        side=evidence["side"] if whole else "",
        site=transition.site,
        kind=labels.kind,
        district=labels.district,
        device=labels.device,
        parameter=labels.parameter,
        folded=int(evidence.get("folded", 0)),
        verdict=judged.verdict if judged is not None else None,
    )


def _severity(transition: Transition, judged: Judged | None) -> Severity:
    """That of the transition; who heard of one that was raised hears that it is over."""
    raised = judged is not None and judged.raised and transition.after is State.RESOLVED
    return Severity(min(transition.severity + raised, Severity.CRITICAL))


def _changes(before: Groups, after: Groups) -> Planned:
    """What the ledger has to change."""
    groups: dict[str, Group | None] = {}
    members: dict[tuple[str, str], Member | None] = {}
    for key, group in after.items():
        old = before.get(key)
        if not group.members:
            if old is not None:
                groups[key] = None
            continue
        if old is None or (old.due_at, old.told_at) != (group.due_at, group.told_at):
            groups[key] = group
        known = old.members if old is not None else {}
        for alert, member in group.members.items():
            if known.get(alert) is not member:
                members[key, alert] = member
        members |= {(key, alert): None for alert in known.keys() - group.members.keys()}
    return Planned(groups=groups, members=members)


# --- who, and in which parcels ---


def _notices(
    connection: Connection, telephone: Telephone, telling: Telling, now: int
) -> Iterator[PlannedNotice]:
    """A notice for all who are told of the same alerts; none where nobody is."""
    dressed = _Wardrobe(connection, telephone).dress(telling.alerts)
    officers = subscribers.officers(connection)
    for alerts, addressees in _by_alerts(connection, telephone, telling, dressed, now):
        notice = Notice(
            id=str(uuid4()),
            reason=telling.reason,
            receiver=telling.receiver,
            group=telling.group,
            labels=telling.labels,
            made_at=now,
            alerts=alerts,
            level=telling.level,
            token=secrets.token_urlsafe(16),
        )
        yield PlannedNotice(
            notice=notice,
            news_at=telling.news_at,
            free_at=telling.free_at,
            parcels=list(parcels(addressees, officers)),
        )


def _by_alerts(
    connection: Connection,
    telephone: Telephone,
    telling: Telling,
    alerts: Sequence[Told],
    now: int,
) -> Iterator[tuple[tuple[Told, ...], list[Addressee]]]:
    """Who is told of the same alerts together: of what fires whoever is meant to be, of what is
    over whoever was told that it fired.
    """
    receiver = telephone.routes.receivers.get(telling.receiver) or Receiver(name="", pace=0)
    firing = [told for told in alerts if told.state is State.FIRING]
    wanted: dict[Addressee, list[Told]] = {}
    if firing:
        wanted = {Addressee(*who, now): list(firing) for who in receiver.addresses}
        if receiver.subscribers:
            audience = telephone.audience.wanting(connection, firing, telling.reason, now)
            wanted |= {addressee: list(some) for addressee, some in audience}
    over = {told.alert: told for told in alerts if told.state is not State.FIRING}
    for alert, addressee in _hearers(connection, telephone, telling.receiver, over, now):
        wanted.setdefault(addressee, []).append(over[alert])
    together: dict[tuple[str, ...], list[Addressee]] = {}
    found: dict[tuple[str, ...], list[Told]] = {}
    for addressee, some in wanted.items():
        if some and addressee.channel in telephone.channels:
            same = tuple(told.alert for told in some)
            found.setdefault(same, some)
            together.setdefault(same, []).append(addressee)
    return ((tuple(found[same]), who) for same, who in together.items())


def _hearers(
    connection: Connection,
    telephone: Telephone,
    receiver: str,
    over: Mapping[str, Told],
    now: int,
) -> Iterator[tuple[str, Addressee]]:
    """Who is told that each of these is over: whoever was told that it fired, or will be, and not
    before that.
    """
    heard = notices.heard(connection, receiver, over)
    worst: dict[str, Severity] = {}
    for alert, reached in heard.items():
        for _, recipient in reached:
            severity = over[alert].severity
            worst[recipient.subscriber] = max(severity, worst.get(recipient.subscriber, severity))
    worst.pop("", None)
    still = telephone.audience.still(connection, worst, now)
    for alert, reached in heard.items():
        told: dict[Addressee, int] = {}  # who heard by two ways is told by one
        for (channel, recipient), at in reached.items():
            who = still.get(recipient.subscriber)
            if not recipient.subscriber:
                who = Addressee(channel, recipient, now)
            if who is not None:
                told[who] = max(at, who.at, told.get(who, 0))
        yield from ((alert, who._replace(at=at)) for who, at in told.items())


def parcels(
    addressees: Iterable[Addressee], officers: Collection[str] = ()
) -> Iterator[PlannedParcel]:
    """What is sent in one call each: users of LINE with one language together, others alone. Among
    subscribers, `officers` are told apart: their messages have a button more.
    """
    together: dict[tuple[str, int, bool], list[Recipient]] = {}
    for channel, recipient, at in dict.fromkeys(addressees):
        if channel is Channel.LINE and recipient.address.startswith("U"):
            acts = not recipient.subscriber or recipient.subscriber in officers
            together.setdefault((recipient.language, at, acts), []).append(recipient)
        else:
            yield _parcel(channel, [recipient], at)
    for (_, at, _), recipients in together.items():
        for start in range(0, len(recipients), TOGETHER):
            yield _parcel(Channel.LINE, recipients[start : start + TOGETHER], at)


def _parcel(channel: Channel, recipients: Sequence[Recipient], at: int) -> PlannedParcel:
    identifier = str(uuid4())
    alone = len(recipients) == 1
    return PlannedParcel(
        id=identifier,
        channel=channel,
        language=recipients[0].language,
        at=at,
        deliveries=[(identifier if alone else str(uuid4()), r) for r in recipients],
    )


class _Wardrobe:
    """Gives alerts the names, and the worst of them the series, with which they are told."""

    def __init__(self, connection: Connection, telephone: Telephone) -> None:
        self._connection = connection
        self._rules = telephone.rules()

    def dress(self, alerts: Sequence[Told]) -> list[Told]:
        """The same alerts, in the same order."""
        sites = surroundings.names(self._connection, {told.site for told in alerts})
        return [
            self._dressed(told, sites.get(told.site, {}), number < DETAILED)
            for number, told in enumerate(alerts)
        ]

    def _dressed(self, told: Told, site: Names, detailed: bool) -> Told:
        recent: list[Reading] = []
        if detailed and told.parameter:
            where = (self._connection, told.device, told.parameter, told.at)
            recent = surroundings.series(*where, points=POINTS)
        return dressed(replace(told, recent=tuple(recent)), self._rules.get(told.rule), site)


def dressed(told: Told, rule: RuleFacts | None, site: Names) -> Told:
    """The alert with the names, and the words of its rule, with which it is told."""
    known = CATALOGUE.get(told.parameter)
    kind = rule.kind if rule else ""
    return replace(
        told,
        rule_name=dict(rule.name) if rule else {},
        kind_of_rule=kind,
        per=rule.per if rule else "",
        unit=known.unit if known and kind in _MEASURES else "",
        site_name=dict(site),
        parameter_name=dict(known.label) if known else {},
    )
