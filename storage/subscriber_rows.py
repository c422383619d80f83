"""Subscribers as rows of the ledger, and back."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from core.alerts import Severity
from core.errors import RegistryError
from core.notices import Channel
from core.subscribers import (
    Consent,
    ConsentWay,
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from storage import schema
from storage.chunks import chunks

_S, _C, _W = schema.subscribers.c, schema.contacts.c, schema.subscriptions.c


def keep_contacts(connection: Connection, of: Subscriber) -> None:
    """Make these all ways to reach somebody.

    Raises:
        RegistryError: an address is another subscriber's already.
    """
    connection.execute(delete(schema.contacts).where(_C.subscriber == of.id))
    for contact in of.contacts:
        taken = (_C.channel == contact.channel.value) & (_C.address == contact.address)
        if connection.scalar(select(_C.subscriber).where(taken)) is not None:
            words = "is another subscriber's already; change that one"
            raise RegistryError("conflict", str(contact.channel), words)
        row = {
            "channel": contact.channel.value,
            "address": contact.address,
            "subscriber": of.id,
            "state": contact.state.value,
            "since": contact.since,
            "words": contact.words,
        }
        connection.execute(insert(schema.contacts), row)


def keep_subscriptions(connection: Connection, of: Subscriber) -> None:
    """Make these all that somebody hears of."""
    connection.execute(delete(schema.subscriptions).where(_W.subscriber == of.id))
    rows = [
        {"subscriber": of.id, "scope": s.scope.value, "target": s.target, "severity": int(s.least)}
        for s in of.subscriptions
    ]
    if rows:
        connection.execute(insert(schema.subscriptions), rows)


def row_of(one: Subscriber) -> dict[str, Any]:
    """Somebody without contacts and subscriptions, which have rows of their own."""
    chosen, consent = one.preferences, one.consent
    quiet = chosen.quiet or (None, None)
    return {
        "id": one.id,
        "name": one.name,
        "language": one.language,
        "quiet_from": _minutes(quiet[0]),
        "quiet_until": _minutes(quiet[1]),
        "digest": _minutes(chosen.digest),
        "digest_empty": chosen.digest_empty,
        "critical_waits": chosen.critical_waits,
        "muted_until": chosen.muted_until,
        "first": chosen.first.value,
        "consent_at": consent and consent.at,
        "consent_way": consent and consent.way.value,
        "consent_text": consent and consent.text,
        "made_at": one.made_at,
        "stopped_at": one.stopped_at,
        "officer_key": one.officer_key,
    }


def whole(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], limit: int | None = None
) -> list[Subscriber]:
    """Subscribers with all that belongs to them."""
    statement = select(schema.subscribers).where(*wanted).order_by(_S.made_at, _S.id).limit(limit)
    rows = connection.execute(statement).all()
    found = {row.id: (list[Contact](), list[Subscription]()) for row in rows}
    for chunk in chunks(found):
        held = select(schema.contacts).where(_C.subscriber.in_(chunk)).order_by(_C.channel)
        for row in connection.execute(held):
            found[row.subscriber][0].append(_contact(row))
        asked = select(schema.subscriptions).where(_W.subscriber.in_(chunk))
        for row in connection.execute(asked.order_by(_W.scope, _W.target)):
            found[row.subscriber][1].append(_subscription(row))
    return [_subscriber(row, *found[row.id]) for row in rows]


def _subscriber(
    row: Any, contacts: Sequence[Contact], subscriptions: Sequence[Subscription]
) -> Subscriber:
    return Subscriber(
        id=row.id,
        name=row.name,
        language=row.language,
        contacts=tuple(contacts),
        subscriptions=tuple(subscriptions),
        preferences=_preferences(row),
        consent=_consent(row),
        made_at=row.made_at,
        stopped_at=row.stopped_at,
        officer_key=row.officer_key,
    )


def _preferences(row: Any) -> Preferences:
    start, end = _clock(row.quiet_from), _clock(row.quiet_until)
    return Preferences(
        quiet=None if start is None or end is None else (start, end),
        digest=_clock(row.digest),
        digest_empty=row.digest_empty,
        critical_waits=row.critical_waits,
        muted_until=row.muted_until,
        first=Channel(row.first),
    )


def _consent(row: Any) -> Consent | None:
    if row.consent_at is None:
        return None
    return Consent(at=row.consent_at, way=ConsentWay(row.consent_way), text=row.consent_text)


def _contact(row: Any) -> Contact:
    return Contact(
        channel=Channel(row.channel),
        address=row.address,
        state=SubscriberState(row.state),
        since=row.since,
        words=row.words,
    )


def _subscription(row: Any) -> Subscription:
    return Subscription(scope=Scope(row.scope), target=row.target, least=Severity(row.severity))


def _minutes(clock: time | None) -> int | None:
    return None if clock is None else clock.hour * 60 + clock.minute


def _clock(minutes: int | None) -> time | None:
    return None if minutes is None else time(*divmod(minutes, 60))
