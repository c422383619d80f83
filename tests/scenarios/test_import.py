"""The registry as CSV: out and in again, line by line, all of it or nothing."""

from pathlib import Path

import pytest

from core.times import iso
from tests.desk import DeskOf
from tests.world import World, small_world

SITES = "id,kind,name_en,name_th,latitude,longitude,district\n"
PIER = "pier,pier,Pier,ท่าเรือ,7.8,98.3,mueang\n"
DEVICES = "id,gateway,site,since\n"


def told(report: dict[str, object]) -> list[tuple[int, str, str]]:
    lines = report["lines"]
    assert isinstance(lines, list)
    return [(line["line"], line["done"], line["detail"]) for line in lines]


def test_an_export_is_the_same_when_it_is_imported(tmp_path: Path) -> None:
    with small_world(tmp_path / "one") as world:
        desk = DeskOf(world)
        desk.send("/v1/sites.csv", SITES + PIER + 'x,air,=1+1,\'x,-7.5,98.123456789,"a, b"\n')
        desk.send("/v1/devices.csv", DEVICES + "buoy-1,gw,pier,2026-11-01\nbuoy-2,gw,x,\n")
        world.at("01:00")
        desk.send("/v1/devices.csv", DEVICES + f"buoy-1,gw,patong,{iso(world.now)}\n")
        sites, devices = desk.text("/v1/sites.csv"), desk.text("/v1/devices.csv")
        for path, file in (("/v1/sites.csv", sites), ("/v1/devices.csv", devices)):
            report = desk.send(path, file)
            assert {done for _, done, _ in told(report)} == {"same"}
        assert devices.count("buoy-1") == 2
    with small_world(tmp_path / "other") as world:
        desk = DeskOf(world.at("02:00"))
        assert desk.send("/v1/sites.csv", sites)["added"] == 2
        assert desk.send("/v1/devices.csv", devices)["added"] == 2
        assert desk.text("/v1/sites.csv") == sites
        assert desk.text("/v1/devices.csv") == devices
        world.restart()
        assert DeskOf(world).text("/v1/devices.csv") == devices


def test_what_is_imported_is_there_at_once(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        report = desk.send("/v1/sites.csv", SITES + PIER)
        assert report["stored"]
        assert desk.send("/v1/devices.csv", DEVICES + "buoy-1,gw,pier,\n")["stored"]
        world.publish("buoy-1", ph=8.1)
        assert desk.counted() == (1, 1, 0, 0)


@pytest.mark.parametrize("dry", [False, True])
def test_one_bad_line_takes_all_of_it_back(tmp_path: Path, dry: bool) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        bad = "hill,air,Hill,เขา,91,98.3,mueang\ntown,air,Town,เมือง,7.885,98.391,elsewhere\nb,c\n"
        report = desk.send(f"/v1/sites.csv?dry_run={dry}", SITES + PIER + bad)
        assert not report["stored"]
        assert told(report) == [
            (2, "added", ""),
            (3, "refused", "latitude: should be less than or equal to 90"),
            (4, "refused", "id: site town stands in sites.yaml; change it there and restart"),
            (5, "refused", "has 2 cells, line 1 names 7 columns; correct it"),
        ]
        assert (report["added"], report["refused"]) == (1, 3)
        assert "pier" not in desk.text("/v1/sites.csv")
        assert [line["action"] for line in desk.get("/v1/audit")["items"]] == ["key-made"] * 2


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        report = desk.send("/v1/sites.csv?dry_run=true", SITES + PIER)
        assert (report["stored"], report["added"]) == (False, 1)
        assert "pier" not in desk.text("/v1/sites.csv")


@pytest.mark.parametrize(
    ("line", "done", "detail"),
    [
        pytest.param("bin-9,gw,bin,2026-11-01", "added", "", id="new"),
        pytest.param("bin-9,gw,bin,", "added", "", id="new, since now"),
        pytest.param("bin-1,gw,bin,2026-01-01", "same", "", id="as it is"),
        pytest.param("bin-1,gw,bin,", "same", "", id="as it is, whenever"),
        pytest.param("buoy-1,gw,town,", "changed", "", id="a move"),
        pytest.param("buoy-1,gw,patong,2026-11-21", "changed", "", id="a move, told late"),
        pytest.param("buoy-1,gw,town,2026-11-01", "changed", "", id="a correction"),
        pytest.param("buoy-1,other,bin,", "changed", "", id="another gateway"),
        pytest.param(
            "buoy-1,gw,town,2026-10-01",
            "refused",
            ("since: buoy-1 has stood at bin since 2026-11-01T00:00:00Z; give a later time"),
            id="before it was there",
        ),
        pytest.param(
            "bin-1,gw,town,2026-11-01",
            "refused",
            "id: device bin-1 stands in devices.yaml; change it there and restart",
            id="a file's",
        ),
        pytest.param(
            "bin-9,gw,gone,",
            "refused",
            "site: there is no site gone; add it first, /v1/sites lists them",
            id="no such site",
        ),
        pytest.param(
            "bin-9,gw,bin,yesterday",
            "refused",
            "since: should be a time such as 2026-11-22T08:00:00Z",
            id="no time",
        ),
    ],
)
def test_each_line_of_devices_is_told(tmp_path: Path, line: str, done: str, detail: str) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        desk.send("/v1/devices.csv", DEVICES + "buoy-1,gw,bin,2026-11-01\n")
        assert told(desk.send("/v1/devices.csv", DEVICES + line)) == [(2, done, detail)]


def test_a_column_that_is_left_out_changes_nothing(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        head = "id,gateway,site,model,address\n"
        desk.send("/v1/devices.csv", head + "buoy-1,gw,bin,probe,A1\n")
        assert desk.send("/v1/devices.csv", DEVICES + "buoy-1,gw,bin,\n")["same"] == 1
        assert desk.send("/v1/devices.csv", head + "buoy-1,gw,bin,,A1\n")["changed"] == 1
        devices = {d["id"]: d for d in desk.get("/v1/devices")["items"]}
        assert (devices["buoy-1"]["model"], devices["buoy-1"]["address"]) == ("", "A1")


def test_a_thousand_devices_are_imported_in_one_file(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        assert isinstance(world, World)
        rows = "".join(f"bin-{number + 100},gw,bin,2026-11-01\n" for number in range(1000))
        assert DeskOf(world).send("/v1/devices.csv", DEVICES + rows)["added"] == 1000
