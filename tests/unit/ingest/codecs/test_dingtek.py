"""Dingtek's bin sensors. The bytes follow the maker's own examples, or are made up here."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from ingest.codecs.table import CODECS
from ingest.dialects.chirpstack import chirpstack
from tests.samples import items, needs_samples, raw, sample

REPORT = "80 00 01 01 11 07d0 00 19 00 00 0000 0001 00 81"
WITH_PLACE = "80 00 01 02 19 07d0 01 cd03e942 ef272042 19 00 00 0000 0001 00 81"
SETTINGS = "80 00 01 03 19 01 04 18 01 1e 4b 1e 00 00 00" + "00" * 9 + "81"
CALM = dict.fromkeys(("alarm_full", "alarm_fire", "alarm_fall", "alarm_battery"), (0.0, "{flag}"))


def df702(data: str) -> dict[str, tuple[float, str]]:
    """The quantities of a packet."""
    return CODECS["dingtek-df702"](bytes.fromhex(data), 3)


@pytest.mark.parametrize("data", [REPORT, WITH_PLACE])
def test_it_decodes_reports_with_and_without_a_place(data: str) -> None:
    assert df702(data) == CALM | {
        "level": (2000.0, "mm"),
        "temperature": (25.0, "Cel"),
        "angle": (0.0, "deg"),
        "tilt": (0.0, "deg"),
    }


@pytest.mark.parametrize(
    ("alarms", "raised"),
    [
        pytest.param("1000", "alarm_full", id="full"),
        pytest.param("0100", "alarm_fire", id="fire"),
        pytest.param("0010", "alarm_fall", id="fallen"),
        pytest.param("0001", "alarm_battery", id="battery"),
    ],
)
def test_each_alarm_is_half_a_byte(alarms: str, raised: str) -> None:
    found = df702(REPORT.replace("0000", alarms))
    assert [key for key in CALM if found[key] == (1.0, "{flag}")] == [raised]


@pytest.mark.parametrize(
    ("leaning", "angle"),
    [pytest.param("00 1e", 30.0, id="one way"), pytest.param("01 1e", -30.0, id="the other")],
)
def test_it_leans_one_way_or_the_other(leaning: str, angle: float) -> None:
    found = df702(REPORT.replace("19 00 00", f"19 {leaning}"))
    assert found["angle"] == (angle, "deg")
    assert found["tilt"] == (30.0, "deg")


def test_a_fire_is_hotter_than_a_signed_byte() -> None:
    assert df702(REPORT.replace("19 00 00", "c8 00 00"))["temperature"] == (200.0, "Cel")


@pytest.mark.parametrize("distance", ["0000", "ffff"])
def test_without_an_echo_the_level_is_missing(distance: str) -> None:
    assert "level" not in df702(REPORT.replace("07d0", distance))


def test_settings_hold_no_measurement() -> None:
    assert df702(SETTINGS) == {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param("", "no Dingtek packet", id="empty"),
        pytest.param("81" + REPORT[2:], "no Dingtek packet", id="another head"),
        pytest.param(REPORT[:-2] + "80", "no Dingtek packet", id="another tail"),
        pytest.param(REPORT[:-3], "no Dingtek packet", id="cut"),
        pytest.param(REPORT.replace("01 11", "01 12"), "no Dingtek packet", id="a wrong length"),
        pytest.param(REPORT.replace("00 01 01", "00 15 01"), "device type 0x15", id="a tracker"),
        pytest.param(REPORT.replace("01 01 11", "01 04 11"), "type 0x04", id="another report"),
        pytest.param(REPORT.replace("07d0 00", "07d0 01"), "place 0x01", id="a place left out"),
        pytest.param(REPORT.replace("19 00 00", "19 00 c8"), "angle of 200", id="200 degrees"),
    ],
)
def test_it_refuses_the_whole_payload_and_says_why(data: str, words: str) -> None:
    with pytest.raises(DecodeError) as refused:
        df702(data)
    assert refused.value.reason is Refusal.UNKNOWN_PAYLOAD
    assert words in refused.value.detail


@needs_samples
def test_it_refuses_the_sample_which_is_another_device_of_the_maker() -> None:
    payload = raw(items(chirpstack, sample("chirpstack_v4_uplink_dingtek")["message"]))
    with pytest.raises(DecodeError, match="device type 0x15"):
        CODECS["dingtek-df702"](payload.data, payload.port)
