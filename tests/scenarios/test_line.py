"""LINE from end to end: a real `andaman run`, and a stand-in for LINE that both sides talk to."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from simulators.processes import Andaman, andaman, wait_until
from simulators.stand_ins.line import Line
from simulators.stand_ins.line_platform import Fault, Platform, Received
from storage.database import open_readers
from storage.notify_schema import parcels
from tests.world import write_configuration

USER, GROUP = "U" + "1" * 32, "C" + "2" * 32
NOTIFY = f"""
receivers:
  - name: everybody
    subscribers: true
    line: [{{to: {GROUP}, language: th}}]
route: {{receiver: everybody, group_by: [site], group_wait: 0s, group_interval: 1s}}
"""


class City:
    """A system that runs, LINE, and those who use both."""

    def __init__(self, folder: Path, line: Platform, url: str, system: Andaman) -> None:
        self.line = line
        self.system = system
        self.gateway = ""

    def start(self) -> None:
        self.system.start()
        self.system.wait_ready()
        local = json.loads((self.system.data / "local.json").read_text(encoding="utf-8"))
        self.api, self.key = local["api"], local["key"]
        if not self.gateway:
            self.gateway = self.post("/v1/keys", {"role": "gateway", "owner": "gw"})["key"]

    def post(self, path: str, body: Any, key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        answer = httpx.post(self.api + path, json=body, headers=headers, timeout=10)
        assert answer.is_success, answer.text
        return answer.json()

    def fills(self, level: float) -> None:
        """The bin reports."""
        values = {"device": "bin-1", "values": {"fill_level": level}}
        self.post("/v1/readings", values, self.gateway)

    def user(self, *events: Mapping[str, Any]) -> None:
        """LINE tells of what a user did."""
        body, headers = self.line.signed(*events)
        url = f"{self.api}/line/webhook"
        assert httpx.post(url, content=body, headers=headers, timeout=10).status_code == 200

    def got(self, to: str, how: str) -> Sequence[Received]:
        return [each for each in self.line.received if (each.to, each.how) == (to, how)]

    def waits_for(self, to: str, how: str, number: int) -> Received:
        """The newest of so many that somebody got."""
        wait_until(lambda: len(self.got(to, how)) >= number)
        return self.got(to, how)[number - 1]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    for name in ("token", "secret"):
        (tmp_path / name).write_text(f"the-{name}\n", encoding="utf-8")
    platform = Platform(token="the-token", secret="the-secret", clock=time.time)
    configuration = write_configuration(tmp_path / "config", notify=NOTIFY)
    with Line(platform) as line:
        settings = {
            "config_dir": configuration,
            "line_url": line.url,
            "line_token_file": tmp_path / "token",
            "line_secret_file": tmp_path / "secret",
            "public_url": "https://andaman.example",
        }
        with andaman(tmp_path, **settings) as system:
            made = City(tmp_path, platform, line.url, system)
            made.start()
            yield made


def heads(received: Received) -> list[str]:
    """The first words of each bubble."""
    (message,) = received.messages
    contents = message["contents"]
    bubbles = contents["contents"] if contents["type"] == "carousel" else [contents]
    return [bubble["header"]["contents"][0]["text"] for bubble in bubbles]


def buttons(received: Received) -> list[dict[str, Any]]:
    (message,) = received.messages
    return [each["action"] for each in message["contents"]["footer"]["contents"]]


@pytest.mark.network
def test_who_subscribed_hears_of_an_alert_an_officer_takes_it_on_and_the_all_clear_comes(
    city: City,
) -> None:
    city.user(city.line.follow(USER))
    assert "สวัสดี" in city.waits_for(USER, "reply", 1).messages[0]["text"]
    city.user(city.line.tap(USER, "language en"), city.line.write(USER, "ถัง"))
    chosen = city.waits_for(USER, "reply", 3).messages[0]["text"]
    assert chosen == "You will hear of: Bin (warning or worse)."

    city.fills(97.0)
    to_user, to_group = city.waits_for(USER, "push", 1), city.waits_for(GROUP, "push", 1)
    assert (heads(to_user), heads(to_group)) == (["‼ Critical"], ["‼ วิกฤต"])
    assert [b["label"] for b in buttons(to_user)] == ["Details", "Quiet for a day"]
    take_on, details = buttons(to_group)
    assert details["uri"].startswith("https://andaman.example/n/")

    owner = city.post("/v1/keys", {"role": "officer", "owner": "Malee"})
    officer = city.post("/v1/subscribers", {"name": "Malee", "language": "en", "consent": True})
    path = f"/v1/subscribers/{officer['id']}/code"
    city.user(city.line.write(USER, city.post(path, {}, owner["key"])["code"]))
    linked = city.waits_for(USER, "reply", 4).messages[0]["text"]
    assert linked == "Your account is linked to Malee. You may take alerts on."
    in_group = {"source": {"type": "group", "groupId": GROUP, "userId": USER}}
    city.user(city.line.tap(USER, take_on["data"]) | in_group)
    city.user(city.line.tap(USER, take_on["data"]) | in_group)
    for number in (5, 6):
        assert city.waits_for(USER, "reply", number).messages[0]["text"].startswith("Noted")
    (alert,) = city.system.ask("/v1/alerts").json()["items"]
    assert alert["acknowledged"]["by"] == "Malee"
    story = city.system.ask(f"/v1/alerts/{alert['id']}").json()["transitions"]
    assert [change["reason"] for change in story].count("acknowledged") == 1
    audit = city.system.ask("/v1/audit").json()["items"]
    assert owner["id"] in {line["key"] for line in audit if "acknowledge" in line["action"]}

    city.fills(10.0)
    assert heads(city.waits_for(USER, "push", 2)) == ["✓ All clear"]
    assert heads(city.waits_for(GROUP, "push", 2)) == ["✓ กลับสู่ปกติ"]

    city.fills(97.0)
    again = buttons(city.waits_for(USER, "push", 3))
    assert [b["label"] for b in again] == ["Take it on", "Details", "Quiet for a day"]
    assert "the-token" not in city.system.said()
    assert USER not in city.system.said()


@pytest.mark.network
def test_a_message_that_line_took_before_we_were_killed_arrives_once(city: City) -> None:
    city.line.faults = {Fault.ACCEPT_HANG: 1.0}
    city.fills(97.0)
    city.waits_for(GROUP, "push", 1)
    city.system.kill()
    city.line.faults = {}
    asked = city.line.requests
    city.start()
    wait_until(lambda: city.line.requests > asked)
    wait_until(lambda: _sent(city))
    assert len(city.got(GROUP, "push")) == 1


def _sent(city: City) -> bool:
    """Whether it is on record that LINE took all there was."""
    readers = open_readers(city.system.data)
    try:
        with readers.connect() as connection:
            return set(connection.scalars(select(parcels.c.state))) == {"sent"}
    finally:
        readers.dispose()
