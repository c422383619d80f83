"""Messages to one person that are about no alert: a test, a question, an empty digest."""

from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.planning import without_alerts
from alerts.subscribing import last_digest, ways
from core.groups import Addressee, PlannedNotice
from core.notices import Channel, NoticeReason, Recipient
from core.subscribers import Contact, Subscriber
from core.times import HOUR
from storage import subscribers


def message(
    to: Subscriber, contact: Contact, reason: NoticeReason, at: int, *, token: str = ""
) -> PlannedNotice:
    """A notice without alerts to one contact of a subscriber; `token` is what its link opens."""
    recipient = Recipient(contact.address, to.language, to.id)
    addressee = Addressee(contact.channel, recipient, at)
    return without_alerts(reason, "", [addressee], at, token=token)


def empty_digests(
    connection: Connection, zone: ZoneInfo, channels: Collection[Channel], now: int
) -> Iterator[PlannedNotice]:
    """For those who asked for a digest every day and for whom nothing waits that is due with it:
    once, within the hour.
    """
    for one in subscribers.with_empty_digests(connection):
        clock = one.preferences.digest
        due = clock and last_digest(clock, now, zone)
        quiet_since = max(one.made_at, one.preferences.muted_until or 0)
        if due and quiet_since < due and now < due + HOUR:
            contact = next((c for c in ways(one) if c.channel in channels), None)
            if contact and not subscribers.was_told_at(connection, one.id, due):
                yield message(one, contact, NoticeReason.DIGEST, due)
