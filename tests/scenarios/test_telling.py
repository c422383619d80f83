"""People are told of alerts: once, in order, by whom the alert concerns."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.explanation import RuleFacts
from core.errors import Blame, DeliveryError
from core.notices import Channel, Parcel, Sent
from core.times import MINUTE
from storage.outbox import Claim, claim, record_failed, record_sent
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


TOGETHER = NOTIFY.replace("language: en", "language: th").replace(
    "{to: U2, language: th}", ", ".join(f"{{to: U{n}, language: th}}" for n in range(2, 9))
)


def test_one_broken_address_of_many_holds_nobody_up(
    tmp_path: Path, line: Server, email: Server
) -> None:
    def answer(parcel: Parcel) -> None:
        if any(recipient.address == "U3" for recipient in parcel.recipients):
            raise DeliveryError("The property, 'to', is invalid", Blame.ADDRESS)

    line.answer = answer
    with small_world(tmp_path, {"notify": TOGETHER}, channels(line=line, email=email)) as world:
        world.at("00:05").publish("bin-1", fill_level=97.0)
        Post(world, line=line, email=email).send()
        assert sorted(address for address, _, _ in line.said()) == [
            f"U{n}" for n in range(1, 9) if n != 3
        ]
        assert len(line.tries) <= 7
        (dead,) = world.rows("SELECT address, words FROM deliveries WHERE state = 'dead'")
        assert tuple(dead) == ("U3", "The property, 'to', is invalid")
        world.at("00:07").publish("bin-1", fill_level=10.0)
        Post(world, line=line, email=email).until("00:09")
        over = sorted(address for address, reason, _ in line.said() if reason == "resolved")
        assert over == [f"U{n}" for n in range(1, 9) if n != 3]


def test_what_did_not_arrive_is_not_said_to_be_over(world: World, post: Post, line: Server) -> None:
    line.answer = refuse(DeliveryError("503", Blame.TEMPORARY))
    world.publish("bin-1", fill_level=97.0)
    post.send()
    world.publish("bin-1", fill_level=10.0)
    world.at("00:07").publish("air-1", pm25=60.0)
    post.until("00:08")
    line.answer = lambda parcel: (
        refuse(DeliveryError("too large", Blame.CONTENT))(parcel)
        if parcel.notice.reason == "first"
        else None
    )
    post.until("00:30")
    assert [address for address, _, _ in line.said()] == []
    states = world.rows("SELECT state, COUNT(*) FROM deliveries GROUP BY state ORDER BY state")
    assert [tuple(row) for row in states] == [("dead", 4), ("dropped", 2)]


def test_after_a_long_outage_one_message_names_every_alert(
    world: World, post: Post, line: Server
) -> None:
    line.answer = refuse(DeliveryError("503", Blame.TEMPORARY))
    world.publish("bin-1", fill_level=97.0)
    post.until("02:00", every=10 * MINUTE)
    world.publish("bin-1", fill_level=10.0)
    post.until("07:00", every=10 * MINUTE)
    world.publish("bin-2", gateway="other", fill_level=97.0)
    post.until("07:30", every=10 * MINUTE)
    line.answer = lambda _: None
    post.until("08:30", every=10 * MINUTE)
    told = [said for said in line.said() if said[0] == "U1"]
    assert told[0] == ("U1", "digest", "bin-full@bin-2:critical bin-full@bin-1:over")
    assert [reason for _, reason, _ in told[1:]] == ["repeat"]
    world.publish("bin-2", gateway="other", fill_level=10.0)
    post.until("08:40")
    assert line.said()[-1] == ("U2", "resolved", "bin-full@bin-2:over")


def test_refused_credentials_hold_the_channel_and_drop_nothing(
    world: World, post: Post, line: Server
) -> None:
    line.answer = refuse(DeliveryError("401", Blame.CREDENTIALS))
    world.publish("bin-1", fill_level=97.0)
    post.until("00:15")
    assert len(line.tries) <= 12, "it is not hammered"
    line.answer = lambda _: None
    post.until("00:17")
    assert [address for address, _, _ in line.said()] == ["U1", "U2"]


def test_a_server_may_ask_for_time(world: World, post: Post, line: Server) -> None:
    line.answer = refuse(DeliveryError("429", Blame.TEMPORARY, retry_after=600))
    world.publish("bin-1", fill_level=97.0)
    post.until("00:10")
    assert len(line.tries) == 2
    line.answer = lambda _: None
    post.until("00:17")
    assert len(line.said()) == 2


def test_several_senders_take_each_parcel_once(world: World, post: Post, line: Server) -> None:
    world.publish("bin-1", fill_level=97.0)
    ledger, now = world.system.ledger, world.now
    with ledger.transaction() as connection:
        first = claim(
            connection, Channel.LINE, Claim(sender="one", until=now + MINUTE), now, most=1
        )
        second = claim(
            connection, Channel.LINE, Claim(sender="two", until=now + MINUTE), now, most=8
        )
        third = claim(
            connection, Channel.LINE, Claim(sender="three", until=now + MINUTE), now, most=8
        )
        later = now + MINUTE
        again = claim(
            connection, Channel.LINE, Claim(sender="four", until=later + MINUTE), later, most=8
        )
        assert record_sent(connection, again[0], Sent("x"), later)
        assert not record_sent(connection, first[0], Sent("y"), later), "it is known already"
        record_failed(connection, second[0], "two", "late", later)
    assert [len(taken) for taken in (first, second, third, again)] == [1, 1, 0, 2]
    assert {p.id for p in (*first, *second)} == {p.id for p in again}
    states = world.rows("SELECT state, reference, leased_by FROM parcels ORDER BY position")
    assert [tuple(row) for row in states] == [("sent", "x", "four"), ("leased", "", "four")]


@pytest.mark.parametrize("value", [pytest.param(85.0, id="later"), pytest.param(97.0, id="now")])
def test_a_mistake_of_ours_in_telling_stops_no_reading_and_loses_no_message(
    world: World, post: Post, line: Server, value: float
) -> None:
    follow_up = world.system.follow_up
    sound = follow_up.arrangements
    assert sound.telephone is not None

    def broken() -> Mapping[str, RuleFacts]:
        raise RuntimeError("a mistake of ours")

    follow_up.arrangements = replace(sound, telephone=replace(sound.telephone, rules=broken))
    world.publish("bin-1", fill_level=value)
    world.at("00:06")
    assert world.transitions() == [("bin-full", "firing", "first-breach")]
    assert world.counters()["stored"] == 1
    assert "a mistake of ours" in follow_up.failing
    follow_up.arrangements = sound
    post.until("00:08")
    assert follow_up.failing == ""
    assert [reason for _, reason, _ in line.said()] == ["first", "first"]
