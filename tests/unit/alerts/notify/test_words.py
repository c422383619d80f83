"""What messages say, in English and Thai."""

import inspect
import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.notify import words
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker
from core.alerts import Reason, Severity, State
from core.notices import Notice, NoticeReason, Told
from core.times import HOUR, MINUTE
from core.verdicts import VerdictKind
from tests.notices import notice, told

ZONE = ZoneInfo("Asia/Bangkok")
ENGLISH, THAI = Speaker("en", ZONE), Speaker("th", ZONE)
BEGAN = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z, 07:00 in Bangkok
NOW = BEGAN + 2 * HOUR + 5 * MINUTE
TURBID = told(since=BEGAN, value=61.5)
OVER = told(since=BEGAN, at=NOW, value=12.0, state=State.RESOLVED, reason=Reason.BACK_IN_RANGE)
WORSE = replace(TURBID, alert="a-2", severity=Severity.CRITICAL, value=120.0, level=100.0)
KARON = replace(TURBID, alert="a-3", site="karon", site_name={"en": "Karon Beach", "th": "หาดกะรน"})
OXYGEN = replace(
    WORSE, rule="beach-oxygen-low", rule_name={"en": "Little oxygen", "th": "ออกซิเจนต่ำ"}
)


@pytest.mark.parametrize(
    ("of", "english", "thai"),
    [
        pytest.param(
            notice(TURBID),
            "Warning: Turbid water, Patong Beach",
            "เตือน: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            id="first",
        ),
        pytest.param(
            notice(TURBID, OXYGEN, reason=NoticeReason.NEW),
            "New – Critical: 2 alerts, Patong Beach",
            "เพิ่มเติม – วิกฤต: 2 รายการ หาดป่าตอง",
            id="several of one place",
        ),
        pytest.param(
            notice(TURBID, KARON, reason=NoticeReason.REPEAT),
            "Still – Warning: Turbid water in 2 places",
            "ยังไม่สิ้นสุด – เตือน: น้ำทะเลขุ่นผิดปกติ 2 แห่ง",
            id="one rule in several places",
        ),
        pytest.param(
            notice(OXYGEN, KARON, reason=NoticeReason.DIGEST),
            "Summary: 2 alerts in 2 places",
            "สรุป: 2 รายการ ใน 2 แห่ง",
            id="digest",
        ),
        pytest.param(
            notice(WORSE, reason=NoticeReason.WORSENED),
            "Worse – Critical: Turbid water, Patong Beach",
            "รุนแรงขึ้น – วิกฤต: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            id="worse",
        ),
        pytest.param(
            notice(WORSE, reason=NoticeReason.ESCALATION, level="head"),
            "Nobody has taken it on – Critical: Turbid water, Patong Beach",
            "ยังไม่มีผู้รับเรื่อง – วิกฤต: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            id="escalation",
        ),
        pytest.param(
            notice(OVER, reason=NoticeReason.RESOLVED),
            "All clear: Turbid water, Patong Beach",
            "กลับสู่ปกติ: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            id="all clear",
        ),
        pytest.param(
            notice(replace(OVER, reason=Reason.BY_HAND), reason=NoticeReason.RESOLVED),
            "Ended: Turbid water, Patong Beach",
            "สิ้นสุด: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
            id="ended by hand, which is no all clear",
        ),
        pytest.param(
            notice(reason=NoticeReason.TEST), "Test message", "ข้อความทดสอบ", id="test message"
        ),
        pytest.param(
            notice(reason=NoticeReason.HEARTBEAT),
            "Daily self-test",
            "การทดสอบระบบประจำวัน",
            id="heartbeat",
        ),
        pytest.param(
            notice(reason=NoticeReason.DIGEST, alerts=()),
            "No alerts",
            "ไม่มีการแจ้งเตือน",
            id="empty digest",
        ),
    ],
)
def test_a_title_says_the_whole_notice(of: Notice, english: str, thai: str) -> None:
    assert (words.title(of, ENGLISH), words.title(of, THAI)) == (english, thai)


