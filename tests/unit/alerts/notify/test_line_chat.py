"""The chat on LINE, over a real ledger: what is kept, changed and answered, and what is refused."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from alerts.notify.line_api import LineApi
from alerts.notify.line_chat import ChatDesk, ForgedError, Taken, event_of, signed
from api.server import create_app
from core.access import Role
from core.alerts import Action, State, Transition
from core.errors import StorageError
from core.notices import Channel
from core.subscribers import Subscriber, SubscriberState
from core.times import SECOND
from simulators.stand_ins.line_platform import Platform
from storage import audit, joining, schema, subscribers
from storage.joining import Purpose
from storage.ledger import Ledger
from storage.notify_schema import line_events
from tests.people import SOMEBODY
from tests.service import NOW, Service, change, service

USER, OTHER, GROUP = "U" + "1" * 32, "U" + "2" * 32, "C" + "3" * 32
Result = TypeVar("Result")


class Chat:
    """A desk over the ledger of a service, and LINE at its other side."""

    def __init__(self, served: Service) -> None:
        self.served = served
        self.ledger = served.ledger
        self.line = Platform(token="t", secret="channel-secret", clock=lambda: NOW / SECOND)
        self.acted: list[Action] = []
        self.taken = True
        self.full = False
        transport = httpx.MockTransport(self._line)
        self.desk = ChatDesk(
            secret="channel-secret",
            api=LineApi("http://127.0.0.1", "t", httpx.AsyncClient(transport=transport)),
            readers=served.context.readers,
            write=self._write,
            act=self._act,
            rules=served.context.rules,
            zone=served.context.zone,
            clock=lambda: NOW,
        )

    def _line(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, body, more = self.line.handle(
            request.method, request.url.path, headers, request.content
        )
        return httpx.Response(status, json=body, headers=dict(more))

    async def _write(self, change: Callable[[Ledger], Result], /) -> Result:
        if self.full:
            raise StorageError("disk full")
        return change(self.ledger)

    async def _act(self, action: Action) -> Transition | None:
        self.acted.append(action)
        return change(action.alert, State.FIRING, NOW) if self.taken else None

    def call(self, *events: Mapping[str, Any], handle: bool = True) -> None:
        """LINE calls the webhook, and all is handled."""
        body, headers = self.line.signed(*events)

        async def within() -> None:
            await self.desk.take(body, headers["X-Line-Signature"])
            while handle and await self.desk.handle_next():
                pass

        asyncio.run(within())

    def answers(self) -> list[str]:
        """The texts that users got since the last time."""
        found = [m["text"] for each in self.line.received for m in each.messages]
        self.line.received.clear()
        return found

    def who(self) -> Subscriber:
        with self.served.context.readers.connect() as connection:
            found = subscribers.by_contact(connection, Channel.LINE, USER)
        assert found is not None
        return found

    def code(self, role: Role = Role.OFFICER) -> str:
        """One that links somebody to Malee's key."""
        self.ledger.add_key("k1", "hash", role, "Malee", NOW)
        subscribers.add(self.ledger, SOMEBODY, by="k1", at=NOW)
        code = joining.new_word(Purpose.LINK)
        joining.keep_word(self.ledger, code, Purpose.LINK, SOMEBODY.id, at=NOW, key="k1")
        return code


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    with service(tmp_path) as served:
        yield Chat(served)


def test_a_new_friend_chooses_a_language_and_a_place_and_stops(chat: Chat) -> None:
    chat.call(chat.line.follow(USER))
    (welcome,) = chat.answers()
    assert "Hello!" in welcome
    assert (chat.who().state, chat.who().language) == (SubscriberState.ACTIVE, "th")
    assert chat.who().consent is not None
    chat.call(chat.line.tap(USER, "language en"))
    assert chat.who().language == "en"
    chat.call(chat.line.write(USER, "Bay"))
    assert [s.target for s in chat.who().subscriptions] == ["bay"]
    chat.call(chat.line.write(USER, "หยุด"))
    assert chat.who().state is SubscriberState.STOPPED
    assert chat.answers()[-1].startswith("You get no more messages")
    chat.call(chat.line.write(USER, "start"))
    assert chat.who().state is SubscriberState.ACTIVE
    assert chat.answers() == ["You get messages again."]


def test_who_writes_without_having_been_seen_to_follow_is_one_too(chat: Chat) -> None:
    chat.call(chat.line.write(USER, "Bay"))
    assert [s.target for s in chat.who().subscriptions] == ["bay"]


def test_who_unfollows_is_blocked_until_they_come_back(chat: Chat) -> None:
    chat.call(chat.line.follow(USER))
    chat.call(chat.line.unfollow(USER))
    assert chat.who().state is SubscriberState.BLOCKED
    chat.call(chat.line.follow(USER))
    assert chat.who().state is SubscriberState.ACTIVE


