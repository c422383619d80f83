"""The chat: what is typed or tapped, what follows, and what is answered."""

from dataclasses import replace
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.notify import chat
from alerts.notify.chat import Turn, tapped, typed
from alerts.notify.chat_messages import Facts
from alerts.notify.chat_places import find, places_of
from core.alerts import Severity
from core.languages import LANGUAGES, Language
from core.notices import Channel
from core.registry import Site
from core.subscribers import (
    Contact,
    Preferences,
    Scope,
    Subscriber,
    SubscriberState,
    Subscription,
)
from core.times import DAY
from simulators.stand_ins.line_limits import errors
from tests.notices import AT, told

ZONE = ZoneInfo("Asia/Bangkok")


def site(identifier: str, en: str, th: str, kind: str = "beach") -> Site:
    return Site(
        id=identifier,
        kind=kind,
        name={"en": en, "th": th},
        latitude=7.9,
        longitude=98.3,
        district=f"kathu/{identifier.split('-', maxsplit=1)[0]}",
    )


SITES = [
    site("patong-beach", "Patong Beach", "หาดป่าตอง"),
    site("patong-pier", "Patong Pier", "ท่าเรือป่าตอง", "bin"),
    site("kamala-beach", "Kamala Beach", "หาดกมลา"),
    *(site(f"far-{n}-beach", f"Far Beach {n}", f"หาดไกล {n}") for n in range(30)),
]
MALEE = Subscriber(
    id="s1",
    language="en",
    contacts=(Contact(channel=Channel.LINE, address="U1", state=SubscriberState.ACTIVE, since=AT),),
    made_at=AT,
)
PATONG = Subscription(scope=Scope.SITE, target="patong-beach")
FACTS = Facts(subscriber=MALEE, places=places_of(SITES), now=AT, zone=ZONE)


def like(language: Language = "en", *wishes: Subscription, **changes: Any) -> Facts:
    who = replace(MALEE, language=language, subscriptions=wishes, **changes)
    return replace(FACTS, subscriber=who)


def text(turn: Turn) -> str:
    (reply,) = turn.replies
    return str(reply["text"])


def taps(turn: Turn) -> dict[str, str]:
    """Label → what it carries."""
    (reply,) = turn.replies
    actions = [item["action"] for item in reply.get("quickReply", {}).get("items", [])]
    return {action["label"]: action["data"] for action in actions}


def after(turn: Turn, before: Subscriber = MALEE) -> Subscriber:
    assert turn.change is not None
    return turn.change(before)


@pytest.mark.parametrize(
    ("written", "wish"),
    [
        pytest.param("Patong Beach", PATONG, id="name"),
        pytest.param("  patong   BEACH ", PATONG, id="name, carelessly"),
        pytest.param("หาดป่าตอง", PATONG, id="Thai name"),
        pytest.param("patong-beach", PATONG, id="id"),
        pytest.param("กมลา", Subscription(scope=Scope.SITE, target="kamala-beach"), id="part"),
        pytest.param("All bins", Subscription(scope=Scope.KIND, target="bin"), id="kind"),
        pytest.param("ทุกอย่าง", Subscription(scope=Scope.ALL), id="everything"),
    ],
)
def test_typing_the_name_of_a_place_subscribes_to_it(written: str, wish: Subscription) -> None:
    turn = typed(FACTS, written)
    assert after(turn).subscriptions == (wish,)
    assert text(turn).startswith("You will hear of: ")


def test_what_may_mean_several_places_is_asked_back() -> None:
    turn = typed(FACTS, "patong")
    assert turn.change is None
    assert list(taps(turn).values()) == [
        "subscribe district kathu/patong",
        "subscribe site patong-beach",
        "subscribe site patong-pier",
    ]


def test_kinds_can_be_tapped_and_then_the_places_of_one() -> None:
    kinds = taps(typed(FACTS, "add"))
    assert kinds == {
        "All beaches": "kind beach",
        "All bins": "kind bin",
        "Kathu": "subscribe district kathu",
        "Everything": "subscribe all",
    }
    bins = taps(tapped(FACTS, "kind bin"))
    assert bins == {"All bins": "subscribe kind bin", "Patong Pier": "subscribe site patong-pier"}
    assert len(taps(tapped(FACTS, "kind beach"))) == 13


