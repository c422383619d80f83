"""Who may connect as a gateway: the broker follows what the ledger says of credentials."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Protocol

from sqlalchemy import Engine as Database

from core.errors import BrokerError
from storage import queries
from storage.credentials import Credential, in_force

log = logging.getLogger(__name__)


class Door(Protocol):
    """A broker that can be told whom to let in."""

    def admit(self, credentials: Sequence[Credential]) -> None:
        """Let in those gateways and no others, from now on; connections of the others end.

        Raises:
            BrokerError: it could not be told.
        """


class Follower:
    """Tells the broker; any thread may call it."""

    def __init__(self, readers: Database, door: Door) -> None:
        self.failing = ""  # why the broker does not know yet what the ledger says
        self._readers = readers
        self._door = door
        self._lock = Lock()

    def follow(self) -> None:
        """Tell the broker what the ledger says now.

        Raises:
            BrokerError: it could not be told; `check` tries again.
        """
        with self._lock:
            with queries.snapshot(self._readers) as connection:
                found = in_force(connection)
            try:
                self._door.admit(found)
            except BrokerError as error:
                if not self.failing:
                    log.error("the broker does not know the gateways' credentials: %s", error)
                self.failing = str(error)
                raise
            if self.failing:
                log.warning("the broker knows the gateways' credentials again")
            self.failing = ""

    def check(self) -> None:
        """Try again what failed. Call it every second or so."""
        if self.failing:
            with suppress(BrokerError):
                self.follow()
