"""TLS towards a broker: what it has to show us, and a socket that behaves like a plain one."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom we take for the broker: who has a certificate for its host from an authority of
    `ca_file`, or, without one, of this machine. With `pinned`, who has the very certificate in
    `ca_file`, whatever name it is for: then the broker is our own.
    """

    ca_file: Path | None = None
    pinned: bool = False

    def context(self) -> ssl.SSLContext:
        """For connections to that broker.

        Raises:
            ConfigError: the file cannot be used.
        """
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.pinned:
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.refresh(context)
        return context

    def refresh(self, context: ssl.SSLContext) -> None:
        """Trust what the file holds by now: certificates are renewed.

        Raises:
            ConfigError: the file cannot be used.
        """
        if self.ca_file is None:
            return
        try:
            context.load_verify_locations(self.ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or "it holds no certificate"
            raise ConfigError([f"{self.ca_file}: cannot be used ({reason})"]) from error


class TlsTransport:
    """A connected TLS socket, non-blocking, whose `recv` leaves nothing behind that no poll tells
    of, and which waits by BlockingIOError as a plain socket does.
    """

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self._stream = stream
        self.close = stream.close
        self.fileno = stream.fileno
        self.setblocking = stream.setblocking

    def recv(self, most: int) -> bytes:
        """What is there, in one piece; some more than `most` where TLS has decrypted it already."""
        received = bytearray()
        while len(received) < most or self._stream.pending():
            try:
                part = self._stream.recv(most)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if not received:
                    raise BlockingIOError from None
                break
            if not part:
                break
            received += part
        return bytes(received)

    def send(self, data: bytes | bytearray) -> int:
        """How many bytes the network took."""
        try:
            return self._stream.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