def test_a_new_place_is_heard_of_as_the_others_are() -> None:
    facts = like("en", replace(PATONG, least=Severity.CRITICAL))
    turn = typed(facts, "Kamala Beach")
    assert text(turn) == "You will hear of: Kamala Beach (critical or worse)."
    assert [s.least for s in after(turn, facts.subscriber).subscriptions] == [Severity.CRITICAL] * 2


def test_the_same_place_again_is_the_same() -> None:
    facts = like("en", PATONG)
    assert after(typed(facts, "Patong Beach"), facts.subscriber).subscriptions == (PATONG,)


def test_there_is_an_end_to_places() -> None:
    many = [Subscription(scope=Scope.SITE, target=str(n)) for n in range(50)]
    turn = typed(like("en", *many), "Patong Beach")
    assert (turn.change, text(turn)[:30]) == (None, "That is as many as I can remem")


def test_the_list_takes_places_away() -> None:
    facts = like("en", PATONG, Subscription(scope=Scope.SITE, target="gone"))
    turn = typed(facts, "list")
    assert text(turn) == (
        "You hear of (warning or worse):\n• Patong Beach\n• gone\nNo quiet hours."
    )
    assert taps(turn) == {
        "✕ Patong Beach": "unsubscribe site patong-beach",
        "✕ gone": "unsubscribe site gone",
    }
    left = after(tapped(facts, "unsubscribe site patong-beach"), facts.subscriber)
    assert [s.target for s in left.subscriptions] == ["gone"]


@pytest.mark.parametrize(
    ("written", "quiet"),
    [
        pytest.param("quiet 22:00-06:00", (time(22), time(6)), id="English"),
        pytest.param("เงียบ 22.30 – 6:00", (time(22, 30), time(6)), id="Thai"),
        pytest.param("quiet off", None, id="off"),
    ],
)
def test_quiet_hours_are_typed_or_tapped(written: str, quiet: object) -> None:
    facts = like(preferences=Preferences(quiet=(time(1), time(2))))
    turn = typed(facts, written)
    assert after(turn, facts.subscriber).preferences.quiet == quiet


@pytest.mark.parametrize("written", ["quiet", "quiet 25:00-06:00", "quiet 22:00-22:00", "quiet x"])
def test_quiet_hours_that_are_none_are_asked_for(written: str) -> None:
    turn = typed(FACTS, written)
    assert turn.change is None
    assert "quiet 22:00-06:00" in taps(turn).values()


def test_the_least_severity_is_that_of_all_places() -> None:
    facts = like("en", PATONG)
    assert taps(typed(facts, "severity"))["critical"] == "severity critical"
    turn = tapped(facts, "severity critical")
    assert [s.least for s in after(turn, facts.subscriber).subscriptions] == [Severity.CRITICAL]


def test_the_language_is_chosen_and_then_the_first_place() -> None:
    turn = tapped(like("en"), "language th")
    assert after(turn).language == "th"
    assert text(turn).startswith("ใช้ภาษาไทย\n")
    assert "kind beach" in taps(turn).values()


def test_quiet_for_a_day_and_back() -> None:
    turn = tapped(FACTS, "mute")
    muted = after(turn)
    assert muted.preferences.muted_until == AT + DAY
    assert text(turn).startswith("Quiet until 23 Nov 2026 15:04.")
    again = typed(replace(FACTS, subscriber=muted), "start")
    assert again.start
    assert after(again, muted).preferences.muted_until is None


@pytest.mark.parametrize("word", ["STOP", "stop", "หยุด", "ยกเลิก", "เลิก", "unsubscribe"])
def test_stop_ends_everything(word: str) -> None:
    turn = typed(FACTS, word)
    assert turn.stop
    assert text(turn).startswith("You get no more messages")


