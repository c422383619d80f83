"""Killed again and again while it sends, Andaman loses no message. LINE delivers none twice; a mail
comes twice at the most where we died between the server's 250 and our record.
"""

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
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Never

import httpx
import pytest
from pydantic import SecretStr

import app
import telling
from alerts.outbox import AT_ONCE
from alerts.planning import parcels
from core.groups import Addressee, Planned, PlannedNotice
from core.notices import Channel, Notice, NoticeReason, Recipient
from core.settings import Settings
from simulators.processes import ROOT, environment, free_port, wait_until
from simulators.stand_ins.smtp import Mailbox
from storage import notices
from storage.ledger import Ledger
from tests.world import write_configuration

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]

DEATHS = int(os.environ.get("DEATHS", "12"))  # in a hurry; DEATHS=50 takes minutes
NOTICES, ADDRESSES = 18, 20
TOKEN = "a-channel-access-token"
NOTIFY = """
receivers: [{name: officers}]
route: {receiver: officers}
"""


@contextmanager
def run(module: str, *arguments: str) -> Iterator[None]:
    """A stand-in as a process of its own."""
    command = [sys.executable, "-m", f"simulators.stand_ins.{module}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment())
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def line(folder: Path) -> Iterator[str]:
    """LINE itself; it refuses five of a hundred requests, and takes ten and says that it failed."""
    for name in ("token", "secret"):
        (folder / name).write_text(TOKEN, encoding="ascii")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    files = ["--token-file", str(folder / "token"), "--secret-file", str(folder / "secret")]
    with run("line", "--port", str(port), *files):
        wait_until(lambda: _answers(url))
        httpx.put(f"{url}/control/faults", json={"error": 0.05, "accept-error": 0.1})
        yield url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/control/received").status_code == 200
    except httpx.TransportError:
        return False


def plan(folder: Path, channel: Channel, people: Sequence[Recipient]) -> None:
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
                parcel for person in people for parcel in parcels([Addressee(channel, person, now)])
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


def kill_again_and_again(settings: Settings) -> None:
    """Until enough have died; the last one sends the rest."""
    chance, data = random.Random(7), settings.data_dir
    for _ in range(DEATHS):
        enough = waiting(data) - chance.randint(0, 5)
        sender = send(settings)
        wait_until(lambda enough=enough: waiting(data) <= enough)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.05))
        _kill(sender)
    assert 0 < waiting(data) < NOTICES * ADDRESSES, "some died too late"
    sender = send(settings)
    try:
        wait_until(lambda: waiting(data) == 0, 240)
    finally:
        _kill(sender)


def _kill(sender: int) -> None:
    os.kill(sender, signal.SIGKILL)
    os.waitpid(sender, 0)


def test_line_delivers_every_message_once(tmp_path: Path) -> None:
    people = [Recipient(f"U{n:032x}", "th" if n % 2 else "en") for n in range(ADDRESSES)]
    folder, data = write_configuration(tmp_path / "config", notify=NOTIFY), tmp_path / "data"
    plan(data, Channel.LINE, people)
    with line(tmp_path) as url:
        token = SecretStr(TOKEN)
        kill_again_and_again(
            Settings(config_dir=folder, data_dir=data, line_url=url, line_token=token)
        )
        received = httpx.get(f"{url}/control/received").json()
    arrived = Counter((one["to"], one["key"]) for one in received)
    assert len(arrived) == NOTICES * ADDRESSES, "lost"
    assert set(arrived.values()) == {1}, "doubled"
    assert set(Counter(to for to, _ in arrived).values()) == {NOTICES}


def test_a_mail_server_gets_every_mail_and_few_twice(tmp_path: Path) -> None:
    people = [Recipient(f"officer-{n}@example.org", "en") for n in range(ADDRESSES)]
    folder, data = write_configuration(tmp_path / "config", notify=NOTIFY), tmp_path / "data"
    plan(data, Channel.EMAIL, people)
    box = Mailbox(tmp_path)
    with run("smtp", str(tmp_path)):
        wait_until(box.port_file.exists)
        url = f"smtp+plaintext://127.0.0.1:{box.port_file.read_text(encoding='ascii').strip()}"
        sender = "Andaman <alerts@example.org>"
        kill_again_and_again(
            Settings(config_dir=folder, data_dir=data, smtp_url=url, mail_from=sender)
        )
        arrived = Counter((mail.recipients, mail.message["Message-ID"]) for mail in box.mails())
    assert len(arrived) == NOTICES * ADDRESSES, "lost, or doubled under another Message-ID"
    assert sum(arrived.values()) - len(arrived) <= AT_ONCE * DEATHS
