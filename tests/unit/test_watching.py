"""What Andaman finds wrong with its own ground, and what not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from core.times import DAY, HOUR, MINUTE, SECOND, to_micros
from watching import Clockwork, Queue, Seen, ends, findings

GB = 10**9
WELL = {"at": 0, "disk_total": 100 * GB, "disk_free": 50 * GB}


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        pytest.param({}, {}, id="all-is-well"),
        pytest.param({"disk_free": 10 * GB}, {"system-disk": {"disk": 90.0}}, id="full"),
        pytest.param({"disk_free": 10 * GB + 1}, {}, id="nearly-full"),
        pytest.param(
            {"disk_total": 4 * GB, "disk_free": GB - 1},
            {"system-disk": {"disk": 75.0}},
            id="little-left-of-a-small-disk",
        ),
        pytest.param(
            {"waiting": 10 * MINUTE}, {"system-lag": {"influxdb": 10.0}}, id="influxdb-is-away"
        ),
        pytest.param({"waiting": 10 * MINUTE - 1}, {}, id="influxdb-is-slow"),
        pytest.param({"deaf": 61.0}, {"system-stall": {"listener": 61.0}}, id="listener-hangs"),
        pytest.param({"deaf": 30.0}, {}, id="listener-rests"),
        pytest.param({"clock_set": -7200.0}, {"system-clock": {"clock": -7200.0}}, id="clock-back"),
        pytest.param({"clock_set": 59.0}, {}, id="clock-corrected"),
        pytest.param(
            {"certificate_ends": 21 * DAY}, {"system-certificate": {"certificate": 21}}, id="ends"
        ),
        pytest.param({"certificate_ends": 21 * DAY + 1}, {}, id="ends-later"),
        pytest.param(
            {"certificate_ends": -DAY}, {"system-certificate": {"certificate": 1}}, id="has-ended"
        ),
    ],
)
def test_it_finds(seen: dict[str, float], wrong: dict[str, dict[str, float]]) -> None:
    found = findings(Seen(**WELL | seen))  # type: ignore[arg-type]
    assert {rule: subjects for rule, subjects in found.items() if subjects} == wrong


def test_a_clock_that_is_set_is_seen_for_ten_minutes() -> None:
    clockwork = Clockwork()
    assert clockwork.set_by(5 * HOUR, 0) == 0
    assert clockwork.set_by(5 * HOUR + MINUTE, MINUTE) == 0
    back = 3 * HOUR + 2 * MINUTE
    assert clockwork.set_by(back, 2 * MINUTE) == -7200
    assert clockwork.set_by(back + 8 * MINUTE, 10 * MINUTE) == -7200
    assert clockwork.set_by(back + 10 * MINUTE, 12 * MINUTE) == -7200
    assert clockwork.set_by(back + 11 * MINUTE, 13 * MINUTE) == 0


def test_a_clock_that_is_slewed_is_no_clock_that_is_set() -> None:
    clockwork = Clockwork()
    off = [clockwork.set_by(minute * (MINUTE + SECOND), minute * MINUTE) for minute in range(600)]
    assert max(off) <= 1


def test_a_queue_waits_as_long_as_its_head_is_the_same() -> None:
    queue = Queue()
    assert queue.waiting(7, 0) == 0
    assert queue.waiting(7, 5 * MINUTE) == 5 * MINUTE
    assert queue.waiting(8, 6 * MINUTE) == 0
    assert queue.waiting(8, 7 * MINUTE) == MINUTE
    assert queue.waiting(None, 8 * MINUTE) == 0
    assert queue.waiting(None, 90 * MINUTE) == 0


@pytest.mark.parametrize("days", [5, 300])
def test_it_knows_when_a_certificate_ends(tmp_path: Path, days: int) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    chain, key = certificate(tmp_path, end)
    assert ends(chain, key) == to_micros(end)


def test_a_certificate_that_has_ended_has_ended(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, datetime.now(UTC) - timedelta(days=1))
    assert ends(chain, key) == 0


def test_what_is_no_certificate_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "chain").write_text("nothing", encoding="utf-8")
    assert ends(tmp_path / "chain", tmp_path / "chain") is None
    assert ends(tmp_path / "missing", tmp_path / "chain") is None


def certificate(folder: Path, end: datetime) -> tuple[Path, Path]:
    made = trustme.CA().issue_cert("broker.example", not_after=end)
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(key)
    return chain, key
