"""AirGradient monitors."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from ingest.dialects.airgradient import airgradient
from ingest.dialects.shape import Refused
from tests.samples import (
    RECEIVED_AT,
    devices,
    incoming,
    items,
    needs_samples,
    readings,
    sample,
    times,
)

TOPIC = "airgradient/readings/84fce612eff4"


def test_it_reads_values_with_the_units_that_the_maker_states() -> None:
    message = {"pm02": 7, "pm02Compensated": 6.1, "rco2": 447, "atmp": 25.87, "tvocRaw": 33051}
    found = items(airgradient, message | {"model": "I-9PSL", "rhum": None}, topic=TOPIC)
    assert readings(found) == {
        "pm02": (7.0, "ug/m3"),
        "pm02Compensated": (6.1, "ug/m3"),
        "rco2": (447.0, "[ppm]"),
        "atmp": (25.87, "Cel"),
        "tvocRaw": (33051.0, None),
    }
    assert devices(found) == {"84fce612eff4"}
    assert times(found) == {RECEIVED_AT}


def test_the_serial_number_in_the_message_wins_over_the_topic() -> None:
    assert devices(items(airgradient, {"serialno": "a1", "wifi": -46}, topic=TOPIC)) == {"a1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("tvoc_raw", "tvocRaw"), ("nox_raw", "noxRaw"), ("tvoc_index", "tvocIndex")],
)
def test_a_profile_needs_one_name_for_all_firmware(old: str, new: str) -> None:
    assert items(airgradient, {old: 5}, topic=TOPIC) == items(airgradient, {new: 5}, topic=TOPIC)


def test_the_channels_of_a_double_sensor_stay_apart() -> None:
    found = items(airgradient, {"channels": {"1": {"pm02": 7}, "2": {"pm02": 9}}}, topic=TOPIC)
    assert readings(found) == {"channels.1.pm02": (7.0, None), "channels.2.pm02": (9.0, None)}


def test_a_flag_where_a_number_is_due_has_the_unit_of_a_flag() -> None:
    assert readings(items(airgradient, {"rco2": True}, topic=TOPIC)) == {"rco2": (1.0, "{flag}")}


def test_it_refuses_a_monitor_without_a_name() -> None:
    with pytest.raises(DecodeError) as refused:
        airgradient(incoming({"serialno": 7, "rco2": 447}))
    assert refused.value.reason is Refusal.WRONG_SHAPE


@needs_samples
def test_it_reads_the_sample() -> None:
    found = items(airgradient, sample("airgradient_measures_current")["message"])
    assert devices(found) == {"ecda3b1eaaaf"}
    assert not [item for item in found if isinstance(item, Refused)]
    taken = readings(found)
    assert {key: taken[key] for key in ("pm01", "pm02", "pm10", "rco2", "rhum", "wifi")} == {
        "pm01": (3.0, "ug/m3"),
        "pm02": (7.0, "ug/m3"),
        "pm10": (8.0, "ug/m3"),
        "rco2": (447.0, "[ppm]"),
        "rhum": (43.0, "%"),
        "wifi": (-46.0, "dBm"),
    }
    assert taken["atmpCompensated"] == (24.47, "Cel")
    assert taken["tvocIndex"] == (100.0, "1")
