"""What a gateway may bring by itself, and how much of it in a day."""

import pytest

from core.registry import AutoApprove, Device, Gateway, Placement
from core.times import DAY
from ingest.admission import Admission, Quota

TERMS = AutoApprove(prefix="wx-", site="town", model="mast", devices_per_day=2)
GATEWAYS = {
    "gw": Gateway(id="gw", name={}, series_per_day=1, auto_approve=TERMS),
    "other": Gateway(id="other", name={}),
}


@pytest.mark.parametrize(
    ("named", "gateway", "welcome"),
    [
        pytest.param("wx-1", "gw", True, id="by the terms"),
        pytest.param("WX-1", "gw", False, id="capitals"),
        pytest.param("probe-wx-1", "gw", False, id="not at the beginning"),
        pytest.param("wx-1", "other", False, id="a gateway without terms"),
        pytest.param("wx-1", "nobody", False, id="a gateway that is not known"),
        pytest.param("wx-" + "x" * 62, "gw", False, id="too long for an id"),
        pytest.param("wx- 1", "gw", False, id="no id"),
        pytest.param("wx-1\n", "gw", False, id="a newline at the end"),
        pytest.param("", "gw", False, id="no name"),
    ],
)
def test_a_device_is_welcome_by_the_terms_of_its_gateway_alone(
    named: str, gateway: str, welcome: bool
) -> None:
    assert Admission(gateways=GATEWAYS).welcomes(named, gateway) is welcome


def test_it_is_made_by_the_terms_and_so_many_a_day() -> None:
    admission = Admission(gateways=GATEWAYS, devices=Quota(5, {"gw": 1}))
    at = 5 * DAY + 7
    made = Device(id="wx-1", gateway="gw", placements=(Placement(at, "town"),), model="mast")
    assert admission.approve("wx-1", "gw", at) == made
    assert admission.approve("wx-2", "gw", 6 * DAY - 1) is None
    assert admission.approve("wx-2", "gw", 6 * DAY) is not None


def test_series_are_counted_by_gateway_and_day() -> None:
    admission = Admission(gateways=GATEWAYS, series_per_day=2, series=Quota(5, {"other": 1}))
    asked = [("gw", 5), ("gw", 5), ("other", 5), ("other", 5), ("gw", 6), ("new", 6), ("other", 5)]
    admitted = [admission.admits_series(gateway, day * DAY) for gateway, day in asked]
    assert admitted == [True, False, True, False, True, True, True]
