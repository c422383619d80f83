"""What a network says of a device, in the words of the catalogue."""

import pytest

from core.messages import Refusal
from core.readings import Reading
from ingest.dialects.shape import Item, Raw, Refused
from ingest.profiles import NO_PROFILE, Channel, Profile
from ingest.translate import translate

AT = 1_795_305_600_000_000
PROBE = Profile(
    id="probe",
    codec="decentlab-dl-ntu",
    channels={
        "temperature": Channel(parameter="water_temperature", unit="Cel"),
        "turbidity_in_ntu": Channel(parameter="turbidity", unit="[NTU]"),
        "ec": Channel(
            parameter="conductivity", unit="uS/cm", missing=frozenset({-99999.992, -100000.0})
        ),
    },
    ignored=frozenset({"status", "turbidity_in_fnu", "turbidity_in_mg_l", "rssi"}),
)
NO_CODEC = Profile(id="plain", channels=PROBE.channels)


def said(item: Item, profile: Profile = PROBE) -> list[Reading | Refused]:
    return list(translate(item, "probe-1", profile))


def reading(key: str, value: float, unit: str | None = None) -> Reading:
    """As the network says it, under the network's own name of the device."""
    return Reading("0202020202020202", key, AT, value, unit)


@pytest.mark.parametrize(
    ("key", "value", "unit", "parameter", "expected"),
    [
        pytest.param("temperature", 21.5, None, "water_temperature", 21.5, id="the profile's name"),
        pytest.param("ec", 48_500.0, None, "conductivity", 48.5, id="the profile's unit"),
        pytest.param("ec", 48.5, "mS/cm", "conductivity", 48.5, id="the message's unit wins"),
        pytest.param("temperature", 86.0, "[degF]", "water_temperature", 30.0, id="Fahrenheit"),
        pytest.param("ph", 8.1, None, "ph", 8.1, id="the catalogue's own name"),
        pytest.param("battery_voltage", 3045.0, "mV", "battery_voltage", 3.045, id="its unit"),
    ],
)
def test_it_says_a_reading_in_our_words(
    key: str, value: float, unit: str | None, parameter: str, expected: float
) -> None:
    assert said(reading(key, value, unit)) == [Reading("probe-1", parameter, AT, expected)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("status", 3.0, id="ignored"),
        pytest.param("rssi", -70.0, id="ignored, though it is a parameter"),
        pytest.param("ec", -99999.992, id="a number that stands for none"),
        pytest.param("ec", -100000.0, id="another"),
    ],
)
def test_what_the_profile_passes_over_is_no_item(key: str, value: float) -> None:
    assert said(reading(key, value)) == []


@pytest.mark.parametrize(
    ("key", "unit", "reason", "words"),
    [
        pytest.param(
            "colour",
            None,
            Refusal.UNKNOWN_PARAMETER,
            "colour of probe-1 is neither in the catalogue nor in its profile",
            id="unknown key",
        ),
        pytest.param(
            "ec",
            "furlong",
            Refusal.UNKNOWN_UNIT,
            "ec of probe-1: the unit furlong is not known",
            id="unknown unit",
        ),
        pytest.param(
            "ec",
            "Cel",
            Refusal.UNKNOWN_UNIT,
            "ec of probe-1: Cel does not convert to mS/cm",
            id="a unit of something else",
        ),
        pytest.param(
            "ph",
            "{flag}",
            Refusal.UNKNOWN_UNIT,
            "ph of probe-1: {flag} does not convert to [pH]",
            id="a flag where a number is due",
        ),
    ],
)
def test_what_it_cannot_say_is_refused_with_its_reason(
    key: str, unit: str | None, reason: Refusal, words: str
) -> None:
    assert said(reading(key, 1.0, unit)) == [Refused(reason, words)]


def test_a_refused_item_stays_refused() -> None:
    refused = Refused(Refusal.NOT_A_NUMBER, "ph: no finite number")
    assert said(refused) == [refused]


# --- raw payloads ---

NTU = bytes.fromhex("022332000300008885013e013e02330b10")


def test_raw_bytes_go_through_the_codec_of_the_profile() -> None:
    assert said(Raw("0202020202020202", AT, NTU, 1)) == [
        Reading("probe-1", "water_temperature", AT, 21.81),
        Reading("probe-1", "turbidity", AT, 31.8),
        Reading("probe-1", "battery_voltage", AT, 2.832),
    ]


def test_with_a_codec_the_decoding_of_the_network_server_does_not_count() -> None:
    theirs = (reading("temperature", 99.0),)
    assert Reading("probe-1", "water_temperature", AT, 99.0) not in said(
        Raw("0202020202020202", AT, NTU, 1, theirs)
    )


def test_without_a_codec_the_decoding_of_the_network_server_counts() -> None:
    broken = Refused(Refusal.NOT_A_NUMBER, "ph: no finite number")
    theirs = (reading("temperature", 21.5), broken, reading("ec", 48_500.0))
    assert said(Raw("0202020202020202", AT, NTU, 1, theirs), NO_CODEC) == [
        Reading("probe-1", "water_temperature", AT, 21.5),
        broken,
        Reading("probe-1", "conductivity", AT, 48.5),
    ]


@pytest.mark.parametrize(
    ("data", "profile", "words"),
    [
        pytest.param(b"\x09", PROBE, "no Decentlab frame", id="the codec does not know it"),
        pytest.param(NTU, NO_CODEC, "no profile with a codec", id="a profile without a codec"),
        pytest.param(NTU, NO_PROFILE, "no profile with a codec", id="a model without a profile"),
    ],
)
def test_a_payload_that_nobody_knows_is_refused_whole(
    data: bytes, profile: Profile, words: str
) -> None:
    (refused,) = said(Raw("0202020202020202", AT, data), profile)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.UNKNOWN_PAYLOAD
    assert words in refused.detail


def test_a_payload_without_measurements_gives_nothing() -> None:
    bin_sensor = Profile(id="bin", codec="milesight-em400-udl")
    assert said(Raw("d", AT, bytes.fromhex("ff0bff")), bin_sensor) == []
