"""Alerts that come from no reading of their own have the life of all others."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.times import HOUR, MINUTE, SECOND
from tests.desk import DeskOf
from tests.world import MIDNIGHT, small_world

RULES = """
rules:
  - {id: full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80}, storm: 1, stale_after: 30m}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskOf]:
    with small_world(tmp_path, {"rules": RULES}) as world:
        yield DeskOf(world)


def counted(desk: DeskOf, *numbers: int) -> None:
    """Messages of a gateway that counts them."""
    for number in numbers:
        body = f'{{"epoch": "a", "seq": {number}, "device": "patong-1", "values": {{"ph": 8}}}}'
        desk.world.send(body.encode())


def slow_clock(desk: DeskOf, minutes: int, *, behind: int) -> None:
    """One message a minute of a device whose clock is behind, for so many minutes."""
    begin = desk.world.now // MINUTE + 1
    for minute in range(begin, begin + minutes):
        of_day = minute - MIDNIGHT // MINUTE
        desk.world.at(f"{of_day // 60:02}:{of_day % 60:02}:30")
        desk.world.publish("air-1", measured=desk.world.now - behind, pm25=1.0)


def bins(desk: DeskOf, level: float) -> None:
    for device, gateway in (("bin-1", "gw"), ("bin-2", "other")):
        desk.world.publish(device, gateway=gateway, fill_level=level)


def gap(desk: DeskOf) -> None:
    counted(desk, 1, 3)
    desk.world.at("00:01")


class OfSystem(NamedTuple):
    """A rule, what makes its alert fire, and what ends it, with which reason."""

    rule: str
    subject: str
    wrong: Callable[[DeskOf], None]
    mend: Callable[[DeskOf], None]
    over: str
    words: str


ALERTS = [
    pytest.param(
        OfSystem(
            rule="gateway-gap",
            subject="gateway/gw",
            wrong=gap,
            mend=lambda desk: counted(desk, 2),
            over="back-in-range",
            words="1 messages of the gateway gw have not come",
        ),
        id="a gap",
    ),
    pytest.param(
        OfSystem(
            rule="device-clock",
            subject="device/air-1",
            wrong=lambda desk: slow_clock(desk, 10, behind=HOUR),
            mend=lambda desk: slow_clock(desk, 20, behind=SECOND),
            over="back-in-range",
            words="The clock of air-1 is 1 h behind.",
        ),
        id="a clock",
    ),
    pytest.param(
        OfSystem(
            rule="full",
            subject="storm",
            wrong=lambda desk: bins(desk, 90.0),
            mend=lambda desk: bins(desk, 10.0),
            over="storm-over",
            words="1 alerts of this rule were folded into this one",
        ),
        id="a storm",
    ),
]


def the_alert(desk: DeskOf, of: OfSystem) -> str:
    found = desk.get(f"/v1/alerts?rule={of.rule}&state=open")["items"]
    return str(next(alert["id"] for alert in found if alert["subject"] == of.subject))


def act(desk: DeskOf, alert: str, what: str, **asked: Any) -> Any:
    response = desk.post(f"/v1/alerts/{alert}/{what}", asked)
    assert response.status_code == 200, response.text
    return response.json()


def reasons(desk: DeskOf, alert: str) -> list[str]:
    return [t["reason"] for t in desk.get(f"/v1/alerts/{alert}")["transitions"]]


def restarted(desk: DeskOf) -> DeskOf:
    desk.world.restart()
    return DeskOf(desk.world)


def until(desk: DeskOf, minutes: int) -> None:
    """Time passes."""
    of_day = (desk.world.now - MIDNIGHT) // MINUTE + minutes
    desk.world.at(f"{of_day // 60:02}:{of_day % 60:02}:30")


@pytest.mark.parametrize("of", ALERTS)
def test_officers_act_on_it_and_it_ends_when_it_is_mended(desk: DeskOf, of: OfSystem) -> None:
    of.wrong(desk)
    alert = the_alert(desk, of)
    assert act(desk, alert, "acknowledge")["acknowledged"]["by"] == "someone"
    desk = restarted(desk)
    assert act(desk, alert, "assign", to="Somchai")["assigned_to"] == "Somchai"
    act(desk, alert, "comment", note="the modem")
    act(desk, alert, "shelve", lasts="4m", note="tomorrow")
    desk = restarted(desk)
    desk.world.now += 1
    assert desk.post("/v1/rules/reload", None).is_success
    assert desk.get(f"/v1/alerts/{alert}")["marks"] == ["shelved"]
    until(desk, 5)
    assert desk.get(f"/v1/alerts/{alert}")["marks"] == []
    assert of.words in desk.get(f"/v1/alerts/{alert}")["explanation"]["text"]["en"]
    of.mend(desk)
    until(desk, 1)
    told = reasons(desk, alert)
    assert told[1:] == ["acknowledged", "assigned", "commented", "shelved", "unshelved", of.over]


@pytest.mark.parametrize("of", ALERTS)
def test_resolved_by_hand_it_is_quiet_until_it_was_mended(desk: DeskOf, of: OfSystem) -> None:
    of.wrong(desk)
    alert = the_alert(desk, of)
    assert act(desk, alert, "resolve", note="known")["state"] == "resolved"
    desk = restarted(desk)
    until(desk, 2)
    assert reasons(desk, alert)[1:] == ["by-hand"]
    assert act(desk, alert, "reopen", note="not after all")["state"] == "firing"
    act(desk, alert, "resolve", note="known")
    of.mend(desk)
    until(desk, 1)
    assert desk.get(f"/v1/alerts?rule={of.rule}&state=open")["items"] == []
    assert reasons(desk, alert)[1:] == ["by-hand", "reopened", "by-hand"]


def test_one_that_comes_and_goes_is_held_open_and_says_so(desk: DeskOf) -> None:
    for number in range(1, 13, 3):
        counted(desk, number, number + 2)
        until(desk, 1)
        counted(desk, number + 1)
        until(desk, 1)
    alert = the_alert(desk, ALERTS[0].values[0])  # type: ignore[arg-type]
    assert reasons(desk, alert) == ["first-breach", "flapping"]
    desk = restarted(desk)
    until(desk, 31)
    assert reasons(desk, alert)[2:] == ["back-in-range"]


def test_a_finding_that_lasts_is_written_once(desk: DeskOf) -> None:
    gap(desk)
    query = "SELECT COUNT(*) FROM ticks"
    before = desk.world.rows(query)
    body = desk.world.rows("SELECT body FROM engine_state WHERE rule = 'gateway-gap'")
    desk.world.at("00:01:20")
    assert desk.world.rows(query) == before
    assert desk.world.rows("SELECT body FROM engine_state WHERE rule = 'gateway-gap'") == body


def test_a_storm_is_not_stale_however_long_nothing_comes(desk: DeskOf) -> None:
    bins(desk, 90.0)
    desk.world.at("02:00")
    storm = the_alert(desk, ALERTS[2].values[0])  # type: ignore[arg-type]
    assert reasons(desk, storm) == ["storm-began"]
