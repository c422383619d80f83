"""What flows through Andaman, from the gateway's message to the alert's transition.

Times are integer microseconds since 1970 UTC: `measured_at` is event time, `received_at` is when
the message reached us. `Message` and `Reading` are named tuples, since thousands are made each
second; everything else that flows is a frozen dataclass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
GATEWAY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return round(moment.timestamp() * SECOND)


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of `micros`.

    >>> from_micros(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    seconds, rest = divmod(micros, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def iso(micros: int) -> str:
    """ISO 8601 in UTC, as the API and evidence write it.

    >>> iso(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return from_micros(micros).isoformat().replace("+00:00", "Z")


class Flag(IntEnum):
    """QARTOD's flags (IOOS QARTOD, manual for real-time data quality control)."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Refusal(StrEnum):
    """Why an item was quarantined: the closed list of design, used in rows, metrics and API."""

    CONFLICT = "conflict"
    INTERNAL_ERROR = "internal-error"
    MISSING = "missing"
    NOT_A_NUMBER = "not-a-number"
    NOT_JSON = "not-json"
    QUOTA = "quota"
    RETAINED = "retained"
    TIME_IN_FUTURE = "time-in-future"
    TIME_INVALID = "time-invalid"
    TIME_TOO_OLD = "time-too-old"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_PARAMETER = "unknown-parameter"
    UNKNOWN_PAYLOAD = "unknown-payload"
    UNKNOWN_TOPIC = "unknown-topic"
    UNKNOWN_UNIT = "unknown-unit"
    WRONG_GATEWAY = "wrong-gateway"
    WRONG_SHAPE = "wrong-shape"


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


class Role(StrEnum):
    """What a key may do."""

    VIEWER = "viewer"
    OFFICER = "officer"
    ADMIN = "admin"
    GATEWAY = "gateway"


class Message(NamedTuple):
    """One MQTT message as it came; (generation, mid) is its acknowledgement token."""

    topic: bytes
    payload: bytes
    received_at: int
    qos: int = 0
    mid: int = 0
    generation: int = 0
    retain: bool = False


class Reading(NamedTuple):
    """(device, parameter, measured_at) is the identity; `unit` only where it was sent."""

    device: str
    parameter: str
    measured_at: int
    value: float
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place people know: a beach, an air station, a bin, a laboratory."""

    id: str
    kind: str
    name: Mapping[str, str]
    latitude: float
    longitude: float
    district: str
    owner: str = ""


class Placement(NamedTuple):
    """Where a device stands from a moment on, µs."""

    since: int
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A physical unit behind a gateway, and where it has stood, in order of time; `address` is what
    its network calls it, a LoRaWAN DevEUI say, where that is not the id; `made_at` (µs) is when it
    was added, where no file names it.
    """

    id: str
    gateway: str
    placements: tuple[Placement, ...]
    model: str = ""
    address: str = ""
    made_at: int = 0

    @property
    def site(self) -> str:
        """Where it stands."""
        return self.placements[-1].site

    @property
    def since(self) -> int:
        """Since when it stands there, µs."""
        return self.placements[-1].since


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoApprove:
    """Devices whose id begins with `prefix` are registered when they first report: at this site, as
    this model, so many a day.
    """

    prefix: str
    site: str
    model: str
    devices_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """An MQTT client with its own credential; how many messages a second it may send and how many
    series a day it may begin, where it has limits of its own, and what it may bring by itself.
    """

    id: str
    name: Mapping[str, str]
    messages_per_second: float | None = None
    series_per_day: int | None = None
    auto_approve: AutoApprove | None = None


ALWAYS = -(2**62)  # since when a device stands where it stood before anybody knew


class Former(NamedTuple):
    """Where a device stood until a moment, µs, and of which kind that site is."""

    until: int
    site: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """device × parameter, with the number that stands for it in columns and in the ledger.

    `site`, `kind` and `district` are of where the device stands; `former` of where it stood before,
    in order of time. A reading belongs to the site where it was measured; one from before the first
    place that we know of belongs to that one.
    `interval` is how often a reading is expected, µs, 0 where nobody knows.
    """

    index: int
    device: str
    parameter: str
    site: str
    kind: str
    district: str
    former: tuple[Former, ...] = ()
    born_at: int = 0
    interval: int = 0

    @property
    def since(self) -> int:
        """Since when it stands there, µs; `ALWAYS` where it stood nowhere before."""
        return self.former[-1].until if self.former else ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A registered device as rules see it: how often it should report (µs, 0 where nobody knows),
    `since` when it has been registered, and since when it has stood `here` (µs).
    """

    device: str
    gateway: str
    site: str
    kind: str
    district: str
    interval: int
    since: int
    here: int = ALWAYS


def placed(series: Series, unit: Unit | None) -> Series:
    """The series as rules saw it when its device was this unit, or was not registered."""
    if unit is None:
        return replace(series, site="", kind="", district="", former=(), interval=0)
    return replace(
        series,
        site=unit.site,
        kind=unit.kind,
        district=unit.district,
        former=() if unit.here == ALWAYS else (Former(unit.here, "", ""),),
        interval=unit.interval,
    )


IntColumn: TypeAlias = NDArray[np.int64]
FloatColumn: TypeAlias = NDArray[np.float64]
BoolColumn: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Readings of one batch as columns of equal length, sorted by series and, within one series,
    in order of arrival. `late` marks those not newer than what their series already had.

    `series` int64 · `measured_at`, `received_at` int64 µs · `value` float64 in the catalogue's
    unit · `flag` uint8 (`Flag`) · `tests` uint32, what each test of quality said (`core.quality`).
    """

    series: IntColumn
    measured_at: IntColumn
    received_at: IntColumn
    value: FloatColumn
    flag: NDArray[np.uint8]
    tests: NDArray[np.uint32]
    late: BoolColumn

    def __len__(self) -> int:
        return len(self.series)

    def take(self, rows: IntColumn | slice) -> "Columns":
        """These rows, in that order."""
        return Columns(
            series=self.series[rows],
            measured_at=self.measured_at[rows],
            received_at=self.received_at[rows],
            value=self.value[rows],
            flag=self.flag[rows],
            tests=self.tests[rows],
            late=self.late[rows],
        )

    def newest(self) -> IntColumn:
        """The rows that are now their series' newest: of each series the last that is not late."""
        rows = np.flatnonzero(~self.late)
        series = self.series[rows]
        return rows[np.append(series[1:] != series[:-1], True)] if len(rows) else rows


class Cause(StrEnum):
    """Why a flag was revised."""

    LATE_READING = "late-reading"
    NEXT_READING = "next-reading"
    OFFICER = "officer"
    REPROCESS = "reprocess"
    SERVICE = "service"


class Revision(NamedTuple):
    """A change of a stored reading's flag, or of what its tests said; `revised_at` is when what
    caused it was received, µs.
    """

    series: int
    measured_at: int
    revised_at: int
    flag_before: int
    flag: int
    tests_before: int
    tests: int
    cause: Cause
    reference: int | None = None


def no_columns() -> Columns:
    """Columns without a row."""
    none = np.empty(0, np.int64)
    return Columns(
        series=none,
        measured_at=none,
        received_at=none,
        value=np.empty(0),
        flag=np.empty(0, np.uint8),
        tests=np.empty(0, np.uint32),
        late=np.empty(0, np.bool_),
    )


class Reason(StrEnum):
    """Why an alert changed: the same word in rows, logs, metrics, API and messages."""

    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    BACK_IN_RANGE = "back-in-range"
    BY_HAND = "by-hand"
    COMMENTED = "commented"
    DATA_BACK = "data-back"
    DATA_STOPPED = "data-stopped"
    DEVICE_MOVED = "device-moved"
    EASED = "eased"
    ESCALATED = "escalated"
    FIRST_BREACH = "first-breach"
    FLAPPING = "flapping"
    HELD = "held"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Items of one message that share a reason: kept with the raw bytes, counted as `items`;
    `device` where they are all of one that is known by name.
    """

    received_at: int
    gateway: str
    topic: str
    reason: Refusal
    detail: str
    payload: bytes
    items: int = 1
    device: str | None = None


class RefusedItem(NamedTuple):
    """One item of a batch that was refused: the number of its message, its own number among the
    message's items in order of time (None for a message that could not be decoded), and why.
    """

    message: int
    item: int | None
    reason: Refusal
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of the messages that were settled, once it is committed."""

    stored: int = 0
    duplicate: int = 0
    refused: Sequence[RefusedItem] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The conservation counters: received = stored + duplicate + quarantined, always."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was said of a gateway, by itself or by its last will, when that came (`at`, µs).

    `since` is when it came to be online, or not.
    """

    gateway: str
    online: bool
    firmware: str | None
    at: int
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How far the clock of a device is off: the median of received minus measured (s) over so many
    `samples` since `since` (µs), and the median distance from it. `steady` where that is small:
    then it is the clock, else it is a delay on the way.
    """

    offset: float
    spread: float
    samples: int
    since: int
    steady: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How a gateway stands to the rate that it may send at: how many messages came above it since
    the start, and how long (µs) until it is within its rate again, 0 while it is.
    """

    messages_per_second: float
    beyond: int
    wait: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """How often the broker refused something to a gateway since our start; `last` is when, µs."""

    publishes: int = 0
    subscriptions: int = 0
    logins: int = 0
    last: int | None = None


class Suggestion(NamedTuple):
    """A device model that an unknown device may be, empty for one that speaks the catalogue's own
    words; `score` from 0 to 1.
    """

    model: str
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an unknown device sends, and the models that it may be, the best first."""

    keys: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


Counter: TypeAlias = tuple[str, str]  # gateway and epoch: who counts, and since which restart


class Range(NamedTuple):
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one epoch of one gateway stands.

    `ahead` are the settled numbers beyond the first gap, sorted, apart from each other;
    `gap_since` is when that gap was first seen, µs; `lost` counts what was written off.
    """

    through: int = 0
    ahead: tuple[Range, ...] = ()
    gap_since: int | None = None
    lost: int = 0

    @property
    def gaps(self) -> tuple[Range, ...]:
        """The numbers that are missing.

        >>> Progress(through=4, ahead=(Range(7, 9), Range(12, 12))).gaps
        (Range(first=5, last=6), Range(first=10, last=11))
        """
        before = [self.through, *(r.last for r in self.ahead)]
        return tuple(
            Range(last + 1, following.first - 1)
            for last, following in zip(before, self.ahead, strict=False)
        )
