"""Which model an unknown device may be, by what it sends."""

import json
from pathlib import Path

import pytest

from core.readings import Reading
from ingest import profiles
from ingest.dialects.shape import Raw
from ingest.profiles import Channel, Profile
from ingest.strangers import Said, suggest

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = profiles.load(ROOT / "config")
MUD = bytes.fromhex("01755c03673401" + "050000")


def said(*keys: str, unit: str | None = None) -> list[Said]:
    return [Reading("new", key, 0, 1.0, unit) for key in keys]


BOTH = {
    "short": Profile(id="short", channels={"t": Channel(parameter="air_temperature", unit="Cel")}),
    "long": Profile(
        id="long",
        channels={
            "t": Channel(parameter="air_temperature", unit="Cel"),
            "h": Channel(parameter="humidity", unit="%"),
        },
        ignored=frozenset({"x"}),
    ),
    "plain": Profile(id="plain", interval=1),
}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(said("t", "h"), [("long", 1.0), ("short", 0.5)], id="all of one model"),
        pytest.param(said("t"), [("short", 1.0), ("long", 0.88)], id="a part of another"),
        pytest.param(said("t", "h", "x"), [("long", 1.0), ("short", 0.33)], id="one ignores it"),
        pytest.param(said("x"), [], id="nothing but what is ignored"),
        pytest.param(said("ph", "salinity"), [("", 1.0)], id="the catalogue's own words"),
        pytest.param(
            said("ph", "t", "h"), [("long", 1.0), ("short", 0.67), ("", 0.33)], id="mixed words"
        ),
        pytest.param(said("t", unit="[NTU]"), [], id="a unit that cannot be"),
        pytest.param(said("colour"), [], id="nobody's words"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_model_is_the_likelier_the_more_it_understands(
    items: list[Said], expected: list[tuple[str, float]]
) -> None:
    assert [(s.model, s.score) for s in suggest(items, BOTH)] == expected


def test_it_says_why() -> None:
    long, *_ = suggest(said("t", "colour"), {"long": BOTH["long"]})
    assert long.why == "1 of 2 keys fit, read as air_temperature; not colour"


def test_a_payload_is_tried_with_each_codec() -> None:
    uplinks = [Raw("new", 0, MUD, 85)]
    found = suggest(uplinks, SHIPPED)
    assert found[0].score == 1.0
    assert "milesight-em400-mud" in [s.model for s in found]
    assert suggest([Raw("new", 0, b"\xff" * 7, 85)], SHIPPED) == []


@pytest.mark.parametrize(
    ("keys", "model"),
    [
        pytest.param(["temperature", "humidity", "battery", "voltage"], "zigbee-generic", id="zb"),
        pytest.param(["pm02", "rco2", "atmp", "rhum", "wifi"], "airgradient-one", id="airgradient"),
    ],
)
def test_models_that_ship_are_recognised(keys: list[str], model: str) -> None:
    found = suggest(said(*keys), SHIPPED)
    assert found, json.dumps(sorted(SHIPPED))
    assert found[0].model == model
