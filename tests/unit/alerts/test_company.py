"""What others do while a series leaps: kin on the device, and neighbours."""

from collections.abc import Mapping

import numpy as np
import pytest

from alerts.company import Leap, leap, shared
from alerts.kinship import kin
from alerts.shapes import moved, spikes, turns
from core.catalogue import CATALOGUE
from core.readings import Columns, FloatColumn, no_columns
from core.times import HOUR, MINUTE
from core.verdicts import Track

START = 1_795_323_600_000_000
COUNT = 72  # five minutes apart: six hours


def track(parameter: str, values: FloatColumn, every: int = 5 * MINUTE) -> Track:
    at = START + every * np.arange(len(values))
    lately = Columns(
        series=np.zeros(len(at), np.int64),
        measured_at=at,
        received_at=at,
        value=values,
        flag=np.ones(len(at), np.uint8),
        tests=np.zeros(len(at), np.uint32),
        late=np.zeros(len(at), np.bool_),
    )
    return Track("probe", parameter, {"en": "Patong", "th": "ป่าตอง"}, 2.0, lately, no_columns())


def quiet(parameter: str, level: float, seed: int = 1, **leaps: float) -> Track:
    """A series that moves a little about a level; from reading `rN` on it is so much higher."""
    low, high = CATALOGUE[parameter].usual
    noise = np.random.default_rng(seed).normal(0, 0.002 * (high - low), COUNT)
    values = level + noise
    for row, by in leaps.items():
        values[int(row[1:]) :] += by
    return track(parameter, values)


def seen(
    own: Track, channels: Mapping[str, Track] | None = None, *neighbours: Track
) -> Leap | None:
    return leap(own, channels or {}, neighbours)


def test_a_series_that_moves_as_ever_does_not_leap() -> None:
    assert seen(quiet("turbidity", 3.0)) is None
    assert seen(track("turbidity", np.array([3.0, 9.0]))) is None
    assert seen(track("turbidity", np.empty(0))) is None


def test_a_leap_is_seen_with_its_levels_at_any_pace() -> None:
    found = seen(quiet("turbidity", 3.0, r40=60.0))
    assert found is not None
    assert (round(found.before), round(found.after)) == (3, 63)
    hourly = seen(track("pm25", np.array([20.0, 22, 21, 20, 180, 190]), every=HOUR))
    assert hourly is not None
    assert (hourly.before, hourly.after) == (20.0, 180.0)


def test_kin_that_leaps_at_that_time_joins_it() -> None:
    own = quiet("turbidity", 3.0, r40=60.0)
    channels = {
        "salinity": quiet("salinity", 32.0, 2, r40=-6.0),
        "ph": quiet("ph", 8.1, 3),
        "dissolved_oxygen": quiet("dissolved_oxygen", 6.0, 4, r10=-3.0),
        "water_level": quiet("water_level", 2.0, 5, r40=1.0),
    }
    found = seen(own, channels)
    assert found is not None
    assert (found.kin, list(found.joined)) == (3, ["salinity"])


def test_a_neighbour_goes_along_that_goes_a_good_part_of_the_way() -> None:
    own = quiet("wave_height", 1.0, r40=2.0)
    along, less, other_way = (
        quiet("wave_height", 1.0, seed, r30=by) for seed, by in ((2, 1.5), (3, 0.2), (4, -2.0))
    )
    found = seen(own, None, along, less, other_way)
    assert found is not None
    assert (found.near, found.along) == (3, 1)


@pytest.mark.parametrize(
    ("parameter", "other"),
    [("pm25", "pm10"), ("pm10", "pm1"), ("dissolved_oxygen", "oxygen_saturation")],
)
def test_what_one_sensor_tells_twice_is_no_kin(parameter: str, other: str) -> None:
    assert other not in kin(parameter)


def test_spikes_are_shared_where_other_channels_leap_at_the_same_moments() -> None:
    own, same, others = (
        quiet(p, level) for p, level in (("turbidity", 3.0), ("ph", 8.1), ("ph", 8.1))
    )
    rows = np.array([20, 41])
    own.values[rows] += 50
    same.values[rows] -= 1
    others.values[rows + 3] -= 1
    found = spikes(own, moved(own, START + 6 * HOUR, START + 6 * HOUR))
    assert found.tolist() == rows.tolist()
    assert shared(own, {"ph": same}, found) == 1.0
    assert shared(own, {"ph": others}, found) == 0.0


def test_what_is_much_is_patchy_and_turns_only_far_beyond_that() -> None:
    at = START + 6 * HOUR
    zigzag = np.tile([1.0, -1.0], COUNT // 2)
    for level, swing, some in ((90.0, 15.0, False), (90.0, 60.0, True), (3.0, 15.0, True)):
        own = track("turbidity", level + swing * np.maximum(zigzag, -level / swing))
        neighbour = quiet("turbidity", 2.0, 2)
        assert bool(len(turns(own, moved(own, at, at), [neighbour]))) is some
