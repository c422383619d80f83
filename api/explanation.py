"""Why an alert is there: the facts, and what they come to in Thai and English."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import Field
from sqlalchemy import Connection

from alerts.anomaly import layout
from alerts.anomaly.outlook import Outlook, outlook
from alerts.baselines import BASELINE, LATELY
from alerts.explanation import Facts, RuleFacts, explain
from alerts.kinds.neighbours import Parting, parting
from alerts.neighbourhood import APART
from api.context import ApiContext
from api.shapes import Answer, Names, SeverityName, Time, example
from core.alerts import State, device_and_parameter
from core.surroundings import Nearby, Reading, Surroundings
from core.times import HOUR, iso
from storage import surroundings
from storage.queries import AlertRow

POINTS = 48  # of the small series
DAYS_BEFORE = 7  # whose same hour is looked at

_POINT = {"measured_at": "2026-11-22T00:55:00Z", "value": 61.5, "flag": 1}
_NEARBY = {
    "site": {"en": "Karon Beach", "th": "หาดกะรน"},
    "device": "karon-probe-1",
    "km": 5.2,
    "measured_at": "2026-11-22T00:55:00Z",
    "value": 4.1,
    "flag": 1,
}
_WORK = {"device": "patong-probe-1", "work": "cleaning", "start": "2026-11-22T00:30:00Z"}
_OTHER = {
    "alert": "4d1b7a1c-51b1-5c3e-8a53-6f3c2f0a9b77",
    "rule": "beach-oxygen-low",
    "site": {"en": "Patong Beach", "th": "หาดป่าตอง"},
    "severity": "warning",
    "since": "2026-11-22T00:40:00Z",
}
_STANDARD = {
    "id": "th-sea-class4-oxygen",
    "title": {"en": "Dissolved oxygen, at least", "th": "ออกซิเจนละลาย ไม่น้อยกว่า"},
    "value": 4.0,
    "source": "Marine water quality standard (Pollution Control Department)",
    "date": "2017",
}
_EXPECTED = {
    "low": 2.1,
    "high": 9.4,
    "symptom": "leap",
    "confidence": 0.83,
    "before": [_POINT],
}
EXAMPLE: dict[str, Any] = {
    "text": {
        "en": "Turbid water: warning, firing.\nIt began at 22 Nov 2026 07:50 and has lasted 1 h.",
        "th": "น้ำทะเลขุ่น: ระดับเตือน สถานะกำลังแจ้งเตือน\nเริ่มเมื่อ 22 พ.ย. 2569 07:50 น. นานมาแล้ว 1 ชม.",
    },
    "recent": [_POINT],
    "expected": _EXPECTED,
    "neighbours": [_NEARBY],
    "rain": [],
    "works": [_WORK],
    "alerts": [_OTHER],
    "standards": [_STANDARD],
    "links": {"device": "/v1/devices/patong-probe-1", "site": "/v1/sites/patong-beach"},
}


class RecentReading(Answer):
    """One reading of the alert's own series."""

    model_config = example(_POINT)

    measured_at: Time
    value: float
    flag: int


class NearbyReading(Answer):
    """The newest reading of a device nearby."""

    model_config = example(_NEARBY)

    site: Names
    device: str
    km: float
    measured_at: Time
    value: float
    flag: int


class WorkNearby(Answer):
    """An entry of the service log."""

    model_config = example(_WORK)

    device: str
    work: str
    start: Time


class OtherAlert(Answer):
    """Another alert nearby, at the same time or in the hour before."""

    model_config = example(_OTHER)

    alert: str
    rule: str
    site: Names
    severity: SeverityName
    since: Time


class Standard(Answer):
    """The limit of a law or regulation that the rule goes by."""

    model_config = example(_STANDARD)

    id: str
    title: Names
    value: float
    source: str
    date: str = Field(description="In force since: the day, or the year alone.")


class Expected(Answer):
    """What is usual of the series, where the rule goes by that."""

    model_config = example(_EXPECTED)

    low: float
    high: float
    symptom: str = Field(description="What is unusual: leap, place, shift, drift, and so on.")
    confidence: float = Field(description="How well the series is known, 0 to 1.")
    before: list[RecentReading] = Field(description="At this hour of the seven days before.")


class Explanation(Answer):
    """Why the alert is there."""

    model_config = example(EXAMPLE)

    text: Names = Field(description="A sentence a line.")
    recent: list[RecentReading] = Field(description="The last six hours, thinned to 48 points.")
    expected: Expected | None = Field(None, description="Of rules of kind `anomaly`.")
    neighbours: list[NearbyReading] = Field(description="Of the same parameter within 10 km.")
    rain: list[NearbyReading] = Field(description="Where it rains within 10 km.")
    works: list[WorkNearby] = Field(description="On devices of the site, of late.")
    alerts: list[OtherAlert] = Field(description="Within 10 km.")
    standards: list[Standard]
    links: dict[str, str] = Field(description="Addresses with more about it.")


