"""Which addresses are gone, by what servers and their reports say."""

import pytest

from alerts.notify.bounces import Bounce, bounces, gone
from simulators.stand_ins.smtp import Mail, bounce

MAIL = Mail(
    at=1,
    sender="alerts@andaman.example",
    recipients=("gone@patong.example",),
    user="",
    tls=True,
    answered=True,
    text="Message-ID: <1@andaman.example>\r\nSubject: x\r\n\r\ny",
)


@pytest.mark.parametrize(
    ("words", "is_gone"),
    [
        pytest.param("550 5.1.1 <a@b.example>: User unknown", True, id="unknown"),
        pytest.param("550 5.1.2 Host unknown", True, id="no such domain"),
        pytest.param("553 5.1.3 bad address syntax", True, id="syntax"),
        pytest.param("550 no such user here", True, id="an old server"),
        pytest.param("552 5.2.2 Mailbox full", False, id="full"),
        pytest.param("550 5.7.1 Message looks like spam", False, id="they do not like it"),
        pytest.param("550-5.7.26 not authenticated", False, id="DMARC"),
        pytest.param("554 5.7.1 Relay access denied", False, id="not for us"),
        pytest.param("452 4.2.2 Mailbox full", False, id="full, for now"),
        pytest.param("450 4.1.1 try later", False, id="unknown, for now"),
        pytest.param("that is no mail address", False, id="our own words"),
    ],
)
def test_an_address_is_gone_when_its_server_says_just_that(words: str, is_gone: bool) -> None:
    assert gone(words) == is_gone


def test_it_reads_who_could_not_be_reached() -> None:
    report = bounce(MAIL, "gone@patong.example")

    assert bounces(report) == [Bounce("gone@patong.example", "550 5.1.1 User unknown")]


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(bounce(MAIL, "full@patong.example", "5.2.2"), id="a full mailbox"),
        pytest.param(MAIL.text.encode(), id="an ordinary mail"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\x00\r\n\r\n\xfe", id="noise"),
        pytest.param(
            bounce(MAIL, "a@b.example").replace(b"Action: failed", b"Action: delayed"), id="delayed"
        ),
        pytest.param(
            bounce(MAIL, "a@b.example").replace(b"Final-Recipient", b"X-Recipient"), id="of nobody"
        ),
        pytest.param(bounce(MAIL, "a@b.example")[:400], id="cut off"),
    ],
)
def test_other_mails_say_nothing_of_addresses(mail: bytes) -> None:
    assert bounces(mail) == []
