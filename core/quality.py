"""What may be expected of readings, and the code of what the tests of their quality said.

A code holds two bits for each test, at the place that the test states in `QUALITY_TESTS`, so that a
new test moves no other: 0 not evaluated, 1 good, 2 suspect, 3 fail (`Verdict`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.readings import Flag

Span: TypeAlias = tuple[float, float]
Codes: TypeAlias = NDArray[np.uint32]

_LOW_BITS = 0x5555_5555


class Verdict(IntEnum):
    """What one test says of one reading; the worse of two is `max`."""

    NOT_EVALUATED = 0
    GOOD = 1
    SUSPECT = 2
    FAIL = 3


SERVICE = 9  # the place of the test that goes by the service log; rules need to know it too
FLAG_OF = np.array([Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT, Flag.FAIL], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """In these months (1 to 12) and hours (0 to 23) of the city, readings lie in `span`."""

    months: frozenset[int]
    hours: frozenset[int]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be expected of a series, in the catalogue's unit; a test without its limit says
    nothing. Spans and bounds include their ends. Durations are seconds.

    `sentinels` stand for `no reading` · beyond `sensor_span` no sensor can read, beyond `user_span`
    it cannot be here, beyond `climatology` not in that month and hour · `dry`: at or below it the
    probe is out of the water.

    `spike`, `spike_fail`: a step there and back · `rate`: change a minute, beside `noise_factor`
    times the series' own noise · `reach`: a reading that is farther away is no neighbour in time.

    Values within `flat_tolerance` for `flat_suspect` or `flat_fail` are stuck, but for those in
    `rests` · `attenuated`: the least range in a day.

    `neighbour_difference`: most between an hour's mean and the median of the same hour at the same
    kind of site within `neighbour_km`.

    `ahead`, `late`: measured after, or before, it was received · `gap`: since the reading before.
    """

    sentinels: tuple[float, ...] = ()
    sensor_span: Span | None = None
    user_span: Span | None = None
    climatology: tuple[Climate, ...] = ()
    dry: float | None = None
    spike: float | None = None
    spike_fail: float | None = None
    rate: float | None = None
    noise_factor: float = 0.0
    reach: float = 10_800.0
    flat_tolerance: float | None = None
    flat_suspect: float | None = None
    flat_fail: float | None = None
    rests: Span | None = None
    attenuated: float | None = None
    neighbour_difference: float | None = None
    neighbour_km: float | None = None
    ahead: float | None = None
    late: float | None = None
    gap: float | None = None


def rollup(tests: int) -> Flag:
    """The flag that a code amounts to: fail before suspect, before good, before not evaluated.

    >>> rollup(0b01_11_00_10).name, rollup(0b01_00_10).name, rollup(0b01_00).name, rollup(0).name
    ('FAIL', 'SUSPECT', 'GOOD', 'NOT_EVALUATED')
    """
    if tests & tests >> 1 & _LOW_BITS:
        return Flag.FAIL
    if tests & _LOW_BITS << 1:
        return Flag.SUSPECT
    return Flag.GOOD if tests else Flag.NOT_EVALUATED


def failed(tests: Codes) -> NDArray[np.bool_]:
    """Whether any test of a code failed."""
    found: NDArray[np.bool_] = (tests & tests >> np.uint32(1) & np.uint32(_LOW_BITS)) != 0
    return found


def rollups(tests: Codes) -> NDArray[np.uint8]:
    """The same as `rollup` for a column of codes."""
    suspect = (tests & np.uint32(_LOW_BITS << 1)) != 0
    worst = (tests != 0).astype(np.uint8) + suspect + failed(tests)
    found: NDArray[np.uint8] = FLAG_OF[worst]
    return found


def in_service(tests: Codes) -> NDArray[np.bool_]:
    """Whether each was measured while somebody worked on the device.

    >>> in_service(np.array([0, 0b01 << 2 * SERVICE, 0b10 << 2 * SERVICE], np.uint32)).tolist()
    [False, False, True]
    """
    found: NDArray[np.bool_] = (tests >> np.uint32(2 * SERVICE) & np.uint32(2)) != 0
    return found
