"""What a device says of one moment has to fit together."""

from collections.abc import Iterable, Mapping

import pytest

from core.catalogue import CATALOGUE
from core.quality import Limits, Verdict
from ingest.quality.channels import RELATIONS, WATERY, WET
from ingest.quality.table import verdicts_of
from tests.unit.ingest.quality.stream import T0, Came, series_of, stream

GOOD, SUSPECT, FAIL = Verdict.GOOD, Verdict.SUSPECT, Verdict.FAIL
LIMITS = Limits(sentinels=(-999.0,), dry=0.5)


def said(values: Mapping[str, float], limits: Limits = LIMITS) -> dict[str, Verdict]:
    """What physics says of one message, where it says anything."""
    series = series_of(*values)
    made = stream(*[limits] * len(series), series=series)
    made.settle([Came(T0, n, T0, value) for n, value in enumerate(values.values())])
    found = {s.parameter: verdicts_of(made.arrived[s.index, T0][1]).get("physics") for s in series}
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def all_of(values: Iterable[str], verdict: Verdict) -> dict[str, Verdict]:
    return dict.fromkeys(values, verdict)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        pytest.param({"pm1": 5, "pm25": 8, "pm10": 14}, GOOD, id="in order"),
        pytest.param({"pm25": 12, "pm10": 10}, GOOD, id="within the tolerance"),
        pytest.param({"pm25": 80, "pm10": 30}, SUSPECT, id="fine beyond coarse"),
        pytest.param({"pm1": 80, "pm10": 30}, SUSPECT, id="finest beyond coarse"),
        pytest.param({"pm1": 80, "pm25": 30}, SUSPECT, id="finest beyond fine"),
        pytest.param({"dew_point": 24, "air_temperature": 28}, GOOD, id="dew below the air"),
        pytest.param({"dew_point": 28.4, "air_temperature": 28}, GOOD, id="fog"),
        pytest.param({"dew_point": 29, "air_temperature": 28}, SUSPECT, id="dew above the air"),
        pytest.param(
            {"conductivity": 54.3, "salinity": 32.5, "water_temperature": 30},
            GOOD,
            id="sea water",
        ),
        pytest.param(
            {"conductivity": 49.7, "salinity": 32.5, "water_temperature": 30},
            GOOD,
            id="conductivity related to 25 degrees",
        ),
        pytest.param(
            {"conductivity": 54.3, "salinity": 12, "water_temperature": 30},
            SUSPECT,
            id="salt that does not conduct",
        ),
        pytest.param(
            {"dissolved_oxygen": 6.3, "oxygen_saturation": 100, "water_temperature": 30},
            GOOD,
            id="saturated sea",
        ),
        pytest.param(
            {"dissolved_oxygen": 8.69, "oxygen_saturation": 97.52, "water_temperature": 21.46},
            GOOD,
            id="a probe in fresh water",
        ),
        pytest.param(
            {"dissolved_oxygen": 6.3, "oxygen_saturation": 40, "water_temperature": 30},
            SUSPECT,
            id="oxygen that does not saturate",
        ),
    ],
)
def test_channels_that_contradict_each_other_are_suspect(
    values: Mapping[str, float], verdict: Verdict
) -> None:
    assert said(values) == all_of(values, verdict)


def test_it_says_nothing_of_one_channel_alone() -> None:
    assert said({"pm25": 500, "ph": 8}) == {}
    assert said({"pm25": 500, "pm10": -999}) == {}, "what fails by itself tells nothing"


def test_the_one_that_fits_is_not_blamed_by_the_other_two() -> None:
    assert said({"pm1": 80, "pm25": 30, "pm10": 90}) == {
        "pm1": SUSPECT,
        "pm25": SUSPECT,
        "pm10": GOOD,
    }


@pytest.mark.parametrize("teller", ["conductivity", "salinity"])
def test_a_probe_in_the_air_knows_nothing_of_the_water(teller: str) -> None:
    air = {teller: 0.1, "water_temperature": 33, "ph": 7.5, "air_temperature": 33}
    wet = {teller: 30.0, "water_temperature": 29, "ph": 8.1}
    assert said(air) == all_of(air.keys() - {"air_temperature"}, FAIL)
    assert said(wet) == all_of(wet, GOOD)
    assert said(air, Limits()) == {}, "where nothing says when it is dry"


def test_only_what_one_device_says_of_one_moment_in_one_message_is_compared() -> None:
    series = series_of("pm25", "pm10", "pm10", devices=["a", "a", "b"])
    made = stream(*[Limits()] * 3, series=series)
    made.settle([Came(T0, 0, T0, 80.0), Came(T0, 1, T0 - 1, 10.0), Came(T0, 2, T0, 10.0)])
    made.settle([Came(T0 + 5, 0, T0 + 5, 80.0), Came(T0 + 6, 1, T0 + 4, 10.0)])
    assert {tests for _, tests in made.arrived.values()} == {0}


def test_several_moments_in_one_message_are_compared_each_by_itself() -> None:
    made = stream(*[Limits()] * 2, series=series_of("pm25", "pm10"))
    made.settle(
        [
            Came(T0, s, T0 + n, value)
            for n, pair in enumerate(((5, 9), (80, 9)))
            for s, value in enumerate(pair)
        ]
    )
    flags = {key: flag for key, (flag, _) in made.arrived.items()}
    assert flags == {(0, T0): 1, (1, T0): 1, (0, T0 + 1): 3, (1, T0 + 1): 3}


def test_every_channel_is_a_parameter_of_the_catalogue() -> None:

    assert {*WET, *WATERY, *(name for names in RELATIONS.values() for name in names)} <= set(
        CATALOGUE
    )
