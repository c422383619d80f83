"""Milesight's sensors. The bytes are those of the maker's own descriptions, or made up here."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from ingest.codecs.shape import Quantities
from ingest.codecs.table import CODECS


@pytest.mark.parametrize(
    ("model", "data", "meant"),
    [
        pytest.param(
            "em400-udl",
            "01755c 03670101 04824408 050001",
            {
                "battery": (92.0, "%"),
                "temperature": (25.7, "Cel"),
                "distance": (2116.0, "mm"),
                "position": (1.0, "{flag}"),
            },
            id="bin: the periodic report",
        ),
        pytest.param(
            "em400-mud",
            "8367e80001 8482410601",
            {
                "temperature": (23.2, "Cel"),
                "temperature_alarm": (1.0, "{flag}"),
                "distance": (1601.0, "mm"),
                "distance_alarm": (1.0, "{flag}"),
            },
            id="bin: both alarms",
        ),
        pytest.param(
            "em400-tld",
            "0367e800 8367e80000",
            {"temperature": (23.2, "Cel"), "temperature_alarm": (0.0, "{flag}")},
            id="bin: the same temperature twice, and the alarm is over",
        ),
        pytest.param("em400-tld", "03679cff", {"temperature": (-10.0, "Cel")}, id="below zero"),
        pytest.param(
            "em400-udl",
            "068836bf7701f000090722 01755c",
            {"battery": (92.0, "%")},
            id="bin: a place is passed over",
        ),
        pytest.param("em400-udl", "04820000 01755c", {"battery": (92.0, "%")}, id="no echo: 0"),
        pytest.param("em400-udl", "0482ffff 01755c", {"battery": (92.0, "%")}, id="no echo: max"),
        pytest.param(
            "em400-udl",
            "ff0bff ff0101 ff166329c42503920003 ff090100 ff0a0101 ff0f00",
            {},
            id="what it says of itself when it joins",
        ),
        pytest.param(
            "am300",
            "0367EE00 04687C 050001 06CB02 077DA803 087D2500 09736627 0A7D0400 0B7D2000 0C7D3000",
            {
                "temperature": (23.8, "Cel"),
                "humidity": (62.0, "%"),
                "co2": (936.0, "[ppm]"),
                "pressure": (1008.6, "hPa"),
                "hcho": (0.04, "mg/m3"),
                "pm2_5": (32.0, "ug/m3"),
                "pm10": (48.0, "ug/m3"),
            },
            id="air",
        ),
        pytest.param(
            "am300",
            "0d7d0500 08e60201 0e0100",
            {"o3": (0.05, "[ppm]"), "tvoc": (258.0, "ug/m3")},
            id="air: ozone, VOC by weight",
        ),
        pytest.param(
            "em500-co2",
            "01756403671901 046873 057D6704 06736827",
            {
                "battery": (100.0, "%"),
                "temperature": (28.1, "Cel"),
                "humidity": (57.5, "%"),
                "co2": (1127.0, "[ppm]"),
                "pressure": (1008.8, "hPa"),
            },
            id="CO2",
        ),
        pytest.param(
            "em500-pt100",
            "83d719010aff01",
            {
                "temperature": (28.1, "Cel"),
                "temperature_change": (-24.6, "Cel"),
                "temperature_alarm": (1.0, "{flag}"),
            },
            id="a sudden change",
        ),
        pytest.param(
            "em500-swl",
            "017564 03770200",
            {"battery": (100.0, "%"), "water_level": (2.0, "cm")},
            id="water level",
        ),
        pytest.param(
            "em500-udl",
            "017564 03821E00",
            {"battery": (100.0, "%"), "distance": (30.0, "mm")},
            id="distance on another channel",
        ),
    ],
)
def test_it_decodes(model: str, data: str, meant: Quantities) -> None:
    assert CODECS[f"milesight-{model}"](bytes.fromhex(data), 85) == meant


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param("", "no bytes", id="empty"),
        pytest.param("01", "channel 01 at byte 0", id="half a channel"),
        pytest.param("01755c 03822a00", "channel 03 82 at byte 3", id="another model's"),
        pytest.param("01755c 036701", "ends within channel 03 67", id="cut"),
        pytest.param("20ce 5d34ad640e01", "channel 20 ce at byte 0", id="history"),
        pytest.param("03670101 03670201", "temperature comes twice", id="two temperatures"),
        pytest.param("feff", "channel fe ff", id="an answer to a command"),
    ],
)
def test_it_refuses_the_whole_payload_and_says_why(data: str, words: str) -> None:
    with pytest.raises(DecodeError) as refused:
        CODECS["milesight-em400-udl"](bytes.fromhex(data), 85)
    assert refused.value.reason is Refusal.UNKNOWN_PAYLOAD
    assert words in refused.value.detail
