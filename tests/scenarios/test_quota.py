"""What gateways bring by themselves: up to a number a day, whatever happens meanwhile."""

from pathlib import Path

from tests.desk import DeskOf
from tests.world import CONFIGURATION, World, small_world, write_configuration

BRINGS = CONFIGURATION["devices.yaml"].replace(
    "{id: gw, name: {en: Gateway, th: เกตเวย์}}",
    "{id: gw, name: {en: Gateway, th: เกตเวย์}, series_per_day: 4,\n"
    "     auto_approve: {prefix: wx-, site: town, devices_per_day: 2}}",
)


def bringing(world: World, folder: Path) -> World:
    write_configuration(folder / "config", devices=BRINGS)
    return world.restart()


def next_day(world: World) -> World:
    return world.at("24:00:01")


def test_devices_come_by_themselves_until_the_number_of_the_day_is_reached(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        bringing(world, tmp_path).publish("wx-1", air_temperature=30.0)
        world.restart().publish("wx-2", air_temperature=31.0)
        world.restart().publish("wx-3", air_temperature=32.0).publish("sea-1", ph=8.0)
        desk = DeskOf(world)
        made = [d for d in desk.get("/v1/devices?site=town")["items"] if d["origin"] == "auto"]
        assert [device["id"] for device in made] == ["wx-1", "wx-2"]
        assert [(reason, items) for _, reason, items in desk.waiting()] == [
            ("quota", 1),
            ("unknown-device", 1),
        ]
        assert desk.counted() == (4, 2, 0, 2)
        keys = [line["key"] for line in desk.get("/v1/audit")["items"]]
        assert keys.count("auto-approve") == 2
        replayed = desk.post("/v1/quarantine/replay", {"reason": "quota"}).json()
        assert (replayed["stored"], replayed["refused"]) == (0, 1)
        next_day(world)
        replayed = desk.post("/v1/quarantine/replay", {"reason": "quota"}).json()
        assert (replayed["stored"], replayed["refused"]) == (1, 0)
        assert desk.counted() == (4, 3, 0, 1)


def test_a_device_that_came_by_itself_can_be_moved(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        bringing(world, tmp_path).publish("wx-1", air_temperature=30.0)
        desk = DeskOf(world)
        assert desk.post("/v1/devices/wx-1/moves", {"site": "bin"}).status_code == 200
        world.restart().publish("wx-1", air_temperature=30.0)
        assert DeskOf(world).get("/v1/latest?device=wx-1")["items"][0]["site"] == "bin"


def test_new_series_are_so_many_a_day_also_after_a_restart(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        bringing(world, tmp_path).publish("patong-1", ph=8.1, turbidity=2.0, salinity=33.0)
        world.restart().publish("air-1", pm25=10.0, pm10=20.0)
        world.publish("patong-1", ph=8.2).publish("bin-2", gateway="other", fill_level=10.0)
        desk = DeskOf(world)
        assert [(reason, items) for _, reason, items in desk.waiting()] == [("quota", 1)]
        assert desk.counted() == (7, 6, 0, 1)
        next_day(world).publish("air-1", pm10=21.0)
        assert desk.counted() == (8, 7, 0, 1)


def test_the_usual_number_holds_where_a_gateway_has_none_of_its_own(tmp_path: Path) -> None:
    with small_world(tmp_path, series_per_day=1) as world:
        world.publish("patong-1", ph=8.1).publish("patong-1", turbidity=2.0)
        world.publish("bin-2", gateway="other", fill_level=10.0)
        assert DeskOf(world).counted() == (3, 2, 0, 1)
