"""The registry in the ledger: what can be changed, what is refused, and who wins."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from core.errors import RegistryError
from core.registry import Device, Placement
from core.times import DAY
from storage import registry
from storage.ledger import Ledger
from tests.service import CITY, INSTALLED, NOW

WHO: dict[str, Any] = {"by": "k1", "at": NOW}
SITE = replace(CITY.sites["bay"], id="pier", kind="pier")
DEVICE = Device(
    id="buoy-9", gateway="gw", placements=(Placement(NOW - DAY, "pier"),), address="70B3"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    made.register(CITY)
    with made.transaction() as connection:
        registry.add_site(connection, SITE, **WHO)
        registry.add_device(connection, DEVICE, **WHO)
    yield made
    made.close()


def stood(ledger: Ledger, device: str = "buoy-9") -> list[tuple[int, str]]:
    """(hours before now, site) of each place."""
    with ledger.transaction() as connection:
        found = registry.placements(connection, [device])[device]
    return [((NOW - place.since) // (DAY // 24), place.site) for place in found]


def move(connection: Connection, site: str, since: int, device: str = "buoy-9") -> bool:
    return registry.move_device(connection, device, Placement(since, site), **WHO)


def add(**changed: Any) -> Callable[[Connection], Any]:
    made = replace(DEVICE, **({"id": "new-1", "address": ""} | changed))
    return lambda connection: registry.add_device(connection, made, **WHO)


def change(device: str, **wanted: str) -> Callable[[Connection], Any]:
    return lambda connection: registry.change_device(connection, device, wanted, **WHO)


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        pytest.param(
            lambda c: registry.add_site(c, SITE, **WHO),
            "conflict",
            "id: there is a site pier already; change that one",
            id="a site that is there",
        ),
        pytest.param(
            lambda c: registry.change_site(c, "bay", {"owner": "me"}, **WHO),
            "conflict",
            "id: site bay stands in sites.yaml; change it there and restart",
            id="a site of the file",
        ),
        pytest.param(
            lambda c: registry.change_site(c, "gone", {"owner": "me"}, **WHO),
            "not-found",
            "id: there is no site gone; /v1/sites lists them",
            id="no such site",
        ),
        pytest.param(
            lambda c: registry.change_site(c, "pier", {"kind": "beach"}, **WHO),
            "bad-parameter",
            "kind: is pier and stays so; add another site and move its devices there",
            id="another kind",
        ),
        pytest.param(
            add(id="buoy-9"),
            "conflict",
            "id: there is a device buoy-9 already; change or move that one",
            id="a device that is there",
        ),
        pytest.param(
            add(gateway="gw-9"),
            "bad-parameter",
            "gateway: there is no gateway gw-9; /v1/gateways lists them",
            id="no such gateway",
        ),
        pytest.param(
            add(placements=(Placement(NOW, "gone"),)),
            "bad-parameter",
            "site: there is no site gone; add it first, /v1/sites lists them",
            id="no such place",
        ),
        pytest.param(
            add(address="70b3"),
            "conflict",
            "address: 70b3 is what buoy-9 is called; correct one of them",
            id="another's address",
        ),
        pytest.param(
            add(address="mast"),
            "conflict",
            "address: mast is what mast is called; correct one of them",
            id="another's id as address",
        ),
        pytest.param(
            change("mast", model="x"),
            "conflict",
            "id: device mast stands in devices.yaml; change it there and restart",
            id="a device of the file",
        ),
        pytest.param(
            change("gone", model="x"),
            "not-found",
            "id: there is no device gone; /v1/devices lists them",
            id="no such device",
        ),
        pytest.param(
            change("buoy-9", address="buoy"),
            "conflict",
            "address: buoy is what buoy is called; correct one of them",
            id="a new address",
        ),
        pytest.param(
            lambda c: move(c, "bay", NOW, "mast"),
            "conflict",
            "id: device mast stands in devices.yaml; change it there and restart",
            id="a move of a device of the file",
        ),
        pytest.param(
            lambda c: move(c, "gone", NOW),
            "bad-parameter",
            "site: there is no site gone; add it first, /v1/sites lists them",
            id="a move to nowhere",
        ),
        pytest.param(
            lambda c: move(c, "bay", NOW + 1),
            "bad-parameter",
            "since: is in the future; tell it once it has moved",
            id="a move that is to come",
        ),
        pytest.param(
            lambda c: move(c, "bay", NOW - DAY - 1),
            "bad-parameter",
            ("since: buoy-9 has stood at pier since 2026-11-21T01:00:00Z; give a later time"),
            id="a move before it was there",
        ),
        pytest.param(
            lambda c: move(c, "pier", NOW),
            "bad-parameter",
            (
                "site: is where buoy-9 has stood since 2026-11-21T01:00:00Z; there is nothing to "
                "move"
            ),
            id="a move to where it is",
        ),
    ],
)
def test_it_says_why_a_change_cannot_be(
    ledger: Ledger, asked: Callable[[Connection], Any], kind: str, words: str
) -> None:
    with pytest.raises(RegistryError) as refused, ledger.transaction() as connection:
        asked(connection)
    assert (refused.value.kind, str(refused.value)) == (kind, words)


def test_a_move_is_added_and_its_moment_corrects_it(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        assert move(connection, "bay", NOW - DAY // 2)
        assert not move(connection, "bay", NOW - DAY // 2)
        assert not move(connection, "pier", NOW - DAY)  # known already
    assert stood(ledger) == [(24, "pier"), (12, "bay")]
    with ledger.transaction() as connection:
        assert move(connection, "hill", NOW - DAY // 2)
    assert stood(ledger) == [(24, "pier"), (12, "hill")]


def test_a_change_that_changes_nothing_is_no_change(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        site = {"owner": SITE.owner}
        assert not registry.change_site(connection, "pier", site, **WHO)
        assert not registry.change_device(connection, "mast", {"model": "probe"}, **WHO)
        assert registry.change_device(connection, "buoy-9", {"model": "x"}, **WHO)


def test_all_of_it_is_known_after_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    city = ledger.register(CITY)
    assert city.sites == {**CITY.sites, "pier": SITE}
    assert city.devices == {**CITY.devices, "buoy-9": replace(DEVICE, made_at=NOW)}
    assert city.gateways == CITY.gateways


def moved(device: str, *places: tuple[int, str]) -> dict[str, Device]:
    stood = tuple(Placement(*place) for place in places)
    return {**CITY.devices, device: replace(CITY.devices[device], placements=stood)}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param([(NOW, "bay")], [(INSTALLED, "hill"), (NOW, "bay")], id="a move"),
        pytest.param([(INSTALLED, "bay")], [(INSTALLED, "bay")], id="a correction of the site"),
        pytest.param([(NOW, "hill")], [(INSTALLED, "hill")], id="a correction of the day"),
        pytest.param(
            [(INSTALLED - 1, "hill"), (NOW, "bay")],
            [(INSTALLED - 1, "hill"), (NOW, "bay")],
            id="all of it written down",
        ),
    ],
)
def test_the_file_says_where_a_device_stands_and_the_ledger_where_it_stood(
    ledger: Ledger, places: list[tuple[int, str]], expected: list[tuple[int, str]]
) -> None:
    city = ledger.register(replace(CITY, devices=moved("mast", *places)))
    assert [tuple(place) for place in city.devices["mast"].placements] == expected
