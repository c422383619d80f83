"""What subscribers ask for, as it is sent to us: one form for API, lists and the public page."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from api.shapes import Asked, AskedTime, SeverityName, example
from core.alerts import Severity
from core.errors import RegistryError
from core.languages import Language
from core.notices import Channel
from core.subscribers import (
    Contact,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from storage.labels import Places

ScopeName = Literal["all", "district", "kind", "site"]
FirstName = Literal["line", "email"]
MOST_SUBSCRIPTIONS = 100
# What HTML calls a valid address, with a dot in the domain; it leaves no room for a second header.
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_USER = r"^U[0-9a-f]{32}$"
WISHES: dict[str, Any] = {
    "language": "th",
    "subscriptions": [{"scope": "site", "target": "patong-beach", "severity": "warning"}],
    "quiet": {"from": "22:00", "until": "06:30"},
    "digest": None,
    "digest_empty": False,
    "critical_waits": False,
    "first": "line",
}


def email(text: object) -> str:
    """A mail address in the one form in which it is kept.

    >>> email(" Som.Chai@Example.COM ")
    'som.chai@example.com'

    Raises:
        ValueError: it can be none.
    """
    found = str(text).strip().lower()
    if len(found) > 254 or _EMAIL.fullmatch(found) is None:
        raise ValueError("should be a mail address such as somchai@example.com")
    return found


def clock(text: object) -> time:
    """A time of day.

    >>> clock("06:30")
    datetime.time(6, 30)

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", str(text))
    if found is None:
        raise ValueError("should be a time of day such as 06:30")
    return time(int(found[1]), int(found[2]))


Clock = Annotated[
    time,
    BeforeValidator(clock),
    PlainSerializer(lambda at: f"{at:%H:%M}", str),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d$", "examples": ["06:30"]}),
]
Email = Annotated[str, BeforeValidator(email), WithJsonSchema({"type": "string"})]
LineUser = Annotated[str, Field(pattern=_USER, description="The id that LINE gives a user.")]


class AskedSubscription(Asked):
    """What to hear of, from which severity on; `target` is the site, district or kind."""

    model_config = Asked.model_config | example(WISHES["subscriptions"][0])

    scope: ScopeName
    target: str = Field("", max_length=100)
    severity: SeverityName = "warning"

    @model_validator(mode="after")
    def _fits(self) -> "AskedSubscription":
        if (self.scope == "all") != (not self.target):
            raise ValueError("target: name a site, district or kind, and nothing with all")
        return self

    def subscription(self) -> Subscription:
        """The noun."""
        least = Severity[self.severity.upper()]
        return Subscription(scope=Scope(self.scope), target=self.target, least=least)


class AskedQuiet(Asked):
    """From when until when not to be disturbed; over midnight where `until` is the earlier."""

    start: Clock = Field(alias="from")
    until: Clock

    @model_validator(mode="after")
    def _lasts(self) -> "AskedQuiet":
        if self.start == self.until:
            raise ValueError("from and until should differ")
        return self


Subscriptions = Annotated[list[AskedSubscription], Field(max_length=MOST_SUBSCRIPTIONS)]


class AskedWishes(Asked):
    """What somebody wants to hear, and when; what is left out stays as it is, or at its default."""

    model_config = Asked.model_config | example(WISHES)

    language: Language | None = None
    subscriptions: Subscriptions | None = None
    quiet: AskedQuiet | None = Field(None, description="Critical alerts break through.")
    digest: Clock | None = Field(None, description="When to tell once a day of what can wait.")
    digest_empty: bool | None = Field(None, description="Also when there is nothing to tell.")
    critical_waits: bool | None = Field(None, description="Critical alerts do as all others.")
    first: FirstName | None = Field(None, description="Which way to try first, with both.")

    @field_validator("subscriptions")
    @classmethod
    def _once(cls, asked: Subscriptions | None) -> Subscriptions | None:
        places = [(s.scope, s.target) for s in asked or ()]
        if len(set(places)) < len(places):
            raise ValueError("names something twice; once with one severity is enough")
        return asked

    def wished(self, before: Subscriber) -> Subscriber:
        """The same person with these wishes."""
        given = self.model_fields_set
        chosen: dict[str, Any] = {}
        if "quiet" in given:
            chosen["quiet"] = self.quiet and (self.quiet.start, self.quiet.until)
        if "digest" in given:
            chosen["digest"] = self.digest
        for name in ("digest_empty", "critical_waits"):
            if getattr(self, name) is not None:
                chosen[name] = getattr(self, name)
        if self.first is not None:
            chosen["first"] = Channel(self.first)
        wishes = before.subscriptions
        if self.subscriptions is not None:
            wishes = tuple(asked.subscription() for asked in self.subscriptions)
        return replace(
            before,
            language=self.language or before.language,
            subscriptions=wishes,
            preferences=replace(before.preferences, **chosen),
        )


