"""Subscribers hear of what they want, when they want it, and nothing once they stopped."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from core.alerts import Severity
from core.errors import Blame, DeliveryError
from core.notices import Channel, LineMonth
from core.subscribers import (
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from core.times import DAY, HOUR
from storage import joining, line_quota, subscribers
from tests.desk import DeskOf
from tests.postman import NOTIFY, Post, Server, channels, refuse
from tests.world import World, small_world

EVERYBODY = NOTIFY.replace("receivers:", "receivers:\n  - {name: everybody, subscribers: true}")
EVERYBODY = EVERYBODY.replace("  receiver: officers", "  receiver: everybody")
ALL = Subscription(scope=Scope.ALL)
CRITICAL = "bin-full@bin-1:critical"
WARNING = "bin-full@bin-1:warning"
OVER = "bin-full@bin-1:over"
NIGHT = Preferences(quiet=(time(0), time(7)))


@pytest.fixture
def line() -> Server:
    return Server()


@pytest.fixture
def email() -> Server:
    return Server()


@pytest.fixture
def world(tmp_path: Path, line: Server, email: Server) -> Iterator[World]:
    with small_world(tmp_path, {"notify": EVERYBODY}, channels(line=line, email=email)) as made:
        yield made.at("00:05")


@pytest.fixture
def post(world: World, line: Server, email: Server) -> Post:
    return Post(world, line=line, email=email)


def by(channel: Channel, address: str) -> Contact:
    return Contact(channel=channel, address=address, state=SubscriberState.ACTIVE, since=0)


def join(
    world: World,
    name: str,
    *wants: Subscription,
    preferences: Preferences | None = None,
    reached: Sequence[Contact] = (),
) -> Subscriber:
    one = Subscriber(
        id=name,
        language="en",
        contacts=tuple(reached) or (by(Channel.LINE, f"U-{name}"),),
        subscriptions=wants or (ALL,),
        preferences=preferences or Preferences(),
        made_at=world.now,
    )
    subscribers.add(world.system.ledger, one, by="k1", at=world.now)
    return one


def test_each_hears_of_what_they_want(world: World, post: Post, line: Server) -> None:
    join(world, "all")
    join(world, "bins", Subscription(scope=Scope.KIND, target="bin"))
    join(world, "town", Subscription(scope=Scope.DISTRICT, target="mueang"))
    join(world, "bad", Subscription(scope=Scope.ALL, least=Severity.CRITICAL))
    join(world, "beach", Subscription(scope=Scope.SITE, target="patong"))
    world.publish("bin-1", fill_level=85.0)
    post.until("00:07")
    assert sorted(line.said()) == [(f"U-{n}", "first", WARNING) for n in ("all", "bins", "town")]
    world.publish("bin-1", fill_level=97.0)
    post.send()
    worse = sorted(who for who, _, what in line.said() if what == CRITICAL)
    assert worse == ["U-all", "U-bad", "U-bins", "U-town"]


def test_what_is_told_in_the_night_waits_for_the_morning(
    world: World, post: Post, line: Server
) -> None:
    join(world, "sleeper", preferences=NIGHT)
    join(world, "owl")
    world.publish("bin-1", fill_level=85.0)
    world.publish("patong-1", dissolved_oxygen=3.0)
    post.until("06:59")
    assert {who for who, _, _ in line.said()} == {"U-owl"}
    post.until("07:01")
    (said,) = (said for said in line.said() if said[0] == "U-sleeper")
    assert said[1] == "digest"
    assert sorted(said[2].split()) == [WARNING, "low-oxygen@patong-1:warning"]


def test_what_began_and_ended_in_the_night_is_told_as_over(
    world: World, post: Post, line: Server
) -> None:
    join(world, "sleeper", preferences=NIGHT)
    world.publish("bin-1", fill_level=85.0)
    post.until("00:30")
    world.publish("bin-1", fill_level=10.0)
    post.until("07:01")
    assert line.said() == [("U-sleeper", "digest", OVER)]


def test_critical_wakes_and_its_all_clear_does_not(world: World, post: Post, line: Server) -> None:
    join(world, "sleeper", preferences=NIGHT)
    world.publish("bin-1", fill_level=97.0)
    post.send()
    assert line.said() == [("U-sleeper", "first", CRITICAL)]
    world.publish("bin-1", fill_level=10.0)
    post.until("06:59")
    assert len(line.said()) == 1
    post.until("07:01")
    assert line.said()[1:] == [("U-sleeper", "resolved", OVER)]


def test_a_daily_digest_names_everything_since_the_last(
    world: World, post: Post, line: Server
) -> None:
    join(world, "reader", preferences=Preferences(digest=time(8)))
    world.publish("bin-1", fill_level=85.0)
    post.until("01:00")
    world.publish("patong-1", dissolved_oxygen=3.0)
    post.until("07:59")
    assert line.said() == []
    post.until("09:00")
    said = line.said()
    assert [(who, reason) for who, reason, _ in said] == [("U-reader", "digest")]
    assert sorted(said[0][2].split()) == [WARNING, "low-oxygen@patong-1:warning"]


def test_a_mute_holds_even_what_is_critical_until_it_ends(
    world: World, post: Post, line: Server
) -> None:
    join(world, "tired", preferences=Preferences(muted_until=world.now + 5 * HOUR // 2))
    world.publish("bin-1", fill_level=97.0)
    post.until("02:34")
    assert line.said() == []
    post.until("02:36")
    assert [(who, what) for who, _, what in line.said()] == [("U-tired", CRITICAL)]


def test_line_comes_first_and_mail_where_there_is_no_line(
    world: World, post: Post, line: Server, email: Server
) -> None:
    both = (by(Channel.LINE, "U-both"), by(Channel.EMAIL, "both@example.com"))
    join(world, "both", reached=both)
    mail = (by(Channel.LINE, "U-mail"), by(Channel.EMAIL, "mail@example.com"))
    join(world, "mail", reached=mail, preferences=Preferences(first=Channel.EMAIL))
    gone = replace(by(Channel.LINE, "U-gone"), state=SubscriberState.BLOCKED)
    join(world, "gone", reached=(gone, by(Channel.EMAIL, "gone@example.com")))
    world.publish("bin-1", fill_level=97.0)
    post.send()
    assert [who for who, _, _ in line.said()] == ["U-both"]
    assert sorted(who for who, _, _ in email.said()) == ["gone@example.com", "mail@example.com"]


def test_who_stopped_hears_nothing_more_not_even_what_waited(
    world: World, post: Post, line: Server
) -> None:
    join(world, "sleeper", preferences=NIGHT)
    join(world, "heard")
    world.publish("bin-1", fill_level=85.0)
    post.until("00:30")
    for name in ("sleeper", "heard"):
        joining.stop(world.system.ledger, name, by="web", at=world.now)
    world.publish("bin-1", fill_level=10.0)
    post.until("07:30")
    assert line.said() == [("U-heard", "first", WARNING)]


def test_who_was_deleted_leaves_nothing_with_their_address(
    world: World, post: Post, line: Server
) -> None:
    join(world, "sleeper", preferences=NIGHT)
    join(world, "heard")
    world.publish("bin-1", fill_level=85.0)
    post.until("00:30")
    for name in ("sleeper", "heard"):
        subscribers.remove(world.system.ledger, name, by="k1", at=world.now)
    rows = world.rows("SELECT address, subscriber, state FROM deliveries ORDER BY state")
    assert rows == [("", "", "dropped"), ("", "", "sent")]
    post.until("07:30")
    assert line.said() == [("U-heard", "first", WARNING)]


BOTH = (by(Channel.LINE, "U-both"), by(Channel.EMAIL, "both@example.com"))


def states(world: World, channel: str) -> list[str]:
    query = "SELECT DISTINCT state FROM contacts WHERE channel = ? ORDER BY state"
    with world.system.readers.connect() as connection:
        return [row[0] for row in connection.exec_driver_sql(query, (channel,))]


def test_who_blocked_us_gets_the_same_by_mail(
    world: World, post: Post, line: Server, email: Server
) -> None:
    join(world, "both", reached=BOTH)
    line.answer = refuse(DeliveryError("400 blocked", Blame.ADDRESS))
    world.publish("bin-1", fill_level=97.0)
    post.until("00:06")
    assert email.said() == [("both@example.com", "first", CRITICAL)]
    assert (states(world, "line"), states(world, "email")) == (["blocked"], ["active"])
    world.publish("bin-1", fill_level=10.0)
    post.until("00:10")
    assert email.said()[1:] == [("both@example.com", "resolved", OVER)]
    assert len(line.tries) == 1


def test_an_address_that_bounces_is_not_tried_again(
    world: World, post: Post, email: Server
) -> None:
    join(world, "mail", reached=BOTH[1:])
    email.answer = refuse(DeliveryError("550 no such user", Blame.ADDRESS))
    world.publish("bin-1", fill_level=97.0)
    post.until("03:00")
    assert len(email.tries) == 1
    assert states(world, "email") == ["bounced"]


def test_when_the_months_messages_are_spent_mail_takes_over(
    world: World, post: Post, line: Server, email: Server
) -> None:
    join(world, "both", reached=BOTH)
    join(world, "line")
    line.answer = refuse(DeliveryError("429 monthly limit", Blame.QUOTA))
    world.publish("bin-1", fill_level=97.0)
    post.until("00:06")
    assert email.said() == [("both@example.com", "first", CRITICAL)]
    world.publish("air-1", pm25=90.0)
    post.until("00:20")
    assert len(email.said()) == 2
    assert states(world, "line") == ["active"]
    line.answer = lambda _: None
    post.until("01:30")
    assert {who for who, _, _ in line.said()} == {"U-line"}
    world.publish("bin-2", gateway="other", fill_level=97.0)
    post.until("01:33")
    assert {who for who, _, _ in line.said()} == {"U-line", "U-both"}


@pytest.mark.parametrize(
    ("used", "by_line", "by_mail"),
    [
        pytest.param(0, {"U-both", "U-line"}, set(), id="enough"),
        pytest.param(200, set(), set(), id="runs low: with the digest"),
        pytest.param(240, set(), {"both@example.com"}, id="the share is spent: by mail"),
    ],
)
def test_when_the_months_messages_run_low_what_is_not_critical_waits(
    world: World,
    post: Post,
    line: Server,
    email: Server,
    used: int,
    by_line: set[str],
    by_mail: set[str],
) -> None:
    join(world, "both", reached=BOTH)
    join(world, "line")
    _month(world, used)
    world.publish("bin-1", fill_level=85.0)
    post.until("00:10")
    assert {who for who, _, _ in line.said()} == by_line
    assert {who for who, _, _ in email.said()} == by_mail
    world.publish("bin-2", gateway="other", fill_level=97.0)
    post.until("00:20")
    assert {who for who, _, what in line.said() if "critical" in what} == {"U-both", "U-line"}
    _month(world, used)
    post.until("18:05")
    assert "U-line" in {who for who, _, what in line.said() if "bin-1:warning" in what}


def _month(world: World, used: int) -> None:
    """LINE says so now."""
    with world.system.ledger.transaction() as connection:
        line_quota.keep(connection, LineMonth(limit=300, used=used, at=world.now))


def test_a_digest_of_nothing_comes_once_to_who_asked_for_it(
    world: World, post: Post, line: Server
) -> None:
    join(world, "asked", preferences=Preferences(digest=time(1), digest_empty=True))
    join(world, "other", preferences=Preferences(digest=time(1)))
    post.until("01:30")
    assert line.said() == [("U-asked", "digest", "")]


def test_a_digest_with_something_in_it_is_no_digest_of_nothing(
    world: World, post: Post, line: Server
) -> None:
    join(world, "asked", preferences=Preferences(digest=time(1), digest_empty=True))
    world.publish("bin-1", fill_level=85.0)
    post.until("01:30")
    assert [(who, what) for who, _, what in line.said()] == [("U-asked", WARNING)]


def test_signed_up_by_mail_told_by_mail_and_gone_by_one_click(
    world: World, post: Post, email: Server
) -> None:
    desk = DeskOf(world)
    wishes = {"subscriptions": [{"scope": "site", "target": "bin"}], "language": "en"}
    asked = {"email": "nok@example.com", "consent": True} | wishes
    assert desk.http.post("/public/subscriptions", json=asked).status_code == 202
    world.publish("bin-1", fill_level=97.0)
    post.send()
    assert email.said() == [("nok@example.com", "confirm", "")]
    (question,) = email.parcels.values()
    done = desk.http.post(f"/public/confirm/{question.notice.token}")
    assert done.status_code == 200
    world.publish("bin-2", gateway="other", fill_level=97.0)
    post.until("00:07")
    assert email.said()[1:] == [("nok@example.com", "new-in-group", "bin-full@bin-2:critical")]
    told = list(email.parcels.values())[-1]
    subscriber = told.recipients[0].subscriber
    kept = desk.get(f"/v1/subscribers/{subscriber}/export")
    assert kept["subscriber"]["contacts"][0]["address"] == "nok@example.com"
    sent = [(one["reason"], one["state"]) for one in kept["deliveries"]]
    assert sent == [("new-in-group", "sent"), ("confirm", "sent")]
    desk.http.post(f"/u/{world.system.links.token(subscriber)}")
    world.publish("bin-1", fill_level=10.0)
    world.publish("bin-2", gateway="other", fill_level=10.0)
    post.until("05:00")
    assert len(email.said()) == 2
    assert desk.delete(f"/v1/subscribers/{subscriber}").status_code == 204
    tables = ("subscribers", "contacts", "subscriptions", "deliveries", "audit", "one_time_words")
    for table in tables:
        assert "nok@example.com" not in str(world.rows(f"SELECT * FROM {table}"))  # noqa: S608


def test_a_test_message_goes_the_way_of_alerts_and_not_too_often(
    world: World, post: Post, line: Server
) -> None:
    desk = DeskOf(world)
    one = join(world, "sleeper", preferences=NIGHT)
    sent = desk.post(f"/v1/subscribers/{one.id}/test", None)
    assert (sent.status_code, sent.json()["channel"]) == (202, "line")
    assert desk.post(f"/v1/subscribers/{one.id}/test", None).status_code == 429
    post.send()
    assert line.said() == [("U-sleeper", "test", "")]
    joining.stop(world.system.ledger, one.id, by="web", at=world.now)
    world.at("00:10")
    assert desk.post(f"/v1/subscribers/{one.id}/test", None).status_code == 409


def test_what_waits_goes_to_the_address_that_is_right_by_then(
    world: World, post: Post, email: Server
) -> None:
    one = join(world, "mail", preferences=NIGHT, reached=[by(Channel.EMAIL, "old@example.com")])
    world.publish("bin-1", fill_level=85.0)
    post.until("00:30")
    DeskOf(world).patch(f"/v1/subscribers/{one.id}", {"email": "new@example.com"})
    post.until("07:01")
    assert email.said() == [("new@example.com", "digest", WARNING)]


def test_who_stopped_is_forgotten_after_a_while(world: World) -> None:
    join(world, "gone")
    join(world, "here")
    ledger = world.system.ledger
    joining.stop(ledger, "gone", by="web", at=world.now)
    joining.sign_up(ledger, "never@example.com", "th", "word", "{}", world.now)
    joining.sign_up(ledger, "wrong@example.com", "th", "other", "{}", world.now)
    with ledger.transaction() as connection:
        gone = (Channel.EMAIL, "wrong@example.com", SubscriberState.BOUNCED)
        subscribers.mark_contact(connection, *gone, by="andaman", at=world.now)

    def forget(after: int) -> int:
        bound = world.now + after - 30 * DAY
        asked = world.now + after - 3 * DAY
        return subscribers.forget_old(
            ledger, world.now + after, stopped_before=bound, asked_before=asked
        )

    assert forget(2 * DAY) == 0
    assert forget(4 * DAY) == 2
    assert forget(31 * DAY) == 1
    with ledger.transaction() as connection:
        assert [one.id for one in subscribers.subscribers(connection)] == ["here"]
