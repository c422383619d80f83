"""Decentlab's sensors. The bytes are those of the maker's own descriptions, or made up here."""

import pytest

from core.errors import DecodeError
from core.messages import Refusal
from ingest.codecs.shape import Quantities
from ingest.codecs.table import CODECS

NTU = "022332000300008885013e013e02330b10"


@pytest.mark.parametrize(
    ("model", "data", "meant"),
    [
        pytest.param(
            "ntu",
            NTU,
            {
                "status": (0.0, "1"),
                "temperature": (21.81, "Cel"),
                "turbidity_in_ntu": (31.8, "[NTU]"),
                "turbidity_in_fnu": (31.8, "FNU"),
                "turbidity_in_mg_l": (56.3, "mg/L"),
                "battery_voltage": (2.832, "V"),
            },
            id="turbidity",
        ),
        pytest.param(
            "optod",
            "02186c000300008862a618836583650c60",
            {
                "status": (0.0, "1"),
                "temperature": (21.46, "Cel"),
                "oxygen_saturation": (97.52, "%"),
                "oxygen_concentration": (8.69, "mg/L"),
                "oxygen_concentration_alt": (8.69, "[ppm]"),
                "battery_voltage": (3.168, "V"),
            },
            id="oxygen",
        ),
        pytest.param(
            "pheht",
            "0252b80003000088" + "4282c77f637ff60c5c",
            {
                "status": (0.0, "1"),
                "temperature": (21.14, "Cel"),
                "ph": (7.11, "[pH]"),
                "redox": (-15.7, "mV"),
                "ph_mv": (-1.0, "mV"),
                "battery_voltage": (3.164, "V"),
            },
            id="pH and redox",
        ),
        pytest.param(
            "pr36ctd",
            "020a17000380079786978180060c2b",
            {
                "pressure": (7 / 8192, "bar"),
                "temperature_electronics": (6022 / 256, "Cel"),
                "temperature_pt1000": (6017 / 256, "Cel"),
                "electrical_conductivity": (6 / 1024, "mS/cm"),
                "battery_voltage": (3.115, "V"),
            },
            id="pressure and conductivity in mS/cm",
        ),
        pytest.param(
            "ctd10",
            "0203d5000383e88129cb8400000bb8",
            {
                "water_depth": (1000.0, "mm"),
                "temperature": (29.7, "Cel"),
                "electrical_conductivity": (52100.0, "uS/cm"),
                "freezing_flag": (0.0, "{flag}"),
                "battery_voltage": (3.0, "V"),
            },
            id="depth and conductivity in µS/cm",
        ),
        pytest.param(
            "ctd10",
            "0203d50001" + "7ff6" + "7ff1" + "0000" + "0001",
            {
                "water_depth": (-10.0, "mm"),
                "temperature": (-1.5, "Cel"),
                "electrical_conductivity": (0.0, "uS/cm"),
                "freezing_flag": (1.0, "{flag}"),
            },
            id="the sensor alone, below zero",
        ),
        pytest.param(
            "ntu", "02233200020b10", {"battery_voltage": (2.832, "V")}, id="battery alone"
        ),
        pytest.param("ntu", "0223320000", {}, id="nothing"),
    ],
)
def test_it_decodes(model: str, data: str, meant: Quantities) -> None:
    assert CODECS[f"decentlab-dl-{model}"](bytes.fromhex(data), 1) == meant


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("", id="empty"),
        pytest.param("022332", id="cut within the header"),
        pytest.param("01" + NTU[2:], id="another version"),
        pytest.param(NTU[:-2], id="a byte short"),
        pytest.param(NTU + "00", id="a byte too many"),
        pytest.param("0223320004" + "0b10", id="a part that this model has not"),
        pytest.param("020a17000380079786978180060c2b", id="another model, which has fewer words"),
        pytest.param("01755c036701010482440805000100", id="another maker"),
    ],
)
def test_it_refuses_the_whole_payload(data: str) -> None:
    with pytest.raises(DecodeError) as refused:
        CODECS["decentlab-dl-ntu"](bytes.fromhex(data), 1)
    assert refused.value.reason is Refusal.UNKNOWN_PAYLOAD
