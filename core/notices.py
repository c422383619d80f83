"""The nouns of telling people: what is told, to whom, by which channel. No I/O, no clock.

A *notice* is one message of a group of alerts, such as "two more at Patong". It reaches each of its
recipients as a *delivery*. What is sent in one call is a *parcel*: one notice to one recipient, or
to many where the channel can do that. Times in µs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.alerts import Reason, Severity, State
from core.languages import Language
from core.surroundings import Names, Reading
from core.verdicts import Verdict


class Channel(StrEnum):
    """A way to reach people, or the machines of people."""

    EMAIL = "email"
    LINE = "line"
    MQTT = "mqtt"
    WEBHOOK = "webhook"


class NoticeReason(StrEnum):
    """Why people are told of a group now: what its alerts have in common is that one of them…"""

    FIRST = "first"  # …is the first of the group
    NEW = "new-in-group"  # …joined the others
    WORSENED = "severity-up"  # …got worse
    RESOLVED = "resolved"  # …is over
    REPEAT = "repeat"  # …still fires and nobody took it on
    ESCALATION = "escalation"  # …was not acknowledged in time
    DIGEST = "digest"  # …was not told at its time, or belongs to a summary that was asked for
    CONFIRM = "confirm"  # no alert at all: an address has to answer before it is told anything
    TEST = "test"  # no alert at all: somebody wanted to see a message
    HEARTBEAT = "heartbeat"  # no alert at all: the daily proof that messages arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert as a notice tells of it: a snapshot, so that a second try says the very same.

    `state`, `severity`, `value` and `reason` are those of the transition at `at`; `level` is the
    limit on `side` ("above", "below" or "") of that severity; both in `unit` (UCUM). `since` is
    when the alert began. A rate's value is `per` hour or minute. `recent` is the series behind it,
    thinned, the oldest first. `folded` is how many alerts a storm's alert stands for. Names are by
    language; empty where there is none.
    """

    alert: str
    rule: str
    version: str
    rule_name: Names
    state: State
    severity: Severity
    reason: Reason
    at: int
    since: int
    subject: str
    value: float
    kind_of_rule: str = ""
    per: str = ""
    level: float | None = None
    side: str = ""
    unit: str = ""
    site: str = ""
    site_name: Names = field(default_factory=dict)
    kind: str = ""
    district: str = ""
    device: str = ""
    parameter: str = ""
    parameter_name: Names = field(default_factory=dict)
    recent: tuple[Reading, ...] = ()
    verdict: Verdict | None = None
    folded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told of a group at `made_at`; `labels` are those that its alerts share, `level` the
    name of the escalation's level, where it is one. `token` opens its page to whoever has it.
    """

    id: str
    reason: NoticeReason
    receiver: str
    group: str
    labels: Mapping[str, str]
    made_at: int
    alerts: tuple[Told, ...]
    level: str = ""
    token: str = ""

    @property
    def severity(self) -> Severity:
        """The worst of those that still fire, or of all where none does."""
        firing = [told.severity for told in self.alerts if told.state is State.FIRING]
        return max(firing or (told.severity for told in self.alerts), default=Severity.INFO)


class Recipient(NamedTuple):
    """Whom to reach: a mail address, a LINE user, group or room, a URL, an MQTT topic's level."""

    address: str
    language: Language
    subscriber: str = ""  # the id, where it is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one call sends: its `id` (a UUID) is LINE's retry key and the mail's Message-ID, and
    stays the same in every try; `first_tried_at` is when it was first tried, this time included.
    """

    id: str
    channel: Channel
    language: Language
    recipients: tuple[Recipient, ...]
    notice: Notice
    attempt: int
    first_tried_at: int


class Sent(NamedTuple):
    """The server took it; `reference` is what the server calls it."""

    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMonth:
    """Messages that LINE lets us send this month, None where there is no limit, and that were sent
    by `at`; LINE counts each recipient of each message.
    """

    limit: int | None
    used: int
    at: int

    @property
    def left(self) -> int | None:
        """How many more may be sent."""
        return None if self.limit is None else max(self.limit - self.used, 0)
