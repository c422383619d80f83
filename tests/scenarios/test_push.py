"""A gateway pushes over HTTP: what it is told is what is in the ledger."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.server import create_app
from core.errors import StorageError
from core.messages import Settled
from core.times import HOUR, iso
from tests.desk import DeskOf
from tests.world import CONFIGURATION, MIDNIGHT, small_world

GOOD = {"device": "air-1", "time": iso(MIDNIGHT), "values": {"pm25": 12.0, "pm10": 20.0}}
DEVICES = (
    CONFIGURATION["devices.yaml"]
    + """
  - {id: dust-1, gateway: gw, site: town, since: 2026-01-01, model: dust, address: esp8266-4711}
  - {id: sniffer, gateway: gw, site: town, since: 2026-01-01}
"""
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    with small_world(tmp_path) as world:
        yield DeskOf(world.at("00:05"))


def body(message: Any) -> bytes:
    return json.dumps(message).encode()


def test_it_answers_with_what_was_stored(desk: DeskOf) -> None:
    response = desk.push(body(GOOD))
    assert (response.status_code, response.json()) == (
        200,
        {"stored": 2, "duplicate": 0, "quarantined": []},
    )
    assert desk.world.rows("SELECT count(*) FROM readings") == [(2,)]


def test_the_same_again_is_a_duplicate(desk: DeskOf) -> None:
    desk.push(body(GOOD))
    assert desk.push(body(GOOD)).json() == {"stored": 0, "duplicate": 2, "quarantined": []}
    assert desk.counted() == (4, 2, 2, 0)


def test_it_names_each_item_that_is_refused(desk: DeskOf) -> None:
    later = iso(MIDNIGHT + 2 * HOUR)
    reports = [
        {"device": "air-1", "time": iso(MIDNIGHT), "values": {"pm25": 1.0, "acidity": 2.0}},
        {"device": "air-1", "time": later, "values": {"pm25": 3.0}},
        {"device": "bin-2", "time": iso(MIDNIGHT + 1), "values": {"fill_level": 4.0}},
    ]
    answer = desk.push(body(reports)).json()
    assert answer["stored"] == 1
    assert [(q["index"], q["reason"]) for q in answer["quarantined"]] == [
        (1, "unknown-parameter"),
        (2, "wrong-gateway"),
        (3, "time-in-future"),
    ]
    assert desk.counted() == (4, 1, 0, 3)


def test_an_item_that_takes_the_short_way_keeps_its_number(desk: DeskOf) -> None:
    first = {"device": "air-1", "time": iso(MIDNIGHT), "values": {"pm25": 1.0, "pm10": 1.0}}
    desk.push(body(first))
    rival = {"device": "air-1", "time": iso(MIDNIGHT), "values": {"pm25": 1.0, "pm10": 2.0}}
    (refused,) = desk.push(body(rival)).json()["quarantined"]
    assert (refused["index"], refused["reason"]) == (1, "conflict")


def test_a_message_that_cannot_be_read_is_quarantined_and_told(desk: DeskOf) -> None:
    response = desk.push(b"{")
    (refused,) = response.json()["quarantined"]
    assert (response.status_code, refused["index"], refused["reason"]) == (200, None, "not-json")
    assert desk.waiting() == [(1, "not-json", 1)]


def test_it_unpacks_gzip(desk: DeskOf) -> None:
    answer = desk.push(gzip.compress(body(GOOD)), **{"Content-Encoding": "gzip"})
    assert answer.json()["stored"] == 2


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        pytest.param(gzip.compress(b"x" * 100_000_000, 9), 413, id="a bomb"),
        pytest.param(gzip.compress(b"x" * 65_537), 413, id="one byte too many"),
        pytest.param(b"{}", 400, id="not packed at all"),
        pytest.param(zlib.compress(b"{}"), 400, id="zlib"),
        pytest.param(gzip.compress(b"{}" * 1000)[:-9], 400, id="cut off"),
        pytest.param(gzip.compress(b"{}") + b"more", 400, id="more behind it"),
        pytest.param(b"", 400, id="empty"),
    ],
)
def test_it_refuses_a_packed_body(desk: DeskOf, packed: bytes, status: int) -> None:
    response = desk.push(packed, **{"Content-Encoding": "gzip"})
    assert response.status_code == status, response.text
    assert desk.counted() == (0, 0, 0, 0)


def test_it_refuses_what_is_too_large(desk: DeskOf) -> None:
    assert desk.push(b"x" * 65_537).status_code == 413
    assert desk.push(b"x" * 65_536).status_code == 200


def test_it_knows_no_other_encoding(desk: DeskOf) -> None:
    response = desk.push(b"", **{"Content-Encoding": "br"})
    assert (response.status_code, response.json()["field"]) == (400, "Content-Encoding")


def test_it_takes_a_stations_name_from_its_header_and_remembers_it(tmp_path: Path) -> None:
    values = {"sensordatavalues": [{"value_type": "pm25", "value": "12.5"}]}
    with small_world(tmp_path) as world:
        desk = DeskOf(world)
        answer = desk.push(
            body(values), "?dialect=sensor-community", **{"X-Sensor": "esp8266-4711"}
        )
        assert answer.json()["quarantined"][0]["reason"] == "unknown-device"
        (tmp_path / "config/devices.yaml").write_text(DEVICES, encoding="utf-8")
        world.restart()
        (entry,) = DeskOf(world).waiting()
        assert DeskOf(world).post(f"/v1/quarantine/{entry[0]}/retry", {}).json() == {
            "stored": 1,
            "duplicate": 0,
            "quarantined": [],
        }
        assert world.rows("SELECT device FROM series") == [("dust-1",)]


def test_it_takes_the_topic_of_a_dialect_that_names_the_device_there(tmp_path: Path) -> None:
    message = {"Time": "2026-11-22T07:05:00", "PMS5003": {"pm25": 9}}
    with small_world(tmp_path) as world:
        (tmp_path / "config/devices.yaml").write_text(DEVICES, encoding="utf-8")
        (tmp_path / "config/sources.yaml").write_text(
            "sources: [{id: t, topic: tele/+/SENSOR, dialect: tasmota, gateway: gw, "
            "timezone: Asia/Bangkok}]",
            encoding="utf-8",
        )
        world.restart().at("00:05")
        desk = DeskOf(world)
        answer = desk.push(body(message), "?dialect=tasmota&topic=tele/sniffer/SENSOR").json()
        assert answer["quarantined"][0]["reason"] == "unknown-parameter"
        assert "of sniffer" in answer["quarantined"][0]["detail"]


@pytest.mark.parametrize(
    ("asked", "headers", "field"),
    [
        pytest.param("?dialect=morse", {}, "dialect", id="no such dialect"),
        pytest.param("?dialect=native&speed=9", {}, "speed", id="a parameter too many"),
        pytest.param(
            "?dialect=sensor-community", {"X-Sensor": "../../x"}, "X-Sensor", id="a path as station"
        ),
    ],
)
def test_it_refuses_a_push(desk: DeskOf, asked: str, headers: dict[str, str], field: str) -> None:
    response = desk.push(body(GOOD), asked, **headers)
    assert (response.status_code, response.json()["field"]) == (400, field)


def test_a_gateway_pushes_for_itself_alone(desk: DeskOf) -> None:
    assert desk.push(body(GOOD), "?gateway=other").status_code == 403
    assert desk.push(body(GOOD), "?gateway=gw").json()["stored"] == 2


def test_an_administrator_names_the_gateway(desk: DeskOf) -> None:
    assert desk.post("/v1/readings", GOOD).json()["field"] == "gateway"
    assert desk.post("/v1/readings?gateway=gw", GOOD).json()["stored"] == 2


def test_it_answers_503_while_the_ledger_refuses(desk: DeskOf) -> None:
    async def refuse(_topic: bytes, _payload: bytes, /) -> Settled:
        raise StorageError("disk full")

    context = replace(desk.context(), push=refuse)
    headers = {"Authorization": f"Bearer {desk.gateway}"}
    response = TestClient(create_app(context)).post(
        "/v1/readings", content=body(GOOD), headers=headers
    )
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "disk" not in response.text


def test_a_push_by_topic_over_mqtt_is_no_push(desk: DeskOf) -> None:
    """No broker lets a gateway publish there; if one did, nothing would have subscribed to it."""
    filters = [source.filter for source in desk.world.system.city.sources.all]
    assert [f for f in filters if f.startswith(("$", "#", "+"))] == []
