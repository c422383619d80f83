"""Alerts, notices and parcels to tell of: Patong's water is turbid since 13:44, seen at 15:04."""

from dataclasses import replace
from typing import Any

from core.alerts import Reason, Severity, State
from core.languages import Language
from core.notices import Channel, Notice, NoticeReason, Parcel, Recipient, Told
from core.readings import Flag
from core.surroundings import Reading
from core.times import MINUTE, SECOND

AT = 1_795_334_640 * SECOND  # 2026-11-22 15:04 in Bangkok

TURBID = Told(
    alert="turbid-water.patong-probe-1.1",
    rule="turbid-water",
    version="3",
    rule_name={"en": "Turbid water", "th": "น้ำทะเลขุ่นผิดปกติ"},
    state=State.FIRING,
    severity=Severity.WARNING,
    reason=Reason.HELD,
    at=AT,
    since=AT - 80 * MINUTE,
    subject="patong-probe-1",
    value=44.6,
    kind_of_rule="threshold",
    level=25.0,
    side="above",
    unit="[NTU]",
    site="patong",
    site_name={"en": "Patong Beach", "th": "หาดป่าตอง"},
    kind="beach",
    district="Kathu",
    device="patong-probe-1",
    parameter="turbidity",
    parameter_name={"en": "Turbidity", "th": "ความขุ่น"},
    recent=tuple(
        Reading(AT - (60 - k) * 5 * MINUTE, 5.0 + max(0, k - 40) * 2, Flag.GOOD) for k in range(61)
    ),
)


def told(**changes: Any) -> Told:
    """That alert, with changes."""
    return replace(TURBID, **changes)


def notice(*alerts: Told, **changes: Any) -> Notice:
    """The first that is told of it."""
    made = Notice(
        id="0f0e0d0c-0b0a-4908-8706-050403020100",
        reason=NoticeReason.FIRST,
        receiver="beaches",
        group='{}:{site="patong"}',
        labels={"site": "patong"},
        made_at=AT + 2 * SECOND,
        alerts=alerts or (TURBID,),
        token="kZ3",
    )
    return replace(made, **changes)


def parcel(
    channel: Channel, address: str, what: Notice | None = None, language: Language = "en"
) -> Parcel:
    """That notice on its way to somebody, for the first time."""
    return Parcel(
        id="5e1f0c1a-7c1d-4f52-9d4e-0a6a5c0b9f11",
        channel=channel,
        language=language,
        recipients=(Recipient(address, language),),
        notice=what or notice(),
        attempt=1,
        first_tried_at=AT + 3 * SECOND,
    )
