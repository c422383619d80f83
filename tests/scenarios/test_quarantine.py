"""What was refused is found, tried again and closed; nothing is counted as received twice."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.reasons import WORDS
from core.messages import Refusal
from core.times import DAY, MINUTE, SECOND, iso
from storage.quarantine import forget
from tests.desk import DeskOf
from tests.world import CONFIGURATION, MIDNIGHT, World, small_world

MORE_DEVICES = (
    CONFIGURATION["devices.yaml"]
    + "  - {id: new-1, gateway: gw, site: town, since: 2026-01-01}\n"
    + "  - {id: new-2, gateway: gw, site: bin, since: 2026-01-01}\n"
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_world(tmp_path) as made:
        yield made.at("00:05")


def register(world: World) -> DeskOf:
    """The new devices enter the configuration, and the system starts again."""
    folder = world.system.settings.config_dir
    (folder / "devices.yaml").write_text(MORE_DEVICES, encoding="utf-8")
    return DeskOf(world.restart())


def retry(desk: DeskOf, entry: int, **body: Any) -> Any:
    response = desk.post(f"/v1/quarantine/{entry}/retry", body)
    assert response.status_code == 200, response.text
    return response.json()


# --- to find and to read ---


def test_it_is_listed_the_newest_first_and_filtered(world: World) -> None:
    world.send(b"{")
    world.publish("new-1", pm25=1.0, pm10=2.0).at("00:10").send(b"[", gateway="other")
    desk = DeskOf(world)
    assert desk.waiting() == [(1, "not-json", 1), (2, "unknown-device", 2), (3, "not-json", 1)]
    for asked, ids in (
        ("reason=not-json", [3, 1]),
        ("gateway=other", [3]),
        ("device=new-1", [2]),
        (f"since={iso(MIDNIGHT + 10 * MINUTE)}", [3]),
        (f"until={iso(MIDNIGHT + 10 * MINUTE)}", [2, 1]),
        ("reason=conflict", []),
        ("state=resolved", []),
        ("state=all&limit=1", [3]),
    ):
        found = desk.get(f"/v1/quarantine?{asked}")["items"]
        assert [entry["id"] for entry in found] == ids, asked


def test_pages_of_the_quarantine_make_up_the_whole(world: World) -> None:
    for _ in range(5):
        world.send(b"{")
    desk, seen, cursor = DeskOf(world), [], ""
    while True:
        page = desk.get(f"/v1/quarantine?limit=2{cursor}")
        seen += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param(b'{"a": "\xe0\xb8\x96"', '{"a": "ถ"', id="UTF-8"),
        pytest.param(b"\xff\x00{", None, id="no text"),
    ],
)
def test_one_entry_shows_its_bytes_and_the_reason_in_words(
    world: World, payload: bytes, text: str | None
) -> None:
    shown = DeskOf(world.send(payload)).get("/v1/quarantine/1")
    assert base64.b64decode(shown["payload"]) == payload
    assert shown["text"] == text
    assert shown["words"].keys() == {"en", "th"}
    assert shown["topic"] == "andaman/v1/gw/up/readings"
    assert (shown["whole"], shown["resolution"], shown["edited"]) == (True, None, None)


def test_there_is_no_other_entry(world: World) -> None:
    desk = DeskOf(world)
    for path, method in (("", "get"), ("/retry", "post"), ("/discard", "post")):
        headers = {"Authorization": f"Bearer {desk.admin}"}
        response = desk.http.request(
            method, f"/v1/quarantine/77{path}", json={"note": "x"}, headers=headers
        )
        assert response.status_code == 404


# --- to try again ---


def test_a_device_that_was_registered_since_gets_its_readings(world: World) -> None:
    world.publish("new-1", pm25=50.0, pm10=2.0)
    assert DeskOf(world).counted() == (2, 0, 0, 2)
    desk = register(world)
    assert retry(desk, 1, note="registered") == {"stored": 2, "duplicate": 0, "quarantined": []}
    assert desk.counted() == (2, 2, 0, 0)
    assert desk.waiting() == []
    shown = desk.get("/v1/quarantine/1")
    assert (shown["resolution"], shown["note"]) == ("stored", "registered")
    assert shown["resolved_by"] == desk.get("/v1/audit")["items"][0]["key"]


def test_a_message_of_which_a_part_was_stored_counts_that_part_once(world: World) -> None:
    at = iso(world.now)
    message = [
        {"device": "air-1", "time": at, "values": {"pm25": 5.0, "pm10": 6.0}},
        {"device": "new-1", "time": at, "values": {"pm25": 7.0}},
    ]
    world.send(json.dumps(message).encode())
    assert DeskOf(world).counted() == (3, 2, 0, 1)
    desk = register(world)
    assert retry(desk, 1) == {"stored": 1, "duplicate": 2, "quarantined": []}
    assert desk.counted() == (3, 3, 0, 0)


def test_each_device_of_a_message_waits_for_itself(world: World) -> None:
    at, devices = iso(world.now), ["new-1", "new-2", "new-3", "new-3"]
    readings = [{"device": d, "time": at, "values": {"pm25": n}} for n, d in enumerate(devices)]
    world.send(json.dumps(readings).encode())
    desk = DeskOf(world)
    found = desk.get("/v1/quarantine")["items"]
    assert [(e["device"], e["items"]) for e in found] == [("new-3", 2), ("new-2", 1), ("new-1", 1)]
    desk = register(world)
    replayed = desk.post("/v1/quarantine/replay", {"device": "new-2"}).json()
    assert (replayed["entries"], replayed["stored"], replayed["refused"]) == (1, 2, 2)
    assert [e["device"] for e in desk.get("/v1/quarantine")["items"]] == ["new-3"]
    assert desk.counted() == (4, 2, 0, 2)


def test_of_many_devices_the_last_share_an_entry_until_the_others_are_known(world: World) -> None:
    at, devices = iso(world.now), ["new-1", "new-2", *(f"odd-{n}" for n in range(18))]
    readings = [{"device": d, "time": at, "values": {"pm25": 1}} for d in devices]
    world.send(json.dumps(readings).encode())
    found = DeskOf(world).get("/v1/quarantine")["items"]
    assert [e["items"] for e in found if e["device"] is None] == [4]
    assert len(found) == 17
    desk = register(world)
    retry(desk, 1)
    found = desk.get("/v1/quarantine")["items"]
    assert [e["items"] for e in found if e["device"] is None] == [2]
    assert len(found) == 17
    assert desk.counted() == (20, 2, 0, 18)


def test_what_is_still_refused_waits_on(world: World) -> None:
    world.publish("new-1", pm25=5.0, acidity=6.0)
    desk = register(world)
    (refused,) = retry(desk, 1)["quarantined"]
    assert (refused["index"], refused["reason"]) == (1, "unknown-parameter")
    assert desk.waiting() == [(2, "unknown-parameter", 1)]
    assert desk.counted() == (2, 1, 0, 1)
    retry(desk, 2)
    assert desk.waiting() == [(2, "unknown-parameter", 1)]
    assert desk.counted() == (2, 1, 0, 1)


def test_entries_about_one_message_are_settled_together(world: World) -> None:
    at = iso(world.now)
    message = [
        {"device": "new-1", "time": at, "values": {"pm25": 7.0}},
        {"device": "air-1", "time": at, "values": {"acidity": 7.0}},
        {"device": "bin-2", "time": at, "values": {"fill_level": 7.0}},
    ]
    world.send(json.dumps(message).encode())
    desk = register(world)
    reasons = ["unknown-device", "unknown-parameter", "wrong-gateway"]
    assert sorted(reason for _, reason, _ in desk.waiting()) == reasons
    by_reason = {reason: entry for entry, reason, _ in desk.waiting()}
    retry(desk, by_reason["wrong-gateway"])
    assert sorted(reason for _, reason, _ in desk.waiting()) == reasons[1:]
    assert desk.counted() == (3, 1, 0, 2)


def test_what_came_again_meanwhile_is_a_duplicate(world: World) -> None:
    world.publish("new-1", measured=MIDNIGHT, pm25=5.0)
    desk = register(world)
    world.publish("new-1", measured=MIDNIGHT, pm25=5.0)
    assert retry(desk, 1) == {"stored": 0, "duplicate": 1, "quarantined": []}
    assert desk.counted() == (2, 1, 1, 0)


def test_a_resolved_entry_is_not_tried_again(world: World) -> None:
    world.publish("new-1", pm25=5.0)
    desk = register(world)
    retry(desk, 1)
    for path in ("retry", "discard"):
        response = desk.post(f"/v1/quarantine/1/{path}", {"note": "again"})
        assert (response.status_code, response.json()["type"]) == (409, "/docs#conflict")
    assert desk.counted() == (1, 1, 0, 0)


def test_a_reading_without_a_time_is_of_when_it_came_first(world: World) -> None:
    world.send(b'{"device": "new-1", "values": {"pm25": 5}}')
    came = world.now
    desk = register(world.at("02:00"))
    retry(desk, 1)
    ((measured, received),) = world.rows("SELECT measured_at, received_at FROM readings")
    assert measured == came
    assert received >= world.now - SECOND


def test_a_bound_of_time_is_that_of_when_it_came(world: World) -> None:
    world.publish("new-1", measured=MIDNIGHT - 29 * DAY - 23 * 60 * MINUTE, pm25=5.0)
    desk = register(world)
    world.now += 5 * DAY
    assert retry(desk, 1)["stored"] == 1


def test_a_retained_message_stays_refused(world: World) -> None:
    world.send(b'{"device": "air-1", "values": {"pm25": 5}}', retain=True)
    desk = DeskOf(world)
    assert [q["reason"] for q in retry(desk, 1)["quarantined"]] == ["retained"]
    assert desk.counted() == (1, 0, 0, 1)


def test_a_message_that_was_not_kept_whole_stays_refused(world: World) -> None:
    world.send(b'{"device": "air-1", "values": {"pm25": 5}}' + b" " * 70_000)
    desk = DeskOf(world)
    assert [q["reason"] for q in retry(desk, 1)["quarantined"]] == ["too-large"]
    assert desk.get("/v1/quarantine/1")["whole"] is False
    assert desk.counted() == (1, 0, 0, 1)


def test_an_edited_copy_is_stored_and_kept_beside_the_original(world: World) -> None:
    world.send(b'{"device": "air-1", "values": {"pm25": 5, "pm10": 6}')
    desk = DeskOf(world)
    good = '{"device": "air-1", "values": {"pm25": 5, "pm10": 6}}'
    assert retry(desk, 1, text=good, note="a brace")["stored"] == 2
    assert desk.counted() == (2, 2, 0, 0), "the message held two items, not one"
    shown = desk.get("/v1/quarantine/1")
    assert base64.b64decode(shown["edited"]).decode() == good
    assert (shown["resolution"], shown["text"]) == ("edited", good[:-1])


def test_an_edited_copy_is_taken_whole_or_not_at_all(world: World) -> None:
    world.send(b"{")
    desk = DeskOf(world)
    half = base64.b64encode(b'{"device": "air-1", "values": {"pm25": 5, "acidity": 6}}').decode()
    answer = retry(desk, 1, payload=half)
    assert (answer["stored"], len(answer["quarantined"])) == (0, 1)
    assert desk.waiting() == [(1, "not-json", 1)]
    assert desk.counted() == (1, 0, 0, 1)


def test_items_that_an_edit_takes_out_stay_counted_as_quarantined(world: World) -> None:
    world.publish("new-1", pm25=5.0, pm10=6.0, acidity=7.0)
    desk = DeskOf(world)
    assert retry(desk, 1, text='{"device": "air-1", "values": {"pm25": 5}}')["stored"] == 1
    assert desk.waiting() == []
    assert desk.counted() == (3, 1, 0, 2)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"text": "{}", "payload": "e30="}, id="text and payload"),
        pytest.param({"payload": "e30"}, id="no base64"),
        pytest.param({"words": "x"}, id="another name"),
        pytest.param({"note": "x" * 501}, id="a long note"),
    ],
)
def test_it_refuses_a_retry(world: World, body: dict[str, str]) -> None:
    desk = DeskOf(world.send(b"{"))
    assert desk.post("/v1/quarantine/1/retry", body).status_code == 400


def test_a_late_reading_from_the_quarantine_raises_no_alert(world: World) -> None:
    world.publish("new-2", fill_level=99.0).at("01:00")
    desk = register(world)
    assert retry(desk, 1)["stored"] == 1
    assert world.transitions() == []


# --- to try everything again ---


def test_a_replay_goes_in_order_and_says_what_became_of_everything(world: World) -> None:
    for minute in range(5):
        world.publish("new-1", measured=MIDNIGHT + minute * MINUTE, pm25=float(minute), acidity=1.0)
        world.send(b"{")
    desk = register(world)
    body: dict[str, Any] = {"reason": "unknown-device", "limit": 2}
    sums = []
    while True:
        done = desk.post("/v1/quarantine/replay", body).json()
        sums.append((done["entries"], done["stored"], done["refused"]))
        if done["next"] is None:
            break
        body["cursor"] = done["next"]
    assert sums == [(2, 2, 2), (2, 2, 2), (1, 1, 1)]
    assert world.rows("SELECT value FROM readings ORDER BY received_at") == [
        (0.0,), (1.0,), (2.0,), (3.0,), (4.0,)
    ]  # fmt: skip
    assert desk.counted() == (15, 5, 0, 10)


# --- to close and to forget ---


def test_a_discarded_entry_stays_with_its_note(world: World) -> None:
    desk = DeskOf(world.send(b"{"))
    assert desk.post("/v1/quarantine/1/discard", {"note": ""}).status_code == 400
    assert desk.post("/v1/quarantine/1/discard", {"note": "a test"}).status_code == 204
    assert desk.waiting() == []
    (entry,) = desk.get("/v1/quarantine?state=resolved")["items"]
    assert (entry["resolution"], entry["note"]) == ("discarded", "a test")
    assert desk.counted() == (1, 0, 0, 1)
    audited = desk.get("/v1/audit")["items"][0]
    assert (audited["action"], audited["subject"], audited["detail"]) == (
        "quarantine-discarded",
        "1",
        "a test",
    )


def test_there_is_nothing_to_forget_where_nothing_was_refused(world: World) -> None:
    assert forget(world.system.ledger, older_than=world.now, most=1) == 0


def test_it_forgets_the_oldest_by_age_and_number_and_counts_them(world: World) -> None:
    for hour in range(1, 11):
        world.at(f"{hour:02}:00").send(b"{")
    ledger, desk = world.system.ledger, DeskOf(world)
    assert forget(ledger, older_than=MIDNIGHT + 150 * MINUTE, most=100) == 2
    assert forget(ledger, older_than=0, most=5, step=2) == 2
    assert forget(ledger, older_than=0, most=5, step=2) == 1
    assert forget(ledger, older_than=0, most=5) == 0
    assert [entry for entry, _, _ in desk.waiting()] == [6, 7, 8, 9, 10]
    assert forget(ledger, older_than=2**60, most=5) == 4, "the newest stays, so do the ids"
    world.send(b"{")
    assert [entry for entry, _, _ in desk.waiting()] == [10, 11]
    assert desk.counted() == (11, 0, 0, 11)
    assert world.rows("SELECT value FROM counters WHERE name = 'forgotten'") == [(9,)]


# --- at any moment ---

report = st.fixed_dictionaries(
    {
        "device": st.sampled_from(["air-1", "new-1", "new-2", "bin-2", "nobody"]),
        "time": st.sampled_from([iso(MIDNIGHT + n * SECOND) for n in range(3)] + ["soon"]),
        "values": st.dictionaries(
            st.sampled_from(["pm25", "pm10", "acidity"]), st.sampled_from([1.0, 2.0]), min_size=1
        ),
    }
)
message = st.lists(report, min_size=1, max_size=4).map(lambda m: json.dumps(m).encode())
step = st.one_of(
    st.tuples(st.just("send"), st.one_of(message, st.just(b"{"))),
    st.tuples(st.just("retry"), st.integers(1, 12)),
    st.tuples(st.just("edit"), st.integers(1, 12), message),
    st.tuples(st.just("discard"), st.integers(1, 12)),
    st.tuples(st.just("register")),
)


@given(st.lists(step, min_size=3, max_size=14))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_counters_add_up_whatever_is_done(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    with small_world(tmp_path_factory.mktemp("world")) as world:
        desk = DeskOf(world.at("00:05"))
        for what, *how in steps:
            before = desk.counted()
            if what == "send":
                world.send(how[0])
            elif what == "register":
                desk = register(world)
            else:
                body = {"edit": {"text": how[-1].decode() if what == "edit" else ""}}.get(what, {})
                path = "discard" if what == "discard" else "retry"
                note = {"note": "x"}
                desk.post(f"/v1/quarantine/{how[0]}/{path}", body | note)
            after = desk.counted()
            assert all(new >= old for new, old in zip(after[:3], before[:3], strict=True))
            ((stored,),) = world.rows("SELECT count(*) FROM readings")
            assert after[1] == stored
            waiting = sum(items for _, _, items in desk.waiting())
            assert after[3] >= waiting


def test_every_reason_has_its_words() -> None:
    assert set(WORDS) == set(Refusal)
    assert all(words.endswith(".") for words, _ in WORDS.values())
