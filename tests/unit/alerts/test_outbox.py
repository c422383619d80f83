"""When to try again, and when to leave a server alone."""

import pytest

from alerts.outbox import FAILURES, LONGEST_REST, LONGEST_WAIT, Circuit, backoff
from core.times import MINUTE, SECOND


@pytest.mark.parametrize(
    ("attempt", "least"),
    [
        pytest.param(1, 2 * SECOND, id="first"),
        pytest.param(2, 4 * SECOND, id="second"),
        pytest.param(5, 32 * SECOND, id="fifth"),
        pytest.param(50, LONGEST_WAIT, id="fiftieth"),
    ],
)
def test_a_wait_doubles_and_each_parcel_has_its_own(attempt: int, least: int) -> None:
    waits = {backoff(f"parcel-{n}", attempt) for n in range(100)}
    assert least <= min(waits) < max(waits) <= least * 3 // 2
    assert len(waits) > 90, "they do not come back all at once"
    assert backoff("parcel-1", attempt) == backoff("parcel-1", attempt)


def test_a_server_that_fails_for_many_is_asked_more_and_more_rarely() -> None:
    circuit, now, waits = Circuit(), 0, []
    for _ in range(FAILURES + 8):
        circuit.failed("503", now, 0)
        if circuit.until:
            assert (circuit.room(circuit.until - 1, 8), circuit.room(circuit.until, 8)) == (0, 1)
            waits.append(circuit.until - now)
            now = circuit.until
    assert waits[:3] == [2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert waits[-1] == LONGEST_REST
    circuit.well()
    assert (circuit.room(now, 8), circuit.words) == (8, "")


def test_what_a_server_asks_for_counts_and_refused_credentials_rest() -> None:
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit.failed("429", 0, 5 * MINUTE)
    assert circuit.until == 5 * MINUTE
    circuit = Circuit()
    circuit.pause("401", MINUTE)
    assert (circuit.room(MINUTE - 1, 8), circuit.room(MINUTE, 8)) == (0, 1)


def test_what_was_under_way_when_a_server_failed_does_not_lengthen_its_rest() -> None:
    circuit = Circuit()
    for moment in range(8):
        circuit.failed("gone", moment, 0)
    assert circuit.until == FAILURES - 1 + 2 * SECOND
