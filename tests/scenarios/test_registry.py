"""The registry changes while the system runs: places, devices, moves."""

from pathlib import Path

import pytest

from core.times import MINUTE, iso
from tests.desk import DeskOf
from tests.world import CONFIGURATION, MIDNIGHT, World, small_world, write_configuration

PIER = {
    "id": "pier",
    "kind": "pier",
    "name": {"en": "Pier", "th": "ท่าเรือ"},
    "latitude": 7.8,
    "longitude": 98.3,
    "district": "mueang",
}
BUOY = {"id": "buoy-1", "gateway": "gw", "site": "pier", "since": "2026-11-01"}


def lines_of(world: World) -> list[str]:
    """The points on their way to InfluxDB, without fields and time."""
    rows = world.rows("SELECT lines FROM outflow ORDER BY id")
    return [line.split(" ")[0] for (lines,) in rows for line in lines.decode().split("\n")]


def add_buoy(desk: DeskOf) -> None:
    assert desk.post("/v1/sites", PIER).status_code == 201
    assert desk.post("/v1/devices", BUOY).status_code == 201


def move(desk: DeskOf, device: str, site: str, since: int | None = None) -> None:
    asked = {"site": site} | ({} if since is None else {"since": iso(since)})
    response = desk.post(f"/v1/devices/{device}/moves", asked)
    assert response.status_code == 200, response.text


