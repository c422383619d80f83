"""A mail server to talk to: it delivers nothing, keeps what it gets and does wrong what it is told.

    python -m simulators.stand_ins.smtp FOLDER [--port 2525] [--cert CHAIN --key KEY [--implicit]]
                                               [--user NAME --password-file FILE]

Its folder is all there is to it: `port` says where it listens, `mails.jsonl` holds what it took, on
disk before the 250, and `faults` says what it does wrong from the next command on, a fault a line.
`Mailbox` reads and writes them, in the same process or another.
"""

import argparse
import asyncio
import json
import logging
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesHeaderParser, BytesParser
from email.policy import SMTP as SMTP_POLICY
from enum import StrEnum
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_LOOPBACK = "127.0.0.1"
_SERVICE = "Service not available, closing transmission channel"


class Fault(StrEnum):
    """What it can do wrong; `UNKNOWN` stands before an address, by a blank."""

    BUSY = "busy"  # 421 to MAIL, and the connection is closed
    DROP = "drop"  # the mail is taken, and the connection closed before the 250
    GREYLIST = "greylist"  # 451 to whoever writes to a recipient for the first time
    HANG = "hang"  # no answer to the mail's last dot
    REFUSE = "refuse"  # 554 to the mail itself
    REVOKED = "revoked"  # 535 to every password
    STRIP = "strip"  # no STARTTLS
    UNKNOWN = "unknown"  # 550 to a recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What arrived at `at` (µs); `answered` is False where it was taken without a 250."""

    at: int
    sender: str
    recipients: tuple[str, ...]
    user: str
    tls: bool
    answered: bool
    text: str

    @property
    def message(self) -> EmailMessage:
        """The mail as mail programs see it."""
        return BytesParser(policy=SMTP_POLICY).parsebytes(self.text.encode())


