"""Explanations: every phrase in both languages, and a sentence for each fact."""

import inspect
import re
import string
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts import explanation, speaking
from alerts.anomaly.outlook import Outlook
from alerts.anomaly.rarity import Symptom
from alerts.explanation import Facts, RuleFacts, explain
from alerts.phrases import PHRASES
from alerts.standards import Limit
from core.alerts import Severity, State
from core.annotations import Work
from core.configuration import Name
from core.readings import Flag
from core.surroundings import Nearby, Other, Reading, Surroundings, Worked
from core.times import DAY, HOUR, MINUTE, SECOND

BEGAN = 1_795_305_600_000_000  # 2026-11-22T00:00:00Z, 07:00 in Bangkok
PATONG, KARON = {"en": "Patong", "th": "ป่าตอง"}, {"en": "Karon", "th": "กะรน"}
TURBID = RuleFacts(name={"en": "Turbid water", "th": "น้ำขุ่น"}, kind="threshold")
FACTS = Facts(
    rule="beach-turbid",
    version="5b1c",
    about=TURBID,
    subject="patong-1/turbidity",
    device="patong-1",
    site=PATONG,
    parameter={"en": "Turbidity", "th": "ความขุ่น"},
    unit="[NTU]",
    state=State.FIRING,
    severity=Severity.WARNING,
    value=61.5,
    since=BEGAN,
    until=BEGAN + HOUR,
    zone=ZoneInfo("Asia/Bangkok"),
    side="above",
    level=25.0,
    clear=15.0,
)
LIMIT = Limit(
    id="l",
    parameter="turbidity",
    value=25.0,
    title=Name(en="Turbidity, at most", th="ความขุ่น ไม่เกิน"),
    source="A notice",
    date="2017",
    verified=False,
)

# Phrases whose names are put together.
OF_SYSTEM = ["device-clock-above", "device-clock-below", "gateway-gap"]
OF_SYSTEM += ["notify-paused", "notify-stalled"]
OF_SYSTEM += [f"system-{what}" for what in ("certificate", "clock", "disk", "lag", "stall")]
MADE = {
    "clear": ["above", "below"],
    "expected": ["beyond", "inside"],
    "flag": [flag.name.lower() for flag in Flag if flag > Flag.NOT_EVALUATED],
    "mark": ["flapping", "folded", "shadow", "shelved", "stale"],
    "parted": ["more", "less", "times"],
    "per": ["hour", "minute"],
    "severity": [severity.label for severity in Severity],
    "state": [state.value for state in State],
    "symptom": [symptom.name.lower() for symptom in Symptom],
    "work": [work.value for work in Work],
    "what": [
        *("above", "anomaly", "below", "composite", "count", "fault", "missing", "neighbours"),
        "rate",
        *OF_SYSTEM,
    ],
}


def said(facts: Facts) -> list[str]:
    """The English sentences; the Thai ones are as many and have the same figures."""
    texts = {language: text.splitlines() for language, text in explain(facts).items()}
    assert [_figures(line) for line in texts["th"]] == [_figures(line) for line in texts["en"]]
    assert all(re.search("[\u0e00-\u0e7f]", line) for line in texts["th"])
    return texts["en"]


def _figures(line: str) -> list[str]:
    line = line.replace("22 Nov 2026", "22").replace("22 พ.ย. 2569", "22")
    return sorted(re.findall(r"\d[\d.:-]*\d|\d", line))


