"""Entities of the Smart Data Models."""

from typing import Any

import msgspec
import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.times import iso
from ingest.dialects.shape import MOST_ITEMS, Refused
from ingest.dialects.smart_data import smart_data
from tests.samples import (
    BANGKOK,
    RECEIVED_AT,
    devices,
    incoming,
    items,
    needs_samples,
    readings,
    sample,
    times,
)

OBSERVED = "2026-11-22T06:45:00Z"
PLACE = {"type": "Point", "coordinates": [98.2963, 7.8966]}


def water(**attributes: Any) -> dict[str, Any]:
    """An observation of the sea, as key-values."""
    head = {"id": "water:patong", "type": "WaterQualityObserved", "location": PLACE}
    return head | {"dateObserved": OBSERVED} | attributes


@pytest.mark.parametrize(
    "entity",
    [
        pytest.param(water(temperature=29.8, pH=8.1, conductivity=5.2, O2=6), id="key-values"),
        pytest.param(
            {
                "id": "water:patong",
                "type": "WaterQualityObserved",
                "location": {"type": "geo:json", "value": PLACE},
                "dateObserved": {"type": "DateTime", "value": OBSERVED},
                "temperature": {"type": "Number", "value": 29.8},
                "pH": {"type": "Number", "value": 8.1, "metadata": {}},
                "conductivity": {"value": 5.2},
                "O2": {"value": 6},
            },
            id="normalized",
        ),
        pytest.param(
            {
                "id": "water:patong",
                "type": "https://smartdatamodels.org/dataModel.WaterQuality/WaterQualityObserved",
                "location": {"type": "GeoProperty", "value": PLACE},
                "dateObserved": {
                    "type": "Property",
                    "value": {"@type": "DateTime", "@value": OBSERVED},
                },
                "temperature": {"type": "Property", "value": 29.8, "unitCode": "CEL"},
                "pH": {"type": "Property", "value": 8.1},
                "conductivity": {"type": "Property", "value": 5.2, "observedAt": OBSERVED},
                "O2": {"type": "Property", "value": 6},
                "@context": ["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"],
            },
            id="NGSI-LD",
        ),
    ],
)
def test_the_three_forms_say_the_same(entity: object) -> None:
    found = items(smart_data, entity)
    assert readings(found) == {
        "temperature": (29.8, "Cel"),
        "pH": (8.1, "[pH]"),
        "conductivity": (5.2, "S/m"),
        "O2": (6.0, "mg/L"),
    }
    assert devices(found) == {"water:patong"}
    assert [iso(at) for at in times(found)] == [OBSERVED]


@pytest.mark.parametrize(
    ("kind", "key", "stated", "percent"),
    [
        pytest.param("WasteContainer", "fillingLevel", 0.4, 40.0, id="fill"),
        pytest.param("WasteContainer", "fillingLevel", 0.07, 7.0, id="without a float's tail"),
        pytest.param("WasteContainer", "fillingLevel", 1, 100.0, id="full"),
        pytest.param("AirQualityObserved", "relativeHumidity", 0.54, 54.0, id="humidity"),
        pytest.param("AirQualityObserved", "relativeHumidity", 1.02, 102.0, id="oversaturated"),
        pytest.param(
            "AirQualityObserved",
            "relativeHumidity",
            {"value": 0.54, "unitCode": "C62"},
            54.0,
            id="a ratio by its unit code",
        ),
        pytest.param(
            "AirQualityObserved",
            "relativeHumidity",
            {"value": 54, "unitCode": "P1"},
            54.0,
            id="a percentage by its unit code",
        ),
    ],
)
def test_fractions_become_percentages(kind: str, key: str, stated: Any, percent: float) -> None:
    found = items(smart_data, {"id": "x", "type": kind, key: stated})
    assert readings(found) == {key: (percent, "%")}


def test_it_does_not_guess_at_a_fraction_that_is_none() -> None:
    (refused,) = items(smart_data, {"id": "x", "type": "WasteContainer", "fillingLevel": 40})
    assert refused == Refused(Refusal.UNKNOWN_UNIT, "fillingLevel: 40 is no fraction of 1")


