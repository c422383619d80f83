"""The nouns of alerts: how bad, in which state, what changed and why. No I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Severity(IntEnum):
    """How bad: ordered, so that the worse of two is `max`."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """The word that files, the API and people use."""
        return self.name.lower()


class State(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Mark(StrEnum):
    """What may hold of an alert beside its state."""

    FLAPPING = "flapping"
    FOLDED = "folded"
    SHADOW = "shadow"
    SHELVED = "shelved"
    STALE = "stale"


class ActionKind(StrEnum):
    """What an officer may do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    REOPEN = "reopen"
    RESOLVE = "resolve"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"


class Reason(StrEnum):
    """Why an alert changed: the same word in rows, logs, metrics, API and messages."""

    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    BACK_IN_RANGE = "back-in-range"
    BY_HAND = "by-hand"
    COMMENTED = "commented"
    CONFIRMED = "confirmed"
    DATA_BACK = "data-back"
    DATA_STOPPED = "data-stopped"
    DEVICE_MOVED = "device-moved"
    EASED = "eased"
    ESCALATED = "escalated"
    FIRST_BREACH = "first-breach"
    FLAPPING = "flapping"
    HELD = "held"
    JUDGED = "judged"
    NOT_HELD = "not-held"
    OUT_OF_SCHEDULE = "out-of-schedule"
    REOPENED = "reopened"
    RULE_CHANGED = "rule-changed"
    RULE_REMOVED = "rule-removed"
    SHELVED = "shelved"
    STORM_BEGAN = "storm-began"
    STORM_OVER = "storm-over"
    UNSHELVED = "unshelved"
    WORSENED = "worsened"


# What stands beside the rules: a replay of the readings does not repeat it (decision 018).
BY_VERDICT = (Reason.CONFIRMED, Reason.JUDGED)
BESIDE_RULES = frozenset({*BY_VERDICT, Reason.ESCALATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one alert: who reads it needs nothing else to understand it.

    `at` is event time in µs; `value` the reading that decided, in the catalogue's unit;
    `evidence` is plain JSON (level, clear level, since when, for how long; of an officer's action
    who and why).
    """

    alert: str
    rule: str
    version: str
    subject: str
    site: str
    before: State | None
    after: State
    severity: Severity
    reason: Reason
    at: int
    value: float
    marks: tuple[Mark, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


STORM = "storm"  # the subject of the alert that stands for many of one rule
_NO_DEVICE = frozenset({"channel", "city", "district", "gateway", "site", STORM})


def device_and_parameter(subject: str) -> tuple[str, str]:
    """What an alert with this subject is about; empty where it is about no such thing.

    >>> device_and_parameter("bin-1/tilt"), device_and_parameter("device/bin-1")
    (('bin-1', 'tilt'), ('bin-1', ''))
    """
    what, _, which = subject.partition("/")
    if what == "device":
        return which, ""
    return ("", "") if what in _NO_DEVICE else (what, which)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What an officer does to an alert: who (`by`, with which `key`), why (`note`), until when (µs,
    to shelve it) and to whom (to assign it).
    """

    kind: ActionKind
    alert: str
    by: str
    key: str = ""
    note: str = ""
    until: int | None = None
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the engine made of a batch or a tick: official only when it has been committed.

    `states` is its changed memory as JSON by (rule, subject), None where it forgot; `memory` is the
    same for the engine itself, which takes it back in `accept`.
    """

    transitions: tuple[Transition, ...] = ()
    states: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    memory: Any = None
