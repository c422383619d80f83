"""What servers say of addresses: which are gone for good, and which mails came back. Pure."""

import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import SMTP
from typing import NamedTuple

_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463
_GONE = re.compile(r"\b5\.1\.\d{1,3}\b")  # of the address itself
_GONE_CODES = ("550", "551", "553")


class Bounce(NamedTuple):
    """A mail that came back: to whom it could not be delivered, in the server's words."""

    address: str
    words: str


def gone(words: str) -> bool:
    """Whether a refusal says that there is no such address. A full mailbox, or a server that does
    not like our mail, says nothing of the kind.

    >>> gone("550 5.1.1 User unknown"), gone("550 no such user"), gone("552 5.2.2 Mailbox full")
    (True, True, False)
    """
    if _ENHANCED.search(words):
        return _GONE.search(words) is not None
    return words.startswith(_GONE_CODES)


def bounces(mail: bytes) -> list[Bounce]:
    """The addresses that a report of a mail server (RFC 3464) says are gone; none in other mails.

    Not all reports are true: whoever can send us a mail can write one.
    """
    message = BytesParser(policy=SMTP).parsebytes(mail)
    return [bounce for part in _reports(message) for bounce in _failed(part)]


def _reports(message: EmailMessage) -> Iterator[Message]:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield part


def _failed(report: Message) -> Iterator[Bounce]:
    """Its blocks are about the mail, then about each recipient."""
    for block in report.get_payload():
        if not isinstance(block, Message):
            continue
        address = str(block.get("Final-Recipient", "")).partition(";")[2].strip()
        status = str(block.get("Status", "")).strip()
        said = str(block.get("Diagnostic-Code", "")).partition(";")[2]
        failed = str(block.get("Action", "")).strip().lower() == "failed"
        if failed and address and gone(status):
            yield Bounce(address, " ".join(f"{said or status}".split())[:200])