@pytest.mark.parametrize(
    ("attribute", "unit"),
    [
        pytest.param({"value": 11, "unitCode": "GQ"}, "ug/m3", id="NGSI-LD"),
        pytest.param(
            {"value": 11, "metadata": {"unitCode": {"value": "GP"}}}, "mg/m3", id="NGSIv2"
        ),
        pytest.param({"value": 11, "unitCode": "XYZ"}, "XYZ", id="a code that we do not know"),
        pytest.param(11, None, id="none: the model has none for gases"),
    ],
)
def test_units_are_the_attribute_s_own(attribute: object, unit: str | None) -> None:
    found = items(smart_data, {"id": "x", "type": "AirQualityObserved", "no2": attribute})
    assert readings(found) == {"no2": (11.0, unit)}


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        pytest.param(None, iso(RECEIVED_AT), id="none: when it was received"),
        pytest.param(
            "2016-03-15T11:00:00/2016-03-15T12:00:00", "2016-03-15T05:00:00Z", id="an interval"
        ),
        pytest.param("2016-03-15T11:00:00Z", "2016-03-15T11:00:00Z", id="UTC"),
    ],
)
def test_it_takes_the_time_of_the_observation(stated: str | None, meant: str) -> None:
    found = items(smart_data, water(temperature=29.8, dateObserved=stated), zone=BANGKOK)
    assert [iso(at) for at in times(found)] == [meant]


def test_an_attribute_can_have_a_time_of_its_own() -> None:
    attribute = {"value": 8.1, "observedAt": "2026-11-22T06:50:00Z"}
    found = items(smart_data, water(pH=attribute, temperature=29.8))
    assert {iso(at) for at in times(found)} == {OBSERVED, "2026-11-22T06:50:00Z"}


@pytest.mark.parametrize(
    ("monitors", "device"),
    [
        pytest.param(["probe-1"], "probe-1", id="one"),
        pytest.param("probe-1", "probe-1", id="a text"),
        pytest.param({"type": "Relationship", "object": "probe-1"}, "probe-1", id="a relationship"),
        pytest.param({"type": "array", "value": ["probe-1"]}, "probe-1", id="normalized"),
        pytest.param(["probe-1", "probe-2"], "water:patong", id="two: which one is not said"),
        pytest.param([], "water:patong", id="none"),
    ],
)
def test_the_device_is_the_one_that_monitors(monitors: object, device: str) -> None:
    assert devices(items(smart_data, water(temperature=29.8, refDevice=monitors))) == {device}


@pytest.mark.parametrize("wrapped", ["a list", "a notification"])
def test_it_reads_many_entities_and_refuses_one_alone(wrapped: str) -> None:
    entities = [water(pH=8.1), {"id": "x", "type": "Alert"}, {"type": "WasteContainer"}]
    message = entities if wrapped == "a list" else {"subscriptionId": "s", "data": entities}
    found = items(smart_data, message)
    assert readings(found) == {"pH": (8.1, "[pH]")}
    refused = [item for item in found if isinstance(item, Refused)]
    assert [item.reason for item in refused] == [Refusal.WRONG_SHAPE, Refusal.WRONG_SHAPE]


@pytest.mark.parametrize("stated", ["2026-11-22T24:00:00Z", 7, ["2026"]])
def test_it_refuses_an_observation_that_it_cannot_place(stated: object) -> None:
    (refused,) = items(smart_data, water(temperature=29.8, dateObserved=stated))
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.TIME_INVALID


def test_flags_texts_and_places_are_no_readings() -> None:
    assert items(smart_data, water(pH="8.1", open=True, status="ok", name="12")) == []


def test_it_refuses_more_entities_than_make_sense() -> None:
    with pytest.raises(DecodeError, match="too-large"):
        smart_data(incoming([{}] * (MOST_ITEMS + 1)))


@pytest.mark.parametrize("message", [[1], "x", [["x"]]])
def test_it_refuses_another_shape(message: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        smart_data(incoming(message))


@needs_samples
def test_it_reads_the_sample() -> None:
    found = items(smart_data, sample("fiware_wastecontainer")["message"])
    assert readings(found) == {"fillingLevel": (40.0, "%")}
    assert devices(found) == {"device-Fleming:12a:1"}
