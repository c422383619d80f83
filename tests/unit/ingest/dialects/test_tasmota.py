"""Tasmota's telemetry."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.times import iso
from ingest.dialects.tasmota import tasmota
from tests.samples import BANGKOK, devices, incoming, items, needs_samples, readings, sample, times

TOPIC = "tele/tasmota_F847F7/SENSOR"
MESSAGE = {
    "Time": "2026-03-07T12:54:34",
    "BME280": {"Temperature": 20.7, "Humidity": 24.4, "Pressure": 1013.4},
    "PMS5003": {"PM2.5": 32, "PB0.3": 4146},
    "DHT11": {"Temperature": None},
    "PressureUnit": "hPa",
    "TempUnit": "C",
}


def test_it_reads_local_time_in_the_source_s_zone() -> None:
    found = items(tasmota, MESSAGE, topic=TOPIC, zone=BANGKOK)
    assert readings(found) == {
        "BME280.Temperature": (20.7, "Cel"),
        "BME280.Humidity": (24.4, "%"),
        "BME280.Pressure": (1013.4, "hPa"),
        "PMS5003.PM2.5": (32.0, "ug/m3"),
        "PMS5003.PB0.3": (4146.0, None),
    }
    assert devices(found) == {"tasmota_F847F7"}
    assert [iso(at) for at in times(found)] == ["2026-03-07T05:54:34Z"]


def test_it_refuses_local_time_when_the_source_names_no_zone() -> None:
    with pytest.raises(DecodeError) as refused:
        tasmota(incoming(MESSAGE, topic=TOPIC))
    assert refused.value.reason is Refusal.TIME_INVALID
    assert "names no zone" in refused.value.detail


def test_an_offset_of_its_own_needs_no_zone() -> None:
    message = MESSAGE | {"Time": "2026-03-07T12:54:34+07:00"}
    assert [iso(at) for at in times(items(tasmota, message, topic=TOPIC))] == [
        "2026-03-07T05:54:34Z"
    ]


@pytest.mark.parametrize(
    ("stated", "temperature", "pressure"),
    [
        pytest.param({"TempUnit": "F", "PressureUnit": "mmHg"}, "[degF]", "mm[Hg]", id="mercury"),
        pytest.param({"TempUnit": "C", "PressureUnit": "inHg"}, "Cel", "[in_i'Hg]", id="inches"),
        pytest.param({"TempUnit": 1, "PressureUnit": []}, None, None, id="no texts"),
        pytest.param({}, None, None, id="none stated"),
    ],
)
def test_it_takes_the_units_that_the_device_states(
    stated: dict[str, object], temperature: str | None, pressure: str | None
) -> None:
    message = {"BME280": {"Temperature": 68, "Pressure": 760}} | stated
    assert readings(items(tasmota, message, topic=TOPIC)) == {
        "BME280.Temperature": (68.0, temperature),
        "BME280.Pressure": (760.0, pressure),
    }


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        pytest.param("tele/pm-kata/SENSOR", "pm-kata", id="prefix first"),
        pytest.param("pm-kata/tele/SENSOR", "pm-kata", id="prefix last"),
        pytest.param("phuket/kata/tele/pm-kata/STATE", "pm-kata", id="more levels"),
    ],
)
def test_it_finds_the_device_in_the_topic(topic: str, device: str) -> None:
    assert devices(items(tasmota, {"Wifi": {"Signal": -46}}, topic=topic)) == {device}


@pytest.mark.parametrize("topic", ["tele/pm-kata/LWT", "SENSOR", "tele//SENSOR", ""])
def test_it_refuses_topics_without_readings(topic: str) -> None:
    with pytest.raises(DecodeError) as refused:
        tasmota(incoming(b"Online", topic=topic))
    assert refused.value.reason is Refusal.UNKNOWN_TOPIC


@pytest.mark.parametrize("time", [7, True, {}, "2026-03-07T24:00:00", ""])
def test_it_refuses_a_time_that_is_none(time: object) -> None:
    with pytest.raises(DecodeError) as refused:
        tasmota(incoming(MESSAGE | {"Time": time}, topic=TOPIC, zone=BANGKOK))
    assert refused.value.reason is Refusal.TIME_INVALID


@needs_samples
def test_it_reads_the_sample() -> None:
    message = sample("tasmota_tele_sensor_pms5003_bme280")["message"]
    taken = readings(items(tasmota, message, topic=TOPIC, zone=BANGKOK))
    assert len(taken) == 16
    assert taken["BME280.DewPoint"] == (-0.4, "Cel")
    assert taken["BME280.Pressure"] == (1013.4, "hPa")
    assert taken["PMS5003.PM2.5"] == (32.0, "ug/m3")
    assert taken["PMS5003.PM10"] == (49.0, "ug/m3")
