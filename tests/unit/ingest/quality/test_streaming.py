"""How a stream is cut, and when the process begins anew, changes nothing."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.quality import Climate, Limits
from core.times import HOUR, MINUTE, SECOND
from tests.unit.ingest.quality.stream import T0, Came, Stream, series_of, sites_of, stream

EVERY_TEST = Limits(
    sentinels=(-999.0,),
    sensor_span=(-50, 50),
    user_span=(-40, 40),
    climatology=(Climate(months=frozenset({11}), hours=frozenset(range(5)), span=(-20, 20)),),
    dry=0.5,
    spike=5,
    spike_fail=15,
    rate=0.5,
    noise_factor=1.5,
    reach=3600.0,
    flat_tolerance=0.2,
    flat_suspect=1800.0,
    flat_fail=7200.0,
    rests=(7, 7),
    attenuated=3.0,
    neighbour_difference=4.0,
    neighbour_km=5.0,
    ahead=60.0,
    late=7200.0,
    gap=3 * 3600.0,
)
SERIES = series_of(
    "water_temperature",
    "salinity",
    "water_temperature",
    "water_temperature",
    devices=["a", "a", "b", "c"],
    sites=["west", "west", "middle", "east"],
)
SITES = sites_of(west=0, middle=2, east=4)
STEPS = [SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 4 * HOUR, 30 * HOUR]
VALUES = [0.0, 0.1, 0.3, 1.0, 4.0, 7.0, 9.0, -6.0, 25.0, 45.0, 60.0, -999.0]


@st.composite
def messages(draw: st.DrawFn) -> list[list[Came]]:
    """Messages in order of arrival: one or several series and times, late, doubled, ahead."""
    found: list[list[Came]] = []
    pace = draw(st.sampled_from([STEPS[:4], STEPS[2:5], STEPS]))
    received = T0
    for _ in range(draw(st.integers(1, 40))):
        received += draw(st.sampled_from(pace))
        lags = draw(
            st.lists(st.sampled_from([0, 0, 0, 0, *STEPS, -2 * MINUTE]), min_size=1, max_size=2)
        )
        chosen = draw(st.sets(st.integers(0, 3), min_size=1))
        message = {
            (series, (received - lag) // SECOND * SECOND): draw(st.sampled_from(VALUES))
            for lag in sorted(lags, reverse=True)
            for series in sorted(chosen)
        }
        found.append([Came(received, s, at, value) for (s, at), value in message.items()])
    return found


def fed(batches: list[list[list[Came]]], restarts: frozenset[int] = frozenset()) -> Stream:
    made = stream(*[EVERY_TEST] * 4, series=SERIES, sites=SITES)
    for number, batch in enumerate(batches):
        made.settle([row for message in batch for row in message])
        if number in restarts:
            made.restart()
    return made


@settings(max_examples=100, deadline=None)
@given(messages(), st.data())
def test_it_changes_nothing_how_the_stream_is_cut(came: list[list[Came]], data: Any) -> None:
    cuts = data.draw(st.frozensets(st.integers(1, len(came))), label="cuts")
    places = [0, *sorted(cuts - {len(came)}), len(came)]
    batches = [came[start:end] for start, end in pairwise(places)]
    restarts = data.draw(st.frozensets(st.integers(0, len(batches))), label="restarts")
    one_by_one, cut = fed([[message] for message in came]), fed(batches, restarts)
    assert cut.arrived == one_by_one.arrived
    assert cut.revisions == one_by_one.revisions
    assert cut.stored == one_by_one.stored
