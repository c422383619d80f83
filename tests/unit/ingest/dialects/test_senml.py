"""SenML in JSON."""

import msgspec
import pytest

from core.errors import DecodeError
from core.messages import Refusal
from core.readings import Reading
from core.times import SECOND, iso
from ingest.dialects.senml import senml
from ingest.dialects.shape import MOST_ITEMS, Refused
from tests.samples import RECEIVED_AT, incoming, items, needs_samples, sample


def reading(
    key: str, value: float, unit: str | None = None, at: int = RECEIVED_AT, device: str = "d"
) -> Reading:
    """A reading of device d, now."""
    return Reading(device, key, at, value, unit)


@pytest.mark.parametrize(
    ("pack", "meant"),
    [
        pytest.param(
            [{"bn": "d:", "n": "t", "u": "Cel", "v": 23.1}], [reading("t", 23.1, "Cel")], id="one"
        ),
        pytest.param(
            [
                {"bn": "d:", "bu": "V", "n": "a", "v": 1},
                {"n": "b", "v": 2},
                {"n": "c", "u": "A", "v": 3},
            ],
            [reading("a", 1, "V"), reading("b", 2, "V"), reading("c", 3, "A")],
            id="a base unit holds from its record on, and a unit of one's own wins",
        ),
        pytest.param(
            [{"bn": "d:", "n": "a", "v": 1}, {"bn": "e/", "n": "b", "v": 2}],
            [reading("a", 1), reading("b", 2, device="e")],
            id="a base name changes within the pack",
        ),
        pytest.param(
            [{"bn": "d:", "bv": 20, "n": "a", "v": 1.5}, {"n": "b", "v": -0.5}],
            [reading("a", 21.5), reading("b", 19.5)],
            id="a base value is added",
        ),
        pytest.param(
            [{"bn": "urn:dev:DEVEUI:A84041D86182B195:", "bt": 1621778032}, {"n": "port", "v": 2}],
            [
                reading(
                    "port", 2, at=1_621_778_032 * SECOND, device="urn:dev:DEVEUI:A84041D86182B195"
                )
            ],
            id="base fields alone",
        ),
        pytest.param(
            [{"bn": "d:", "n": "open", "vb": True}, {"n": "shut", "vb": False}],
            [reading("open", 1, "{flag}"), reading("shut", 0, "{flag}")],
            id="flags",
        ),
        pytest.param(
            [{"bn": "d:", "n": "mode", "vs": "x"}, {"n": "blob", "vd": "AQI"}, {"n": "t", "v": 1}],
            [reading("t", 1)],
            id="texts and data are passed over",
        ),
        pytest.param(
            [{"bn": "d:", "n": "flow", "v": 2, "s": 17, "bs": 3}],
            [reading("flow", 2)],
            id="a sum too",
        ),
        pytest.param(
            [{"bn": "d:", "bver": 10, "n": "t", "v": 1, "ut": 60}], [reading("t", 1)], id="ut, bver"
        ),
        pytest.param([], [], id="empty"),
    ],
)
def test_it_resolves_records(pack: object, meant: list[Reading]) -> None:
    assert items(senml, pack) == meant


@pytest.mark.parametrize(
    ("record", "device", "key"),
    [
        pytest.param(
            {"bn": "urn:dev:mac:0024befffe804ff1/", "n": "temp"}, None, "temp", id="slash"
        ),
        pytest.param(
            {"bn": "urn:dev:mac:0024befffe804ff1:", "n": "temp"}, None, "temp", id="colon"
        ),
        pytest.param({"bn": "urn:dev:mac:0024befffe804ff1", "n": ":temp"}, None, "temp", id="in n"),
        pytest.param({"n": "urn:dev:mac:0024befffe804ff1:a:b"}, None, "a:b", id="no base name"),
        pytest.param({"n": "urn:dev:mac:0024befffe804ff1"}, None, "%RH", id="device alone"),
        pytest.param({"bn": "urn:dev:mac:0024befffe804ff1:"}, None, "%RH", id="base name alone"),
        pytest.param({"n": "beach/patong/ph"}, "beach/patong", "ph", id="a path"),
        pytest.param({"bn": "patong-", "n": "ph"}, "patong", "ph", id="a hyphen"),
    ],
)
def test_it_tells_the_device_from_the_quantity(
    record: dict[str, str], device: str | None, key: str
) -> None:
    (found,) = items(senml, [{"u": "%RH", "v": 20} | record])
    assert isinstance(found, Reading)
    assert found.device == (device or "urn:dev:mac:0024befffe804ff1")
    assert (found.parameter, found.unit) == (key, "%")


@pytest.mark.parametrize(
    ("unit", "meant"),
    [
        pytest.param("Cel", "Cel", id="Celsius"),
        pytest.param("%RH", "%", id="humidity is a percentage"),
        pytest.param("%", "1", id="the percent sign is a ratio in SenML"),
        pytest.param("/", "1", id="and so is the slash"),
        pytest.param("%EL", "%", id="battery"),
        pytest.param("pH", "[pH]", id="pH"),
        pytest.param("S/m", "S/m", id="conductivity"),
        pytest.param("lat", "deg", id="latitude"),
    ],
)
def test_it_knows_the_units_of_senml(unit: str, meant: str) -> None:
    assert items(senml, [{"bn": "d:", "n": "x", "u": unit, "v": 1}]) == [reading("x", 1, meant)]


