"""The tests of quality by name: one line for each."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple, TypeVar

from core.quality import SERVICE, Verdict
from core.readings import BoolColumn
from ingest.quality.past import Past
from ingest.quality.physics import physics
from ingest.quality.series import (
    attenuated_signal,
    flat_line,
    neighbours,
    rate_of_change,
    spike,
)
from ingest.quality.single import climatology, gross_range, sentinel, service, timing
from ingest.quality.view import Verdicts, View


class OfReading(NamedTuple):
    """A test of one reading alone. `place` is where its two bits stand in a code (`core.quality`),
    never to be changed; it runs when a series has one of the limits that it `needs`.
    """

    place: int
    judge: Callable[[View], Verdicts]
    needs: frozenset[str]


class OfMessage(NamedTuple):
    """The same for a test that compares what a device says in one message; it is told which
    readings failed by themselves.
    """

    place: int
    judge: Callable[[View, BoolColumn], Verdicts]
    needs: frozenset[str]


class OfSeries(NamedTuple):
    """The same for a test that looks at what came before."""

    place: int
    judge: Callable[[View, Past], Verdicts]
    needs: frozenset[str]


def _of_reading(place: int, judge: Callable[[View], Verdicts], *needs: str) -> OfReading:
    return OfReading(place, judge, frozenset(needs))


def _of_message(
    place: int, judge: Callable[[View, BoolColumn], Verdicts], *needs: str
) -> OfMessage:
    return OfMessage(place, judge, frozenset(needs))


def _of_series(place: int, judge: Callable[[View, Past], Verdicts], *needs: str) -> OfSeries:
    return OfSeries(place, judge, frozenset(needs))


Kind = TypeVar("Kind", OfReading, OfMessage, OfSeries)

QUALITY_TESTS: Mapping[str, OfReading | OfMessage | OfSeries] = {
    "attenuated_signal": _of_series(3, attenuated_signal, "attenuated"),
    "climatology": _of_reading(4, climatology, "climatology"),
    "flat_line": _of_series(5, flat_line, "flat_tolerance"),
    "gross_range": _of_reading(0, gross_range, "sensor_span_low", "user_span_low"),
    "neighbours": _of_series(6, neighbours, "neighbours"),
    "physics": _of_message(7, physics, "physics"),
    "rate_of_change": _of_series(8, rate_of_change, "rate"),
    "sentinel": _of_reading(1, sentinel, "sentinel_low"),
    "service": _of_reading(SERVICE, service, "service"),
    "spike": _of_series(10, spike, "spike", "spike_fail"),
    "timing": _of_reading(2, timing, "ahead", "late", "gap"),
}
SPIKE, RATE = QUALITY_TESTS["spike"].place, QUALITY_TESTS["rate_of_change"].place
ALONE = sum(3 << 2 * t.place for t in QUALITY_TESTS.values() if not isinstance(t, OfSeries))


@cache
def tests_for(kind: type[Kind], uses: frozenset[str]) -> tuple[Kind, ...]:
    """The tests of a kind that have a limit to go by."""
    return tuple(t for t in QUALITY_TESTS.values() if isinstance(t, kind) and t.needs & uses)


def verdicts_of(code: int) -> dict[str, Verdict]:
    """What each test said that said something, by the name of the test.

    >>> verdicts_of(0b10_11)
    {'gross_range': <Verdict.FAIL: 3>, 'sentinel': <Verdict.SUSPECT: 2>}
    """
    said = {name: Verdict(code >> 2 * test.place & 3) for name, test in QUALITY_TESTS.items()}
    return {name: verdict for name, verdict in said.items() if verdict}


def objections(code: int) -> dict[str, str]:
    """The tests that found fault, and how bad.

    >>> objections(0b01_10_11)
    {'gross_range': 'fail', 'sentinel': 'suspect'}
    """
    return {
        name: verdict.name.lower()
        for name, verdict in verdicts_of(code).items()
        if verdict >= Verdict.SUSPECT
    }
