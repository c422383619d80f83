"""What composites come from, by what the alerts that they count are judged to be."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from alerts.joint_verdict import counted, jointly, silent_gateway
from alerts.verdict import MOST_CLUES
from alerts.verdict_words import worded
from core.alerts import STORM
from core.verdicts import FaultCause, Operand, Verdict, VerdictKind

ZONE = ZoneInfo("Asia/Bangkok")
TURBID = {"en": "Turbid water", "th": "น้ำขุ่น"}
SURE, WEAK = 0.95, 0.72


def event(*, sure: float = SURE, confirmed: bool = False) -> Verdict:
    return Verdict(kind=VerdictKind.EVENT, confidence=sure, confirmed=confirmed)


def fault(cause: FaultCause = FaultCause.FOULING, *, sure: float = SURE) -> Verdict:
    return Verdict(kind=VerdictKind.SENSOR_FAULT, cause=cause, confidence=sure)


UNCLEAR = Verdict(kind=VerdictKind.UNCLEAR, confidence=0.6)


def at(site: str, verdict: Verdict | None, *, rule: str = "turbid", subject: str = "") -> Operand:
    names = {"en": site.title(), "th": f"หาด{site}"}
    return Operand(rule, subject or f"{site}-1/turbidity", site, TURBID, names, verdict)


def at_each(*verdicts: Verdict | None) -> list[Operand]:
    return [at(f"beach-{number}", verdict) for number, verdict in enumerate(verdicts)]


@pytest.mark.parametrize(
    ("operands", "kind", "cause"),
    [
        pytest.param([], "unclear", None, id="nothing fires any more"),
        pytest.param(at_each(None, None, None), "unclear", None, id="nothing is judged yet"),
        pytest.param(at_each(UNCLEAR, UNCLEAR), "unclear", None, id="all are unclear"),
        pytest.param(at_each(event(), event()), "event", None, id="two places agree"),
        pytest.param(at_each(event(), None), "unclear", None, id="one place alone says so"),
        pytest.param(
            at_each(event(confirmed=True), UNCLEAR), "event", None, id="one that is confirmed"
        ),
        pytest.param(
            at_each(event(), event(), None, None, None), "unclear", None, id="most are not judged"
        ),
        pytest.param(
            at_each(event(), event(), event(), fault()), "event", None, id="one of four is a fault"
        ),
        pytest.param(
            at_each(event(), event(), fault(), fault()), "unclear", None, id="half are faults"
        ),
        pytest.param(
            at_each(event(sure=WEAK), fault(), fault(), fault()),
            "unclear",
            None,
            id="an event among faults is not called a fault",
        ),
        pytest.param(
            at_each(fault(), UNCLEAR),
            "sensor-fault",
            "fouling",
            id="all that are judged are faults",
        ),
        pytest.param(
            at_each(fault(), fault(FaultCause.POWER), fault(FaultCause.POWER)),
            "sensor-fault",
            "power",
            id="the cause that is named most",
        ),
        pytest.param(
            [at("patong", event()), at("patong", event(), rule="unusual")],
            "unclear",
            None,
            id="two rules about one series are one witness",
        ),
        pytest.param(
            [at("patong", event()), at("patong", event(), subject="patong-1/dissolved_oxygen")],
            "event",
            None,
            id="two channels of one place agree",
        ),
    ],
)
def test_a_composite_is_what_most_of_its_alerts_are(
    operands: Sequence[Operand], kind: str, cause: str | None
) -> None:
    found = jointly(operands)
    assert (found.kind, found.cause, found.confirmed) == (kind, cause, False)
    assert 0 <= found.confidence <= 1


def test_doubt_about_one_makes_it_less_sure() -> None:
    sure, doubted = jointly(at_each(event(), event())), jointly(at_each(event(), event(sure=WEAK)))
    assert doubted.confidence < sure.confidence == SURE


def test_its_evidence_tells_what_each_says_in_both_languages() -> None:
    found = worded(jointly(at_each(event(), event(), fault(sure=0.9), None)), ZONE)
    assert found.evidence[0] == {
        "en": "Of the 4 alerts that it counts, 2 are events and 1 are sensors.",
        "th": "จากการแจ้งเตือน 4 รายการที่นับ เป็นเหตุการณ์จริง 2 และเป็นที่อุปกรณ์ 1",
    }
    assert [one["en"] for one in found.evidence[1:]] == [
        "Turbid water, Beach-0: an event (95%).",
        "Turbid water, Beach-1: an event (95%).",
        "Turbid water, Beach-2: the sensor, it is fouled (90%).",
        "Turbid water, Beach-3: unclear.",
    ]
    assert found.evidence[3]["th"] == "น้ำขุ่น หาดbeach-2: อุปกรณ์ มีคราบหรือเพรียงเกาะ (90%)"


def test_of_very_many_it_names_a_few() -> None:
    assert len(jointly(at_each(*[event()] * 40)).clues) == MOST_CLUES


def test_a_silent_gateway_is_unclear_and_says_that_it_is_not_the_place() -> None:
    found = worded(silent_gateway(3), ZONE)
    assert (found.kind, found.cause) == (VerdictKind.UNCLEAR, None)
    assert found.evidence == (
        {
            "en": "The gateway of 3 devices says nothing: its power or the network, not the place.",
            "th": "เกตเวย์ของอุปกรณ์ 3 ตัวไม่ส่งข้อมูล อาจเป็นที่ไฟเลี้ยงหรือเครือข่าย ไม่ใช่ที่พื้นที่",
        },
    )


@pytest.mark.parametrize(
    ("subject", "sites"),
    [
        pytest.param("city", {"patong", "kata", "rawai"}, id="the city"),
        pytest.param("district/south", {"kata", "rawai"}, id="a district"),
        pytest.param("site/kata", {"kata"}, id="a site"),
        pytest.param("rawai-1", {"rawai"}, id="a device"),
    ],
)
def test_it_counts_the_alerts_of_its_rules_at_its_place(subject: str, sites: set[str]) -> None:
    among = [
        *(at(site, None) for site in ("patong", "kata", "rawai")),
        at("kata", None, rule="another"),
        at("", None, subject=STORM),
    ]
    districts = {"patong": "west", "kata": "south", "rawai": "south"}
    assert {one.site for one in counted(subject, ["turbid"], among, districts)} == sites