@pytest.mark.parametrize(
    ("changed", "english", "thai"),
    [
        pytest.param(
            {},
            "Turbidity 61.5 NTU, above the limit of 25 NTU",
            "ความขุ่น 61.5 NTU สูงกว่าเกณฑ์ 25 NTU",
            id="above",
        ),
        pytest.param(
            {"side": "below", "value": 3.0, "level": 4.0, "unit": "mg/L"},
            "Turbidity 3 mg/L, below the limit of 4 mg/L",
            "ความขุ่น 3 mg/L ต่ำกว่าเกณฑ์ 4 mg/L",
            id="below",
        ),
        pytest.param(
            {"kind_of_rule": "rate", "per": "hour", "unit": "Cel"},
            "Turbidity changes by 61.5 °C per hour (limit 25 °C)",
            "ความขุ่น เปลี่ยน 61.5 °C ต่อชั่วโมง (เกณฑ์ 25 °C)",
            id="rate",
        ),
        pytest.param(
            {"kind_of_rule": "count", "value": 4.0, "level": 3.0},
            "Turbidity out of range 4 times (limit 3)",
            "ความขุ่น ออกนอกช่วง 4 ครั้ง (เกณฑ์ 3)",
            id="count",
        ),
        pytest.param(
            {"kind_of_rule": "missing", "subject": "gw-1", "value": 3.25, "level": 3.0},
            "nothing heard of gw-1 for 3.25 intervals (limit 3)",
            "ไม่ได้รับข้อมูลจาก gw-1 3.25 รอบ (เกณฑ์ 3 รอบ)",
            id="missing",
        ),
        pytest.param(
            {"kind_of_rule": "composite", "value": 2.0, "level": 1.0},
            "2 of its conditions hold (limit 1)",
            "เข้าเงื่อนไข 2 ข้อ (เกณฑ์ 1 ข้อ)",
            id="composite",
        ),
        pytest.param(
            {"folded": 4950},
            "4,950 more at the same time, told as one",
            "อีก 4,950 รายการในเวลาเดียวกัน รวมแจ้งครั้งเดียว",
            id="storm",
        ),
        pytest.param(
            {"kind_of_rule": "device-clock", "subject": "device/p-1", "value": 7200.0}
            | {"level": 0.0},
            "the clock of p-1 is 2 h behind",
            "นาฬิกาของ p-1 ช้าไป 2 ชม.",
            id="a clock",
        ),
        pytest.param(
            {"kind_of_rule": "gateway-gap", "subject": "gateway/gw-1", "value": 4.0, "level": 0.0},
            "4 messages of gw-1 have not come",
            "ข้อความจาก gw-1 ยังมาไม่ถึง 4 ข้อความ",
            id="a gap",
        ),
        pytest.param(
            {"kind_of_rule": "other", "level": None, "subject": "gw-1", "value": 2.0, "unit": ""},
            "gw-1: 2",
            "gw-1: 2",
            id="about the system",
        ),
    ],
)
def test_a_value_is_told_against_its_limit(
    changed: dict[str, Any], english: str, thai: str
) -> None:
    of = replace(TURBID, **changed)
    assert (words.measure(of, ENGLISH), words.measure(of, THAI)) == (english, thai)


@pytest.mark.parametrize(
    ("changed", "english", "thai"),
    [
        pytest.param(
            {}, "Turbidity 12 NTU (limit 25 NTU)", "ความขุ่น 12 NTU (เกณฑ์ 25 NTU)", id="threshold"
        ),
        pytest.param(
            {"kind_of_rule": "missing", "subject": "gw-1"},
            "gw-1 is heard again",
            "ได้รับข้อมูลจาก gw-1 อีกครั้งแล้ว",
            id="missing",
        ),
        pytest.param(
            {"kind_of_rule": "gateway-gap", "subject": "gateway/gw-1"},
            "gw-1: well again",
            "gw-1: เป็นปกติแล้ว",
            id="about the system",
        ),
        pytest.param(
            {"reason": Reason.BY_HAND},
            "closed by an officer",
            "เจ้าหน้าที่ปิดเรื่องแล้ว",
            id="by hand",
        ),
        pytest.param(
            {"reason": Reason.RULE_CHANGED}, "the rule was changed", "กฎถูกแก้ไข", id="rule changed"
        ),
    ],
)
def test_what_is_over_says_how(changed: dict[str, Any], english: str, thai: str) -> None:
    of = replace(OVER, **changed)
    assert (words.measure(of, ENGLISH), words.measure(of, THAI)) == (english, thai)


