"""What the broker refused to whom, as far as its log says: counted, and told once an hour.

nats-server names the client id of who published or subscribed where it may not, and the user of a
failed login. Mosquitto names the client id too, which is the user under our configuration, but not
who failed to log in. A name that is no gateway's is counted under an empty one.
"""

import logging
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeAlias

from core.access import Denied
from core.times import HOUR
from ingest.broker_log import BrokerLog

log = logging.getLogger(__name__)

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_NATS = re.compile(
    rf"\[ERR\] \S+ - mid:\d+ - {_QUOTED} - "
    rf"(Publish|Subscription|authentication) (?:Violation - Subject|error - User) {_QUOTED}"
)
_MOSQUITTO_PUBLISH = re.compile(r"Denied PUBLISH from (\S+) \(d\d, q\d, r\d, m\d+, '(.*)', ")
_MOSQUITTO_LOGIN = re.compile(r"Client .* disconnected[,:] not authorised")
_LONGEST_QUOTE = 100

Denial: TypeAlias = tuple[str, str, str]  # whose, of what (a field of `Denied`), where
Reader: TypeAlias = Callable[[str], Denial | None]


def of_nats(line: str) -> Denial | None:
    """What a line of nats-server's log says.

    >>> of_nats('[9] … [ERR] [::1]:1 - mid:5 - "gw" - Publish Violation - Subject "x"')
    ('gw', 'publishes', 'x')
    """
    found = _NATS.search(line)
    if found is None:
        return None
    client, what, about = found.groups()
    if what == "authentication":
        return about, "logins", about
    return client, "publishes" if what == "Publish" else "subscriptions", about


def of_mosquitto(line: str) -> Denial | None:
    """What a line of Mosquitto's log says.

    >>> of_mosquitto("1795376116: Denied PUBLISH from gw (d0, q1, r0, m2, 'x', ... (6 bytes))")
    ('gw', 'publishes', 'x')
    """
    if found := _MOSQUITTO_PUBLISH.search(line):
        return found[1], "publishes", found[2]
    return ("", "logins", "") if _MOSQUITTO_LOGIN.search(line) else None


class Denials:
    """What was refused since the start, by gateway."""

    def __init__(
        self, broker_log: BrokerLog, read: Reader, gateways: Callable[[], Collection[str]]
    ) -> None:
        """`gateways` tells all of them; it is asked when something was refused."""
        self.seen: dict[str, Denied] = {}
        self._log = broker_log
        self._read = read
        self._gateways = gateways
        self._told: dict[str, int] = {}

    def look(self, now: int) -> None:
        """Read on in the log. Call it every second or so."""
        found = [denial for line in self._log.lines() if (denial := self._read(line))]
        gateways = self._gateways() if found else ()
        for named, what, about in found:
            gateway = named if named in gateways else ""
            before = self.seen.get(gateway, Denied())
            count = {what: getattr(before, what) + 1}
            self.seen = self.seen | {gateway: replace(before, last=now, **count)}
            self._tell(gateway, what, about, now)

    def close(self) -> None:
        """Let go of the log."""
        self._log.close()

    def _tell(self, gateway: str, what: str, about: str, now: int) -> None:
        if now - self._told.get(gateway, -HOUR) < HOUR:
            return
        self._told[gateway] = now
        shown = f", the latest {about[:_LONGEST_QUOTE]!r}" if about else ""
        who = gateway or "somebody who is no known gateway"
        words = "the broker refuses %s of %s%s; what follows within the hour is only counted"
        log.warning(words, what, who, shown)
