"""People are told of alerts: once, in order, by whom the alert concerns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Blame, DeliveryError
from tests.postman import NOTIFY, Post, Server, channels, refuse
from tests.world import World, small_world


@pytest.fixture
def line() -> Server:
    return Server()


@pytest.fixture
def email() -> Server:
    return Server()


@pytest.fixture
def world(tmp_path: Path, line: Server, email: Server) -> Iterator[World]:
    with small_world(tmp_path, {"notify": NOTIFY}, channels(line=line, email=email)) as made:
        yield made.at("00:05")


@pytest.fixture
def post(world: World, line: Server, email: Server) -> Post:
    return Post(world, line=line, email=email)


def test_what_is_critical_is_told_in_the_very_moment(
    world: World, post: Post, line: Server
) -> None:
    world.publish("bin-1", fill_level=97.0)
    post.send()
    assert line.said() == [
        ("U1", "first", "bin-full@bin-1:critical"),
        ("U2", "first", "bin-full@bin-1:critical"),
    ]
    (told,) = next(iter(line.parcels.values())).notice.alerts
    assert told.rule_name == {"en": "Full", "th": "เต็ม"}
    assert told.site_name == {"en": "Bin", "th": "ถัง"}
    assert (told.value, told.level, told.side, told.unit) == (97.0, 95.0, "above", "%")
    assert [reading.value for reading in told.recent] in ([97.0], [])


def test_what_is_not_waits_and_comes_together(world: World, post: Post, line: Server) -> None:
    world.publish("bin-1", fill_level=85.0)
    post.until("00:05:20")
    world.publish("bin-2", gateway="other", fill_level=85.0)
    post.until("00:05:29", every=1_000_000)
    assert line.said() == []
    post.until("00:05:31", every=1_000_000)
    both = "bin-full@bin-1:warning bin-full@bin-2:warning"
    assert line.said() == [("U1", "first", both), ("U2", "first", both)]


def test_the_all_clear_follows_the_firing_and_goes_to_who_heard_it(
    world: World, post: Post, line: Server
) -> None:
    line.answer = lambda parcel: (
        refuse(DeliveryError("no such user", Blame.ADDRESS))(parcel)
        if parcel.recipients[0].address == "U1"
        else None
    )
    world.publish("bin-1", fill_level=97.0)
    post.send()
    world.publish("bin-1", fill_level=10.0)
    post.until("00:08")
    assert line.said() == [
        ("U2", "first", "bin-full@bin-1:critical"),
        ("U2", "resolved", "bin-full@bin-1:over"),
    ]


def test_what_is_over_before_anybody_was_told_is_not_told(
    world: World, post: Post, line: Server
) -> None:
    world.publish("bin-1", fill_level=85.0)
    world.at("00:05:10").publish("bin-1", fill_level=10.0)
    post.until("00:20")
    assert line.said() == []


def test_a_server_that_is_away_gets_the_same_later(world: World, post: Post, line: Server) -> None:
    line.answer = refuse(DeliveryError("503", Blame.TEMPORARY))
    world.publish("bin-1", fill_level=97.0)
    post.until("00:06")
    world.publish("bin-1", fill_level=10.0)
    post.until("00:10")
    line.answer = lambda _: None
    post.until("00:30")
    assert line.said() == [
        ("U1", "first", "bin-full@bin-1:critical"),
        ("U2", "first", "bin-full@bin-1:critical"),
        ("U1", "resolved", "bin-full@bin-1:over"),
        ("U2", "resolved", "bin-full@bin-1:over"),
    ]
    assert len({parcel.id for parcel in line.tries}) == 4


def test_what_still_fires_is_repeated_until_somebody_acknowledges(
    world: World, post: Post, line: Server
) -> None:
    world.publish("bin-1", fill_level=97.0)
    post.until("02:10")
    reasons = [reason for address, reason, _ in line.said() if address == "U1"]
    assert reasons == ["first", "repeat", "repeat"]
