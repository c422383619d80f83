"""How people come and go: by the chat, by mail, by a word that only they were told.

A word is kept as its SHA-256 and is good once, for a while.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Connection, delete, func, insert, select, update

from core.languages import Language
from core.notices import Channel
from core.subscribers import Consent, ConsentWay, Contact, Subscriber, SubscriberState
from core.times import HOUR, MINUTE
from storage import schema
from storage.ledger import Ledger
from storage.notify_schema import deliveries
from storage.subscribers import (
    OfficerLink,
    add,
    by_contact,
    change,
    new_id,
    officer_of,
    remove,
    subscriber,
)

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another
_CODE_LENGTH = 8  # 39 bits, which nobody guesses within the minutes that it lives
CHAT = "line"  # what the audit calls changes that people make in the chat
WEB = "web"  # and those of the public pages
BETWEEN_WORDS = 10 * MINUTE  # nobody's mailbox is filled by others
_LINK_KEY = "link_key"
_T, _D = schema.one_time_words.c, deliveries.c


class Purpose(StrEnum):
    """What a word is good for, and for how long."""

    CONFIRM = "confirm"  # a mail address
    LINK = "link"  # a LINE account to a subscriber and an officer's key

    @property
    def lasts(self) -> int:
        """In µs."""
        return 48 * HOUR if self is Purpose.CONFIRM else 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Word:
    """What a word that was used stood for."""

    subscriber: str
    key: str
    body: str


def new_word(purpose: Purpose) -> str:
    """A word for a link, or a shorter one to be typed."""
    if purpose is Purpose.LINK:
        return "".join(secrets.choice(CODE_LETTERS) for _ in range(_CODE_LENGTH))
    return secrets.token_urlsafe(32)


def keep_word(
    ledger: Ledger, word: str, purpose: Purpose, of: str, *, at: int, key: str = "", body: str = ""
) -> None:
    """Let the word be used from `at` on; earlier ones for the same are good no more."""
    row = {
        "hash": _hash(word),
        "purpose": purpose.value,
        "subscriber": of,
        "key": key,
        "body": body,
        "made_at": at,
        "expires_at": at + purpose.lasts,
    }
    with ledger.transaction() as connection:
        same = (_T.subscriber == of, _T.purpose == purpose.value)
        connection.execute(delete(schema.one_time_words).where(*same))
        connection.execute(insert(schema.one_time_words), row)


def word_made_at(ledger: Ledger, purpose: Purpose, of: str) -> int | None:
    """When the last word for that was made, where one still waits."""
    same = (_T.subscriber == of, _T.purpose == purpose.value)
    with ledger.transaction() as connection:
        made_at: int | None = connection.scalar(select(func.max(_T.made_at)).where(*same))
        return made_at


def use_word(ledger: Ledger, word: str, purpose: Purpose, at: int) -> Word | None:
    """What it stands for, this once; None when it is not known, too old or used."""
    good = (_T.hash == _hash(word), _T.purpose == purpose.value, _T.expires_at > at)
    with ledger.transaction() as connection:
        taken = delete(schema.one_time_words).where(*good)
        row = connection.execute(taken.returning(_T.subscriber, _T.key, _T.body)).one_or_none()
        return None if row is None else Word(row.subscriber, row.key, row.body)


def follow(ledger: Ledger, user: str, language: Language, at: int) -> Subscriber:
    """Somebody added us as a friend in LINE, or came back: they can be told, and start with no
    subscription where they had none.
    """
    with ledger.transaction() as connection:
        known = by_contact(connection, Channel.LINE, user)
        contact = _active(Channel.LINE, user, at)
        consent = Consent(at=at, way=ConsentWay.CHAT)
        if known is None:
            made = Subscriber(
                id=new_id(), language=language, contacts=(contact,), consent=consent, made_at=at
            )
            add(ledger, made, by=CHAT, at=at)
            return made

        def back(before: Subscriber) -> Subscriber:
            return replace(before.reached(contact), stopped_at=None, consent=consent)

        return change(ledger, known.id, back, by=CHAT, at=at, detail="followed") or known


def sign_up(
    ledger: Ledger, email: str, language: Language, word: str, body: str, at: int
) -> Subscriber | None:
    """Somebody typed a mail address into the public page: whom `word` is to be sent, which confirms
    `body`, what they wish. None when one was sent there a moment ago.
    """
    with ledger.transaction() as connection:
        one = by_contact(connection, Channel.EMAIL, email)
        if one is None:
            waits = replace(_active(Channel.EMAIL, email, at), state=SubscriberState.UNCONFIRMED)
            one = Subscriber(id=new_id(), language=language, contacts=(waits,), made_at=at)
            add(ledger, one, by=WEB, at=at)
        else:
            sent_at = word_made_at(ledger, Purpose.CONFIRM, one.id)
            if sent_at is not None and at < sent_at + BETWEEN_WORDS:
                return None
        keep_word(ledger, word, Purpose.CONFIRM, one.id, at=at, body=body)
        return one


def confirm(
    ledger: Ledger, word: str, wished: Callable[[Subscriber, str], Subscriber], at: int
) -> Subscriber | None:
    """The address answered: they can be told, and hear what they wish, which `wished` reads from
    the body. None when the word is not good.
    """
    with ledger.transaction() as connection:
        used = use_word(ledger, word, Purpose.CONFIRM, at)
        known = None if used is None else subscriber(connection, used.subscriber)
        contact = None if known is None else known.contact(Channel.EMAIL)
        if used is None or contact is None:
            return None
        answered = replace(contact, state=SubscriberState.ACTIVE, since=at, words="")
        consent = Consent(at=at, way=ConsentWay.WEB)

        def confirmed(before: Subscriber) -> Subscriber:
            after = wished(before.reached(answered), used.body)
            return replace(after, consent=consent, stopped_at=None)

        return change(ledger, used.subscriber, confirmed, by=WEB, at=at, detail="confirmed")


def link_key(ledger: Ledger) -> bytes:
    """What only this installation knows, for links; made once and kept."""
    kept = ledger.meta(_LINK_KEY)
    if kept is None:
        kept = secrets.token_hex(32)
        ledger.set_meta({_LINK_KEY: kept})
    return bytes.fromhex(kept)


def stop(ledger: Ledger, identifier: str, *, by: str, at: int) -> Subscriber | None:
    """Tell them nothing more, by any channel; None when there is nobody with this id."""

    def stopped(before: Subscriber) -> Subscriber:
        return before if before.stopped_at is not None else replace(before, stopped_at=at)

    return change(ledger, identifier, stopped, by=by, at=at, detail="stopped")


def link(ledger: Ledger, code: str, user: str, at: int) -> OfficerLink | None:
    """Somebody typed a code in LINE: their account belongs to the subscriber for whom it was made,
    and may act with the key of the officer who made it. None when the code is not good, or the key
    is no more in force.
    """
    with ledger.transaction() as connection:
        word = use_word(ledger, code.strip().upper(), Purpose.LINK, at)
        if word is None or subscriber(connection, word.subscriber) is None:
            return None
        stranger = by_contact(connection, Channel.LINE, user)
        if stranger is not None and stranger.id != word.subscriber:
            _take_over(connection, stranger.id, word.subscriber, user)
            _give_away(ledger, stranger, at)
        contact = _active(Channel.LINE, user, at)

        def linked(before: Subscriber) -> Subscriber:
            wishes = before.subscriptions or (stranger.subscriptions if stranger else ())
            said_yes = before.consent or Consent(at=at, way=ConsentWay.CHAT)
            return replace(
                before.reached(contact),
                officer_key=word.key,
                subscriptions=wishes,
                consent=said_yes,
                stopped_at=None,
            )

        change(ledger, word.subscriber, linked, by=CHAT, at=at, detail="linked to a key")
        return officer_of(connection, word.subscriber)


def _give_away(ledger: Ledger, stranger: Subscriber, at: int) -> None:
    """A LINE account belongs to another subscriber from now on."""
    left = stranger.unreached(Channel.LINE)
    if left.contacts:
        change(ledger, stranger.id, lambda _: left, by=CHAT, at=at, detail="gave LINE away")
    else:
        remove(ledger, stranger.id, by=CHAT, at=at)


def _take_over(connection: Connection, before: str, after: str, user: str) -> None:
    """What somebody was told in LINE was told to another subscriber, who hears how it ends."""
    told = (_D.subscriber == before, _D.channel == Channel.LINE.value, _D.address == user)
    connection.execute(update(deliveries).where(*told).values(subscriber=after))


def _active(channel: Channel, address: str, at: int) -> Contact:
    return Contact(channel=channel, address=address, state=SubscriberState.ACTIVE, since=at)


def _hash(word: str) -> str:
    return sha256(word.encode()).hexdigest()
