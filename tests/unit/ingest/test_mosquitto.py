"""The files that tell a Mosquitto whom to let in."""

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from core.errors import BrokerError
from ingest.mosquitto import Mosquitto, access
from ingest.sources import NATIVE
from storage.credentials import credential_of

SOURCES = [
    NATIVE,
    dataclasses.replace(NATIVE, topic="tele/+/SENSOR", gateway="gw-1"),
    dataclasses.replace(NATIVE, topic="zigbee/{gateway}/#"),
]


def door(folder: Path, pid_file: Path | None = None) -> Mosquitto:
    return Mosquitto(folder, username="ingest", password="own", sources=SOURCES, pid_file=pid_file)


def test_a_gateway_may_do_what_its_place_and_its_sources_need() -> None:
    assert [line for line in "\n".join(access("ingest", SOURCES)).splitlines() if line] == [
        "user ingest",
        "topic read andaman/v1/+/up/#",
        "topic read andaman/v1/+/up/readings",
        "topic read tele/+/SENSOR",
        "topic read zigbee/+/#",
        "topic write andaman/v1/+/down/#",
        "topic write andaman/v1/alerts/#",
        "user gw-1",
        "topic write tele/+/SENSOR",
        "pattern write andaman/v1/%u/up/#",
        "pattern read andaman/v1/%u/down/#",
        "pattern read andaman/v1/alerts/#",
        "pattern write andaman/v1/%u/up/readings",
        "pattern write zigbee/%u/#",
    ]


def test_it_writes_hashes_for_the_group_to_read(tmp_path: Path) -> None:
    door(tmp_path).admit([credential_of("gw-1", "secret-of-one"), credential_of("ingest", "x")])
    path = tmp_path / "passwords"
    lines = [line.split(":") for line in path.read_text(encoding="utf-8").splitlines()]
    assert [user for user, _ in lines] == ["ingest", "gw-1"]  # ours once, whoever takes our name
    assert all(hashed.startswith("$7$101$") for _, hashed in lines)
    assert "secret" not in path.read_text(encoding="utf-8")
    for name in ("passwords", "acl"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["acl", "passwords"]


def test_it_names_the_file_that_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="nowhere/acl: cannot be written"):
        door(tmp_path / "nowhere").admit([])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, r"cannot be told \(No such file", id="no file"),
        pytest.param("", "holds no process number", id="empty"),
        pytest.param("4194305", r"cannot be told \(No such process\)", id="nobody's"),
        pytest.param(str(os.getppid()), "is no Mosquitto", id="a stranger's"),
    ],
)
def test_it_signals_nobody_but_a_mosquitto(tmp_path: Path, content: str | None, words: str) -> None:
    pid_file = tmp_path / "pid"
    if content is not None:
        pid_file.write_text(content, encoding="ascii")
    with pytest.raises(BrokerError, match=words):
        door(tmp_path, pid_file).admit([])
    assert (tmp_path / "passwords").exists()
