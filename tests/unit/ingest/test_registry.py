"""Which device stands where, by our id and by its address; the birth of its series."""

from pathlib import Path

import pytest

from core.configuration import Configuration, load
from core.errors import ConfigError
from core.messages import Refusal
from ingest.profiles import NO_PROFILE, Profile
from ingest.registry import NOWHERE, Known, Registry
from tests.world import CONFIGURATION, write_configuration

PROBE = Profile(id="probe", ignored=frozenset({"firmware"}))
DEVICES = CONFIGURATION["devices.yaml"].replace(
    "{id: patong-1, ", "{id: patong-1, model: probe, address: 70B3D57BA0003BB8, "
)


@pytest.fixture
def city(tmp_path: Path) -> Configuration:
    return load(write_configuration(tmp_path, devices=DEVICES))


@pytest.fixture
def registry(city: Configuration) -> Registry:
    return Registry(city, {"probe": PROBE}, [])


@pytest.mark.parametrize(
    ("named", "device"),
    [
        pytest.param("patong-1", "patong-1", id="our id"),
        pytest.param("70b3d57ba0003bb8", "patong-1", id="small letters"),
        pytest.param("70B3D57BA0003BB8", "patong-1", id="capitals"),
        pytest.param("70b3d57ba0003bb9", "70b3d57ba0003bb9", id="nobody's"),
        pytest.param("Patong-1", "Patong-1", id="our ids are exact"),
        pytest.param("", "", id="empty"),
    ],
)
def test_it_knows_a_device_by_its_id_and_by_its_address(
    registry: Registry, named: str, device: str
) -> None:
    assert registry.device_of(named) == device


def test_an_id_comes_before_another_devices_address(tmp_path: Path) -> None:
    devices = DEVICES.replace("70B3D57BA0003BB8", "air-1")
    registry = Registry(load(write_configuration(tmp_path, devices=devices)), {}, [])
    assert registry.device_of("air-1") == "air-1"


@pytest.mark.parametrize(
    ("device", "gateway", "reason"),
    [
        pytest.param("patong-1", "gw", None, id="its own gateway"),
        pytest.param("patong-1", "other", Refusal.WRONG_GATEWAY, id="another gateway"),
        pytest.param("patong-1", "", Refusal.WRONG_GATEWAY, id="no gateway"),
        pytest.param("patong-9", "gw", Refusal.UNKNOWN_DEVICE, id="no such device"),
    ],
)
def test_it_takes_readings_of_a_device_through_its_own_gateway_alone(
    registry: Registry, device: str, gateway: str, reason: Refusal | None
) -> None:
    refused = registry.refuse(device, gateway)
    assert (refused and refused[0]) == reason


def test_the_model_of_a_device_names_its_profile(registry: Registry) -> None:
    assert registry.devices["patong-1"].profile is PROBE
    assert registry.devices["air-1"].profile is NO_PROFILE


def test_a_profile_that_explains_no_key_leaves_the_short_way_open() -> None:
    known = Known("gw", NOWHERE, Profile(id="probe", interval=1), {"ph": 7})
    assert known.plain == {"ph": 7}


def test_a_device_with_a_profile_never_takes_the_short_way(registry: Registry) -> None:
    for device in ("patong-1", "air-1"):
        registry.series_of(device, "ph")
    assert registry.devices["patong-1"].plain == {}
    assert registry.devices["air-1"].plain == {"ph": 1}


def test_a_series_is_born_once_and_newborn_until_it_is_committed(registry: Registry) -> None:
    assert [registry.series_of("patong-1", p) for p in ("ph", "turbidity", "ph")] == [0, 1, 0]
    born = tuple(registry.newborn)
    assert [(s.index, s.device, s.parameter) for s in born] == [
        (0, "patong-1", "ph"),
        (1, "patong-1", "turbidity"),
    ]
    assert (born[0].site, born[0].kind, born[0].district) == ("patong", "beach", "kathu")
    registry.series_of("air-1", "pm25")  # while the batch before it is being committed
    registry.committed(born, [])
    assert [s.index for s in registry.newborn] == [2]


def test_it_goes_on_with_the_series_that_are_stored(city: Configuration) -> None:
    registry = Registry(city, {}, [(0, "gone-1", "ph"), (1, "air-1", "pm25")])
    assert registry.series_of("air-1", "pm25") == 1
    assert registry.series_of("air-1", "pm10") == 2
    assert [s.index for s in registry.newborn] == [2]
    assert (registry.series[0].device, registry.series[0].site) == ("gone-1", "")


def test_two_devices_of_one_address_are_a_mistake(tmp_path: Path) -> None:
    devices = DEVICES.replace("{id: air-1, ", "{id: air-1, address: 70b3d57ba0003bb8, ")
    with pytest.raises(ConfigError) as error:
        load(write_configuration(tmp_path, devices=devices))
    (problem,) = error.value.problems
    assert problem.startswith(f"{tmp_path}/devices.yaml:7: ")
    assert "70b3d57ba0003bb8 is the address of patong-1 already" in problem
