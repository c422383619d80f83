"""The nouns of grouping: which alerts are told of together, and what is planned of it.

No I/O, no clock; times in µs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.alerts import Severity
from core.languages import Language
from core.notices import Channel, Notice, NoticeReason, Recipient, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An alert of a group: as it stands (`told`, without names), what is yet to be told of it
    (`news`, since `news_at`), and as how severe it was told that it fires, None when it was not.
    """

    told: Told
    news: NoticeReason | None
    news_at: int
    severity: Severity | None = None
    acknowledged: bool = False
    shelved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts of one route that share `labels`, by their ids; `due_at` is when it is looked at next
    (None: not before something happens), `told_at` when people were told of it last.
    """

    key: str
    route: str
    receiver: str
    labels: Mapping[str, str]
    members: Mapping[str, Member] = field(default_factory=dict)
    due_at: int | None = None
    told_at: int | None = None
    level: str = ""


class Addressee(NamedTuple):
    """Whom to tell by which channel, not before `at`."""

    channel: Channel
    recipient: Recipient
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedParcel:
    """A parcel to be sent from `at` on; each of its recipients has a delivery of its own."""

    id: str
    channel: Channel
    language: Language
    at: int
    deliveries: Sequence[tuple[str, Recipient]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotice:
    """A notice with its parcels; `news_at` is when the oldest of its news was recorded, and its
    receiver is told nothing more before `free_at`.
    """

    notice: Notice
    news_at: int
    free_at: int
    parcels: Sequence[PlannedParcel] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be told, and the groups that this changed: by key, and each member by the key and
    the alert; None for what is no more.
    """

    groups: Mapping[str, Group | None] = field(default_factory=dict)
    members: Mapping[tuple[str, str], Member | None] = field(default_factory=dict)
    notices: Sequence[PlannedNotice] = ()
