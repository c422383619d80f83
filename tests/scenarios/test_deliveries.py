"""Officers see what went out to whom, and what came of it; operations hear how notifying goes."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import telling
from core.errors import Blame, DeliveryError
from core.notices import Parcel, Sent
from core.times import DAY, HOUR
from storage.outbox import bring_back
from tests.desk import DeskOf
from tests.postman import NOTIFY, Post, Server, channels, refuse
from tests.world import CONFIGURATION, MIDNIGHT, small_world

SITES = "timezone: Asia/Bangkok" + CONFIGURATION["sites.yaml"].replace(
    "name: {en: Bin, th: ถัง}", "name: {en: 'Bin <b>&\"', th: ถัง}"
)


@pytest.fixture
def line() -> Server:
    return Server()


@pytest.fixture
def email() -> Server:
    return Server()


@pytest.fixture
def desk(tmp_path: Path, line: Server, email: Server) -> Iterator[DeskOf]:
    files = {"sites": SITES, "notify": NOTIFY}
    with small_world(tmp_path, files, channels(line=line, email=email)) as world:
        world.at("00:05").publish("bin-1", fill_level=97.0)
        yield DeskOf(world)


@pytest.fixture
def post(desk: DeskOf, line: Server, email: Server) -> Post:
    return Post(desk.world, line=line, email=email)


def test_a_notice_names_every_alert_and_an_alert_its_notices(desk: DeskOf) -> None:
    (notice,) = desk.get("/v1/notices")["items"]
    assert (notice["reason"], notice["receiver"], notice["alerts"]) == ("first", "officers", 1)
    whole = desk.get(f"/v1/notices/{notice['id']}")
    assert whole["title"]["en"].startswith("Critical: Full")
    (told,) = whole["alerts"]
    story = desk.get(f"/v1/alerts/{told['alert']}")
    assert story["notices"] == [notice]
    assert desk.get(f"/v1/notices?alert={told['alert']}")["items"] == [notice]
    assert desk.get("/v1/notices?alert=other")["items"] == []
    assert desk.get("/v1/notices/other")["status"] == 404


class Thoughtful(Server):
    """Takes what it is given, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.told = asyncio.Event(), asyncio.Event()

    async def send(self, parcel: Parcel) -> Sent:
        self.asked.set()
        await self.told.wait()
        return await super().send(parcel)


def test_what_a_server_takes_while_we_are_told_to_end_is_recorded(desk: DeskOf) -> None:
    async def told_to_end() -> None:
        server = Thoughtful()
        sending = asyncio.create_task(Post(desk.world, line=server).outboxes["line"].run())
        await server.asked.wait()
        sending.cancel()
        server.told.set()
        with suppress(asyncio.CancelledError):
            await sending

    asyncio.run(told_to_end())
    states = {one["state"] for one in desk.get("/v1/deliveries?channel=line")["items"]}
    assert states == {"sent"}


def test_a_clock_that_was_set_back_holds_no_message_up(
    desk: DeskOf, post: Post, line: Server
) -> None:
    world = desk.world
    world.now -= 2 * HOUR
    post.send()
    assert line.said() == []
    with world.system.ledger.transaction() as connection:
        bring_back(connection, world.now)
    post.send()
    assert len(line.said()) == 2


def test_deliveries_tell_what_came_of_each(desk: DeskOf, post: Post) -> None:
    waiting = desk.get("/v1/deliveries?state=waiting")["items"]
    assert [(one["address"], one["next_try_at"] is not None) for one in waiting] == [
        ("U2…", True),
        ("U1…", True),
    ]
    desk.world.now += 800_000
    post.send()
    sent = desk.get("/v1/deliveries?channel=line&state=sent")["items"]
    assert [(one["attempts"], one["seconds"], one["words"]) for one in sent] == [(1, 0.8, "")] * 2
    assert desk.get(f"/v1/deliveries/{sent[0]['id']}") == sent[0]
    page = desk.get("/v1/deliveries?limit=1")
    rest = desk.get(f"/v1/deliveries?limit=1&cursor={page['next']}")
    assert [*page["items"], *rest["items"]] == sent
    for nothing in ("channel=email", "subscriber=s1", "alert=x", "state=dead"):
        assert desk.get(f"/v1/deliveries?{nothing}")["items"] == []


def test_what_was_given_up_can_be_sent_once_more(desk: DeskOf, post: Post, line: Server) -> None:
    line.answer = refuse(DeliveryError("no such user", Blame.ADDRESS))
    post.send()
    (_, dead) = desk.get("/v1/deliveries?state=dead")["items"]
    assert dead["words"] == "no such user"
    line.answer = lambda _: None
    again = desk.post(f"/v1/deliveries/{dead['id']}/retry", {})
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    post.send()
    assert [address for address, _, _ in line.said()] == ["U1"]
    assert len({parcel.id for parcel in line.tries}) == 3, "another id: nothing was taken of it"
    assert desk.get(f"/v1/deliveries/{dead['id']}")["state"] == "sent"
    assert desk.post(f"/v1/deliveries/{dead['id']}/retry", {}).status_code == 409
    assert desk.post("/v1/deliveries/other/retry", {}).status_code == 404
    assert "delivery-retried" in [one["action"] for one in desk.get("/v1/audit")["items"]]