class Mailbox:
    """The folder of a stand-in."""

    def __init__(self, folder: Path) -> None:
        self._mails = folder / "mails.jsonl"
        self._faults = folder / "faults"
        self.port_file = folder / "port"

    def fail(self, *faults: str) -> None:
        """Do these wrong from now on, and no others."""
        new = self._faults.with_suffix(".new")
        new.write_text("".join(f"{fault}\n" for fault in faults), encoding="utf-8")
        new.replace(self._faults)

    def faults(self) -> list[str]:
        """What is done wrong now."""
        return (
            self._faults.read_text(encoding="utf-8").splitlines() if self._faults.exists() else []
        )

    def mails(self) -> list[Mail]:
        """All that was taken, the oldest first."""
        if not self._mails.exists():
            return []
        kept = [json.loads(line) for line in self._mails.read_bytes().splitlines()]
        return [Mail(**mail | {"recipients": tuple(mail["recipients"])}) for mail in kept]

    def keep(self, mail: Mail) -> None:
        """It is on disk when this returns."""
        with self._mails.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(mail)) + "\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who comes in how: over TLS from the start (`implicit`) or by STARTTLS where there is a
    certificate, and with a name and password where there is a `login`.
    """

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    login: tuple[str, str] | None = None


class SmtpStandIn:
    """Listens on the loopback from `start` to `stop`, in the loop that runs."""

    def __init__(
        self, folder: Path, clock: Callable[[], int], door: Door | None = None, port: int = 0
    ) -> None:
        self.mailbox = Mailbox(folder)
        self._clock = clock
        self._door = door or Door()
        self._port = port
        self._greeted: set[tuple[str, str]] = set()  # sender and recipient
        self._sessions: set[SMTP] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """The port that it listens on."""
        door = self._door
        self._server = await asyncio.get_running_loop().create_server(
            self._session, _LOOPBACK, self._port, ssl=door.tls if door.implicit else None
        )
        port: int = self._server.sockets[0].getsockname()[1]
        new = self.mailbox.port_file.with_suffix(".new")
        new.write_text(str(port), encoding="ascii")
        new.replace(self.mailbox.port_file)
        return port

    async def stop(self) -> None:
        """Close everything, also what hangs."""
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.abort()  # type: ignore[attr-defined]
        await self._server.wait_closed()

    def _session(self) -> SMTP:
        """What serves one connection."""
        door, loop = self._door, asyncio.get_running_loop()
        stripped = door.implicit or self._does(Fault.STRIP)
        session = SMTP(
            self,
            loop=loop,
            hostname="localhost",
            enable_SMTPUTF8=True,
            tls_context=None if stripped else door.tls,
            require_starttls=not stripped,
            auth_require_tls=door.tls is not None and not door.implicit,
            auth_callback=self._lets_in,
        )
        self._sessions = {s for s in self._sessions if s.transport is not None} | {session}
        return session

    def _does(self, fault: str) -> bool:
        return fault in self.mailbox.faults()

    def _lets_in(self, _mechanism: str, user: bytes, password: bytes) -> bool:
        return (user.decode(), password.decode()) == self._door.login and not self._does(
            Fault.REVOKED
        )

    # --- what the session asks: the names and arguments are aiosmtpd's ---

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._door.login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self._does(Fault.BUSY):
            await server.push(f"421 4.3.2 {_SERVICE}")
            await _closed(server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._does(f"{Fault.UNKNOWN} {address}"):
            return "550 5.1.1 User unknown"
        pair = (str(envelope.mail_from), address)
        if self._does(Fault.GREYLIST) and pair not in self._greeted:
            self._greeted.add(pair)
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self._does(Fault.REFUSE):
            return "554 5.6.0 Message refused"
        if self._does(Fault.HANG):
            await asyncio.Event().wait()  # until the client has had enough
        dropped = self._does(Fault.DROP)
        self.mailbox.keep(self._mail(session, envelope, answered=not dropped))
        if dropped:
            await _closed(server)
        return "250 2.0.0 OK: queued"

    def _mail(self, session: Session, envelope: Envelope, *, answered: bool) -> Mail:
        return Mail(
            at=self._clock(),
            sender=str(envelope.mail_from),
            recipients=tuple(str(address) for address in envelope.rcpt_tos),
            user=getattr(session.auth_data, "login", b"").decode(),
            tls=session.ssl is not None or self._door.implicit,
            answered=answered,
            text=(envelope.original_content or b"").decode(),
        )


async def _closed(server: SMTP) -> None:
    """Close the connection and never return: its end cancels who serves it."""
    if server.transport is not None:
        server.transport.close()
    await asyncio.Event().wait()


def bounce(mail: Mail, recipient: str, status: str = "5.1.1") -> bytes:
    """What a server on the way sends back when it cannot deliver `mail` after all (RFC 3464)."""
    whole = MIMEMultipart("report", policy=SMTP_POLICY)
    whole.set_param("report-type", "delivery-status")
    whole["From"] = "Mail Delivery System <mailer-daemon@mx.example>"
    whole["To"] = mail.sender
    whole["Subject"] = "Undelivered Mail Returned to Sender"
    whole["Auto-Submitted"] = "auto-replied"
    whole.attach(MIMEText(f"<{recipient}>: the mail could not be delivered.\n"))
    of_mail, of_recipient = Message(), Message()
    of_mail["Reporting-MTA"] = "dns; mx.example"
    of_recipient["Final-Recipient"] = f"rfc822; {recipient}"
    of_recipient["Action"] = "failed"
    of_recipient["Status"] = status
    of_recipient["Diagnostic-Code"] = f"smtp; 550 {status} User unknown"
    report = Message()
    report["Content-Type"] = "message/delivery-status"
    report.set_payload([of_mail, of_recipient])
    whole.attach(report)
    headers = BytesHeaderParser().parsebytes(mail.text.encode())
    headers.set_payload("")
    whole.attach(MIMEText(str(headers), "rfc822-headers"))
    return whole.as_bytes()


def main() -> None:
    """Run as a process of its own until it is ended."""
    parser = argparse.ArgumentParser(description="a mail server to talk to")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--implicit", action="store_true", help="TLS from the start")
    parser.add_argument("--user")
    parser.add_argument("--password-file", type=Path)
    given = parser.parse_args()
    logging.getLogger("mail.log").setLevel("ERROR")  # aiosmtpd warns of its own old names
    tls = None
    if given.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.cert, given.key)
    login = (given.user, given.password_file.read_text().strip()) if given.user else None
    door = Door(tls=tls, implicit=given.implicit, login=login)
    asyncio.run(_serve(SmtpStandIn(given.folder, lambda: time.time_ns() // 1000, door, given.port)))


async def _serve(server: SmtpStandIn) -> None:
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
