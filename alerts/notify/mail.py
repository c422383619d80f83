"""A notice as a mail: text that reads well, the same as HTML, pictures of the worst. Pure.

Everything in it comes from the parcel, so that a second try sends the very same mail.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import parseaddr
from hashlib import sha256
from zoneinfo import ZoneInfo

from alerts.notify import mail_page, words
from alerts.notify.addresses import is_address
from alerts.notify.charts import chart
from alerts.notify.mail_page import Card, Page
from alerts.notify.phrases import PHRASES
from alerts.speaking import Speaker, number
from core.alerts import Severity
from core.errors import ConfigError
from core.notices import Notice, NoticeReason, Parcel, Told
from core.times import from_micros

_IN_DETAIL = 3  # alerts that get a card, and a picture where there is one
_IN_LINES = 100  # more of them in HTML; programs cut a mail of more than 100 KB
_LONGEST_SUBJECT = 160
_AS_IT_IS = ("In-Reply-To", "List-Unsubscribe", "References")


class AsItIs(UnstructuredHeader, BaseHeader):
    """A header that programs read letter for letter: neither folded nor encoded when it is long."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> Policy:
    headers = HeaderRegistry()
    for name in _AS_IT_IS:
        headers.map_to_type(name, AsItIs)
    return SMTP.clone(header_factory=headers, cte_type="7bit")  # servers on the way may be old