class AskedSubscriber(AskedWishes):
    """Whom to tell; that they agreed is yours to know."""

    model_config = AskedWishes.model_config | example(
        {"name": "Somchai", "email": "somchai@example.com", "consent": True} | WISHES
    )

    name: str = Field("", max_length=100)
    email: Email | None = None
    line: LineUser | None = None
    consent: Literal[True] = Field(description="They agreed to docs/privacy.md, and can prove it.")

    def subscriber(self, bare: Subscriber) -> Subscriber:
        """What becomes of one of whom nothing is known yet."""
        return _reached(self.wished(replace(bare, name=self.name)), self, bare.made_at)


class AskedChange(AskedWishes):
    """What to change; the rest stays, and what is null is taken away."""

    model_config = AskedWishes.model_config | example(
        {"quiet": {"from": "22:00", "until": "06:30"}, "muted_until": "2026-11-23T08:00:00+07:00"}
    )

    name: str | None = Field(None, max_length=100)
    email: Email | None = None
    line: LineUser | None = None
    muted_until: AskedTime | None = None
    stopped: bool | None = Field(None, description="True: tell them nothing more.")

    def changed(self, before: Subscriber, at: int) -> Subscriber:
        """The same person with the changes."""
        after = _reached(self.wished(before), self, at)
        if self.name is not None:
            after = replace(after, name=self.name)
        if "muted_until" in self.model_fields_set:
            muted = replace(after.preferences, muted_until=self.muted_until)
            after = replace(after, preferences=muted)
        if self.stopped is not None:
            stopped_at = (before.stopped_at or at) if self.stopped else None
            after = replace(after, stopped_at=stopped_at)
        return after


def check_targets(subscriptions: Sequence[Subscription], places: Places) -> None:
    """Refuse what is about no place of ours.

    Raises:
        RegistryError: with the field of the first such.
    """
    kinds = {kind for kind, _ in places.sites.values()}
    areas = districts(district for _, district in places.sites.values())
    known = {Scope.SITE: places.sites.keys(), Scope.KIND: kinds, Scope.DISTRICT: areas}
    for number, one in enumerate(subscriptions):
        if one.scope is not Scope.ALL and one.target not in known[one.scope]:
            field = f"subscriptions.{number}.target"
            raise RegistryError("bad-parameter", field, f"is no {one.scope} of ours; see /v1/sites")


def districts(of_sites: Iterable[str]) -> Sequence[str]:
    """All of them, and those that they lie in.

    >>> districts(["kathu/patong", "kathu/kamala"])
    ['kathu', 'kathu/kamala', 'kathu/patong']
    """
    parts = [district.split("/") for district in of_sites]
    return sorted({"/".join(part[:n]) for part in parts for n in range(1, len(part) + 1)})


def _reached(one: Subscriber, asked: AskedSubscriber | AskedChange, at: int) -> Subscriber:
    """With the addresses that were given; an address that stays keeps its state."""
    given = {Channel.EMAIL: asked.email, Channel.LINE: asked.line}
    for channel, address in given.items():
        known = one.contact(channel)
        if str(channel) not in asked.model_fields_set or (known and known.address == address):
            continue
        if address is None:
            one = one.unreached(channel)
        else:
            active = SubscriberState.ACTIVE
            made = Contact(channel=channel, address=address, state=active, since=at)
            one = one.reached(made)
    return one