def test_it_says_what_why_since_when_and_by_which_rule() -> None:
    assert said(FACTS) == [
        "Turbid water: warning, firing.",
        "Turbidity of patong-1 at Patong was 61.5 NTU, 36.5 NTU above the limit of 25 NTU.",
        "It began at 22 Nov 2026 07:00 and has lasted 1 h.",
        "It can end at 15 NTU or less.",
        "No readings of late.",
        "Nobody within 0 km measures the same.",
        "Rule beach-turbid, version 5b1c.",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param(
            {"side": "below", "value": 3.0, "level": 4.0, "unit": "mg/L"},
            "Turbidity of patong-1 at Patong was 3 mg/L, 1 mg/L below the limit of 4 mg/L.",
            id="below",
        ),
        pytest.param(
            {"side": "below", "clear": 4.5}, "It can end at 4.5 NTU or more.", id="clear below"
        ),
        pytest.param(
            {"about": replace(TURBID, kind="rate", per="hour")},
            "Turbidity of patong-1 at Patong changed by 61.5 NTU per hour; the limit is 25 NTU.",
            id="rate",
        ),
        pytest.param(
            {"about": replace(TURBID, kind="rate", per="minute")},
            "Turbidity of patong-1 at Patong changed by 61.5 NTU per minute; the limit is 25 NTU.",
            id="rate per minute",
        ),
        pytest.param(
            {"about": replace(TURBID, kind="count"), "value": 4.0, "level": 3.0},
            "4 of the last readings of Turbidity of patong-1 at Patong were out of range; more "
            "than 3 are too many.",
            id="count",
        ),
        pytest.param(
            {"about": replace(TURBID, kind="missing"), "subject": "gateway/gw", "parameter": {}}
            | {"device": "", "value": 5.0, "level": 3.0},
            "The gateway gw is offline, or has not been heard for 5 of its intervals; more than 3 "
            "are too many.",
            id="a gateway",
        ),
        pytest.param(
            {"about": replace(TURBID, kind="missing"), "subject": "patong-1", "parameter": {}}
            | {"value": 3.2, "level": 3.0},
            "patong-1 has not been heard for 3.2 of its intervals; more than 3 are too many.",
            id="missing",
        ),
        pytest.param(
            {"about": replace(TURBID, kind="composite"), "subject": "city", "parameter": {}}
            | {"value": 2.0, "level": 1.0},
            "2 of the conditions that the rule joins hold for city; more than 1 make it fire.",
            id="composite",
        ),
        pytest.param(
            {"level": None, "subject": "gateway/gw", "parameter": {}, "value": 2.0},
            "gateway/gw has the value 2.",
            id="about the system",
        ),
        pytest.param(
            {"state": State.RESOLVED},
            "It began at 22 Nov 2026 07:00 and lasted 1 h.",
            id="over",
        ),
        pytest.param(
            {"state": State.PENDING, "severity": Severity.CRITICAL},
            "Turbid water: critical, pending.",
            id="pending",
        ),
        pytest.param(
            {"recent": [Reading(BEGAN, 3.0, 1), Reading(BEGAN + MINUTE, 61.5, 2)]},
            "The last 2 readings lay between 3 NTU and 61.5 NTU, the newest is 61.5 NTU "
            "(22 Nov 2026 07:01).",
            id="recent",
        ),
        pytest.param(
            {"recent": [Reading(BEGAN, 3.0, 1), Reading(BEGAN + MINUTE, 61.5, 2)]},
            "The quality tests object to none of them.",
            id="good flags",
        ),
        pytest.param(
            {"recent": [Reading(BEGAN, 3.0, 3), Reading(BEGAN, 4.0, 3), Reading(BEGAN, 5.0, 4)]},
            "The quality tests object to 3 of them (2 suspect, 1 failed).",
            id="bad flags",
        ),
        pytest.param(
            {"around": Surroundings(neighbours=[Nearby(KARON, "karon-1", 5.23, BEGAN, 4.1, 1)])},
            "karon-1 at Karon, 5.2 km away, reads 4.1 NTU (22 Nov 2026 07:00).",
            id="neighbour",
        ),
        pytest.param(
            {"around": Surroundings(neighbours=[Nearby(PATONG, "patong-2", 0.0, BEGAN, 4.1, 1)])},
            "patong-2, at the same place, reads 4.1 NTU (22 Nov 2026 07:00).",
            id="neighbour at the place",
        ),
        pytest.param(
            {"around": Surroundings(km=10.0)},
            "Nobody within 10 km measures the same.",
            id="no neighbour",
        ),
        pytest.param(
            {
                "around": Surroundings(
                    rain=[Nearby(KARON, "gauge", 5.2, BEGAN, 12.0, 1)], rain_unit="mm/h"
                )
            },
            "Rain at Karon, 5.2 km away: 12 mm/h (22 Nov 2026 07:00).",
            id="rain",
        ),
        pytest.param(
            {"around": Surroundings(works=[Worked("patong-1", Work.CLEANING, BEGAN)])},
            "Work on patong-1: cleaning, from 22 Nov 2026 07:00.",
            id="service",
        ),
        pytest.param(
            {
                "around": Surroundings(others=[Other("a", "r", KARON, Severity.INFO, BEGAN)]),
                "rules": {"r": {"en": "Haze", "th": "ฝุ่น"}},
            },
            "Also at Karon: Haze, info, since 22 Nov 2026 07:00.",
            id="another alert",
        ),
        pytest.param(
            {"around": Surroundings(others=[Other("a", "gone", KARON, Severity.INFO, BEGAN)])},
            "Also at Karon: gone, info, since 22 Nov 2026 07:00.",
            id="an alert of a rule that is gone",
        ),
        pytest.param(
            {"about": replace(TURBID, standards=[LIMIT])},
            "The limit is Turbidity, at most, 25 NTU: A notice (2017).",
            id="standard",
        ),
        pytest.param(
            {"about": replace(TURBID, source="A proposal of our own.")},
            "About the limit: A proposal of our own.",
            id="source",
        ),
        pytest.param(
            {"marks": ["stale"]},
            "No data has come since; whether it goes on is not known.",
            id="mark",
        ),
    ],
)
def test_it_has_a_sentence_for_each_fact(changed: dict[str, Any], sentence: str) -> None:
    assert sentence in said(replace(FACTS, **changed))


