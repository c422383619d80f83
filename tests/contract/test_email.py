"""Mails to a mail server, with all that a server, or the way to it, can do wrong.

The server is the stand-in, over real sockets and real TLS.
"""

import asyncio
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest

from alerts.notify.smtp import MailServer, Smtp, failure, server_of
from core.errors import Blame, ConfigError, DeliveryError
from core.notices import Channel, Parcel
from simulators.processes import ROOT, wait_until
from simulators.stand_ins.smtp import Door, Fault, Mailbox, SmtpStandIn
from tests.notices import parcel
from tests.told import Certificates

TO = "malee@patong.example"
LOGIN = ("andaman", "correct horse")


def written(what: Parcel) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
    mail["From"] = "อันดามัน <alerts@andaman.example>"
    mail["To"] = what.recipients[0].address
    mail["Message-ID"] = f"<{what.id}@andaman.example>"
    mail["Subject"] = "น้ำทะเลขุ่นผิดปกติ หาดป่าตอง"
    mail.set_content("ความขุ่น 44.6 NTU\n.\nสูงกว่าเกณฑ์ 25 NTU\n")
    return mail


class Post:
    """The stand-in, and our way to it: by STARTTLS with a login, unless told otherwise."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self.certificates = certificates
        self.mailbox = Mailbox(folder)
        self.folder = folder
        self.step_seconds = 10.0

    @property
    def tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.chain, self.certificates.key)
        return context

    def deliver(self, what: Parcel, door: Door | None = None, **server: object) -> str:
        """What the server says; it runs as long as this takes."""
        return asyncio.run(self._deliver(what, door, server))

    async def _deliver(self, what: Parcel, door: Door | None, changes: dict[str, object]) -> str:
        stand_in = SmtpStandIn(
            self.folder, lambda: 1, door or Door(tls=self.tls, login=LOGIN), port=0
        )
        port = await stand_in.start()
        context = ssl.create_default_context(cafile=self.certificates.ca)
        usual = MailServer(
            host="127.0.0.1", port=port, context=context, user=LOGIN[0], password=LOGIN[1]
        )
        try:
            server = replace(usual, **changes)  # type: ignore[arg-type]
            sent = await Smtp(server, written, step_seconds=self.step_seconds).send(what)
            return sent.reference
        finally:
            await stand_in.stop()

    def refused(self, *faults: str, **server: object) -> DeliveryError:
        """How a delivery fails while the server does this wrong."""
        self.mailbox.fail(*faults)
        with pytest.raises(DeliveryError) as caught:
            self.deliver(parcel(Channel.EMAIL, TO), **server)  # type: ignore[arg-type]
        return caught.value


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def post(tmp_path: Path, certificates: Certificates) -> Post:
    return Post(tmp_path, certificates)


def test_it_hands_a_mail_over_encrypted_and_logged_in(post: Post) -> None:
    reference = post.deliver(parcel(Channel.EMAIL, TO))

    (mail,) = post.mailbox.mails()
    assert (mail.tls, mail.user, mail.answered) == (True, "andaman", True)
    assert (mail.sender, mail.recipients) == ("alerts@andaman.example", (TO,))
    assert mail.message["Subject"] == "น้ำทะเลขุ่นผิดปกติ หาดป่าตอง"
    assert mail.message.get_content().splitlines()[1:] == [".", "สูงกว่าเกณฑ์ 25 NTU"]
    assert "queued" in reference


def test_it_speaks_tls_from_the_start_where_the_address_says_so(post: Post) -> None:
    door = Door(tls=post.tls, implicit=True, login=LOGIN)

    post.deliver(parcel(Channel.EMAIL, TO), door, implicit=True)

    assert post.mailbox.mails()[0].tls


def test_it_needs_neither_tls_nor_login_for_a_server_on_this_machine(post: Post) -> None:
    post.deliver(parcel(Channel.EMAIL, TO), Door(), context=None, user="")

    assert not post.mailbox.mails()[0].tls


@pytest.mark.parametrize(
    ("fault", "blame", "words"),
    [
        pytest.param(Fault.BUSY, Blame.TEMPORARY, "421 4.3.2", id="421, the server is going down"),
        pytest.param(Fault.GREYLIST, Blame.TEMPORARY, "451 4.7.1", id="451, greylisted"),
        pytest.param(f"{Fault.UNKNOWN} {TO}", Blame.ADDRESS, "550 5.1.1", id="550, no such person"),
        pytest.param(Fault.REFUSE, Blame.CONTENT, "554 5.6.0", id="554 to the mail itself"),
        pytest.param(Fault.REVOKED, Blame.CREDENTIALS, "535", id="535, the password is wrong"),
        pytest.param(Fault.STRIP, Blame.CREDENTIALS, "no STARTTLS", id="STARTTLS is stripped"),
    ],
)
def test_it_says_whose_fault_it_is(post: Post, fault: str, blame: Blame, words: str) -> None:
    error = post.refused(fault)

    assert (error.blame, words in error.words) == (blame, True), error.words
    assert not post.mailbox.mails()


def test_a_mail_taken_without_a_250_is_tried_again_by_the_same_id(post: Post) -> None:
    assert post.refused(Fault.DROP).blame is Blame.TEMPORARY
    post.mailbox.fail()
    post.deliver(parcel(Channel.EMAIL, TO))

    first, second = post.mailbox.mails()
    assert (first.answered, second.answered) == (False, True)
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_it_waits_so_long_for_a_server_that_hangs_and_no_longer(post: Post) -> None:
    post.step_seconds = 0.2

    error = post.refused(Fault.HANG)

    assert error.blame is Blame.TEMPORARY
    assert not post.mailbox.mails()


def test_what_is_greylisted_is_taken_when_it_comes_again(tmp_path: Path) -> None:
    async def twice() -> None:
        stand_in = SmtpStandIn(tmp_path, lambda: 1)
        port = await stand_in.start()
        stand_in.mailbox.fail(Fault.GREYLIST)
        email = Smtp(MailServer(host="127.0.0.1", port=port, context=None), written)
        with pytest.raises(DeliveryError, match="451"):
            await email.send(parcel(Channel.EMAIL, TO))
        await email.send(parcel(Channel.EMAIL, TO))
        await stand_in.stop()

    asyncio.run(twice())
    assert len(Mailbox(tmp_path).mails()) == 1


def test_the_password_is_never_sent_to_a_server_that_does_not_encrypt(post: Post) -> None:
    heard: list[bytes] = []
    left = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
        writer.close()
        await writer.wait_closed()
        left.set()

    async def send() -> None:
        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"smtp://andaman@127.0.0.1:{port}"
        email = Smtp(server_of(url, "correct horse", ""), written)
        with pytest.raises(DeliveryError, match="STARTTLS"):
            await email.send(parcel(Channel.EMAIL, TO))
        await left.wait()
        server.close()

    asyncio.run(send())
    assert [line.split()[0] for line in heard] == [b"EHLO"]


def test_a_certificate_that_nobody_vouches_for_is_not_taken(post: Post) -> None:
    error = post.refused(context=ssl.create_default_context())

    assert error.blame is Blame.CREDENTIALS
    assert "ANDAMAN_SMTP_CA_FILE" in error.words
    assert not post.mailbox.mails()


def test_nobody_there_is_temporary(tmp_path: Path) -> None:
    server = MailServer(host="127.0.0.1", port=1, context=None)

    with pytest.raises(DeliveryError) as caught:
        asyncio.run(Smtp(server, written).send(parcel(Channel.EMAIL, TO)))
    assert caught.value.blame is Blame.TEMPORARY


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("no-at-sign", id="without @"),
        pytest.param("a@b.example\r\nRCPT TO:<c@d.example>", id="with a command in it"),
        pytest.param("มะลิ@patong.example", id="in Thai, which not every server takes"),
        pytest.param("", id="empty"),
    ],
)
def test_a_broken_address_harms_itself_alone(post: Post, address: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        post.deliver(parcel(Channel.EMAIL, address))

    assert caught.value.blame is Blame.ADDRESS
    assert not post.mailbox.mails()


@pytest.mark.parametrize(
    ("code", "words", "blame"),
    [
        pytest.param(550, "5.1.1 User unknown", Blame.ADDRESS, id="nobody has it"),
        pytest.param(550, "no such user here", Blame.ADDRESS, id="nobody has it, says an old one"),
        pytest.param(552, "5.2.2 Mailbox full", Blame.CONTENT, id="no room, for now"),
        pytest.param(550, "5.7.1 looks like spam", Blame.CONTENT, id="they do not like this one"),
        pytest.param(554, "5.7.1 Relay access denied", Blame.CREDENTIALS, id="no business of ours"),
        pytest.param(530, "5.7.0 Authentication required", Blame.CREDENTIALS, id="log in first"),
        pytest.param(450, "4.1.1 try later", Blame.TEMPORARY, id="later, perhaps"),
    ],
)
def test_a_refused_recipient_is_not_always_gone(code: int, words: str, blame: Blame) -> None:
    assert failure(_refused_recipient(code, words)).blame is blame


def _refused_recipient(code: int, words: str) -> Exception:
    from aiosmtplib import SMTPRecipientRefused, SMTPRecipientsRefused  # noqa: PLC0415

    return SMTPRecipientsRefused([SMTPRecipientRefused(code, words, TO)])


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "tls"),
    [
        pytest.param("smtp://mail.example", "mail.example", 587, "", True, id="STARTTLS"),
        pytest.param("smtps://a%40b@mail.example", "mail.example", 465, "a@b", True, id="TLS"),
        pytest.param("smtp+plaintext://127.0.0.1:2525", "127.0.0.1", 2525, "", False, id="here"),
    ],
)
def test_it_reads_the_address_of_the_server(
    url: str, host: str, port: int, user: str, tls: bool
) -> None:
    server = server_of(url, "", "")

    assert (server.host, server.port, server.user) == (host, port, user)
    assert (server.context is not None) == tls


@pytest.mark.parametrize(
    ("url", "ca_file", "words"),
    [
        pytest.param("mail.example", "", "smtp://user@host:587", id="no scheme"),
        pytest.param("smtp://mail.example:x", "", "smtp://user@host:587", id="no port"),
        pytest.param("smtp://a:b@mail.example", "", "PASSWORD_FILE", id="password in it"),
        pytest.param("smtp+plaintext://mail.example", "", "encrypted only", id="plain, elsewhere"),
        pytest.param("smtp://mail.example", "/nowhere.pem", "ANDAMAN_SMTP_CA_FILE", id="no CA"),
    ],
)
def test_it_refuses_settings_that_cannot_be_used(url: str, ca_file: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        server_of(url, "", ca_file)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Mailbox]:
    command = [sys.executable, "-m", "simulators.stand_ins.smtp", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as running:
        mailbox = Mailbox(tmp_path)
        wait_until(mailbox.port_file.exists)
        yield mailbox
        running.terminate()


def test_the_stand_in_runs_as_a_process_and_serves_any_client(process: Mailbox) -> None:
    port = int(process.port_file.read_text())
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("a@b.example", [TO], "Subject: x\r\n\r\ny")
        process.fail(f"{Fault.UNKNOWN} {TO}")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@b.example", [TO], "Subject: x\r\n\r\ny")

    assert [mail.message["Subject"] for mail in process.mails()] == ["x"]
