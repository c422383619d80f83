"""Messages of LINE: what they show, and that LINE takes them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from linebot.v3.messaging.models import FlexMessage  # type: ignore[import-untyped]

from alerts.notify.line_flex import Buttons, message
from alerts.notify.line_picture import HEIGHT, picture
from alerts.speaking import Speaker
from core.alerts import Reason, Severity, State
from core.languages import LANGUAGES, Language
from core.notices import Notice, NoticeReason, Told
from core.readings import Flag
from core.surroundings import Reading
from core.times import MINUTE
from simulators.stand_ins.line_limits import errors
from tests.notices import AT, notice, told

ALL = Buttons(page="https://andaman.example/n/kZ3", acknowledge=True, mute=True)
OVER = told(state=State.RESOLVED, reason=Reason.BACK_IN_RANGE, value=12.0)
STORM = tuple(
    told(alert=f"a-{n}", site=f"s-{n}", site_name={"en": f"Beach {n}", "th": f"หาดที่ {n}"})
    for n in range(5000)
)
HOSTILE = {"en": "<b>{x}\u202e🌊" * 200, "th": "หาด\n\n\0น้ำ🌊" * 200}


def said(of: Notice, buttons: Buttons = ALL, language: Language = "en") -> dict[str, Any]:
    return message(of, Speaker(language, ZoneInfo("Asia/Bangkok")), buttons)


def texts(part: Any) -> Iterator[str]:
    """All that can be read, in order."""
    if isinstance(part, dict):
        if part.get("type") == "text" and "text" in part:
            yield part["text"]
        if "label" in part:
            yield f"[{part['label']}]"
        for inner in part.values():
            yield from texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from texts(inner)


def test_one_alert_is_one_bubble_with_all_that_matters() -> None:
    made = said(notice())
    assert made["altText"] == (
        "Warning: Turbid water, Patong Beach – Turbidity 44.6 NTU, above the limit of 25 NTU"
    )
    assert list(texts(made["contents"])) == [
        "▲ Warning",
        "New",
        "Turbid water",
        "Patong Beach",
        "Turbidity 44.6 NTU, above the limit of 25 NTU",
        "10:04",
        "15:04",
        "Since 22 Nov 2026 13:44 (1 h 20 min)",
        "[Take it on]",
        "[Details]",
        "[Quiet for a day]",
    ]


def test_it_speaks_thai() -> None:
    shown = list(texts(said(notice(), language="th")["contents"]))
    assert shown[:5] == [
        "▲ เตือน",
        "ใหม่",
        "น้ำทะเลขุ่นผิดปกติ",
        "หาดป่าตอง",
        "ความขุ่น 44.6 NTU สูงกว่าเกณฑ์ 25 NTU",
    ]
    assert shown[7:] == [
        "ตั้งแต่ 22 พ.ย. 2569 13:44 น. (1 ชม. 20 นาที)",
        "[รับเรื่อง]",
        "[ดูรายละเอียด]",
        "[พักแจ้งเตือน 1 วัน]",
    ]


@pytest.mark.parametrize(
    ("of", "colour", "sign"),
    [
        pytest.param(told(severity=Severity.CRITICAL), "#B3261E", "‼ Critical", id="critical"),
        pytest.param(told(), "#8A5300", "▲ Warning", id="warning"),
        pytest.param(told(severity=Severity.INFO), "#0B57D0", "● Info", id="info"),
        pytest.param(OVER, "#146C2E", "✓ All clear", id="all clear"),
        pytest.param(replace(OVER, reason=Reason.BY_HAND), "#5F6368", "■ Ended", id="by hand"),
    ],
)
def test_severity_is_a_colour_a_sign_and_a_word(of: Told, colour: str, sign: str) -> None:
    head = said(notice(of))["contents"]["header"]
    assert (head["backgroundColor"], head["contents"][0]["text"]) == (colour, sign)


def test_buttons_say_to_us_what_is_meant_and_show_it_to_the_user() -> None:
    footer = said(notice())["contents"]["footer"]["contents"]
    assert [button["action"] for button in footer] == [
        {
            "type": "postback",
            "label": "Take it on",
            "data": "acknowledge turbid-water.patong-probe-1.1",
            "displayText": "I take it on: Turbid water, Patong Beach",
        },
        {"type": "uri", "label": "Details", "uri": "https://andaman.example/n/kZ3"},
        {
            "type": "postback",
            "label": "Quiet for a day",
            "data": "mute",
            "displayText": "Quiet for a day",
        },
    ]


def test_what_is_over_can_only_be_looked_at() -> None:
    footer = said(notice(OVER))["contents"]["footer"]["contents"]
    assert [button["action"]["type"] for button in footer] == ["uri"]


def test_nothing_to_do_leaves_the_footer_out() -> None:
    assert "footer" not in said(notice(), Buttons())["contents"]


def test_a_group_is_several_bubbles_the_worst_first() -> None:
    worse = told(alert="b", severity=Severity.CRITICAL)
    made = said(notice(OVER, told(), worse, reason=NoticeReason.NEW))
    assert made["altText"] == "New – Critical: 3 alerts, Patong Beach (2 ongoing, 1 over)"
    heads = [b["header"]["contents"][0]["text"] for b in made["contents"]["contents"]]
    assert heads == ["‼ Critical", "▲ Warning", "✓ All clear"]


def test_of_very_many_the_worst_are_shown_and_all_are_counted() -> None:
    made = said(notice(*STORM))
    first, *others = made["contents"]["contents"]
    assert len(others) == 5
    shown = list(texts(first))
    assert shown[2:4] == ["Turbid water in 5,000 places", "5,000 ongoing, 0 over"]
    assert shown[-3:] == ["and 4,990 more", "[Details]", "[Quiet for a day]"]


@pytest.mark.parametrize("reason", [NoticeReason.TEST, NoticeReason.HEARTBEAT])
def test_what_is_about_no_alert_is_plain_text(reason: NoticeReason) -> None:
    made = said(notice(reason=reason, alerts=()))
    assert made["type"] == "text"
    assert made["text"].startswith(("Test message\n", "Daily self-test\n"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "of",
    [
        pytest.param(notice(), id="one"),
        pytest.param(notice(OVER), id="over"),
        pytest.param(
            notice(told(recent=(), level=None, side="", site="", site_name={})), id="bare"
        ),
        pytest.param(notice(*STORM[:5]), id="five"),
        pytest.param(notice(*STORM), id="storm"),
        pytest.param(
            notice(*(told(alert=str(n), rule_name=HOSTILE, site_name=HOSTILE) for n in range(9))),
            id="hostile names",
        ),
        pytest.param(
            notice(*(told(rule_name={"en": "", "th": ""}, rule="", site="") for _ in range(2))),
            id="no names",
        ),
        *(pytest.param(notice(reason=r, level="x"), id=r.value) for r in NoticeReason),
        pytest.param(notice(reason=NoticeReason.TEST, alerts=()), id="no alert"),
    ],
)
def test_line_takes_it(of: Notice, language: Language) -> None:
    made = json.loads(json.dumps(said(of, language=language)))
    assert errors([made]) == []
    if (
        made["type"] == "flex"
    ):  # nothing that the documented schema does not know, nor of wrong type
        assert FlexMessage.from_dict(made).to_dict() == made


# --- the picture ---


def drawn(*values: float, level: float | None = 25.0, side: str = "above") -> list[Any]:
    """The bars of readings each 5 minutes, None where nothing is drawn; at the end the limit."""
    recent = tuple(Reading(AT + n * 5 * MINUTE, v, Flag.GOOD) for n, v in enumerate(values))
    box = picture(told(recent=recent, level=level, side=side), "#8A5300", len(values))
    assert box is not None
    bars = [each for each in box["contents"] if each.get("position") != "absolute"]
    return [
        (int(bar["height"][:-2]), bar["backgroundColor"] == "#8A5300")
        if "backgroundColor" in bar
        else None
        for bar in bars
    ]


def test_the_highest_bar_fills_the_picture_and_those_beyond_the_limit_are_coloured() -> None:
    bars = drawn(0.0, 25.0, 26.0, 50.0)
    assert [beyond for _, beyond in bars] == [False, False, True, True]
    assert bars[-1][0] == HEIGHT
    assert bars[0][0] > 0


def test_below_the_limit_is_beyond_where_the_limit_is_a_lower_one() -> None:
    assert [beyond for _, beyond in drawn(30.0, 20.0, side="below")] == [False, True]


def test_the_limit_is_drawn_as_a_line_at_its_height() -> None:
    box = picture(told(), "#8A5300")
    assert box is not None
    line = box["contents"][-1]
    assert line["position"] == "absolute"
    assert 0 < int(line["offsetBottom"][:-2]) < HEIGHT


def test_a_short_peak_among_many_readings_is_seen() -> None:
    values = [1.0] * 240
    values[100] = 99.0
    recent = tuple(Reading(AT + n * MINUTE, v, Flag.GOOD) for n, v in enumerate(values))
    box = picture(told(recent=recent), "#8A5300", 24)
    assert box is not None
    assert [b for b in box["contents"] if b.get("backgroundColor") == "#8A5300"]


def test_a_gap_is_a_gap() -> None:
    recent = (*(Reading(AT + n * MINUTE, 1.0, 1) for n in (0, 1, 9)),)
    box = picture(told(recent=recent), "#8A5300", 10)
    assert box is not None
    assert ["backgroundColor" in bar for bar in box["contents"][:-1]] == [True] * 2 + [
        False
    ] * 7 + [True]


@pytest.mark.parametrize(
    "recent",
    [
        pytest.param((), id="none"),
        pytest.param((Reading(AT, 1.0, 1),), id="one"),
        pytest.param((Reading(AT, 1.0, 1), Reading(AT + 1, 9.0, Flag.FAIL)), id="one that is good"),
        pytest.param((Reading(AT, 1.0, 1), Reading(AT + 1, float("nan"), 1)), id="no number"),
    ],
)
def test_too_few_readings_make_no_picture(recent: tuple[Reading, ...]) -> None:
    assert picture(told(recent=recent), "#8A5300") is None


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0, 1e-9, 1e12])
def test_a_flat_series_is_drawn_too(value: float) -> None:
    assert all(0 < bar[0] <= HEIGHT for bar in drawn(value, value, level=None, side=""))
