"""The stand-in for LINE does as LINE's documentation says."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from simulators.stand_ins.line import Line
from simulators.stand_ins.line_limits import errors
from simulators.stand_ins.line_platform import Answer, Fault, Platform

USER, OTHER = "U" + "1" * 32, "U" + "2" * 32
HELLO = [{"type": "text", "text": "hello"}]
KEY = str(uuid4())


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(clock: Clock) -> Platform:
    return Platform(token="t", secret="s", clock=clock, quota=3)


def post(line: Platform, how: str, body: object, key: str = "", token: str = "t") -> Answer:
    headers = {"authorization": f"Bearer {token}"} | ({"x-line-retry-key": key} if key else {})
    return line.handle("POST", f"/v2/bot/message/{how}", headers, json.dumps(body).encode())


def read(line: Platform, what: str) -> Answer:
    return line.handle("GET", f"/v2/bot/{what}", {"authorization": "Bearer t"}, b"")


def push(line: Platform, to: str = USER, key: str = "") -> Answer:
    return post(line, "push", {"to": to, "messages": HELLO}, key)


def got(line: Platform) -> list[tuple[str, str]]:
    return [(each.to, each.how) for each in line.received]


def test_a_push_reaches_one_and_a_multicast_many(line: Platform) -> None:
    assert push(line).status == 200
    assert post(line, "multicast", {"to": [USER, OTHER], "messages": HELLO}).status == 200
    assert got(line) == [(USER, "push"), (USER, "multicast"), (OTHER, "multicast")]


def test_the_same_retry_key_is_taken_once_in_a_day(line: Platform, clock: Clock) -> None:
    first, again = push(line, key=KEY), push(line, key=KEY)
    assert (first.status, again.status) == (200, 409)
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    clock.now += 24 * 3600
    assert push(line, key=KEY).status == 200
    assert len(line.received) == 2


def test_a_key_is_not_used_up_by_what_was_refused(line: Platform) -> None:
    line.unknown = {USER}
    assert push(line, key=KEY).status == 400
    line.unknown = set()
    assert push(line, key=KEY).status == 200


def test_the_month_is_counted_by_recipients_and_replies_are_free(line: Platform) -> None:
    assert post(line, "multicast", {"to": [USER, OTHER], "messages": HELLO}).status == 200
    too_many = post(line, "multicast", {"to": [USER, OTHER], "messages": HELLO})
    assert (too_many.status, too_many.body["message"]) == (
        429,
        "You have reached your monthly limit.",
    )
    token = line.write(USER, "hi")["replyToken"]
    assert post(line, "reply", {"replyToken": token, "messages": HELLO}).status == 200
    assert post(line, "reply", {"replyToken": token, "messages": HELLO}).status == 400
    assert read(line, "message/quota").body == {"type": "limited", "value": 3}
    assert read(line, "message/quota/consumption").body == {"totalUsage": 2}


def test_who_blocked_us_gets_nothing_though_it_is_taken(line: Platform) -> None:
    event = line.unfollow(USER)
    assert "replyToken" not in event
    assert push(line).status == 200
    assert got(line) == []
    assert read(line, f"profile/{USER}").status == 404
    line.follow(USER)
    assert read(line, f"profile/{USER}").body["userId"] == USER


@pytest.mark.parametrize(
    ("how", "body", "key", "token", "status"),
    [
        pytest.param("push", {"to": USER, "messages": HELLO}, "", "wrong", 401, id="token"),
        pytest.param("push", {"to": "Somchai", "messages": HELLO}, "", "t", 400, id="no user id"),
        pytest.param(
            "multicast", {"to": ["C" + "1" * 32], "messages": HELLO}, "", "t", 400, id="group"
        ),
        pytest.param(
            "multicast", {"to": [USER] * 501, "messages": HELLO}, "", "t", 400, id="too many"
        ),
        pytest.param("push", {"to": USER, "messages": HELLO}, "abc", "t", 400, id="key"),
        pytest.param("push", {"to": USER, "messages": []}, "", "t", 400, id="no message"),
        pytest.param("push", [], "", "t", 400, id="no object"),
        pytest.param("elsewhere", {"to": USER, "messages": HELLO}, "", "t", 404, id="address"),
    ],
)
def test_it_refuses(
    line: Platform, how: str, body: object, key: str, token: str, status: int
) -> None:
    assert post(line, how, body, key, token).status == status
    assert got(line) == []


def flex(contents: dict[str, Any], alt: str = "alt") -> list[dict[str, Any]]:
    return [{"type": "flex", "altText": alt, "contents": contents}]


def bubble(*contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": contents}}


TEXT = {"type": "text", "text": "a"}


@pytest.mark.parametrize(
    ("messages", "where"),
    [
        pytest.param(HELLO * 6, "messages", id="six messages"),
        pytest.param([{"type": "text", "text": "🌊" * 2501}], "messages[0].text", id="long text"),
        pytest.param(flex(bubble(TEXT), "a" * 1501), "messages[0].altText", id="long alt text"),
        pytest.param(
            flex(bubble({"type": "text", "text": "ก" * 10_000})),
            "messages[0].contents",
            id="large bubble",
        ),
        pytest.param(
            flex({"type": "carousel", "contents": [bubble(TEXT)] * 13}),
            "messages[0].contents.contents",
            id="many bubbles",
        ),
        pytest.param(
            flex(bubble({"type": "text", "text": ""})),
            "messages[0].contents.body.contents[0].text",
            id="empty text",
        ),
        pytest.param(
            flex(bubble({"type": "text", "text": "a", "color": "red"})),
            "messages[0].contents.body.contents[0].color",
            id="colour",
        ),
        pytest.param(
            flex(
                bubble({"type": "button", "action": {"type": "uri", "label": "a", "uri": "ftp:"}})
            ),
            "messages[0].contents.body.contents[0].action.uri",
            id="address",
        ),
        pytest.param(
            flex(
                bubble(
                    {
                        "type": "button",
                        "action": {"type": "postback", "label": "a", "data": "a" * 301},
                    }
                )
            ),
            "messages[0].contents.body.contents[0].action.data",
            id="data",
        ),
    ],
)
def test_it_names_what_is_wrong_with_a_message(messages: object, where: str) -> None:
    assert [error["property"] for error in errors(messages)] == [where]


def test_what_is_right_has_no_errors() -> None:
    assert errors(flex(bubble(TEXT))) == []


@pytest.mark.parametrize(
    ("fault", "status", "reached"),
    [
        pytest.param(Fault.ERROR, 500, 0, id="error"),
        pytest.param(Fault.ACCEPT_ERROR, 500, 1, id="taken and then an error"),
        pytest.param(Fault.RATE, 429, 0, id="rate"),
        pytest.param(Fault.REVOKED, 401, 0, id="revoked"),
        pytest.param(Fault.REDIRECT, 307, 0, id="redirect"),
        pytest.param(Fault.GARBAGE, 200, 1, id="garbage"),
    ],
)
def test_it_does_wrong_what_it_is_told_on_the_wire(
    line: Platform, fault: Fault, status: int, reached: int
) -> None:
    with Line(line) as server, httpx.Client(base_url=server.url) as client:
        client.put("/control/faults", json={fault: 1})
        headers = {"Authorization": "Bearer t"}
        body = {"to": USER, "messages": HELLO}
        answer = client.post("/v2/bot/message/push", json=body, headers=headers)
        assert answer.status_code == status
        assert len(client.get("/control/received").json()) == reached
        client.put("/control/faults", json={})
        assert client.post("/v2/bot/message/push", json=body, headers=headers).status_code == 200
