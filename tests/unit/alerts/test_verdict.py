"""What the rules of inference make of symptoms, and how they say it."""

import inspect
import re
import string
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts import joint_verdict, kinship, verdict
from alerts.company import Leap
from alerts.shapes import Move
from alerts.symptoms import Near, Symptoms
from alerts.verdict import SURE_ENOUGH, Opinion, judge
from alerts.verdict_words import PHRASES, summary, worded
from core.catalogue import CATALOGUE
from core.languages import LANGUAGES
from core.times import HOUR, MINUTE
from core.verdicts import FaultCause, VerdictKind

ZONE = ZoneInfo("Asia/Bangkok")
KARON = {"en": "Karon", "th": "กะรน"}


def far(times: float, usual: float = 10.0, noise: float = 1.0) -> Move:
    return Move(times, usual + times * noise, usual, noise)


def seen(parameter: str = "turbidity", kind: str = "threshold", **more: Any) -> Symptoms:
    return Symptoms(kind=kind, parameter=parameter, **more)


def near(*times: float) -> list[Near]:
    return [Near(KARON, 3.0 + number, one, one / 8) for number, one in enumerate(times)]


CASES = [
    pytest.param(seen(), "unclear", None, id="nothing is known"),
    pytest.param(seen("pm25"), "unclear", None, id="nothing is known of a station in the air"),
    pytest.param(
        seen("pm25", move=far(30), step=1.0, neighbours=near(0.5, 0.5)),
        "unclear",
        None,
        id="a leap, and nobody knows how it moves else",
    ),
    pytest.param(seen(kind="fault"), "unclear", None, id="nothing is known of flagged readings"),
    pytest.param(
        seen(move=far(8), neighbours=near(5, 6), rain=12.0),
        "event",
        None,
        id="all of them after rain",
    ),
    pytest.param(
        seen(move=far(8), channels={"salinity": far(-5), "ph": far(-4)}),
        "event",
        None,
        id="turbid water that is fresh as well",
    ),
    pytest.param(seen("fill_level", move=far(9)), "event", None, id="a bin that is full"),
    pytest.param(
        seen("pm25", move=far(9), channels={"pm10": far(30)}),
        "event",
        None,
        id="dust of a building",
    ),
    pytest.param(
        seen(
            "salinity",
            move=far(-9, 30.0),
            step=1.0,
            channels={"conductivity": far(0.2), "water_level": far(-2, 0.5, 0.4)},
            neighbours=near(0.1, 0.2),
        ),
        "sensor-fault",
        "drift",
        id="a step at low tide that its twin does not make",
    ),
    pytest.param(
        seen(kind="fault", objections={"flat_line": 1.0}, still=6 * HOUR, stirs=True),
        "sensor-fault",
        "stuck",
        id="it stays",
    ),
    pytest.param(
        seen(kind="fault", spikes=4, move=far(0.5), objections={"spike": 0.3}),
        "sensor-fault",
        "spike",
        id="it leaps",
    ),
    pytest.param(
        seen(
            "dissolved_oxygen",
            move=far(9),
            channels={"salinity": Move(-90, 0.1, 32.0, 0.3)},
        ),
        "sensor-fault",
        "out-of-water",
        id="there is no salt",
    ),
    pytest.param(
        seen("water_temperature", move=Move(90, 84.9, 29.4, 0.3), step=1.0),
        "sensor-fault",
        "units",
        id="degrees Fahrenheit",
    ),
    pytest.param(
        seen(
            "pm25", move=Move(9000, 12_000.0, 12.0, 1.5), step=1.0, objections={"gross_range": 1.0}
        ),
        "sensor-fault",
        "units",
        id="nanograms",
    ),
    pytest.param(
        seen("", "missing", battery=Move(-9, 6.0, 80.0, 1.0)),
        "sensor-fault",
        "power",
        id="no battery",
    ),
    pytest.param(seen("", "device-clock"), "sensor-fault", "clock", id="its clock"),
    pytest.param(
        seen("ph", "fault", ahead=9 * MINUTE, objections={"timing": 1.0}),
        "sensor-fault",
        "clock",
        id="from the future",
    ),
    pytest.param(
        seen(
            "salinity",
            "anomaly",
            move=far(-6),
            climb=30 * HOUR,
            step=0.1,
            neighbours=near(0.1, -0.5, 0.4),
            channels={"conductivity": far(0.3)},
        ),
        "sensor-fault",
        "drift",
        id="alone and slowly",
    ),
    pytest.param(
        seen(
            "turbidity",
            "anomaly",
            move=far(9),
            climb=30 * HOUR,
            step=0.1,
            neighbours=near(0.1, -0.5, 0.4),
            work="cleaning",
        ),
        "sensor-fault",
        "fouling",
        id="until it is cleaned",
    ),
    pytest.param(
        seen("water_temperature", "neighbours", move=far(5), neighbours=near(0.1, -0.5, 0.4)),
        "sensor-fault",
        "drift",
        id="it has left its neighbours",
    ),
    pytest.param(
        seen(
            "dissolved_oxygen",
            "neighbours",
            move=far(-8),
            neighbours=near(0.1, -0.5, 0.4),
            channels={"turbidity": far(7), "ph": far(-4)},
        ),
        "event",
        None,
        id="it has left its neighbours with all that it measures",
    ),
    pytest.param(
        seen(kind="fault", spikes=4, shared=0.75, move=far(0.5), channels={"salinity": far(-4)}),
        "event",
        None,
        id="patches of other water",
    ),
    pytest.param(
        seen("co", "anomaly", move=far(5), step=1.0, leap=Leap(10, 15, kin=3, joined=["pm25"])),
        "event",
        None,
        id="smoke that two sensors see in the same hour",
    ),
    pytest.param(
        seen("wave_height", "anomaly", move=far(9), known=True, leap=Leap(10, 19, near=2)),
        "sensor-fault",
        "drift",
        id="waves at one beach alone",
    ),
    pytest.param(
        seen("air_pressure", "fault", turns=4, move=far(1), neighbours=near(1, 1)),
        "sensor-fault",
        "spike",
        id="to and fro",
    ),
    pytest.param(
        seen("no2", "anomaly", move=Move(-3, 0.0, 20.0, 6.0), neighbours=near(0.1, 0.2)),
        "sensor-fault",
        "drift",
        id="air without any",
    ),
    pytest.param(
        seen("ph", move=far(1), creeps=4, creeping={"chlorophyll": 1, "dissolved_oxygen": 1}),
        "event",
        None,
        id="algae, day after day",
    ),
    pytest.param(
        seen("pm25", "fault", move=far(9), still=4 * HOUR, stirs=True, neighbours=near(8, 9)),
        "sensor-fault",
        "stuck",
        id="what it once read is like its neighbours",
    ),
    pytest.param(
        seen("water_level", voltage=Move(-2, 10.9, 11.2, 0.15)),
        "unclear",
        None,
        id="a battery that is always low",
    ),
]