def test_status_tells_of_what_fires_at_ones_places(chat: Chat) -> None:
    chat.served.store(transitions=[change("a1", State.FIRING, NOW - 60 * SECOND)])
    chat.call(chat.line.write(USER, "Bay"), chat.line.tap(USER, "language en"))
    chat.answers()
    chat.call(chat.line.write(USER, "status"))
    (answer,) = chat.answers()
    assert answer.startswith("Warning: Turbid water, Bay – Turbidity 61.5 NTU (limit 25 NTU); ")
    assert answer.endswith("(1 min)")
    chat.call(chat.line.tap(USER, "unsubscribe site bay"), chat.line.write(USER, "Hill"))
    chat.answers()
    chat.call(chat.line.write(USER, "status"))
    assert chat.answers() == ["All is well at your places."]


def test_an_officer_links_the_account_and_takes_an_alert_on_with_their_own_key(chat: Chat) -> None:
    code = chat.code()
    firing = [change(alert, State.FIRING, NOW) for alert in ("a1", "a2")]
    chat.served.store(transitions=[*firing, change("a3", State.RESOLVED, NOW)])
    chat.call(chat.line.tap(USER, "acknowledge a1"))
    assert chat.acted == []
    chat.call(chat.line.write(USER, code.lower()))
    assert chat.answers()[-1].startswith("Your account is linked to Malee.")
    chat.call(chat.line.tap(USER, "acknowledge a1"))
    (action,) = chat.acted
    assert (action.kind, action.alert, action.by, action.key) == (
        "acknowledge",
        "a1",
        "Malee",
        "k1",
    )
    assert chat.answers() == ["Noted: you have taken it on."]
    chat.taken = False
    for alert in ("a2", "a3", "nothing"):
        chat.call(chat.line.tap(USER, f"acknowledge {alert}"))
        assert chat.answers() == ["The alert is over already."]
    assert [action.alert for action in chat.acted] == ["a1", "a2"]


def test_who_taps_twice_has_taken_it_on_once(chat: Chat) -> None:
    chat.call(chat.line.write(USER, chat.code()))
    chat.served.store(transitions=[change("a1", State.FIRING, NOW)])
    taken = {"acknowledged_at": NOW, "acknowledged_by": "Malee"}
    with chat.ledger.transaction() as connection:
        connection.execute(update(schema.alerts).values(taken))
    chat.answers()
    chat.call(chat.line.tap(USER, "acknowledge a1"))
    assert (chat.acted, chat.answers()) == ([], ["Noted: you have taken it on."])


def test_a_code_is_good_once_and_a_revoked_key_ends_it(chat: Chat) -> None:
    code = chat.code()
    chat.call(chat.line.write(USER, code))
    chat.call(chat.line.write(OTHER, code))
    assert "รหัสไม่ถูกต้อง" in chat.answers()[-1]
    chat.ledger.revoke_key("k1", NOW, by="andaman")
    chat.call(chat.line.tap(USER, "acknowledge a1"))
    assert chat.acted == []


def test_a_group_learns_its_id_and_its_officers_take_alerts_on_there(chat: Chat) -> None:
    source = {"type": "group", "groupId": GROUP, "userId": USER}
    join = chat.line.write(USER, "") | {"type": "join", "source": {"groupId": GROUP}}
    chat.served.store(transitions=[change("a1", State.FIRING, NOW)])
    chat.call(join)
    assert GROUP in chat.answers()[0]
    chat.call(chat.line.write(USER, "stop") | {"source": source})
    assert chat.answers() == []
    tap = chat.line.tap(USER, "acknowledge a1") | {"source": source}
    chat.call(tap)
    assert (chat.acted, len(chat.answers())) == ([], 1)
    chat.call(chat.line.write(USER, chat.code()))
    chat.call(chat.line.tap(USER, "acknowledge a1") | {"source": source})
    assert [action.by for action in chat.acted] == ["Malee"]


def test_the_audit_tells_of_changes_without_a_persons_address(chat: Chat) -> None:
    chat.call(chat.line.write(USER, "Bay"), chat.line.write(USER, "stop"))
    with chat.served.context.readers.connect() as connection:
        lines = audit.lines(connection, subject=chat.who().id)
    assert {line.action for line in lines} == {"subscriber-made", "subscriber-changed"}
    assert {line.key for line in lines} == {"line"}
    assert USER not in str(lines)


# --- what comes in ---


def test_an_event_is_handled_once_however_often_it_is_told(chat: Chat) -> None:
    event = chat.line.write(USER, "Bay")
    again = event | {"deliveryContext": {"isRedelivery": True}}
    chat.call(event)
    chat.call(again, event)
    assert len(chat.answers()) == 1
    assert chat.desk.counted[Taken.REPEATED] == 2


