"""Values as devices write them."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import MOST_ITEMS, Refused
from ingest.dialects.values import DEEPEST, Quantity, flatten, number, readings, ucum


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        pytest.param(29.8, Quantity(29.8), id="a number"),
        pytest.param(0, Quantity(0.0), id="zero"),
        pytest.param("100.00", Quantity(100.0), id="a number in a text"),
        pytest.param(" -15.7 ", Quantity(-15.7), id="spaces around"),
        pytest.param("1e3", Quantity(1000.0), id="an exponent"),
        pytest.param(".5", Quantity(0.5), id="no leading zero"),
        pytest.param("3.384 V", Quantity(3.384, "V"), id="volts"),
        pytest.param("12 %", Quantity(12.0, "%"), id="percent"),
        pytest.param("12%", Quantity(12.0, "%"), id="percent without a space"),
        pytest.param("30.11 °C", Quantity(30.11, "Cel"), id="degrees"),
        pytest.param("25℃", Quantity(25.0, "Cel"), id="degrees in one sign"),
        pytest.param("86 °F", Quantity(86.0, "[degF]"), id="Fahrenheit"),
        pytest.param("0 uS/cm", Quantity(0.0, "uS/cm"), id="microsiemens"),
        pytest.param("52.1 mS/cm", Quantity(52.1, "mS/cm"), id="millisiemens"),
        pytest.param("7 µg/m³", Quantity(7.0, "ug/m3"), id="micro sign"),
        pytest.param("7 μg/m3", Quantity(7.0, "ug/m3"), id="Greek letter"),
        pytest.param("5\u00a0ppm", Quantity(5.0, "[ppm]"), id="a space that does not break"),
        pytest.param("3 furlong", Quantity(3.0, "furlong"), id="a unit that we do not know"),
        pytest.param(True, Quantity(1.0, "{flag}"), id="a flag"),
        pytest.param(False, Quantity(0.0, "{flag}"), id="a flag that is not set"),
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param("ok", None, id="a word"),
        pytest.param("3.1.3", None, id="a version"),
        pytest.param("NRZ-2018-121C", None, id="another version"),
        pytest.param("6749D19054690031", None, id="a serial number"),
        pytest.param("0x1F", None, id="hexadecimal"),
        pytest.param("12:30", None, id="a time of day"),
        pytest.param("5 minutes ago", None, id="words after a number"),
        pytest.param("1,5", None, id="a comma"),
        pytest.param("๑๒", None, id="Thai digits"),
        pytest.param("1" * 5000, None, id="five thousand digits"),
        pytest.param([1], None, id="a list"),
    ],
)
def test_it_reads_quantities(stated: object, meant: Quantity | None) -> None:
    assert number(stated) == meant


@pytest.mark.parametrize(
    "stated",
    [
        pytest.param("NaN", id="NaN as a text"),
        pytest.param("-inf", id="inf as a text"),
        pytest.param("Infinity", id="Infinity as a text"),
        pytest.param("1e999", id="1e999"),
        pytest.param("-1e999 V", id="1e999 with a unit"),
        pytest.param(10**400, id="400 digits"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(float("inf"), id="inf"),
    ],
)
def test_it_refuses_what_is_meant_as_a_number_and_is_none(stated: object) -> None:
    with pytest.raises(DecodeError) as refused:
        number(stated)
    assert refused.value.reason is Refusal.NOT_A_NUMBER


def test_it_leaves_spellings_alone_that_it_does_not_know() -> None:
    assert ucum("furlong") == "furlong"


def test_it_takes_the_format_s_unit_where_the_value_states_none() -> None:
    found = readings("d", 7, {"t": "20.5", "u": "68 °F"}, {"t": "Cel", "u": "Cel"}.get)
    assert found == [Reading("d", "t", 7, 20.5, "Cel"), Reading("d", "u", 7, 68.0, "[degF]")]


def test_it_refuses_one_value_and_takes_the_others() -> None:
    found = readings("d", 7, {"a": "NaN", "b": 1})
    assert found == [
        Refused(Refusal.NOT_A_NUMBER, "a: NaN is no finite number"),
        Reading("d", "b", 7, 1.0, None),
    ]


def test_it_joins_the_levels_of_a_tree_with_dots() -> None:
    tree = {"a": {"b": 1, "c": {"d": 2}}, "e": [3, {"f": 4}], "g": {}, "h": []}
    assert dict(flatten(tree)) == {"a.b": 1, "a.c.d": 2, "e.0": 3, "e.1.f": 4}


def test_it_follows_a_tree_to_its_deepest_level_and_no_further() -> None:
    tree: dict[str, object] = {"x": 1}
    for _ in range(DEEPEST - 1):
        tree = {"x": tree}
    assert len(list(flatten(tree))) == 1
    with pytest.raises(DecodeError, match="too-deep"):
        list(flatten({"x": tree}))


def test_it_refuses_more_values_than_make_sense() -> None:
    assert len(list(flatten({"x": [1] * MOST_ITEMS}))) == MOST_ITEMS
    with pytest.raises(DecodeError, match="too-large"):
        readings("d", 7, {"x": [1] * (MOST_ITEMS + 1)})
