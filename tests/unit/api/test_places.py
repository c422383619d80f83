"""Sites with their state, devices, parameters and newest readings."""

from dataclasses import replace
from typing import Any

import pytest

from core.alerts import Severity, State
from core.catalogue import CATALOGUE
from core.messages import Progress, Range
from core.registry import Status
from core.times import HOUR, MINUTE, iso
from tests.service import CITY, NOW, Service, ago, change

TURBIDITY, BATTERY, PM25 = 0, 1, 2  # places in `tests.service.SERIES`
FRESH = NOW - 3 * HOUR


def state_of(served: Service, site: str) -> str:
    return str(served.get(f"/v1/sites/{site}")["state"])


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        pytest.param([], "unknown", id="nothing came yet"),
        pytest.param([(TURBIDITY, NOW, 3.0, 1)], "ok", id="fresh and good"),
        pytest.param([(TURBIDITY, FRESH, 3.0, 1)], "ok", id="just fresh"),
        pytest.param([(TURBIDITY, FRESH - 1, 3.0, 1)], "unknown", id="just stale"),
        pytest.param([(TURBIDITY, NOW, 3.0, 2)], "ok", id="not evaluated"),
        pytest.param([(TURBIDITY, NOW, 9e9, 4)], "unknown", id="beyond what can be"),
        pytest.param([(BATTERY, NOW, 90.0, 1)], "unknown", id="only the device's own health"),
        pytest.param([(PM25, NOW, 9.0, 1)], "unknown", id="another site's"),
        pytest.param([(TURBIDITY, NOW + MINUTE, 3.0, 1)], "ok", id="a clock ahead"),
    ],
)
def test_a_site_is_ok_only_with_fresh_good_readings(
    served: Service, rows: list[tuple[int, int, float, int]], state: str
) -> None:
    served.store(*rows)
    assert state_of(served, "bay") == state


def test_a_site_is_as_bad_as_its_worst_firing_alert(served: Service) -> None:
    fire = State.FIRING
    served.store((TURBIDITY, NOW, 3.0, 1))
    served.store(transitions=[change("a", State.PENDING, NOW, severity=Severity.CRITICAL)])
    assert state_of(served, "bay") == "ok"  # pending: nobody is called yet
    served.store(transitions=[change("b", fire, NOW, severity=Severity.INFO)])
    served.store(transitions=[change("c", fire, NOW, severity=Severity.WARNING)])
    assert state_of(served, "bay") == "warning"
    assert served.get("/v1/sites/bay")["open_alerts"] == 3
    served.store(transitions=[change("c", State.RESOLVED, NOW, before=fire)])
    assert state_of(served, "bay") == "info"
    assert state_of(served, "hill") == "unknown"


def test_a_firing_alert_shows_even_where_no_reading_is_fresh(served: Service) -> None:
    served.store((TURBIDITY, ago(600), 61.5, 1), transitions=[change("a", State.FIRING, ago(600))])
    assert state_of(served, "bay") == "warning"


def test_a_site_tells_everything_that_is_known_of_it(served: Service) -> None:
    served.store((TURBIDITY, ago(5), 3.0, 1), (BATTERY, ago(2), 80.0, 1))
    site = CITY.sites["bay"]
    assert served.get("/v1/sites/bay") == {
        "id": "bay",
        "kind": "beach",
        "name": dict(site.name),
        "latitude": site.latitude,
        "longitude": site.longitude,
        "district": site.district,
        "owner": "Town",
        "origin": "file",
        "state": "ok",
        "open_alerts": 0,
        "newest": iso(ago(2)),
    }


def test_sites_are_listed_by_id_whether_or_not_they_measure(served: Service) -> None:
    sites = served.get("/v1/sites")["items"]
    assert [site["id"] for site in sites] == ["bay", "corner", "hill"]
    assert [site["newest"] for site in sites] == [None, None, None]


def test_devices_tell_their_newest_reading(served: Service) -> None:
    served.store((TURBIDITY, ago(5), 3.0, 1), (BATTERY, ago(2), 80.0, 1))
    buoy, mast = served.get("/v1/devices")["items"]
    assert buoy["newest"] == iso(ago(2))
    assert mast == {
        "id": "mast",
        "gateway": "gw",
        "site": "hill",
        "since": "2026-01-15T00:00:00Z",
        "model": "probe",
        "address": "",
        "places": [{"site": "hill", "since": "2026-01-15T00:00:00Z"}],
        "origin": "file",
        "newest": None,
        "clock": None,
    }
    assert served.get("/v1/devices", site="hill")["items"] == [mast]


