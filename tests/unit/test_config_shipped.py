"""The configuration that ships is valid, and its places lie where they say they do."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest

from core.configuration import load
from core.registry import Site

ROOT = Path(__file__).resolve().parents[2]
CITY = load(ROOT / "config")
COAST = ROOT.parent / "shared/data/phuket_gshhg_h.geojson"
KINDS = {"air", "beach", "bin", "weather"}

each_site = pytest.mark.parametrize("site", CITY.sites.values(), ids=lambda site: site.id)


@pytest.mark.parametrize(
    ("kind", "least"),
    [pytest.param("beach", 10), pytest.param("air", 5), pytest.param("bin", 24)],
)
def test_it_has_enough_places_of_each_kind(kind: str, least: int) -> None:
    assert sum(site.kind == kind for site in CITY.sites.values()) >= least


def test_it_has_four_gateways_with_devices_behind_each() -> None:
    assert len(CITY.gateways) == 4
    assert {device.gateway for device in CITY.devices.values()} == CITY.gateways.keys()


def test_it_has_a_device_at_every_place() -> None:
    assert {device.site for device in CITY.devices.values()} == CITY.sites.keys()


@each_site
def test_it_names_the_place_in_thai_and_english(site: Site) -> None:
    assert site.kind in KINDS
    assert site.name["en"].isascii()
    assert any("\u0e00" <= letter <= "\u0e7f" for letter in site.name["th"])
    assert site.owner
    amphoe, _, tambon = site.district.partition("/")
    assert amphoe in {"kathu", "mueang-phuket", "thalang"}
    assert tambon


def test_no_two_places_share_a_name_or_a_spot() -> None:
    sites = CITY.sites.values()
    assert len({site.name["en"] for site in sites}) == len(sites)
    assert len({site.name["th"] for site in sites}) == len(sites)
    assert len({(site.latitude, site.longitude) for site in sites}) == len(sites)


@each_site
def test_it_puts_the_place_on_phuket(site: Site) -> None:
    assert 7.75 <= site.latitude <= 8.21
    assert 98.25 <= site.longitude <= 98.45


@pytest.mark.skipif(not COAST.exists(), reason=f"{COAST.name} is not beside the project")
@each_site
def test_it_puts_the_place_on_land_or_within_the_errors_of_the_coastline(site: Site) -> None:
    """± 300 m of ours and up to 500 m of the outline's."""
    island = max(_outlines(), key=len)
    assert _contains(island, site) or _metres_from(island, site) < 600


def _outlines() -> list[list[list[float]]]:
    features = json.loads(COAST.read_text(encoding="utf-8"))["features"]
    return [feature["geometry"]["coordinates"][0] for feature in features]


def _contains(ring: list[list[float]], site: Site) -> bool:
    crossings = sum(
        (y1 > site.latitude) != (y2 > site.latitude)
        and site.longitude < x1 + (x2 - x1) * (site.latitude - y1) / (y2 - y1)
        for (x1, y1), (x2, y2) in pairwise(ring)
    )
    return crossings % 2 == 1


def _metres_from(ring: list[list[float]], site: Site) -> float:
    north, east = 110_600.0, 111_300.0 * math.cos(math.radians(site.latitude))
    points = [((x - site.longitude) * east, (y - site.latitude) * north) for x, y in ring]
    return min(_distance(start, end) for start, end in pairwise(points))


def _distance(start: tuple[float, float], end: tuple[float, float]) -> float:
    """From the origin to a line."""
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    part = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    return math.hypot(ax + part * dx, ay + part * dy)
