"""The nouns of what follows from transitions: what is held back and by what, and who is told next.

No I/O, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.alerts import Severity
from core.groups import Planned
from core.verdicts import Judged


class MuteKind(StrEnum):
    """What can hold an alert's messages back."""

    INHIBITION = "inhibition"
    MAINTENANCE = "maintenance"
    SHELF = "shelf"
    SILENCE = "silence"


class Mute(NamedTuple):
    """One thing that holds back: a silence or window by its id, an alert by that of the inhibitor
    (of itself, where it is shelved).
    """

    kind: MuteKind
    id: str


class Escalation(NamedTuple):
    """How many levels an alert has reached, when the next is due, µs (None when none is), and
    whether it was ever acknowledged.
    """

    level: int = 0
    due_at: int | None = None
    seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What an alert is about, in words that matchers and inhibitions compare; empty where it is
    about no such thing.
    """

    alert: str
    rule: str
    severity: Severity
    subject: str = ""
    site: str = ""
    kind: str = ""
    district: str = ""
    gateway: str = ""
    device: str = ""
    parameter: str = ""
    verdict: str = ""  # a `VerdictKind`; empty where it is not judged
    shelved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What the transitions of one commit bring with them: what holds each back, in their order, how
    far alerts are escalated now, what they are judged to be, and what people are to be told.
    """

    mutes: Sequence[tuple[Mute, ...]] = ()
    escalations: Mapping[str, Escalation] = field(default_factory=dict)
    verdicts: Mapping[str, Judged] = field(default_factory=dict)
    planned: Planned = field(default_factory=Planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What `by` (the owner of a key) wants to hear nothing of, from `starts_at` up to, not with,
    `ends_at`, µs; all matchers must fit. `made_by` is the id of the key.
    """

    id: str
    matchers: tuple[str, ...]
    reason: str
    by: str
    made_by: str
    made_at: int
    starts_at: int
    ends_at: int
