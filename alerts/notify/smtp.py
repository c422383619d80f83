"""Mails handed to a mail server: encrypted, or not at all.

One connection for each mail. A mail that the server took without our hearing its answer is sent
again, by the same Message-ID: of all that can happen to a mail, only that doubles it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from alerts.notify.addresses import is_address
from alerts.notify.bounces import gone
from core.errors import Blame, ConfigError, DeliveryError
from core.notices import Parcel, Sent

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plaintext": 25}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_HOW = "write smtp://user@host:587 (STARTTLS) or smtps://user@host:465 (TLS)"
_STEP_SECONDS = 20.0  # for an answer
_WHOLE_SECONDS = 90.0  # for a mail, from the connection to the 250
_BUSY = range(400, 500)
_CLOSING = 421  # whatever it answers, the server itself is going down
_LONGEST_WORDS = 300
_OF_LOGIN = frozenset({530, 534, 535, 538})
_NOT_FOR_US = "relay"  # in the words of a server that thinks that we have no business with it


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails are handed in; `context` is None only for a server on this very machine that
    speaks no TLS. `implicit` is TLS from the first byte instead of STARTTLS.
    """

    host: str
    port: int
    context: ssl.SSLContext | None
    implicit: bool = False
    user: str = ""
    password: str = ""


def server_of(url: str, password: str, ca_file: str) -> MailServer:
    """The server of ANDAMAN_SMTP_URL.

    Raises:
        ConfigError: settings that cannot be used.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or not port:
        raise ConfigError([f"ANDAMAN_SMTP_URL cannot be used; {_HOW}"])
    if parts.password:
        words = "ANDAMAN_SMTP_URL holds a password; it belongs into ANDAMAN_SMTP_PASSWORD_FILE"
        raise ConfigError([words])
    plain = parts.scheme == "smtp+plaintext"
    if plain and parts.hostname not in _LOOPBACK:
        raise ConfigError([f"ANDAMAN_SMTP_URL: mails leave this machine encrypted only; {_HOW}"])
    return MailServer(
        host=parts.hostname,
        port=port,
        context=None if plain else _context(ca_file),
        implicit=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=password,
    )


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(Path(ca_file))
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or "it holds no certificate"
            words = f"ANDAMAN_SMTP_CA_FILE: {ca_file} cannot be used ({reason})"
            raise ConfigError([words]) from error
    return context


class Smtp:
    """Sends what `write` makes of a parcel; it has one recipient."""

    def __init__(
        self,
        server: MailServer,
        write: Callable[[Parcel], EmailMessage],
        *,
        step_seconds: float = _STEP_SECONDS,
    ) -> None:
        self._server = server
        self._write = write
        self._step_seconds = step_seconds

    async def send(self, parcel: Parcel) -> Sent:
        """Hand the mail over.

        Raises:
            DeliveryError: the server has not said that it took it.
        """
        (recipient,) = parcel.recipients
        if not is_address(recipient.address):
            raise DeliveryError("that is no mail address", Blame.ADDRESS)
        message = await asyncio.to_thread(self._write, parcel)  # pictures take their time
        sender = message["From"].addresses[0].addr_spec
        try:
            connection = _connection(self._server, sender, self._step_seconds)
            async with asyncio.timeout(_WHOLE_SECONDS), connection as client:
                mail = message.as_bytes()
                _, words = await client.sendmail(sender, [recipient.address], mail)
        except (OSError, TimeoutError, aiosmtplib.SMTPException) as error:
            raise failure(error) from error
        return Sent(words)


async def greet(server: MailServer, sender: str) -> None:
    """Connect, encrypt, log in and leave.

    Raises:
        DeliveryError: that cannot be done.
    """
    try:
        async with asyncio.timeout(_WHOLE_SECONDS), _connection(server, sender, _STEP_SECONDS):
            pass
    except (OSError, TimeoutError, aiosmtplib.SMTPException) as error:
        raise failure(error) from error


@asynccontextmanager
async def _connection(server: MailServer, sender: str, step_seconds: float) -> AsyncIterator[SMTP]:
    """Encrypted and logged in."""
    client = SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=sender.rpartition("@")[2],  # without asking the name server for ours
        timeout=step_seconds,
        use_tls=server.implicit,
        start_tls=False,  # below, so that its absence is told apart
        tls_context=server.context,
    )
    try:
        await client.connect()
        if server.context is not None and not server.implicit:
            await _encrypt(client)
        if server.user:
            await client.login(server.user, server.password)
        yield client
        with suppress(OSError, aiosmtplib.SMTPException):  # it has the mail by now
            await client.quit(timeout=1)
    finally:
        client.close()


async def _encrypt(client: SMTP) -> None:
    await client.ehlo()
    if not client.supports_extension("starttls"):
        words = "the server offers no STARTTLS (or somebody on the way hides it); nothing was sent"
        raise DeliveryError(words, Blame.CREDENTIALS)
    await client.starttls()


def failure(error: Exception) -> DeliveryError:
    """Whose fault `error` is, by who said what to which command.

    >>> failure(aiosmtplib.SMTPDataError(552, "5.3.4 too large")).blame.value
    'content'
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        said = " ".join(f"{error.code} {error.message}".split())[:_LONGEST_WORDS]
        greylisted = isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code in _BUSY
        return DeliveryError(said, _blame(error), alone=greylisted and error.code != _CLOSING)
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = f"the server's certificate is not trusted ({cause.verify_message}); check its name"
        return DeliveryError(f"{words}, or set ANDAMAN_SMTP_CA_FILE", Blame.CREDENTIALS)
    if isinstance(error, TimeoutError):
        return DeliveryError(str(error) or "no answer in time", Blame.TEMPORARY)
    if isinstance(error, OSError):  # what is no answer of the server's: the way to it
        return DeliveryError(str(error), Blame.TEMPORARY)
    return DeliveryError(str(error), Blame.CREDENTIALS)  # the server cannot do what we need


def _blame(error: aiosmtplib.SMTPResponseException) -> Blame:
    if error.code in _BUSY:
        return Blame.TEMPORARY
    if error.code in _OF_LOGIN:
        return Blame.CREDENTIALS
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        if _NOT_FOR_US in error.message.lower():
            return Blame.CREDENTIALS
        # Who does not want this mail, or has no room for it, is still there for the next.
        return Blame.ADDRESS if gone(f"{error.code} {error.message}") else Blame.CONTENT
    if isinstance(error, aiosmtplib.SMTPDataError):
        return Blame.CONTENT
    return Blame.CREDENTIALS  # of connection, greeting, login or sender: nobody gets a mail so