def test_the_page_of_a_notice_is_open_to_who_has_its_link_and_escaped(desk: DeskOf) -> None:
    ((token,),) = desk.world.rows("SELECT token FROM notices")
    thai = desk.http.get(f"/n/{token}")
    english = desk.http.get(f"/n/{token}?language=en")
    assert (thai.status_code, english.status_code) == (200, 200)
    assert "เต็ม" in thai.text
    assert "<b>" not in english.text
    assert "Bin &lt;b&gt;&amp;&quot;" in english.text
    assert len(re.findall("<li>", english.text)) == 1
    for guessed in ("guessed", "-guessed", "_guessed"):
        assert desk.http.get(f"/n/{guessed}").status_code == 404
    assert "script" not in english.headers["content-security-policy"]


def test_a_receiver_is_tested(desk: DeskOf, post: Post, email: Server) -> None:
    listed = desk.get("/v1/receivers")["items"]
    assert [(one["name"], len(one["addresses"])) for one in listed] == [
        ("officers", 2),
        ("office", 1),
        ("head", 1),
    ]
    sent = desk.post("/v1/receivers/office/test", {})
    assert (sent.status_code, sent.json()["deliveries"]) == (202, 1)
    post.send()
    assert email.said() == [("office@example.org", "test", "")]
    assert desk.post("/v1/receivers/nobody/test", {}).status_code == 404


def test_nobody_is_asked_to_wait_for_what_is_not_set_up(tmp_path: Path, line: Server) -> None:
    with small_world(tmp_path, {"notify": NOTIFY}, channels(line=line)) as world:
        desk = DeskOf(world)
        assert desk.post("/v1/receivers/office/test", {}).status_code == 409
        world.at("00:05").publish("bin-1", fill_level=97.0)
        assert {one["channel"] for one in desk.get("/v1/deliveries")["items"]} == {"line"}
        ready = frozenset(world.system.channels)
        assert telling.not_set_up(world.system.city.routes, ready) == ["email"]


# --- how notifying goes ---


def sign(desk: DeskOf, at: int) -> None:
    telling.give_sign(desk.world.system, desk.world.system.ledger, MIDNIGHT, at)


def test_operations_get_a_sign_of_life_each_day(desk: DeskOf, email: Server) -> None:
    post = Post(desk.world, email=email)
    for hour in range(60):
        desk.world.now = MIDNIGHT + hour * HOUR
        sign(desk, desk.world.now)
        post.send()
    said = [(address, reason) for address, reason, _ in email.said()]
    assert said == [("office@example.org", "heartbeat")] * 3
    made = [at for (at,) in desk.world.rows("SELECT made_at FROM notices WHERE reason='heartbeat'")]
    assert [(at - MIDNIGHT) / HOUR for at in sorted(made)] == [1, 25, 49], "08:00 in Bangkok"
    sign(desk, MIDNIGHT + 30 * DAY)
    sign(desk, MIDNIGHT + 30 * DAY + 1)
    assert desk.world.rows("SELECT COUNT(*) FROM notices WHERE reason='heartbeat'") == [(4,)]


def test_operations_hear_of_messages_that_are_stuck_and_of_channels_that_rest(
    desk: DeskOf, post: Post, line: Server, email: Server
) -> None:
    world = desk.world
    line.answer = refuse(DeliveryError("401 no such token", Blame.CREDENTIALS))

    def look() -> None:
        office = telling.Office(outboxes=list(post.outboxes.values()))
        telling.look(world.system, office, MIDNIGHT, world.now, world.system.ledger)

    post.send()
    look()
    world.at("00:21")
    look()
    firing = [rule for rule, after, _ in world.transitions() if after == "firing"]
    assert firing[1:] == ["notify-paused", "notify-stalled"]
    assert (
        dict(telling.Office(outboxes=list(post.outboxes.values())).checks())["notify-line"].words
        == "401 no such token"
    )
    line.answer = lambda _: None
    post.send()
    look()
    post.until("00:40")
    over = [rule for rule, after, _ in world.transitions() if after == "resolved"]
    assert sorted(over) == ["notify-paused", "notify-stalled"]


def test_an_outbox_outlives_whatever_its_notifier_does(desk: DeskOf, line: Server) -> None:
    def break_down(_: object) -> None:
        raise RuntimeError("a mistake of ours")

    line.answer = break_down
    (outbox,) = Post(desk.world, line=line).outboxes.values()
    assert asyncio.run(outbox.run_once()) == 2
    assert {one["words"] for one in desk.get("/v1/deliveries?state=waiting")["items"]} == {
        "RuntimeError('a mistake of ours')"
    }


def test_what_is_old_is_forgotten_but_not_what_still_waits(
    desk: DeskOf, post: Post, line: Server
) -> None:
    world = desk.world

    def look(at: int) -> None:
        telling.look(world.system, telling.Office(), MIDNIGHT, at, world.system.ledger)

    days = world.system.settings.notice_days * DAY
    look(world.now + days + 1)
    assert len(desk.get("/v1/deliveries?state=waiting&channel=line")["items"]) == 2
    post.send()
    look(world.now + days - HOUR)
    assert len(desk.get("/v1/deliveries?channel=line")["items"]) == 2
    look(world.now + days + HOUR)
    assert desk.get("/v1/deliveries?channel=line")["items"] == []
    assert world.rows("SELECT COUNT(*) FROM notice_alerts") == [(0,)]
