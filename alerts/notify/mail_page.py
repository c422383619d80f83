"""The HTML of a mail. Pure.

Mail programs know tables and inline styles, and little else; so this is what it is made of.
Everything that comes from outside passes `escape`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from core.alerts import Severity, State
from core.languages import Language
from core.notices import Told

CALM = "#1f6f8b"
_OVER = "#2e7d4f"
_COLOURS = {Severity.INFO: "#2b6cb0", Severity.WARNING: "#b86e00", Severity.CRITICAL: "#c02626"}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans Thai',Thonburi,sans-serif"
_WIDE = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One alert in detail; `cid` names its picture, empty where there is none. `standing` and
    `what` are empty where the title says them, `verdict` where there is none.
    """

    colour: str
    standing: str
    what: str
    measure: str
    verdict: str
    when: str
    source: str
    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that a mail says, in its language; what is empty is left out."""

    title: str
    colour: str
    why: str
    counts: str
    cards: Sequence[Card]
    more: str
    lines: Sequence[str]
    rest: str
    link: str
    link_words: str
    as_of: str
    reached: str
    leave: str
    leave_words: str


def colour(told: Told) -> str:
    """Of an alert, as it stands."""
    return _OVER if told.state is State.RESOLVED else _COLOURS[told.severity]


def html(page: Page, language: Language) -> str:
    """The whole document."""
    return "\n".join(_document(page, language))


def _document(page: Page, language: Language) -> Iterator[str]:
    yield f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light">'
    yield f"<title>{escape(page.title)}</title></head>"
    yield '<body style="margin:0;padding:0;background:#eef2f4">'
    yield f'<table {_WIDE} style="background:#eef2f4"><tr><td align="center" '
    yield 'style="padding:24px 12px">'
    yield '<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" '
    yield f'style="width:100%;max-width:600px;background:#ffffff;{_FONT};color:#1c2b33">'
    yield _row(f'<div style="height:6px;background:{page.colour}"></div>', "0")
    yield _row(_head(page), "22px 24px 6px")
    for card in page.cards:
        yield _row(_card(card), "10px 24px")
    if page.more:
        yield _row(_list(page), "8px 24px")
    if page.link:
        yield _row(_button(page), "12px 24px 4px")
    yield _row(_foot(page), "20px 24px 24px")
    yield "</table></td></tr></table></body></html>"


def _row(inside: str, padding: str) -> str:
    return f'<tr><td style="padding:{padding}">{inside}</td></tr>'


def _line(text: str, style: str) -> str:
    return f'<div style="{style}">{escape(text)}</div>' if text else ""


def _head(page: Page) -> str:
    return (
        f'<h1 style="margin:0;font-size:22px;line-height:30px;font-weight:700">'
        f"{escape(page.title)}</h1>"
        + _line(page.why, "margin-top:6px;font-size:15px;line-height:23px;color:#44545d")
        + _line(page.counts, "font-size:15px;line-height:23px;color:#44545d")
    )


def _card(card: Card) -> str:
    picture = ""
    if card.cid:
        picture = (
            f'<img src="cid:{escape(card.cid)}" width="528" alt="{escape(card.measure)}" '
            'style="display:block;width:100%;max-width:528px;height:auto;margin-top:10px;border:0">'
        )
    bar = f"border-left:4px solid {card.colour};padding:2px 0 2px 12px"
    return (
        f'<table {_WIDE}><tr><td style="{bar}">'
        + _line(card.standing, f"font-size:13px;font-weight:700;color:{card.colour}")
        + _line(card.what, "font-size:17px;line-height:26px;font-weight:600")
        + _line(card.measure, "font-size:16px;line-height:24px")
        + _line(card.verdict, "font-size:14px;line-height:22px")
        + _line(card.when, "font-size:14px;line-height:22px;color:#44545d")
        + _line(card.source, "font-size:12px;line-height:18px;color:#71808a")
        + f"</td></tr></table>{picture}"
    )


def _list(page: Page) -> str:
    items = "".join(
        f'<li style="margin:0 0 6px;padding:0">{escape(line)}</li>' for line in page.lines
    )
    return (
        _line(page.more, "font-size:15px;font-weight:600;margin-bottom:6px")
        + f'<ul style="margin:0;padding:0 0 0 20px;font-size:14px;line-height:21px">{items}</ul>'
        + _line(page.rest, "font-size:14px;line-height:21px;color:#44545d")
    )


def _button(page: Page) -> str:
    style = "display:inline-block;padding:11px 20px;background:#1f6f8b;color:#ffffff;"
    style += "font-size:15px;font-weight:600;text-decoration:none;border-radius:4px"
    return f'<a href="{escape(page.link)}" style="{style}">{escape(page.link_words)}</a>'


def _foot(page: Page) -> str:
    leave = ""
    if page.leave:
        href, style = escape(page.leave), "color:#44545d"
        leave = f'<div><a href="{href}" style="{style}">{escape(page.leave_words)}</a></div>'
    return (
        '<div style="border-top:1px solid #dfe5e8;padding-top:14px;font-size:12px;'
        f'line-height:19px;color:#71808a">{_line(page.as_of, "")}{_line(page.reached, "")}{leave}'
        "</div>"
    )
