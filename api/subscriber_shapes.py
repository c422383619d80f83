"""Shapes of `/v1/subscribers`: what is asked, what is answered, and how somebody is shown."""

from collections.abc import Callable
from datetime import time
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from api.deliveries import Delivery
from api.shapes import Answer, Asked, AskedPage, Id, Page, SeverityName, Time, example
from api.wishes import WISHES, FirstName, ScopeName, Subscriptions
from core.languages import Language
from core.subscribers import Consent, Subscriber, Subscription
from core.times import iso
from storage import subscribers

StateName = Literal["unconfirmed", "active", "stopped", "blocked", "bounced"]
ChannelName = Literal["email", "line"]
SUBSCRIBER: dict[str, Any] = WISHES | {
    "id": "s1f0c2b7e9a3d4586",
    "name": "Somchai",
    "state": "active",
    "contacts": [
        {
            "channel": "email",
            "address": "s…@example.com",
            "state": "active",
            "since": "2026-11-22T01:00:00Z",
            "words": "",
        }
    ],
    "muted_until": None,
    "consent": {"at": "2026-11-22T01:00:00Z", "way": "web", "text": "2026-11-22"},
    "officer": None,
    "made_at": "2026-11-22T01:00:00Z",
    "stopped_at": None,
}
_HAPPENED = {"at": "2026-11-22T01:00:00Z", "action": "subscriber-made", "by": "web", "detail": ""}
_TEST = {"delivery": "9e2b6c1a-3f4d-4c5b-8a7e-1d2c3b4a5f60", "channel": "email"}
_CODE = {"code": "7KM2QX9R", "expires_at": "2026-11-22T01:10:00Z"}


class ContactAnswer(Answer):
    """One way to reach somebody."""

    channel: ChannelName
    address: str
    state: StateName
    since: Time = Field(description="When it became so.")
    words: str = Field(description="The server's, where nobody can be reached there any more.")


class SubscriptionAnswer(Answer):
    """What somebody hears of, from which severity on."""

    scope: ScopeName
    target: str = Field(description="The site, district or kind; empty for all.")
    severity: SeverityName


class Quiet(Answer):
    """When somebody does not want to be disturbed, by the city's clock."""

    start: str = Field(alias="from")
    until: str


class ConsentAnswer(Answer):
    """When somebody agreed, how, and to which version of the text."""

    at: Time
    way: Literal["chat", "officer", "web"]
    text: str


class SubscriberAnswer(Answer):
    """Somebody who asked to be told."""

    model_config = example(SUBSCRIBER)

    id: str
    name: str
    language: Language
    state: StateName
    contacts: list[ContactAnswer]
    subscriptions: list[SubscriptionAnswer]
    quiet: Quiet | None
    digest: str | None
    digest_empty: bool
    critical_waits: bool
    muted_until: Time | None
    first: FirstName
    consent: ConsentAnswer | None
    officer: str | None = Field(description="Whose key they may act with, in the chat.")
    made_at: Time
    stopped_at: Time | None


class Subscribers(Page[SubscriberAnswer]):
    """Subscribers in the order in which they came, their addresses shortened."""


class SubscriptionsAnswer(Answer):
    """All that somebody hears of."""

    model_config = example({"items": WISHES["subscriptions"]})

    items: list[SubscriptionAnswer]


class AskedSubscriptions(Asked):
    """All that somebody is to hear of."""

    model_config = Asked.model_config | example({"items": WISHES["subscriptions"]})

    items: Subscriptions


class Happened(Answer):
    """That something was changed, and by whose key."""

    model_config = example(_HAPPENED)

    at: Time
    action: str
    by: str
    detail: str


class Export(Answer):
    """All that is kept of a person."""

    subscriber: SubscriberAnswer
    deliveries: list[Delivery] = Field(description="What was sent to them, the newest first.")
    history: list[Happened] = Field(description="The audit, which names them by their id alone.")


class TestMessage(Answer):
    """A test message that is on its way."""

    model_config = example(_TEST)

    delivery: str
    channel: ChannelName


class AskedSubscribers(AskedPage):
    """Which subscribers."""

    state: StateName | None = Field(None, description="Only those that stand so.")


class AskedCode(Asked):
    """Which officer is to be linked."""

    model_config = Asked.model_config | example({"key": "k3x9a2mq"})

    key: Id | None = Field(None, description="An administrator names a key; else it is your own.")


class Code(Answer):
    """What somebody types in the chat to link their account; it is shown this once."""

    model_config = example(_CODE)

    code: str
    expires_at: Time


def present(
    connection: Connection, one: Subscriber, *, address: Callable[[str], str] = str
) -> SubscriberAnswer:
    """Somebody as they are shown."""
    chosen, quiet = one.preferences, one.preferences.quiet
    link = subscribers.officer_of(connection, one.id) if one.officer_key else None
    return SubscriberAnswer(
        id=one.id,
        name=one.name,
        language=one.language,
        state=one.state.value,
        contacts=[
            ContactAnswer.model_validate(
                {
                    "channel": contact.channel.value,
                    "address": address(contact.address),
                    "state": contact.state.value,
                    "since": iso(contact.since),
                    "words": contact.words,
                }
            )
            for contact in one.contacts
        ],
        subscriptions=[shown_subscription(subscription) for subscription in one.subscriptions],
        quiet=quiet and Quiet.model_validate({"from": _clock(quiet[0]), "until": _clock(quiet[1])}),
        digest=_clock(chosen.digest),
        digest_empty=chosen.digest_empty,
        critical_waits=chosen.critical_waits,
        muted_until=None if chosen.muted_until is None else iso(chosen.muted_until),
        first="line" if chosen.first.value == "line" else "email",
        consent=_consent(one.consent),
        officer=None if link is None else link.owner,
        made_at=iso(one.made_at),
        stopped_at=None if one.stopped_at is None else iso(one.stopped_at),
    )


def shown_subscription(one: Subscription) -> SubscriptionAnswer:
    """One thing that somebody hears of, as it is shown."""
    return SubscriptionAnswer.model_validate(
        {"scope": one.scope.value, "target": one.target, "severity": one.least.label}
    )


def _consent(said: Consent | None) -> ConsentAnswer | None:
    if said is None:
        return None
    return ConsentAnswer(at=iso(said.at), way=said.way.value, text=said.text)


def _clock(at: time | None) -> str | None:
    return None if at is None else f"{at:%H:%M}"
