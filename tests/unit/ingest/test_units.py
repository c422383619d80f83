"""Units as devices write them, in the catalogue's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import CATALOGUE
from ingest.units import IDENTITY, UnknownUnitError, conversion


@pytest.mark.parametrize(
    ("value", "unit", "parameter", "expected"),
    [
        pytest.param(48_500.0, "uS/cm", "conductivity", 48.5, id="µS/cm"),
        pytest.param(48.5, "mS/cm", "conductivity", 48.5, id="mS/cm"),
        pytest.param(4.85, "S/m", "conductivity", 48.5, id="S/m"),
        pytest.param(86.0, "[degF]", "air_temperature", 30.0, id="Fahrenheit has an offset"),
        pytest.param(303.15, "K", "air_temperature", 30.0, id="Kelvin"),
        pytest.param(-40.0, "[degF]", "air_temperature", -40.0, id="below zero"),
        pytest.param(100_659.0, "Pa", "air_pressure", 1006.59, id="Pa"),
        pytest.param(101.3, "kPa", "air_pressure", 1013.0, id="kPa"),
        pytest.param(29.92, "[in_i'Hg]", "air_pressure", 1013.20745, id="inches of mercury"),
        pytest.param(760.0, "mm[Hg]", "air_pressure", 1013.25, id="millimetres of mercury"),
        pytest.param(0.5, "bar", "water_pressure", 50.0, id="bar"),
        pytest.param(1200.0, "mm", "water_level", 1.2, id="mm"),
        pytest.param(120.0, "cm", "water_level", 1.2, id="cm"),
        pytest.param(1.2, "m", "distance", 1200.0, id="m"),
        pytest.param(0.05, "[ppm]", "o3", 50.0, id="ppm"),
        pytest.param(3045.0, "mV", "battery_voltage", 3.045, id="mV"),
        pytest.param(0.42, "1", "fill_level", 42.0, id="a fraction"),
        pytest.param(31.8, "FNU", "turbidity", 31.8, id="formazin"),
        pytest.param(8.69, "g/L", "dissolved_oxygen", 8690.0, id="g/L"),
        pytest.param(0.02, "mg/L", "chlorophyll", 20.0, id="mg/L"),
        pytest.param(0.032, "mg/m3", "pm25", 32.0, id="mg/m³"),
        pytest.param(36.0, "km/h", "wind_speed", 10.0, id="km/h"),
    ],
)
def test_it_converts_to_the_unit_of_the_catalogue(
    value: float, unit: str, parameter: str, expected: float
) -> None:
    wanted = CATALOGUE[parameter].unit
    assert conversion(unit, wanted, parameter)(value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("parameter", "value", "unit", "expected"),
    [
        pytest.param("no2", 46.006, "ug/m3", 24.45, id="NO2: a mole fills 24.45 L"),
        pytest.param("so2", 26.2, "ug/m3", 10.0, id="SO2"),
        pytest.param("o3", 137.4, "ug/m3", 70.0, id="O3"),
        pytest.param("co", 10.31, "mg/m3", 9.0, id="CO, in ppm"),
    ],
)
def test_it_converts_the_mass_of_a_gas_to_its_share_of_the_air(
    parameter: str, value: float, unit: str, expected: float
) -> None:
    wanted = CATALOGUE[parameter].unit
    assert conversion(unit, wanted, parameter)(value) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("unit", "wanted", "words"),
    [
        pytest.param("furlong", "m", "the unit furlong is not known", id="unknown"),
        pytest.param("", "m", "the unit  is not known", id="empty"),
        pytest.param("Cel", "%", "Cel does not convert to %", id="another quantity"),
        pytest.param("ug/m3", "[ppb]", "ug/m3 does not convert to", id="mass of no gas"),
        pytest.param("mg/L", "[NTU]", "mg/L does not convert to", id="solids are no turbidity"),
        pytest.param("{flag}", "%", "{flag} does not convert to %", id="a flag is no number"),
        pytest.param("mS/cm", "[psu]", "mS/cm does not convert to", id="salinity is a scale"),
        pytest.param("[pH]", "mV", "does not convert to mV", id="acidity is a scale"),
    ],
)
def test_it_guesses_no_unit(unit: str, wanted: str, words: str) -> None:
    with pytest.raises(UnknownUnitError) as error:
        conversion(unit, wanted)
    assert words in str(error.value)


@pytest.mark.parametrize("parameter", CATALOGUE)
def test_it_knows_each_unit_of_the_catalogue_and_leaves_it_alone(parameter: str) -> None:
    unit = CATALOGUE[parameter].unit
    assert conversion(unit, unit, parameter) is IDENTITY
    assert conversion(unit, unit)(0.1 + 0.2) == 0.3


@given(st.floats(-1e6, 1e6))
def test_it_comes_back_to_the_same_value(value: float) -> None:
    there, back = conversion("uS/cm", "mS/cm"), conversion("mS/cm", "uS/cm")
    assert back(there(value)) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_it_leaves_no_binary_dust() -> None:
    assert conversion("Pa", "hPa")(100_659.0) == 1006.59
    assert conversion("mV", "V")(3045.0) == 3.045
