"""Messages to one person that are about no alert: a test, a question to confirm."""

import secrets
from uuid import uuid4

from alerts.planning import parcels
from core.groups import Addressee, PlannedNotice
from core.notices import Notice, NoticeReason, Recipient
from core.subscribers import Contact, Subscriber


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
    return PlannedNotice(notice=notice, news_at=at, free_at=at, parcels=list(sent))
