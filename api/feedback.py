"""What officers found alerts to have been, and what that says of the rules."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from alerts import feedback
from alerts.backtest import Firing
from alerts.feedback import Month, Suggestion, Tried
from api.alerts import Alert, present
from api.auth import Caller
from api.context import ApiContext, Context, patiently
from api.problems import ApiError, bad_parameter
from api.shapes import Answer, Asked, AskedMoment, Id, Names, Page, example
from core.errors import BusyError, RegistryError
from core.times import DAY
from core.verdicts import Label
from storage import alert_labels, queries
from storage.alert_labels import Labelled

router = APIRouter(tags=["Feedback"])

LONGEST = 366 * DAY
_MONTH = {
    "rule": "beach-turbid",
    "month": "2026-11",
    "alerts": 14,
    "true": 8,
    "false": 2,
    "sensor": 1,
    "test": 1,
    "unlabelled": 2,
    "precision": 0.727,
}
_NOW = {"firings": 14, "true": 8, "wrong": 3}
_SUGGESTION: dict[str, Any] = {
    "rule": "beach-turbid",
    "true": 8,
    "wrong": 3,
    "now": _NOW,
    "change": {"above": {"warning": 27.0, "critical": 100.0}},
    "then": {"firings": 11, "true": 8, "wrong": 1},
    "text": {
        "en": "With above: {warning: 27.0, critical: 100.0} it would have fired in vain 1 times "
        "instead of 3, and for 8 of the 8 true alerts.",
        "th": "หากใช้ above: {warning: 27.0, critical: 100.0} จะแจ้งผิด 1 ครั้งแทน 3 ครั้ง "
        "และยังแจ้งถูกต้อง 8 จาก 8 ครั้ง",
    },
}


class AskedLabel(Asked):
    """What the alert was: as it said (`true`), nothing (`false`), the `sensor`, or a `test`."""

    model_config = Asked.model_config | example({"label": "sensor", "note": "weed on the lens"})

    label: Label
    note: str = Field("", max_length=500)


class MonthAnswer(Answer):
    """A rule in a month of the city's calendar."""

    model_config = example(_MONTH)

    rule: str
    month: str
    alerts: int = Field(description="That fired and began then.")
    true: int
    false: int
    sensor: int
    test: int
    unlabelled: int
    precision: float | None = Field(
        description="True ones among true, false and sensor; null where there are none."
    )


class Precision(Page[MonthAnswer]):
    """How right each rule was, the newest month first."""


class AskedSpan(Asked):
    """Which alerts, by when they began; left out, those of the last 366 days."""

    since: AskedMoment | None = Field(None, alias="from", description="From then on.")
    until: AskedMoment | None = Field(None, alias="to", description="Up to, not with, that time.")


class AskedPrecision(AskedSpan):
    """Which alerts: by when they began, and of which rule."""

    rule: Id | None = Field(None, description="Only of this rule.")


class AskedSuggestion(AskedSpan):
    """Over which time."""

    model_config = Asked.model_config | example({"from": "2026-08-22", "to": "2026-11-22"})


class TriedAnswer(Answer):
    """What a rule does over the stored readings."""

    model_config = example(_NOW)

    firings: int
    true: int = Field(description="Alerts found true that it would have been.")
    wrong: int = Field(description="The same of those found false or the sensor's.")


class SuggestionAnswer(Answer):
    """What would make the rule better; nothing is changed."""

    model_config = example(_SUGGESTION)

    rule: str
    true: int = Field(description="Labels.")
    wrong: int
    now: TriedAnswer | None = Field(description="The rule as it is; null where labels are few.")
    change: dict[str, Any] | None = Field(description="Keys of the rule as they might be.")
    then: TriedAnswer | None = Field(description="The rule with that change.")
    text: Names


@router.post("/alerts/{alert}/label")
async def label_alert(context: Context, alert: Id, asked: AskedLabel, request: Request) -> Alert:
    """Say what it was, also when it is over; the last word counts."""
    caller: Caller = request.state.caller
    what = Labelled(asked.label, caller.owner, context.clock(), asked.note)
    change = context.write(lambda ledger: alert_labels.label(ledger, alert, what, key=caller.key))
    if not await patiently(context, change):
        raise ApiError("not-found", "There is no alert with this id; /v1/alerts lists them.")
    return present(context, alert)


@router.get("/precision")
def get_precision(context: Context, asked: Annotated[AskedPrecision, Query()]) -> Precision:
    """How right each rule was in each month, by what officers found."""
    start, end = _span(context, asked)
    with queries.snapshot(context.readers) as connection:
        found = alert_labels.found(connection, start, end, rule=asked.rule)
    return Precision(items=[_month(one) for one in feedback.months(found, context.zone)], next=None)


@router.post("/rules/{rule}/suggest")
def suggest_change(context: Context, rule: Id, asked: AskedSuggestion) -> SuggestionAnswer:
    """Try changes of a rule over the stored readings, and tell of the best that loses no true
    alert.
    """
    start, end = _span(context, asked)
    listed = context.book().listed.get(rule)
    if listed is None or not listed.meaning:
        raise ApiError("not-found", "No rule in force has this id; /v1/rules lists them.")
    with queries.snapshot(context.readers) as connection:
        found = alert_labels.found(connection, start, end, rule=rule)
    body, limits = json.loads(listed.meaning)["rule"], context.book().limits.values()
    own = [limit for limit in limits if limit.parameter == body.get("parameter")]

    def backtest(bodies: Sequence[Mapping[str, Any]]) -> Sequence[Firing]:
        return context.backtest(bodies, start, end, None).firings

    try:
        suggestion = feedback.suggest(rule, body, found, own, backtest)
    except RegistryError as error:
        raise ApiError(error.kind, str(error), field=error.field) from error
    except BusyError as error:
        raise ApiError("conflict", str(error)) from error
    return _suggestion(suggestion)


def _span(context: ApiContext, asked: AskedSpan) -> tuple[int, int]:
    end = context.clock() if asked.until is None else asked.until
    start = end - LONGEST if asked.since is None else asked.since
    if not 0 < end - start <= LONGEST:
        raise bad_parameter("to", "should be after from, at most 366 days")
    return start, end


def _month(one: Month) -> MonthAnswer:
    counts = {label.value: one.labels[label] for label in Label}
    precision = None if one.precision is None else round(one.precision, 3)
    rest = one.alerts - sum(counts.values())
    return MonthAnswer(
        rule=one.rule,
        month=one.month,
        alerts=one.alerts,
        unlabelled=rest,
        precision=precision,
        **counts,
    )


def _suggestion(one: Suggestion) -> SuggestionAnswer:
    return SuggestionAnswer(
        rule=one.rule,
        true=one.true,
        wrong=one.wrong,
        now=_tried(one.now),
        change=None if one.change is None else dict(one.change),
        then=_tried(one.then),
        text=Names(en=one.said("en"), th=one.said("th")),
    )


def _tried(tried: Tried | None) -> TriedAnswer | None:
    return None if tried is None else TriedAnswer(**tried._asdict())
