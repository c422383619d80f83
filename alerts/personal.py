"""Messages to one person that are about no alert: a test, a question, an empty digest."""

import secrets
from collections.abc import Collection, Iterator
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.planning import parcels
from alerts.subscribing import last_digest, ways
from core.groups import Addressee, PlannedNotice
from core.model import HOUR
from core.notices import Channel, Notice, NoticeReason, Recipient
from core.subscribers import Contact, Subscriber
from storage import subscribers


def message(
    to: Subscriber, contact: Contact, reason: NoticeReason, at: int, *, token: str = ""
) -> PlannedNotice:
    """A notice without alerts to one contact of a subscriber; `token` is what its link opens."""
    notice = Notice(
        id=str(uuid4()),
        reason=reason,
        receiver="",
        group="",
        labels={},
        made_at=at,
        alerts=(),
        token=token or secrets.token_urlsafe(16),
    )
    recipient = Recipient(contact.address, to.language, to.id)
    sent = parcels([Addressee(contact.channel, recipient, at)])
    return PlannedNotice(notice=notice, news_at=at, free_at=0, parcels=list(sent))


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
