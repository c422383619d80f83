"""Who has subscribed to which alerts, by which way each is told, and from when on.

It reads the ledger within the transaction in which the telling is planned; what it decides is in
`alerts.subscribing`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.subscribing import Timing, wants, ways, when
from core.groups import Addressee
from core.model import STORM, Severity
from core.notices import Channel, NoticeReason, Recipient, Told
from core.subscribers import Subscriber
from storage import rerouting, subscribers


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
        spent = rerouting.spent(connection, now)
        for one in self._reachable(connection):
            wanted = frozenset(k for k, some in about.items() if wants(one.subscriptions, some[0]))
            if wanted not in together:
                together[wanted] = [told for told in alerts if _about(told) in wanted]
            some = together[wanted]
            severity = max((told.severity for told in some), default=None)
            addressee = severity and self._addressee(one, severity, reason, spent, now)
            if addressee:
                yield addressee, some

    def still(
        self, connection: Connection, of: Mapping[str, Severity], now: int
    ) -> Mapping[str, Addressee]:
        """How those of these subscribers who can still be reached are told that something so severe
        is over: by the way that is theirs now.
        """
        spent, resolved = rerouting.spent(connection, now), NoticeReason.RESOLVED
        told = {
            one.id: self._addressee(one, of[one.id], resolved, spent, now)
            for one in subscribers.those(connection, of)
        }
        return {identifier: addressee for identifier, addressee in told.items() if addressee}

    def _reachable(self, connection: Connection) -> Sequence[Subscriber]:
        version = subscribers.version(connection)
        if version != self._version:
            self._known, self._version = subscribers.reachable(connection), version
        return self._known

    def _addressee(
        self,
        one: Subscriber,
        severity: Severity,
        reason: NoticeReason,
        spent: Collection[Channel],
        now: int,
    ) -> Addressee | None:
        timing, at = when(one.preferences, severity, reason, now, self.zone)
        usable = [contact for contact in ways(one) if contact.channel in self.channels]
        if not usable or timing is Timing.NEVER:
            return None
        contact = next((c for c in usable if c.channel not in spent), usable[0])
        return Addressee(contact.channel, Recipient(contact.address, one.language, one.id), at)


def _about(told: Told) -> _About:
    storm = told.subject == STORM
    return _About(told.site, told.kind, told.district, told.severity, storm)
