"""What brokers' logs say of refusals, how it is counted, and how seldom it is told."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.access import Denied
from core.times import HOUR, MINUTE
from ingest.broker_log import BrokerLog
from ingest.denials import Denial, Denials, of_mosquitto, of_nats

HEAD = "[9523] 2026/11/22 19:35:14.332586 [ERR] 127.0.0.1:41537 - mid:5 - "


@pytest.mark.parametrize(
    ("line", "denial"),
    [
        pytest.param(
            f'{HEAD}"gw-1" - Publish Violation - Subject "andaman.v1.gw-2.up.readings"',
            ("gw-1", "publishes", "andaman.v1.gw-2.up.readings"),
            id="publish",
        ),
        pytest.param(
            f'{HEAD}"gw-1" - Subscription Violation - Subject "a.>", SID a.>',
            ("gw-1", "subscriptions", "a.>"),
            id="subscription",
        ),
        pytest.param(
            f'{HEAD}"zz" - authentication error - User "gw-1"',
            ("gw-1", "logins", "gw-1"),
            id="login, by the user that was claimed",
        ),
        pytest.param(
            f'{HEAD}"a\\" - Publish Violation - Subject \\"b" - Publish Violation - Subject "c"',
            ('a\\" - Publish Violation - Subject \\"b', "publishes", "c"),
            id="a client id that pretends",
        ),
        pytest.param(f'{HEAD}"zz" - unable to connect: authentication error', None, id="once only"),
        pytest.param("[9523] 2026/11/22 [INF] Server is ready", None, id="something else"),
        pytest.param("", None, id="empty"),
    ],
)
def test_it_reads_the_log_of_nats_server(line: str, denial: Denial | None) -> None:
    assert of_nats(line) == denial


@pytest.mark.parametrize(
    ("line", "denial"),
    [
        pytest.param(
            "1795376116: Denied PUBLISH from gw-1 (d0, q1, r0, m2, 'a/b', ... (6 bytes))",
            ("gw-1", "publishes", "a/b"),
            id="publish",
        ),
        pytest.param(
            "2026-11-22T08:00:00: Denied PUBLISH from gw-1 (d0, q0, r1, m0, '', ... (0 bytes))",
            ("gw-1", "publishes", ""),
            id="other times, no topic",
        ),
        pytest.param(
            "1795376116: Client <unknown> disconnected, not authorised.",
            ("", "logins", ""),
            id="login",
        ),
        pytest.param(
            "1795376116: Client gw-1 [10.0.0.1:53812] disconnected: not authorised.",
            ("", "logins", ""),
            id="login, as later versions write it",
        ),
        pytest.param("1795376116: Client gw-1 disconnected.", None, id="goodbye"),
        pytest.param("1795376116: Received PUBLISH from gw-1 (d0, q1", None, id="a good one"),
    ],
)
def test_it_reads_the_log_of_mosquitto(line: str, denial: Denial | None) -> None:
    assert of_mosquitto(line) == denial


class Log:
    """A log that grows, and what is made of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text("1: Denied PUBLISH from gw-1 (d0, q1, r0, m2, 'before', ... (6 bytes))\n")
        self.denials = Denials(BrokerLog(path), of_mosquitto, lambda: {"gw-1", "gw-2"})

    def add(self, *clients: str) -> None:
        """One line for each."""
        with self.path.open("a", encoding="utf-8") as file:
            for client in clients:
                file.write(
                    f"1: Denied PUBLISH from {client} (d0, q1, r0, m2, 'x', ... (6 bytes))\n"
                )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "log")
    yield made
    made.denials.close()


def test_it_counts_by_gateway_from_now_on_and_strangers_together(log: Log) -> None:
    log.denials.look(1)
    assert log.denials.seen == {}
    log.add("gw-1", "gw-1", "gw-2", "somebody", "somebody-else")
    log.denials.look(2)
    log.denials.look(3)
    assert log.denials.seen == {
        "gw-1": Denied(publishes=2, last=2),
        "gw-2": Denied(publishes=1, last=2),
        "": Denied(publishes=2, last=2),
    }


def test_it_tells_once_for_each_gateway_and_hour(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for minute in range(90):
        log.add("gw-1", "gw-2")
        log.denials.look(minute * MINUTE)
    assert len(caplog.records) == 4
    assert "refuses publishes of gw-1, the latest 'x'" in caplog.text
    log.add("gw-1")
    log.denials.look(3 * HOUR)
    assert len(caplog.records) == 5


def test_it_follows_a_log_that_is_moved_away(log: Log) -> None:
    log.add("gw-1")
    log.path.rename(log.path.with_name("log.1"))
    log.add("gw-2")
    log.denials.look(1)
    assert set(log.denials.seen) == {"gw-1", "gw-2"}


def test_it_follows_a_log_that_is_emptied(log: Log) -> None:
    log.path.write_text("")
    log.denials.look(1)
    log.add("gw-2")
    log.denials.look(2)
    assert set(log.denials.seen) == {"gw-2"}


def test_it_waits_for_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    broker_log = BrokerLog(tmp_path / "log")
    assert broker_log.lines() == []
    (tmp_path / "log").write_bytes(b"first\nhalf of the sec")
    assert broker_log.lines() == ["first"]
    with (tmp_path / "log").open("ab") as file:
        file.write(b"ond\n\xff\n")
    assert broker_log.lines() == ["half of the second", "\ufffd"]
    broker_log.close()


def test_a_flood_costs_no_memory(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    broker_log = BrokerLog(tmp_path / "log")
    (tmp_path / "log").write_bytes(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 50_000)
    assert len(broker_log.lines()) == 10_000
    assert broker_log.lines() == []
    broker_log.close()
