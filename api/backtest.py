"""`/v1/rules/backtest`: what rules would have done over the stored history."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from alerts.backtest import Agreement, Label, Report
from api.context import Context
from api.problems import ApiError, bad_parameter
from api.shapes import MOST, Answer, Asked, AskedMoment, Time, example
from core.errors import BusyError, RegistryError
from core.times import DAY, SECOND, iso

router = APIRouter(tags=["Rules"])

LONGEST = 366 * DAY
_LABEL = {"subject": "patong-probe-1", "start": "2026-11-20T02:00Z", "end": "2026-11-20T09:00Z"}
_ASKED = {
    "from": "2026-10-22",
    "to": "2026-11-22",
    "rules": [
        {
            "id": "turbid-30",
            "kind": "threshold",
            "name": {"en": "Turbid", "th": "ขุ่น"},
            "parameter": "turbidity",
            "above": {"warning": 30},
            "for": "10m",
        }
    ],
    "labels": [_LABEL],
}
_AGREES = {
    "labels": 4,
    "right": 3,
    "found": 3,
    "precision": 0.6,
    "recall": 0.75,
    "delay_seconds": 600.0,
}
_REPORT = {
    "rule": "turbid-30",
    "firings": 5,
    "open": 0,
    "per_week": 1.1,
    "median_seconds": 2400.0,
    "longest_seconds": 25200.0,
    "agreement": _AGREES,
}
_FIRING = {
    "rule": "turbid-30",
    "subject": "patong-probe-1/turbidity",
    "start": "2026-11-20T02:10:00Z",
    "end": "2026-11-20T09:00:00Z",
    "open": False,
}


class AskedLabel(Asked):
    """Something that was truly wrong; left out, `rule` and `subject` are any. A subject may be a
    device alone.
    """

    rule: str = ""
    subject: str = ""
    start: AskedMoment
    end: AskedMoment


class AskedBacktest(Asked):
    """Which rules over which readings; without `rules` those that are in force."""

    model_config = Asked.model_config | example(_ASKED)

    since: AskedMoment = Field(alias="from")
    until: AskedMoment = Field(alias="to")
    rules: list[dict[str, Any]] = Field(default_factory=list, max_length=100)
    labels: list[AskedLabel] | None = Field(None, max_length=10_000)


class AgreementAnswer(Answer):
    """How firings agree with labels."""

    model_config = example(_AGREES)

    labels: int
    right: int = Field(description="Firings that meet a label.")
    found: int = Field(description="Labels that meet a firing.")
    precision: float | None = Field(description="Share of firings that are right.")
    recall: float | None = Field(description="Share of labels that are found.")
    delay_seconds: float | None = Field(description="Median, from a label's start to the firing.")


class RuleReport(Answer):
    """What one rule would have done."""

    model_config = example(_REPORT)

    rule: str
    firings: int
    open: int = Field(description="Those that were open at the end.")
    per_week: float
    median_seconds: float
    longest_seconds: float
    agreement: AgreementAnswer | None


class FiringAnswer(Answer):
    """One alert, while it would have fired."""

    model_config = example(_FIRING)

    rule: str
    subject: str
    start: Time
    end: Time
    open: bool


class BacktestAnswer(Answer):
    """What came of it; of the firings the last thousand, the newest first."""

    model_config = example({"readings": 8928, "reports": [_REPORT], "firings": [_FIRING]})

    readings: int
    reports: list[RuleReport]
    firings: list[FiringAnswer]


@router.post("/rules/backtest")
def backtest(context: Context, asked: AskedBacktest) -> BacktestAnswer:
    """Judge the stored readings by rules, beside what runs; nothing is stored. One at a time."""
    if asked.until <= asked.since:
        raise bad_parameter("to", "should be after from")
    if asked.until - asked.since > LONGEST:
        raise bad_parameter("to", "should be at most 366 days after from")
    labels = None
    if asked.labels is not None:
        labels = [Label(one.rule, one.subject, one.start, one.end) for one in asked.labels]
    try:
        found = context.backtest(asked.rules, asked.since, asked.until, labels)
    except RegistryError as error:
        raise ApiError(error.kind, str(error), field=error.field) from error
    except BusyError as error:
        raise ApiError("conflict", str(error)) from error
    firings = [
        FiringAnswer(
            rule=one.rule,
            subject=one.subject,
            start=iso(one.start),
            end=iso(one.end),
            open=one.open,
        )
        for one in found.firings[-MOST:][::-1]
    ]
    return BacktestAnswer(
        readings=found.readings, reports=[_report(one) for one in found.reports], firings=firings
    )


def _report(one: Report) -> RuleReport:
    return RuleReport(
        rule=one.rule,
        firings=one.firings,
        open=one.open,
        per_week=one.per_week,
        median_seconds=one.median / SECOND,
        longest_seconds=one.longest / SECOND,
        agreement=_agreement(one.agreement) if one.agreement else None,
    )


def _agreement(one: Agreement) -> AgreementAnswer:
    return AgreementAnswer(
        labels=one.labels,
        right=one.right,
        found=one.found,
        precision=one.precision,
        recall=one.recall,
        delay_seconds=None if one.delay is None else one.delay / SECOND,
    )
