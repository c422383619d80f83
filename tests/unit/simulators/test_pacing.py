"""How fast a stream goes through a fleet, and what becomes of what no broker takes."""

import socket
from collections.abc import Iterator

import pytest

from core.times import SECOND
from simulators.fleet import Fleet, Place
from simulators.gateways import MOST_KEPT, Gateway, Sample, account
from simulators.pacing import Pace, drive
from simulators.sendings import Sending

BEYOND = 5
STREAM = [
    Sending(n * SECOND, "gw", Sample("probe", n * SECOND, {"ph": 8.1}))
    for n in range(MOST_KEPT + BEYOND)
]


@pytest.fixture
def nobody() -> Iterator[Fleet]:
    """A fleet whose broker is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fleet = Fleet(Place("127.0.0.1", port), [Gateway("gw", epoch="b7")], {})
    yield fleet
    fleet.close()


@pytest.mark.parametrize(
    ("pace", "due"),
    [
        pytest.param(Pace(), 600, id="as it happens"),
        pytest.param(Pace(speed=60), 10, id="60 times as fast"),
        pytest.param(Pace(speed=None), 0, id="as fast as it is taken"),
        pytest.param(Pace(speed=None, rate=2), 50, id="no more than two a second"),
        pytest.param(Pace(speed=60, rate=20), 10, id="the slower of both"),
    ],
)
def test_a_message_is_due_by_speed_and_rate(pace: Pace, due: float) -> None:
    assert pace.due(600 * SECOND, 100) == due


def test_at_a_speed_the_world_goes_on_and_the_buffer_drops_its_oldest(nobody: Fleet) -> None:
    seen: list[int] = []
    drive(STREAM, nobody, Pace(speed=1e9), 0, seen.append, lambda: False)
    found = account(nobody.gateways)
    assert (found.dropped, found.waiting) == (BEYOND, MOST_KEPT)
    assert seen == [sending.at for sending in STREAM]


def test_as_fast_as_it_is_taken_the_stream_waits_for_room_until_it_is_stopped(
    nobody: Fleet,
) -> None:
    sent: list[int] = []
    drive(STREAM, nobody, Pace(speed=None), 0, sent.append, lambda: len(sent) == MOST_KEPT)
    assert account(nobody.gateways).dropped == 0