@pytest.mark.parametrize(
    ("record", "at"),
    [
        pytest.param({}, RECEIVED_AT, id="none: now"),
        pytest.param({"t": 0}, RECEIVED_AT, id="zero: now"),
        pytest.param({"t": -5}, RECEIVED_AT - 5 * SECOND, id="five seconds ago"),
        pytest.param({"t": 0.25}, RECEIVED_AT + SECOND // 4, id="soon"),
        pytest.param({"bt": -60, "t": 5}, RECEIVED_AT - 55 * SECOND, id="both relative"),
        pytest.param({"t": 2**28 - 1}, RECEIVED_AT + (2**28 - 1) * SECOND, id="just relative"),
        pytest.param({"t": 2**28}, 2**28 * SECOND, id="just absolute"),
        pytest.param({"bt": 1320067464, "t": 60}, 1_320_067_524 * SECOND, id="absolute"),
        pytest.param({"bt": 1.320067464e09, "t": -5}, 1_320_067_459 * SECOND, id="before the base"),
    ],
)
def test_it_places_times_from_now_or_from_1970(record: dict[str, float], at: int) -> None:
    (found,) = items(senml, [{"bn": "d:", "n": "x", "v": 1} | record])
    assert found == reading("x", 1, at=at)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param({"bn": "d:", "n": "x", "s": 3}, Refusal.WRONG_SHAPE, id="a sum alone"),
        pytest.param(
            {"bn": "d:", "n": "x", "v": 1, "vs": "1"}, Refusal.WRONG_SHAPE, id="two values"
        ),
        pytest.param({"n": "x", "v": 1}, Refusal.WRONG_SHAPE, id="no device"),
        pytest.param({"v": 1}, Refusal.WRONG_SHAPE, id="no name"),
        pytest.param({"bn": "d:", "v": 1}, Refusal.WRONG_SHAPE, id="neither name nor unit"),
        pytest.param(
            {"bn": "d:", "n": "x", "bv": 1e308, "v": 1e308}, Refusal.NOT_A_NUMBER, id="too large"
        ),
        pytest.param(
            {"bn": "d:", "n": "x", "v": 1, "t": 1e300}, Refusal.TIME_INVALID, id="after all years"
        ),
        pytest.param(
            {"bn": "d:", "n": "x", "v": 1, "t": -(2**29)},
            Refusal.TIME_INVALID,
            id="far in the past",
        ),
        pytest.param(
            {"bn": "d:", "n": "x", "v": 1, "bt": 1e308, "t": 1e308}, Refusal.TIME_INVALID, id="inf"
        ),
    ],
)
def test_it_refuses_a_record_and_takes_the_next(record: dict[str, object], reason: Refusal) -> None:
    good = {"bn": "d:", "bt": 0, "bv": 0, "n": "y", "v": 1}
    refused, taken = items(senml, [record, good])
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert taken == reading("y", 1)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"bver": 11}, id="a newer version"),
        pytest.param({"new_": 1}, id="a field that must be understood"),
    ],
)
def test_it_refuses_a_pack_that_it_must_not_use(record: dict[str, object]) -> None:
    with pytest.raises(DecodeError) as refused:
        senml(incoming([{"bn": "d:", "n": "a", "v": 1}, record]))
    assert refused.value.reason is Refusal.WRONG_SHAPE


def test_it_refuses_more_records_than_make_sense() -> None:
    with pytest.raises(DecodeError, match="too-large"):
        senml(incoming([{}] * (MOST_ITEMS + 1)))


def test_it_ignores_fields_that_need_not_be_understood() -> None:
    assert items(senml, [{"bn": "d_", "n": "a", "v": 1, "new": 1}]) == [reading("a", 1)]


@pytest.mark.parametrize("pack", [{"n": "a"}, [1], [{"v": True}], [{"v": "12"}], [{"bn": 1}]])
def test_it_refuses_another_shape(pack: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        senml(incoming(pack))


@needs_samples
def test_it_reads_the_sample_whose_records_differ_by_unit_only() -> None:
    found = items(senml, sample("senml_rfc8428_multi")["message"])
    taken = [item for item in found if isinstance(item, Reading)]
    assert {item.device for item in taken} == {"urn:dev:ow:10e2073a01080063"}
    assert [(iso(i.measured_at), i.parameter, i.value, i.unit) for i in taken] == [
        ("2011-10-31T13:24:24Z", "%RH", 20.0, "%"),
        ("2011-10-31T13:24:24Z", "lon", 24.30621, "deg"),
        ("2011-10-31T13:24:24Z", "lat", 60.07965, "deg"),
        ("2011-10-31T13:25:24Z", "%RH", 20.3, "%"),
        ("2011-10-31T13:25:24Z", "lon", 24.30622, "deg"),
        ("2011-10-31T13:25:24Z", "lat", 60.07965, "deg"),
        ("2011-10-31T13:26:24Z", "%RH", 20.7, "%"),
    ]
