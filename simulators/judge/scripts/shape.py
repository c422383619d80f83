"""What a fault script is, and what scripts share."""

import importlib.util
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulators.judge.stage import Setting, Stage
from simulators.servers.influxd import find_influxd
from simulators.servers.mosquitto import has_mosquitto

# What a machine may lack, and how to know.
NEEDS: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {
        "influxd": lambda: find_influxd() is not None,
        "libfaketime": lambda: importlib.util.find_spec("libfaketime") is not None,
        "mosquitto": has_mosquitto,
        "root, to mount a small disk": lambda: os.geteuid() == 0 and bool(shutil.which("mount")),
        "strace": lambda: shutil.which("strace") is not None,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is done to Andaman. `setting` says what is on the stage; `play` breaks things for so
    many seconds. Receipts may reject for the reasons in `refusable`; `needs` are among `NEEDS`. It
    has so many `turns` in a round of all scripts.
    """

    words: str
    play: Callable[[Stage, float], None]
    setting: Callable[[random.Random], Setting] = lambda _: Setting()
    refusable: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    turns: int = 1

    def missing(self) -> list[str]:
        """What this machine lacks for it."""
        return [need for need in self.needs if not NEEDS[need]()]


def until(seconds: float) -> Iterator[None]:
    """Again and again, for so long; once at least."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        yield


def either_broker(chance: random.Random) -> Setting:
    """The embedded one, or Mosquitto where it is."""
    return Setting(mosquitto=chance.random() < 0.5 and has_mosquitto())
