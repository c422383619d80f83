"""The nouns of those who asked to be told: a subscriber, and what they want to hear, when and how.

No I/O, no clock; times in µs, times of day by the city's clock.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from enum import StrEnum

from core.alerts import Severity
from core.languages import Language
from core.notices import Channel

CONSENT_TEXT = "2026-11-22"  # the version of docs/privacy.md that is agreed to


class SubscriberState(StrEnum):
    """Whether somebody can be told, or why not."""

    UNCONFIRMED = "unconfirmed"  # the address has not answered yet
    ACTIVE = "active"
    STOPPED = "stopped"  # said so: nothing more, by any channel
    BLOCKED = "blocked"  # LINE says that they blocked us
    BOUNCED = "bounced"  # the mail server says that there is no such address


class ConsentWay(StrEnum):
    """How somebody said yes."""

    CHAT = "chat"  # added us as a friend in LINE
    OFFICER = "officer"  # an officer put it down for them, by API, terminal or list
    WEB = "web"  # the sign-up page and the mail that it sends


class Scope(StrEnum):
    """What a subscription is about."""

    ALL = "all"
    DISTRICT = "district"  # "kathu" takes in "kathu/patong"
    KIND = "kind"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What somebody wants to hear of, from the severity `least` on; `target` is the site, district
    or kind, empty for all.
    """

    scope: Scope
    target: str = ""
    least: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to reach somebody: a mail address, or a LINE user id. `words` are the server's, where
    it says that nobody can be reached there any more.
    """

    channel: Channel
    address: str = field(repr=False)  # personal data stay out of logs
    state: SubscriberState
    since: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """When somebody said yes, how, and to which version of the text."""

    at: int
    way: ConsentWay
    text: str = CONSENT_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """When and where somebody wants to be told; `alerts.subscribing.when` says what it means.

    `quiet` are from and until, over midnight where the second is the earlier. With `digest` what is
    less than critical comes once a day at that time. `critical_waits` makes critical alerts do as
    all others do. `digest_empty` asks for the digest of a day on which nothing was. `first` is the
    channel to try first.
    """

    quiet: tuple[time, time] | None = None
    digest: time | None = None
    digest_empty: bool = False
    critical_waits: bool = False
    muted_until: int | None = None
    first: Channel = Channel.LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Somebody who asked to be told, and all that is kept of them beside what was delivered.

    `officer_key` is the id of the API key whose owner this is, once they have linked their account.
    """

    id: str
    name: str = field(default="", repr=False)
    language: Language = "th"
    contacts: Sequence[Contact] = ()
    subscriptions: Sequence[Subscription] = ()
    preferences: Preferences = field(default_factory=Preferences)
    consent: Consent | None = None
    made_at: int
    stopped_at: int | None = None
    officer_key: str | None = None

    @property
    def state(self) -> SubscriberState:
        """Stopped if they said so, active if any contact is, else what the newest contact is."""
        if self.stopped_at is not None:
            return SubscriberState.STOPPED
        if any(contact.state is SubscriberState.ACTIVE for contact in self.contacts):
            return SubscriberState.ACTIVE
        newest = max(self.contacts, key=lambda contact: contact.since, default=None)
        return SubscriberState.UNCONFIRMED if newest is None else newest.state

    def contact(self, channel: Channel) -> Contact | None:
        """How they are reached by that channel, if at all."""
        return next((c for c in self.contacts if c.channel is channel), None)

    def reached(self, contact: Contact) -> "Subscriber":
        """The same with that contact in place of the one by its channel."""
        others = self.unreached(contact.channel).contacts
        return replace(self, contacts=(*others, contact))

    def unreached(self, channel: Channel) -> "Subscriber":
        """The same without a contact by that channel."""
        others = tuple(c for c in self.contacts if c.channel is not channel)
        return replace(self, contacts=others)


_ADDRESS = re.compile(r"\b(?:[UCR][0-9a-f]{32}\b|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+)")


def without_addresses(words: str) -> str:
    """Words of a server, or of a log, in which nobody's whole address stands.

    >>> without_addresses("550 5.1.1 <somchai@example.com>: no such user")
    '550 5.1.1 <s…@example.com>: no such user'
    """
    return _ADDRESS.sub(lambda found: masked(found[0]), words)


def masked(address: str) -> str:
    """An address as logs and lists may show it.

    >>> masked("somchai@example.com"), masked("U4af4980629f1d2b3c4d5e6f708192a3b")
    ('s…@example.com', 'U4af…')
    """
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if at else f"{address[:4]}…"