@pytest.mark.parametrize(
    ("changed", "answers"),
    [
        pytest.param({"timestamp": (NOW // SECOND - 301) * 1000}, 0, id="played again"),
        pytest.param({"timestamp": (NOW // SECOND + 301) * 1000}, 0, id="from the future"),
        pytest.param({"timestamp": None}, 0, id="without a time"),
        pytest.param(
            {"timestamp": 0, "deliveryContext": {"isRedelivery": True}}, 1, id="told again by LINE"
        ),
        pytest.param({"timestamp": (NOW // SECOND - 299) * 1000}, 1, id="of late"),
    ],
)
def test_old_events_are_left_out_unless_line_says_that_it_tells_again(
    chat: Chat, changed: dict[str, Any], answers: int
) -> None:
    chat.call(chat.line.write(USER, "Bay") | changed)
    assert len(chat.answers()) == answers
    assert chat.desk.counted[Taken.OLD] == 1 - answers


def test_what_was_kept_is_handled_after_a_restart_and_then_forgotten(chat: Chat) -> None:
    chat.call(chat.line.write(USER, "Bay"), handle=False)
    again = Chat(chat.served)
    again.line = chat.line
    again.call()
    assert [s.target for s in again.who().subscriptions] == ["bay"]
    with chat.served.context.readers.connect() as connection:
        assert connection.execute(select(line_events.c.body)).scalars().all() == [b""]


def test_a_full_disk_keeps_nothing_and_line_is_told_so(chat: Chat) -> None:
    chat.full = True
    with pytest.raises(StorageError):
        chat.call(chat.line.write(USER, "Bay"))
    chat.full = False
    assert chat.desk.counted[Taken.NEW] == 0


def test_an_answer_that_does_not_arrive_is_not_missed(chat: Chat) -> None:
    chat.call(chat.line.write(USER, "Bay") | {"replyToken": "used"})
    assert chat.answers() == []
    assert [s.target for s in chat.who().subscriptions] == ["bay"]


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("AAAA", id="another"),
        pytest.param("é\udcff", id="no letters"),
    ],
)
def test_what_line_did_not_sign_is_refused(chat: Chat, signature: str) -> None:
    body, _ = chat.line.signed(chat.line.write(USER, "Bay"))
    with pytest.raises(ForgedError):
        asyncio.run(chat.desk.take(body, signature))
    assert chat.desk.counted == dict.fromkeys(Taken, 0) | {Taken.FORGED: 1}


def test_the_signature_is_that_of_the_very_bytes(chat: Chat) -> None:
    body, headers = chat.line.signed(chat.line.write(USER, "หาด"))
    signature = headers["X-Line-Signature"]
    assert signed(body, signature, "channel-secret")
    same = json.dumps(json.loads(body), ensure_ascii=False).encode()
    assert not signed(same, signature, "channel-secret")
    assert not signed(body, signature, "another-secret")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"events": 3}',
        b'{"events": [3, {}, {"webhookEventId": 7}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_signed_nonsense_is_taken_and_nothing_comes_of_it(chat: Chat, body: bytes) -> None:
    asyncio.run(chat.desk.take(body, chat.line.headers(body)["X-Line-Signature"]))
    assert chat.desk.counted == dict.fromkeys(Taken, 0)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"type": "beacon"}, id="unknown kind"),
        pytest.param({"type": None}, id="no kind"),
        pytest.param({"source": None}, id="no source"),
        pytest.param({"source": {"userId": "nobody"}}, id="no user id"),
        pytest.param({"source": {"userId": {"a": 1}}}, id="a user id of a wrong type"),
        pytest.param({"message": [1]}, id="a message of a wrong type"),
        pytest.param({"replyToken": None}, id="no token"),
    ],
)
def test_a_strange_event_stops_nothing(chat: Chat, changed: dict[str, Any]) -> None:
    chat.call(chat.line.write(OTHER, "Bay") | changed, chat.line.write(USER, "Bay"))
    assert [s.target for s in chat.who().subscriptions] == ["bay"]


def test_a_picture_or_a_sticker_is_answered_with_help() -> None:
    event = event_of(b'{"type": "message", "message": {"type": "sticker"}}')
    assert event.text == "?"


# --- the address ---


def test_the_webhook_asks_for_no_key_but_for_the_signature(chat: Chat) -> None:
    plain = chat.served.http.post("/line/webhook", content=b"{}")
    assert plain.status_code == 404
    http = TestClient(create_app(replace(chat.served.context, chat=chat.desk)))
    body, headers = chat.line.signed(chat.line.write(USER, "Bay"))
    assert http.post("/line/webhook", content=body, headers=headers).status_code == 200
    forged = http.post("/line/webhook", content=body + b" ", headers=headers)
    assert (forged.status_code, forged.json()["detail"]) == (401, "The signature is not LINE's.")
    large = http.post("/line/webhook", content=b"x" * (10 << 20), headers=headers)
    assert large.status_code == 413
    assert chat.desk.counted[Taken.NEW] == 1
