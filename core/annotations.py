"""What people say of readings: an officer's flag on a range, work on a device, and the review of
stored readings that follows from either.

Ranges are event time from `start` to before `end`, µs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from core.readings import Cause, Flag


class Work(StrEnum):
    """What the service log knows."""

    CALIBRATION = "calibration"
    CLEANING = "cleaning"
    DEPLOYMENT = "deployment"
    RETRIEVAL = "retrieval"


FLAG_OF: Mapping[Work, Flag] = MappingProxyType(
    {
        Work.CALIBRATION: Flag.FAIL,  # it reads the buffer solution
        Work.CLEANING: Flag.SUSPECT,
        Work.DEPLOYMENT: Flag.SUSPECT,  # it settles in
        Work.RETRIEVAL: Flag.FAIL,  # it is out of the water
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A flag that an officer put on what a device reports of `parameters`, or of all if empty."""

    id: int
    device: str
    parameters: tuple[str, ...]
    start: int
    end: int
    flag: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Work on a device; `end` is None while it goes on."""

    id: int
    device: str
    work: Work
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Stored readings of a device that are to be looked at again, up to `through` by now.

    `parameters` is empty for all. `reference` is the annotation or the service entry that is the
    cause. A `preview` changes nothing. `changes` counts readings by flag before and after.
    """

    id: int
    cause: Cause
    reference: int | None
    device: str
    parameters: tuple[str, ...]
    start: int
    end: int
    preview: bool
    through: int
    readings: int = 0
    changes: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to look at."""
        return self.through >= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """All that people say and that counts: annotations in the order in which they were made, the
    service log, and the reviews that are still to be done, the oldest first.
    """

    annotations: tuple[Annotation, ...] = ()
    log: tuple[Service, ...] = ()
    reviews: tuple[Review, ...] = ()
