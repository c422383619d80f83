"""The nouns of verdicts: is it the place or the sensor, and what speaks for it. No I/O, no clock.

Times in µs, values in the catalogue's unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.readings import Columns, FloatColumn, IntColumn
from core.surroundings import Names, Worked


class VerdictKind(StrEnum):
    """What an alert, or an episode of flagged readings, comes from."""

    EVENT = "event"
    SENSOR_FAULT = "sensor-fault"
    UNCLEAR = "unclear"


class FaultCause(StrEnum):
    """What is wrong with a sensor, or with the device around it."""

    CLOCK = "clock"
    DRIFT = "drift"
    FOULING = "fouling"
    OUT_OF_WATER = "out-of-water"
    POWER = "power"
    SPIKE = "spike"
    STUCK = "stuck"
    UNITS = "units"


class Label(StrEnum):
    """What an officer found an alert to have been."""

    TRUE = "true"  # it was as the alert said
    FALSE = "false"  # there was nothing
    SENSOR = "sensor"  # it was the sensor
    TEST = "test"  # somebody tried something out


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`cause` is None where it is no fault, `confidence` from 0 to 1, `evidence` a sentence each in
    all languages, the weightiest first; `confirmed` says that neighbours see the same.
    """

    kind: VerdictKind
    cause: FaultCause | None = None
    confidence: float = 0.0
    evidence: tuple[Names, ...] = ()
    confirmed: bool = False

    @property
    def word(self) -> tuple[VerdictKind, FaultCause | None]:
        """What it says, without how sure it is."""
        return self.kind, self.cause


class Judged(NamedTuple):
    """What an alert is judged to be (None: nothing yet), when it is judged again (µs, None for
    never), and whether its severity was raised for it.
    """

    verdict: Verdict | None
    judge_at: int | None
    raised: bool = False


class Question(NamedTuple):
    """An alert to be judged at the time `at` of the readings: what it is about, since when."""

    alert: str
    subject: str
    site: str
    since: int
    at: int


class Operand(NamedTuple):
    """An alert that fires and that a composite may count: what its rule and its place are called,
    and what it is judged to be.
    """

    rule: str
    subject: str
    site: str
    name: Names
    place: Names
    verdict: Verdict | None


class Track(NamedTuple):
    """The readings of a series around a question, in order of time: lately, and at the same time of
    the day in the days before. `site` is where it stands, so many `km` away.
    """

    device: str
    parameter: str
    site: Names
    km: float
    lately: Columns
    before: Columns

    @property
    def times(self) -> IntColumn:
        """When the late ones were measured."""
        return self.lately.measured_at

    @property
    def values(self) -> FloatColumn:
        """What they read."""
        return self.lately.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that is known for a verdict: the series itself, the other channels of its device, the
    same parameter at the same kind of site nearby (the nearest first), rain, and work on it.
    """

    own: Track | None = None
    channels: Mapping[str, Track] = field(default_factory=dict)
    neighbours: Sequence[Track] = ()
    rain: Sequence[Track] = ()
    works: Sequence[Worked] = ()
