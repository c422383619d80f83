"""A machine whose disk fills up, or whose clock jumps."""

import importlib.util
import random
import resource
from contextlib import suppress
from pathlib import Path

from simulators.judge.city import Size
from simulators.judge.scripts.shape import until
from simulators.judge.stage import Setting, Stage

DISK_MB = 48
JUMPS = ("+2h", "-2h", "+20d", "-20d", "+20m", "-3m")


def small_disk(chance: random.Random) -> Setting:
    """The data folder is a small disk of its own."""
    del chance
    return Setting(disk_mb=DISK_MB)


def disk_full(stage: Stage, seconds: float) -> None:
    """The disk is full, for a while."""
    ballast = stage.andaman.data / "ballast"
    for _ in until(seconds):
        stage.pause(0.5, 2)
        stage.note("the disk is full")
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"\0" * 65_536)
                file.flush()
        stage.pause(2, 5)
        ballast.unlink()
        stage.note("there is room again")


def no_growth(stage: Stage, seconds: float) -> None:
    """No file of Andaman's may grow beyond what the write-ahead log needs, for a while."""
    for _ in until(seconds):
        stage.pause(0.5, 2)
        pid, most = stage.andaman.pid, stage.chance.randrange(4096, 400_000)
        stage.note(f"no file beyond {most} bytes")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        stage.pause(1, 4)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        stage.note("files may grow again")


def nobody_told(chance: random.Random) -> Setting:
    """No bins that everybody must hear of: what is measured at a wrong time alerts nobody."""
    del chance
    return Setting(size=Size(told=0))


def clock_jumps(stage: Stage, seconds: float) -> None:
    """Andaman's clock is set forward and back while it runs."""
    clock = stage.folder / "clock"
    clock.write_text("+0", encoding="ascii")
    stage.kill()
    stage.under(
        LD_PRELOAD=str(_library()),
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        FAKETIME_NO_CACHE="1",
        FAKETIME_TIMESTAMP_FILE=str(clock),
    )
    stage.revive()
    for _ in until(seconds):
        stage.pause(1, 3)
        _set(stage, clock, stage.chance.choice(JUMPS))
        stage.pause(1, 3)
        _set(stage, clock, "+0")


def _set(stage: Stage, clock: Path, jump: str) -> None:
    stage.note(f"the clock is set to {jump}")
    new = clock.with_suffix(".new")
    new.write_text(jump, encoding="ascii")
    new.replace(clock)


def _library() -> Path:
    found = importlib.util.find_spec("libfaketime")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("libfaketime")
    return Path(found.submodule_search_locations[0]) / "vendor/libfaketime/src/libfaketime.so.1"
