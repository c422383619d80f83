"""Links that open a page to whoever has them, since no login goes before them. Pure."""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

_TOKEN = re.compile(r"(s[0-9a-f]{1,32})\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True, slots=True)
class Links:
    """`key` is this installation's own and secret; `base` is the address at which people find us,
    empty where they cannot.
    """

    key: bytes = field(repr=False)
    base: str = ""

    def unsubscribe(self, subscriber: str) -> str:
        """Where somebody stops all messages, and nobody else can; empty without a base."""
        return f"{self.base.rstrip('/')}/u/{self.token(subscriber)}" if self.base else ""

    def token(self, subscriber: str) -> str:
        """What stands for a subscriber in their own links: 128 bits that only we can make."""
        made = hmac.digest(self.key, f"unsubscribe {subscriber}".encode(), sha256)[:16]
        return f"{subscriber}.{urlsafe_b64encode(made).rstrip(b'=').decode()}"

    def subscriber(self, token: str) -> str | None:
        """For whom we made the token; None for any other text.

        >>> links = Links(b"secret")
        >>> links.subscriber(links.token("s1f0c2b7e9a3d4586"))
        's1f0c2b7e9a3d4586'
        >>> links.subscriber("s1f0c2b7e9a3d4586.AAAAAAAAAAAAAAAAAAAAAA") is None
        True
        """
        found = _TOKEN.fullmatch(token)
        if found is None or not hmac.compare_digest(self.token(found[1]), token):
            return None
        return found[1]
