"""`/v1/notices`: what people were told, and `/n/{token}`, the page to which a message leads."""

from html import escape
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy import Connection

from alerts.notify import words
from alerts.speaking import Speaker
from api.context import ApiContext, Context
from api.problems import ApiError
from api.shapes import (
    Answer,
    Asked,
    AskedPage,
    Id,
    Page,
    SeverityName,
    StateName,
    Time,
    cut,
    example,
    position_of,
)
from core.languages import LANGUAGES, Language
from core.notices import Notice
from core.times import iso
from storage import deliveries, queries
from storage.deliveries import NoticeRow

router = APIRouter(tags=["Notifications"])
pages = APIRouter(include_in_schema=False)

EXAMPLE = {
    "id": "5f0c9a52-6d8e-4a57-9a56-0f9b1c2d3e4f",
    "made_at": "2026-11-22T00:55:00Z",
    "reason": "first",
    "receiver": "everybody",
    "severity": "critical",
    "alerts": 1,
}
_TOLD = {
    "alert": "0b0f2f0e-6a57-5a3e-9c0c-5d5a5f0f4b11",
    "rule": "beach-turbid",
    "subject": "patong-probe-1/turbidity",
    "site": "patong-beach",
    "state": "firing",
    "severity": "critical",
    "reason": "held",
    "at": "2026-11-22T00:55:00Z",
    "value": 161.5,
}
_TEXT = {
    "th": "วิกฤต: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง",
    "en": "Critical: Turbid water, Patong Beach",
}

Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
NoticeReasonName = Literal[
    "first",
    "new-in-group",
    "severity-up",
    "resolved",
    "repeat",
    "escalation",
    "digest",
    "confirm",
    "test",
    "heartbeat",
]


class NoticeSummary(Answer):
    """What was told, without its alerts."""

    model_config = example(EXAMPLE)

    id: str
    made_at: Time
    reason: NoticeReasonName = Field(description="Why people were told then.")
    receiver: str = Field(description="In the words of notify.yaml.")
    severity: SeverityName
    alerts: int = Field(description="How many alerts it names.")


class Notices(Page[NoticeSummary]):
    """Notices, the newest first."""


class ToldAlert(Answer):
    """An alert as a notice told of it."""

    model_config = example(_TOLD)

    alert: str
    rule: str
    subject: str
    site: str
    state: StateName
    severity: SeverityName
    reason: str
    at: Time
    value: float


class Title(Answer):
    """One line, in both languages."""

    model_config = example(_TEXT)

    th: str
    en: str


class NoticeWhole(Answer):
    """What was told, with every alert."""

    model_config = example(
        EXAMPLE
        | {"alerts": [_TOLD], "title": _TEXT, "labels": {"site": "patong-beach"}, "level": ""}
    )

    id: str
    made_at: Time
    reason: NoticeReasonName
    receiver: str
    severity: SeverityName
    level: str = Field(description="Of escalation, where it is one.")
    labels: dict[str, str] = Field(description="What its alerts have in common.")
    title: Title
    alerts: list[ToldAlert] = Field(description="All of them, the worst first.")


class AskedNotices(AskedPage):
    """Which notices."""

    alert: Id | None = Field(None, description="Only those that tell of this alert.")


class AskedLanguage(Asked):
    """In which language."""

    language: Language = Field("th", description="th or en.")


@router.get("/notices")
def list_notices(context: Context, asked: Annotated[AskedNotices, Query()]) -> Notices:
    """What people were told."""
    position = position_of(asked.cursor, int, str)
    before = None if position is None else (position[0], position[1])
    with queries.snapshot(context.readers) as connection:
        found = deliveries.list_notices(
            connection, alert=asked.alert, before=before, limit=asked.limit + 1
        )
    rows, following = cut(found, asked.limit, lambda row: (row.made_at, row.id))
    return Notices(items=[_summary(row) for row in rows], next=following)


@router.get("/notices/{notice}")
def get_notice(context: Context, notice: Id) -> NoticeWhole:
    """One notice with every alert that it names."""
    with queries.snapshot(context.readers) as connection:
        found = deliveries.notice(connection, identifier=notice)
    if found is None:
        raise ApiError("not-found", "There is no notice with this id; /v1/notices lists them.")
    return NoticeWhole.model_validate(
        {
            "id": found.id,
            "made_at": iso(found.made_at),
            "reason": found.reason.value,
            "receiver": found.receiver,
            "severity": found.severity.label,
            "level": found.level,
            "labels": dict(found.labels),
            "title": {lang: words.title(found, Speaker(lang, context.zone)) for lang in LANGUAGES},
            "alerts": [
                {
                    "alert": told.alert,
                    "rule": told.rule,
                    "subject": told.subject,
                    "site": told.site,
                    "state": told.state.value,
                    "severity": told.severity.label,
                    "reason": told.reason.value,
                    "at": iso(told.at),
                    "value": told.value,
                }
                for told in found.alerts
            ],
        }
    )


@pages.get("/n/{token}", response_class=HTMLResponse)
def notice_page(
    context: Context, token: Token, asked: Annotated[AskedLanguage, Query()]
) -> HTMLResponse:
    """What a message tells, with every alert, for whoever has its link."""
    with queries.snapshot(context.readers) as connection:
        found = deliveries.notice(connection, token=token)
    if found is None:
        raise ApiError("not-found", "There is no such page.")
    headers = {"Content-Security-Policy": _POLICY, "X-Robots-Tag": "noindex"}
    return HTMLResponse(_page(context, found, asked.language), headers=headers)


def notices_of(connection: Connection, alert: str, most: int) -> list[NoticeSummary]:
    """What people were told of an alert, the newest first."""
    rows = deliveries.list_notices(connection, alert=alert, before=None, limit=most)
    return [_summary(row) for row in rows]


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = "body{font-family:sans-serif;max-width:44em;margin:1em auto;padding:0 1em;line-height:1.5}"
_OTHER = {"th": ("en", "English"), "en": ("th", "ภาษาไทย")}


def _page(context: ApiContext, notice: Notice, language: Language) -> str:
    speaker = Speaker(language, context.zone)
    other, name = _OTHER[language]
    title = escape(words.title(notice, speaker))
    lines = "\n".join(
        f"<li>{escape(words.line(told, speaker, notice.made_at))}</li>" for told in notice.alerts
    )
    said = f"{escape(words.why(notice, speaker))} {escape(speaker.time(notice.made_at))}"
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        f'<p><a href="?language={other}" hreflang="{other}">{name}</a></p>\n'
        f"<h1>{title}</h1>\n<p>{said}</p>\n<ol>\n{lines}\n</ol>\n</body></html>\n"
    )


def _summary(row: NoticeRow) -> NoticeSummary:
    return NoticeSummary.model_validate(
        {
            "id": row.id,
            "made_at": iso(row.made_at),
            "reason": row.reason.value,
            "receiver": row.receiver,
            "severity": row.severity.label,
            "alerts": row.alerts,
        }
    )
