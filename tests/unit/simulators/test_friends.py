"""People of the demo: they join by the webhook, and what they are told is shown."""

import json

from simulators.friends import FRIENDS, Told, platform, told
from simulators.stand_ins.line_platform import Received


def received(to: str, how: str, **message: str) -> Received:
    return Received(at=0.0, to=to, how=how, request="r", key="k", messages=[message])


def test_it_shows_what_came_by_itself_and_not_the_answers_in_the_chat() -> None:
    line, (malee, nok) = platform(), FRIENDS
    line.received = [
        received(malee.user, "reply", type="text", text="สวัสดี"),
        received(nok.user, "push", type="flex", altText="Warning: Haze"),
        received("C" + "1" * 32, "push", type="text", text="for officers"),
        received(malee.user, "multicast", type="text", text="ข้อความทดสอบ\nใต้บรรทัด"),
    ]
    shown = [replace_time(each) for each in told(line)]
    assert shown == [Told("", "Nok", "Warning: Haze"), Told("", "Malee", "ข้อความทดสอบ")]


def replace_time(each: Told) -> Told:
    return each._replace(at="")


def test_each_demo_has_secrets_of_its_own() -> None:
    one, other = platform(), platform()
    assert one.token != other.token
    body, headers = one.signed(one.follow(FRIENDS[0].user))
    assert headers != other.headers(body)
    assert json.loads(body)["events"][0]["type"] == "follow"
