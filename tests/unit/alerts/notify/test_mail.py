"""Mails as their readers, and the programs on the way to them, see them."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from alerts.notify.mail import Letterhead, sender_of, write
from core.alerts import Reason, Severity, State
from core.errors import ConfigError
from core.languages import LANGUAGES, Language
from core.notices import Channel, Notice, NoticeReason, Recipient
from tests.notices import TURBID, notice, parcel, told

TO = "malee@patong.example"
LEAVE = "https://andaman.example/u/7d1f"
LETTERHEAD = Letterhead(
    sender=sender_of("Andaman <alerts@andaman.example>"),
    zone=ZoneInfo("Asia/Bangkok"),
    public_url="https://andaman.example",
    unsubscribe=lambda _: LEAVE,
)
OVER = told(state=State.RESOLVED, reason=Reason.BACK_IN_RANGE, value=12.0)
INJECTED = {"en": "Patong\r\nBcc: all@patong.example\n\n<b>&", "th": "ป่าตอง\r\nBcc: a@b.example"}


def mail(
    what: Notice | None = None, language: Language = "en", subscriber: str = ""
) -> EmailMessage:
    """As it arrives."""
    sent = parcel(Channel.EMAIL, TO, what, language)
    sent = replace(sent, recipients=(Recipient(TO, language, subscriber),))
    return message_from_bytes(write(sent, LETTERHEAD).as_bytes(), policy=default)


def text(of: EmailMessage) -> str:
    return body(of, "plain")


def body(of: EmailMessage, kind: str) -> str:
    part = of.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_the_plain_text_reads_well() -> None:
    assert text(mail(subscriber="s1")) == (
        "Warning: Turbid water, Patong Beach\n"
        "\n"
        "A new alert.\n"
        "\n"
        "Turbidity 44.6 NTU, above the limit of 25 NTU\n"
        "since 22 Nov 2026 13:44 (1 h 20 min)\n"
        "patong-probe-1 · turbid-water\n"
        "\n"
        "Show all details: https://andaman.example/n/kZ3\n"
        "\n"
        "-- \n"
        "As of 22 Nov 2026 15:04\n"
        "You get this because you asked Andaman to tell you.\n"
        f"Unsubscribe: {LEAVE}\n"
    )


def test_it_speaks_thai_with_the_years_of_the_buddhist_era() -> None:
    thai = mail(language="th")

    assert thai["Subject"] == "เตือน: น้ำทะเลขุ่นผิดปกติ หาดป่าตอง"
    assert "ความขุ่น 44.6 NTU สูงกว่าเกณฑ์ 25 NTU" in text(thai)
    assert "22 พ.ย. 2569 13:44 น." in text(thai)
    assert '<html lang="th">' in body(thai, "html")


def test_its_headers_say_who_sends_it_and_that_a_program_wrote_it() -> None:
    sent = mail()

    assert sent["From"] == "Andaman <alerts@andaman.example>"
    assert (sent["To"], sent["Subject"]) == (TO, "Warning: Turbid water, Patong Beach")
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["Date"].datetime.isoformat() == "2026-11-22T15:04:02+07:00"


def test_every_try_is_the_same_mail() -> None:
    assert mail()["Message-ID"] == "<5e1f0c1a-7c1d-4f52-9d4e-0a6a5c0b9f11@andaman.example>"
    again = replace(parcel(Channel.EMAIL, TO), attempt=7)
    first, second = write(parcel(Channel.EMAIL, TO), LETTERHEAD), write(again, LETTERHEAD)
    assert first.items()[:-1] == second.items()[:-1]  # the last names the parts' boundary
    assert body(first, "html") == body(second, "html")


def test_mails_of_a_group_are_one_thread_and_others_are_not() -> None:
    firing, over = mail(notice()), mail(notice(OVER, id="n2", reason=NoticeReason.RESOLVED))
    elsewhere = mail(notice(group='{}:{site="karon"}'))

    assert firing["References"] == over["References"] == over["In-Reply-To"]
    assert re.fullmatch(r"<group\.[0-9a-f]{32}@andaman\.example>", firing["References"])
    assert elsewhere["References"] != firing["References"]


def test_what_programs_read_is_never_folded_or_encoded() -> None:
    domain = "a-very-long-name-of-a-city-and-its-office-of-the-environment.phuket.example"
    leave = f"https://{domain}/u/s1f0c2b7e9a3d4586.AAAAAAAAAAAAAAAAAAAAAA"
    sender = sender_of(f"Andaman <alerts@{domain}>")
    letterhead = replace(LETTERHEAD, sender=sender, unsubscribe=lambda _: leave)
    sent = replace(parcel(Channel.EMAIL, TO), recipients=(Recipient(TO, "th", "s1"),))

    lines = write(sent, letterhead).as_bytes().decode().split("\r\n")

    assert f"List-Unsubscribe: <{leave}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    (thread,) = [line for line in lines if line.startswith("References: ")]
    assert thread.endswith(f"@{domain}>")


def test_a_subscriber_leaves_by_one_click() -> None:
    sent = mail(subscriber="s1")

    assert sent["List-Unsubscribe"] == f"<{LEAVE}>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f'href="{LEAVE}"' in body(sent, "html")


def test_who_never_subscribed_is_told_why_instead() -> None:
    sent = mail()

    assert sent["List-Unsubscribe"] is sent["List-Unsubscribe-Post"] is None
    assert "in the list “beaches”" in text(sent)
    assert LEAVE not in body(sent, "html")


def test_the_picture_is_inside_and_shown_in_its_place() -> None:
    sent = mail()

    (shown,) = re.findall(r'src="cid:([^"]+)"', body(sent, "html"))
    (picture,) = [part for part in sent.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == f"<{shown}>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content().startswith(b"\x89PNG")
    shape = [part.get_content_type() for part in sent.walk()]
    assert shape == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_puts_nothing_into_headers_lines_or_html(language: Language) -> None:
    evil = told(site_name=INJECTED, rule_name={"en": '"><script>\x00', "th": '"><script>\x1b'})
    sent = mail(notice(evil, told(alert="2", site_name=INJECTED)), language)

    assert sent["Bcc"] is None
    assert "\n" not in sent["Subject"]
    assert not re.search(r"^Bcc", text(sent), re.MULTILINE)
    html = body(sent, "html")
    assert "<script>" not in html
    assert "<b>&" not in html
    assert "\x00" not in html


def test_all_alerts_of_a_big_notice_are_named() -> None:
    storm = notice(
        *(told(alert=f"a-{k}", site_name={"en": f"Beach {k}.", "th": ""}) for k in range(5000))
    )
    sent = mail(storm)

    assert {int(k) for k in re.findall(r"Beach (\d+)\.", text(sent))} == set(range(5000))
    assert "4,897 more" in body(sent, "html")
    assert len(body(sent, "html").encode()) < 100_000  # programs cut what is longer
    assert max(map(len, sent.as_bytes().splitlines())) < 998


def test_the_worst_comes_first_and_rings_louder() -> None:
    critical = told(alert="2", severity=Severity.CRITICAL, site_name={"en": "Kata Beach"})
    sent = mail(notice(TURBID, critical))

    assert sent["Importance"] == "high"
    assert text(sent).index("water, Kata") < text(sent).index("water, Patong")
    assert mail()["Importance"] is None


def test_the_all_clear_says_from_when_to_when() -> None:
    sent = mail(notice(OVER, reason=NoticeReason.RESOLVED))

    assert sent["Subject"] == "All clear: Turbid water, Patong Beach"
    assert "from 22 Nov 2026 13:44 to 15:04 (1 h 20 min)" in text(sent)


@pytest.mark.parametrize("reason", [NoticeReason.TEST, NoticeReason.HEARTBEAT])
def test_a_mail_without_alerts_is_one_too(reason: NoticeReason) -> None:
    sent = mail(replace(notice(), alerts=(), reason=reason, group=""))

    assert sent["References"] is None
    assert "Show all" not in text(sent)


def test_a_mail_that_asks_for_confirmation_links_to_it() -> None:
    sent = mail(replace(notice(), alerts=(), reason=NoticeReason.CONFIRM, token="w0rd", group=""))

    assert sent["Subject"] == "Confirm that you want to be told"
    assert "Confirm: https://andaman.example/public/confirm/w0rd" in text(sent)


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param("", id="none"),
        pytest.param("Andaman", id="a name alone"),
        pytest.param("Andaman <alerts@patong>", id="no domain"),
        pytest.param("A\r\nBcc: b@c.example <alerts@andaman.example>", id="two lines"),
    ],
)
def test_it_refuses_a_sender_that_is_none(sender: str) -> None:
    with pytest.raises(ConfigError, match="ANDAMAN_MAIL_FROM"):
        sender_of(sender)
