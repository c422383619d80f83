"""Whether the machine that Andaman runs on lets it do its work: what nobody else would tell of.

`findings` decides, from what was seen; `Watch` looks, and remembers what takes time to see.
"""

import asyncio
import logging
import math
import shutil
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from alerts.operations import (
    SYSTEM_CERTIFICATE,
    SYSTEM_CLOCK,
    SYSTEM_DISK,
    SYSTEM_LAG,
    SYSTEM_STALL,
)
from core.errors import StorageError
from core.times import DAY, MINUTE, SECOND
from ingest.mqtt import Listener
from ingest.worker import Worker
from storage import schema

if TYPE_CHECKING:
    from app import System

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
DISK_PERCENT = 90.0  # used
DISK_BYTES = 1_000_000_000  # free: with less, whatever the share
LAG_MINUTES = 10
STALL_SECONDS = 60
CLOCK_SECONDS = 60.0  # that the clock may be set by
CLOCK_REMEMBERED = 10 * MINUTE
CERTIFICATE_DAYS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen at one moment: the size of the disk with the data folder and what is free there
    (bytes); for how long the oldest point has waited for InfluxDB (µs); how long ago the listener
    last did anything (s); by how much the clock was set lately (s); when our certificate ends
    (µs), None without one.
    """

    at: int
    disk_total: int
    disk_free: int
    waiting: int = 0
    deaf: float = 0.0
    clock_set: float = 0.0
    certificate_ends: int | None = None


def findings(seen: Seen) -> Mapping[str, Mapping[str, float]]:
    """By rule, what is wrong and by how much; pure.

    >>> findings(Seen(at=0, disk_total=100 * 10**9, disk_free=5 * 10**9))[SYSTEM_DISK]
    {'disk': 95.0}
    """
    used = 100.0 * (1 - seen.disk_free / max(seen.disk_total, 1))
    full = used >= DISK_PERCENT or seen.disk_free < DISK_BYTES
    days = math.inf
    if seen.certificate_ends is not None:
        days = max(1.0, math.ceil((seen.certificate_ends - seen.at) / DAY))
    minutes = seen.waiting // MINUTE
    return {
        SYSTEM_CERTIFICATE: {"certificate": days} if days <= CERTIFICATE_DAYS else {},
        SYSTEM_CLOCK: {"clock": seen.clock_set} if abs(seen.clock_set) > CLOCK_SECONDS else {},
        SYSTEM_DISK: {"disk": round(used, 1)} if full else {},
        SYSTEM_LAG: {"influxdb": float(minutes)} if minutes >= LAG_MINUTES else {},
        SYSTEM_STALL: {"listener": seen.deaf} if seen.deaf > STALL_SECONDS else {},
    }


class Clockwork:
    """By how much the clock was set: beside one that cannot be set."""

    def __init__(self) -> None:
        self._offset: int | None = None
        self._since = 0

    def set_by(self, wall: int, steady: int) -> float:
        """Seconds, at `wall` µs of the clock and `steady` µs of one that only goes on; a jump is
        forgotten after ten minutes.
        """
        offset = wall - steady
        if self._offset is None:
            self._offset, self._since = offset, steady
        jumped = (offset - self._offset) / SECOND
        if abs(jumped) <= CLOCK_SECONDS:
            self._offset, self._since = offset, steady  # set a little at a time, as clocks are
        elif steady - self._since > CLOCK_REMEMBERED:
            self._offset, self._since = offset, steady
        return round(jumped, 1)


class Queue:
    """For how long the head of a queue has been the same."""

    def __init__(self) -> None:
        self._head: tuple[int | None, int] = (None, 0)

    def waiting(self, head: int | None, steady: int) -> int:
        """µs; `head` is the number of the oldest entry, None when there is none."""
        if head is None or head != self._head[0]:
            self._head = (head, steady)
        return steady - self._head[1]


class Watch:
    """Looks at one running system."""

    def __init__(self, system: "System", listener: Listener, clock: Callable[[], int]) -> None:
        self._system = system
        self._listener = listener
        self._clock = clock
        self._clockwork, self._queue = Clockwork(), Queue()

    def look(self) -> Seen:
        """Raises: OSError, sqlalchemy's errors."""
        settings, steady = self._system.settings, time.monotonic_ns() // 1000
        disk = shutil.disk_usage(self._system.ledger.folder)
        certificate = settings.mqtt_cert_file
        return Seen(
            at=self._clock(),
            disk_total=disk.total,
            disk_free=disk.free,
            waiting=self._queue.waiting(self._oldest(), steady),
            deaf=self._listener.health.loop_age_seconds,
            clock_set=self._clockwork.set_by(self._clock(), steady),
            certificate_ends=ends(Path(certificate), Path(settings.mqtt_key_file))
            if certificate
            else None,
        )

    def _oldest(self) -> int | None:
        with self._system.readers.connect() as connection:
            return connection.execute(select(func.min(schema.outflow.c.id))).scalar()


async def watch(
    system: "System", worker: Worker, listener: Listener, clock: Callable[[], int]
) -> None:
    """Tell officers, as of any alert, of what is wrong with the system's own ground."""
    watching = Watch(system, listener, clock)
    while True:
        try:
            for rule, found in findings(await asyncio.to_thread(watching.look)).items():
                told = partial(system.pipeline.report, rule, found)
                await asyncio.wrap_future(worker.submit(told))
        except StorageError as error:
            log.warning("what is wrong with the system is not recorded: %s", error)
        except Exception:  # a mistake of ours: told, and looked again
            log.exception("the system could not be looked at")
        await asyncio.sleep(LOOK_SECONDS)


def ends(chain: Path, key: Path) -> int | None:
    """When a certificate ends, µs; None when it cannot be told. One that has ended ended now.

    We shake hands with ourselves: no library of ours reads certificates.
    """
    try:
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        server.load_cert_chain(chain, key)
        client.check_hostname = False
        client.load_verify_locations(chain)
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself
        shown = _shaken(server, client)
    except ssl.SSLCertVerificationError as error:
        return 0 if "expired" in error.verify_message else None
    except (OSError, ssl.SSLError):
        return None
    return round(ssl.cert_time_to_seconds(str(shown["notAfter"])) * SECOND) if shown else None


def _shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> Mapping[str, object] | None:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = client.wrap_bio(back, there)
    other = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):  # enough for either version of TLS
        for end in (mine, other):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return mine.getpeercert()
