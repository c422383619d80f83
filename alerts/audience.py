"""Who has subscribed to which alerts, by which way each is told, and from when on.

It reads the ledger within the transaction in which the telling is planned; what it decides is in
`alerts.subscribing`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.notify.line_budget import DIGEST_AT, Course, courses
from alerts.subscribing import Timing, next_digest, wants, ways, when
from core.alerts import STORM, Severity
from core.groups import Addressee
from core.notices import Channel, NoticeReason, Recipient, Told
from core.subscribers import Subscriber
from storage import line_quota, rerouting, subscribers


class _Means(NamedTuple):
    """What can be sent now: channels that take nothing, and how far LINE's month goes."""

    spent: Collection[Channel]
    courses: Mapping[Severity, Course]


class _About(NamedTuple):
    """What decides whether somebody wants an alert: those that agree in it are wanted together."""

    site: str
    kind: str
    district: str
    severity: Severity
    storm: bool


class Audience:
    """All subscribers, by the clock of `zone` and the `channels` that are set up. It remembers them
    until one of them changes.
    """

    def __init__(self, zone: ZoneInfo, channels: Collection[Channel]) -> None:
        self.zone = zone
        self.channels = channels
        self._known: Sequence[Subscriber] = ()
        self._version: str | None = None

    def wanting(
        self, connection: Connection, alerts: Sequence[Told], reason: NoticeReason, now: int
    ) -> Iterator[tuple[Addressee, Sequence[Told]]]:
        """Who wants to hear of which of these, and from when on each is to be told, µs."""
        about: dict[_About, list[Told]] = {}
        for told in alerts:
            about.setdefault(_about(told), []).append(told)
        together: dict[frozenset[_About], Sequence[Told]] = {}
        means = self._means(connection, now)
        for one in self._reachable(connection):
            wanted = frozenset(k for k, some in about.items() if wants(one.subscriptions, some[0]))
            if wanted not in together:
                together[wanted] = [told for told in alerts if _about(told) in wanted]
            some = together[wanted]
            severity = max((told.severity for told in some), default=None)
            addressee = severity and self._addressee(one, severity, reason, means, now)
            if addressee:
                yield addressee, some

    def still(
        self, connection: Connection, of: Mapping[str, Severity], now: int
    ) -> Mapping[str, Addressee]:
        """How those of these subscribers who can still be reached are told that something so severe
        is over: by the way that is theirs now.
        """
        means, resolved = self._means(connection, now), NoticeReason.RESOLVED
        told = {
            one.id: self._addressee(one, of[one.id], resolved, means, now)
            for one in subscribers.those(connection, of)
        }
        return {identifier: addressee for identifier, addressee in told.items() if addressee}

    def _reachable(self, connection: Connection) -> Sequence[Subscriber]:
        version = subscribers.version(connection)
        if version != self._version:
            self._known, self._version = subscribers.reachable(connection), version
        return self._known

    def _means(self, connection: Connection, now: int) -> _Means:
        month = line_quota.month(connection)
        return _Means(rerouting.spent(connection, now), courses(month, now, self.zone))

    def _addressee(
        self, one: Subscriber, severity: Severity, reason: NoticeReason, means: _Means, now: int
    ) -> Addressee | None:
        timing, at = when(one.preferences, severity, reason, now, self.zone)
        usable = [contact for contact in ways(one) if contact.channel in self.channels]
        if not usable or timing is Timing.NEVER:
            return None
        contact = next((c for c in usable if c.channel not in means.spent), usable[0])
        course = means.courses[severity] if contact.channel is Channel.LINE else Course.SEND
        if course is Course.EMAIL:
            contact = next((c for c in usable if c.channel is not Channel.LINE), contact)
        if contact.channel is Channel.LINE and course is not Course.SEND:
            at = self._with_digest(one, at, timing)
        return Addressee(contact.channel, Recipient(contact.address, one.language, one.id), at)

    def _with_digest(self, one: Subscriber, at: int, timing: Timing) -> int:
        """With the one message of the day, since LINE's messages of the month run low."""
        if timing is Timing.DIGEST:
            return at
        return next_digest(one.preferences.digest or DIGEST_AT, at, self.zone)


def _about(told: Told) -> _About:
    storm = told.subject == STORM
    return _About(told.site, told.kind, told.district, told.severity, storm)