def test_what_was_added_is_taken_at_once_and_after_a_restart(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("00:01").publish("buoy-1", ph=8.1)
        assert world.counters()["quarantined"] == 1
        add_buoy(DeskOf(world))
        world.publish("buoy-1", ph=8.2)
        world.at("00:02").restart().publish("buoy-1", ph=8.3)
        assert world.counters()["stored"] == 2
        assert DeskOf(world).get("/v1/latest")["items"][0]["site"] == "pier"


def test_a_new_device_is_watched_by_the_rules_of_its_kind(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        desk.post("/v1/devices", {"id": "bin-9", "gateway": "gw", "site": "bin"})
        world.at("00:01").publish("bin-9", fill_level=90.0)
        assert world.transitions() == [("bin-full", "firing", "first-breach")]


def test_a_reading_belongs_to_the_site_where_it_was_measured(tmp_path: Path) -> None:
    with small_world(tmp_path, influx_url="http://127.0.0.1:9") as world:
        desk = DeskOf(world)
        add_buoy(desk)
        world.at("00:05").publish("buoy-1", ph=8.1)
        world.at("00:10")
        move(desk, "buoy-1", "patong", MIDNIGHT + 8 * MINUTE)
        assert desk.get("/v1/latest")["items"][0]["site"] == "pier"
        assert desk.get("/v1/sites/patong")["newest"] is None
        world.publish("buoy-1", measured=MIDNIGHT + 7 * MINUTE, ph=8.2)
        world.publish("buoy-1", ph=8.3)
        assert desk.get("/v1/latest")["items"][0]["site"] == "patong"
        assert desk.get("/v1/sites/patong")["newest"] == iso(world.now - 1)
        assert lines_of(world) == [
            "pier,device=buoy-1,site=pier",
            "pier,device=buoy-1,site=pier",
            "beach,device=buoy-1,site=patong",
        ]
        history = desk.get("/v1/series/buoy-1/ph?end=2026-11-23T00:00:00Z")
        assert [point["value"] for point in history["items"]] == [8.1, 8.2, 8.3]
        assert [place["site"] for place in history["places"]] == ["pier", "patong"]
        before = desk.get("/v1/series/buoy-1/ph?end=2026-11-22T00:08:00Z")
        assert [place["site"] for place in before["places"]] == ["pier"]


@pytest.mark.parametrize("restarts", [False, True])
def test_what_went_on_at_the_former_site_ends_with_a_move(tmp_path: Path, restarts: bool) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        desk.post("/v1/devices", {"id": "bin-9", "gateway": "gw", "site": "bin"})
        world.at("00:05").publish("bin-9", fill_level=90.0)
        world.at("00:10")
        if restarts:
            world.restart()
            desk = DeskOf(world)
        move(desk, "bin-9", "town")
        world.publish("bin-9", measured=MIDNIGHT + 9 * MINUTE, fill_level=99.0)
        world.at("00:11").publish("bin-9", fill_level=91.0)
        assert world.transitions() == [
            ("bin-full", "firing", "first-breach"),
            ("bin-full", "resolved", "device-moved"),
            ("bin-full", "firing", "first-breach"),
        ]
        sites = world.rows("SELECT site, state FROM alerts ORDER BY started_at")
        assert sites == [("bin", "resolved"), ("town", "firing")]
        world.at("00:12").restart()
        world.at("00:13").publish("bin-9", fill_level=10.0)
        assert world.transitions()[-1] == ("bin-full", "resolved", "back-in-range")


def test_a_change_that_moves_nothing_ends_nothing(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        world.at("00:05").publish("bin-1", fill_level=90.0)
        add_buoy(desk)
        desk.patch("/v1/sites/pier", {"district": "thalang"})
        world.at("00:06").publish("bin-1", fill_level=10.0)
        assert [reason for _, _, reason in world.transitions()] == [
            "first-breach",
            "back-in-range",
        ]


def test_a_move_in_the_file_is_remembered_as_one(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("00:05").publish("bin-1", fill_level=90.0)
        moved = CONFIGURATION["devices.yaml"].replace(
            "id: bin-1, gateway: gw, site: bin, since: 2026-01-01",
            "id: bin-1, gateway: gw, site: town, since: 2026-11-22T00:06:00Z",
        )
        write_configuration(tmp_path / "config", devices=moved)
        world.at("00:07").restart()
        world.at("00:08").publish("bin-1", fill_level=20.0)
        assert world.transitions()[-1] == ("bin-full", "resolved", "device-moved")
        devices = {d["id"]: d for d in DeskOf(world).get("/v1/devices")["items"]}
        assert [place["site"] for place in devices["bin-1"]["places"]] == ["bin", "town"]


def test_a_file_wins_over_what_was_made_here_and_nothing_dangles(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        assert desk.post("/v1/devices", BUOY | {"site": "town", "address": "A1"}).status_code == 201
        assert desk.post("/v1/devices", BUOY | {"id": "buoy-2", "site": "town"}).status_code == 201
        sites = CONFIGURATION["sites.yaml"].split("  - {id: town")
        rest = sites[1].split("  - {id: bin")[1]
        devices = CONFIGURATION["devices.yaml"].replace("site: town", "site: patong")
        named = "  - {id: buoy-2, gateway: other, site: bin, since: 2026-01-01, address: a1}\n"
        write_configuration(
            tmp_path / "config", sites=f"{sites[0]}  - {{id: bin{rest}", devices=devices + named
        )
        world.at("00:01").restart().publish("buoy-1", ph=8.1)
        desk = DeskOf(world)
        known = {d["id"]: d for d in desk.get("/v1/devices")["items"]}
        assert (known["buoy-1"]["site"], known["buoy-1"]["address"]) == ("town", "")
        assert (known["buoy-2"]["origin"], known["buoy-2"]["gateway"]) == ("file", "other")
        assert desk.get("/v1/sites/town")["origin"] == "api"
        assert world.counters()["stored"] == 1


def test_the_city_keeps_its_zone_whatever_is_changed(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        zoned = f"timezone: Asia/Bangkok\n{CONFIGURATION['sites.yaml']}"
        write_configuration(tmp_path / "config", sites=zoned)
        desk = DeskOf(world.restart())
        assert world.system.pipeline.registry.zone.key == "Asia/Bangkok"
        add_buoy(desk)
        assert world.system.pipeline.registry.zone.key == "Asia/Bangkok"
