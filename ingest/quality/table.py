"""The tests of quality by name: one line for each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from core.quality import Verdict
from ingest.quality.single import gross_range, sentinel, timing
from ingest.quality.view import Verdicts, View


class QualityTest(NamedTuple):
    """`place` is where its two bits stand in a code (`core.quality`): never to be changed."""

    place: int
    judge: Callable[[View], Verdicts]


QUALITY_TESTS: Mapping[str, QualityTest] = {
    "gross_range": QualityTest(0, gross_range),
    "sentinel": QualityTest(1, sentinel),
    "timing": QualityTest(2, timing),
}


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