def explanation(context: ApiContext, connection: Connection, row: AlertRow) -> Explanation:
    """Gather what is known about an alert, and say it."""
    until = row.resolved_at or context.clock()
    around = surroundings.surroundings(connection, row, until)
    recent = surroundings.recent(connection, row, until, points=POINTS)
    facts = _facts(context, row, around, recent, until)
    if facts.about.clock is not None:
        before = surroundings.hours_before(connection, row, until, days=DAYS_BEFORE)
        facts = replace(facts, outlook=_outlook(connection, facts), before=before)
    if facts.about.kind == "neighbours":
        facts = replace(facts, parting=_parting(connection, facts))
    return Explanation.model_validate(
        {
            "text": explain(facts),
            "recent": [
                {"measured_at": iso(r.at), "value": r.value, "flag": r.flag} for r in recent
            ],
            "expected": _expected(facts),
            "neighbours": [_nearby(near) for near in around.neighbours],
            "rain": [_nearby(near) for near in around.rain],
            "works": [
                {"device": w.device, "work": w.work.value, "start": iso(w.start)}
                for w in around.works
            ],
            "alerts": [
                {
                    "alert": other.alert,
                    "rule": other.rule,
                    "site": dict(other.site),
                    "severity": other.severity.label,
                    "since": iso(other.since),
                }
                for other in around.others
            ],
            "standards": [
                limit.model_dump(include={"id", "title", "value", "source", "date"})
                for limit in facts.about.standards
            ],
            "links": _links(row, until),
        }
    )


def _facts(
    context: ApiContext,
    row: AlertRow,
    around: Surroundings,
    recent: Sequence[Reading],
    until: int,
) -> Facts:
    device, parameter = device_and_parameter(row.subject)
    known = context.catalogue.get(parameter)
    name = {"en": row.rule, "th": row.rule}
    return Facts(
        rule=row.rule,
        version=row.version,
        about=_about(context.rules().get(row.rule) or RuleFacts(name=name), row),
        subject=row.subject,
        device=device,
        site=around.site or {},
        parameter=known.label if known else {},
        unit=context.unit_of(parameter),
        state=State(row.state),
        severity=row.severity,
        value=row.value,
        since=row.started_at,
        until=until,
        zone=context.zone,
        **_limits(row.evidence),
        recent=recent,
        around=replace(around, rain_unit=context.unit_of("rain")),
        verdict=row.verdict,
        rules={rule: about.name for rule, about in context.rules().items()},
    )


def _about(rule: RuleFacts, row: AlertRow) -> RuleFacts:
    """The rule with the standards that stand behind the level of this alert, and no other."""
    level = row.evidence.get("level")
    return replace(rule, standards=[limit for limit in rule.standards if limit.value == level])


def _limits(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the evidence says of limits, where it says it whole."""
    names = ("side", "level", "clear")
    return {name: evidence[name] for name in names} if evidence.keys() >= set(names) else {}


def _outlook(connection: Connection, facts: Facts) -> Outlook | None:
    """What is expected of the series by what is known of it now, at its newest reading."""
    text = surroundings.learned(connection, BASELINE.id, facts.subject)
    if not text or not facts.recent or facts.about.clock is None or facts.level is None:
        return None
    parameter, newest = device_and_parameter(facts.subject)[1], facts.recent[-1]
    recent = surroundings.learned(connection, LATELY.id, facts.subject) or []
    known, last = layout.read(text), (newest.at, newest.value)
    return outlook(known, recent, parameter, facts.about.clock, last, abs(facts.level))


def _parting(connection: Connection, facts: Facts) -> Parting | None:
    """How the series has left its neighbours, by what is known of it now."""
    known = surroundings.learned(connection, APART.id, facts.subject)
    parameter = device_and_parameter(facts.subject)[1]
    return parting(parameter, known) if known else None


def _expected(facts: Facts) -> dict[str, Any] | None:
    found = facts.outlook
    if found is None:
        return None
    return {
        "low": found.low,
        "high": found.high,
        "symptom": found.symptom.name.lower(),
        "confidence": round(found.confidence, 2),
        "before": [
            {"measured_at": iso(r.at), "value": r.value, "flag": r.flag} for r in facts.before
        ],
    }


def _nearby(near: Nearby) -> dict[str, Any]:
    return {
        "site": dict(near.site),
        "device": near.device,
        "km": round(near.km, 1),
        "measured_at": iso(near.at),
        "value": near.value,
        "flag": near.flag,
    }


def _links(row: AlertRow, until: int) -> dict[str, str]:
    """Where there is more about it."""
    device, parameter = map(quote, device_and_parameter(row.subject))
    links = {"rule_alerts": f"/v1/alerts?rule={row.rule}"}
    if device:
        links["device"] = f"/v1/devices/{device}"
    if parameter:
        start, end = (iso(at) for at in (row.started_at - HOUR, until))
        links["series"] = f"/v1/series/{device}/{parameter}?start={start}&end={end}"
    if row.site:
        links["site"] = f"/v1/sites/{row.site}"
        links["site_alerts"] = f"/v1/alerts?site={row.site}"
    return links