@pytest.mark.parametrize(("symptoms", "kind", "cause"), CASES)
def test_it_tells_an_event_from_a_fault(symptoms: Symptoms, kind: str, cause: str | None) -> None:
    found = judge(symptoms)
    assert (found.kind, found.cause) == (kind, cause)
    assert found.confidence >= SURE_ENOUGH or kind == "unclear"
    assert found.clues or kind == "unclear"


def test_only_neighbours_that_move_the_same_way_confirm_it() -> None:
    alone = seen(move=far(8), rain=3.0, channels={"salinity": far(-5)})
    assert not judge(alone).confirmed
    assert judge(replace(alone, neighbours=near(6))).confirmed
    assert not judge(replace(alone, neighbours=near(-6))).confirmed
    assert not judge(seen("fill_level", move=far(8), neighbours=near(9))).confirmed


def test_neighbours_make_it_surer() -> None:
    one, two = (seen(move=far(8), neighbours=near(*[6.0] * count)) for count in (1, 2))
    assert SURE_ENOUGH < judge(one).confidence < judge(two).confidence < 1


def test_a_verdict_says_its_evidence_in_both_languages() -> None:
    found = worded(judge(seen(move=far(8), neighbours=near(6))), ZONE)
    assert summary(found, "en") == "Probably an event: neighbours see it too (96%)."
    assert summary(found, "th") == "น่าจะเป็นเหตุการณ์จริง สถานีใกล้เคียงตรวจพบเช่นกัน (96%)"
    assert found.evidence[0] == {
        "en": "Karon, 3 km away, sees the same.",
        "th": "กะรน ซึ่งห่าง 3 กม. ตรวจพบเช่นเดียวกัน",
    }


@pytest.mark.parametrize("name", PHRASES)
def test_both_languages_say_the_same(name: str) -> None:
    phrase = PHRASES[name]
    english, thai = ({f for _, f, _, _ in string.Formatter().parse(one) if f} for one in phrase)
    assert english == thai
    assert re.search("[\u0e00-\u0e7f]", phrase.th)


def test_no_phrase_is_missing_and_none_is_left_over() -> None:
    source = inspect.getsource(verdict) + inspect.getsource(joint_verdict)
    used = set(re.findall(r'Clue\([\w.]+, [^"]*"([\w-]+)"', source))
    own = {
        *VerdictKind,
        *FaultCause,
        "event-confirmed",
        *(f"operand-{kind}" for kind in VerdictKind),
    }
    assert used == PHRASES.keys() - own


@pytest.mark.parametrize(("symptoms", "kind", "cause"), CASES)
def test_it_can_say_all_of_its_clues(symptoms: Symptoms, kind: str, cause: str | None) -> None:
    opinion: Opinion = judge(symptoms)
    said = worded(opinion, ZONE)
    assert len(said.evidence) == len(opinion.clues)
    assert all(summary(said, language) for language in LANGUAGES)


def test_its_tables_name_parameters_of_the_catalogue() -> None:
    for table in (kinship.TOGETHER, kinship.ALONGSIDE):
        assert {*table, *(other for row in table.values() for other in row)} <= set(CATALOGUE)
    assert {*kinship.RAINY, *kinship.FOULS, *kinship.WORSE, *kinship.REGIONAL} <= set(CATALOGUE)