@pytest.mark.parametrize("word", ["Patong Beach", "list", "mute", "help", "quiet off", "นัดหมาย"])
def test_who_stopped_is_told_how_to_come_back_and_nothing_changes(word: str) -> None:
    turn = typed(like("en", PATONG, stopped_at=AT), word)
    if word != "นัดหมาย":
        assert (turn.change, turn.start) == (None, False)
        assert "START" in text(turn)
    assert typed(like("en", stopped_at=AT), "เริ่ม").start


@pytest.mark.parametrize("word", ["status", "สถานะ", "STATUS"])
def test_status_is_asked_for(word: str) -> None:
    assert typed(FACTS, word) == Turn(status=True)


def test_status_says_how_the_places_stand() -> None:
    facts = like("en", PATONG)
    assert chat.status(like(), [told()])[0]["text"] == "You have not chosen anything yet."
    assert chat.status(facts, [])[0]["text"] == "All is well at your places."
    many = [told(alert=str(n)) for n in range(20)]
    lines = chat.status(facts, many)[0]["text"].split("\n\n")
    assert len(lines) == 16
    assert lines[0].startswith("Warning: Turbid water, Patong Beach – Turbidity 44.6 NTU")
    assert lines[-1] == "and 5 more"


def test_a_code_is_one_where_it_is_no_place() -> None:
    assert typed(FACTS, "7km2qx9r") == Turn(code="7km2qx9r")
    assert chat.linked(FACTS, "Somchai")[0]["text"].startswith("Your account is linked to Somchai.")
    assert "not good" in chat.linked(FACTS, None)[0]["text"]


def test_officers_alone_take_alerts_on() -> None:
    assert tapped(replace(FACTS, officer=True), "acknowledge a-1") == Turn(acknowledge="a-1")
    turn = tapped(FACTS, "acknowledge a-1")
    assert (turn.acknowledge, text(turn)[:24]) == ("", "That is for officers. As")


@pytest.mark.parametrize(
    "data",
    [
        *("", " ", "subscribe", "subscribe site nowhere", "subscribe x y z", "kind", "kind x"),
        *("severity", "severity x", "language xx", "unsubscribe site x", "acknowledge", "DROP x"),
        *("quiet 99", "\0", "🌊" * 150),
    ],
)
@pytest.mark.parametrize("officer", [True, False])
def test_data_that_no_button_carries_change_nothing(data: str, officer: bool) -> None:
    turn = tapped(replace(FACTS, officer=officer), data)
    assert (turn.change, turn.acknowledge, turn.start, turn.stop) == (None, "", False, False)
    assert turn.replies


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "written",
    [
        *(
            "status",
            "add",
            "list",
            "quiet",
            "severity",
            "language",
            "help",
            "stop",
            "start",
            "mute",
        ),
        *("Patong Beach", "patong", "far", "nothing of that kind", "🌊" * 3000, "{text}", ""),
    ],
)
def test_line_takes_every_answer(written: str, language: Language) -> None:
    facts = like(language, PATONG, *(Subscription(scope=Scope.SITE, target=s.id) for s in SITES))
    assert all(errors([reply]) == [] for reply in typed(facts, written).replies)


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_takes_what_is_answered_later(language: Language) -> None:
    facts = like(language, PATONG)
    for replies in (
        chat.welcome(ZONE),
        chat.joined("C" + "1" * 32, language, ZONE),
        chat.started(facts),
        chat.status(facts, [told(alert=str(n)) for n in range(99)]),
        chat.linked(facts, "Somchai"),
        chat.acknowledged(facts, done=True),
        chat.acknowledged(facts, done=False),
    ):
        assert errors(list(replies)) == []


def test_the_welcome_speaks_both_languages() -> None:
    (reply,) = chat.welcome(ZONE)
    assert reply["text"].startswith("สวัสดี")
    assert "Hello!" in reply["text"]
    assert taps(Turn(replies=[reply])) == {"ภาษาไทย": "language th", "English": "language en"}


def test_one_letter_finds_no_place() -> None:
    assert find(FACTS.places, "p") == []
