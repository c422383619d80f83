"""Devices that nobody registered: they wait, are listed, and lose nothing by being approved."""

from pathlib import Path

from core.times import DAY, HOUR, MINUTE, iso
from tests.desk import DeskOf
from tests.world import MIDNIGHT, World, small_world

APPROVE = "/v1/unknown-devices/approve"


def approve(desk: DeskOf, device: str, **more: str) -> tuple[int, int, int]:
    """(stored, duplicate, refused) of what was kept."""
    response = desk.post(APPROVE, {"gateway": "gw", "device": device, "site": "bin"} | more)
    assert response.status_code == 201, response.text
    replayed = response.json()["replayed"]
    assert replayed["next"] is None
    return (replayed["stored"], replayed["duplicate"], replayed["refused"])


def waiting(world: World) -> World:
    world.at("01:00").publish("bin-9", fill_level=10.0, battery_level=90.0)
    world.at("02:00").publish("bin-9", fill_level=99.0)
    world.at("02:30").publish("bin-9", gateway="other", fill_level=50.0)
    return world.at("03:00").publish("bin-9", fill_level=20.0, colour=1.0)


def test_it_lists_who_waits_and_what_it_may_be(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(waiting(world))
        mine, other = desk.get("/v1/unknown-devices")["items"]
        assert (mine["gateway"], mine["device"], mine["entries"], mine["items"]) == (
            "gw",
            "bin-9",
            3,
            5,
        )
        assert mine["first_seen"][:16] == iso(MIDNIGHT + HOUR)[:16]
        assert mine["last_seen"][:16] == iso(MIDNIGHT + 3 * HOUR)[:16]
        assert mine["keys"] == ["battery_level", "colour", "fill_level"]
        assert [(s["model"], s["score"]) for s in mine["suggestions"]] == [("", 0.67)]
        assert other["gateway"] == "other"
        page = desk.get("/v1/unknown-devices?limit=1")
        assert desk.get(f"/v1/unknown-devices?cursor={page['next']}")["items"] == [other]


def test_approving_takes_what_was_kept_in_order_and_pages_nobody(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        desk = DeskOf(waiting(world))
        world.at("03:30")
        assert approve(desk, "bin-9") == (4, 0, 1)
        assert world.transitions() == []  # 99 % was long ago
        history = desk.get("/v1/series/bin-9/fill_level?end=2026-11-23T00:00:00Z")
        assert [point["value"] for point in history["items"]] == [10.0, 99.0, 20.0]
        assert history["places"][0]["since"][:16] == "2026-11-22T01:00"
        assert sorted(reason for _, reason, _ in desk.waiting()) == [
            "unknown-device",  # of the other gateway
            "unknown-parameter",
        ]
        assert desk.counted() == (6, 4, 0, 2)
        world.publish("bin-9", fill_level=96.0)
        assert world.transitions() == [("bin-full", "firing", "first-breach")]
        assert [d["gateway"] for d in desk.get("/v1/unknown-devices")["items"]] == ["other"]


def test_what_is_fresh_pages(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("01:00").publish("bin-9", fill_level=99.0)
        world.at("01:05")
        assert approve(DeskOf(world), "bin-9") == (1, 0, 0)
        assert world.transitions() == [("bin-full", "firing", "first-breach")]


def test_a_name_that_is_no_id_becomes_its_address(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("01:00").publish("Bin / 9", fill_level=10.0)
        desk = DeskOf(world)
        asked = {"gateway": "gw", "device": "Bin / 9", "site": "bin"}
        refused = desk.post(APPROVE, asked)
        assert (refused.status_code, refused.json()["field"]) == (400, "id")
        assert approve(desk, "Bin / 9", id="bin-9") == (1, 0, 0)
        world.publish("bin / 9", fill_level=11.0)
        assert desk.counted() == (2, 2, 0, 0)


def test_what_cannot_be_approved_is_refused_and_waits_on(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        world.at("01:00").publish("bin-9", fill_level=10.0)
        desk = DeskOf(world)
        for more, status, field in (
            ({"site": "gone"}, 400, "site"),
            ({"id": "bin-1"}, 409, "id"),
            ({"device": "bin-8"}, 404, None),
            ({"gateway": "other"}, 404, None),
            ({"since": "soon"}, 400, "since"),
        ):
            asked = {"gateway": "gw", "device": "bin-9", "site": "bin"} | more
            response = desk.post(APPROVE, asked)
            assert (response.status_code, response.json().get("field")) == (status, field)
        assert desk.counted() == (1, 0, 0, 1)
        assert approve(desk, "bin-9") == (1, 0, 0)


def test_it_was_at_its_first_site_before_anybody_approved_it(tmp_path: Path) -> None:
    with small_world(tmp_path) as world:
        old = MIDNIGHT - 2 * DAY
        world.at("01:00").publish("bin-9", measured=old, fill_level=10.0)
        desk = DeskOf(world)
        assert approve(desk, "bin-9") == (1, 0, 0)
        assert desk.get("/v1/latest")["items"][0]["site"] == "bin"
        assert desk.get("/v1/audit")["items"][0]["detail"] == "bin-9 is approved"
        assert world.now < MIDNIGHT + HOUR + MINUTE