_POLICY = _policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What all mails share. `public_url` is where people find Andaman, empty where they cannot;
    `unsubscribe` says by which URL a subscriber (id) leaves, empty for none.
    """

    sender: Address
    zone: ZoneInfo
    public_url: str = ""
    unsubscribe: Callable[[str], str] = lambda subscriber: ""  # noqa: ARG005


def sender_of(text: str) -> Address:
    """The sender of ANDAMAN_MAIL_FROM.

    >>> sender_of("Andaman <alerts@patong.example>").addr_spec
    'alerts@patong.example'

    Raises:
        ConfigError: it is none.
    """
    name, address = parseaddr(text)
    if not is_address(address) or not text.isprintable():
        words_ = "ANDAMAN_MAIL_FROM cannot be used; write Andaman <alerts@your.domain>"
        raise ConfigError([words_])
    return Address(name or "Andaman", addr_spec=address)


def write(parcel: Parcel, letterhead: Letterhead) -> EmailMessage:
    """The mail to the one recipient of `parcel`."""
    (recipient,) = parcel.recipients
    notice = parcel.notice
    speaker = Speaker(parcel.language, letterhead.zone)
    leave = letterhead.unsubscribe(recipient.subscriber) if recipient.subscriber else ""
    page, pictures = _page(parcel, letterhead, speaker, leave)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = letterhead.sender
    mail["To"] = Address(addr_spec=recipient.address)
    mail["Subject"] = page.title[:_LONGEST_SUBJECT]
    mail["Date"] = _moment(notice.made_at, letterhead.zone)
    domain = letterhead.sender.domain
    mail["Message-ID"] = f"<{parcel.id}@{domain}>"
    if notice.group:
        mail["In-Reply-To"] = mail["References"] = f"<{_thread(notice)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if words.firing(notice) and notice.severity is Severity.CRITICAL:
        mail["Importance"] = "high"
    if leave:
        mail["List-Unsubscribe"] = f"<{leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("\n".join(_text(page, notice, speaker)) + "\n")
    mail.add_alternative(mail_page.html(page, parcel.language), subtype="html")
    _, shown = mail.iter_parts()
    for cid, png in pictures:
        shown.add_related(png, "image", "png", cid=f"<{cid}>", disposition="inline")
    return mail


def _page(
    parcel: Parcel, letterhead: Letterhead, speaker: Speaker, leave: str
) -> tuple[Page, Sequence[tuple[str, bytes]]]:
    """What both forms of the mail say, and the pictures by their content ids."""
    notice = parcel.notice
    alerts = words.worst_first(notice.alerts)
    pictures = []
    cards = []
    for k, told in enumerate(alerts[:_IN_DETAIL]):
        png = chart(told, letterhead.zone)
        cid = f"{k}.{parcel.id}@{letterhead.sender.domain}" if png else ""
        if png:
            pictures.append((cid, png))
        cards.append(_card(told, notice, speaker, cid))
    if len(alerts) == 1:  # the title says it already
        cards = [replace(cards[0], standing="", what="")]
    rest = alerts[_IN_DETAIL:]
    lines = [_line(told, notice, speaker) for told in rest[:_IN_LINES]]
    more, left = len(rest), len(rest) - len(lines)
    going = len(words.firing(notice))
    confirms = notice.reason is NoticeReason.CONFIRM
    reached = "mail-asked" if leave else "mail-named"
    page = Page(
        title=_flat(words.title(notice, speaker)),
        colour=_colour(notice),
        why=_flat(words.why(notice, speaker)),
        counts=words.counts(notice, speaker) if 0 < going < len(alerts) else "",
        cards=cards,
        more=speaker.say(PHRASES["mail-more"], count=number(more)) if more else "",
        lines=lines,
        rest=speaker.say(PHRASES["mail-rest"], count=number(left)) if left else "",
        link=_link(notice, letterhead),
        link_words=speaker.say(PHRASES["mail-confirm" if confirms else "mail-all"]),
        as_of=speaker.say(PHRASES["mail-as-of"], time=speaker.time(notice.made_at)),
        reached=_flat(speaker.say(PHRASES[reached], receiver=notice.receiver)),
        leave=leave,
        leave_words=speaker.say(PHRASES["mail-stop"]),
    )
    return page, pictures


def _card(told: Told, notice: Notice, speaker: Speaker, cid: str) -> Card:
    return Card(
        colour=mail_page.colour(told),
        standing=_flat(words.standing(told, speaker)),
        what=_flat(words.what(told, speaker)),
        measure=_flat(words.measure(told, speaker)),
        verdict=_flat(words.verdict(told, speaker)),
        when=_flat(words.when(told, speaker, notice.made_at)),
        source=_flat(f"{_source(told)} · {told.rule}"),
        cid=cid,
    )


def _line(told: Told, notice: Notice, speaker: Speaker) -> str:
    return _flat(f"{words.line(told, speaker, notice.made_at)} · {_source(told)}")


def _source(told: Told) -> str:
    """What tells it from others of the same rule at the same place."""
    return told.device or told.subject


def _text(page: Page, notice: Notice, speaker: Speaker) -> Iterator[str]:
    """The plain form: it names every alert."""
    yield page.title
    yield ""
    yield from filter(None, (page.why, page.counts))
    for card in page.cards:
        yield ""
        if card.what:
            yield f"{card.standing}: {card.what}"
        indent = "  " if card.what else ""
        said = (card.measure, card.verdict, card.when, card.source)
        yield from (f"{indent}{line}" for line in said if line)
    if page.more:
        yield ""
        yield f"{page.more}:"
        for told in words.worst_first(notice.alerts)[_IN_DETAIL:]:
            yield f"* {_line(told, notice, speaker)}"
    if page.link:
        yield ""
        yield f"{page.link_words}: {page.link}"
    yield ""
    yield "-- "
    yield page.as_of
    yield page.reached
    if page.leave:
        yield f"{page.leave_words}: {page.leave}"


def _colour(notice: Notice) -> str:
    """Of the worst that goes on; of the all-clear, where nothing does."""
    alerts = words.worst_first(notice.alerts)
    return mail_page.colour(alerts[0]) if alerts else mail_page.CALM


def _link(notice: Notice, letterhead: Letterhead) -> str:
    base = letterhead.public_url.rstrip("/")
    if base and notice.reason is NoticeReason.CONFIRM:
        return f"{base}/public/confirm/{notice.token}"
    return f"{base}/n/{notice.token}" if base and notice.token and notice.alerts else ""


def _thread(notice: Notice) -> str:
    """What mail programs gather the mails of a group by; no mail has this id itself."""
    return f"group.{sha256(notice.group.encode()).hexdigest()[:32]}"


def _moment(at: int, zone: ZoneInfo) -> datetime:
    return from_micros(at).astimezone(zone)


def _flat(text: str) -> str:
    """In one line, of what can be printed: a name may hold anything, a header and a line may not.

    >>> _flat("Patong\\r\\nBcc: all@patong.example")
    'Patong Bcc: all@patong.example'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
