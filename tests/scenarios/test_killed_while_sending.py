"""Killed again and again while it sends, Andaman loses no message, and LINE delivers none twice."""

import asyncio
import os
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Never

import httpx
import pytest
from pydantic import SecretStr

import app
import telling
from alerts.planning import parcels
from core.groups import Addressee, Planned, PlannedNotice
from core.notices import Channel, Notice, NoticeReason, Recipient
from core.settings import Settings
from storage import notices
from storage.ledger import Ledger
from tests.process import ROOT, environment, free_port, wait_until
from tests.world import write_configuration

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]

DEATHS = int(os.environ.get("DEATHS", "12"))  # in a hurry; DEATHS=50 takes minutes
NOTICES, ADDRESSES = 18, 20
TOKEN = "a-channel-access-token"
PEOPLE = [Recipient(f"U{n:032x}", "th" if n % 2 else "en") for n in range(ADDRESSES)]
NOTIFY = """
receivers: [{name: officers}]
route: {receiver: officers}
"""


@contextmanager
def line(folder: Path) -> Iterator[str]:
    """LINE's stand-in as a process of its own: five of a hundred requests it refuses, ten it takes
    and says that it failed.
    """
    for name in ("token", "secret"):
        (folder / name).write_text(TOKEN, encoding="ascii")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    module = [sys.executable, "-m", "simulators.stand_ins.line", "--port", str(port)]
    files = ["--token-file", str(folder / "token"), "--secret-file", str(folder / "secret")]
    process = subprocess.Popen([*module, *files], cwd=ROOT, env=environment())
    try:
        wait_until(lambda: _answers(url))
        httpx.put(f"{url}/control/faults", json={"error": 0.05, "accept-error": 0.1})
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/control/received").status_code == 200
    except httpx.TransportError:
        return False


def plan(folder: Path) -> None:
    """Many messages for a few people, each for one of them alone."""
    ledger = Ledger(folder)
    now = app.now()
    with ledger.transaction() as connection:
        for number in range(NOTICES):
            notice = Notice(
                id=f"n{number}",
                reason=NoticeReason.TEST,
                receiver="officers",
                group="test",
                labels={},
                made_at=now,
                alerts=(),
                token=secrets.token_urlsafe(16),
            )
            packed = [
                parcel
                for person in PEOPLE
                for parcel in parcels([Addressee(Channel.LINE, person, now)])
            ]
            planned = PlannedNotice(notice=notice, news_at=now, free_at=0, parcels=packed)
            notices.keep(connection, Planned(notices=[planned]))
    ledger.close()


def send(settings: Settings) -> int:
    """A process that sends by now, as `andaman run` does; its number."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child:
        os.close(mouth)
        os.read(ear, 1)
        os.close(ear)
        return child
    try:
        asyncio.run(_send(settings, mouth))
    finally:
        os._exit(1)


async def _send(settings: Settings, mouth: int) -> Never:
    system = app.build(settings, app.now)

    async def write(change: Any) -> Any:
        return change(system.ledger)

    async with AsyncExitStack() as stack:
        await telling.start(stack, system, write, app.now, lambda _: None)
        os.write(mouth, b".")
        await asyncio.sleep(3600)
    raise AssertionError


def waiting(folder: Path) -> int:
    """How many messages are yet to be sent."""
    with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as ledger:
        query = "SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'"
        return int(ledger.execute(query).fetchone()[0])


def test_nothing_is_lost_and_line_delivers_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    folder = write_configuration(tmp_path / "config", notify=NOTIFY)
    data = tmp_path / "data"
    plan(data)
    with line(tmp_path) as url:
        settings = Settings(
            config_dir=folder, data_dir=data, line_url=url, line_token=SecretStr(TOKEN)
        )
        for _ in range(DEATHS):
            enough = waiting(data) - chance.randint(0, 5)
            sender = send(settings)
            wait_until(lambda enough=enough: waiting(data) <= enough)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.05))
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
        left = waiting(data)
        sender = send(settings)
        try:
            wait_until(lambda: waiting(data) == 0, 240)
        finally:
            os.kill(sender, signal.SIGKILL)
            os.waitpid(sender, 0)
        received = httpx.get(f"{url}/control/received").json()
    assert 0 < left < NOTICES * ADDRESSES, "it was killed before it began, or after it was done"
    arrived = Counter((one["to"], one["key"]) for one in received)
    assert len(arrived) == NOTICES * ADDRESSES, "lost"
    assert set(arrived.values()) == {1}, "doubled"
    assert set(Counter(to for to, _ in arrived).values()) == {NOTICES}