@pytest.mark.parametrize(
    ("of", "english", "thai"),
    [
        pytest.param(
            TURBID,
            "Warning: Turbid water, Patong Beach – Turbidity 61.5 NTU, above the limit of 25 NTU; "
            "since 22 Nov 2026 07:00 (2 h 5 min)",
            "เตือน: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง – ความขุ่น 61.5 NTU สูงกว่าเกณฑ์ 25 NTU "
            "ตั้งแต่ 22 พ.ย. 2569 07:00 น. (2 ชม. 5 นาที)",
            id="firing",
        ),
        pytest.param(
            OVER,
            "All clear: Turbid water, Patong Beach – Turbidity 12 NTU (limit 25 NTU); "
            "from 22 Nov 2026 07:00 to 09:05 (2 h 5 min)",
            "กลับสู่ปกติ: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง – ความขุ่น 12 NTU (เกณฑ์ 25 NTU) "
            "ตั้งแต่ 22 พ.ย. 2569 07:00 น. ถึง 09:05 น. (2 ชม. 5 นาที)",
            id="over",
        ),
        pytest.param(
            replace(OVER, since=BEGAN - 8 * HOUR, at=BEGAN, kind_of_rule="missing", subject="gw"),
            "All clear: Turbid water, Patong Beach – gw is heard again; "
            "from 21 Nov 2026 23:00 to 22 Nov 2026 07:00 (8 h)",
            "กลับสู่ปกติ: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง – ได้รับข้อมูลจาก gw อีกครั้งแล้ว "
            "ตั้งแต่ 21 พ.ย. 2569 23:00 น. ถึง 22 พ.ย. 2569 07:00 น. (8 ชม.)",
            id="over midnight",
        ),
        pytest.param(
            replace(OVER, rule_name={}, site_name={}, at=BEGAN + MINUTE),
            "All clear: turbid-water, patong – Turbidity 12 NTU (limit 25 NTU); "
            "from 22 Nov 2026 07:00 to 07:01 (1 min)",
            "กลับสู่ปกติ: turbid-water patong – ความขุ่น 12 NTU (เกณฑ์ 25 NTU) "
            "ตั้งแต่ 22 พ.ย. 2569 07:00 น. ถึง 07:01 น. (1 นาที)",
            id="without names",
        ),
    ],
)
def test_an_alert_is_told_in_a_line(of: Told, english: str, thai: str) -> None:
    now = NOW
    assert (words.line(of, ENGLISH, now), words.line(of, THAI, now)) == (english, thai)


def test_what_has_no_place_names_none() -> None:
    nowhere = replace(TURBID, site="", site_name={}, district="")
    assert words.what(nowhere, ENGLISH) == "Turbid water"


def test_it_counts_what_goes_on_and_what_is_over() -> None:
    of = notice(TURBID, KARON, OVER)
    assert words.counts(of, ENGLISH) == "2 ongoing, 1 over"
    assert words.counts(of, THAI) == "กำลังเกิด 2 สิ้นสุด 1"


def test_the_worst_comes_first_and_what_is_over_last() -> None:
    older = replace(KARON, since=BEGAN - HOUR)
    assert words.worst_first([OVER, TURBID, older, WORSE]) == [WORSE, older, TURBID, OVER]


@pytest.mark.parametrize("reason", NoticeReason)
def test_each_reason_is_said(reason: NoticeReason) -> None:
    of = notice(TURBID, reason=reason, level="head")
    english, thai = words.why(of, ENGLISH), words.why(of, THAI)
    assert english
    assert re.search("[\u0e00-\u0e7f]", thai)
    assert ("head" in english) == ("head" in thai) == (reason is NoticeReason.ESCALATION)


# --- the catalogue of phrases ---


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_there_in_both_languages_with_the_same_values(name: str) -> None:
    english, thai = PHRASES[name]
    assert _values(english) == _values(thai)
    assert _bare(thai) == "" or re.search("[\u0e00-\u0e7f]", thai)


def _values(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def _bare(text: str) -> str:
    """What is said beside the values."""
    return re.sub(r"\{\w+\}|[^\w]", "", text)


def test_no_phrase_is_left_over() -> None:
    folder = Path(inspect.getfile(words)).parent
    files = [file for file in folder.glob("*.py") if file.name != "phrases.py"]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    made = tuple(f"{start}-" for start in re.findall(r'f"([a-z-]+)-\{', source))
    assert [n for n in PHRASES if f'"{n}"' not in source and not n.startswith(made)] == []


@pytest.mark.parametrize("reason", NoticeReason)
def test_each_reason_has_its_phrases(reason: NoticeReason) -> None:
    assert f"why-{reason}" in PHRASES
    assert f"tag-{reason}" in PHRASES or reason in words.BESIDE_ALERTS


def test_each_way_to_end_is_a_reason_of_alerts() -> None:
    ways = {name.removeprefix("ended-") for name in PHRASES if name.startswith("ended-")}
    assert ways <= {*Reason, *VerdictKind}
