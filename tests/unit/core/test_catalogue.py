"""The catalogue: what it promises to whoever scales, labels or checks by it."""

from itertools import groupby

import pytest

from core.catalogue import CATALOGUE, Parameter

GROUPS = ["water", "air", "bin", "weather", "health", "other"]

each = pytest.mark.parametrize("parameter", CATALOGUE.values(), ids=lambda p: p.key)


def test_it_covers_water_air_bins_weather_and_health() -> None:
    assert len(CATALOGUE) >= 35
    assert [group for group, _ in groupby(p.group for p in CATALOGUE.values())] == GROUPS


@pytest.mark.parametrize("group", GROUPS[:-1])
def test_a_group_is_in_order(group: str) -> None:
    keys = [p.key for p in CATALOGUE.values() if p.group == group]
    assert len(keys) >= 5
    assert keys == sorted(keys), "in the order of their keys, so that a new one has its place"


@each
def test_spans_lie_within_each_other(parameter: Parameter) -> None:
    low, high = parameter.physical
    usual_low, usual_high = parameter.usual
    assert low <= usual_low < usual_high <= high
    assert low < high


@each
def test_it_has_a_label_in_both_languages(parameter: Parameter) -> None:
    assert set(parameter.label) == {"en", "th"}
    assert parameter.label["en"].isascii()
    assert any("\u0e00" <= letter <= "\u0e7f" for letter in parameter.label["th"])


@each
def test_it_has_a_key_that_can_be_a_field_and_a_unit(parameter: Parameter) -> None:
    assert parameter.key == parameter.key.lower()
    assert parameter.key.replace("_", "").isalnum()
    assert parameter.unit
    assert " " not in parameter.unit


def test_no_label_is_given_twice() -> None:
    for language in ("en", "th"):
        labels = [p.label[language] for p in CATALOGUE.values()]
        assert len(set(labels)) == len(labels)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOGUE["ph"].label["en"] = "x"  # type: ignore[index]
    with pytest.raises(TypeError):
        CATALOGUE["x"] = CATALOGUE["ph"]  # type: ignore[index]
