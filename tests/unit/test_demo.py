"""The edges of the demo: how it is told to stop, and what it writes for scripts."""

import asyncio
import json
import os
import signal
import stat
from pathlib import Path

import pytest

import demo


def test_it_writes_the_ready_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ready.json"
    for key in ("first", "second"):
        demo.write_ready_file(path, {"key": key})
    assert json.loads(path.read_text(encoding="utf-8")) == {"key": "second"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_cleans_up_when_it_is_told_to_stop_however_often(number: signal.Signals) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), number)
            for step in ("gateways", "broker"):
                await asyncio.sleep(0)
                cleaned.append(step)

    asyncio.run(demo._until_told(work()))
    assert cleaned == ["gateways", "broker"]