def test_parameters_are_the_catalogue(served: Service) -> None:
    items = served.get("/v1/parameters")["items"]
    assert [item["key"] for item in items] == sorted(CATALOGUE)
    pm25 = next(item for item in items if item["key"] == "pm25")
    assert pm25["physical"] == [0, 1000]
    assert pm25["label"]["en"] == "PM2.5"


def test_latest_is_the_newest_by_time_of_measurement_whatever_its_flag(served: Service) -> None:
    served.store((TURBIDITY, ago(10), 3.0, 1), (TURBIDITY, ago(5), 9e9, 4))
    assert served.get("/v1/latest")["items"] == [
        {
            "device": "buoy",
            "parameter": "turbidity",
            "site": "bay",
            "measured_at": iso(ago(5)),
            "received_at": iso(ago(5) + 500_000),
            "value": 9e9,
            "unit": "[NTU]",
            "flag": 4,
            "tests": {"gross_range": "fail"},
        }
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["battery_level", "turbidity", "pm25"], id="all"),
        pytest.param({"site": "bay"}, ["battery_level", "turbidity"], id="site"),
        pytest.param({"device": "mast"}, ["pm25"], id="device"),
        pytest.param({"parameter": "turbidity"}, ["turbidity"], id="parameter"),
        pytest.param({"kind": "air"}, ["pm25"], id="kind"),
        pytest.param({"kind": "air", "site": "bay"}, [], id="both"),
        pytest.param({"site": "elsewhere"}, [], id="no such site"),
    ],
)
def test_latest_of_some_series(served: Service, asked: dict[str, Any], expected: list[str]) -> None:
    served.store(*[(series, NOW, 1.0, 1) for series in (TURBIDITY, BATTERY, PM25)])
    found = served.get("/v1/latest", **asked)["items"]
    assert [item["parameter"] for item in found] == expected


@pytest.mark.parametrize("path", ["/v1/sites", "/v1/devices", "/v1/latest", "/v1/parameters"])
def test_pages_make_up_the_whole(served: Service, path: str) -> None:
    served.store(*[(series, NOW, 1.0, 1) for series in (TURBIDITY, BATTERY, PM25)])
    whole = served.get(path)
    assert whole["next"] is None
    pages = served.pages(path, limit=2)
    assert all(len(page) == 2 for page in pages[:-1])
    assert [item for page in pages for item in page] == whole["items"]


def test_what_is_no_longer_configured_is_not_listed(served: Service) -> None:
    served.store((TURBIDITY, NOW, 1.0, 1), (PM25, NOW, 1.0, 1))
    devices = {"mast": CITY.devices["mast"]}
    served.ledger.register(type(CITY)(sites=CITY.sites, gateways=CITY.gateways, devices=devices))
    assert [item["device"] for item in served.get("/v1/latest")["items"]] == ["mast"]
    assert served.refused("/v1/series/buoy/turbidity")["status"] == 404


def test_a_parameter_that_has_left_the_catalogue_has_no_unit(served: Service) -> None:
    served.store((TURBIDITY, NOW, 1.0, 1))
    http = served.with_context(catalogue={})
    for path in ("/v1/latest", "/v1/series/buoy/turbidity"):
        assert http.get(path, headers=served.headers()).status_code == 200


def test_a_gateway_tells_what_of_it_never_came(served: Service) -> None:
    assert served.get("/v1/gateways")["items"][0]["counters"] == []
    progress = Progress(through=4, ahead=(Range(7, 9),), gap_since=ago(1), lost=3)
    served.store(progress={("gw", "b7"): progress})
    (gateway,) = served.get("/v1/gateways")["items"]
    assert gateway["missing"] == 2
    (counter,) = gateway["counters"]
    assert (counter["through"], counter["lost"]) == (4, 3)
    assert counter["gaps"] == [{"first": 5, "last": 6}]


def test_a_gateway_shows_what_it_said_of_itself(served: Service) -> None:
    assert served.get("/v1/gateways")["items"][0]["status"] is None
    online = Status(gateway="gw", online=True, firmware="1.4", at=ago(5), since=ago(5))
    gone = replace(online, online=False, at=ago(1), since=ago(1))
    served.store(statuses=[online, gone])
    (gateway,) = served.get("/v1/gateways")["items"]
    assert gateway["status"] == {"online": False, "since": iso(ago(1)), "firmware": "1.4"}
    metrics = served.http.get("/metrics", headers=served.headers()).text
    assert 'andaman_gateway_online{gateway="gw"} 0.0' in metrics
