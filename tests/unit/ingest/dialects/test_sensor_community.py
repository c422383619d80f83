"""What sensor.community stations push."""

from typing import Any

import msgspec
import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.sensor_community import sensor_community
from ingest.dialects.shape import Refused
from tests.samples import RECEIVED_AT, devices, incoming, items, needs_samples, readings, sample

HEADERS = {"x-sensor": "esp8266-12345678"}


def push(**values: Any) -> dict[str, Any]:
    """A push of these values."""
    pairs = [{"value_type": key, "value": value} for key, value in values.items()]
    return {"software_version": "NRZ-2018-121C", "sensordatavalues": pairs}


def test_it_reads_texts_with_the_units_of_the_network() -> None:
    message = push(SDS_P1="1.87", P2="1.05", BME280_pressure="100659.00", temperature=26.8)
    found = items(sensor_community, message, headers=HEADERS)
    assert readings(found) == {
        "SDS_P1": (1.87, "ug/m3"),
        "P2": (1.05, "ug/m3"),
        "BME280_pressure": (100659.0, "Pa"),
        "temperature": (26.8, "Cel"),
    }
    assert devices(found) == {"esp8266-12345678"}


@pytest.mark.parametrize(
    "identity", [pytest.param("12345678", id="a text"), pytest.param(12345678, id="a number")]
)
def test_the_id_in_the_body_names_the_station_as_the_header_does(identity: str | int) -> None:
    found = items(sensor_community, push(P1="1") | {"esp8266id": identity})
    assert devices(found) == {"esp8266-12345678"}


@pytest.mark.parametrize("value", ["nan", "", "error", "1e999", "12:30"])
def test_it_refuses_a_value_that_is_no_number_and_takes_the_next(value: str) -> None:
    refused, taken = items(sensor_community, push(P1=value, P2="2"), headers=HEADERS)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_A_NUMBER
    assert taken == Reading("esp8266-12345678", "P2", RECEIVED_AT, 2.0, "ug/m3")


def test_it_refuses_a_station_without_a_name() -> None:
    with pytest.raises(DecodeError, match="X-Sensor or esp8266id"):
        sensor_community(incoming(push(P1="1")))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({}, id="no values"),
        pytest.param({"sensordatavalues": {}}, id="values that are no list"),
        pytest.param(push(P1=True), id="a flag"),
        pytest.param(push(P1=None), id="a null"),
        pytest.param(push() | {"esp8266id": 10**30}, id="an id beyond all stations"),
    ],
)
def test_it_refuses_another_shape(message: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        sensor_community(incoming(message, headers=HEADERS))


@needs_samples
def test_it_reads_the_sample() -> None:
    message = sample("luftdaten_push_2018")["message"]
    assert readings(items(sensor_community, message, headers=HEADERS)) == {
        "SDS_P1": (1.87, "ug/m3"),
        "SDS_P2": (1.05, "ug/m3"),
        "BMP_pressure": (100659.0, "Pa"),
        "BMP_temperature": (26.8, "Cel"),
        "samples": (924605.0, None),
        "min_micro": (147.0, None),
        "max_micro": (1849213.0, None),
        "signal": (-52.0, "dBm"),
    }