@pytest.mark.parametrize(
    ("lasted", "words"),
    [
        pytest.param(0, "0 s", id="none"),
        pytest.param(-SECOND, "0 s", id="event time runs ahead"),
        pytest.param(59 * SECOND, "59 s", id="seconds"),
        pytest.param(5 * MINUTE + 3 * SECOND, "5 min 3 s", id="minutes"),
        pytest.param(2 * HOUR + 5 * MINUTE + 3 * SECOND, "2 h 5 min", id="hours"),
        pytest.param(3 * DAY, "3 d", id="days"),
    ],
)
def test_it_says_how_long_in_two_words(lasted: int, words: str) -> None:
    assert said(replace(FACTS, until=BEGAN + lasted))[2].endswith(f"lasted {words}.")


def test_what_measures_nothing_has_neither_readings_nor_neighbours() -> None:
    lines = said(replace(FACTS, parameter={}, level=None))
    assert not [line for line in lines if "readings" in line or "measures" in line]


# --- the catalogue of phrases ---


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_there_in_both_languages_with_the_same_values(name: str) -> None:
    english, thai = PHRASES[name]
    assert _values(english) == _values(thai)
    assert re.search("[\u0e00-\u0e7f]", thai)


def _values(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_no_phrase_is_missing_and_none_is_left_over() -> None:
    source = inspect.getsource(explanation) + inspect.getsource(speaking)
    named = {name for name in PHRASES if f'"{name}"' in source}
    made = {f"{kind}-{word}" for kind, words in MADE.items() for word in words}
    assert made <= set(PHRASES)
    assert named | made == set(PHRASES)


@pytest.mark.parametrize(
    ("newest", "sentence"),
    [
        pytest.param(61.5, "The newest reading, 61.5 NTU, is 52.1 NTU beyond that.", id="beyond"),
        pytest.param(4.0, "The newest reading, 4 NTU, is within that.", id="inside"),
    ],
)
def test_it_tells_what_was_expected_and_what_the_same_hours_read(
    newest: float, sentence: str
) -> None:
    outlook = Outlook(low=2.1, high=9.4, months=40.0, symptom=Symptom.LEAP, confidence=0.83)
    before = [Reading(1, 3.0, 1), Reading(2, 5.0, 1)]
    lines = said(
        replace(
            FACTS,
            about=RuleFacts(name=FACTS.about.name, kind="anomaly"),
            value=40.0,
            level=3.0,
            outlook=outlook,
            before=before,
            recent=[Reading(FACTS.until, newest, 1)],
        )
    )
    assert "is unlike itself, as about once in 40 months; the rule asks for once in 3." in lines[1]
    assert "Between 2.1 NTU and 9.4 NTU is expected now." in lines
    assert sentence in lines
    assert "It is far off what the last hours led to expect." in lines
    assert "At this hour of the 2 days before it read 3 NTU to 5 NTU." in lines
    assert "How well the series is known: 83 %." in lines
