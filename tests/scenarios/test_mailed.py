"""A mail that a server took without saying so comes again, by the same id."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.times import iso
from simulators.processes import ROOT, andaman, free_port, wait_until
from simulators.stand_ins.smtp import Fault, Mailbox
from tests.world import write_configuration

pytestmark = pytest.mark.network

DEATHS = 3
BINS_A_LIFE = 4
PEOPLE = [f"officer-{number}@patong.example" for number in range(12)]
LATENESS_MINUTES = 15


def configuration(lives: int) -> dict[str, str]:
    """So many bins that each life has news."""
    bins = range(lives * BINS_A_LIFE)
    addresses = ", ".join(f"{{to: {address}, language: th}}" for address in PEOPLE)
    return {
        "sites": "sites:\n"
        "  - {id: lane, kind: bin, name: {en: Lane, th: ซอย}, latitude: 7.9, longitude: 98.3,\n"
        "     district: d}\n",
        "devices": "gateways:\n  - {id: gw, name: {en: Gateway, th: เกตเวย์}}\ndevices:\n"
        + "".join(f"  - {{id: b-{n}, gateway: gw, site: lane, since: 2026-01-01}}\n" for n in bins),
        "rules": "rules:\n"  # one for each bin, so that no storm of one rule folds them
        + "".join(
            f"  - {{id: full-{n}, kind: threshold, name: {{en: Full, th: เต็ม}},\n"
            f"     select: {{devices: [b-{n}]}}, parameter: fill_level,\n"
            "     above: {critical: 95}, clear: 60}\n"
            for n in bins
        ),
        "notify": "receivers:\n"
        f"  - {{name: officers, pace: 0, email: [{addresses}]}}\n"
        "route: {receiver: officers, group_by: [device], group_wait: 0s}\n",
    }


@contextmanager
def mail_server(folder: Path) -> Iterator[tuple[Mailbox, str]]:
    """The stand-in as a process of its own, and its address."""
    folder.mkdir()
    mailbox = Mailbox(folder)
    command = [sys.executable, "-m", "simulators.stand_ins.smtp", str(folder)]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            wait_until(mailbox.port_file.exists)
            yield mailbox, f"smtp+plaintext://127.0.0.1:{mailbox.port_file.read_text()}"
        finally:
            server.terminate()


def fill(port: int, password: str, bins: range) -> None:
    """These bins report that they are full."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="gw")
    client.username_pw_set("gw", password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in bins:
        at = iso(time.time_ns() // 1000)
        body = {"device": f"b-{number}", "time": at, "values": {"fill_level": 97}}
        client.publish("andaman/v1/gw/up/readings", json.dumps(body), 1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_what_was_taken_without_a_250_comes_twice_by_one_id_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    config = write_configuration(tmp_path / "config", **configuration(1))
    with mail_server(tmp_path / "post") as (mailbox, url):
        mailbox.fail(Fault.DROP)
        port = free_port()
        settings = {"smtp_url": url, "mail_from": "alerts@andaman.example", "mqtt_port": port}
        with andaman(tmp_path, config_dir=config, **settings) as system:
            system.start()
            system.wait_ready()
            fill(port, system.gateway_secrets()["gw"], range(1))
            wait_until(mailbox.mails)
            mailbox.fail()
            wait_until(lambda: sum(mail.answered for mail in mailbox.mails()) == len(PEOPLE))
            assert system.stop()[0] == 0
    answered = Counter(mail.message["Message-ID"] for mail in mailbox.mails() if mail.answered)
    dropped = {mail.message["Message-ID"] for mail in mailbox.mails() if not mail.answered}
    assert len(answered) == len(PEOPLE)
    assert set(answered.values()) == {1}
    assert dropped
    assert dropped <= set(answered)
