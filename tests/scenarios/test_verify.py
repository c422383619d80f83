"""`andaman db verify` finds nothing in a ledger that is right, and names what was done to one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import StartError
from core.settings import Settings
from core.times import MINUTE
from tests.world import World, write_configuration
from verifying import verify


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The ledger of a morning with two alerts, one of which is over."""
    config = write_configuration(tmp_path / "config")
    world = World(Settings(config_dir=config, data_dir=tmp_path / "data"))
    with closing(world.system):
        world.at("00:01").publish("bin-1", fill_level=97)
        world.at("00:02").publish("bin-2", gateway="other", fill_level=85)
        world.at("00:03").publish("bin-2", gateway="other", fill_level=40)
        world.at("00:04").send(b"no message")
    return tmp_path / "data"


def test_it_finds_nothing_where_all_is_right(data: Path) -> None:
    assert verify(data, 15 * MINUTE) == []


@pytest.mark.parametrize(
    ("done", "words"),
    [
        pytest.param(
            "DELETE FROM transitions WHERE reason = 'back-in-range'",
            "on record first-breach at 2026-11-22T00:02:00Z (85); a replay says first-breach",
            id="forgot a transition",
        ),
        pytest.param(
            "UPDATE alerts SET state = 'firing'", "it stands as firing", id="an alert stands wrong"
        ),
        pytest.param("DELETE FROM readings", "0 are there", id="lost readings"),
        pytest.param(
            "UPDATE counters SET value = value + 1 WHERE name = 'received'",
            "5 items were received, but 3 stored, 0 duplicate and 1 quarantined",
            id="counted what did not come",
        ),
    ],
)
def test_it_names_what_breaks_the_promise(data: Path, done: str, words: str) -> None:
    with closing(sqlite3.connect(data / "ledger.db")) as ledger, ledger:
        ledger.execute(done)
    assert any(words in line for line in verify(data, 15 * MINUTE))


def test_it_names_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StartError, match="not a database"):
        verify(tmp_path, 15 * MINUTE)
