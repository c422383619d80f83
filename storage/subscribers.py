"""Subscribers as the ledger keeps them.

The audit names them by id alone: what is personal is deleted on demand, the audit never is.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from core.notices import Channel
from core.subscribers import (
    Contact,
    Subscriber,
    SubscriberState,
)
from storage import schema
from storage.changes import note
from storage.chunks import chunks
from storage.ledger import Ledger
from storage.notify_schema import deliveries
from storage.subscriber_rows import keep_contacts, keep_subscriptions, row_of, whole
from storage.withdrawing import forget, readdress, withdraw

Edit = Callable[[Subscriber], Subscriber]
_S, _C = schema.subscribers.c, schema.contacts.c
_VERSION = "subscribers"
_WORKS = exists().where(_C.subscriber == _S.id, _C.state == SubscriberState.ACTIVE.value)
ANDAMAN = "andaman"  # what the audit calls changes that nobody makes


@dataclass(frozen=True, slots=True)
class OfficerLink:
    """Which key a subscriber may act with, and whose it is."""

    key: str
    owner: str


def new_id() -> str:
    """An id that says nothing of whom it is for."""
    return f"s{secrets.token_hex(8)}"


def subscriber(connection: Connection, identifier: str) -> Subscriber | None:
    """One of them."""
    return next(iter(whole(connection, [_S.id == identifier])), None)


def by_contact(connection: Connection, channel: Channel, address: str) -> Subscriber | None:
    """Whom that address reaches, in whatever state it is."""
    owner = select(_C.subscriber).where(_C.channel == channel.value, _C.address == address)
    return next(iter(whole(connection, [_S.id == owner.scalar_subquery()])), None)


def subscribers(
    connection: Connection, *, after: tuple[int, str] | None = None, limit: int | None = None
) -> list[Subscriber]:
    """Subscribers in the order in which they came; `after` is when the last one seen was made, and
    its id.
    """
    wanted = [] if after is None else [tuple_(_S.made_at, _S.id) > after]
    return whole(connection, wanted, limit)


def reachable(connection: Connection) -> list[Subscriber]:
    """Those who can be told something: they have not stopped and have a contact that works."""
    return whole(connection, [_S.stopped_at.is_(None), _WORKS])


def version(connection: Connection) -> str:
    """A word that is another one after each change of any subscriber."""
    m = schema.meta.c
    return connection.scalar(select(m.value).where(m.name == _VERSION)) or ""


def officers(connection: Connection) -> frozenset[str]:
    """The ids of those who may act on alerts, with a key that is in force."""
    k = schema.keys.c
    statement = select(_S.id).join(schema.keys, _S.officer_key == k.id)
    return frozenset(connection.scalars(statement.where(k.revoked_at.is_(None))))


def those(connection: Connection, identifiers: Iterable[str]) -> list[Subscriber]:
    """These, as far as there are any."""
    some = chunks(identifiers)
    return [one for chunk in some for one in whole(connection, [_S.id.in_(chunk)])]


def with_empty_digests(connection: Connection) -> list[Subscriber]:
    """Those who want a digest of each day, also of one on which nothing was."""
    wanted = (_S.digest.is_not(None), _S.digest_empty.is_(True), _S.stopped_at.is_(None))
    return whole(connection, wanted)


def was_told_at(connection: Connection, identifier: str, at: int) -> bool:
    """Whether anything was planned for them for that very moment, µs."""
    d = deliveries.c
    planned = select(d.id).where(d.subscriber == identifier, d.planned_for == at).limit(1)
    return connection.execute(planned).first() is not None


def officer_of(connection: Connection, identifier: str) -> OfficerLink | None:
    """With which key a subscriber may act, as long as the key is in force."""
    k = schema.keys.c
    statement = (
        select(k.id, k.owner)
        .join(schema.subscribers, _S.officer_key == k.id)
        .where(_S.id == identifier, k.revoked_at.is_(None))
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else OfficerLink(row.id, row.owner)


def add(ledger: Ledger, new: Subscriber, *, by: str, at: int) -> None:
    """Keep somebody new.

    Raises:
        RegistryError: an address is another subscriber's already.
    """
    with ledger.transaction() as connection:
        connection.execute(insert(schema.subscribers), row_of(new))
        keep_contacts(connection, new)
        keep_subscriptions(connection, new)
        _written_down(connection, at, by, "subscriber-made", new.id)


def change(
    ledger: Ledger, identifier: str, edit: Edit, *, by: str, at: int, detail: str = ""
) -> Subscriber | None:
    """Make somebody as `edit` says, and how they are then; None when there is nobody with this id.
    `detail`, for the audit, must hold nothing personal.

    Raises:
        RegistryError: an address is another subscriber's already.
    """
    with ledger.transaction() as connection:
        before = subscriber(connection, identifier)
        return before and _changed(connection, before, edit(before), by=by, at=at, detail=detail)


def remove(ledger: Ledger, identifier: str, *, by: str, at: int) -> bool:
    """Delete all that is kept of a person; False when there is nobody with this id."""
    with ledger.transaction() as connection:
        gone = connection.execute(delete(schema.subscribers).where(_S.id == identifier)).rowcount
        for table in (schema.contacts, schema.subscriptions, schema.one_time_words):
            connection.execute(delete(table).where(table.c.subscriber == identifier))
        if gone:
            forget(connection, identifier, at)
            _written_down(connection, at, by, "subscriber-removed", identifier)
        return gone == 1


def forget_old(
    ledger: Ledger, at: int, *, stopped_before: int, asked_before: int, most: int = 100
) -> int:
    """Delete who stopped before that, and who was asked before that, µs, and never agreed; how many
    there were, `most` at once. Words that are good no more go as well.
    """
    words = schema.one_time_words
    asked = exists().where(words.c.subscriber == _S.id)  # once more, and may still answer
    nobody = and_(_S.consent_at.is_(None), _S.made_at < asked_before, ~asked, ~_WORKS)
    old = select(_S.id).where(or_(_S.stopped_at < stopped_before, nobody)).limit(most)
    with ledger.transaction() as connection:
        connection.execute(delete(words).where(words.c.expires_at <= at))
        found = list(connection.execute(old).scalars())
        for identifier in found:
            remove(ledger, identifier, by=ANDAMAN, at=at)
        return len(found)


def mark_contact(
    connection: Connection,
    channel: Channel,
    address: str,
    state: SubscriberState,
    *,
    by: str,
    at: int,
    words: str = "",
) -> None:
    """An address is like that now, by the server's words: blocked, bounced, or active again.
    Nothing where nobody has it.
    """
    known = by_contact(connection, channel, address)
    if known is not None:
        marked = Contact(channel=channel, address=address, state=state, since=at, words=words)
        after = known.reached(marked)
        _changed(connection, known, after, by=by, at=at, detail=f"{channel} is {state}")


def _changed(
    connection: Connection,
    before: Subscriber,
    after: Subscriber,
    *,
    by: str,
    at: int,
    detail: str,
) -> Subscriber:
    if after == before:
        return after
    values = {name: value for name, value in row_of(after).items() if name != "id"}
    connection.execute(update(schema.subscribers).where(_S.id == after.id).values(values))
    if list(after.contacts) != list(before.contacts):
        keep_contacts(connection, after)
        readdress(connection, before, after)
    if list(after.subscriptions) != list(before.subscriptions):
        keep_subscriptions(connection, after)
    if after.stopped_at is not None and before.stopped_at is None:
        withdraw(connection, after.id, at, "stopped before it was sent")
    _written_down(connection, at, by, "subscriber-changed", after.id, detail)
    return after


def bounced(ledger: Ledger, address: str, words: str, *, by: str, at: int) -> bool:
    """There is no such mail address any more, in the server's words; whether it was a subscriber's
    who could be reached there until now.
    """
    with ledger.transaction() as connection:
        known = by_contact(connection, Channel.EMAIL, address)
        contact = known and known.contact(Channel.EMAIL)
        if contact is None or contact.state is SubscriberState.BOUNCED:
            return False
        state = SubscriberState.BOUNCED
        mark_contact(connection, Channel.EMAIL, address, state, by=by, at=at, words=words)
        return True


def _written_down(
    connection: Connection, at: int, by: str, action: str, identifier: str, detail: str = ""
) -> None:
    """In the audit; and whoever remembers subscribers looks at them again."""
    note(connection, at, by, action, identifier, detail)
    made = upsert(schema.meta).values(name=_VERSION, value=secrets.token_hex(8))
    now = {"value": made.excluded.value}
    connection.execute(made.on_conflict_do_update(index_elements=["name"], set_=now))
